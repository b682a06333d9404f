"""The tasks in the table: who has them, what they cost, and what a crash leaves."""

from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import count

import pytest

from bench.aws_calls import AwsCall, intercepted, noted
from bench.calls import Call
from bench.units import Item, WriteUnits
from cairn.adapters import aws
from cairn.adapters.dynamodb.items import REVIEWS, CustomerItem, RecordItem
from cairn.adapters.dynamodb.reviews import DynamoReviews
from cairn.adapters.dynamodb.tasks import DynamoTasks
from cairn.adapters.dynamodb.timeline import DynamoTimeline
from cairn.application.people.assign_tasks import AssignTasks
from cairn.domain.effects import CloseTask, OpenTask
from cairn.domain.message.message import Approval
from cairn.domain.operations.audit import AuditEntry
from cairn.domain.people.members import Member, People, Queue, Share, Work
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
        time_zone="Europe/Madrid",
        asked="all-sales",
        context={"name": "Zoë", "score": 3.5},
        wanted=Wanted(
            "ana", "es", frozenset({"boats"}), "US", "US-NY", "12207", 42.6, -73.7, "ben", ("k1",), "form", "cleo"
        ),
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


def test_a_task_that_cairn_itself_closes_leaves_its_owner_s_list() -> None:
    store = DynamoTasks()
    store.open(a_task(owner="ana"), given("ana"))

    DynamoTimeline().close("c1", CloseTask("x", "call-1", "answered elsewhere", "cairn", LATER))

    assert store.staff(["ana"]).work["ana"].open == frozenset()


def test_a_task_that_waits_for_a_review_leaves_its_reviewer_s_list_with_the_decision() -> None:
    store = DynamoTasks()
    store.open(a_task("m1", owner="ana"), given("ana"))
    waiting = {"gsi1pk": REVIEWS, "gsi1sk": "2026", "status": "held", "decisions": [{"reason": "review"}]}
    RecordItem("c1", "message#m1", body={"purpose": "marketing"}, **waiting).save()
    CustomerItem("c1", "open#contact", contact_version=1).save()

    DynamoReviews().decide(
        "c1", "m1", Approval(granted=True, by="ada", at=NOW), AuditEntry(NOW, "ada", "approve", "m1", "fine")
    )

    assert store.staff(["ana"]).work["ana"].open == frozenset()
    assert store.load("c1", "m1") is not None


def test_a_list_is_mended_when_it_is_read() -> None:
    store = DynamoTasks()
    task = store.open(a_task(owner="ana"), given("ana"))
    RecordItem(task.customer, "task#call-1").delete()

    assert store.of_member("ana") == []
    assert store.staff(["ana"]).work["ana"].open == frozenset()


# Costs


def units(work: Callable[[], object]) -> int:
    """The write units of what is done, by the rules that AWS documents."""
    client = aws.client("dynamodb")

    def stored(table: str, key: Item) -> Item:
        found: Item = client.get_item(TableName=table, Key=key, ConsistentRead=True).get("Item", {})
        return found

    counted, calls = WriteUnits(stored), list[Call]()

    def note(call: AwsCall) -> object:
        if call.operation in {"GetItem", "BatchGetItem", "Query"}:
            return call.answer()
        one = Call(
            function="",
            invocation=0,
            service=call.service,
            operation=call.operation,
            arguments=call.arguments,
        )
        counted.before(one)
        answer = call.answer()
        counted.after(one)
        calls.append(one)
        return answer

    with intercepted(note):
        work()
    assert "Scan" not in {one.operation for one in calls}
    return counted.of(calls)


