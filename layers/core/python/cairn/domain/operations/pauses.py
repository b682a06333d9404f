"""Pauses: what is held back while one lasts, and what becomes of those who waited once it is over.

A pause changes no schedule. Timers go off as they were set and messages come to the gate as they were decided; each
then asks here, so that pausing a journey of a million costs one write, and resuming it is decided one by one.
"""

import re
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import assert_never
from zoneinfo import ZoneInfo

from cairn.domain.shared.channels import Channel
from cairn.domain.shared.errors import InvalidSwitchError
from cairn.domain.shared.hashing import share
from cairn.domain.shared.instants import at_local
from cairn.domain.shared.moments import Delay, LocalTime, Moment, Until

ALL = "all"

WINDOW = timedelta(hours=1)
"""Over which SPREAD spreads, unless another window is asked for."""

TARGETS = (
    ("all", re.compile(r"all")),
    (f"channel:<{', '.join(Channel)}>", re.compile(rf"channel:({'|'.join(Channel)})")),
    ("journey:<journey>", re.compile(r"journey:[a-z][a-z0-9-]{0,62}")),
    ("template:<journey>/<template>", re.compile(r"template:[a-z][a-z0-9-]{0,62}/[a-z][a-z0-9_-]{0,63}")),
    ("country:<two capital letters, such as US>", re.compile(r"country:[A-Z]{2}")),
)
"""What can be stopped and paused: how people are told of it, and how it is written."""


class PausePolicy(StrEnum):
    """What becomes of those whose time came while they were held back, and of the waits that went on."""

    KEEP = "keep"  # due times stand; what was due meanwhile happens on resuming
    ACTIVE_TIME = "active_time"  # the pause does not count: every wait ends so much later
    RESTART = "restart"  # every wait begins again
    SKIP_IF_LATE = "skip_if_late"  # what was due meanwhile is passed over
    SPREAD = "spread"  # what was due meanwhile happens over a window, each at an instant of its own


@dataclass(frozen=True, slots=True)
class Pause:
    """From `since` until `until`, or until somebody resumes; what it says of those who waited counts from then on."""

    target: str
    since: datetime
    until: datetime | None = None
    policy: PausePolicy = PausePolicy.KEEP
    window: timedelta = WINDOW
    """Over which SPREAD spreads."""

    def is_active(self, at: datetime) -> bool:
        return self.since <= at and (self.until is None or at < self.until)


@dataclass(frozen=True, slots=True)
class PausedWait:
    """An enrollment whose timer went off: which wait it is, when it began and when it was to end."""

    enrollment: str
    reached_at: datetime
    due_at: datetime
    moment: Moment
    """A LocalTime has the customer's own time of day in it (calendar.settled)."""
    zone: ZoneInfo


@dataclass(frozen=True, slots=True)
class Proceed:
    """Nothing holds it back."""


@dataclass(frozen=True, slots=True)
class Paused:
    """It waits, parked under the target, until somebody resumes."""

    target: str


@dataclass(frozen=True, slots=True)
class NotBefore:
    """It comes again at the instant that a pause has moved it to."""

    at: datetime
    target: str


@dataclass(frozen=True, slots=True)
class Late:
    """A pause made it late, and whoever resumed does not want what is late."""

    target: str


PauseOutcome = Proceed | Paused | NotBefore | Late


def check_target(text: str) -> str:
    """The target as it is kept. Raises InvalidSwitchError, which names all that can be stopped or paused."""
    target = text.strip()
    if any(shape.fullmatch(target) for _, shape in TARGETS):
        return target
    raise InvalidSwitchError(f"{text!r} is no target; give {', '.join(name for name, _ in TARGETS)}")


