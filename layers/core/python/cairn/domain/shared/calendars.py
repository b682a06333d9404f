"""When a business is open: its hours on each weekday, and the days on which it is closed."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import Any, Self
from zoneinfo import ZoneInfo

from cairn.domain.shared.instants import LATEST, at_local, zone_named

MINUTES_OF_A_DAY = 24 * 60
DAY = timedelta(days=1)
FARTHEST = 3_700
"""Days that are looked at: a little more than the ten years that a wait may take."""

Hours = tuple[tuple[int, int], ...]
"""From and until, in minutes of the day, in order; 1440 is the end of the day."""


@dataclass(frozen=True, slots=True)
class Calendar:
    hours: tuple[Hours, ...]
    """Of the seven weekdays, Monday first."""
    closed: frozenset[date] = frozenset()
    zone: str = ""
    """Its zone in the IANA database; empty: the customer's."""

    @classmethod
    def from_document(cls, document: Mapping[str, Any]) -> Self:
        """From `{hours: [[[540, 1080]], …], closed: [2026-12-25], zone}`, as the check of journeys writes it."""
        hours = tuple(tuple((start, end) for start, end in day) for day in document["hours"])
        closed = frozenset(map(date.fromisoformat, document.get("closed", ())))
        return cls(hours, closed, document.get("zone", ""))

    def is_open_on(self, day: date) -> bool:
        return bool(self._hours_of(day))

    def after(self, instant: datetime, length: timedelta, zone: ZoneInfo) -> datetime | None:
        """When it will have been open for so long since then; for no time, the first instant at which it is open.

        `zone` is the customer's. None where it is not open for so long within ten years.
        """
        for start, end in self._open_from(instant, zone_named(self.zone, zone.key)):
            begin = max(start, instant)
            if begin < end and length < end - begin:
                return begin + length
            length -= max(end - begin, timedelta())
        return None

    def _open_from(self, instant: datetime, zone: ZoneInfo) -> Iterator[tuple[datetime, datetime]]:
        """The times at which it is open, from the day of an instant on."""
        first = instant.astimezone(zone).date()
        for number in range(min(FARTHEST, (LATEST.date() - first).days)):
            day = first + number * DAY
            for start, end in self._hours_of(day):
                yield _at(day, start, zone), _at(day, end, zone)

    def _hours_of(self, day: date) -> Hours:
        return () if day in self.closed else self.hours[day.weekday()]


def _at(day: date, minutes: int, zone: ZoneInfo) -> datetime:
    days, minutes = divmod(minutes, MINUTES_OF_A_DAY)
    return at_local(day + days * DAY, time(minutes // 60, minutes % 60), zone)
