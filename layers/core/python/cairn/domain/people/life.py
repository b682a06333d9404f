"""The life of a task: each change as a pure function, with what follows from it.

A change that changes nothing, such as one that was made before, returns the task as it is. A timer carries the task's
`sequence`: whatever sets another time makes the earlier timers stale. So an open task always has a live timer, or
is past its last one and overdue; and it has an owner, or its history says why not.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from enum import Enum
from typing import Any
from zoneinfo import ZoneInfo

from cairn.domain.people.members import Outcome, People, Queue
from cairn.domain.people.notification import NotificationKind
from cairn.domain.people.task import Entry, Task, TaskStatus
from cairn.domain.shared.errors import InvalidRequestError, TaskClosedError, TaskOwnedError
from cairn.domain.shared.instants import instant_to_wire, moved

CAIRN = "cairn"
"""Who did what no person did."""

MOST_TRIES = 5
"""How often a task comes back; then its outcome is the last, so that nobody is called for ever."""

MOST_ESCALATIONS = 5
"""How far a task goes up, whatever the chain says."""

MOST_ENTRIES = 30
"""Lines of a task's history: the first and the newest ones."""

MOST_NOTES = 20
LONGEST_NOTE = 1_000
"""Characters."""

AT_THE_TOP = timedelta(days=1)
"""How often the last one in the chain hears of an overdue task."""

CALLBACK_GRACE = timedelta(minutes=15)
"""How long after the minute that the customer chose a callback is passed on."""

DONE = Outcome("done", "Done")
"""The one outcome of a queue that names none."""

DONE_EVENT, WITHDRAWN_EVENT, OVERDUE_EVENT = "task.done", "task.withdrawn", "task.overdue"


@dataclass(frozen=True, slots=True)
class Changed:
    """A task after a change, and what is to be said of it."""

    task: Task
    tell: tuple[tuple[NotificationKind, str], ...] = ()
    """What is told, and to which member."""
    events: tuple[tuple[str, Mapping[str, Any]], ...] = ()
    """The type and the properties of the customer's events."""
    sets_timers: bool = False


def opened(task: Task, queue: Queue, now: datetime) -> Task:
    """A new task with its times, before anybody has it."""
    return _timed(task, queue, now, due_at=worked(queue, now, task.due or queue.due))


def worked(queue: Queue, since: datetime, length: timedelta) -> datetime:
    """When the queue will have worked for so long."""
    later = queue.calendar.after(since, length, ZoneInfo("UTC")) if queue.calendar else None
    return later or moved(since, length)


def worked_after(queue: Queue, since: datetime, length: timedelta) -> datetime:
    """That long after `since`; where the queue does not work then, when it next does."""
    return worked(queue, moved(since, length), timedelta())


def outcomes_of(queue: Queue) -> Mapping[str, Outcome]:
    return queue.outcomes or {DONE.name: DONE}


def had_by(task: Task) -> frozenset[str]:
    """Everybody who has had it in its present queue."""
    found: set[str] = {task.owner}
    for one in reversed(task.history):
        found.add(one.owner)
        if one.what == "escalated":
            break
    return frozenset(found - {""})


def assigned(task: Task, owner: str, why: str, now: datetime, *, by: str = CAIRN, what: str = "assigned") -> Changed:
    """It goes to a member, or with an empty `owner` to nobody yet; its times stay."""
    _must_be_open(task)
    if owner == task.owner and task.history and what == "assigned":
        return Changed(task)
    after = _after(task, Entry(now, by, what, owner, why), owner=owner, claimed_at=None)
    told = {"escalated": NotificationKind.ESCALATED, "reassigned": NotificationKind.REASSIGNED}
    return Changed(after, ((told.get(what, NotificationKind.ASSIGNED), owner),) if owner else ())


def claimed(task: Task, member: str, now: datetime) -> Changed:
    """A member begins to work on it. Raises TaskOwnedError where another one has it."""
    _must_be_open(task)
    _must_be_free_for(task, member)
    if task.owner == member and task.claimed_at is not None:
        return Changed(task)
    return Changed(_after(task, Entry(now, member, "claimed", member), owner=member, claimed_at=now))


def noted(task: Task, text: str, by: str, now: datetime) -> Changed:
    """A note, which a closed task may get as well. The same note by the same person is written once."""
    if any((one.by, one.why) == (by, text) for one in task.notes):
        return Changed(task)
    notes = (*task.notes, Entry(now, by, "noted", why=text[:LONGEST_NOTE]))[-MOST_NOTES:]
    return Changed(replace(task, notes=notes, version=task.version + 1))


