"""Pauses: which work waits during a pause, and how it continues afterwards.

A pause changes no schedule. Timers fire and messages reach the gate as planned; each then checks the pauses. So pausing
a journey of a million customers costs one write, and its end is applied to each of them by itself.
"""

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import assert_never
from zoneinfo import ZoneInfo

from cairn.domain.shared.calendars import Calendar
from cairn.domain.shared.channels import Channel
from cairn.domain.shared.hashing import share
from cairn.domain.shared.instants import at_local
from cairn.domain.shared.moments import DayOf, Delay, LocalTime, Moment, Silence, Until

ALL = "all"

WINDOW = timedelta(hours=1)
"""The default window of SPREAD."""


class PausePolicy(StrEnum):
    """The effect of a pause on work that was due during it, and on the waits that it interrupted."""

    KEEP = "keep"  # due times do not change; overdue work happens on resuming
    ACTIVE_TIME = "active_time"  # every wait is extended by the length of the pause
    RESTART = "restart"  # every wait begins again
    SKIP_IF_LATE = "skip_if_late"  # overdue work is skipped
    SPREAD = "spread"  # overdue work is spread over a window, each item at its own instant


@dataclass(frozen=True, slots=True)
class Pause:
    """From `since` to `until`, or until an operator resumes. Its policy applies from its end on."""

    target: str
    since: datetime
    until: datetime | None = None
    policy: PausePolicy = PausePolicy.KEEP
    window: timedelta = WINDOW
    """The window of SPREAD."""

    def is_active(self, at: datetime) -> bool:
        return self.since <= at and (self.until is None or at < self.until)


@dataclass(frozen=True, slots=True)
class PausedWait:
    """A wait whose timer fired: when it began and when it was to end."""

    enrollment: str
    reached_at: datetime
    due_at: datetime
    moment: Moment
    """A LocalTime holds the customer's own time of day (calendar.settled)."""
    zone: ZoneInfo


@dataclass(frozen=True, slots=True)
class Proceed:
    """No pause applies."""


@dataclass(frozen=True, slots=True)
class Paused:
    """The work waits until an operator resumes the target."""

    target: str


@dataclass(frozen=True, slots=True)
class NotBefore:
    """A pause has moved the work to this instant."""

    at: datetime
    target: str


@dataclass(frozen=True, slots=True)
class Late:
    """Late because of a pause; drop it."""

    target: str


PauseOutcome = Proceed | Paused | NotBefore | Late


def targets_of(journey: str, template: str = "", channel: Channel | None = None, country: str = "") -> tuple[str, ...]:
    """The targets that cover a timer (only the journey is given) or a message (all are given)."""
    return (
        ALL,
        f"journey:{journey}",
        *([f"template:{journey}/{template}"] if template else ()),
        *([f"channel:{channel}"] if channel else ()),
        *([f"country:{country}"] if country else ()),
    )


def resume_message(
    pauses: Iterable[Pause], targets: Collection[str], *, due: datetime, spread_key: str, now: datetime
) -> PauseOutcome:
    """The effect of pauses on a message at the gate.

    `due` is when it would have gone without pauses: when it was decided, or the instant that another rule deferred it
    to. A message that was due before the end of a pause has waited for it. SPREAD keeps messages of one `spread_key`
    together, so that those of an enrollment keep their order.
    """
    applying = _in_order(pauses, targets)
    active = next((pause for pause in applying if pause.is_active(now)), None)
    if active is not None:
        return Paused(active.target)
    outcome: PauseOutcome = Proceed()
    for pause in applying:
        if pause.until is None or not due < pause.until <= now:
            continue
        if pause.policy is PausePolicy.SKIP_IF_LATE:
            return Late(pause.target)
        due = pause.until + _share(pause, spread_key)
        outcome = NotBefore(due, pause.target) if due > now else Proceed()
    return outcome


def resume_wait(pauses: Iterable[Pause], targets: Collection[str], waiting: PausedWait, now: datetime) -> PauseOutcome:
    """The effect of pauses on a wait whose timer fired.

    Always computed from the original wait, so that the result is the same each time: a timer that was set again for a
    later instant must not be moved twice by one pause.
    """
    applying = _in_order(pauses, targets)
    active = next((pause for pause in applying if pause.is_active(now)), None)
    if active is not None:
        return Paused(active.target)
    due, not_before = waiting.due_at, waiting.due_at
    counts_from = waiting.reached_at  # time before this is before the wait, or counted already
    target = ""
    for pause in applying:
        if pause.until is None or not waiting.reached_at < pause.until <= now:
            continue
        if due >= pause.since and _moves(pause, waiting.moment):
            stopped_for = pause.until - max(pause.since, counts_from)
            counts_from = max(pause.until, counts_from)
            if pause.policy is PausePolicy.RESTART:
                due = _at_its_time_of_day(waiting, counts_from + (waiting.due_at - waiting.reached_at))
            elif stopped_for > timedelta():  # else another pause has counted that time
                due = _at_its_time_of_day(waiting, due + stopped_for)
            target = pause.target
        elif max(due, not_before) < pause.until:
            if pause.policy is PausePolicy.SKIP_IF_LATE:
                return Late(pause.target)
            not_before, target = pause.until + _share(pause, waiting.enrollment), pause.target
    at = max(due, not_before)
    return NotBefore(at, target) if at > now else Proceed()


def paused_for(pauses: Iterable[Pause], targets: Collection[str], since: datetime, now: datetime) -> timedelta:
    """How long the targets were paused since then; overlapping pauses count once."""
    length, counts_from = timedelta(), since
    for pause in _in_order(pauses, targets):
        until = min(pause.until or now, now)
        length += max(timedelta(), until - max(pause.since, counts_from))
        counts_from = max(counts_from, until)
    return length


def _moves(pause: Pause, moment: Moment) -> bool:
    """Whether the pause moves such a wait. A wait for a date never moves: a visit does not wait for a pause."""
    by_date = isinstance(moment, Until | DayOf | Silence)
    return pause.policy in {PausePolicy.ACTIVE_TIME, PausePolicy.RESTART} and not by_date


def _at_its_time_of_day(waiting: PausedWait, at: datetime) -> datetime:
    """A wait for a time of day ends at that time, on the first day on which it is not before `at`."""
    match waiting.moment:
        case Delay(calendar=Calendar() as calendar):
            return calendar.after(at, timedelta(), waiting.zone) or at
        case Delay() | Until() | DayOf() | Silence():
            return at
        case LocalTime() as moment:
            day = moment.day_from(at.astimezone(waiting.zone).date())
            due = at_local(day, moment.at, waiting.zone)
            return due if due >= at else at_local(moment.day_from(day + timedelta(days=1)), moment.at, waiting.zone)
        case _:
            assert_never(waiting.moment)


def _share(pause: Pause, spread_key: str) -> timedelta:
    """The position of a spread key in the window: stable, and evenly distributed."""
    if pause.policy is not PausePolicy.SPREAD:
        return timedelta()
    return share(f"spread/{pause.target}/{pause.since.isoformat()}", spread_key) * pause.window


def _in_order(pauses: Iterable[Pause], targets: Collection[str]) -> list[Pause]:
    return sorted((pause for pause in pauses if pause.target in targets), key=lambda pause: (pause.since, pause.target))
