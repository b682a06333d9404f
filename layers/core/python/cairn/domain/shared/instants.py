"""Reads and writes instants and durations."""

import re
from datetime import UTC, date, datetime, time, timedelta, tzinfo
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

if TYPE_CHECKING:
    from decimal import Decimal

DURATION_SHAPE = re.compile(r"(?P<sign>-?)(?P<parts>(\d+[smhdw])+)")
EARLIEST, LATEST = datetime(1, 1, 2, tzinfo=UTC), datetime(9999, 12, 30, tzinfo=UTC)
"""The first and the last instant that Cairn computes with: every zone and every rounding of them exists. A date beyond,
such as the last second of the year 9999, means never.
"""

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)

LONGEST_TEXT = 100
"""Characters of a written instant, its zone and annotations included."""

ISO_8601 = re.compile(
    r"(?P<day>\d{4}-?(?:\d\d-?\d\d|W\d\d(?:-?\d)?))"
    r"(?:[T\s]\s*(?P<hour>\d\d)(?P<rest>:?\d\d(?::?\d\d(?:[.,]\d+)?)?)?)?"
    r"(?:\s*(?P<offset>Z(?![A-Z])|[+-]\d\d(?::?\d\d)?))?"
    r"(?:\s+(?P<name>[A-Z][\w/+-]*))?"
    r"\s*(?P<annotations>(?:\[[^\[\]]*\])*)",
    re.ASCII | re.IGNORECASE,
)
"""A date of the calendar or of a week, a time, an offset, a zone by its name, and the annotations of RFC 9557."""

CALENDARS_OF_ISO = {("u-ca", "gregory"), ("u-ca", "iso8601")}

LEAP_SECOND = re.compile(r"(?P<minutes>:?\d\d:?)60(?=$|[.,])", re.ASCII)

NUMBER_SINCE_1970 = re.compile(r"-?\d{9,19}(\.\d+)?", re.ASCII)
"""A text of fewer digits is a date (`20260320`) or no instant."""

SMALLEST = ((10**9, 10**17), (10**6, 10**14), (10**3, 10**11))
"""How many of a unit make a second, and the smallest number that is of this unit. As seconds, 10**11 would be the year
5138; as milliseconds, it is 1973."""

NEVER_IN_SECONDS = range(int(LATEST.timestamp()), int(LATEST.timestamp()) + 2 * 86_400)
"""The last two days of the year 9999, which some write for never, in this unit or a smaller one."""

LARGEST = NEVER_IN_SECONDS.stop * 10**9
"""A number beyond the calendar in the smallest unit is in no unit."""

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


def to_instant(value: Any, zone: tzinfo) -> datetime | None:
    """The instant that a value from outside says; None where it says none. Never raises.

    It is a date with or without a time: ISO 8601, RFC 3339 and RFC 9557, whatever the case; local to `zone` where it
    names neither offset nor zone. Or it is a number since 1970, as a text too, whose unit follows from its size:
    seconds, milliseconds, microseconds or nanoseconds. What lies beyond EARLIEST and LATEST is the nearer of them.
    """
    if isinstance(value, int | float) and not isinstance(value, bool):
        return _by_size(value)
    if not isinstance(value, str) or len(value) > LONGEST_TEXT:
        return None
    text = value.strip()
    if NUMBER_SINCE_1970.fullmatch(text):
        return _by_size(float(text))
    try:
        return _written(text, zone)
    except (ValueError, LookupError, OSError):  # a day, a time or a zone that does not exist
        return None


def since_1970(number: "float | Decimal", a_second: int) -> datetime:
    """The instant of a number since 1970, `a_second` of whose units make a second; at most the ends of the calendar.

    Raises ValueError or ArithmeticError where it is not a number.
    """
    if number >= int(LATEST.timestamp()) * a_second:
        return LATEST
    if number <= int(EARLIEST.timestamp()) * a_second:
        return EARLIEST
    seconds, rest = divmod(number, a_second)
    return EPOCH + timedelta(seconds=int(seconds), microseconds=round(rest * 10**6 / a_second))


def _by_size(number: float) -> datetime | None:
    if not abs(number) < LARGEST:
        return None
    if any(NEVER_IN_SECONDS.start <= number / unit <= NEVER_IN_SECONDS.stop for unit in (1, 10**3, 10**6)):
        return LATEST
    return since_1970(number, next((unit for unit, smallest in SMALLEST if abs(number) >= smallest), 1))


def _written(text: str, zone: tzinfo) -> datetime | None:
    """Raises ValueError, LookupError or OSError where something in it does not exist."""
    found = ISO_8601.fullmatch(text)
    if found is None:
        return None
    named = _annotated_zone(found["annotations"]) or found["name"]
    if found["offset"]:
        zone = _at_offset(found["offset"].upper())
    elif named:
        zone = _at_offset(named) if named[0] in "+-" else ZoneInfo(named)
    hour, rest = found["hour"] or "00", found["rest"] or ""
    ends_the_day = hour == "24" and not rest.strip(":0.,")
    rest, leaps = LEAP_SECOND.subn(r"\g<minutes>59", rest)
    clock = time() if ends_the_day else time.fromisoformat(hour + rest)
    day = date.fromisoformat(found["day"].upper())
    try:
        return moved(at_local(day + timedelta(days=ends_the_day), clock, zone), timedelta(seconds=leaps))
    except OverflowError:  # the first or the last day of the calendar, elsewhere
        return LATEST if day.year > EARLIEST.year else EARLIEST


def _annotated_zone(annotations: str) -> str:
    """The zone of `[Europe/Madrid][u-ca=gregory]`. Raises ValueError for another calendar that must not be ignored."""
    zone = ""
    for one in annotations[1:-1].split("]["):
        name, is_key, value = one.removeprefix("!").partition("=")
        if one.startswith("!") and is_key and (name, value) not in CALENDARS_OF_ISO:
            raise ValueError("an annotation that is not known, and that says that it must be")
        zone = zone or ("" if is_key else name)
    return zone


def _at_offset(offset: str) -> tzinfo:
    found = time.fromisoformat(f"00:00{offset}").tzinfo
    if found is None:
        raise ValueError("no offset")
    return found


def moved(instant: datetime, offset: timedelta) -> datetime:
    """The instant moved by an offset, at most to the ends of the calendar."""
    try:
        return min(max(instant + offset, EARLIEST), LATEST)
    except OverflowError:
        return LATEST if offset > timedelta() else EARLIEST


def at_local(day: date, clock: time, zone: tzinfo) -> datetime:
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
