"""A journey: a tree of steps as a graph. Every `next` points forward, so a walk always ends."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from enum import StrEnum
from typing import Any

from cairn.domain.message.message import Review
from cairn.domain.shared.channels import Channel, Purpose
from cairn.domain.shared.moments import Moment

ANY_KEY = "any"
"""As the key of a match: the event counts whichever enrollment of the customer it is about."""


class IfPast(StrEnum):
    """What a wait does whose instant has gone by, or whose date is not there."""

    CONTINUE = "continue"
    SKIP = "skip"  # pass over the next step too: an offer 48 h before is no offer 2 h before
    EXIT = "exit"


@dataclass(frozen=True, slots=True)
class Match:
    """Which events count. `key` (JMESPath on the event) must equal the enrollment's key; ANY_KEY turns that off."""

    event: str
    where: str | None = None
    key: str | None = None


@dataclass(frozen=True, slots=True)
class Send:
    id: str
    next: str | None
    channels: tuple[Channel, ...]
    """In order of preference; the first one that the customer can and may be reached on."""
    template: str
    purpose: Purpose
    useful_for: timedelta | None = None
    """What cannot go out within this time of the step is dropped; None for what never goes stale."""
    preferred_hour: bool = False
    """Wait for the time of day that the customer prefers to be written to (`profile.preferred_time`)."""
    review: Review | None = None
    """A person reads it first."""


@dataclass(frozen=True, slots=True)
class Wait:
    id: str
    next: str | None
    until: Moment
    if_past: IfPast = IfPast.CONTINUE


@dataclass(frozen=True, slots=True)
class WaitFor:
    """Won exactly once: by the event, or by the timeout."""

    id: str
    match: Match
    timeout: Moment
    happened: str | None
    timed_out: str | None


@dataclass(frozen=True, slots=True)
class Branch:
    id: str
    arms: tuple[tuple[str, str | None], ...]
    """(condition, next step): the first that holds."""
    otherwise: str | None


@dataclass(frozen=True, slots=True)
class Task:
    """Work for a person."""

    id: str
    next: str | None
    queue: str
    title: str
    due: timedelta
    context: Mapping[str, str] = field(default_factory=dict)
    """Name: JMESPath."""
    script: str = ""


@dataclass(frozen=True, slots=True)
class Update:
    """Changes the profile; None removes an attribute."""

    id: str
    next: str | None
    attributes: Mapping[str, Any] = field(default_factory=dict)
    attributes_from: Mapping[str, str] = field(default_factory=dict)
    tags: Mapping[str, bool] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Exit:
    id: str
    outcome: str


Step = Send | Wait | WaitFor | Branch | Task | Update | Exit


class Reentry(StrEnum):
    """Whether a customer may enter once more with the same key."""

    NEVER = "never"
    WHEN_ENDED = "when-ended"
    AFTER = "after"  # when ended, and `again_after` since the last entry


@dataclass(frozen=True, slots=True)
class EntryRule:
    event: str
    where: str | None = None
    key: str | None = None
    """JMESPath on the event: what two enrollments of one customer differ in (a booking's id)."""
    again: Reentry = Reentry.NEVER
    again_after: timedelta = timedelta()


@dataclass(frozen=True, slots=True)
class Goal:
    match: Match
    within: timedelta


@dataclass(frozen=True, slots=True)
class Journey:
    """One version of one journey; `version` is the hash of all that it consists of, templates included."""

    name: str
    version: str
    entry: EntryRule
    steps: Mapping[str, Step]
    start: str | None
    goal: Goal | None = None
    holdout: float = 0.0
    """The share of customers, 0 to 1, who get nothing, so that lift can be measured."""
    exit_on: tuple[Match, ...] = ()
    refresh_on: tuple[Match, ...] = ()
    """Events whose properties replace the enrollment's data; a wait for a date of it moves along."""
    time_zone: str = "UTC"
    """Where local times are for a customer whose own zone is not known."""
    brand: str = ""
    """Who writes, where that is not the business that the policy names."""
    postal_address: str = ""
