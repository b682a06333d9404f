"""The tasks in the table: who has them, what they cost, and what a crash leaves."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from cairn.adapters.dynamodb.items import RecordItem
from cairn.adapters.dynamodb.tasks import DynamoTasks
from cairn.adapters.dynamodb.timeline import DynamoTimeline
from cairn.domain.effects import OpenTask
from cairn.domain.people.members import Share, Work
from cairn.domain.people.routing import Assignment
from cairn.domain.people.task import Entry, Priority, Task, TaskKind, TaskStatus, Wanted
from cairn.domain.shared.errors import ConflictError

NOW = datetime(2026, 3, 2, 14, tzinfo=UTC)
LATER = NOW + timedelta(hours=4)
NOBODY = Assignment("", "nobody works here", "sales")

pytestmark = pytest.mark.usefixtures("table")


FIRST = Share(1, 1)


def given(owner: str, work: Work | None = None) -> Assignment:
    return Assignment(owner, "in turn", "sales", work or Work(), FIRST)


def a_task(id_: str = "call-1", customer: str = "c1", **fields: object) -> Task:
    return replace(Task(id_, customer, "sales", "Call them", NOW, LATER), **fields)  # type: ignore[arg-type]


def test_a_task_is_read_as_it_was_written() -> None:
    store = DynamoTasks()
    task = a_task(
        owner="ana",
        kind=TaskKind.CALL,
        priority=Priority.URGENT,
        journey="trial",
        context={"name": "Zoë", "score": 3.5},
        wanted=Wanted("ana", "es", frozenset({"boats"}), "US", "US-NY", "12207", 42.6, -73.7, "ben", ("k1",)),
        due=timedelta(hours=4),
        next_at=LATER,
        notes=(Entry(NOW, "ana", "noted", "", "asked for Monday"),),
        history=(Entry(NOW, "cairn", "assigned", "ana", "in turn"),),
    )

    stored = store.open(task, given("ana"))

    assert store.load("c1", "call-1") == stored
    assert store.of_member("ana") == [stored]
    assert store.page("sales", 10).tasks == [stored]
    assert replace(stored, version=0, listed_as="") == task
    assert store.staff(["ana", "ben"], task=("c1", "call-1")).work == {
        "ana": Work(frozenset({"c1 call-1"}), {"sales": FIRST}, 1)
    }


def test_a_task_is_opened_once() -> None:
    store = DynamoTasks()
    store.open(a_task(owner="ana"), given("ana"))

    with pytest.raises(ConflictError):
        store.open(a_task(owner="ben"), given("ben"))

    assert store.of_member("ben") == []
    assert len(store.of_member("ana")) == 1


def test_who_was_given_another_task_meanwhile_is_not_given_this_one() -> None:
    store = DynamoTasks()
    store.open(a_task(owner="ana"), given("ana"))

    with pytest.raises(ConflictError):
        store.open(a_task("call-2", owner="ana"), given("ana"))

    assert store.load("c1", "call-2") is None


def test_a_closed_task_leaves_every_list() -> None:
    store = DynamoTasks()
    task = store.open(a_task(owner="ana"), given("ana"))

    done = store.change(task, replace(task, status=TaskStatus.DONE, outcome="booked", done_by="ana", done_at=LATER))

    assert store.load("c1", "call-1") == done
    assert store.of_member("ana") == []
    assert store.page("sales", 10).tasks == []
    with pytest.raises(ConflictError):
        store.change(task, replace(task, owner="ben"))


def test_a_task_that_was_done_is_opened_again_by_a_later_request_alone() -> None:
    store = DynamoTasks()
    task = store.open(a_task(owner="ana"), given("ana"))
    done = store.change(task, replace(task, status=TaskStatus.DONE))

    with pytest.raises(ConflictError):
        store.open(a_task(owner="ana", version=done.version), given("ana", Work(version=1)))
    again = store.open(a_task(owner="ben", opened_at=LATER, version=done.version), given("ben"))
    store.unlist(done)

    assert store.of_member("ben") == [again]
    assert again.version > done.version


def test_a_task_moves_from_one_owner_to_the_other() -> None:
    store = DynamoTasks()
    task = store.open(a_task(owner="ana"), given("ana"))

    moved = store.change(task, replace(task, owner="ben"))
    back = store.change(moved, replace(moved, owner=""))

    assert (store.of_member("ana"), store.of_member("ben")) == ([], [])
    assert store.page("sales", 10).tasks == [back]


def test_a_queue_is_read_in_pages_by_priority_and_due_time() -> None:
    store = DynamoTasks()
    for number in range(7):
        store.open(
            a_task(
                f"call-{number}",
                f"c{number}",
                due_at=LATER - timedelta(minutes=number),
                priority=list(Priority)[number % 3],
            ),
            NOBODY,
        )

    def pages() -> Iterator[Task]:
        after = ""
        while True:
            page = store.page("sales", 2, after)
            assert len(page.tasks) <= 2
            yield from page.tasks
            if not (after := page.after):
                return

    found = list(pages())

    assert [one.id for one in found] == [f"call-{number}" for number in (6, 3, 0, 4, 1, 5, 2)]


def test_a_task_of_an_earlier_release_is_listed_and_closed() -> None:
    store = DynamoTasks()
    asked = OpenTask("call-1", "e1", "call", "sales", "Call them", LATER, {"name": "Zoë"}, "Say hello")
    DynamoTimeline().open("c1", "trial", asked, NOW)

    (task,) = store.page("sales", 10).tasks
    done = store.change(task, replace(task, status=TaskStatus.DONE, outcome="booked"))

    assert (task.journey, task.enrollment, task.context, task.script) == ("trial", "e1", {"name": "Zoë"}, "Say hello")
    assert task.owner == ""
    assert task.opened_at == NOW
    assert store.load("c1", "call-1") == done
    assert store.page("sales", 10).tasks == []


def test_a_list_is_mended_when_it_is_read() -> None:
    store = DynamoTasks()
    task = store.open(a_task(owner="ana"), given("ana"))
    RecordItem(task.customer, "task#call-1").delete()

    assert store.of_member("ana") == []
    assert store.staff(["ana"]).work["ana"].open == frozenset()
