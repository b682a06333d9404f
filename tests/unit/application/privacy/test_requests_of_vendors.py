"""A vendor's order acts on the record that it names, and nobody else is taken along."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from cairn.application.events.process_event import ProcessEvent
from cairn.domain.customer.state import Reaction
from cairn.domain.effects import EraseCustomer, OpenTask
from cairn.domain.identity.identifiers import Identifier
from cairn.domain.policy import Policy
from cairn.domain.privacy.requests import Doubt
from cairn.domain.shared.errors import ErasedCustomerError
from tests.unit.fakes import KEYS, ChosenArms, Customers, ErasureOrders, Sent, Switches
from tests.unit.makers import MONDAY, Deployed, event, name

HOUR = timedelta(hours=1)
DAY = timedelta(days=1)
MIA = name(user_id="mia")
MAIL = name(email="mia@example.com")
RECORD = name(external={"shopify": "8209829119"})
OTHER = name(external={"shopify": "555"})
OF_SHOPIFY = frozenset({"external_ids", "privacy"})


@pytest.fixture
def customers() -> Customers:
    return Customers()


@pytest.fixture
def orders() -> ErasureOrders:
    return ErasureOrders()


@pytest.fixture
def process(customers: Customers, orders: ErasureOrders) -> ProcessEvent:
    policy = Policy(erasure_orders_per_hour=2)
    return ProcessEvent(customers, Deployed(), str, KEYS, Sent(), Switches(), ChosenArms(), orders, policy=policy)


@pytest.fixture
def asks(process: ProcessEvent) -> Any:
    """Shopify's order to erase these names, a day later; returns its effects by kind."""

    def ask(*who: Identifier, at: timedelta = DAY, id_: str = "", kind: str = "erasure") -> Reaction | None:
        type_ = f"customer.{kind}_requested"
        order = event(type_, MONDAY + at, id_=id_, who=who, source="shopify", vouched=OF_SHOPIFY)
        return process(order, MONDAY + at)

    return ask


@pytest.fixture
def happened(process: ProcessEvent) -> Any:
    def happen(*who: Identifier, source: str = "shopify", type_: str = "order.paid", **more: Any) -> Reaction | None:
        return process(event(type_, who=who, source=source, id_=f"{type_}{who}{source}", **more), MONDAY)

    return happen


def erased(reaction: Reaction | None) -> bool:
    assert reaction is not None
    return any(isinstance(effect, EraseCustomer) for effect in reaction.effects)


def tasks(reaction: Reaction | None) -> list[OpenTask]:
    assert reaction is not None
    return [effect for effect in reaction.effects if isinstance(effect, OpenTask)]


def test_a_record_that_only_its_vendor_knows_is_erased_at_once(happened: Any, asks: Any, customers: Customers) -> None:
    happened(*RECORD, *MAIL)

    assert erased(asks(*RECORD, *MAIL))
    assert len(customers) == 0


def test_a_record_that_nobody_knows_is_erased_before_its_events_arrive(
    happened: Any, asks: Any, customers: Customers
) -> None:
    assert erased(asks(*RECORD, *MAIL))

    assert [one.address for one in customers.suppression_changes] == ["mia@example.com"]
    with pytest.raises(ErasedCustomerError):
        happened(*RECORD)
    assert len(customers) == 0


def test_a_guests_order_erases_nobody_who_has_the_address(happened: Any, asks: Any, customers: Customers) -> None:
    happened(*MIA, *MAIL, source="track")

    reaction = asks(*MAIL)

    [task] = tasks(reaction)
    assert not erased(reaction)
    assert task.context["because"] == Doubt.BY_ADDRESS
    assert [one.profile.identifiers for one in customers] == [(*MIA, *MAIL)]


def test_an_unknown_record_with_a_known_address_erases_nobody_and_ties_nothing(
    happened: Any, asks: Any, customers: Customers
) -> None:
    happened(*MIA, *MAIL, source="track")
    [before] = customers

    reaction = asks(*OTHER, *MAIL)

    [mia] = customers
    assert not erased(reaction)
    assert [task.context["because"] for task in tasks(reaction)] == [Doubt.BY_ADDRESS]
    assert mia.profile == before.profile


