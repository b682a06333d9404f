"""Journeys that begin by the profile: what a change of it says to them.

They hear it as an event of Cairn's own, so that they start as any journey does, whatever has changed the profile. A
customer whose date was known before the journey was deployed is noticed with their next event: nothing scans.
"""

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime

from cairn.domain.effects import EmitEvent
from cairn.domain.journey import calendar, engine
from cairn.domain.journey.conditions import Scope, evaluate, is_met
from cairn.domain.journey.definition import CONDITION_MET, DATE_CHANGED, Journey
from cairn.domain.profile.attributes import TIME_ZONE
from cairn.domain.profile.profile import Profile
from cairn.domain.shared.channels import Channel
from cairn.domain.shared.hashing import short_hash

Watching = Mapping[str, tuple[Journey, ...]]
"""The deployed journeys that begin by the profile, by the attributes that their dates and conditions read."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """A profile before and after an event or a wake-up."""

    by: str
    """The key of the event, or the wake-up's own."""
    before: tuple[Profile, ...]
    """As they were stored; of several that were merged, the survivor's first."""
    after: Profile
    only_to: Mapping[Channel, str] | None = None
    """The only addresses that what begins may write to; None: the customer's own."""
    starts: bool = True
    """Whether it may start journeys. A backfilled event makes dates known, and no more."""
    notices: bool = True
    """Whether journeys may be noticed that are new; not by an event of Cairn's own, which would follow from itself."""
    is_in: Collection[str] = frozenset()
    """The journeys in which the customer has an open enrollment."""
    ended: Collection[str] = frozenset()
    """Those whose enrollment has just ended at its own time: another date may have become known meanwhile."""
    entered: Mapping[str, datetime]
    """When the customer last entered, by `journey:key`."""


def what_begins(change: Change, watching: Watching, now: datetime) -> Iterator[EmitEvent]:
    """The events for journeys whose date has become known or another one, or whose condition begins to be met.

    A date is another one in another time zone, too.
    """
    changed = change.after.changes_since(change.before[0])
    seen = watching if change.notices or TIME_ZONE in changed else changed & watching.keys()
    asked = {journey.name: journey for name in seen for journey in watching[name]}
    if change.ended:
        asked |= {one.name: one for several in watching.values() for one in several if one.name in change.ended}
    for name in sorted(asked, key=lambda one: (-asked[one].entry.priority, one)):
        journey = asked[name]
        event = CONDITION_MET if journey.entry.condition else DATE_CHANGED
        begins = _begins_to_be_met if journey.entry.condition else _has_to_know
        if begins(journey, change, now, is_new=not journey.entry.watches.isdisjoint(changed)):
            this = short_hash("begins", name, change.by, length=20)
            yield EmitEvent(f"{this}-entry-1", "", event, {"journey": name}, only_to=change.only_to)


def _begins_to_be_met(journey: Journey, change: Change, now: datetime, *, is_new: bool) -> bool:
    if not is_new or not change.starts:
        return False
    was = any(is_met(journey.entry.condition, _scope(journey, one, now)) for one in change.before)
    return not was and is_met(journey.entry.condition, _scope(journey, change.after, now))


def _has_to_know(journey: Journey, change: Change, now: datetime, *, is_new: bool) -> bool:
    """Whether the date or its time zone is another one, or it lies ahead and the customer is not in the journey yet."""
    date = journey.entry.day_of
    before, scope = (_scope(journey, one, now) for one in (change.before[0], change.after))
    if date is None:
        return False
    if is_new and evaluate(date.date, before) != evaluate(date.date, scope):
        return True
    if journey.name in change.is_in and before.zone != scope.zone:
        return True
    notices = change.notices or (journey.name in change.ended and not date.yearly)  # which begins anew by itself
    if not notices or journey.name in change.is_in or _has_left(journey, change):
        return False
    if not engine.may_enter(journey, change.entered.get(f"{journey.name}:"), is_open=False, now=now):
        return False
    due = calendar.resolve(date, since=now, entered_at=now, scope=scope)
    return isinstance(due, datetime) and due > now


def left_before(journey: str) -> str:
    """Among the entries of a customer: when an event ended the wait for a date."""
    return f"{journey}:left:"


def _has_left(journey: Journey, change: Change) -> bool:
    """Whether an event has ended the wait for the date that there still is."""
    left = change.entered.get(left_before(journey.name))
    stamps = [change.after.attributes[name].at for name in journey.entry.watches if name in change.after.attributes]
    return left is not None and max(stamps, default=left) <= left


def _scope(journey: Journey, profile: Profile, now: datetime) -> Scope:
    return Scope(profile, now, {}, default_zone=journey.time_zone)
