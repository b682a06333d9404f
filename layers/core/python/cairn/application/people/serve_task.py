"""What a member sees and does behind the personal link of a task."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

from cairn.application.people.work_on_tasks import By, TaskResult, WorkOnTasks
from cairn.application.ports import Customers, History, TaskStore
from cairn.domain.customer.state import Customer
from cairn.domain.people.life import outcomes_of
from cairn.domain.people.members import Outcome, People
from cairn.domain.people.task import Task
from cairn.domain.shared.errors import UnknownCustomerError

if TYPE_CHECKING:
    from cairn.domain.explain.explanations import Sentence

RECENT = 12
"""Events and decisions that the page shows."""


@dataclass(frozen=True, slots=True)
class TaskSeen:
    """A task as one member sees it now."""

    task: Task
    customer: Customer
    member: str
    member_name: str
    owner_name: str
    members_zone: str
    """The clock of due times: the member's own, or the queue's."""
    zone: str
    """The customer's clock."""
    is_theirs: bool
    """Whether they see the customer: it is their task, or nobody's in one of their queues."""
    may_claim: bool
    outcomes: Mapping[str, Outcome]
    sentences: "tuple[Sentence, ...]" = ()
    """The latest decisions, the last one first."""


@dataclass(frozen=True, slots=True)
class ServeTask:
    """Nothing of a customer is shown to a member who has the task no more, whatever the link says."""

    store: TaskStore
    work: WorkOnTasks
    customers: Customers
    history: History
    people: People

    def look(self, customer_id: str, task_id: str, member_id: str) -> TaskSeen | None:
        """None where the task is gone, with its customer or after its time."""
        try:
            customer = self.customers.load(customer_id)
        except UnknownCustomerError:
            return None
        task = self.store.load(customer.id, task_id)
        member = self.people.members.get(member_id)
        if task is None or member is None:
            return None
        queue = self.people.queue(task.queue)
        free = not task.owner and member.id in queue.members
        owner = self.people.members.get(task.owner)
        theirs = task.owner == member.id or free
        return TaskSeen(
            task=task,
            customer=customer,
            member=member.id,
            member_name=member.name,
            owner_name=owner.name if owner else task.owner,
            members_zone=self.people.clock_of(member, task.queue),
            zone=customer.zone(task.time_zone).key,
            is_theirs=theirs,
            may_claim=theirs and task.claimed_at is None,
            outcomes=outcomes_of(task, self.people),
            sentences=self._sentences(customer, task) if theirs else (),
        )

    def claim(self, task: Task, member_id: str, now: datetime) -> None:
        """Raises TaskOwnedError, TaskClosedError or ConflictError."""
        self.work.claim(task.id, task.customer, By(member_id, now, member_id))

    def done(self, task: Task, said: TaskResult, member_id: str, now: datetime) -> None:
        """Raises what WorkOnTasks.done raises."""
        self.work.done(task.id, task.customer, said, By(member_id, now, member_id))

    def _sentences(self, customer: Customer, task: Task) -> "tuple[Sentence, ...]":
        from cairn.domain.explain.explanations import explain_customer  # noqa: PLC0415  with the gate's sentences

        entries = self.history.entries(customer.id)
        return explain_customer(customer, {}, entries, time_zone=task.time_zone).decisions[:RECENT]
