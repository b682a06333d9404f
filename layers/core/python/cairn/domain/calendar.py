"""From the words of a wait to an instant. Local times are the customer's, whatever its clocks do that day."""

import re
from datetime import UTC, date, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from cairn.domain.conditions import Scope, evaluate
from cairn.domain.journey import Delay, LocalTime, Moment, Until

DURATION_SHAPE = re.compile(r"(?P<sign>-?)(?P<parts>(\d+[smhdw])+)")
UNITS = {"s": "seconds", "m": "minutes", "h": "hours", "d": "days", "w": "weeks"}


def duration(text: str) -> timedelta:
    """`90s`, `30m`, `1h30m`, `2d`, `6w`, or one of them after a minus. Raises ValueError."""
    match = DURATION_SHAPE.fullmatch(text.strip())
    if match is None:
        raise ValueError("a duration is a number and a unit (s, m, h, d, w), such as 30m or 2d")
    total = timedelta()
    for number, unit in re.findall(r"(\d+)([smhdw])", match["parts"]):
        total += timedelta(**{UNITS[unit]: int(number)})
    return -total if match["sign"] else total


def resolve(
    moment: Moment, *, since: datetime, entered_at: datetime, scope: Scope, default_zone: str
) -> datetime | None:
    """The instant that a wait ends, in UTC; None where it names a date that is not there.

    `since` is when the step was reached, `entered_at` when the enrollment began (day 0).
    """
    match moment:
        case Delay(length):
            return since + length
        case LocalTime():
            return _local(moment, since, entered_at, scope, default_zone)
        case Until(expression, offset):
            instant = to_instant(evaluate(expression, scope), zone_of(scope, default_zone))
            return None if instant is None else instant + offset


def zone_of(scope: Scope, default_zone: str) -> ZoneInfo:
    """The customer's time zone: the profile's, else the deployment's."""
    return zone_named(scope.profile.get("time_zone"), default_zone)


def zone_named(name: Any, default_zone: str) -> ZoneInfo:
    try:
        return ZoneInfo(name) if isinstance(name, str) and name else ZoneInfo(default_zone)
    except (ValueError, OSError, KeyError):
        return ZoneInfo(default_zone)


def to_instant(value: Any, zone: ZoneInfo) -> datetime | None:
    """An instant from what systems send: ISO 8601 (local where it has no offset), a date, or seconds since 1970."""
    if isinstance(value, bool) or value is None:
        return None
    try:
        if isinstance(value, int | float):
            return datetime.fromtimestamp(value, UTC)
        local = datetime.fromisoformat(str(value))
    except (ValueError, OverflowError, OSError):
        return None
    return at_local(local.date(), local.time(), zone) if local.tzinfo is None else local.astimezone(UTC)


def at_local(day: date, clock: time, zone: ZoneInfo) -> datetime:
    """That wall clock on that day, in UTC. A time that clocks skip moves on by the gap; of a double one the first."""
    return datetime.combine(day, clock, tzinfo=zone).astimezone(UTC)


def _local(moment: LocalTime, since: datetime, entered_at: datetime, scope: Scope, default_zone: str) -> datetime:
    zone = zone_of(scope, default_zone)
    clock = _clock(evaluate(moment.at_from, scope) if moment.at_from else None) or moment.at
    if moment.day is not None:
        return at_local(entered_at.astimezone(zone).date() + timedelta(days=moment.day), clock, zone)
    today = since.astimezone(zone).date()
    due = at_local(today, clock, zone)
    return due if due > since else at_local(today + timedelta(days=1), clock, zone)


def _clock(value: Any) -> time | None:
    try:
        clock = time.fromisoformat(value)
    except (ValueError, TypeError):
        return None
    return clock.replace(tzinfo=None)
