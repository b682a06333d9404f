"""Computes the instant at which a wait ends. Local times are in the customer's zone, also when clocks change."""

from dataclasses import replace
from datetime import datetime, time, timedelta
from typing import Any

from cairn.domain.journey.conditions import Scope, evaluate
from cairn.domain.shared.calendars import Calendar
from cairn.domain.shared.instants import LATEST, at_local, moved, to_instant
from cairn.domain.shared.moments import Delay, LocalTime, Moment, Until


def resolve(moment: Moment, *, since: datetime, entered_at: datetime, scope: Scope) -> datetime | None:
    """The instant at which a wait ends, in UTC; None if its date is missing, or its calendar never open.

    `since` is when the step was reached, `entered_at` when the enrollment began (day 0).
    """
    try:
        match moment:
            case Delay(length, calendar=Calendar() as calendar):
                return calendar.after(since, length, scope.zone)
            case Delay(length):
                return moved(since, length)
            case LocalTime():
                return _local(moment, since, entered_at, scope)
            case Until(expression, offset):
                instant = to_instant(evaluate(expression, scope), scope.zone)
                return None if instant is None else moved(instant, offset)
    except OverflowError:  # a day after so many that the calendar ends before
        return LATEST


def with_local_time(moment: Moment, scope: Scope) -> Moment:
    """The moment with `at_from` already looked up, so that it can be resolved without the customer's data."""
    if not isinstance(moment, LocalTime) or not moment.at_from:
        return moment
    return replace(moment, at=_clock(evaluate(moment.at_from, scope)) or moment.at, at_from=None)


def _local(moment: LocalTime, since: datetime, entered_at: datetime, scope: Scope) -> datetime:
    clock = _clock(evaluate(moment.at_from, scope) if moment.at_from else None) or moment.at
    if moment.day is not None:
        day = moment.day_from(entered_at.astimezone(scope.zone).date() + timedelta(days=moment.day))
        return at_local(day, clock, scope.zone)
    today = moment.day_from(since.astimezone(scope.zone).date())
    due = at_local(today, clock, scope.zone)
    return due if due > since else at_local(moment.day_from(today + timedelta(days=1)), clock, scope.zone)


def _clock(value: Any) -> time | None:
    try:
        clock = time.fromisoformat(value)
    except (ValueError, TypeError):
        return None
    return clock.replace(tzinfo=None)
