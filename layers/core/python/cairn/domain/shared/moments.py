"""When a wait ends: after a delay, at a local time of day, or by a date."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import time, timedelta
from typing import Any

from cairn.domain.shared.instants import duration


@dataclass(frozen=True, slots=True)
class Delay:
    """This long after the step is reached."""

    length: timedelta


@dataclass(frozen=True, slots=True)
class LocalTime:
    """A time of day in the customer's zone: the next one, or the one on day `day` after entry (day 0)."""

    at: time
    at_from: str | None = None
    """JMESPath to a time of day such as `18:30`; `at` is used where it gives none."""
    day: int | None = None


@dataclass(frozen=True, slots=True)
class Until:
    """A date of the event or the profile, moved by an offset: 48 hours before the visit."""

    date: str
    offset: timedelta = timedelta()


Moment = Delay | LocalTime | Until


def moment_from_document(value: str | Mapping[str, Any]) -> Moment:
    """`30m`, {until, offset}, or {at, at_from, day}. Raises KeyError or ValueError on an unchecked document."""
    if isinstance(value, str):
        return Delay(duration(value))
    if "until" in value:
        return Until(value["until"], duration(value.get("offset", "0s")))
    return LocalTime(time.fromisoformat(value["at"]), value.get("at_from"), value.get("day"))
