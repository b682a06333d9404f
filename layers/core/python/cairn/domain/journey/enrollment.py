"""An enrollment: one customer in one version of one journey."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any, Self

from cairn.domain.journey.arms import Assigned
from cairn.domain.journey.definition import ENTRY
from cairn.domain.shared.channels import Channel
from cairn.domain.shared.hashing import share
from cairn.domain.shared.instants import instant_to_wire


class Status(StrEnum):
    ACTIVE = "active"
    HELD_OUT = "held-out"  # gets no messages; only the goal counts
    ENDED = "ended"


COMPLETED = "completed"
"""The outcome of an enrollment that took its last step."""

EXIT_ON = "exit_on"
"""The outcome of an enrollment that an `exit_on` event ended."""

MERGED = "merged"
"""The outcome of an enrollment whose customer was merged with one that already has the same enrollment."""

UNWANTED = frozenset({EXIT_ON, MERGED})
"""Outcomes after which messages that still wait must not be sent."""

ENDED_EARLY_WINDOW = timedelta(hours=72)
"""How long an ended enrollment is stored because its queued messages may become unwanted: as long as messages usually
wait. Of later ones, the facts and the early exits say how their enrollment ended (adapters/dynamodb/deliveries)."""


@dataclass(frozen=True, slots=True)
class Enrollment:
    id: str
    journey: str
    version: str
    key: str
    """The value of the entry's `key`; empty for a journey without one."""
    entered_at: datetime
    """When we enrolled the customer: day 0 of the journey, and the start of its durations."""
    since: datetime
    """When the starting event happened; earlier events are ignored."""
    data: Mapping[str, Any] = field(default_factory=dict)
    """The starting event's properties, refreshed by `refresh_on` events."""
    data_at: datetime | None = None
    status: Status = Status.ACTIVE
    step: str | None = None
    """The step at which it waits; the entry, too, where it ended there."""
    reached_at: datetime | None = None
    due_at: datetime | None = None
    moved_to: datetime | None = None
    """When its timer fires, where a pause has moved the wait beyond `due_at`."""
    sequence: int = 0
    """Grows with every decision. A wake-up carries the number of its decision; with an old number it is ignored."""
    met: tuple[int, ...] = ()
    """Of a step that waits for several events, the numbers of those that have happened."""
    handled: str = ""
    """The key of the last event that moved it: the same event again changes nothing."""
    addresses: Mapping[Channel, str] | None = None
    """The only addresses that its messages may go to, where a visitor typed them; None: the customer's own."""
    values: Mapping[str, Any] = field(default_factory=dict)
    """What its steps have set, by name."""
    passed: tuple[str, ...] = ()
    """The sends, tasks and the like behind it when it `joined` its version, where its version does not show them."""
    joined: str = ""
    """The step at which it came into its version from another one; empty where its version shows what is behind it."""
    paused_by: str = ""
    """The pause among whose work its wait is, by target and beginning: a repeated wake-up adds nothing."""
    counted: Mapping[str, Assigned] = field(default_factory=dict)
    """The arms under which its goal counts, by the step of their split; none once it is reached."""
    goal_at: datetime | None = None
    ended_at: datetime | None = None
    outcome: str = ""

    @property
    def open(self) -> bool:
        return self.status is not Status.ENDED

    @property
    def has_begun(self) -> bool:
        """False while it waits for its date or its silence, and where it ended before that."""
        return self.step != ENTRY

    @property
    def timer_at(self) -> datetime | None:
        """When the timer that it waits for fires; None where it waits for none."""
        return (self.moved_to or self.due_at) if self.open else None

    def limited_to(self, allows: Callable[[Channel, str], bool]) -> Self:
        """Of its addresses, only those that are allowed. Without a limit it stays without one."""
        if self.addresses is None:
            return self
        left = {channel: address for channel, address in self.addresses.items() if allows(channel, address)}
        return replace(self, addresses=left)

    def moving(self) -> Self:
        """On its way from one step to the next."""
        return replace(self, step=None, due_at=None, moved_to=None, reached_at=None, met=(), paused_by="")

    def ending(self, outcome: str, now: datetime) -> Self:
        step = None if self.has_begun else ENTRY
        return replace(self.moving(), step=step, status=Status.ENDED, outcome=outcome, ended_at=now)

    def view(self) -> dict[str, Any]:
        """The root `enrollment` of conditions."""
        return {
            "id": self.id,
            "key": self.key,
            "entered_at": instant_to_wire(self.entered_at),
            "since": instant_to_wire(self.since),
            "values": self.values,
        }


def held_out(journey: str, customer: str, fraction: float) -> bool:
    """Whether this customer is in the journey's holdout. A larger fraction keeps the customers of the smaller one."""
    return share(f"holdout/{journey}", customer) < fraction
