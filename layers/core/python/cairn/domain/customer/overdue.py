"""Work that is overdue although its timer should have set it going, and when to look at it again. Pure.

Whatever waits is stored with its due time: the hour by which its timer must have fired. If it is still there long after
that, it has lost its timer, or the queue's message that the timer became, and is set going again.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from cairn.domain.consent.contact import Deferral
from cairn.domain.journey.enrollment import Enrollment
from cairn.domain.message.message import MessageStatus
from cairn.domain.operations.pauses import Pause, targets_of

GRACE = timedelta(hours=1)
"""How late work may be before it counts as stuck: far more than Scheduler's minute and the longest pause between two
deliveries of a queue (15 minutes)."""

LONGEST_REST = timedelta(days=7)
"""The longest time until something is set going once more that was set going in vain."""

PERSONS_REST = timedelta(days=1)
"""The time between two looks at what only a person can set going: a resume, a task, an item that cannot be read."""

GIVEN_UP = timedelta(days=1)
"""How long a deferral may be overdue whose message has no record: it may be moving to its customer's new id."""


@dataclass(frozen=True, slots=True)
class WaitingMessage:
    """A deferral, and what the message's own record says."""

    id: str
    deferral: Deferral
    status: MessageStatus | None
    """None: there is no record, so the message cannot be sent any more."""
    paused_target: str = ""
    """The target whose resume the message waits for."""


@dataclass(frozen=True, slots=True)
class OverdueEnrollments:
    stuck: tuple[Enrollment, ...]
    look_at: datetime | None
    """When to look at the customer's enrollments again; None where none waits."""


@dataclass(frozen=True, slots=True)
class OverdueMessages:
    stuck: tuple[WaitingMessage, ...]
    over: tuple[WaitingMessage, ...]
    """Their messages are settled; only the deferrals are left."""
    lost: tuple[WaitingMessage, ...]
    """Nothing of their messages is left but the deferrals."""
    look_at: datetime | None


def due_hour(instant: datetime) -> datetime:
    """The full hour that is not before the instant, so that few changes of an instant are changes of the index."""
    instant = instant.astimezone(UTC)
    floor = instant.replace(minute=0, second=0, microsecond=0)
    try:
        return floor if floor == instant else floor + timedelta(hours=1)
    except OverflowError:  # the last hour of the year 9999
        return floor


def next_timer(enrollments: Iterable[Enrollment]) -> datetime | None:
    """When the first timer of these enrollments fires. A holdout has none, and neither has an ended one."""
    return min((one.timer_at for one in enrollments if one.timer_at is not None), default=None)


def next_decision(deferrals: Iterable[Deferral]) -> datetime | None:
    """When the first of these messages is decided again; what waits for a resume is looked at daily."""
    return min(map(_decided_again, deferrals), default=None)


def overdue_enrollments(
    enrollments: Mapping[str, Enrollment], pauses: Iterable[Pause], now: datetime
) -> OverdueEnrollments:
    """Which enrollments are to be woken. Those of a paused journey wait for its resume."""
    pauses = tuple(pauses)
    stuck, looks = [], []
    for one in enrollments.values():
        if one.timer_at is None:
            continue
        if not is_overdue(one.timer_at, now):
            looks.append(one.timer_at)
        elif _is_paused(targets_of(one.journey), pauses, now):
            looks.append(now + PERSONS_REST)
        else:
            stuck.append(one)
            looks.append(look_again(one.timer_at, now))
    return OverdueEnrollments(tuple(stuck), min(looks, default=None))


def overdue_messages(messages: Iterable[WaitingMessage], pauses: Iterable[Pause], now: datetime) -> OverdueMessages:
    """Which messages are to be decided again, and which deferrals are to end."""
    pauses = tuple(pauses)
    stuck, over, lost, looks = [], [], [], []
    for one in messages:
        due = _decided_again(one.deferral)
        if not is_overdue(due, now):
            looks.append(due)
        elif one.status is None and now - due < GIVEN_UP:
            looks.append(look_again(due, now))
        elif one.status is None:
            lost.append(one)
        elif one.status is not MessageStatus.DEFERRED:
            over.append(one)
        elif one.paused_target and _is_paused((one.paused_target,), pauses, now):
            looks.append(now + PERSONS_REST)
        else:
            stuck.append(one)
            looks.append(look_again(due, now))
    return OverdueMessages(tuple(stuck), tuple(over), tuple(lost), min(looks, default=None))


def is_overdue(due: datetime, now: datetime) -> bool:
    return now - due >= GRACE


def look_again(due: datetime, now: datetime) -> datetime:
    """The later something is, the longer it rests between two attempts: what always fails is tried ever less often."""
    return now + min(max(now - due, GRACE), LONGEST_REST)


def _decided_again(deferral: Deferral) -> datetime:
    due = deferral.until or deferral.decided_at + PERSONS_REST
    return due if deferral.tried_at is None else max(due, deferral.tried_at)


def _is_paused(targets: Iterable[str], pauses: Iterable[Pause], now: datetime) -> bool:
    """Whether one of the targets is paused, or was until a moment ago: resumed work is then on its way."""
    return any(
        one.target in targets and one.since <= now and (one.until is None or now - one.until < GRACE) for one in pauses
    )
