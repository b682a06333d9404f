"""Erasure in the table: which identifiers and ids lead nowhere, what is removed, and how a customer returns."""

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from cairn.adapters.dynamodb.atomic_write import MAX_ITEMS
from cairn.adapters.dynamodb.customers import DynamoCustomers
from cairn.adapters.dynamodb.deliveries import DynamoDeliveries
from cairn.adapters.dynamodb.erasure import DynamoErasureStore
from cairn.adapters.dynamodb.items import CONTACT, STATE, CustomerItem, RecordItem
from cairn.adapters.dynamodb.suppressions import DynamoSuppressions
from cairn.adapters.dynamodb.table import read_all
from cairn.adapters.phone.numbers import to_e164
from cairn.application.events.process_event import ProcessEvent
from cairn.application.values.customers import FoundCustomers
from cairn.application.values.erasure import PendingErasure
from cairn.domain.consent.suppression import Cause
from cairn.domain.event import Event
from cairn.domain.identity.identifiers import Identifier, customer_id_for, identifier, strongest_first
from cairn.domain.operations.audit import AuditEntry
from cairn.domain.policy import Policy
from cairn.domain.privacy.requests import id_after_erasure
from cairn.domain.shared.channels import Channel, Purpose
from cairn.domain.shared.errors import ErasedCustomerError
from tests.unit.fakes import KEYS, ChosenArms, ErasureOrders, Switches
from tests.unit.makers import Deployed, message

pytestmark = pytest.mark.usefixtures("table")

NOW = datetime(2026, 3, 2, 14, tzinfo=UTC)
HOUR = timedelta(hours=1)
CUSTOMERS = DynamoCustomers(KEYS)
DELIVERIES = DynamoDeliveries(KEYS.suppressions)
ERASURES = DynamoErasureStore(KEYS)

MIA = identifier("user_id", "mia")
MAIL = identifier("email", "mia@example.com")
LEAD = identifier("email", "mia.lead@example.com")
PHONE = identifier("phone", "+12015550123")
MIA_ID = customer_id_for(MIA, KEYS.customer_ids)


@pytest.fixture
def process() -> ProcessEvent:
    """With the identifiers of the longest erasure, where a policy usually allows a customer fewer."""
    return ProcessEvent(
        CUSTOMERS,
        Deployed(),
        lambda text: to_e164(text, "US"),
        KEYS,
        DELIVERIES,
        Switches(),
        ChosenArms(),
        ErasureOrders(),
        policy=Policy(max_identifiers=MAX_ITEMS + 21),
    )


@pytest.fixture
def happens(process: ProcessEvent) -> Callable[..., Any]:
    """An event of the customer with these identifiers."""

    def happen(*names: Identifier, at: datetime = NOW, type_: str = "page.seen", **more: Any) -> Any:
        source = "operators" if type_ == "customer.erasure_requested" else "track"
        return process(Event(f"{type_}@{at}", source, type_, at, strongest_first(names), **more), at)

    return happen


@pytest.fixture
def erase(happens: Callable[..., Any]) -> Callable[..., str]:
    """Request the erasure of a customer; gives the id."""

    def request_erasure(*names: Identifier, at: datetime = NOW + HOUR) -> str:
        return str(happens(*names, at=at, type_="customer.erasure_requested").customer.id)

    return request_erasure


def pending_erasure(customer: str) -> PendingErasure:
    pending = ERASURES.pending(customer)
    assert pending is not None
    return pending


def remove(customer: str) -> int:
    """Remove and complete, as the eraser does."""
    pending = pending_erasure(customer)
    removed = ERASURES.remove(pending)
    ERASURES.complete(pending, AuditEntry(NOW, "ana", "erase", customer, "asked"))
    return removed


def test_no_identifier_finds_a_customer_whose_erasure_is_pending(happens: Any, erase: Any) -> None:
    happens(MIA, MAIL, PHONE)
    erase(MIA)

    assert CUSTOMERS.find([MIA, MAIL, PHONE]) == FoundCustomers(
        unclaimed=(MIA, MAIL, PHONE), erased=dict.fromkeys((MIA, MAIL, PHONE), NOW + HOUR)
    )
    with pytest.raises(ErasedCustomerError):
        CUSTOMERS.load(MIA_ID)
    assert read_all([(MIA_ID, CONTACT)]) == {}


