"""The tasks of members who were removed from people.toml: passed on after a deployment, and for a day after it."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace
from typing import Any

import pytest

from cairn.application.people.pass_on_removed import WATCHED_FOR, PassOnRemoved
from cairn.application.values.people import Roster
from cairn.domain.people.task import Task

NOW = datetime(2026, 3, 2, 14, tzinfo=UTC)
BEFORE = Roster(frozenset({"ana", "ben"}))


def a_task(name: str, owner: str) -> Task:
    return Task(name, "c1", "sales", "Call", NOW, NOW, owner=owner)


@dataclass
class Fakes:
    """All that is noted of members, and the tasks of a store; each that is passed on goes to ben."""

    noted: Roster | None = BEFORE
    tasks: list[Task] = field(default_factory=list)
    reads: int = 0

    def read(self) -> Roster | None:
        self.reads += 1
        return self.noted

    def put(self, roster: Roster) -> None:
        self.noted = roster

    def of_member(self, member: str) -> Sequence[Task]:
        return [one for one in self.tasks if one.owner == member]

    def pass_on(self, task: Task, *_: Any) -> None:
        self.tasks = [replace(one, owner="ben") if one is task else one for one in self.tasks]

    def owners(self) -> list[str]:
        return [one.owner for one in self.tasks]

    def job(self, *members: str) -> PassOnRemoved:
        """Of a process with this people.toml."""
        store: Any = self
        assign: Any = SimpleNamespace(pass_on=self.pass_on)
        return PassOnRemoved(members, self, lambda: (store, assign))


def always() -> bool:
    return True


def times(count: int) -> Callable[[], bool]:
    """There is time for so many tasks."""
    left = iter([True] * count)
    return lambda: next(left, False)


@pytest.fixture
def fakes() -> Fakes:
    return Fakes(tasks=[a_task("t1", "ana"), a_task("t2", "ana"), a_task("t3", "ben")])


def test_the_tasks_of_a_removed_member_go_to_others(fakes: Fakes) -> None:
    assert fakes.job("ben")(NOW, always) == 2

    assert fakes.owners() == ["ben", "ben", "ben"]
    assert fakes.noted == Roster(frozenset({"ben"}), {"ana": NOW})


def test_a_run_without_time_for_all_leaves_the_rest_to_the_next(fakes: Fakes) -> None:
    job = fakes.job("ben")

    assert job(NOW, times(1)) == 1
    assert fakes.noted == BEFORE
    assert job(NOW + timedelta(minutes=5), always) == 1
    assert fakes.owners() == ["ben", "ben", "ben"]


def test_a_task_given_during_the_rollout_is_passed_on_too_and_after_a_day_nothing_is_read(fakes: Fakes) -> None:
    job = fakes.job("ben")
    job(NOW, always)
    fakes.tasks.append(a_task("t4", "ana"))  # by a function of the version before

    assert job(NOW + timedelta(minutes=5), always) == 1
    assert job(NOW + WATCHED_FOR, always) == 0
    reads = fakes.reads
    assert job(NOW + WATCHED_FOR + timedelta(minutes=5), always) == 0
    assert fakes.reads == reads
    assert fakes.noted == Roster(frozenset({"ben"}))


def test_a_member_who_comes_back_into_the_file_has_tasks_again(fakes: Fakes) -> None:
    fakes.job("ben")(NOW, always)
    fakes.tasks.append(a_task("t4", "ana"))

    assert fakes.job("ana", "ben")(NOW + timedelta(hours=1), always) == 0
    assert fakes.owners()[-1] == "ana"
    assert fakes.noted == BEFORE


@pytest.mark.parametrize(("noted", "after"), [(None, None), (Roster(), Roster(frozenset({"ben"})))])
def test_the_first_run_notes_who_is_there_once_a_deployment_is_accepted(
    fakes: Fakes, noted: Roster | None, after: Roster | None
) -> None:
    fakes.noted = noted

    assert fakes.job("ben")(NOW, always) == 0
    assert fakes.noted == after
