"""A journey: a tree of steps as a graph. Every `next` points forward, so a walk always ends."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from enum import StrEnum
from typing import TYPE_CHECKING, Any, Self

if TYPE_CHECKING:
    from cairn.domain.journey.steps import Step

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


@dataclass(frozen=True, slots=True)
class EntryRule:
    matches: tuple[Match, ...]
    """Any of these starts an enrollment. Each `key` is JMESPath on its event, such as a booking's id: a customer may
    have one enrollment for each value."""
    again: Reentry = Reentry.NEVER
    again_after: timedelta = timedelta()

    @property
    def keys(self) -> tuple[str | None, ...]:
        """The expressions by which events name an enrollment, where a rule has none of its own."""
        return tuple(dict.fromkeys(match.key for match in self.matches))


@dataclass(frozen=True, slots=True)
class Goal:
    match: Match
    within: timedelta


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

    @property
    def listens_before(self) -> frozenset[str]:
        """The types of event that start it, or are remembered until it starts: they end it, or give it new data."""
        return frozenset(rule.event for rule in (*self.entry.matches, *self.exit_on, *self.refresh_on))

    def __post_init__(self) -> None:
        waits = (match for step in self.steps.values() for match in getattr(step, "matches", ()))
        goals = (self.goal.match,) if self.goal else ()
        inside = (rule.event for rule in (*goals, *waits))
        object.__setattr__(self, "listens_to", self.listens_before.union(inside))
