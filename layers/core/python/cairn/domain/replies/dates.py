"""A day or a moment that a customer names: "tomorrow at 5", "Freitag", "el 6 de marzo a las 17:30".

A bounded set, in eight languages: today, tomorrow and the day after; a weekday, which is the next one; a day of the
year, with its month as a word or a number; "in three days"; a time, alone or with a day. All of it must say one day
and at most one time. "Next Friday", "Friday or Saturday", "after 5" and a day that is past are no date: a person asks.
Everything is decided from the words, the customer's zone and the instant at which they were written.
"""

import re
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from cairn.domain.replies.text import Tokens, length_at
from cairn.domain.replies.words import MONTH_FIRST, numbered, phrases
from cairn.domain.shared.instants import at_local

FARTHEST = timedelta(days=731)
"""No customer means a day beyond."""

ORDINALS = frozenset({"st", "nd", "rd", "th", "er", "de", "of", "the"})
"""Between a day's number and its month: 6th of March, 1er mars, 6 de marzo."""

AFTERNOON_HOURS = range(1, 8)
"""An hour that is said without the half of the day is one of the afternoon, from 1 to 7; from 8 on it is as said."""

NOON = 12
TWENTY_YEARS_OF = 2000
"""The century of a year in two digits."""

ISO = re.compile(r"(\d{4})-(\d{1,2})-(\d{1,2})")
CLOCK = re.compile(r"(\d{1,2})[:h.](\d{2})")
DAY_AND_MONTH = re.compile(r"(\d{1,2})([./])(\d{1,2})(?:\2(\d{4}|\d{2}))?|(\d{1,2})-(\d{1,2})-(\d{4})")


class _UnsureError(Exception):
    """The words may mean several days, or none."""


@dataclass(frozen=True, slots=True)
class When:
    day: date
    at: datetime | None
    """None: the day alone."""
    read: int
    """How many of the words say it."""

    def to_wire(self) -> str:
        """ISO 8601: the day alone, or the moment with the offset of the customer's zone."""
        return self.at.isoformat() if self.at is not None else self.day.isoformat()


def when(words: Tokens, languages: tuple[str, ...], locale: str, zone: ZoneInfo, said_at: datetime) -> When | None:
    """The one day or moment that these words name; None where they name none, or may mean another one."""
    reader = _Reader(words, languages, locale, said_at.astimezone(zone))
    try:
        while reader.position < len(words):
            reader.step()
        return reader.result(zone)
    except (_UnsureError, ValueError, OverflowError):  # a day that the calendar does not have
        return None


