"""The timer of a task has fired: its owner is reminded, or it is passed on."""

from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum

from cairn.application.conflicts import until_committed
from cairn.application.people.assign_tasks import AssignTasks
from cairn.application.people.follow_ups import follow_ups
from cairn.application.ports import Attempts, MemberNotifications, PresentCustomers, TaskStore
from cairn.domain.people import life
from cairn.domain.people.life import Changed, Fires, Pass
from cairn.domain.people.members import People
from cairn.domain.people.notification import MemberNotification, NotificationKind
from cairn.domain.people.routing import Assignment
from cairn.domain.people.task import Task
from cairn.domain.shared.hashing import short_hash


class TaskWoken(StrEnum):
    """What a timer has brought."""

    STALE = "stale"
    SET_AGAIN = "set_again"
    REMINDED = "reminded"
    PASSED_ON = "passed_on"
    UNSTAFFED = "unstaffed"
    """Nobody can take it, and its time is over."""
    AT_THE_TOP = "at_the_top"
    """Its owner is the last in the chain, and has not done it."""


@dataclass(frozen=True, slots=True)
class FireTaskTimer:
    store: TaskStore
    assign: AssignTasks
    customers: PresentCustomers
    notify: MemberNotifications
    people: People
    attempts: Attempts

    def __call__(self, customer: str, task_id: str, sequence: int, now: datetime) -> tuple[TaskWoken, Task | None]:
        """A stale timer changes nothing. Raises ConflictError where others keep changing the task."""

        def attempt() -> tuple[TaskWoken, Task | None]:
            task = self._present(customer, task_id)
            return (self._fire(task, sequence, now), task) if task is not None else (TaskWoken.STALE, None)

        return until_committed(self.attempts, attempt, "the task keeps changing; its timer is handled once more")

    def _fire(self, task: Task, sequence: int, now: datetime) -> TaskWoken:
        match life.fires(task, sequence, now):
            case Fires.STALE:
                return TaskWoken.STALE
            case Fires.EARLY:
                self._write(task, Changed(replace(task, sequence=task.sequence + 1), sets_timers=True), now)
                return TaskWoken.SET_AGAIN
            case Fires.REMINDS if life.has_owner(task, self.people):
                this = short_hash(task.id, str(task.sequence), "reminder", length=26)
                kind = NotificationKind.REMINDER
                self.notify.put([MemberNotification(this, kind, task.owner, task.id, task.customer, now)])
                return TaskWoken.REMINDED
            case Fires.REMINDS:
                given = self.assign.choice(task, task.queue, now)
                if not given.owner:
                    return TaskWoken.UNSTAFFED
                why = "; ".join(filter(None, (life.is_gone(task, self.people), given.why)))
                changed = life.assigned(task, given.owner, why, life.CAIRN, now)
                self._write(task, replace(changed, task=changed.task.in_queue(given.queue)), now, given)
                return TaskWoken.PASSED_ON
            case Fires.PASSES:
                return self._pass_on(task, now)

    def _pass_on(self, task: Task, now: datetime) -> TaskWoken:
        what = life.passes(task, self.people)
        given = self._choice(task, what, now)
        if given is not None and not given.owner and what is not Pass.ESCALATE:  # nobody of its queue can take it
            what = life.goes_up(task, self.people)
            given = self._choice(task, what, now)
        changed = life.passed_on(task, self.people, what, given, now)
        self._write(task, changed, now, given)
        if not changed.task.owner:
            return TaskWoken.UNSTAFFED
        return TaskWoken.AT_THE_TOP if what is Pass.TOP else TaskWoken.PASSED_ON

    def _choice(self, task: Task, what: Pass, now: datetime) -> Assignment | None:
        queue = life.goes_to(task, what, self.people)
        if not queue:
            return None
        within = life.time_from(task, queue, self.people, now)
        return self.assign.choice(replace(task, due_at=within), queue, now, life.had_by(task))

    def _write(self, task: Task, changed: Changed, now: datetime, given: Assignment | None = None) -> None:
        by_the_rules = given if given is not None and given.owner == changed.task.owner != task.owner else None
        self.store.change(task, changed.task, by_the_rules, follow_ups(changed, now))

    def _present(self, customer: str, task_id: str) -> Task | None:
        """The task, which may be with the customer into whom its own was merged."""
        found = self.store.load(customer, task_id)
        if found is not None:
            return found
        present = self.customers.present_ids([customer]).get(customer, customer)
        return self.store.load(present, task_id) if present != customer else None
