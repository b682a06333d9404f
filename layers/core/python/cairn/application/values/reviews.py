"""Messages that wait for a person's approval."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping


@dataclass(frozen=True, slots=True)
class UnderReview:
    """A message that waits for approval, and what the person needs to decide."""

    message: str
    customer: str
    deadline: str
    """ISO 8601. The journey or the policy says what happens then."""
    about: Mapping[str, Any]
    """Journey, step, template, purpose."""
    queue: str
    context: Mapping[str, Any]
    """The rendered message, with the profile and data that it uses."""

    @property
    def position(self) -> str:
        """What gives those behind it."""
        return f"{self.deadline} {self.customer} {self.message}"
