"""Look again when a conversation was closed: what the customer wrote meanwhile found its task open, and opened none."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime

from cairn.application.ports import Attempts, History, TaskStore
from cairn.domain.people.task import Task
from cairn.domain.replies.conversations import reopened
from cairn.domain.replies.rules import Replies
from cairn.domain.replies.thread import replies_in, thread
from cairn.domain.shared.errors import ConflictError

ATTEMPTS = 8


@dataclass(frozen=True, slots=True)
class LookAgain:
    history: History
    store: TaskStore
    attempts: Attempts
    replies: Replies | None = None
    """None: the deployment has no replies.toml, and so no conversations."""

    @property
    def queues(self) -> Collection[str]:
        """Where conversations are opened."""
        return (self.replies.queue,) if self.replies is not None else ()

    def heard(self, customer_id: str) -> Collection[str]:
        """The ids of all that the customer has written until now, which a person who closes it may have read."""
        return replies_in(thread(self.history.entries(customer_id))).keys()

    def __call__(self, closed: Task, heard: Collection[str], now: datetime) -> bool:
        """Whether the conversation opens again, because of a text that was not among those `heard` before.

        The new task stands in the outbox of the closed one, and is opened as any other. Raises ConflictError.
        """
        after = replies_in(thread(self.history.entries(closed.customer)))
        new = [line for id_, line in after.items() if id_ not in heard]
        if self.replies is None or not new:
            return False
        task: Task | None = closed
        for _ in self.attempts(ATTEMPTS):
            if task is None or task.is_open:
                return task is not None
            try:
                self.store.change(task, task, follows=[reopened(task, self.replies, new[-1], now)])
            except ConflictError:
                task = self.store.load(closed.customer, closed.id)
            else:
                return True
        raise ConflictError("the task keeps changing; try again")