def done(  # noqa: PLR0913  what a person says about it
    task: Task,
    outcome: Outcome,
    queue: Queue,
    now: datetime,
    *,
    by: str,
    member: str = "",
    answers: Mapping[str, Any] | None = None,
    note: str = "",
    at: datetime | None = None,
) -> Changed:
    """What has come of it. After some outcomes it is done, after others it comes back later.

    `member`: who did it, where it is known; `at`: when the customer wishes to be called. Raises TaskClosedError,
    TaskOwnedError, or InvalidRequestError for an `at` that is missing, past or not asked for.
    """
    if task.status is TaskStatus.DONE and task.outcome == outcome.name:
        return Changed(task)
    _must_be_open(task)
    _must_be_free_for(task, member)
    if outcome.at_hour_of_choice and at is None:
        raise InvalidRequestError([f"at: when the customer wishes to be called; {outcome.name} needs it"])
    if at is not None and not outcome.at_hour_of_choice:
        raise InvalidRequestError([f"at: {outcome.name} takes none"])
    if at is not None and at <= now:
        raise InvalidRequestError(["at: this instant is past"])
    owner = member or task.owner
    before = replace(task, owner=owner, answers={**task.answers, **(answers or {})})
    if note:
        before = replace(before, notes=(*before.notes, Entry(now, by, "noted", why=note[:LONGEST_NOTE]))[-MOST_NOTES:])
    own = ((outcome.event, _properties(before, outcome=outcome.name, note=note)),) if outcome.event else ()
    returns = at is not None or outcome.again is not None
    if returns and task.tries < MOST_TRIES:
        what = "called_back" if at is not None else "again"
        why = outcome.name
        before = replace(before, tries=task.tries + 1, claimed_at=None, passed=0, reassigned=0)
        after = _after(before, Entry(now, by, what, owner, why))
        return Changed(_back_at(after, queue, at, outcome.again, now), events=own, sets_timers=True)
    after = _after(before, Entry(now, by, "done", owner, outcome.name))
    after = replace(_closed(after), status=TaskStatus.DONE, outcome=outcome.name)
    return Changed(after, events=((DONE_EVENT, _properties(after, outcome=outcome.name, note=note)), *own))


def withdrawn(task: Task, why: str, by: str, now: datetime) -> Changed:
    """It makes no sense any more. One that is done stays as it is."""
    if not task.is_open:
        return Changed(task)
    after = replace(_closed(_after(task, Entry(now, by, "withdrawn", task.owner, why))), status=TaskStatus.WITHDRAWN)
    return Changed(after, events=((WITHDRAWN_EVENT, _properties(after, because=why)),))


class Fires(Enum):
    """What the timer of a task means when it fires."""

    STALE = "stale"
    EARLY = "early"
    """It is set again."""
    REMINDS = "reminds"
    """Nothing changes: its owner is told."""
    PASSES = "passes"
    """Its time is over."""


def fires(task: Task, sequence: int, now: datetime) -> Fires:
    if not task.is_open or sequence != task.sequence or task.next_at is None:
        return Fires.STALE
    if now >= task.next_at:
        return Fires.PASSES
    if task.remind_at is not None and now >= task.remind_at:
        return Fires.REMINDS
    return Fires.EARLY


class Pass(Enum):
    """What becomes of a task whose time is over."""

    WARN = "warn"
    """Its owner has begun, and gets the time once more."""
    CHOOSE = "choose"
    """Nobody has it: anybody of the queue."""
    REASSIGN = "reassign"
    """Another member of the queue."""
    ESCALATE = "escalate"
    """The next queue in the chain."""
    MANAGER = "manager"
    """Its owner's manager."""
    TOP = "top"
    """Nobody is above: its owner is told again."""


def passes(task: Task, people: People) -> Pass:
    queue = people.queues.get(task.queue, Queue(task.queue, task.queue))
    if task.claimed_at is not None:
        return Pass.WARN
    if task.owner and task.reassigned < queue.reassign and len(queue.members.keys() - had_by(task)) > 0:
        return Pass.REASSIGN
    if not task.owner and task.passed == 0:
        return Pass.CHOOSE
    if task.escalated < MOST_ESCALATIONS:
        if queue.escalate_to in people.queues and queue.escalate_to != task.queue:
            return Pass.ESCALATE
        if _manager(task, people):
            return Pass.MANAGER
    return Pass.TOP if task.owner else Pass.CHOOSE


def passed_on(task: Task, people: People, what: Pass, owner: str, why: str, now: datetime) -> Changed:
    """A task whose time is over, with its next owner; `owner` and `why` are those of the choice among the members."""
    before = task
    queue = people.queues.get(task.queue, Queue(task.queue, task.queue))
    late = ((OVERDUE_EVENT, _properties(task)),) if task.passed == 0 else ()
    if what is Pass.REASSIGN and not owner:
        what, owner = Pass.TOP, task.owner  # the others cannot take it now
    if what is Pass.ESCALATE:
        queue = people.queues[queue.escalate_to]
        task = replace(task, queue=queue.name, escalated=task.escalated + 1, reassigned=0)
    elif what is Pass.MANAGER:
        owner, why = _manager(task, people), f"the manager of {task.owner}"
        task = replace(task, escalated=task.escalated + 1)
    elif what is Pass.REASSIGN:
        task = replace(task, reassigned=task.reassigned + 1)
    elif what in {Pass.WARN, Pass.TOP}:
        owner, why = task.owner, ""
    names = {Pass.WARN: "overdue", Pass.TOP: "overdue", Pass.CHOOSE: "assigned", Pass.REASSIGN: "reassigned"}
    kinds = {
        Pass.CHOOSE: NotificationKind.ASSIGNED,
        Pass.REASSIGN: NotificationKind.REASSIGNED,
        Pass.ESCALATE: NotificationKind.ESCALATED,
        Pass.MANAGER: NotificationKind.ESCALATED,
    }
    after = _after(task, Entry(now, CAIRN, names.get(what, "escalated"), owner, why), owner=owner, claimed_at=None)
    rest = AT_THE_TOP if what is Pass.TOP else (task.due or queue.due)
    after = replace(
        after, sequence=before.sequence + 1, passed=before.passed + 1, remind_at=None, next_at=worked(queue, now, rest)
    )
    told = ((kinds.get(what, NotificationKind.OVERDUE), owner),) if owner else ()
    return Changed(after, told, late, sets_timers=True)


