"""The life of a task: each change as a pure function, with what follows from it.

A change that changes nothing, such as one that was made before, returns the task as it is. A timer carries the task's
`sequence`: whatever sets another time makes the earlier timers stale. So an open task always has a live timer, or
is past its last one and overdue; and it has an owner, or its history says why not.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from enum import Enum
from itertools import takewhile
from typing import Any

from cairn.domain.people.members import Outcome, People, Queue
from cairn.domain.people.notification import NotificationKind
from cairn.domain.people.routing import Assignment, due_after
from cairn.domain.people.task import DONE_EVENT, OVERDUE_EVENT, WITHDRAWN_EVENT, Entry, Task, TaskStatus
from cairn.domain.shared.errors import InvalidRequestError, TaskClosedError, TaskOwnedError
from cairn.domain.shared.instants import instant_to_wire, moved

CAIRN = "cairn"
"""The one who did what no person did."""

MOST_TRIES = 5
"""How often a task comes back; then its outcome is the last, so that nobody is called for ever."""

MOST_ESCALATIONS = 5
"""How far a task goes up, whatever the chain says."""

MOST_ENTRIES = 30
"""Lines of a task's history: the first and the newest ones."""

MOST_NOTES = 20
LONGEST_NOTE = 1_000
"""Characters."""

DAY, WEEK = timedelta(days=1), timedelta(weeks=1)

PAUSES_AT_THE_TOP = (DAY, DAY, DAY, DAY, WEEK, 2 * WEEK, 4 * WEEK)
"""After these times the last one in the chain hears again of an overdue task, when the queue works; the last pause
goes on. So its owner hears of it five days in a row, then less and less, and it always has a next time."""

CALLBACK_GRACE = timedelta(minutes=15)
"""How long after the minute that the customer chose a callback is passed on."""

SAID_TWICE = timedelta(minutes=10)
"""How long an outcome after which a task comes back is taken for the same request, if the same person says it again and
nothing else has happened to the task. Later it is another attempt."""

NO_MEMBER = "{member} is no member any more"
"""Why a task goes from a member whom people.toml has no more."""

DONE = Outcome("done", "Done")
"""The one outcome of a queue that names none."""


@dataclass(frozen=True, slots=True)
class Changed:
    """A task after a change, and what follows from it."""

    task: Task
    notifies: tuple[tuple[NotificationKind, str], ...] = ()
    """What a member hears, and which one."""
    events: tuple[tuple[str, Mapping[str, Any]], ...] = ()
    """The type and the properties of the customer's events."""
    attributes: Mapping[str, Any] = field(default_factory=dict)
    """What the first of them says about the customer."""
    sets_timers: bool = False


def opened(task: Task, queue: Queue) -> Task:
    """A new task with its times, before it has an owner: a reminder before it is due, where there is time for one."""
    since, allowed = task.opened_at, task.due or queue.due
    due_at = worked(queue, since, allowed)
    remind_at = worked(queue, since, allowed - queue.remind) if queue.remind and queue.remind < allowed else None
    return replace(task, due_at=due_at, remind_at=remind_at, next_at=due_at, sequence=1)


def first_said(task: Task, queue: Queue, people: People) -> Changed:
    """The notification of a new task: to its owner; or to those above, that nobody can do it before it is due."""
    if task.owner:
        return Changed(task, ((NotificationKind.ASSIGNED, task.owner),), sets_timers=True)
    above = people.queues.get(queue.escalate_to)
    managers = {people.members[one].manager for one in queue.members if one in people.members} - {""}
    notified = sorted(above.members if above else managers)
    return Changed(task, tuple((NotificationKind.UNSTAFFED, one) for one in notified), sets_timers=True)


worked = due_after
"""When the queue will have worked for so long."""


def worked_after(queue: Queue, since: datetime, length: timedelta) -> datetime:
    """That long after `since`; where the queue does not work then, when it next does."""
    return worked(queue, moved(since, length), timedelta())


