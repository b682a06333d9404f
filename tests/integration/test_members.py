"""Members who are away, do less or leave, and the deals of partners, on the table."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import count

import pytest

from bench.aws_calls import AwsCall, intercepted
from cairn.adapters.dynamodb.audit import DynamoAudit
from cairn.adapters.dynamodb.members import DynamoDeals, DynamoMembers
from cairn.adapters.dynamodb.tasks import DynamoTasks
from cairn.application.people.assign_tasks import AssignTasks
from cairn.application.people.manage_members import PASSED_ON, ManageMembers, Order
from cairn.domain.people.members import Member, People, Queue
from cairn.domain.people.routing import Asked, choose, wanted_of
from cairn.domain.people.task import Task, Wanted
from cairn.domain.shared.errors import (
    ConflictError,
    DealTakenError,
    InvalidRequestError,
    UnknownDealKeyError,
    UnknownMemberError,
)

pytestmark = pytest.mark.usefixtures("table")

NOW = datetime(2026, 3, 2, 14, tzinfo=UTC)
DAY = timedelta(days=1)
PEOPLE = People(
    {"sales": Queue("sales", "Sales", {"ana": 1, "ben": 1}), "partners": Queue("partners", "Partners", {"acme": 1})},
    {name: Member(name, name.title()) for name in ("acme", "ana", "ben")},
    deal_keys=("tax_id",),
)
STORE = DynamoTasks()
ASSIGN = AssignTasks(STORE, PEOPLE, range)
MEMBERS = ManageMembers(PEOPLE, DynamoMembers(), STORE, ASSIGN, DynamoDeals())
ORDER = Order("ada", "ticket 7", NOW)


def opened(number: int, wanted: Wanted | None = None, now: datetime = NOW) -> Task:
    task = Task(f"call-{number}", f"c{number}", "sales", "Call", now, now + DAY, wanted=wanted or Wanted())
    return ASSIGN.open(task, now).task


def audited() -> list[str]:
    return [one.action for one in DynamoAudit().latest(50)]


def test_an_absent_member_gets_no_tasks_and_one_who_is_back_does() -> None:
    MEMBERS.absent("ana", NOW, NOW + 9 * DAY, ORDER)
    while_away = {opened(number).owner for number in range(4)}
    MEMBERS.back("ana", replace(ORDER, now=NOW + DAY))
    later = {opened(number, now=NOW + DAY).owner for number in range(4, 8)}

    assert (while_away, later) == ({"ben"}, {"ana", "ben"})
    assert audited() == ["back", "absent"]


def test_the_same_again_changes_nothing() -> None:
    for _ in range(2):
        MEMBERS.absent("ana", NOW, NOW + DAY, ORDER)
        MEMBERS.capacity("ana", 3, ORDER)

    assert sorted(audited()) == ["absent", "capacity"]


def test_a_capacity_by_command_is_that_of_the_next_task() -> None:
    MEMBERS.capacity("ana", 1, ORDER)
    MEMBERS.capacity("ben", 2, ORDER)

    owners = [opened(number).owner for number in range(5)]

    assert sorted(owners) == ["", "", "ana", "ben", "ben"]


def test_a_member_who_leaves_loses_no_task() -> None:
    tasks = [opened(number) for number in range(6)]

    left = MEMBERS.leaves("ana", ORDER)

    assert {one.owner for one in left.passed_on} == {"ben"}
    assert len(STORE.of_member("ben")) == len(tasks)
    assert STORE.of_member("ana") == []
    last = left.passed_on[0].history[-1]
    assert (last.by, last.what) == ("ada", "reassigned")
    assert last.why.startswith("ana left: ticket 7; sales: ben")


def test_where_nobody_else_is_there_the_task_says_so_and_stays_in_its_queue() -> None:
    task = opened(1)
    MEMBERS.leaves("ben" if task.owner == "ana" else "ana", ORDER)

    (passed_on,) = MEMBERS.leaves(task.owner, ORDER).passed_on

    assert passed_on.owner == ""
    assert "nobody" in passed_on.history[-1].why
    assert [one.id for one in STORE.page("sales", 10).tasks] == [task.id]


def test_one_request_passes_on_so_many_tasks_and_says_how_many_are_left() -> None:
    MEMBERS.absent("ben", NOW, NOW + DAY, ORDER)
    for number in range(PASSED_ON + 2):
        opened(number)
    MEMBERS.back("ben", replace(ORDER, now=NOW + timedelta(seconds=1)))

    rests = [MEMBERS.leaves("ana", replace(ORDER, now=NOW + timedelta(hours=1))).rest for _ in range(2)]

    assert rests == [2, 0]
    assert len(STORE.of_member("ben")) == PASSED_ON + 2


class CrashError(Exception):
    """The process ends here."""


@pytest.mark.parametrize("before", [True, False])
@pytest.mark.parametrize("number", range(9))
def test_a_crash_at_any_call_of_leaving_loses_no_task(number: int, *, before: bool) -> None:
    for task in range(3):
        opened(task)
    made = count()

    def crash(call: AwsCall) -> object:
        here = next(made) == number
        if here and before:
            raise CrashError
        answer = call.answer()
        if here:
            raise CrashError
        return answer

    try:
        with intercepted(crash):
            MEMBERS.leaves("ana", ORDER)
    except CrashError:
        pass
    listed = [one.id for name in ("ana", "ben") for one in STORE.of_member(name)]
    assert sorted(listed) == ["call-0", "call-1", "call-2"]
    MEMBERS.leaves("ana", ORDER)

    assert STORE.of_member("ana") == []
    assert len(STORE.of_member("ben")) == 3
    assert audited() == ["leaves"]


def test_a_task_that_was_about_to_go_to_a_member_who_leaves_goes_to_another() -> None:
    staff = STORE.staff(["ana", "ben"])
    chosen = choose("sales", Asked(PEOPLE, staff.work, Wanted(), NOW, NOW + DAY, "call-1"))
    MEMBERS.leaves(chosen.owner, ORDER)

    with pytest.raises(ConflictError):
        STORE.open(Task("call-1", "c1", "sales", "Call", NOW, NOW + DAY, owner=chosen.owner), chosen)

    assert opened(1).owner not in {chosen.owner, ""}


def test_a_misspelt_member_is_refused_with_the_one_that_was_meant() -> None:
    with pytest.raises(UnknownMemberError, match="did you mean ana"):
        MEMBERS.back("anna", ORDER)
    with pytest.raises(InvalidRequestError, match="after it begins"):
        MEMBERS.absent("ana", NOW, NOW, ORDER)


def test_a_deal_belongs_to_one_partner_until_it_ends() -> None:
    shop = wanted_of({"tax_id": "B-123"}, PEOPLE)
    MEMBERS.register("tax_id", "b-123 ", "acme", NOW + DAY, ORDER)

    with pytest.raises(DealTakenError, match="acme has registered it"):
        MEMBERS.register("tax_id", "B-123", "ben", NOW + DAY, ORDER)
    while_valid, others = opened(1, shop), opened(2, wanted_of({"tax_id": "B-124"}, PEOPLE))
    later = opened(3, shop, NOW + 2 * DAY)

    assert while_valid.owner == "acme"
    assert while_valid.history[0].why == "acme has registered the deal"
    assert {others.owner, later.owner} <= {"ana", "ben"}


def test_a_released_deal_is_anybody_s() -> None:
    MEMBERS.register("tax_id", "B-123", "acme", NOW + DAY, ORDER)
    MEMBERS.release("tax_id", "B-123", ORDER)

    assert MEMBERS.deal("tax_id", "B-123", NOW) is None
    MEMBERS.register("tax_id", "B-123", "ben", NOW + DAY, ORDER)
    assert sorted(audited()) == ["register_deal", "register_deal", "release_deal"]
    with pytest.raises(UnknownDealKeyError, match="deals are registered by tax_id"):
        MEMBERS.deal("phone", "1", NOW)
