"""When a wait ends: after a delay, at a local time of day, or by a date."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, time, timedelta
from typing import Any

from cairn.domain.shared.calendars import Calendar
from cairn.domain.shared.instants import duration

WEEKDAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")

LONGEST_CLOSED = 370
"""Days within which a day is looked for on which a calendar is open."""


@dataclass(frozen=True, slots=True)
class Delay:
    """This long after the step is reached; with a calendar, as soon as that was open for so long."""

    length: timedelta
    spread: timedelta = timedelta()
    """Up to this much later: enrollments are spread evenly over it, each always to the same place."""
    calendar: Calendar | None = None


@dataclass(frozen=True, slots=True)
class LocalTime:
    """A time of day in the customer's zone: the next one, or the one on day `day` after entry (day 0).

    With `weekdays`, on the first of these weekdays from there; with a calendar, on the first day on which that is open.
    """

    at: time
    at_from: str | None = None
    """JMESPath to a time of day such as `18:30`; `at` is used where it gives none."""
    day: int | None = None
    weekdays: frozenset[int] = frozenset()
    """Monday being 0; empty: any."""
    spread: timedelta = timedelta()
    calendar: Calendar | None = None

    def day_from(self, day: date) -> date:
        """The first day from this one on that is among its days; this one, where none is for a year."""
        days = (day + timedelta(days=number) for number in range(LONGEST_CLOSED))
        return next((one for one in days if self._is_on(one)), day)

    def _is_on(self, day: date) -> bool:
        on_weekday = not self.weekdays or day.weekday() in self.weekdays
        return on_weekday and (self.calendar is None or self.calendar.is_open_on(day))


@dataclass(frozen=True, slots=True)
class Until:
    """A date of the event or the profile, moved by an offset: 48 hours before the visit."""

    date: str
    offset: timedelta = timedelta()
    spread: timedelta = timedelta()


@dataclass(frozen=True, slots=True)
class DayOf:
    """A local time on the day of a date of the profile, or so many days from it; with `yearly`, every year.

    A birthday may lack its year (`--03-14`, `03-14`). In a year without 29 February, its day is the 28th.
    """

    date: str
    at: time
    day: int = 0
    yearly: bool = False
    spread: timedelta = timedelta()


@dataclass(frozen=True, slots=True)
class Silence:
    """When none of these events has happened for so long."""

    types: tuple[str, ...]
    length: timedelta
    spread: timedelta = timedelta()


Moment = Delay | LocalTime | Until | DayOf | Silence


def moment_from_document(value: str | Mapping[str, Any]) -> Moment:
    """`30m`, {for}, {open}, {until, offset}, or {at, at_from, day, weekdays}; each mapping with `spread`.

    {for} and {at} may have `open`, too: a calendar. Raises KeyError or ValueError on an unchecked document.
    """
    if isinstance(value, str):
        return Delay(duration(value))
    spread = duration(value.get("spread", "0s"))
    calendar = Calendar.from_document(value["open"]) if "open" in value else None
    if "until" in value:
        return Until(value["until"], duration(value.get("offset", "0s")), spread)
    if "at" not in value:
        return Delay(duration(value.get("for", "0s")), spread, calendar)
    weekdays = frozenset(WEEKDAYS.index(day) for day in value.get("weekdays", ()))
    at, day = time.fromisoformat(value["at"]), value.get("day")
    return LocalTime(at, value.get("at_from"), day, weekdays, spread, calendar)
