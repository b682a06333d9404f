"""Work that waits for a time, and what should have gone on long ago."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeAlias

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import datetime

    from cairn.domain.customer.overdue import WaitingMessage
    from cairn.domain.effects import EraseCustomer
    from cairn.domain.journey.enrollment import Enrollment


@dataclass(frozen=True, slots=True)
class WaitingEnrollments:
    """Enrollments that are stored in one item, of which the earliest timer is long past."""

    customer: str
    enrollments: Mapping[str, Enrollment]
    version: int
    """The item's."""
    item: str
    """Its sort key."""


@dataclass(frozen=True, slots=True)
class WaitingMessages:
    """A customer whose earliest deferred message should have been decided long ago, with all that are deferred."""

    customer: str
    messages: tuple[WaitingMessage, ...]
    version: int


@dataclass(frozen=True, slots=True)
class WaitingErasure:
    """A pending erasure that should have been carried out."""

    customer: str
    due_at: datetime
    order: EraseCustomer


@dataclass(frozen=True, slots=True)
class WaitingTask:
    """An open task that a person should have done, or whose timer is lost."""

    customer: str
    id: str
    due_at: datetime
    sequence: int = 0
    """Of its timers; 0: it has none, as the tasks that no journey asks for."""


@dataclass(frozen=True, slots=True)
class UnreadableItem:
    """An item with something that waits, which this version cannot read."""

    customer: str
    kind: str
    """Its sort key."""
    due_at: datetime
    error: str


Waiting: TypeAlias = "WaitingEnrollments | WaitingMessages | WaitingErasure | WaitingTask | UnreadableItem"


@dataclass(frozen=True, slots=True)
class StuckEnrollment:
    """An enrollment whose timer is gone."""

    customer: str
    enrollment: str
    sequence: int


@dataclass(frozen=True, slots=True)
class StuckTask:
    """A task whose timer is gone."""

    customer: str
    task: str
    sequence: int


@dataclass(frozen=True, slots=True)
class WaitingPage:
    found: Sequence[WaitingEnrollments | UnreadableItem]
    following: str | None = None
    """What gives the next page; None after the last one."""
