"""Members of audiences in the table: changes in any order, pages over shards, ranges, and what goes with a customer."""

from dataclasses import replace
from datetime import UTC, datetime
from itertools import permutations
from typing import Any

import pytest

from bench.units import size_of
from cairn.adapters import aws
from cairn.adapters.dynamodb.audiences import DynamoAudiences
from cairn.adapters.dynamodb.items import STATE, CustomerItem
from cairn.adapters.dynamodb.table import read_partition
from cairn.adapters.dynamodb.timeline import DynamoTimeline
from cairn.application.values.audiences import FilledAudience
from cairn.domain.audience.audiences import Audience, Position
from cairn.domain.audience.order import SortType, encoded, partition_key
from cairn.domain.audience.selection import ALL_MEMBERS, Asked, Selection, selection
from cairn.domain.effects import JoinAudience, LeaveAudience
from prove.broadcasts import run

NOW = datetime(2026, 3, 2, tzinfo=UTC)
AUDIENCE = Audience(
    "investors", "v1", "profile.kind", partition="profile.district", sort="profile.low", until="profile.high", shards=3
)
ADA = "c_ada"


@pytest.fixture
def audiences(table: str) -> DynamoAudiences:
    return DynamoAudiences(aws.client("dynamodb", validated=True), table)


def known(*customers: str) -> None:
    for one in customers:
        CustomerItem(one, STATE, version=1).save()


def joining(customer: str = ADA, low: int = 0, high: int | None = None, district: str = "a") -> JoinAudience:
    until = "" if high is None else encoded(high, SortType.NUMBER)
    position = Position(partition_key(district), encoded(low, SortType.NUMBER), until)
    return AUDIENCE.joining("e", customer, position)


LEAVING = LeaveAudience("e", "investors", "v1")


def every(
    audiences: DynamoAudiences, selected: Selection = ALL_MEMBERS, limit: int = 7, of: Audience = AUDIENCE
) -> list[str]:
    found, after = [], ""
    while True:
        page = audiences.page(of, selected, limit, after)
        found += [one.customer for one in page.members]
        if page.following is None:
            return found
        assert page.following > after
        after = page.following


def asked(partition: Any, **more: Any) -> Selection:
    found = selection(AUDIENCE, Asked(partition, **more))
    assert isinstance(found, Selection)
    return found


def test_the_latest_change_counts_in_any_order_however_often_it_comes(audiences: DynamoAudiences) -> None:
    changes = [(joining(low=1), 1), (LEAVING, 2), (joining(low=3), 3), (LEAVING, 4)]
    for number, order in enumerate(permutations(changes)):
        customer = f"c_{number}"
        known(customer)
        for change, rank in (*order, *order[:2]):
            audiences.note(customer, replace(change, id="again"), rank, NOW)

    assert every(audiences) == []
    audiences.note("c_0", joining("c_0", low=5), 5, NOW)
    assert every(audiences) == ["c_0"]


def test_a_page_goes_on_behind_the_last_one_over_all_shards_in_order(audiences: DynamoAudiences) -> None:
    customers = [f"c_{number:02}" for number in range(40)]
    known(*customers)
    for number, one in enumerate(customers):
        audiences.note(one, joining(one, low=(number * 7) % 40 - 20), 1, NOW)

    in_order = sorted(customers, key=lambda one: (customers.index(one) * 7) % 40)
    for limit in (1, 7, 100):
        assert every(audiences, limit=limit) == in_order
    counted = audiences.count(AUDIENCE, ALL_MEMBERS)
    assert (counted.count, counted.following) == (40, None)


def test_who_joins_and_leaves_between_pages_changes_no_other(audiences: DynamoAudiences) -> None:
    customers = [f"c_{number:02}" for number in range(20)]
    known(*customers, "c_new")
    for number, one in enumerate(customers):
        audiences.note(one, joining(one, low=number), 1, NOW)
    page = audiences.page(AUDIENCE, ALL_MEMBERS, 6)
    shown = [one.customer for one in page.members]

    audiences.note(shown[0], LEAVING, 2, NOW)
    audiences.note("c_new", joining("c_new", low=-1), 1, NOW)
    while page.following is not None:
        page = audiences.page(AUDIENCE, ALL_MEMBERS, 6, page.following)
        shown += [one.customer for one in page.members]

    assert shown == customers


