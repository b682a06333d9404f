"""Requests of customers about their data."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping


@dataclass(frozen=True, slots=True)
class PrivacyTask:
    """A request that a person answers."""

    id: str
    customer: str
    opened_at: str
    """ISO 8601. A request that comes again after an answer opens the task anew."""
    due_at: str
    title: str
    script: str
    context: Mapping[str, Any]
    outcome: str = ""
    """The choice that closed it."""
    done_by: str = ""

    @property
    def position(self) -> str:
        """What gives those behind it."""
        return f"{self.due_at} {self.customer} {self.id}"