def test_the_life_of_a_task_costs_at_most_twelve_write_units() -> None:
    store = DynamoTasks()
    assign = AssignTasks(store, PEOPLE, range)
    task = a_task("call-1", context={"name": "Zoë", "reason": "has not been in yet"}, kind=TaskKind.CALL)
    for number in range(8):
        assign.open(a_task(f"other-{number}", f"c{number + 2}"), NOW)

    opening = units(lambda: assign.open(task, NOW))
    opened = store.load("c1", "call-1")
    assert opened is not None
    claimed = replace(opened, claimed_at=LATER, history=(*opened.history, Entry(LATER, "ana", "claimed", "ana")))
    claiming = units(lambda: store.change(opened, claimed))
    present = store.load("c1", "call-1")
    assert present is not None
    done = replace(present, status=TaskStatus.DONE, outcome="booked", done_by="ana", done_at=LATER)
    closing = units(lambda: store.change(present, done))

    assert opened.owner
    assert (opening, claiming, closing) == (6, 2, 4)


def test_giving_a_task_costs_two_calls() -> None:
    assign = AssignTasks(DynamoTasks(), PEOPLE, range)

    with noted() as calls:
        assign.open(a_task("call-1"), NOW)

    assert [one.operation for one in calls] == ["BatchGetItem", "TransactWriteItems"]


def test_a_page_of_a_queue_costs_one_query() -> None:
    store = DynamoTasks()
    for number in range(30):
        store.open(a_task(f"call-{number}"), NOBODY)

    with noted() as calls:
        page = store.page("sales", 10)

    assert len(page.tasks) == 10
    assert [one.operation for one in calls] == ["Query"]
    assert calls[0].arguments["Limit"] == 10


# Crashes


PEOPLE = People(
    {"sales": Queue("sales", "Sales", {"ana": 1, "ben": 1})},
    {"ana": Member("ana", "Ana", capacity=9), "ben": Member("ben", "Ben", capacity=9)},
)


class CrashError(Exception):
    """The process ends here."""


@pytest.mark.parametrize("before", [True, False])
@pytest.mark.parametrize("number", range(5))
def test_a_crash_before_or_after_any_call_changes_nothing_of_who_has_what(number: int, *, before: bool) -> None:
    """Of opening, passing on and closing a task: the same is done again, and all is as if nothing had happened."""
    store = DynamoTasks()
    assign = AssignTasks(store, PEOPLE, range)
    made = count()

    def crash(call: AwsCall) -> object:
        here = next(made) == number
        if here and before:
            raise CrashError
        answer = call.answer()
        if here:
            raise CrashError
        return answer

    def life() -> None:
        opened = assign.open(a_task("call-1"), NOW).task
        if len(opened.history) == 1:
            opened = assign.pass_on(opened, NOW, "maria", "is ill")
        if opened.is_open:
            store.change(opened, replace(opened, status=TaskStatus.DONE))
        else:
            store.unlist(opened)

    with intercepted(crash), suppress(CrashError):
        life()
    between = store.load("c1", "call-1")
    lists = {member: [one.id for one in store.of_member(member)] for member in PEOPLE.members}
    life()

    owner = between.owner if between and between.is_open else ""
    assert lists == {member: ["call-1"] if member == owner else [] for member in PEOPLE.members}
    ended = store.load("c1", "call-1")
    assert ended is not None
    assert [one.what for one in ended.history] == ["opened", "reassigned"]
    assert len({one.owner for one in ended.history}) == 2
    work = store.staff(["ana", "ben"]).work
    assert [work[name].open for name in ("ana", "ben")] == [frozenset(), frozenset()]
    assert [work[name].shares["sales"].number for name in ("ana", "ben")] == [1, 1]


# Merges


def test_the_task_of_a_merged_customer_stays_in_its_owner_s_list() -> None:
    store = DynamoTasks()
    task = store.open(a_task(owner="ana"), given("ana"))
    CustomerItem("c1", "open#state", alias_of="c2").save()
    CustomerItem("c2", "open#state", version=1).save()
    DynamoTimeline().absorb("c2", "c1")

    (moved,) = store.of_member("ana")
    store.change(moved, replace(moved, status=TaskStatus.DONE))

    assert moved == replace(task, customer="c2")
    assert store.of_member("ana") == []
