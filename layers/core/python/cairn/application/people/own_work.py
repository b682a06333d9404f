"""What agents work on: the tasks of their own queues, and the customers of these tasks."""

from collections.abc import Mapping
from dataclasses import dataclass

from cairn.application.people.work_on_tasks import WorkOnTasks
from cairn.domain.people.task import Task
from cairn.domain.shared.errors import (
    AmbiguousNameError,
    RoleMissingError,
    UnknownCustomerError,
    UnknownMessageError,
    UnknownTaskError,
)


@dataclass(frozen=True, slots=True)
class OwnWork:
    """An agent is the member of people.toml who has the operator's name or e-mail address as id or address.

    Where people.toml has no members, nobody's queues are known, and an agent may work on all tasks.
    """

    work: WorkOnTasks

    def queues(self, actor: str) -> frozenset[str] | None:
        """The queues of which the agent is a member; None: all. Raises RoleMissingError for no member at all."""
        return self._queues_of(self.member(actor)) if self.work.people.members else None

    def member(self, actor: str) -> str:
        """Raises RoleMissingError."""
        found = self.work.member_named(actor)
        if not found:
            raise RoleMissingError("people.toml has no member with your name or e-mail address, so you have no queues")
        return found

    def check(self, actor: str, about: Mapping[str, str]) -> None:
        """`task`, `message`, `customer` and `as` of a request, as far as it names them.

        Raises RoleMissingError for another member's name, and UnknownTaskError or UnknownCustomerError for what is
        not the agent's own, whether it exists or not.
        """
        if not self.work.people.members:
            return
        member = self.member(actor)
        if about.get("as", member) != member:
            raise RoleMissingError(f"as an agent you act as yourself ({member}), not as another member")
        if about.keys() - {"as"} and not any(self._is_own(one, member) for one in self._tasks(about)):
            if about.get("task"):
                raise UnknownTaskError("your queues have no such task")
            raise UnknownCustomerError("no customer of an open task of your queues has that name")

    def _tasks(self, about: Mapping[str, str]) -> list[Task]:
        """The task that a request names, or the tasks of the customer whom it is about."""
        task, message, customer = (about.get(name, "") for name in ("task", "message", "customer"))
        find = self.work.find_customer
        try:
            if task:
                return [self.work.find(task, customer)]
            found = find.of_message(message.partition(".")[0], customer) if message else find(customer)
        except (AmbiguousNameError, UnknownCustomerError, UnknownMessageError, UnknownTaskError):
            return []
        return [one for one in self.work.store.of_customer(found.id) if one.is_open]

    def _is_own(self, task: Task, member: str) -> bool:
        return task.owner == member or task.queue in self._queues_of(member)

    def _queues_of(self, member: str) -> frozenset[str]:
        return frozenset(name for name, queue in self.work.people.queues.items() if member in queue.members)
