"""What operators and members do with tasks: list, show, claim, assign, note, finish and withdraw them."""

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from difflib import get_close_matches
from typing import TYPE_CHECKING, Any

from cairn.application.conflicts import until_committed
from cairn.application.customer.find_customer import FindCustomer
from cairn.application.people.follow_ups import follow_ups
from cairn.application.ports import Attempts, History, PresentCustomers, Scripts, TaskStore
from cairn.application.values.people import TaskPage
from cairn.domain.customer.state import Customer
from cairn.domain.effects import split_effect_id
from cairn.domain.identity.identifiers import CUSTOMER_ID
from cairn.domain.journey.conditions import Scope, evaluate
from cairn.domain.people import life
from cairn.domain.people.life import Changed
from cairn.domain.people.members import Outcome, People, Queue
from cairn.domain.people.script import Given, Script, Walked, check_outcome, walk
from cairn.domain.people.task import Task, TaskKind
from cairn.domain.replies.conversations import is_about_one, reopened
from cairn.domain.shared.errors import (
    InvalidRequestError,
    UnknownMemberError,
    UnknownQueueError,
    UnknownTaskError,
)
from cairn.domain.shared.instants import to_instant

if TYPE_CHECKING:
    from cairn.application.customer.explain_decisions import ExplainDecisions
    from cairn.domain.explain.explanations import CustomerExplanation, Sentence

LATEST = 10
"""Events and messages that a task is shown with."""

BETWEEN = "|"
"""Between the queue and the position in it, in what gives the next page."""


@dataclass(frozen=True, slots=True)
class By:
    """The operator who does something, when, and as which member."""

    actor: str
    now: datetime
    member: str = ""
    """Empty: it is looked for by the actor's name."""


@dataclass(frozen=True, slots=True)
class Shown:
    """A task with all that its owner should know."""

    task: Task
    outcomes: Sequence[Outcome]
    explained: "CustomerExplanation"
    attributes: Mapping[str, Any]
    """Stage, score and the like, as the profile has them."""
    events: Sequence[Mapping[str, Any]] = field(default_factory=tuple)
    """The latest first."""
    script: Script | None = None
    """Its call script, where it has one that is deployed."""

    @property
    def messages(self) -> "Sequence[Sentence]":
        return self.explained.decisions[:LATEST]


@dataclass(frozen=True, slots=True)
class TaskResult:
    """What a person says has come of a task."""

    outcome: str
    note: str = ""
    at: str = ""
    """When the customer wishes to be called; on the customer's own clock where it names no zone."""
    answers: Mapping[str, Any] = field(default_factory=dict)
    script: Sequence[Given] = ()
    """All that was said and answered at the lines of its script."""


