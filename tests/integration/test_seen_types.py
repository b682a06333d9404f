"""The types that sources send: counted, in pages, so many types of each source, for ninety days."""

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest

from cairn.adapters import aws
from cairn.adapters.dynamodb.items import RecordItem
from cairn.adapters.dynamodb.seen import MAX_TYPES, RETENTION, SEEN, DynamoSeenTypes
from cairn.domain.operations.seen import ANY_NAME, Seen, SeenBecause
from tests.unit.makers import MONDAY

BECAUSE = SeenBecause.NO_CUSTOMER
REFUND = Seen("stripe", "stripe.refund", BECAUSE, {"id": "string"}, "refund")


@pytest.fixture
def types(table: str) -> DynamoSeenTypes:
    return DynamoSeenTypes(aws.client("dynamodb"), table)


def test_a_type_is_counted_by_its_reasons_with_its_first_and_last_instant(types: DynamoSeenTypes) -> None:
    types.add(REFUND, MONDAY)
    types.add(
        Seen("stripe", "stripe.refund", BECAUSE, {"id": "number"}, "refund", count=4), MONDAY + timedelta(hours=1)
    )
    types.add(Seen("stripe", "stripe.refund", SeenBecause.UNKNOWN_REFERENCE), MONDAY + timedelta(hours=2))

    (found,) = types.page("", 10).types
    assert (found.source, found.type, found.vendors_type) == ("stripe", "stripe.refund", "refund")
    assert found.counts == {BECAUSE: 5, SeenBecause.UNKNOWN_REFERENCE: 1}
    assert (found.first_at, found.last_at) == (MONDAY, MONDAY + timedelta(hours=2))
    assert found.shape == {"id": "number"}, "the latest shape; a count without one leaves it"


def test_a_type_that_the_vendor_does_not_give_has_a_line_too(types: DynamoSeenTypes) -> None:
    types.add(Seen("stripe", "", SeenBecause.NO_RULE, "array"), MONDAY)

    (found,) = types.page("stripe", 10).types
    assert (found.type, found.shape) == ("", "array")


def test_pages_have_all_types_of_a_source_and_no_other(types: DynamoSeenTypes) -> None:
    for source in ("stripe", "stripe-eu", "shopify"):
        for number in range(3):
            types.add(Seen(source, f"type.{number}", BECAUSE), MONDAY)

    found: list[tuple[str, str]] = []
    after: str | None = ""
    while after is not None:
        page = types.page("stripe", 2, after)
        assert len(page.types) <= 2
        found += [(one.source, one.type) for one in page.types]
        after = page.following

    assert found == [("stripe", f"type.{number}") for number in range(3)]
    assert types.page("nobody", 10).types == []
    assert len(types.page("", 100).types) == 9


def test_a_source_has_so_many_types_and_all_others_under_one(types: DynamoSeenTypes) -> None:
    for number in range(MAX_TYPES + 3):
        types.add(Seen("stripe", f"type.{number:03}", BECAUSE, {"id": "string"}), MONDAY)
    types.add(Seen("stripe", "type.000", BECAUSE), MONDAY)
    types.add(Seen("shopify", "type.000", BECAUSE), MONDAY)

    first = types.page("stripe", 100)
    found = [*first.types, *types.page("stripe", 100, first.following or "").types] if first.following else first.types
    by_type = {one.type: one for one in found}
    assert len(by_type) == MAX_TYPES + 1
    assert (by_type[ANY_NAME].counts, by_type[ANY_NAME].shape) == ({BECAUSE: 3}, None)
    assert by_type["type.000"].counts == {BECAUSE: 2}
    assert [one.type for one in types.page("shopify", 10).types] == ["type.000"]


def test_what_is_seen_no_more_expires(types: DynamoSeenTypes) -> None:
    types.add(REFUND, MONDAY)

    items = list(RecordItem.query(SEEN))

    assert len(items) == 2, "the type, and the number of its source's types"
    assert {item.expires_at for item in items} == {int((MONDAY + RETENTION).timestamp())}


@pytest.mark.atomic_writes
def test_concurrent_counts_are_all_added(types: DynamoSeenTypes) -> None:
    with ThreadPoolExecutor(4) as pool:
        list(pool.map(lambda _: types.add(REFUND, MONDAY), range(20)))

    (found,) = types.page("", 10).types
    assert found.counts == {BECAUSE: 20}