def test_a_bracket_is_found_by_what_it_contains_in_its_partition(audiences: DynamoAudiences) -> None:
    brackets = {"c_1": (1, 5), "c_2": (3, 9), "c_3": (6, None), "c_4": (-4, 2)}
    known(*brackets, "c_5")
    for one, (low, high) in brackets.items():
        audiences.note(one, joining(one, low, high), 1, NOW)
    audiences.note("c_5", joining("c_5", 1, 5, "b"), 1, NOW)

    assert every(audiences, asked("a", value=4)) == ["c_1", "c_2"]
    assert every(audiences, asked("a", value=-3)) == ["c_4"]
    assert every(audiences, asked("a", value=1_000)) == ["c_3"]
    assert every(audiences, asked("b")) == ["c_5"]
    assert every(audiences, asked("a", low=3, high=6)) == ["c_2", "c_3"]
    assert audiences.count(AUDIENCE, asked("a", value=4)).count == 2


def test_another_version_has_members_of_its_own(audiences: DynamoAudiences) -> None:
    known(ADA, "c_ben")
    audiences.note(ADA, joining(), 1, NOW)
    audiences.note("c_ben", joining("c_ben"), 1, NOW)
    later = replace(AUDIENCE, version="v2")

    assert every(audiences, of=later) == []
    audiences.note(ADA, replace(joining(), version="v2"), 2, NOW)

    assert every(audiences, of=later) == [ADA]
    assert every(audiences) == ["c_ben"]
    assert audiences.among(later, [ADA, "c_ben"]) == {ADA}


def test_filling_yields_to_later_changes_and_repeats_harmlessly(audiences: DynamoAudiences) -> None:
    known(ADA, "c_ben")
    audiences.note(ADA, LEAVING, 3, NOW)

    assert not audiences.fill(ADA, joining(), 2)
    assert audiences.fill("c_ben", joining("c_ben", low=1), 2)
    assert audiences.fill("c_ben", joining("c_ben", low=2), 2)
    assert every(audiences) == ["c_ben"]
    audiences.note_filled("investors", FilledAudience("v1", NOW, 1))
    assert audiences.filled() == {"investors": FilledAudience("v1", NOW, 1)}


def test_a_change_that_comes_after_an_erasure_or_a_merge_leaves_nothing(audiences: DynamoAudiences) -> None:
    CustomerItem("c_gone", STATE, erased="2026-03-02T00:00:00Z").save()
    CustomerItem("c_old", STATE, alias_of="c_new").save()

    for one in ("c_gone", "c_old", "c_unknown"):
        audiences.note(one, joining(one), 9, NOW)
        audiences.fill(one, joining(one), 9)

    assert every(audiences) == []
    assert {one: [sk for sk in read_partition(one) if sk != STATE] for one in ("c_gone", "c_old")} == {
        "c_gone": [],
        "c_old": [],
    }


def test_memberships_of_a_merged_customer_go_with_the_merge(audiences: DynamoAudiences) -> None:
    known("c_old")
    audiences.note("c_old", joining("c_old"), 1, NOW)

    DynamoTimeline().absorb("c_new", "c_old")

    assert every(audiences) == []


def test_a_member_is_small_enough_for_one_unit(audiences: DynamoAudiences, table: str) -> None:
    customer = "c_" + "a" * 26
    known(customer)
    audiences.note(customer, joining(customer, 1, 2, "é" * 200), 10**9, NOW)

    items = aws.client("dynamodb", validated=True).scan(TableName=table)["Items"]

    (member,) = [one for one in items if one["sk"]["S"] != STATE]
    assert size_of(member) < 1_024


def test_a_broadcast_reaches_each_of_many_members_once(table: str) -> None:
    """As `make prove-broadcasts` proves it with 10,000 members."""
    lines = run(table, 1_200)

    assert "broadcast: 1200 customers" in lines[3]
    assert not [line for line in lines if line.startswith("PROBLEM")]