def outcomes_of(task: Task, people: People) -> Mapping[str, Outcome]:
    """The outcomes of a task: those of the queue for which it was opened, wherever it lies now.

    So a branch, a fallback or a manager can say whatever its journey waits for.
    """
    return people.queue(task.opened_for).outcomes or {DONE.name: DONE}


def had_by(task: Task) -> frozenset[str]:
    """Everybody who has had it in its present queue."""
    found: set[str] = {task.owner}
    for one in reversed(task.history):
        found.add(one.owner)
        if one.what == Pass.ESCALATE.value:
            break
    return frozenset(found - {""})


def assigned(task: Task, owner: str, why: str, by: str, now: datetime) -> Changed:
    """It goes to a member; its times stay, but for the pause of an overdue one."""
    _must_be_open(task)
    if owner == task.owner:
        return Changed(task)
    after = handed_over(task, Entry(now, by, "assigned", owner, why))
    return soon(Changed(after, ((NotificationKind.ASSIGNED, owner),)), now)


def handed_over(task: Task, entry: Entry) -> Task:
    """Its next owner is that of the entry, who has not begun yet."""
    return _after(task, entry, owner=entry.owner, claimed_at=None)


def soon(changed: Changed, now: datetime) -> Changed:
    """A change of who has a task: an overdue one does not wait for the end of a pause at the top that is long."""
    task, within = changed.task, moved(now, DAY)
    if not task.passed or task.next_at is None or task.next_at <= within:
        return changed
    return replace(changed, task=replace(task, next_at=within, sequence=task.sequence + 1), sets_timers=True)


def claimed(task: Task, member: str, now: datetime) -> Changed:
    """A member begins to work on it. Raises TaskOwnedError where another one has it."""
    _must_be_open(task)
    _must_be_free_for(task, member)
    if task.owner == member and task.claimed_at is not None:
        return Changed(task)
    return soon(Changed(_after(task, Entry(now, member, "claimed", member), owner=member, claimed_at=now)), now)


def noted(task: Task, text: str, by: str, now: datetime) -> Changed:
    """A note, which a closed task may get as well. The same note by the same person is written once."""
    if any((one.by, one.why) == (by, text) for one in task.notes):
        return Changed(task)
    return Changed(_with_note(task, text, by, now))


