"""Give a task to the member who is to have it: read who has what, choose, write; again where another was faster."""

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from cairn.application.people.follow_ups import follow_ups
from cairn.application.ports import Attempts, TaskStore
from cairn.domain.effects import Effect
from cairn.domain.people.life import CAIRN, Changed, handed_over, soon, time_from
from cairn.domain.people.members import People
from cairn.domain.people.notification import NotificationKind
from cairn.domain.people.routing import Asked, Assignment, choose, members_of, with_deals, with_overrides
from cairn.domain.people.task import Entry, Task
from cairn.domain.shared.errors import ConflictError

OPENED, REASSIGNED = "opened", "reassigned"
MOST = 12
"""Attempts of one assignment."""


@dataclass(frozen=True, slots=True)
class Opened:
    task: Task
    """As it is stored; where it was there before, that one."""
    is_new: bool


def nothing(_task: Task) -> Sequence[Effect]:
    return ()


@dataclass(frozen=True, slots=True)
class AssignTasks:
    """`people` is the deployment's people.toml."""

    store: TaskStore
    people: People
    attempts: Attempts

    def open(self, task: Task, now: datetime, follows: Callable[[Task], Sequence[Effect]] = nothing) -> Opened:
        """Store a task, with its owner, and its first line of history, which says why: two calls.

        One that is open already, or that was opened at this instant or later, stays as it is. Raises ConflictError
        where others are faster each time; then nothing is written.
        """
        for _ in self.attempts(MOST):
            given, stored = self._choice(task, now, (), (task.customer, task.id))
            if stored is not None and (stored.is_open or stored.opened_at >= task.opened_at):
                return Opened(stored, is_new=False)
            first = Entry(task.opened_at, CAIRN, OPENED, given.owner, given.why)
            new = replace(
                task.in_queue(given.queue),
                owner=given.owner,
                history=(first, *task.history),
                sequence=task.sequence + (stored.sequence if stored else 0),
                version=stored.version if stored else 0,
            )
            try:
                return Opened(self.store.open(new, given, follows(new)), is_new=True)
            except ConflictError:
                continue
        raise ConflictError("others were given tasks at the same time, again and again")

    def choice(self, task: Task, queue: str, now: datetime, without: Collection[str] = ()) -> Assignment:
        """The assignment of a task that is stored, of this queue, without these members: for `TaskStore.change`."""
        return self._choice(replace(task, queue=queue), now, without, None)[0]

    def pass_on(self, task: Task, now: datetime, by: str, why: str) -> Task:
        """Give a stored task to another member of its queue, or to nobody; its history says why.

        Where it has changed meanwhile, and its owner has it no longer, it stays as it is.
        """
        owner, present = task.owner, task
        for _ in self.attempts(MOST):
            within = present.due_at if present.due_at > now else time_from(present, present.queue, self.people, now)
            given = self.choice(replace(present, due_at=within), present.queue, now, (owner,))
            entry = Entry(now, by, REASSIGNED, given.owner, f"{why}; {given.why}")
            after = present.in_queue(given.queue)
            notified = ((NotificationKind.REASSIGNED, given.owner),) if given.owner else ()
            changed = soon(Changed(handed_over(after, entry), notified), now)
            try:
                return self.store.change(present, changed.task, given, follow_ups(changed, now))
            except ConflictError:
                found = self.store.load(task.customer, task.id)
                if found is None or not found.is_open or found.owner != owner:
                    return found or present
                present = found
        raise ConflictError("others were given tasks at the same time, again and again")

    def _choice(
        self, task: Task, now: datetime, without: Collection[str], key: tuple[str, str] | None
    ) -> tuple[Assignment, Task | None]:
        asked = members_of(task.queue, self.people) | ({task.wanted.member} - {""})
        staff = self.store.staff(sorted(asked), task.wanted.deals, key)
        wanted, work = with_deals(task.wanted, staff.deals, now), staff.work
        if wanted.member and wanted.member not in asked:
            work = self.store.staff([wanted.member]).work
        people = with_overrides(self.people, staff.overrides)
        given = choose(task.queue, Asked(people, work, wanted, now, task.due_at, task.id, without))
        return given, staff.task