def test_a_request_that_names_two_customers_erases_both(happens: Any, erase: Any) -> None:
    happens(MIA)
    happens(LEAD, at=NOW + HOUR / 2)

    erased = erase(MIA, LEAD)

    assert erased == MIA_ID
    for customer_id in (MIA_ID, customer_id_for(LEAD, KEYS.customer_ids)):
        with pytest.raises(ErasedCustomerError):
            CUSTOMERS.load(customer_id)
    assert pending_erasure(MIA_ID).traces.ids == {MIA_ID, customer_id_for(LEAD, KEYS.customer_ids)}
    remove(MIA_ID)
    for customer_id in (MIA_ID, customer_id_for(LEAD, KEYS.customer_ids)):
        assert [one.sk for one in RecordItem.query(customer_id)] == [STATE]


def test_a_pending_erasure_is_listed_until_it_is_complete(happens: Any, erase: Any) -> None:
    happens(MIA, MAIL)
    erase(MIA)

    pending = pending_erasure(MIA_ID)
    assert (pending.id, pending.at, pending.traces.identifiers) == (MIA_ID, NOW + HOUR, (MIA, MAIL))
    assert remove(MIA_ID) == 2, "two events"
    assert ERASURES.pending(MIA_ID) is None
    assert [one.sk for one in RecordItem.query(MIA_ID)] == [STATE]
    ERASURES.complete(pending, AuditEntry(NOW, "ana", "erase", MIA_ID, "asked"))  # by a second eraser at the same time
    assert ERASURES.remove(pending) == 0, "what a third one meets, that has begun before"
    assert len(list(RecordItem.query("audit"))) == 1


def test_a_second_removal_removes_nothing(happens: Any, erase: Any) -> None:
    happens(MIA, MAIL)
    erase(MIA)
    pending = pending_erasure(MIA_ID)

    ERASURES.remove(pending)

    assert ERASURES.remove(pending) == 0
    assert pending_erasure(MIA_ID) == pending


def test_an_address_among_the_attributes_is_suppressed_unless_another_customer_has_it(happens: Any, erase: Any) -> None:
    happens(identifier("user_id", "noa"), MAIL)
    happens(MIA, at=NOW + HOUR / 4, attributes={"email": "mia@example.com", "phone": PHONE.value})
    erase(MIA)
    remove(MIA_ID)

    suppressed = DynamoSuppressions(KEYS.suppressions).current({Channel.EMAIL: MAIL.value, Channel.SMS: PHONE.value})
    assert not suppressed.get(Channel.EMAIL)
    [suppression] = suppressed[Channel.SMS]
    assert (suppression.cause, suppression.purpose) == (Cause.ERASURE, Purpose.MARKETING)


def test_identifiers_beyond_one_transaction_are_erased_by_the_removal(happens: Any, erase: Any) -> None:
    names = tuple(identifier(f"external:s{number}", "1") for number in range(MAX_ITEMS + 20))
    for start in range(0, len(names), 20):
        happens(MIA, *names[start : start + 20], at=NOW + start * timedelta(seconds=1))
    erase(MIA)
    not_yet_erased = [one for one in names if _is_not_yet_erased(one)]

    assert len(not_yet_erased) > 20
    remove(MIA_ID)
    assert CUSTOMERS.find([*not_yet_erased[:5], *names[:5]]).erased.keys() >= set(not_yet_erased[:5])


def _is_not_yet_erased(name: Identifier) -> bool:
    """Whether the name has no tombstone of its own yet; it leads to that of its customer meanwhile."""
    id_ = customer_id_for(name, KEYS.customer_ids)
    assert CUSTOMERS.find([name]).erased
    return not read_all([(id_, STATE)])[id_, STATE].erased


