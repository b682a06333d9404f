"""One customer's passage through one version of one journey."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from enum import StrEnum
from typing import Any, Self

from cairn.domain.shared.hashing import share
from cairn.domain.shared.instants import instant_to_wire


class Status(StrEnum):
    ACTIVE = "active"
    HELD_OUT = "held-out"  # gets nothing, and is watched for the goal
    ENDED = "ended"


COMPLETED = "completed"
"""The outcome of an enrollment that took its last step."""

EXIT_ON = "exit_on"
"""The outcome of one that an event ended."""

MERGED = "merged"
"""The outcome of one whose customer turned out to be walking the same way already."""

UNWANTED = frozenset({EXIT_ON, MERGED})
"""Outcomes after which nothing is wanted any more that it still had to say."""


@dataclass(frozen=True, slots=True)
class Enrollment:
    id: str
    journey: str
    version: str
    key: str
    """What the entry's `key` gave; empty for a journey without one."""
    entered_at: datetime
    """When we took the customer in: day 0 of the journey, and what its durations count from."""
    since: datetime
    """When the event that started it happened: earlier events are no news to it."""
    data: Mapping[str, Any] = field(default_factory=dict)
    """The starting event's properties, refreshed by `refresh_on` events."""
    data_at: datetime | None = None
    status: Status = Status.ACTIVE
    step: str | None = None
    """Where it waits."""
    reached_at: datetime | None = None
    due_at: datetime | None = None
    sequence: int = 0
    """Grows with every decision. A wake-up carries the number it was made under; an old one is ignored."""
    handled: str = ""
    """The key of the last event that moved it, so that the same event twice is one."""
    goal_at: datetime | None = None
    ended_at: datetime | None = None
    outcome: str = ""

    @property
    def open(self) -> bool:
        return self.status is not Status.ENDED

    def ending(self, outcome: str, now: datetime) -> Self:
        return replace(
            self, status=Status.ENDED, outcome=outcome, ended_at=now, step=None, due_at=None, reached_at=None
        )

    def view(self) -> dict[str, Any]:
        """What conditions see as `enrollment`."""
        return {
            "id": self.id,
            "key": self.key,
            "entered_at": instant_to_wire(self.entered_at),
            "since": instant_to_wire(self.since),
        }


def held_out(journey: str, customer: str, fraction: float) -> bool:
    """Whether this customer is in the journey's holdout. Raising the fraction keeps all who were in it."""
    return share(f"holdout/{journey}", customer) < fraction
