"""Lengths, instants and zones as Pinpoint writes them."""

import re
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

from pydantic import TypeAdapter, ValidationError

from cairn.domain.shared.instants import duration_text, to_instant

LENGTH = TypeAdapter(timedelta)
OFFSET = re.compile(r"UTC(?:(?P<sign>[+-])(?P<hours>[0-9]{2})(?::(?P<minutes>[0-9]{2}))?)?")
MOST_WEST, MOST_EAST = -12, 14
"""The hours of the zones Etc/GMT."""


def length_of(text: str) -> timedelta | None:
    """An ISO 8601 duration in whole seconds, such as PT1H; None if it is none, or negative."""
    if not text.startswith("P"):
        return None
    try:
        length = LENGTH.validate_python(text)
    except ValidationError:
        return None
    return timedelta(seconds=length.total_seconds() // 1) if length >= timedelta() else None


def written(length: timedelta) -> str:
    """A length as journeys have it, such as 1d12h."""
    return duration_text(length)


def instant_of(value: str | float | None) -> datetime | None:
    """ISO 8601, in UTC where it has no offset; None if it is none."""
    return to_instant(value, ZoneInfo("UTC"))


def instant_text(instant: datetime) -> str:
    return instant.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def zone_of(offset: str) -> str | None:
    """The zone of an offset such as UTC+05; None where no zone has it the whole year."""
    found = OFFSET.fullmatch(offset)
    if found is None or found["minutes"] not in {None, "00"}:
        return None
    hours = int(f"{found['sign'] or ''}{found['hours'] or 0}")
    if not MOST_WEST <= hours <= MOST_EAST:
        return None
    return f"Etc/GMT{-hours:+d}" if hours else "UTC"
