"""Open hours and closed days of a channel, as a calendar of _calendars.yaml."""

from collections.abc import Iterator, Mapping, Sequence
from datetime import date, datetime, time, timedelta
from typing import Any

from authoring.pinpoint.model import ClosedDaysRule, Journey, OpenHoursRule
from authoring.pinpoint.naming import slug
from authoring.pinpoint.notes import Notes
from authoring.pinpoint.times import instant_of
from cairn.domain.shared.moments import WEEKDAYS

CHANNELS = ("email", "sms", "push", "voice", "custom")
MIDNIGHT = 24 * 60
MOST_DAYS = 400
"""Of one closed period: a longer one is a mistake."""

Calendar = dict[str, Any]
Span = tuple[int, int]
"""Minutes of the day."""


def calendars(journey: Journey, name: str, notes: Notes) -> dict[str, tuple[str, Calendar]]:
    """By channel: the calendar's name, and the calendar."""
    if not (journey.open_hours or journey.closed_days):
        return {}
    if not journey.sending_schedule:
        message = "open hours and closed days are there, and not in force"
        notes.add("SendingSchedule", message, "Write a calendar and `wait: {open: …}` if you want them.")
        return {}
    found = {}
    for channel in CHANNELS:
        hours = _hours(getattr(journey.open_hours, channel, {}), f"OpenHours.{channel.upper()}", notes)
        closed = _closed(getattr(journey.closed_days, channel, []), f"ClosedDays.{channel.upper()}", notes)
        if hours or closed:
            calendar = {"hours": hours or {"mon-sun": "00:00-24:00"}} | ({"closed": closed} if closed else {})
            found[channel] = (f"{slug(name, 'journey', 50)}-{channel}", calendar)
    return found


def _hours(rules: Mapping[str, Sequence[OpenHoursRule]], about: str, notes: Notes) -> dict[str, str]:
    open_on: dict[str, list[Span]] = {day: [] for day in WEEKDAYS}
    for day, each in rules.items():
        number = WEEKDAYS.index(day[:3].lower())
        for rule in each:
            start, end = _minutes(rule.start_time), _minutes(rule.end_time)
            if start is None or end is None or start == end:
                message = f"{rule.start_time or '…'} to {rule.end_time or '…'} on {day} cannot be read as hours"
                notes.add(about, message, "Write them into _calendars.yaml.")
            elif start < end:
                open_on[WEEKDAYS[number]].append((start, end))
            else:
                open_on[WEEKDAYS[number]].append((start, MIDNIGHT))
                open_on[WEEKDAYS[(number + 1) % 7]] += [(0, end)] if end else []
    return {day: ", ".join(map(_span, _merged(spans))) for day, spans in open_on.items() if spans}


def _merged(spans: Sequence[Span]) -> Iterator[Span]:
    """In order, with those that overlap or touch as one."""
    current: Span | None = None
    for start, end in sorted(spans):
        if current is not None and start <= current[1]:
            current = (current[0], max(current[1], end))
        else:
            if current is not None:
                yield current
            current = (start, end)
    if current is not None:
        yield current


def _minutes(text: str) -> int | None:
    try:
        read = time.fromisoformat(text)
    except ValueError:
        return None
    return read.hour * 60 + read.minute


def _span(span: Span) -> str:
    return "-".join(f"{minutes // 60:02}:{minutes % 60:02}" for minutes in span)


def _closed(rules: Sequence[ClosedDaysRule], about: str, notes: Notes) -> list[str]:
    days: set[date] = set()
    for rule in rules:
        start, end = instant_of(rule.start_date_time), instant_of(rule.end_date_time)
        if start is None or end is None or not timedelta() <= end - start <= timedelta(days=MOST_DAYS):
            message = f"{rule.name or 'a closed day'} cannot be read: {rule.start_date_time} to {rule.end_date_time}"
            notes.add(about, message, "Write its days under `closed` in _calendars.yaml.")
            continue
        first, last = start.date(), _last_day(start, end)
        days |= {first + timedelta(days=number) for number in range((last - first).days + 1)}
        if start.time() != time() or _is_within_a_day(end):
            message = f"{rule.name or 'a closed day'} is less than whole days, and Cairn closes whole ones"
            notes.add(about, message, "Remove the day from `closed`, or leave it.")
    return sorted(day.isoformat() for day in days)


def _last_day(start: datetime, end: datetime) -> date:
    """A period until midnight does not close the day that begins then."""
    return (end - timedelta(seconds=1)).date() if end > start and end.time() == time() else end.date()


def _is_within_a_day(end: datetime) -> bool:
    return end.time() != time() and (end.hour, end.minute) != (23, 59)
