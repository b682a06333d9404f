"""The calendars that journeys name: `_calendars.yaml` beside their folders.

Opening hours by weekday, and the holidays of a country or region as the `holidays` library knows them. They are written
out when a journey is compiled, so that a version is complete, and no function needs the library.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from difflib import get_close_matches
from itertools import pairwise
from pathlib import Path
from typing import Annotated, Any, Self

import holidays
from pydantic import AfterValidator, Field, TypeAdapter, model_validator

from authoring.journeys.shape import shape_problems
from authoring.journeys.source import read_yaml
from authoring.journeys.steps.base import Wire
from authoring.journeys.values import Day, Slug, TimeZone
from authoring.problems import Problem
from authoring.shape import wrong
from cairn.domain.shared.moments import WEEKDAYS

FILE = "_calendars.yaml"

DAYS = re.compile(r"(?P<first>[a-z]{3})(?:-(?P<last>[a-z]{3}))?")
SPAN = re.compile(r"(?P<start>([01][0-9]|2[0-3]):[0-5][0-9])-(?P<end>([01][0-9]|2[0-3]):[0-5][0-9]|24:00)")
MOST_YEARS = 20

Compiled = dict[str, Any]
"""hours, closed and zone; cairn.domain.shared.calendars reads it."""


def _weekdays(text: str) -> list[int]:
    """The weekdays of `mon-fri` or `sat`, Monday being 0."""
    found = DAYS.fullmatch(text)
    first, last = (found["first"], found["last"] or found["first"]) if found else ("", "")
    if first not in WEEKDAYS or last not in WEEKDAYS or WEEKDAYS.index(first) > WEEKDAYS.index(last):
        raise wrong(f'"{text}" is no weekday', "Write mon, tue, wed, thu, fri, sat or sun, or a range: mon-fri.")
    return list(range(WEEKDAYS.index(first), WEEKDAYS.index(last) + 1))


def _spans(text: str) -> list[tuple[int, int]]:
    """Minutes of the day, of `09:00-13:00, 16:00-20:00`."""
    found = [SPAN.fullmatch(one.strip()) for one in text.split(",")]
    spans = [(_minutes(one["start"]), _minutes(one["end"])) for one in found if one]
    if len(spans) < len(found) or any(start >= end for start, end in spans):
        raise wrong(f'"{text}" are no hours', "Write from and until, such as 09:00-17:00 or 09:00-13:00, 16:00-20:00.")
    if any(later < end for (_, end), (later, _) in pairwise(spans)):
        raise wrong(f'"{text}" overlap', "Write the hours in order, each after the one before.")
    return spans


def _minutes(text: str) -> int:
    hours, minutes = text.split(":")
    return int(hours) * 60 + int(minutes)


def weekly_hours(written: dict[str, str]) -> dict[str, str]:
    days = [day for names in written for day in _weekdays(names)]
    for text in written.values():
        _spans(text)
    if not written:
        raise wrong("it is never open", "Write hours for a weekday: mon-fri: 09:00-17:00.")
    if len(set(days)) < len(days):
        twice = next(day for day in days if days.count(day) > 1)
        raise wrong(
            f"{WEEKDAYS[twice]} has hours twice", "Write all hours of a day together: 09:00-13:00, 16:00-20:00."
        )
    return written


def _country(text: str) -> str:
    known = holidays.list_supported_countries()
    if text not in known:
        close = get_close_matches(text.upper(), known, n=1, cutoff=0.4)
        raise wrong(
            f'no holidays are known of "{text}"', f"Write a country as ISO 3166 does, such as {[*close, 'ES'][0]}."
        )
    return text


class Holidays(Wire):
    country: Annotated[str, AfterValidator(_country)] = Field(description="As in ISO 3166.", examples=["ES"])
    region: str = Field(default_factory=str, description="Its region, as in ISO 3166-2.", examples=["MD"])
    years: Annotated[list[int], Field(min_length=2, max_length=2)] = Field(
        description="The first and the last year of which the holidays are compiled in.", examples=["[2026, 2031]"]
    )

    @model_validator(mode="after")
    def _known(self) -> Self:
        first, last = self.years
        if not 1900 <= first <= last < first + MOST_YEARS:  # noqa: PLR2004
            raise wrong(
                f"{first} to {last} are no years", f"Write the first and the last of at most {MOST_YEARS} years."
            )
        known = holidays.list_supported_countries()[self.country]
        if self.region and self.region not in known:
            named = f"Write one of {', '.join(known)}." if known else "Leave it out."
            raise wrong(f'{self.country} has no region "{self.region}"', named)
        return self

    def days(self) -> list[date]:
        first, last = self.years
        return sorted(holidays.country_holidays(self.country, self.region or None, years=range(first, last + 1)))


class CalendarFile(Wire):
    """One calendar, as it is written."""

    hours: Annotated[dict[str, str], AfterValidator(weekly_hours)] = Field(
        description="Its hours, by weekday.", examples=["{mon-fri: 09:00-17:00}"]
    )
    time_zone: TimeZone = Field(default_factory=str, description="Its zone; default: the customer's.")
    holidays: Holidays | None = Field(default=None, description="Holidays on which it is closed.")
    closed: list[Day] = Field(
        default_factory=list, description="Further days on which it is closed.", examples=["[2026-12-24]"]
    )
    open: list[Day] = Field(
        default_factory=list, description="Holidays on which it is open all the same.", examples=["[2026-01-06]"]
    )

    def compiled(self) -> Compiled:
        hours: list[list[list[int]]] = [[] for _ in WEEKDAYS]
        for names, text in self.hours.items():
            for day in _weekdays(names):
                hours[day] = [[start, end] for start, end in _spans(text)]
        days = {day.isoformat() for day in (self.holidays.days() if self.holidays else ())}
        closed = sorted((days | set(self.closed)) - set(self.open))
        return (
            {"hours": hours}
            | ({"closed": closed} if closed else {})
            | ({"zone": self.time_zone} if self.time_zone else {})
        )


class CalendarsFile(Wire):
    calendars: dict[Slug, CalendarFile] = Field(description="Calendars by name.", examples=["{office: …}"])


@dataclass(frozen=True)
class Calendars:
    file: Path
    compiled: Mapping[str, Compiled] = field(default_factory=dict)
    """By name."""
    problems: tuple[Problem, ...] = ()


def read_calendars(root: Path) -> Calendars:
    """The calendars of the journeys below a folder; none where there is no such file."""
    file = root / FILE
    if not file.is_file():
        return Calendars(file)
    source = read_yaml(file.read_text(encoding="utf-8", errors="replace"), file)
    problems = (*source.problems, *(shape_problems(source, CalendarsFile) if source.node is not None else ()))
    if problems or source.node is None:
        return Calendars(file, problems=problems)
    written = TypeAdapter(CalendarsFile).validate_python(source.data)
    return Calendars(file, {name: one.compiled() for name, one in written.calendars.items()})