def done(  # noqa: PLR0913  what a person says about it
    task: Task,
    outcome: Outcome,
    queue: Queue,
    now: datetime,
    *,
    by: str,
    member: str = "",
    answers: Mapping[str, Any] | None = None,
    attributes: Mapping[str, Any] | None = None,
    note: str = "",
    at: datetime | None = None,
) -> Changed:
    """Write down its outcome. After some outcomes it is done, after others it comes back later.

    Said twice it counts once; also where the task comes back, until it is back or a member has claimed it again.
    `member`: who did it, where it is known. `attributes`: what the answers say about the customer. `at`: when the
    customer wishes to be called. Raises TaskClosedError, TaskOwnedError, or InvalidRequestError for an `at` that is
    missing, past or not asked for.
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
    if _is_said(task, Entry(now, by, _back(at), owner, outcome.name), at) and _says_no_more(task, before, note):
        return Changed(task)
    if note:
        before = _with_note(before, note, by, now)
    own = ((outcome.event, _properties(before, outcome=outcome.name, note=note)),) if outcome.event else ()
    returns = at is not None or outcome.again is not None
    if returns and task.tries < MOST_TRIES:
        before = replace(before, tries=task.tries + 1, claimed_at=None, passed=0, reassigned=0)
        after = _after(before, Entry(now, by, _back(at), owner, outcome.name))
        return Changed(_back_at(after, queue, at, outcome.again, now), events=own, sets_timers=True)
    after = _after(before, Entry(now, by, "done", owner, outcome.name))
    after = replace(_closed(after), status=TaskStatus.DONE, outcome=outcome.name, done_by=by, done_at=now)
    said = (DONE_EVENT, _properties(after, outcome=outcome.name, note=note))
    return Changed(after, events=(said, *own), attributes=attributes or {})


def withdrawn(task: Task, why: str, by: str, now: datetime) -> Changed:
    """It makes no sense any more. One that is done stays as it is."""
    if not task.is_open:
        return Changed(task)
    after = _closed(_after(task, Entry(now, by, "withdrawn", task.owner, why)))
    after = replace(after, status=TaskStatus.WITHDRAWN, done_by=by, done_at=now)
    return Changed(after, events=((WITHDRAWN_EVENT, _properties(after, because=why)),))


class Fires(Enum):
    """What the timer of a task means when it fires."""

    STALE = "stale"
    EARLY = "early"
    """It is set again."""
    REMINDS = "reminds"
    """Nothing changes: its owner hears of it."""
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
    """The next step of a task whose time is over, as its history says it."""

    WARN = "overdue"
    """Its owner has begun, and gets the time once more."""
    CHOOSE = "assigned"
    """Nobody has it, or nobody who is still a member: any member of the queue."""
    REASSIGN = "reassigned"
    """Another member of the queue."""
    ESCALATE = "escalated"
    """The next queue in the chain."""
    MANAGER = "escalated to the manager"
    TOP = "overdue at the top"
    """Nobody is above: its owner hears of it again."""


NOTIFIES: Mapping[Pass, NotificationKind] = {
    Pass.WARN: NotificationKind.OVERDUE,
    Pass.CHOOSE: NotificationKind.ASSIGNED,
    Pass.REASSIGN: NotificationKind.REASSIGNED,
    Pass.ESCALATE: NotificationKind.ESCALATED,
    Pass.MANAGER: NotificationKind.ESCALATED,
    Pass.TOP: NotificationKind.OVERDUE,
}
"""What the owner hears then."""


def passes(task: Task, people: People) -> Pass:
    """The next step. Where nobody of the queue can take it, that is `goes_up`."""
    queue = people.queue(task.queue)
    if not has_owner(task, people):
        return Pass.CHOOSE
    if task.claimed_at is not None:
        return Pass.WARN
    if task.reassigned < queue.reassign and queue.members.keys() - had_by(task):
        return Pass.REASSIGN
    return goes_up(task, people)


def has_owner(task: Task, people: People) -> bool:
    """Whether a member has it; one who was removed from people.toml is none any more."""
    return task.owner in people.members


def is_gone(task: Task, people: People) -> str:
    """Why its owner has it no longer; empty where they have, or there is none."""
    return NO_MEMBER.format(member=task.owner) if task.owner and not has_owner(task, people) else ""


def goes_up(task: Task, people: People) -> Pass:
    """The way up from here; TOP where there is none."""
    if task.escalated < MOST_ESCALATIONS:
        if people.queue(task.queue).escalate_to in people.queues.keys() - {task.queue}:
            return Pass.ESCALATE
        if _manager(task, people):
            return Pass.MANAGER
    return Pass.TOP


def goes_to(task: Task, what: Pass, people: People) -> str:
    """The queue whose members are chosen among; empty where there is nothing to choose."""
    if what is Pass.ESCALATE:
        return people.queue(task.queue).escalate_to
    return task.queue if what in {Pass.CHOOSE, Pass.REASSIGN} else ""


def time_from(task: Task, queue: str, people: People, now: datetime) -> datetime:
    """When the time of its next owner ends."""
    here = people.queue(queue)
    return worked(here, now, task.due or here.due)


def passed_on(task: Task, people: People, what: Pass, given: Assignment | None, now: datetime) -> Changed:
    """A task whose time is over, with its next owner: the `given` one where there was something to choose."""
    gone = is_gone(task, people)
    owner, why, queue = (given.owner, given.why, given.queue) if given else (task.owner, "", task.queue)
    if gone:
        owner, why = "" if owner == task.owner else owner, "; ".join(filter(None, (gone, why)))
    if what is Pass.MANAGER:
        owner, why = _manager(task, people), f"the manager of {task.owner}"
    up = what in {Pass.ESCALATE, Pass.MANAGER}
    after = replace(
        _after(task, Entry(now, CAIRN, what.value, owner, why)).in_queue(queue),
        owner=owner,
        claimed_at=None,
        passed=task.passed + 1,
        escalated=task.escalated + up,
        reassigned=0 if up else task.reassigned + (what is Pass.REASSIGN),
        sequence=task.sequence + 1,
        remind_at=None,
    )
    here = people.queue(queue)
    at_the_top = worked_after(here, now, pause_at_the_top(after)) if what is Pass.TOP and owner else None
    after = replace(after, next_at=at_the_top or time_from(task, queue, people, now))
    late = ((OVERDUE_EVENT, _properties(task)),) if task.passed == 0 else ()
    return Changed(after, ((NOTIFIES[what], owner),) if owner else (), late, sets_timers=True)


def pause_at_the_top(task: Task) -> timedelta:
    """How long until its owner, the last one in the chain, hears of it again, after what its history ends with."""
    heard = sum(1 for _ in takewhile(lambda one: one.what == Pass.TOP.value, reversed(task.history)))
    return PAUSES_AT_THE_TOP[min(heard, len(PAUSES_AT_THE_TOP)) - 1]


def joined(task: Task, enrollment: str, step: str) -> Changed:
    """A further enrollment waits for its outcome."""
    one = f"{enrollment}/{step}"
    if not enrollment or one in _waiting(task):
        return Changed(task)
    return Changed(replace(task, enrollments=(*task.enrollments, one)))


def said_since(task: Task, context: Mapping[str, Any]) -> Changed:
    """The customer has said more about it: the newest is what its owner should know, and makes it another task.

    So a closing of the task as it was before finds that it has changed.
    """
    return Changed(task if task.context == context else replace(task, context=context))


def left_by(task: Task, enrollment: str, step: str, why: str, now: datetime) -> Changed:
    """An enrollment wants it no more, or one of its steps: it is withdrawn where nobody else waits for it."""
    waiting = _waiting(task)
    others = tuple(one for one in waiting if not _is_of(one, enrollment, step))
    if not task.is_open or len(others) == len(waiting):
        return Changed(task)
    if not others:
        return withdrawn(task, why, CAIRN, now)
    first, _, its_step = others[0].partition("/")
    after = replace(task, enrollment=first, step=its_step, enrollments=others[1:])
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
    return replace(task, history=history, **changes)


def _with_note(task: Task, text: str, by: str, now: datetime) -> Task:
    return replace(task, notes=(*task.notes, Entry(now, by, "noted", why=text[:LONGEST_NOTE]))[-MOST_NOTES:])


def _back_at(task: Task, queue: Queue, at: datetime | None, again: timedelta | None, now: datetime) -> Task:
    """Comes back: at the very minute that the customer chose, or after some time when the queue works."""
    back = at or worked_after(queue, now, again or timedelta())
    ends = moved(back, CALLBACK_GRACE) if at is not None else worked(queue, back, task.due or queue.due)
    due_at = back if at is not None else ends
    return replace(task, due_at=due_at, remind_at=back, next_at=ends, sequence=task.sequence + 1)


def _back(at: datetime | None) -> str:
    """What the history says of a task that comes back."""
    return "called_back" if at is not None else "again"


def _is_said(task: Task, entry: Entry, at: datetime | None) -> bool:
    """Whether the last thing that happened to it is this very outcome, just now, and it has not come back since."""
    last = task.history[-1] if task.history else None
    if last is None or task.remind_at is None or last != replace(entry, at=last.at):
        return False
    return entry.at < min(task.remind_at, last.at + SAID_TWICE) and at in {None, task.remind_at}


def _says_no_more(task: Task, after: Task, note: str) -> bool:
    """Whether the task has these answers and this note."""
    return after.answers == task.answers and (not note or note[:LONGEST_NOTE] in {one.why for one in task.notes})


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
    what = f"done: {task.outcome}" if task.status is TaskStatus.DONE else "withdrawn"
    at = f", {instant_to_wire(task.done_at)}" if task.done_at else ""
    raise TaskClosedError(f"the task is {what} ({task.done_by or CAIRN}{at})")


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
