"""What a person says has come of a task, in a simulation: as people.toml has it, which may bring the task back."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from authoring.problems import did_you_mean
from cairn.domain.effects import Effect, Fact, OpenTask
from cairn.domain.people.life import DONE, MOST_TRIES, worked, worked_after
from cairn.domain.people.members import Outcome, People, Queue
from cairn.domain.shared.errors import CairnError


class InvalidEventError(CairnError):
    """An event of a simulation is not written as one, or cannot happen."""


@dataclass(frozen=True, slots=True)
class TaskRules:
    """The tasks of one deployment. Without people.toml a task is done with whatever outcome is said."""

    people: People

    def opened(self, what: Fact | Effect, at: datetime) -> Fact | Effect:
        """A task that is opened now with its due time, in the working hours of its queue; all else as it is."""
        queue = self.people.queues.get(what.queue) if isinstance(what, OpenTask) else None
        if queue is None or not isinstance(what, OpenTask):
            return what
        return replace(what, due_at=worked(queue, at, what.due or queue.due))

    def outcome(self, queue: str, name: str) -> Outcome:
        """Raises InvalidEventError, with the near one."""
        known = self._outcomes(queue)
        if known is None:
            return Outcome(name, name)
        if name not in known:
            fix = did_you_mean(name, known, f"It has {', '.join(known)}.")
            raise InvalidEventError(f'the queue {queue} has no outcome "{name}". {fix}')
        return known[name]

    def again(self, task: OpenTask, outcome: Outcome, at: datetime) -> OpenTask:
        """The same task, when it comes back. At an hour of choice it does so as soon as it may."""
        queue = self.people.queue(task.queue)
        back = worked_after(queue, at, outcome.again or timedelta())
        return replace(task, due_at=back if outcome.at_hour_of_choice else worked(queue, back, task.due or queue.due))

    def soonest(self, queue: str, outcome: Outcome, at: datetime) -> datetime:
        """When this outcome is the last one at the soonest: a task comes back so often before that."""
        for one in self._returns(self.people.queue(queue), outcome, at):
            at = one
        return at

    @staticmethod
    def _returns(queue: Queue, outcome: Outcome, at: datetime) -> Iterator[datetime]:
        for _ in range(MOST_TRIES if outcome.again is not None else 0):
            at = worked_after(queue, at, outcome.again or timedelta())
            yield at

    def _outcomes(self, queue: str) -> dict[str, Outcome] | None:
        here = self.people.queues.get(queue)
        return None if here is None else dict(here.outcomes) or {DONE.name: DONE}


def comes_back(outcome: Outcome, tries: int) -> bool:
    """Whether the task comes back after it, where it has come back so often already."""
    return tries < MOST_TRIES and (outcome.again is not None or outcome.at_hour_of_choice)
