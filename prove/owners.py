"""Many workers give tasks to members at the same time: fair to one task, within each capacity, nobody twice.

    DYNAMODB_LOCAL=FOLDER python -m prove.owners [--leads 10000] [--workers 16]

Half of the leads go round robin to members without a limit. The other half go to members with a capacity, which is less
than there are leads: the rest has no owner, and says why. Every tenth lead is delivered twice, as queues do.
"""

import argparse
import sys
import time
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from bench.aws_calls import noted
from bench.dynamodb_local import dynamodb_local
from cairn.adapters.backoff import attempts
from cairn.adapters.dynamodb.tasks import DynamoTasks
from cairn.application.people.assign_tasks import AssignTasks
from cairn.domain.people.members import Member, People, Queue
from cairn.domain.people.task import Task
from cairn.domain.shared.errors import ConflictError
from tests.table import empty_table

NOW = datetime(2026, 3, 2, 14, tzinfo=UTC)
FAIR, LIMITED = "fair", "limited"
MEMBERS = 16
TWICE = 10
"""Every so many leads are delivered twice."""

ROUNDS = 1_000
"""Deliveries of one lead before it counts as lost. A queue makes as many (settings.MAX_RECEIVES)."""


@dataclass(frozen=True)
class Figures:
    leads: int
    seconds: float
    calls: Counter[str]
    redeliveries: int
    """Leads that a worker could not give to a member in one go, because others were faster each time."""
    fair: Mapping[str, int]
    """Tasks of each member of the first queue."""
    limited: Mapping[str, int]
    capacity: int
    unassigned: int
    problems: Sequence[str] = field(default_factory=list)

    def __str__(self) -> str:
        least, most = min(self.fair.values()), max(self.fair.values())
        lines = [
            f"{self.leads} leads in {self.seconds:.0f} s, {self.leads / self.seconds:.0f} a second",
            f"calls for each: {', '.join(f'{n / self.leads:.2f} {name}' for name, n in self.calls.most_common())}",
            f"delivered again after conflicts: {self.redeliveries}",
            f"round robin: {len(self.fair)} members have {least} to {most} tasks each",
            f"capacity {self.capacity}: {sorted(set(self.limited.values()))} each, {self.unassigned} for nobody",
            *self.problems,
        ]
        return "\n".join(lines)


def run(leads: int, workers: int) -> Figures:
    """On the table that the adapters are bound to, which is empty."""
    people = _people(capacity := max(1, leads // 2 // MEMBERS - 1))
    store = DynamoTasks()
    assign = AssignTasks(store, people, attempts)
    asked = [number for number in range(leads) for _ in range(1 + (number % TWICE == 0))]

    def deliver(number: int) -> int:
        """How often it had to be delivered again."""
        for again in range(ROUNDS):
            try:
                assign.open(_lead(number), NOW)
            except ConflictError:
                continue
            return again
        raise AssertionError(f"lead {number} was never given to anybody")

    began = time.monotonic()
    with noted() as calls, ThreadPoolExecutor(workers) as pool:
        redeliveries = sum(pool.map(deliver, asked))
    seconds = time.monotonic() - began
    tasks = [store.load(f"c{number}", f"lead-{number}") for number in range(leads)]
    owners = {name: Counter(task.owner for task in tasks if task and task.queue == name) for name in (FAIR, LIMITED)}
    return Figures(
        leads=leads,
        seconds=seconds,
        calls=Counter(call.operation for call in calls),
        redeliveries=redeliveries,
        fair={name: owners[FAIR][name] for name in people.queues[FAIR].members},
        limited={name: owners[LIMITED][name] for name in people.queues[LIMITED].members},
        capacity=capacity,
        unassigned=owners[LIMITED][""],
        problems=list(_problems(store, people, tasks, owners, capacity)),
    )


def _problems(
    store: DynamoTasks,
    people: People,
    tasks: Sequence[Task | None],
    owners: Mapping[str, Counter[str]],
    capacity: int,
) -> Iterable[str]:
    if None in tasks:
        yield f"{tasks.count(None)} leads are lost"
    counts = [owners[FAIR][name] for name in people.queues[FAIR].members]
    if max(counts) - min(counts) > 1 or sum(counts) != sum(owners[FAIR].values()):
        yield f"round robin is not fair: {dict(owners[FAIR])}"
    if any(owners[LIMITED][name] != capacity for name in people.queues[LIMITED].members):
        yield f"a capacity of {capacity} is not used or not respected: {dict(owners[LIMITED])}"
    listed = {name: {one.id for one in store.of_member(name)} for name in people.members}
    theirs = {name: {task.id for task in tasks if task and task.owner == name} for name in people.members}
    if listed != theirs:
        yield "a member's list is not what the tasks say"
    if unexplained := [task.id for task in tasks if task and not task.owner and "enough to do" not in _why(task)]:
        yield f"no owner, and no reason: {unexplained[:5]}"


def _why(task: Task) -> str:
    return task.history[0].why if task.history else ""


def _people(capacity: int) -> People:
    members = {
        f"{queue}-{number}": Member(f"{queue}-{number}", "Someone", capacity=capacity if queue == LIMITED else 0)
        for queue in (FAIR, LIMITED)
        for number in range(MEMBERS)
    }
    queues = {
        queue: Queue(queue, queue, {name: 1 for name in members if name.startswith(queue)}) for queue in (FAIR, LIMITED)
    }
    return People(queues, members)


def _lead(number: int) -> Task:
    queue = FAIR if number % 2 else LIMITED
    return Task(f"lead-{number}", f"c{number}", queue, "Call them", NOW, NOW + timedelta(hours=8))


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--leads", type=int, default=10_000)
    parser.add_argument("--workers", type=int, default=16)
    wanted = parser.parse_args()
    with dynamodb_local() as endpoint:
        if endpoint is None:
            print("set DYNAMODB_LOCAL to the folder of DynamoDB Local (bench/dynamodb_local.py)", file=sys.stderr)
            return 2
        with empty_table(endpoint):
            figures = run(wanted.leads, wanted.workers)
    print(figures)
    return 1 if figures.problems else 0


if __name__ == "__main__":
    sys.exit(main())
