"""Computes the instant at which a wait ends. Local times are in the customer's zone, also when clocks change."""

import re
from calendar import isleap
from dataclasses import replace
from datetime import date, datetime, time, timedelta
from typing import Any, Literal

from cairn.domain.journey.conditions import Scope, evaluate, is_true
from cairn.domain.shared.calendars import Calendar
from cairn.domain.shared.instants import LATEST, at_local, moved, to_instant
from cairn.domain.shared.moments import DayOf, Delay, LocalTime, Moment, Silence, Until

Missed = Literal["moment_past", "moment_unknown", "moment_unreadable"]
"""Why there is nothing to wait for, as the timeline has it. Unknown: the date is not there, or its calendar never open.
Unreadable: it is there, and nobody can say when that is.
"""


def resolve(  # noqa: PLR0911  one return a kind
    moment: Moment, *, since: datetime, entered_at: datetime, scope: Scope
) -> datetime | Missed:
    """The instant at which a wait ends, in UTC; why it has none.

    `since` is when the step was reached, `entered_at` when the enrollment began (day 0).
    """
    try:
        match moment:
            case Delay(length, calendar=Calendar() as calendar):
                return calendar.after(since, length, scope.zone) or "moment_unknown"
            case Delay(length):
                return moved(since, length)
            case LocalTime():
                return _local(moment, since, entered_at, scope)
            case DayOf():
                return _day_of(moment, since, scope)
            case Silence(types, length):
                return _silent_since(types, scope, since) + length
            case Until(expression, offset):
                instant = instant_of(expression, scope)
                return moved(instant, offset) if isinstance(instant, datetime) else instant
    except OverflowError:  # a day after so many that the calendar ends before
        return LATEST


def instant_of(expression: str, scope: Scope) -> datetime | Missed:
    """The instant that an expression gives; why it gives none."""
    value = evaluate(expression, scope)
    return to_instant(value, scope.zone) or _without_instant(value)


def _without_instant(value: Any) -> Missed:
    return "moment_unreadable" if is_true(value) else "moment_unknown"


MONTH_AND_DAY = re.compile(r"(?:--)?(\d{2})-(\d{2})")
"""A date without its year; `--03-14` is ISO 8601's of 2000, and vCard's."""

LEAP_YEAR = 2000


def _day_of(moment: DayOf, since: datetime, scope: Scope) -> datetime | Missed:
    """The next of a date's days after `since`, or the one that there is."""
    value = evaluate(moment.date, scope)
    parts = MONTH_AND_DAY.fullmatch(value.strip()) if isinstance(value, str) else None
    if parts is not None and moment.yearly:
        try:
            on = date(LEAP_YEAR, int(parts[1]), int(parts[2]))
        except ValueError:
            return "moment_unreadable"
    else:
        instant = to_instant(value, scope.zone)
        if instant is None:
            return _without_instant(value)
        on = instant.astimezone(scope.zone).date()
    if not moment.yearly:
        return at_local(on + timedelta(days=moment.day), moment.at, scope.zone)
    year = since.astimezone(scope.zone).year
    days = (_in_year(on, each) + timedelta(days=moment.day) for each in range(year - 1, year + 3))
    return next((due for one in days if (due := at_local(one, moment.at, scope.zone)) > since), "moment_unknown")


def _in_year(day: date, year: int) -> date:
    is_leap_day = (day.month, day.day) == (2, 29)
    return day.replace(year=year, day=28 if is_leap_day and not isleap(year) else day.day)


def _silent_since(types: tuple[str, ...], scope: Scope, since: datetime) -> datetime:
    """When the last of these events happened; `since` is that of one that the profile does not count."""
    found = [scope.profile.activity[one].last for one in types if one in scope.profile.activity]
    scope.looked_up.append("activity")
    return max([*found, since])


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
