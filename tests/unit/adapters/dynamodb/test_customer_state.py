"""A customer's state in parts: read as it was written, whatever the layout, and moved out of the head bit by bit."""

from collections.abc import Mapping
from dataclasses import replace

from hypothesis import example, given

from cairn.adapters.dynamodb.customer_state import (
    as_read,
    customer_in,
    is_apart,
    parts_apart,
    placed,
    state_writes,
)
from cairn.adapters.dynamodb.items import STATE, CustomerItem
from cairn.domain.customer.customer import Customer
from cairn.domain.profile.profile import Profile, Stamped
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