def targets_of(journey: str, template: str = "", channel: Channel | None = None, country: str = "") -> tuple[str, ...]:
    """All that stops or pauses something: a journey's timers by its name, a message by all that is known."""
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
    """What pauses say of a message that is at the gate.

    `due` is when it would have gone but for pauses: when it was decided, or the instant that something else deferred
    it to. What is at the gate after a pause although it was due before its end was kept back by it. `crowd` is what
    SPREAD keeps together, so that the messages of an enrollment keep their order: its id.
    """
    ours = _in_order(pauses, targets)
    now_on = next((pause for pause in ours if pause.is_active(now)), None)
    if now_on is not None:
        return Paused(now_on.target)
    held: PauseOutcome = Proceed()
    for pause in ours:
        if pause.until is None or not due < pause.until <= now:
            continue
        if pause.policy is PausePolicy.SKIP_IF_LATE:
            return Late(pause.target)
        due = pause.until + _share(pause, spread_key)
        held = NotBefore(due, pause.target) if due > now else Proceed()
    return held


def resume_wait(pauses: Iterable[Pause], targets: Collection[str], waiting: PausedWait, now: datetime) -> PauseOutcome:
    """What pauses say of a wait whose timer went off.

    Always told from the wait as it was first set, so that asking twice gives the same: a timer set again for a later
    instant must not be moved on once more by the same pause.
    """
    ours = _in_order(pauses, targets)
    now_on = next((pause for pause in ours if pause.is_active(now)), None)
    if now_on is not None:
        return Paused(now_on.target)
    due, not_before = waiting.due_at, waiting.due_at
    counts_from = waiting.reached_at  # what is paused before this does not stop the wait, or has been counted
    target = ""
    for pause in ours:
        if pause.until is None or not waiting.reached_at < pause.until <= now:
            continue
        if due >= pause.since and _moves(pause, waiting.moment):
            stood_still = pause.until - max(pause.since, counts_from)
            counts_from = max(pause.until, counts_from)
            if pause.policy is PausePolicy.RESTART:
                due = _at_its_clock(waiting, counts_from + (waiting.due_at - waiting.reached_at))
            elif stood_still > timedelta():  # else another pause has counted it
                due = _at_its_clock(waiting, due + stood_still)
            target = pause.target
        elif max(due, not_before) < pause.until:
            if pause.policy is PausePolicy.SKIP_IF_LATE:
                return Late(pause.target)
            not_before, target = pause.until + _share(pause, waiting.enrollment), pause.target
    at = max(due, not_before)
    return NotBefore(at, target) if at > now else Proceed()


def paused_for(pauses: Iterable[Pause], targets: Collection[str], since: datetime, now: datetime) -> timedelta:
    """How long of the time since then something of it was paused; what two pauses share counts once."""
    length, counts_from = timedelta(), since
    for pause in _in_order(pauses, targets):
        until = min(pause.until or now, now)
        length += max(timedelta(), until - max(pause.since, counts_from))
        counts_from = max(counts_from, until)
    return length


def _moves(pause: Pause, moment: Moment) -> bool:
    """Whether the pause moves such a wait. Dates never move: the visit is when it is, whoever was paused."""
    return pause.policy in {PausePolicy.ACTIVE_TIME, PausePolicy.RESTART} and not isinstance(moment, Until)


def _at_its_clock(waiting: PausedWait, at: datetime) -> datetime:
    """A wait for a time of day ends at that time of day, on the first day on which it is not before `at`."""
    match waiting.moment:
        case Delay() | Until():
            return at
        case LocalTime(clock):
            day = at.astimezone(waiting.zone).date()
            due = at_local(day, clock, waiting.zone)
            return due if due >= at else at_local(day + timedelta(days=1), clock, waiting.zone)
        case _:
            assert_never(waiting.moment)


def _share(pause: Pause, crowd: str) -> timedelta:
    """How far into the window this one's turn is: the same whenever it is asked, and even over all."""
    if pause.policy is not PausePolicy.SPREAD:
        return timedelta()
    return share(f"spread/{pause.target}/{pause.since.isoformat()}", crowd) * pause.window


def _in_order(pauses: Iterable[Pause], targets: Collection[str]) -> list[Pause]:
    return sorted((pause for pause in pauses if pause.target in targets), key=lambda one: (one.since, one.target))
