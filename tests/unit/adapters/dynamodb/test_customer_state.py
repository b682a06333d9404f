"""A customer's state in parts: read as it was written, whatever the layout, and moved out of the head bit by bit."""

from collections.abc import Mapping
from dataclasses import replace

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from cairn.adapters.dynamodb.customer_state import (
    TornReadError,
    as_read,
    customer_in,
    is_apart,
    parts_apart,
    placed,
    state_writes,
)
from cairn.adapters.dynamodb.entries import PAGES_AT_ONCE
from cairn.adapters.dynamodb.items import ENROLLED, STATE, CustomerItem
from cairn.domain.customer.state import Customer
from cairn.domain.profile.profile import Profile
from cairn.domain.profile.stamped import Stamped
from tests.older_layout import older_head
from tests.unit.makers import MONDAY
from tests.unit.strategies import customers

Items = dict[str, CustomerItem]

ROOM = 99
"""Items of a transaction beside the head (DynamoDB quota: 100)."""

KILOBYTE = 1024

FULL = Customer(Profile("c_a", MONDAY, attributes={f"a-{number}": Stamped("x" * 190, MONDAY) for number in range(500)}))
"""As many attributes as a customer may have, and about as many bytes."""


def as_stored(item: CustomerItem) -> CustomerItem:
    """The item as DynamoDB gives it back."""
    return CustomerItem.from_raw_data(item.serialize())


def size_of(item: CustomerItem) -> int:
    return sum(len(name) + sum(len(str(one)) for one in value.values()) for name, value in item.serialize().items())


def committed(items: Mapping[str, CustomerItem], after: Customer) -> Items:
    """The items after a commit."""
    pages = placed(after)
    apart = parts_apart(after, ROOM - len(pages[1]))
    assert apart is not None
    writes = state_writes(after, pages, apart, {})
    assert len(writes) <= ROOM + 1
    left = {sk: item for sk, item in items.items() if sk not in {one.sk for one in writes.deletes}}
    return left | {item.sk: as_stored(item) for item in (writes.head, *writes.puts)}


@given(customers())
def test_a_customer_of_the_older_layout_is_read_as_one_of_this_one(customer: Customer) -> None:
    older = customer_in({STATE: as_stored(older_head(customer))})
    new = customer_in(committed({}, replace(customer, version=customer.version - 1)))

    assert older == new == customer


@given(customers())
@example(FULL)
def test_a_customer_of_the_older_layout_is_moved_whole_and_bit_by_bit(customer: Customer) -> None:
    items = {STATE: as_stored(older_head(customer))}
    commits = 0

    while not is_apart(customer_in(items)):
        items = committed(items, customer_in(items))
        commits += 1

    moved = customer_in(items)
    assert moved == replace(customer, version=customer.version + commits)
    assert 1 <= commits <= 10
    assert items[STATE].enrollments is None
    assert items[STATE].memory is None
    assert as_read(moved).parts.keys() == customer.enrollments.keys()


@given(customers(), customers(), st.data())
def test_a_read_into_which_a_commit_came_is_torn(before: Customer, other: Customer, data: st.DataObject) -> None:
    first = committed({}, before)
    read = customer_in(first)
    changes = replace(other.profile, id=read.id, attributes={**read.profile.attributes, **other.profile.attributes})
    second = committed(first, replace(other, profile=changes, version=read.version, as_read=read.as_read))
    changed = sorted(sk for sk in first.keys() | second.keys() if first.get(sk) is not second.get(sk))
    late = data.draw(st.sets(st.sampled_from(changed), min_size=1))

    mixed = {**first, **second}
    for sk in changed:
        mixed.pop(sk)
        chosen = (second if sk in late else first).get(sk)
        mixed |= {} if chosen is None else {sk: chosen}

    if late == set(changed):
        assert customer_in(mixed) == replace(other, profile=changes, version=read.version + 1)
    else:
        with pytest.raises(TornReadError):
            customer_in(mixed)


@given(customers(), customers())
def test_what_is_loaded_is_what_was_committed_and_unchanged_parts_are_not_written(one: Customer, two: Customer) -> None:
    items = committed({}, one)
    read = customer_in(items)
    both = {**read.enrollments, **two.enrollments}
    after = replace(read, enrollments=both, entered=two.entered, early_events=two.early_events)

    stored = committed(items, after)

    assert customer_in(stored) == replace(after, version=read.version + 1)
    assert is_apart(customer_in(after_more_commits(stored)))
    for id_ in read.enrollments.keys() - two.enrollments.keys():
        assert stored[ENROLLED + id_] is items[ENROLLED + id_]
    assert max(map(size_of, stored.values())) < 64 * KILOBYTE


def after_more_commits(items: Items) -> Items:
    """A commit writes so many pages at most; what the head has more goes with the next ones."""
    for _ in range(len(customer_in(items).profile.attributes) // PAGES_AT_ONCE):
        items = items if is_apart(customer_in(items)) else committed(items, customer_in(items))
    return items


def test_an_event_of_a_full_profile_writes_the_head_and_at_most_one_page() -> None:
    items = {STATE: as_stored(older_head(replace(FULL, version=1)))}
    while not is_apart(customer_in(items)):
        items = committed(items, customer_in(items))
    read = customer_in(items)
    changed = read.profile.attributes | {"a-7": Stamped("new", MONDAY)}

    stored = committed(items, replace(read, profile=replace(read.profile, attributes=changed)))

    assert customer_in(stored).profile.attributes["a-7"].value == "new"
    assert sum(stored[sk] is not items.get(sk) for sk in stored) <= 2
    assert max(map(size_of, stored.values())) < 2 * KILOBYTE
