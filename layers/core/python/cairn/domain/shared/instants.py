"""Reads and writes instants and durations."""

import re
from datetime import UTC, date, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

DURATION_SHAPE = re.compile(r"(?P<sign>-?)(?P<parts>(\d+[smhdw])+)")
EARLIEST, LATEST = datetime(1, 1, 2, tzinfo=UTC), datetime(9999, 12, 30, tzinfo=UTC)
"""The first and the last instant that Cairn computes with: every zone and every rounding of them exists. A date beyond,
such as the last second of the year 9999, means never.
"""

NUMBER_SINCE_1970 = re.compile(r"-?\d{9,19}(\.\d+)?", re.ASCII)
"""A text of fewer digits is a date (`20260320`) or no instant."""

SMALLEST = ((10**9, 10**17), (10**6, 10**14), (10**3, 10**11))
"""How many of a unit make a second, and the smallest number that is of this unit. As seconds, 10**11 would be the year
5138; as milliseconds, it is 1973."""

SECONDS_OF_NEVER = range(int(LATEST.timestamp()), int(LATEST.timestamp()) + 2 * 86_400)
"""The last two days of the year 9999 in seconds, which some write for never."""

UNITS = {"s": "seconds", "m": "minutes", "h": "hours", "d": "days", "w": "weeks"}


def duration(text: str) -> timedelta:
    """Reads `90s`, `30m`, `1h30m`, `2d` or `6w`, with or without a minus sign. Raises ValueError."""
    match = DURATION_SHAPE.fullmatch(text.strip())
    if match is None:
        raise ValueError("a duration is a number and a unit (s, m, h, d, w), such as 30m or 2d")
    total = timedelta()
    try:
        for number, unit in re.findall(r"(\d+)([smhdw])", match["parts"]):
            total += timedelta(**{UNITS[unit]: int(number)})
    except OverflowError:
        raise ValueError("a duration of more than a million years is a mistake") from None
    return -total if match["sign"] else total


def duration_text(length: timedelta) -> str:
    """Writes a duration in whole seconds: `1d12h`."""
    left, text = int(length.total_seconds()), ""
    for unit, seconds in (("d", 86_400), ("h", 3_600), ("m", 60), ("s", 1)):
        number, left = divmod(left, seconds)
        text += f"{number}{unit}" if number else ""
    return text or "0s"


def to_instant(value: Any, zone: ZoneInfo) -> datetime | None:
    """An instant from ISO 8601 (local time if it has no offset), a date, or a number since 1970; else None.

    The number is of seconds, or so large that it is of milliseconds, microseconds or nanoseconds, and may be a text,
    as HubSpot gives it. A date that lies beyond the calendar in UTC, such as 9999-12-31T23:59:59-05:00, is the last
    instant there is.
    """
    if isinstance(value, bool) or value is None:
        return None
    try:
        if isinstance(value, int | float):
            return _since_1970(value)
        if NUMBER_SINCE_1970.fullmatch(text := str(value).strip()):
            return _since_1970(float(text))
        local = datetime.fromisoformat(str(value))
    except (ValueError, OverflowError, OSError):
        return None
    try:
        return at_local(local.date(), local.time(), zone) if local.tzinfo is None else local.astimezone(UTC)
    except OverflowError:  # the first or the last day of the calendar, elsewhere
        return LATEST if local.year > EARLIEST.year else EARLIEST


def _since_1970(number: float) -> datetime:
    """Raises ValueError, OverflowError or OSError."""
    if number in SECONDS_OF_NEVER:
        return LATEST
    unit = next((unit for unit, smallest in SMALLEST if abs(number) >= smallest), 1)
    return datetime.fromtimestamp(number / unit, UTC)


def moved(instant: datetime, offset: timedelta) -> datetime:
    """The instant moved by an offset, at most to the ends of the calendar."""
    try:
        return min(max(instant + offset, EARLIEST), LATEST)
    except OverflowError:
        return LATEST if offset > timedelta() else EARLIEST


def at_local(day: date, clock: time, zone: ZoneInfo) -> datetime:
    """A local time of a day, in UTC. A skipped time moves forward by the gap; of a repeated one, the first counts."""
    return datetime.combine(day, clock, tzinfo=zone).astimezone(UTC)


def zone_named(name: Any, default: str) -> ZoneInfo:
    """The zone of that IANA name, or the default if there is no such zone."""
    try:
        return ZoneInfo(name) if isinstance(name, str) and name else ZoneInfo(default)
    except (ValueError, OSError, KeyError):
        return ZoneInfo(default)


def instant_to_wire(instant: datetime) -> str:
    """ISO 8601 in UTC with a Z, with microseconds only if there are any."""
    local = instant if instant.tzinfo is UTC else instant.astimezone(UTC)
    return local.replace(tzinfo=None).isoformat() + "Z"


def instant_from_wire(text: str) -> datetime:
    """An aware instant from ISO 8601, in UTC if it has no offset. Raises ValueError."""
    instant = datetime.fromisoformat(text)
    try:
        return (instant if instant.tzinfo else instant.replace(tzinfo=UTC)).astimezone(UTC)
    except OverflowError:
        raise ValueError("an instant lies between the years 1 and 9999 in UTC") from None