def joined(task: Task, enrollment: str, step: str) -> Changed:
    """A further enrollment waits for its outcome."""
    one = f"{enrollment}/{step}"
    if not enrollment or one in _waiting(task):
        return Changed(task)
    return Changed(replace(task, enrollments=(*task.enrollments, one), version=task.version + 1))


def left_by(task: Task, enrollment: str, step: str, why: str, now: datetime) -> Changed:
    """An enrollment wants it no more, or one of its steps: it is withdrawn where nobody else waits for it."""
    waiting = _waiting(task)
    others = tuple(one for one in waiting if not _is_of(one, enrollment, step))
    if not task.is_open or len(others) == len(waiting):
        return Changed(task)
    if not others:
        return withdrawn(task, why, CAIRN, now)
    first, _, its_step = others[0].partition("/")
    after = replace(task, enrollment=first, step=its_step, enrollments=others[1:], version=task.version + 1)
    return Changed(after)


def timers_of(task: Task) -> tuple[datetime, ...]:
    """When its timers fire."""
    if not task.is_open or task.next_at is None:
        return ()
    remind = (task.remind_at,) if task.remind_at is not None and task.remind_at < task.next_at else ()
    return (*remind, task.next_at)


def _after(task: Task, entry: Entry, **changes: Any) -> Task:
    history = (*task.history, entry)
    if len(history) > MOST_ENTRIES:
        history = (history[0], *history[-MOST_ENTRIES + 1 :])
    return replace(task, history=history, version=task.version + 1, **changes)


def _timed(task: Task, queue: Queue, now: datetime, *, due_at: datetime) -> Task:
    """With its due time, and a reminder before it where there is time for one."""
    allowed = task.due or queue.due
    remind_at = worked(queue, now, allowed - queue.remind) if queue.remind and queue.remind < allowed else None
    return replace(task, due_at=due_at, remind_at=remind_at, next_at=due_at, sequence=task.sequence + 1)


def _back_at(task: Task, queue: Queue, at: datetime | None, again: timedelta | None, now: datetime) -> Task:
    """Comes back: at the very minute that the customer chose, or after some time when the queue works."""
    back = at or worked_after(queue, now, again or timedelta())
    ends = moved(back, CALLBACK_GRACE) if at is not None else worked(queue, back, task.due or queue.due)
    due_at = back if at is not None else ends
    return replace(task, due_at=due_at, remind_at=back, next_at=ends, sequence=task.sequence + 1)


def _closed(task: Task) -> Task:
    return replace(task, next_at=None, remind_at=None, sequence=task.sequence + 1)


def _manager(task: Task, people: People) -> str:
    """The manager of its owner, who has not had it yet; empty where there is none."""
    member = people.members.get(task.owner)
    had = {one.owner for one in task.history} | {task.owner}
    return member.manager if member and member.manager in people.members and member.manager not in had else ""


def _must_be_open(task: Task) -> None:
    if task.is_open:
        return
    last = task.history[-1] if task.history else None
    by = (last.owner or last.by) if last else "somebody"
    what = f"done: {task.outcome}" if task.status is TaskStatus.DONE else "withdrawn"
    at = f", {instant_to_wire(last.at.astimezone(UTC))}" if last else ""
    raise TaskClosedError(f"the task is {what} ({by}{at})")


def _must_be_free_for(task: Task, member: str) -> None:
    if member and task.owner and member != task.owner:
        raise TaskOwnedError(
            f"{task.owner} has this task; to give it to {member}: cairn task assign {task.id} {member}"
        )


def _is_of(waiting: str, enrollment: str, step: str) -> bool:
    return waiting == f"{enrollment}/{step}" if step else waiting.startswith(f"{enrollment}/")


def _properties(task: Task, **more: Any) -> dict[str, Any]:
    """What an event says of it."""
    said = {
        "task": task.id,
        "queue": task.queue,
        "kind": task.kind.value,
        "step": task.step,
        "enrollment": task.enrollment,
        "enrollments": list(task.enrollments),
        "owner": task.owner,
        "answers": dict(task.answers),
        **more,
    }
    return {name: value for name, value in said.items() if value or name in {"owner", "answers"}}


def _waiting(task: Task) -> tuple[str, ...]:
    """The enrollments that wait for it, each with its step."""
    own = (f"{task.enrollment}/{task.step}",) if task.enrollment else ()
    return (*own, *task.enrollments)
