"""Work that waits for a resume."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeAlias

if TYPE_CHECKING:
    from cairn.domain.shared.channels import Purpose


@dataclass(frozen=True, slots=True)
class PausedEnrollment:
    """A timer that went off while its journey was paused."""

    customer: str
    enrollment: str
    sequence: int
    wait_id: str


@dataclass(frozen=True, slots=True)
class PausedMessage:
    """A message whose target is paused."""

    customer: str
    id: str
    purpose: Purpose
    wait_id: str


PausedWork: TypeAlias = "PausedEnrollment | PausedMessage"
"""Work that waits for a resume. `wait_id` distinguishes this wait from a later one of the same work."""
