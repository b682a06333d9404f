"""When a wait ends: after a delay, at a local time of day, or by a date."""

from dataclasses import dataclass
from datetime import time, timedelta


@dataclass(frozen=True, slots=True)
class Delay:
    """So long after the step is reached."""

    length: timedelta


@dataclass(frozen=True, slots=True)
class LocalTime:
    """A time of day where the customer is: the next one, or on the `day`-th day after entry (day 0)."""

    at: time
    at_from: str | None = None
    """JMESPath to a time of day such as `18:30`; `at` where it gives none."""
    day: int | None = None


@dataclass(frozen=True, slots=True)
class Until:
    """A date of the event or the profile, moved by an offset: 48 hours before the visit."""

    date: str
    offset: timedelta = timedelta()


Moment = Delay | LocalTime | Until
