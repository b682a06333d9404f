"""The ways out of each kind of step, with the time that each takes: all that the proof knows of a kind.

A kind without a case of its own takes no time and leads to any of its successors.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import date, datetime, time, timedelta
from math import inf
from typing import Literal
from zoneinfo import ZoneInfo

from cairn.domain.journey.definition import Journey
from cairn.domain.journey.invite import InviteRule
from cairn.domain.journey.steps import Step
from cairn.domain.journey.steps.begin import Begin
from cairn.domain.journey.steps.send import Send
from cairn.domain.journey.steps.split import Split
from cairn.domain.journey.steps.task import AwaitedTask
from cairn.domain.journey.steps.wait import IfMissed, Wait
from cairn.domain.journey.steps.wait_for import WaitFor
from cairn.domain.journey.steps.webhook import Webhook
from cairn.domain.shared.calendars import Calendar
from cairn.domain.shared.moments import Delay, LocalTime, Moment, Until

DAY = 86_400.0
WEEK = 7 * DAY
"""Seconds."""

ONE_DAY, WEEKS = timedelta(days=1), timedelta(days=14)
MONDAY = date(2026, 3, 2)
UTC = ZoneInfo("UTC")

Trigger = Literal["", "event", "timer"]


@dataclass(frozen=True, slots=True)
class Span:
    """How long a wait takes, in seconds: as much as its moment says for certain.

    It ends between `least` and `most` after it begins, and between `not_before` and `by` after the customer entered. Of
    the latter `by` counts only where the wait is not over already.
    """

    least: float = 0.0
    most: float = 0.0
    not_before: float = -inf
    by: float = -inf


@dataclass(frozen=True, slots=True)
class Way:
    """One way from a step to the next; `target` is None at the end."""

    target: str | None
    span: Span = Span()
    trigger: Trigger = ""
    """Whether an event or a timer leads on, or nothing is waited for."""
    late: bool = False
    """Only for a customer who arrives after the span's `not_before`."""

    def earliest(self, time: float) -> float:
        return max(time + self.span.least, self.span.not_before)

    def latest(self, time: float) -> float:
        return max(time + self.span.most, self.span.by)


def ways(journey: Journey, step: Step, entered: float) -> Iterator[Way]:
    """The ways out of a step, for a customer who entered so many seconds after midnight, by its own clock."""
    match step:
        case Begin():  # a customer enters when it is over
            yield Way(step.next, trigger="timer")
        case Wait():
            yield from _of_a_wait(journey, step, span_of(step.moment, entered))
        case WaitFor():
            span = span_of(step.moment, entered)
            until_then = Span(most=span.most, by=span.by)
            yield from (Way(target, until_then, "event") for target in step.targets)
            yield Way(step.timed_out, span, "timer")
        case Webhook():
            span = span_of(step.moment, entered)
            answered = Span(most=span.most)
            yield from (Way(target, answered, "event") for target in step.successors)
            yield Way(step.failed, span, "timer")
        case Send(invite=InviteRule(cancels=False)) if IfMissed.EXIT in {step.if_past, step.if_unreadable}:
            yield Way(step.next)
            yield Way(None)
        case AwaitedTask():
            span = span_of(step.moment, entered)
            done = Span(most=span.most)
            yield from (Way(target, done, "event") for target in step.successors)
            yield Way(step.otherwise, span, "timer")
        case Split():  # nobody gets an arm of no weight
            yield from (Way(arm.target) for arm in step.arms if arm.weight)
        case _:
            yield from (Way(target) for target in step.successors)


def span_of(moment: Moment, entered: float) -> Span:
    """The bounds of a wait. Nothing is certain of a date in the customer's data."""
    spread = moment.spread.total_seconds()
    match moment:
        case Delay(length, calendar=calendar):
            longest = _longest_opening(calendar, length) if calendar else length
            return Span(length.total_seconds(), longest.total_seconds() + spread)
        case LocalTime(day=None):
            return Span(most=_longest_pause(moment) + spread)
        case LocalTime(at=at, day=int(day)):
            midnight = day * DAY - entered
            known = 0.0 if moment.at_from else timedelta(hours=at.hour, minutes=at.minute).total_seconds()
            latest = DAY if moment.at_from else known
            return Span(not_before=midnight + known, by=midnight + latest + _longest_delay(moment) + spread)
        case Until("enrollment.entered_at", offset):
            return Span(not_before=offset.total_seconds(), by=offset.total_seconds() + spread)
        case Until("enrollment.since", offset):  # the event may have come late
            return Span(by=offset.total_seconds() + spread)
        case _:
            return Span(most=inf)


def _of_a_wait(journey: Journey, step: Wait, span: Span) -> Iterator[Way]:
    yield Way(step.next, span, "timer")
    if _is_ahead(step.moment):
        return
    over = Span(not_before=span.not_before)
    missed = {step.if_past, step.if_unreadable} if isinstance(step.moment, Until) else {step.if_past}
    for one in sorted(missed):
        match one:
            case IfMissed.CONTINUE:
                yield Way(step.next, over, late=True)
            case IfMissed.SKIP:
                yield from (Way(target, over, late=True) for target in _behind(journey, step.next))
            case IfMissed.EXIT:
                yield Way(None, over, late=True)


def _behind(journey: Journey, skipped: str | None) -> tuple[str | None, ...]:
    """As `Walk.behind`: a split is not skipped, of any other step the last way follows."""
    step = journey.steps.get(skipped or "")
    if isinstance(step, Split):
        return tuple(arm.target for arm in step.arms if arm.weight)
    return step.successors[-1:] if step else (None,)


def _is_ahead(moment: Moment) -> bool:
    """Whether a wait for it is never over when it begins."""
    match moment:
        case Delay(length):  # of no length: until a calendar is open, which may be at once
            return length > timedelta()
        case LocalTime(day=day):
            return day is None
        case _:
            return False


def _longest_pause(moment: LocalTime) -> float:
    """From one of its days to the next."""
    on = [day for day in _days(moment.calendar) if moment.day_from(day) == day]
    return DAY * max((moment.day_from(day + ONE_DAY) - day).days for day in on)


def _longest_delay(moment: LocalTime) -> float:
    """From any day to one of its days."""
    return DAY * max((moment.day_from(day) - day).days for day in _days(moment.calendar))


def _longest_opening(calendar: Calendar, length: timedelta) -> timedelta:
    """Until a calendar was open for so long. It takes longest from an instant at which it closes."""
    calendar = replace(calendar, zone=UTC.key)
    usual = replace(calendar, closed=frozenset())
    closings = [
        datetime.combine(day, time(), tzinfo=UTC) + timedelta(minutes=end)
        for day in _days(calendar, before=_taken(usual, length, datetime.combine(MONDAY, time(), tzinfo=UTC)))
        for _, end in calendar.hours[day.weekday()]
    ]
    return max((_taken(calendar, length, one) for one in closings), default=timedelta())


def _taken(calendar: Calendar, length: timedelta, since: datetime) -> timedelta:
    ends = calendar.after(since, length, UTC)
    return timedelta() if ends is None else ends - since


def _days(calendar: Calendar | None, before: timedelta = timedelta()) -> list[date]:
    """Days of which one is the worst: a week, and all around the days on which the calendar is closed."""
    closed = calendar.closed if calendar else ()
    first, last = min(closed, default=MONDAY) - before - WEEKS, max(closed, default=MONDAY) + WEEKS
    return [first + number * ONE_DAY for number in range((last - first).days)]
