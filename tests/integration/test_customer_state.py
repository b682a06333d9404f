"""A customer's state in parts, in the table: many enrollments that change at once, and merges of many."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from cairn.adapters.dynamodb.customer_state import as_read
from cairn.adapters.dynamodb.customers import FEW, DynamoCustomers
from cairn.adapters.dynamodb.items import ENROLLED, STATE, CustomerItem
from cairn.application.values.customers import Commit
from cairn.domain.customer.customer import merge_customers
from cairn.domain.customer.state import Customer, Reaction
from cairn.domain.event import Event, event_from_wire
from cairn.domain.identity.identifiers import Identifier, customer_id_for, identifier
from cairn.domain.journey.enrollment import Enrollment
from cairn.domain.profile.profile import Profile, survivor
from cairn.domain.profile.stamped import Stamped
from cairn.domain.shared.errors import ConflictError
from tests.unit.fakes import KEYS

pytestmark = pytest.mark.usefixtures("table")

NOW = datetime(2026, 3, 2, 14, tzinfo=UTC)
CUSTOMERS = DynamoCustomers(KEYS)


def event(name: Identifier, id_: str) -> Event:
    document: dict[str, Any] = {"id": id_, "type": "page.seen", "customer": {"user_id": name.value}}
    return event_from_wire(document, source="track", received_at=NOW)


def enrollments(prefix: str, number: int) -> dict[str, Enrollment]:
    made = (
        Enrollment(
            id=f"{prefix}-{one}",
            journey="visit",
            version="v1",
            key=f"{prefix}-{one}",
            entered_at=NOW,
            since=NOW,
            data={"note": "x" * (600 if one % 2 else 6)},  # of every second one, the data is an item of its own
            data_at=NOW,
            step="wait",
            reached_at=NOW,
            due_at=NOW + timedelta(hours=one),
            sequence=1,
        )
        for one in range(number)
    )
    return {one.id: one for one in made}


def stored(name: Identifier, number: int, *, large: bool = False) -> Customer:
    """A customer with so many open enrollments, each in an item of its own; of `large` ones the data is one, too."""
    id_ = customer_id_for(name, KEYS.customer_ids)
    every = enrollments(name.key, number)
    every = {key: replace(one, data={"note": "x" * 600}) for key, one in every.items()} if large else every
    made = Customer(Profile(id_, NOW, (name,)), enrollments=every)
    CUSTOMERS.commit(Commit(Reaction(made), (), NOW, event(name, f"first-{name.key}"), (name,)))
    CUSTOMERS.rewrite(id_)
    found = CUSTOMERS.load(id_)
    assert found.enrollments == made.enrollments
    assert len(as_read(found).parts) == number
    return found


def until_committed(decide: Any) -> int:
    """The conflicts before a decision was committed, each time on the state as it then was."""
    for conflicts in range(10):
        try:
            CUSTOMERS.commit(decide())
        except ConflictError:
            continue
        return conflicts
    raise AssertionError("never committed")


def test_two_hundred_enrollments_end_at_once() -> None:
    mia = identifier("user_id", "mia")
    before = stored(mia, 200)

    def all_end() -> Commit:
        (now,) = CUSTOMERS.find((mia,)).customers
        ended = {id_: one.ending("exit_on", NOW) for id_, one in now.enrollments.items()}
        return Commit(Reaction(replace(now, enrollments=ended)), (now,), NOW, event(mia, "all-end"))

    conflicts = until_committed(all_end)

    after = CUSTOMERS.load(before.id)
    assert conflicts == 1
    assert after.enrollments == {id_: one.ending("exit_on", NOW) for id_, one in before.enrollments.items()}
    assert CUSTOMERS.rewrite(before.id)
    moved = CUSTOMERS.load(before.id)
    assert moved.enrollments == after.enrollments
    assert len(as_read(moved).parts) == 200
    assert not CUSTOMERS.rewrite(before.id)


def test_a_rewrite_loses_no_due_time() -> None:
    mia = stored(identifier("user_id", "mia"), 30)

    items = CustomerItem.query(mia.id, CustomerItem.sk.startswith(ENROLLED))
    due = {item.sk.removeprefix(ENROLLED): item.gsi2sk for item in items if not item.sk.endswith("#data")}

    assert due == {id_: f"{one.due_at:%FT%HZ}" for id_, one in mia.enrollments.items() if one.due_at}
    assert CustomerItem.get(mia.id, STATE).gsi2sk is None


@pytest.mark.parametrize("number", [5, 30, 45])
def test_five_customers_with_many_enrollments_are_merged(number: int) -> None:
    names = [identifier("user_id", "mia"), identifier("email", "m@example.com"), identifier("phone", "+12015550123")]
    names += [identifier(f"external:{system}", "7") for system in ("crm", "shop")]
    before = [stored(name, number) for name in names]

    def merge() -> Commit:
        found = CUSTOMERS.find(names).customers
        return Commit(merge_customers(found, NOW), found, NOW, event(names[0], "both"))

    until_committed(merge)

    survivors = {CUSTOMERS.find((name,)).customers[0].id for name in names}
    assert len(survivors) == 1
    survivor = CUSTOMERS.load(survivors.pop())
    assert survivor.enrollments == {id_: one for each in before for id_, one in each.enrollments.items()}


def test_a_merge_goes_through_that_has_no_room_even_for_few_changed_enrollments_of_the_survivor() -> None:
    """It has to remove many enrollments of others, and to write many pages; then even 20 are too many beside that."""
    names = [identifier("user_id", "mia"), identifier("email", "m@example.com"), identifier("phone", "+12015550123")]
    names += [identifier(f"external:{system}", "7") for system in ("crm", "shop")]
    profiles = {customer_id_for(name, KEYS.customer_ids): Profile(name.key, NOW, (name,)) for name in names}
    chosen = survivor(tuple(replace(one, id=id_) for id_, one in profiles.items())).id
    for name in names:
        stored(name, FEW if customer_id_for(name, KEYS.customer_ids) == chosen else 7, large=True)
    values = {f"answer_{number}": Stamped(f"{number} " + "x" * 210, NOW) for number in range(400)}

    def merge() -> Commit:
        found = CUSTOMERS.find(names).customers
        merged = merge_customers(found, NOW)
        own = next(one for one in found if one.id == chosen).enrollments
        changed = {
            id_: one.ending("exit_on", NOW) if id_ in own else one for id_, one in merged.customer.enrollments.items()
        }
        filled = replace(merged.customer.profile, attributes=values)
        after = replace(merged.customer, profile=filled, enrollments=changed)
        return Commit(replace(merged, customer=after), found, NOW, event(names[0], "both"))

    assert until_committed(merge) == 1

    after = CUSTOMERS.load(chosen)
    assert after.profile.attributes == values
    assert len(after.enrollments) == FEW + 28
    assert sum(not one.open for one in after.enrollments.values()) == FEW


def test_a_source_takes_back_a_whole_profile_at_once() -> None:
    mia = identifier("user_id", "mia")
    id_ = customer_id_for(mia, KEYS.customer_ids)
    values = {f"answer_{number}": f"{number} " + "x" * 210 for number in range(400)}
    attributes = {name: Stamped(value, NOW) for name, value in values.items()}
    made = Customer(Profile(id_, NOW, (mia,), attributes=attributes), enrollments=enrollments("mia", 3))
    CUSTOMERS.commit(Commit(Reaction(made), (), NOW, event(mia, "filled"), (mia,)))
    while CUSTOMERS.rewrite(id_):
        pass
    before = CUSTOMERS.load(id_)
    assert before.profile.attributes == made.profile.attributes
    assert len(as_read(before).pages) > 100

    def takes_back() -> Commit:
        (now,) = CUSTOMERS.find((mia,)).customers
        left = {"answer_7": now.profile.attributes["answer_7"]}
        after = replace(now, profile=replace(now.profile, attributes=left))
        return Commit(Reaction(after), (now,), NOW, event(mia, "taken-back"))

    conflicts = until_committed(takes_back)

    after = CUSTOMERS.load(id_)
    assert conflicts == 1
    assert after.profile.attributes == {"answer_7": made.profile.attributes["answer_7"]}
    assert after.enrollments == before.enrollments
    assert not as_read(after).pages
