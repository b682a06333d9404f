"""A broadcast: one event for each member of an audience, in pages, at a bounded rate.

Each page changes the broadcast's version, and what follows from a version is the next page: an old page is stale. An
event's id is made of the broadcast and the customer, so a page that comes twice, or a customer who moves within the
order meanwhile, brings nobody a second event.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any

from cairn.domain.audience.selection import ALL_MEMBERS, Selection
from cairn.domain.effects import ContinueBroadcast
from cairn.domain.event import Event
from cairn.domain.identity.trust import AUDIENCES_SOURCE
from cairn.domain.shared.hashing import short_hash

MOST_IN_A_PAGE = 500
PER_SECOND = 100
"""Events a second, where nothing else is said."""

GROWTH = 10
"""A broadcast waits for a person again before it reaches more than so many times the members of its preflight."""

LEAST_COUNTED = 10
"""An audience that had fewer members counts as one that had so many."""


class BroadcastState(StrEnum):
    PLANNED = "planned"
    """It waits for its approval."""
    RUNNING = "running"
    """From its instant on, page follows page."""
    PAUSED = "paused"
    GROWN = "grown"
    """The audience has grown since the preflight: it waits for another approval."""
    OUTDATED = "outdated"
    """A deployment has changed its audience, whose positions are others now: it is planned anew."""
    STOPPED = "stopped"
    DONE = "done"


ENDED = frozenset({BroadcastState.OUTDATED, BroadcastState.STOPPED, BroadcastState.DONE})


@dataclass(frozen=True, slots=True)
class Broadcast:
    id: str
    audience: str
    audience_version: str
    """Of the audience whose positions it goes through; another version has others."""
    type: str
    """The type of the event that each member gets."""
    at: datetime
    """From when on."""
    properties: Mapping[str, Any] = field(default_factory=dict)
    selected: Selection = ALL_MEMBERS
    journey: str = ""
    """The journey that it is for; empty for an event about a thing."""
    per_second: int = PER_SECOND
    planned: int | None = None
    """The members at its preflight; None where there was none."""
    by: str = ""
    why: str = ""
    approved_by: str = ""
    created_at: datetime | None = None
    state: BroadcastState = BroadcastState.RUNNING
    put: int = 0
    """The members of the pages so far. One who moves meanwhile may be counted twice."""
    after: str = ""
    """The position of the last page."""
    next_at: datetime | None = None
    """When the next page is due; None: at `at`."""
    version: int = 1

    @property
    def due_at(self) -> datetime:
        return max(self.next_at or self.at, self.at)

    @property
    def page_size(self) -> int:
        """A page is due at most once a second, which SQS can delay."""
        return min(self.per_second, MOST_IN_A_PAGE)

    @property
    def is_running(self) -> bool:
        return self.state is BroadcastState.RUNNING

    @property
    def follows(self) -> ContinueBroadcast | None:
        """What follows from this version."""
        if not self.is_running:
            return None
        return ContinueBroadcast(f"{self.id}-page-{self.version}", self.id, self.version, self.due_at)

    def event_of(self, customer: str) -> Event:
        return Event(
            id=short_hash(self.id, customer, length=26),
            source=AUDIENCES_SOURCE,
            type=self.type,
            occurred_at=self.at,
            customer_id=customer,
            properties=self.properties,
        )

    def events(self, customers: Iterable[str]) -> list[Event]:
        return [self.event_of(one) for one in dict.fromkeys(customers)]

    def has_grown(self, members: int) -> bool:
        """Whether so many members are too many for what its preflight has counted."""
        return self.planned is not None and members > GROWTH * max(self.planned, LEAST_COUNTED)

    def after_page(self, members: int, following: str | None, now: datetime) -> "Broadcast":
        """The broadcast after a page; done after the last one."""
        pause = timedelta(seconds=members / self.per_second)
        return replace(
            self,
            put=self.put + members,
            after=self.after if following is None else following,
            next_at=max(self.due_at, now) + pause,
            state=BroadcastState.DONE if following is None else self.state,
            version=self.version + 1,
        )

    def moved_to(self, state: BroadcastState) -> "Broadcast":
        return replace(self, state=state, version=self.version + 1)


def broadcast_id(*parts: str) -> str:
    """The same for the same: an event about a thing that comes twice is one broadcast."""
    return short_hash("broadcast", *parts, length=20)
