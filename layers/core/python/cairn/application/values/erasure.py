"""Customers to erase, and the dead letters that are left for a person."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from datetime import datetime

    from cairn.domain.privacy.traces import Traces


@dataclass(frozen=True, slots=True)
class PendingErasure:
    """A customer to erase, and what is needed to find all stored data."""

    id: str
    at: datetime
    """When the erasure was ordered."""
    traces: Traces
    enrollments: frozenset[str] = frozenset()
    timers: frozenset[str] = frozenset()
    """Names of the schedules of deferred messages."""


@dataclass(frozen=True, slots=True)
class UnreadDeadLetter:
    """A dead letter that nobody but a person can read."""

    queue: str
    id: str
    """The id of the message; empty for those of a queue that has too many."""
    why: str


@dataclass(frozen=True, slots=True)
class DeadLettersRemoved:
    """How many dead letters about a customer were removed, and the ones that could not be read."""

    removed: int
    unread: tuple[UnreadDeadLetter, ...] = ()
