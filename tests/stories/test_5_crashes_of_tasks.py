"""Promise 5 for tasks: a crash at any AWS call of a task's life gives no second owner, and loses no timer or outcome.

As test_5_crashes: a branch of the story begins at every call, and its process dies before the call, or after the last
one of an invocation.
"""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from itertools import count
from pathlib import Path
from typing import Any

import pytest

from bench.calls import Call, watched
from cairn.adapters.dynamodb.tasks import DynamoTasks
from tests.conftest import Story
from tests.stories.forks import Crash, Forks
from tests.stories.test_5_crashes import CrashPoint, is_last_of_its_invocation, surviving
from tests.stories.test_tasks_of_journeys import ADA, PEOPLE, TUESDAY, asks, opened_story


@pytest.fixture
def story(tmp_path: Path) -> Iterator[Story]:
    with opened_story(tmp_path, TUESDAY, PEOPLE) as opened:
        yield opened


RECORDED = ("kind", "type", "status", "outcome", "queue")


@dataclass(frozen=True)
class Ending:
    recorded: Counter[tuple[str, ...]]
    history: tuple[str, ...]
    """What the task's history says happened, in order."""
    open: tuple[tuple[str, ...], ...]
    """The lists of the members."""
    given: int
    """Tasks that were given to members by the rules."""


def keeps_asking(
    story: Story,
    do: str,
    task: str,
    **fields: Any,
) -> None:
    while asks(story, do, task, **fields)[0] not in {200, 409}:
        story.passes("1m")


def run_story(story: Story) -> Ending:
    """A lead arrives; the first owner says nothing, the second has no answer, and then books a visit."""
    while story.happens("lead.captured", "lead-1", customer=ADA, properties={"page": "/"})["statusCode"] != 202:
        story.passes("1m")
    story.passes("20m")
    (first,) = DynamoTasks().page("sales", 2).tasks
    story.passes("5h")
    (second,) = DynamoTasks().page("sales", 2).tasks
    keeps_asking(story, "claim", second.id, **{"as": second.owner})
    keeps_asking(story, "done", second.id, outcome="no_answer")
    story.passes("30m")
    keeps_asking(story, "done", second.id, outcome="booked")
    story.passes("1h")

    lines = story.timeline()
    (task,) = (line for line in lines if line["kind"] == "task")
    members = ("ana", "ben", "cleo", "maria")
    work = DynamoTasks().staff(members).work
    assert first.owner != second.owner
    return Ending(
        Counter(tuple(str(line[name]) for name in RECORDED if line.get(name)) for line in lines),
        tuple(one["what"] for one in task["history"]),
        tuple(tuple(work[one].open) if one in work else () for one in members),
        sum(share.number for one in work.values() for share in one.shares.values()),
    )


def run_again(story: Story, folder: Path, **watchers: Any) -> tuple[Ending, list[Call]]:
    """On the next morning in New York, in fresh processes."""
    days = max(0, -((TUESDAY - story.deployment.now()) // timedelta(days=1)))
    story.deployment.advance_to(TUESDAY + timedelta(days=days))
    story.deletes_all_items()
    story.deployment.deploy(folder)
    with watched(story.deployment, **watchers) as calls:
        handlers = story.deployment.handlers
        story.deployment.handlers = {name: surviving(handler) for name, handler in handlers.items()}
        return run_story(story), calls


def test_a_crash_at_any_call_of_a_tasks_life_changes_nothing_of_it(story: Story, tmp_path: Path) -> None:
    run_again(story, tmp_path)  # what a process reads once in its life is read
    without_fault, plan = run_again(story, tmp_path)
    assert without_fault.history == ("opened", "reassigned", "claimed", "again", "done")
    assert (without_fault.open, without_fault.given) == (((),) * 4, 2)

    forks, numbers, answers = Forks(), count(), count()

    def before(_: Call) -> None:
        if forks.branch(CrashPoint(next(numbers))):
            raise Crash

    def after(_: Call) -> None:
        number = next(answers)
        if forks.point is not None or not is_last_of_its_invocation(plan, number):
            return
        if forks.branch(CrashPoint(number, answered=True)):
            raise Crash

    with forks.branching() as result:
        ending, calls = run_again(story, tmp_path, before=before, after=after)
        result.append(ending)
    assert ending == without_fault
    assert len(forks.results) > len(plan) == len(calls)

    wrong = [
        f"{point.number}. {plan[point.number]}, answered: {point.answered}: {ending}"
        for point, ending in forks.results
        if ending != without_fault
    ]
    assert not wrong, f"{len(wrong)} crashes of {len(forks.results)}\n" + "\n".join(wrong)