@dataclass
class _Reader:
    words: Tokens
    languages: tuple[str, ...]
    locale: str
    now: datetime
    """In the customer's zone."""
    position: int = 0
    read: int = 0
    days: set[date] = field(default_factory=set)
    weekdays: set[int] = field(default_factory=set)
    clocks: set[tuple[int, int, bool]] = field(default_factory=set)
    """Hour, minute, and whether the hour is of the whole day, whatever its number."""
    halves: set[str] = field(default_factory=set)

    def step(self) -> None:
        """Read what begins here, or pass over one word."""
        this = self.words[self.position]
        if self.take_named() or (this[0].isdigit() and self.take_digits(this)) or self.take_number():
            return
        if self.length("unsure") or this[-1].isdigit():
            raise _UnsureError
        at = self.length("at")
        is_time = at and self.number_at(self.position + at) is not None
        filler = 0 if is_time else self.length("fillers")
        length = at if is_time else filler or at or self.length("in")
        self.read += length
        self.position += length or 1

    def length(self, table: str, at: int | None = None) -> int:
        return length_at(self.words, self.position if at is None else at, phrases(table, self.languages))

    def named(self, table: str, at: int) -> tuple[int, int] | None:
        """The number and the length of a name that begins there."""
        names = numbered(table, self.languages)
        length = length_at(self.words, at, names)
        return (names[tuple(self.words[at : at + length])], length) if length else None

    def number_at(self, at: int) -> tuple[int, int] | None:
        """A whole number, in digits or as a word, and its length."""
        if at < len(self.words) and self.words[at].isdigit():
            return int(self.words[at]), 1
        return self.named("numbers", at)

    def take(self, length: int) -> bool:
        self.position += length
        self.read += length
        return True

    def take_named(self) -> bool:
        """A day by its name, a half of the day, noon, or a month before its day."""
        here = self.position
        half = max((self.length(one), one) for one in ("am", "pm"))
        relative, weekday = self.named("relative", here), self.named("days", here)
        if relative and relative[1] >= half[0] and not (half[0] and self.has_day()):
            self.days.add(self.now.date() + timedelta(days=relative[0]))
            if half[0] == relative[1] and half[1] == "pm":  # tonight
                self.halves.add("pm")
            return self.take(relative[1])
        if weekday:
            self.weekdays.add(weekday[0])
            return self.take(weekday[1])
        if half[0]:
            self.halves.add(half[1])
            return self.take(half[0])
        if noon := self.length("noon"):
            self.clocks.add((NOON, 0, True))
            return self.take(noon)
        month = self.named("months", here)
        after = here + month[1] if month else here
        while after < len(self.words) and self.words[after] in ORDINALS:
            after += 1
        if month and after < len(self.words) and self.words[after].isdigit():
            return self.take_day(int(self.words[after]), month[0] + 1, after + 1)
        return False

    def is_after_at(self) -> bool:
        """Whether the words before this one are those before a time: "a las"."""
        return any(self.length("at", self.position - back) == back for back in (1, 2, 3) if back <= self.position)

    def has_day(self) -> bool:
        return bool(self.days or self.weekdays)

    def take_digits(self, this: str) -> bool:
        """A date or a time in digits."""
        if iso := ISO.fullmatch(this):
            self.days.add(date(*map(int, iso.groups())))
            return self.take(1)
        clock = CLOCK.fullmatch(this)
        is_time = "." not in this or self.is_after_at() or self.length("oclock", self.position + 1)
        if clock and (is_time or int(clock[2]) > NOON):
            return self.take_clock(int(clock[1]), int(clock[2]), 1, of_whole_day=this.startswith("0"))
        if written := DAY_AND_MONTH.fullmatch(this):
            first, second, year = (
                (written[1], written[3], written[4]) if written[1] else (written[5], written[6], written[7])
            )
            day, month = self.in_order(int(first), int(second), dotted=written[2] == ".")
            self.days.add(self.of_year(day, month, int(year) if year else None))
            return self.take(1)
        return False

    def in_order(self, first: int, second: int, *, dotted: bool) -> tuple[int, int]:
        """Day and month. In English alone, 6/3 is the third of June in one country and the sixth of March in others."""
        locale = self.locale.lower().replace("_", "-")
        if locale in MONTH_FIRST and not dotted:
            return second, first
        if locale in {"", "en"} and not dotted and first != second and max(first, second) <= NOON:
            raise _UnsureError
        if locale in {"", "en"} and second > NOON:
            return second, first
        return first, second

    def take_number(self) -> bool:
        """A number with a unit, with its month, or as an hour."""
        found = self.number_at(self.position)
        if found is None:
            return False
        number, length = found
        after = self.position + length
        unit = self.named("units", after)
        if unit is not None:
            self.days.add(self.now.date() + timedelta(days=number * (7 if unit[0] else 1)))
            return self.take(length + unit[1])
        behind = after
        while behind < len(self.words) and self.words[behind] in ORDINALS:
            behind += 1
        month = self.named("months", behind)
        if month is not None:
            return self.take_day(number, month[0] + 1, behind + month[1])
        after_at = self.is_after_at()
        oclock = self.length("oclock", after)
        if after_at or oclock or self.length("am", after) or self.length("pm", after):
            return self.take_clock(number, 0, length + oclock)
        if self.length("ones") or not self.words[self.position].isdigit():
            return False  # an article, or a word with another meaning
        raise _UnsureError

    def take_day(self, day: int, month: int, after: int) -> bool:
        """A day of the year, with a year behind it or without."""
        while after < len(self.words) and self.words[after] in {"de", "of"}:
            after += 1
        if after < len(self.words) and self.words[after] in {"st", "nd", "rd", "th"}:
            after += 1
        year = int(self.words[after]) if after < len(self.words) and re.fullmatch(r"\d{4}", self.words[after]) else None
        self.days.add(self.of_year(day, month, year))
        return self.take(after + (year is not None) - self.position)

    def of_year(self, day: int, month: int, year: int | None) -> date:
        """Without a year it is the next such day, which may be today."""
        if year is not None:
            return date(year if year > 99 else TWENTY_YEARS_OF + year, month, day)  # noqa: PLR2004  two digits
        today = self.now.date()
        if (month, day) == (2, 29):  # it has to be a year that has one
            raise _UnsureError
        this_year = date(today.year, month, day)
        return this_year if this_year >= today else date(today.year + 1, month, day)

    def take_clock(self, hour: int, minute: int, length: int, *, of_whole_day: bool = False) -> bool:
        time(hour, minute)  # raises ValueError
        self.clocks.add((hour, minute, of_whole_day))
        return self.take(length)

    def result(self, zone: ZoneInfo) -> When | None:
        clock = self.clock()
        day = self.day(clock)
        if day is None or not self.now.date() <= day <= self.now.date() + FARTHEST:
            return None
        if clock is None:
            return When(day, None, self.read)
        at = at_local(day, clock, zone)
        return When(day, at.astimezone(zone), self.read) if at > self.now else None

    def clock(self) -> time | None:
        """The time that is meant. Raises _UnsureError where there are several."""
        if len(self.clocks) > 1 or len(self.halves) > 1:
            raise _UnsureError
        if not self.clocks:
            return None
        ((hour, minute, of_whole_day),) = self.clocks
        half = next(iter(self.halves), "")
        if half == "am" and hour > NOON:
            raise _UnsureError
        if half == "am" and hour == NOON:
            return time(0, minute)
        if hour < NOON and (half == "pm" or (not half and not of_whole_day and hour in AFTERNOON_HOURS)):
            hour += NOON
        return time(hour, minute)

    def day(self, clock: time | None) -> date | None:
        today = self.now.date()
        if len(self.days) > 1 or len(self.weekdays) > 1:
            raise _UnsureError
        named = next(iter(self.days), None)
        weekday = next(iter(self.weekdays), None)
        if named is not None:
            return named if weekday in {None, named.weekday()} else None
        if weekday is None:
            return today if clock is not None else None
        ahead = (weekday - today.weekday()) % 7
        if not ahead and (clock is None or clock <= self.now.time()):
            raise _UnsureError  # today, or in a week?
        return today + timedelta(days=ahead)
