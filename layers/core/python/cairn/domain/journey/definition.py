"""A journey: a tree of steps as a graph. Every `next` points forward, so a walk always ends."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from enum import StrEnum
from typing import TYPE_CHECKING, Any, Literal, Self

from cairn.domain.shared.instants import duration_text, zone_named
from cairn.domain.shared.moments import DayOf

if TYPE_CHECKING:
    from cairn.domain.journey.steps import Step
    from cairn.domain.journey.steps.split import Split

ANY_KEY = "any"
"""As the key of a match: the event counts for every enrollment of the customer in this journey."""


@dataclass(frozen=True, slots=True)
class Match:
    """Which events count. `key` (JMESPath on the event) must equal the enrollment's key, unless it is ANY_KEY."""

    event: str
    where: str | None = None
    key: str | None = None

    @classmethod
    def from_document(cls, document: Mapping[str, Any]) -> Self:
        return cls(document["event"], document.get("where"), document.get("key"))


class Reentry(StrEnum):
    """Whether a customer may enter again with the same key."""

    NEVER = "never"
    WHEN_ENDED = "when-ended"
    AFTER = "after"  # when ended, and `again_after` since the last entry


DATE_CHANGED = "date.changed"
CONDITION_MET = "condition.met"
"""Events of Cairn's own, each with the name of a journey: the date by which it starts has become known or another one,
or the condition by which it starts has begun to be met.
"""

ENTRY = "entry"
"""The step at which an enrollment waits for its beginning."""


@dataclass(frozen=True, slots=True)
class Cap:
    """At most so many enrollments begin in an hour or a day of the journey's zone."""

    limit: int
    per: Literal["hour", "day"]

    def window(self, now: datetime, zone: str) -> str:
        """The name of the hour or day. Of an hour that comes twice when clocks change, each is one."""
        local = now.astimezone(zone_named(zone, "UTC"))
        return local.date().isoformat() if self.per == "day" else local.isoformat(timespec="hours")

    def __str__(self) -> str:
        return f"at most {self.limit} per {self.per}"


@dataclass(frozen=True, slots=True)
class CustomerCap:
    """A customer begins at most so many enrollments within a time."""

    limit: int
    within: timedelta

    def __str__(self) -> str:
        return f"at most {self.limit} in {duration_text(self.within)}"


@dataclass(frozen=True, slots=True)
class Admission:
    """An enrollment that a cap of its journey counts, in the hour or day of this name."""

    journey: str
    window: str
    limit: int


@dataclass(frozen=True, slots=True)
class EntryRule:
    matches: tuple[Match, ...]
    """Any of these starts an enrollment. Each `key` is JMESPath on its event, such as a booking's id: a customer may
    have one enrollment for each value."""
    again: Reentry = Reentry.NEVER
    again_after: timedelta = timedelta()
    waits: bool = False
    """Whether an enrollment first waits for its beginning: for a date, or until nothing has happened for so long."""
    day_of: DayOf | None = None
    """What it waits for, where that is a date of the profile."""
    condition: str | None = None
    """JMESPath on the profile: it starts when this begins to be met."""
    watches: frozenset[str] = frozenset()
    """The attributes that the date or the condition reads."""
    first_day: date | None = None
    last_day: date | None = None
    """The days, in the journey's zone, on which it may be entered."""
    unless_in: frozenset[str] = frozenset()
    """Nobody enters who is in one of these journeys."""
    priority: int = 0
    """Of several journeys that one event starts, that with the most is the first; so are its messages."""
    cap: Cap | None = None
    """How many may enter in each hour or day; None: any number."""
    per_customer: CustomerCap | None = None
    """How often one customer may enter, with whatever keys; None: as often as `again` allows."""

    @property
    def is_once(self) -> bool:
        """Whether a customer enters once, and never again."""
        return self.again is Reentry.NEVER and self.keys == (None,)

    @property
    def is_yearly(self) -> bool:
        return self.day_of is not None and self.day_of.yearly

    def is_open_on(self, instant: datetime, zone: str) -> bool:
        if self.first_day is None and self.last_day is None:
            return True
        day = instant.astimezone(zone_named(zone, "UTC")).date()
        return (self.first_day or day) <= day <= (self.last_day or day)

    @property
    def keys(self) -> tuple[str | None, ...]:
        """The expressions by which events name an enrollment, where a rule has none of its own."""
        return tuple(dict.fromkeys(match.key for match in self.matches))


@dataclass(frozen=True, slots=True)
class Goal:
    match: Match
    within: timedelta
    value: "GoalValue | None" = None


@dataclass(frozen=True, slots=True)
class GoalValue:
    """What the goal is worth: expressions on its event."""

    amount: str
    currency: str
    major: bool = False
    """Whether the amount is in whole units (12.50), not in minor ones (1250)."""


@dataclass(frozen=True, slots=True)
class Journey:
    """One version of one journey; `version` is the hash of its content, templates included."""

    name: str
    version: str
    entry: EntryRule
    steps: Mapping[str, "Step"]
    start: str | None
    goal: Goal | None = None
    holdout: float = 0.0
    """The share of customers, 0 to 1, who get nothing, so that lift can be measured."""
    unmeasured: str = ""
    """A condition on the profile: such customers are neither held out nor counted."""
    exit_on: tuple[Match, ...] = ()
    refresh_on: tuple[Match, ...] = ()
    """Events whose properties update the enrollment's data; waits for a date in the data are set again."""
    at_end: tuple["Step", ...] = ()
    """Performed when an enrollment ends, however it ends; none of these waits or ends it itself."""
    time_zone: str = "UTC"
    """For customers whose own zone is not known."""
    brand: str = ""
    """The sender's name, where it differs from the policy's `brand`."""
    postal_address: str = ""
    link_hosts: tuple[str, ...] = ()
    """Hosts that links in values may lead to, beside the policy's."""
    listens_to: frozenset[str] = field(init=False, compare=False, repr=False)
    """Every type of event that it names. One of another type neither starts, moves nor ends an enrollment."""
    measured: tuple["Split", ...] = field(init=False, compare=False, repr=False)
    """The splits of which a winner is chosen."""
    has_tasks: bool = field(init=False, compare=False, repr=False)
    """Whether any of its steps asks a person for something."""

    @property
    def listens_before(self) -> frozenset[str]:
        """The types of event that start it, or are remembered until it starts: they end it, or give it new data."""
        return frozenset(rule.event for rule in (*self.entry.matches, *self.exit_on, *self.refresh_on))

    def __post_init__(self) -> None:
        waits = (match for step in self.steps.values() for match in getattr(step, "matches", ()))
        goals = (self.goal.match,) if self.goal else ()
        inside = (rule.event for rule in (*goals, *waits))
        object.__setattr__(self, "listens_to", self.listens_before.union(inside))
        splits: Any = tuple(step for step in self.steps.values() if getattr(step, "winner", None))
        object.__setattr__(self, "measured", splits)
        asks = any(hasattr(step, "queue") for step in (*self.steps.values(), *self.at_end))
        object.__setattr__(self, "has_tasks", asks)
