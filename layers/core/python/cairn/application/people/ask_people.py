"""What an enrollment or a reply asks of people: open a task, and withdraw it when it makes no sense any more."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from cairn.application.conflicts import ATTEMPTS
from cairn.application.people.assign_tasks import AssignTasks, Opened
from cairn.application.people.follow_ups import follow_ups
from cairn.application.ports import Attempts, TaskStore, Timeline
from cairn.domain.effects import Effect, Fact, OpenTask, WithdrawTasks
from cairn.domain.people.life import Changed, first_said, joined, left_by, opened, said_since
from cairn.domain.people.members import People
from cairn.domain.people.routing import is_sticky, wanted_of
from cairn.domain.people.task import CONVERSATION, Task, id_of
from cairn.domain.profile.profile import Profile
from cairn.domain.shared.errors import ConflictError
from cairn.domain.shared.hashing import short_hash


@dataclass(frozen=True, slots=True)
class AskPeople:
    store: TaskStore
    assign: AssignTasks
    timeline: Timeline
    people: People
    attempts: Attempts
    on_unstaffed: Callable[[Task], None]
    """Called for each new task that nobody can do before it is due."""

    def open(self, profile: Profile, journey: str, asked: OpenTask, at: datetime, now: datetime) -> None:
        """Open it once, with its owner and its timers. Idempotent; what was done before `at` is opened again.

        Another task that is open for the same reason answers this one too, and a fact says so; that of a conversation
        shows what was said last. In a queue that people.toml does not have it has a deadline and no timer, and `sweep`
        finds it when it is overdue. Raises ConflictError where it closes at this moment: tried again, one is opened.
        """
        queue, task = self.people.queues.get(asked.queue), self._task(profile, journey, asked, at)
        if queue is not None:
            task = opened(task, queue)

        def follows(new: Task) -> Sequence[Effect]:
            return follow_ups(first_said(new, queue, self.people), now) if queue is not None else ()

        if queue is not None and is_sticky(asked.queue, self.people):
            task = replace(task, wanted=replace(task.wanted, at_work=self._at_work(task)))
        before = self._under_another_id(task, profile)
        found = Opened(before, is_new=False) if before else self.assign.open(task, now, follows)
        if found.is_new:
            if queue is not None and not found.task.owner:
                self.on_unstaffed(found.task)
        elif found.task.is_open and asked.reason == CONVERSATION:
            self._change(found.task, _while_open(lambda one: said_since(one, asked.context)), now)
        elif found.task.is_open and asked.reason:
            self._join(found.task, profile.id, journey, asked, now)

    def withdraw(self, customer: str, wish: WithdrawTasks) -> None:
        """One read, and a write for each task. Idempotent."""
        for task in self.store.of_customer(customer):
            if task.enrollment == wish.enrollment and not task.is_open:  # a crash may have left it in its owner's list
                self.store.unlist(task)
            self._change(task, lambda one: left_by(one, wish.enrollment, wish.step, wish.because, wish.at), wish.at)

    def _at_work(self, task: Task) -> str:
        """The owner of the customer's open task, of several that of the one opened last; empty where there is none."""
        others = [one for one in self.store.of_customer(task.customer) if one.is_open and one.owner]
        latest = max(
            (one for one in others if one.id != task.id), key=lambda one: (one.opened_at, one.id), default=None
        )
        return latest.owner if latest else ""

    def _under_another_id(self, task: Task, profile: Profile) -> Task | None:
        """A task that is open for the same reason since before a merge, when its customer had another id."""
        if not task.reason or not profile.merged:
            return None
        tasks = self.store.of_customer(profile.id)
        return next((one for one in tasks if one.is_open and one.reason == task.reason and one.id != task.id), None)

    def _join(self, task: Task, customer: str, journey: str, asked: OpenTask, now: datetime) -> None:
        if not self._change(task, _while_open(lambda one: joined(one, asked.enrollment, asked.step)), now):
            return
        because = {"task": task.id, "because": f"a task is open for the same reason: {asked.reason}"}
        fact = Fact("not_opened", asked.enrollment, journey, asked.step, because)
        self.timeline.remember(customer, f"{task.id}-{short_hash(asked.id, length=8)}", [fact], now)

    def _change(self, task: Task, change: Callable[[Task], Changed], now: datetime) -> bool:
        """Whether it changed anything. Raises ConflictError where others keep changing the task."""
        present: Task | None = task
        for _ in self.attempts(ATTEMPTS):
            if present is None:
                return False
            changed = change(present)
            if changed.task is present:
                return False
            try:
                self.store.change(present, changed.task, follows=follow_ups(changed, now))
            except ConflictError:
                present = self.store.load(task.customer, task.id)
            else:
                return True
        raise ConflictError("the task keeps changing; it is tried again")

    def _task(self, profile: Profile, journey: str, asked: OpenTask, at: datetime) -> Task:
        attributes = profile.view(at)
        wanted = wanted_of(attributes, self.people, [one.value for one in profile.identifiers if one.kind == "email"])
        return Task(
            id=id_of(profile.id, asked.reason) if asked.reason else asked.id,
            customer=profile.id,
            queue=asked.queue,
            title=asked.title,
            opened_at=at,
            due_at=asked.due_at,
            kind=asked.kind,
            priority=asked.priority,
            journey=journey,
            enrollment=asked.enrollment,
            step=asked.step,
            reason=asked.reason,
            script=asked.script,
            time_zone=asked.time_zone,
            context=asked.context,
            wanted=replace(wanted, skills=frozenset(asked.skills), member=asked.member),
            due=asked.due,
        )


def _while_open(change: Callable[[Task], Changed]) -> Callable[[Task], Changed]:
    """Raises ConflictError for a task that was closed meanwhile."""

    def changed(task: Task) -> Changed:
        if not task.is_open:
            raise ConflictError("the task was closed at this moment; another one is opened")
        return change(task)

    return changed