@dataclass(frozen=True, slots=True)
class WorkOnTasks:
    """Each change writes who made it into the task's history, and what follows from it into its outbox."""

    store: TaskStore
    customers: PresentCustomers
    history: History
    find_customer: FindCustomer
    explain: "Callable[[], ExplainDecisions]"
    """Made when it is asked for: what says why messages were sent is not imported at each start."""
    people: People
    scripts: Scripts
    attempts: Attempts
    inbox: str = ""
    """The queue of replies.toml, in which conversations are opened; empty: there are none."""

    def page(self, queue: str, owner: str, limit: int, after: str, among: Collection[str] | None = None) -> TaskPage:
        """Open tasks of a queue, of an owner, or of all queues. Raises InvalidRequestError, Unknown…Error.

        `among`: of these queues only.
        """
        if among is not None and queue and queue not in among:
            raise UnknownQueueError(f"you have no queue {queue}; yours: {', '.join(sorted(among)) or 'none'}")
        if owner:
            owned = self.store.of_member(self._member(owner))
            queues = {queue} if queue else among
            return TaskPage([one for one in owned if queues is None or one.queue in queues][:limit])
        if queue:
            page = self.store.page(queue, limit, after.partition(BETWEEN)[2])
            if not page.tasks and not after:
                self._known(queue, self.people.queues, UnknownQueueError, "queue")
            return TaskPage(page.tasks, f"{queue}{BETWEEN}{page.after}" if page.after else "")
        if among is not None:
            return self.page_of(among, limit, after)
        return self.page_of({*self.people.queues, *OWN_QUEUES, *({self.inbox} - {""})}, limit, after)

    def page_of(self, queues: Collection[str], limit: int, after: str) -> TaskPage:
        """Open tasks of several queues, one queue after the other by name. Raises InvalidRequestError."""
        first, _, mark = after.partition(BETWEEN)
        names = [name for name in sorted(queues) if name >= first]
        found: list[Task] = []
        for name in names:
            page = self.store.page(name, limit - len(found), mark if name == first else "")
            found += page.tasks
            if page.after:
                return TaskPage(found, f"{name}{BETWEEN}{page.after}")
            if len(found) == limit:
                following = next((one for one in names if one > name), "")
                return TaskPage(found, f"{following}{BETWEEN}" if following else "")
        return TaskPage(found)

    def find(self, task_id: str, customer: str = "") -> Task:
        """A task, open or closed. Raises UnknownTaskError."""
        return self._find(task_id, customer)[0]

    def _find(self, task_id: str, name: str) -> tuple[Task, Customer | None]:
        """Also its customer, where looking for the name has loaded it."""
        start = task_id.partition("-")[0]
        customer = self.find_customer(name) if name else None
        if customer is not None:
            about: str | None = customer.id
        else:
            about = start if CUSTOMER_ID.fullmatch(start) else self.history.customer_of(split_effect_id(task_id)[0])
        present = self.customers.present_ids([about]).get(about) if about else None
        found = self.store.load(present, task_id) if present else None
        if found is None:
            raise UnknownTaskError("no such task; name its customer too, as `cairn task list` shows it")
        return found, customer

    def show(self, task_id: str, customer: str, by: By) -> Shown:
        """The task and its customer as they are now; who looked is in the audit."""
        task, found = self._find(task_id, customer)
        known = found or self.find_customer(task.customer)
        entries = list(self.history.entries(known.id))
        explained = self.explain().of(
            known, entries, by=by.actor, why=f"task {task.id}", now=by.now, time_zone=task.time_zone
        )
        attributes = {name: value for name, value in known.profile.view().items() if name in SHOWN_ATTRIBUTES}
        events = [one for one in entries if one["kind"] == "event"]
        latest, script = events[: -LATEST - 1 : -1], self.scripts.get(task.script) if task.script else None
        return Shown(task, self._outcomes(task), explained, attributes, latest, script)

    def claim(self, task_id: str, customer: str, by: By) -> Task:
        """Raises TaskOwnedError where another member has it."""
        return self._change(task_id, customer, by, lambda task: life.claimed(task, self._acting(by), by.now))

    def assign(self, task_id: str, customer: str, to: str, why: str, by: By) -> Task:
        member = self._member(to)
        return self._change(task_id, customer, by, lambda task: life.assigned(task, member, why, by.actor, by.now))

    def note(self, task_id: str, customer: str, text: str, by: By) -> Task:
        return self._change(task_id, customer, by, lambda task: life.noted(task, text, by.actor, by.now))

    def withdraw(self, task_id: str, customer: str, why: str, by: By) -> Task:
        return self._change(task_id, customer, by, lambda task: life.withdrawn(task, why, by.actor, by.now))

    def end(self, task: Task, outcome: str, by: By) -> Task:
        """Done with an outcome of Cairn's own, whatever those of its queue. One that is closed stays as it is."""

        def change(present: Task) -> Changed:
            if not present.is_open:
                return Changed(present)
            return life.done(present, Outcome(outcome, outcome), self._queue(present), by.now, by=by.actor)

        return self._change(task.id, task.customer, by, change, task)

    def done(self, task_id: str, customer: str, said: TaskResult, by: By) -> Task:
        """Raises as `life.done` does, and where the task's script has not come to this outcome."""
        found, known = self._find(task_id, customer)
        outcome, at = said.outcome, said.at
        chosen = next((one for one in self._outcomes(found) if one.name == outcome), None)
        if chosen is None:
            names = [one.name for one in self._outcomes(found)]
            near = get_close_matches(outcome, names, n=1)
            did_you_mean = f"; did you mean {near[0]}?" if near else ""
            raise InvalidRequestError([f"outcome: one of {', '.join(names)}{did_you_mean}"])
        customer_now = known or self.find_customer(found.customer)
        instant = to_instant(at, customer_now.zone(found.time_zone)) if at else None
        if at and instant is None:
            raise InvalidRequestError(["at: a date and a time, such as 2026-03-29T14:30, on the customer's clock"])
        member = self._member(by.member) if by.member else self.member_named(by.actor)
        queue, walked = self._queue(found), self._walked(found, said, customer_now, by.now)

        def change(task: Task) -> Changed:
            return life.done(
                task,
                chosen,
                queue,
                by.now,
                by=by.actor,
                member=member,
                answers={**said.answers, **_answers(walked)},
                attributes=walked.attributes if walked else {},
                note=said.note,
                at=instant,
            )

        return self._change(found.id, customer, by, change, found)

    def _walked(self, task: Task, said: TaskResult, customer: Customer, now: datetime) -> Walked | None:
        """How far the task's script has come; None where it has none. Raises LineSkippedError."""
        script = self.scripts.get(task.script)
        if script is None:
            return None
        walked = walk(script, said.script, evaluator(customer, now, task.time_zone))
        check_outcome(script, said.outcome, walked)
        return walked

    def _change(
        self, task_id: str, customer: str, by: By, change: Callable[[Task], Changed], found: Task | None = None
    ) -> Task:
        """The task as it is now. The same change again changes nothing. `found`: as it was just read, if it was.

        A text of the customer that comes while their conversation is closed has changed its task, and opens it again:
        by the same write, so that no crash comes between.
        """
        first = found or self.find(task_id, customer)
        read = [first]

        def attempt() -> Task:
            task = read.pop() if read else self.find(task_id, customer)
            if why := _closed_elsewhere(task):
                raise InvalidRequestError([f"task: {why}"])
            changed = change(task)
            if changed.task is task:
                if not task.is_open:  # the first attempt may have died before the owner's list was written
                    self.store.unlist(task)
                return task
            follows = follow_ups(changed, by.now)
            if is_about_one(task) and not changed.task.is_open and task.context != first.context:
                follows = (*follows, reopened(task, by.now))
            return self.store.change(task, changed.task, follows=follows)

        return until_committed(self.attempts, attempt, "the task keeps changing; try again")

    def _acting(self, by: By) -> str:
        member = self._member(by.member) if by.member else self.member_named(by.actor)
        if not member:
            raise InvalidRequestError(["as: the id of the member who does it, as in people.toml"])
        return member

    def member_named(self, actor: str) -> str:
        """The member who has the operator's name or e-mail address; empty where there is none."""
        name = actor.rpartition("/")[2]
        known = self.people.members
        return name if name in known else next((id_ for id_, one in known.items() if one.email == name), "")

    def _member(self, id_: str) -> str:
        return self._known(id_, self.people.members, UnknownMemberError, "member")

    @staticmethod
    def _known(name: str, known: Collection[str], error: type[Exception], what: str) -> str:
        if name in known or not known:
            return name
        near = get_close_matches(name, known, n=1)
        raise error(f"people.toml has no {what} {name}" + (f"; did you mean {near[0]}?" if near else ""))

    def _queue(self, task: Task) -> Queue:
        return self.people.queue(task.queue)

    def _outcomes(self, task: Task) -> Sequence[Outcome]:
        return tuple(life.outcomes_of(task, self.people).values())


def evaluator(customer: Customer, now: datetime, time_zone: str = "") -> Callable[[str], Any]:
    """The value of an expression about the customer, as a script's verification asks for it.

    `time_zone` is for a customer whose own is not known.
    """
    scope = Scope(customer.profile, now, {}, default_zone=time_zone or "UTC")
    return lambda expression: evaluate(expression, scope)


def _answers(walked: Walked | None) -> dict[str, Any]:
    if walked is None:
        return {}
    further = {"read": list(walked.read), "concerns": list(walked.concerns)}
    return {**walked.answers, **{name: value for name, value in further.items() if value}}


def _closed_elsewhere(task: Task) -> str:
    """How a task of Cairn's own is closed; empty for one that a journey has opened."""
    if task.version == 0 and task.kind is TaskKind.REVIEW:
        return "it is decided with: cairn review approve, or reject"
    return OWN_QUEUES.get(task.queue, "")


OWN_QUEUES = {
    "operations": "it ends when what it asks for is done: cairn switch resume",
    "privacy": "it is answered with: cairn privacy choose",
}
"""Queues of Cairn's own tasks, and how those are closed."""

SHOWN_ATTRIBUTES = frozenset({"stage", "score", "owner", "country", "region", "locale", "time_zone"})
