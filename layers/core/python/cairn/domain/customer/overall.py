"""The holdout across all journeys: a share of the customers enters no journey that sends marketing.

A customer is drawn once, where a journey would begin for the first time, by a hash of the id: so the arm is the same
whatever the journey. It is noted under EVERY_JOURNEY, as an enrollment of its own would be.
"""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from cairn.domain.effects import Fact, FactKind
from cairn.domain.event import Event
from cairn.domain.journey.conditions import Scope, is_met
from cairn.domain.journey.definition import GoalValue, Journey
from cairn.domain.journey.engine import worth
from cairn.domain.journey.enrollment import MERGED, Status, held_out
from cairn.domain.policy import EVERY_JOURNEY, OverallHoldout
from cairn.domain.profile.profile import Profile
from cairn.domain.shared.channels import Purpose
from cairn.domain.shared.hashing import short_hash

Entered = Mapping[str, datetime]


def concerns(journey: Journey) -> bool:
    """A journey without a marketing message is exempt: what it says, the customer asked for or is owed."""
    return any(getattr(step, "purpose", None) is Purpose.MARKETING for step in journey.steps.values())


def draws(holdout: OverallHoldout, profile: Profile, now: datetime) -> bool:
    return not holdout.exclude or not is_met(holdout.exclude, Scope(profile, now, {}))


def is_left_out(holdout: OverallHoldout, customer: str) -> bool:
    return held_out(EVERY_JOURNEY, customer, holdout.share)


def newly_drawn(holdout: OverallHoldout, entered: Entered, now: datetime) -> dict[str, datetime]:
    """What to remember among the customer's entries; nothing for one who was drawn before."""
    mark = _mark(holdout.version)
    return {} if mark in entered else {mark: now}


def fact_of(holdout: OverallHoldout, customer: str) -> Fact:
    kind: FactKind = "held_out" if is_left_out(holdout, customer) else "entered"
    return Fact(kind, _enrollment(customer, holdout.version), EVERY_JOURNEY, detail={"version": holdout.version})


def goals(holdout: OverallHoldout, profile: Profile, entered: Entered, event: Event, now: datetime) -> list[Fact]:
    """The goal, where this event is one and its customer was drawn in time: each counts, with its value."""
    drawn_at = entered.get(_mark(holdout.version))
    if (
        event.type != holdout.event
        or drawn_at is None
        or not drawn_at <= event.occurred_at <= drawn_at + holdout.within
    ):
        return []
    scope = Scope(profile, now, {}, event.view())
    if not is_met(holdout.where, scope):
        return []
    arm = Status.HELD_OUT if is_left_out(holdout, profile.id) else Status.ACTIVE
    detail: dict[str, Any] = {"because": event.type, "arm": arm.value}
    if holdout.amount:
        detail |= worth(GoalValue(holdout.amount, holdout.currency, holdout.major), scope)
    return [Fact("goal_reached", _enrollment(profile.id, holdout.version), EVERY_JOURNEY, detail=detail)]


def ended_by_merge(customer: str, entered: Entered) -> list[Fact]:
    """A customer who was merged into another one counts for no arm: they may have been in both."""
    versions = (name.split(":")[1] for name in entered if name.startswith(f"{EVERY_JOURNEY}:"))
    return [
        Fact("ended", _enrollment(customer, version), EVERY_JOURNEY, detail={"outcome": MERGED}) for version in versions
    ]


def _mark(version: str) -> str:
    """It ends like an entry without a key, so that it stays in the customer's state."""
    return f"{EVERY_JOURNEY}:{version}:"


def _enrollment(customer: str, version: str) -> str:
    return short_hash(customer, EVERY_JOURNEY, version, length=20)