def test_a_record_is_erased_and_the_customer_who_has_its_address_is_a_task(
    happened: Any, asks: Any, customers: Customers
) -> None:
    happened(*MIA, *MAIL, source="track")
    happened(*OTHER)

    reaction = asks(*OTHER, *MAIL)

    [mia] = customers
    [task] = tasks(reaction)
    assert erased(reaction)
    assert mia.profile.identifiers == (*MIA, *MAIL)
    assert (task.customer, task.context["because"]) == (mia.id, Doubt.BY_ADDRESS)


def test_of_a_merged_customer_one_record_never_takes_the_other_along(
    happened: Any, asks: Any, customers: Customers
) -> None:
    happened(*MIA, *MAIL, source="track")
    happened(*RECORD)
    happened(*MIA, *RECORD, source="track", type_="accounts.linked")
    [mia] = customers
    assert mia.profile.merged

    reaction = asks(*RECORD)

    [task] = tasks(reaction)
    assert not erased(reaction)
    assert task.customer == mia.id
    assert set(task.context["rest"]["sources"]) == {"track"}


def test_a_request_for_data_is_a_task_for_each_customer_that_it_may_mean(happened: Any, asks: Any) -> None:
    happened(*MIA, *MAIL, source="track")
    happened(*OTHER)

    opened = tasks(asks(*OTHER, *MAIL, kind="data"))

    assert len({task.customer for task in opened}) == 2
    assert [task.context["choices"] for task in opened] == [["part", "all", "refuse"], ["all", "refuse"]]


def test_a_repeated_order_is_the_same_task(happened: Any, asks: Any) -> None:
    happened(*MIA, *RECORD, source="track")

    first, again = tasks(asks(*RECORD, id_="1")), tasks(asks(*RECORD, id_="2", at=2 * DAY))

    assert [one.id for one in first] == [one.id for one in again]
    assert asks(*RECORD, id_="1") is None, "a duplicate"


def test_an_order_older_than_an_erasure_does_nothing(happened: Any, asks: Any, customers: Customers) -> None:
    happened(*RECORD, *MAIL)
    asks(*RECORD, at=2 * DAY)

    with pytest.raises(ErasedCustomerError):
        asks(*RECORD, at=DAY, id_="late")
    assert len(customers) == 0


def test_an_order_is_carried_out_though_an_address_in_it_was_erased_since(
    happened: Any, asks: Any, customers: Customers
) -> None:
    happened(*RECORD, *MAIL)
    happened(*OTHER)
    asks(*RECORD, *MAIL, at=2 * DAY)

    assert erased(asks(*OTHER, *MAIL, at=DAY))
    assert len(customers) == 0


def test_orders_above_the_limit_of_an_hour_wait_and_nothing_is_erased(
    happened: Any, asks: Any, customers: Customers
) -> None:
    records = [name(external={"shopify": f"90000{number}"}) for number in range(4)]
    for record in records:
        happened(*record)

    reactions = [asks(*record, id_=str(number)) for number, record in enumerate(records)]
    later = asks(*records[3], id_="3 again", at=DAY + 2 * HOUR)

    assert [erased(one) for one in [*reactions, later]] == [True, True, False, False, True]
    assert [task.context["because"] for one in reactions for task in tasks(one)] == [Doubt.TOO_MANY] * 2
    assert len(customers) == 1


def test_only_orders_of_vendors_are_counted(process: ProcessEvent, happened: Any, asks: Any, orders: Any) -> None:
    happened(*RECORD, *MAIL)
    happened(*OTHER)
    asks(*RECORD, kind="data")
    process(event("customer.erasure_requested", MONDAY + DAY, who=OTHER, source="operators"), MONDAY + DAY)
    process(event("customer.erasure_requested", MONDAY + DAY, who=MIA, source="track"), MONDAY + DAY)
    assert orders == {}

    asks(*RECORD)

    assert len(orders) == 1


def test_an_order_that_meets_another_commit_is_counted_once(
    happened: Any, asks: Any, customers: Customers, orders: Any
) -> None:
    happened(*RECORD)
    customers.somebody_is_faster(3)

    assert erased(asks(*RECORD))
    assert len(orders) == 1


def test_a_customer_from_before_the_list_of_sources_is_a_task(happened: Any, asks: Any, customers: Customers) -> None:
    happened(*RECORD)
    [old] = customers
    unknown = replace(old, profile=replace(old.profile, sources={"unrecorded": MONDAY}))
    customers._by_id[old.id] = unknown  # noqa: SLF001

    assert not erased(asks(*RECORD))
