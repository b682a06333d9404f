"""When a wait ends: after a delay, at a local time of day, or by a date."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, time, timedelta
from typing import Any

from cairn.domain.shared.instants import duration

WEEKDAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")


@dataclass(frozen=True, slots=True)
class Delay:
    """This long after the step is reached."""

    length: timedelta
    spread: timedelta = timedelta()
    """Up to this much later: enrollments are spread evenly over it, each always to the same place."""


@dataclass(frozen=True, slots=True)
class LocalTime:
    """A time of day in the customer's zone: the next one, or the one on day `day` after entry (day 0).

    With `weekdays`, on the first of these weekdays from there.
    """

    at: time
    at_from: str | None = None
    """JMESPath to a time of day such as `18:30`; `at` is used where it gives none."""
    day: int | None = None
    weekdays: frozenset[int] = frozenset()
    """Monday being 0; empty: any."""
    spread: timedelta = timedelta()

    def day_from(self, day: date) -> date:
        """The first day from this one on that is among its weekdays."""
        return next(one for one in (day + timedelta(days=number) for number in range(8)) if self._is_on(one))

    def _is_on(self, day: date) -> bool:
        return not self.weekdays or day.weekday() in self.weekdays


@dataclass(frozen=True, slots=True)
class Until:
    """A date of the event or the profile, moved by an offset: 48 hours before the visit."""

    date: str
    offset: timedelta = timedelta()
    spread: timedelta = timedelta()


Moment = Delay | LocalTime | Until


def moment_from_document(value: str | Mapping[str, Any]) -> Moment:
    """`30m`, {for}, {until, offset}, or {at, at_from, day, weekdays}; each mapping with `spread`.

    Raises KeyError or ValueError on an unchecked document.
    """
    if isinstance(value, str):
        return Delay(duration(value))
    spread = duration(value.get("spread", "0s"))
    if "for" in value:
        return Delay(duration(value["for"]), spread)
    if "until" in value:
        return Until(value["until"], duration(value.get("offset", "0s")), spread)
    weekdays = frozenset(WEEKDAYS.index(day) for day in value.get("weekdays", ()))
    return LocalTime(time.fromisoformat(value["at"]), value.get("at_from"), value.get("day"), weekdays, spread)