def test_a_customer_who_returns_has_another_id_and_the_time_of_erasure(happens: Any, erase: Any) -> None:
    happens(MIA, MAIL)
    erase(MIA)
    again = happens(MIA, MAIL, at=NOW + 2 * HOUR).customer.id

    [mia] = CUSTOMERS.find([MIA, MAIL]).customers
    assert mia.id == again == id_after_erasure(MIA_ID, NOW + HOUR, KEYS.tombstones)
    assert mia.erased == {MIA.key: NOW + HOUR, MAIL.key: NOW + HOUR}
    with pytest.raises(ErasedCustomerError):
        CUSTOMERS.load(MIA_ID)
    assert remove(MIA_ID) == 2
    assert CUSTOMERS.load(again) == mia
    with pytest.raises(ErasedCustomerError):
        happens(MAIL, type_="late.word", at=NOW)


def test_the_erased_id_stays_closed_after_the_returned_customer_is_merged(happens: Any, erase: Any) -> None:
    happens(MAIL)
    erase(MAIL)
    happens(MAIL, at=NOW + 2 * HOUR)
    happens(MIA, at=NOW + 2 * HOUR)
    merged = happens(MIA, MAIL, at=NOW + 3 * HOUR).customer.id

    [mia] = CUSTOMERS.find([MAIL]).customers
    assert merged == mia.id == MIA_ID
    with pytest.raises(ErasedCustomerError):
        CUSTOMERS.load(customer_id_for(MAIL, KEYS.customer_ids))
    back = id_after_erasure(customer_id_for(MAIL, KEYS.customer_ids), NOW + HOUR, KEYS.tombstones)
    assert CUSTOMERS.load(back).id == MIA_ID


def test_a_returned_customer_who_is_merged_twice_is_found_in_one_step(happens: Any, erase: Any) -> None:
    shop = identifier("external:shop", "1")
    happens(MAIL)
    erase(MAIL)
    new = happens(MAIL, at=NOW + 2 * HOUR).customer.id
    happens(shop, at=NOW + 2 * HOUR)
    happens(shop, MAIL, at=NOW + 3 * HOUR)
    happens(MIA, at=NOW + 3 * HOUR)
    happens(MIA, shop, at=NOW + 4 * HOUR)

    assert CustomerItem.get(new, STATE).alias_of == MIA_ID
    [context] = DELIVERIES.contexts([replace(message(), customer=new, decided_at=NOW + 3 * HOUR)])
    assert context is not None
    assert context.message.customer == MIA_ID


def test_a_customer_can_return_and_be_erased_again(happens: Any, erase: Any) -> None:
    happens(MIA)
    first = erase(MIA)
    happens(MIA, at=NOW + 2 * HOUR)
    second = erase(MIA, at=NOW + 3 * HOUR)
    happens(MIA, at=NOW + 4 * HOUR)

    [mia] = CUSTOMERS.find([MIA]).customers
    assert len({first, second, mia.id}) == 3
    assert remove(first) + remove(second) == 4
    assert CUSTOMERS.load(mia.id).profile.activity["page.seen"].count == 1


def test_two_concurrent_events_after_an_erasure_create_one_customer(
    process: ProcessEvent, happens: Any, erase: Any, interrupted: Any
) -> None:
    happens(MIA, MAIL)
    erase(MIA)
    at = NOW + 2 * HOUR
    slow = interrupted(process, lambda: happens(MIA, MAIL, at=at, type_="page.left"))

    assert slow(Event("slow", "track", "page.seen", at, (MIA, MAIL)), at)

    [mia] = CUSTOMERS.find([MIA, MAIL]).customers
    assert mia.profile.activity.keys() == {"page.left", "page.seen"}


def test_a_commit_that_was_decided_before_the_erasure_request_is_refused(
    process: ProcessEvent, happens: Any, erase: Any, interrupted: Any
) -> None:
    happens(MIA)
    slow = interrupted(process, lambda: erase(MIA))

    with pytest.raises(ErasedCustomerError):
        slow(Event("slow", "track", "page.seen", NOW, (MIA,)), NOW)

    assert pending_erasure(MIA_ID)
    assert CustomerItem.get(MIA_ID, STATE).profile is None


def test_a_message_from_before_the_erasure_is_not_delivered_to_the_returned_customer(happens: Any, erase: Any) -> None:
    happens(MIA, MAIL)
    erase(MIA)
    happens(MIA, MAIL, at=NOW + 2 * HOUR)

    queued = replace(message(), customer=MIA_ID)

    assert DELIVERIES.contexts([queued]) == [None]
