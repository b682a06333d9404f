"""Dates as people write them in spreadsheets: `03/04/2026` is one only where it is known which number is the day."""

import re
from datetime import UTC, datetime, tzinfo
from typing import Any

from cairn.domain.imports.rows import Reason, RowRefusedError
from cairn.domain.shared.instants import EARLIEST, LATEST, to_instant

NUMBERS = re.compile(
    r"(?P<one>\d{1,2})(?P<between>[/.-])(?P<two>\d{1,2})(?P=between)(?P<year>\d{4})"
    r"(?:,?\s+(?P<hour>\d{1,2}):(?P<rest>\d\d(?::\d\d)?)\s*(?P<half>[AaPp][Mm])?)?",
    re.ASCII,
)
YEAR_FIRST = re.compile(r"(\d{4})/(\d{1,2})/(\d{1,2})(?P<rest>.*)", re.ASCII | re.DOTALL)
MONTHS = 12
NOON = 12


def instant_in(value: Any, field: str, *, day_first: bool | None, zone: tzinfo = UTC) -> datetime | None:
    """The instant of a field; None where it is empty. Raises RowRefusedError for a date that is none, or may be two."""
    if value is None or (isinstance(value, str) and not value.strip()):
        return None
    text = _year_first(value, field, day_first) if isinstance(value, str) else value
    found = to_instant(text, zone)
    if found is None or not EARLIEST < found < LATEST:
        raise RowRefusedError(Reason.DATE, field, "not a date")
    return found


def _year_first(text: str, field: str, day_first: bool | None) -> str:  # noqa: FBT001  None is an answer too
    """A date of a spreadsheet in ISO 8601; any other text as it is."""
    text = text.strip()
    if found := YEAR_FIRST.fullmatch(text):
        return f"{found[1]}-{int(found[2]):02}-{int(found[3]):02}{found['rest']}"
    found = NUMBERS.fullmatch(text)
    if found is None:
        return text
    one, two = int(found["one"]), int(found["two"])
    if one <= MONTHS and two <= MONTHS and one != two and day_first is None:
        raise RowRefusedError(Reason.AMBIGUOUS_DATE, field, "the day and the month may be either number")
    if one > MONTHS or (two <= MONTHS and day_first):
        one, two = two, one
    return f"{found['year']}-{one:02}-{two:02}{_clock(found)}"


def _clock(found: re.Match[str]) -> str:
    if found["hour"] is None:
        return ""
    hour, half = int(found["hour"]), (found["half"] or "").lower()
    if half:
        hour = hour % NOON + (NOON if half == "pm" else 0)
    return f"T{hour:02}:{found['rest']}"
