"""What erasing somebody does to the table, and what of it stands in the way of whom."""

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from cairn.adapters.dynamodb.customers import MAX_SEALED_AT_ONCE, DynamoCustomers
from cairn.adapters.dynamodb.deliveries import DynamoDeliveries
from cairn.adapters.dynamodb.erasure import DynamoErasureStore
from cairn.adapters.dynamodb.items import CONTACT, STATE, CustomerItem, RecordItem, read_all
from cairn.adapters.dynamodb.suppressions import DynamoSuppressions
from cairn.adapters.phone.numbers import to_e164
from cairn.application.events.process_event import ProcessEvent
from cairn.application.ports import FoundCustomers, PendingErasure
from cairn.domain.consent.suppression import Cause
from cairn.domain.event import Event
from cairn.domain.identity.identifiers import Identifier, customer_id_for, identifier, strongest_first
from cairn.domain.operations.audit import AuditEntry
from cairn.domain.privacy.requests import id_after_erasure
from cairn.domain.shared.channels import Channel, Purpose
from cairn.domain.shared.errors import ConflictError, ErasedCustomerError
from tests.unit.fakes import Switches
from tests.unit.makers import Deployed, message

pytestmark = pytest.mark.usefixtures("table")

NOW = datetime(2026, 3, 2, 14, tzinfo=UTC)
HOUR = timedelta(hours=1)
SALT = "salt"
CUSTOMERS = DynamoCustomers(SALT)
DELIVERIES = DynamoDeliveries(SALT)
REMAINS = DynamoErasureStore(SALT)

MIA = identifier("user_id", "mia")
MAIL = identifier("email", "mia@example.com")
LEAD = identifier("email", "mia.lead@example.com")
PHONE = identifier("phone", "+12015550123")
HOME = customer_id_for(MIA, SALT)


@pytest.fixture
def process() -> ProcessEvent:
    return ProcessEvent(CUSTOMERS, Deployed(), lambda text: to_e164(text, "US"), SALT, DELIVERIES, Switches())


@pytest.fixture
def tell(process: ProcessEvent) -> Callable[..., Any]:
    """Something happens to whoever has these names."""

    def told(*names: Identifier, at: datetime = NOW, type_: str = "page.seen", **more: Any) -> Any:
        source = "operators" if type_ == "customer.erasure_requested" else "track"
        return process(Event(f"{type_}@{at}", source, type_, at, strongest_first(names), **more), at)

    return told


@pytest.fixture
def erase(tell: Callable[..., Any]) -> Callable[..., str]:
    """Somebody is sealed; gives their id."""

    def sealed(*names: Identifier, at: datetime = NOW + HOUR) -> str:
        return str(tell(*names, at=at, type_="customer.erasure_requested").customer.id)

    return sealed


def remains_of(customer: str) -> PendingErasure:
    left = REMAINS.pending(customer)
    assert left is not None
    return left


def remove(customer: str) -> int:
    """What the eraser does to the table."""
    left = remains_of(customer)
    removed = REMAINS.remove(left)
    REMAINS.complete(left, AuditEntry(NOW, "ana", "erase", customer, "asked"))
    return removed


def test_from_the_seal_on_every_name_leads_nowhere(tell: Any, erase: Any) -> None:
    tell(MIA, MAIL, PHONE)
    erase(MIA)

    assert CUSTOMERS.find([MIA, MAIL, PHONE]) == FoundCustomers(
        (), (MIA, MAIL, PHONE), dict.fromkeys((MIA, MAIL, PHONE), NOW + HOUR)
    )
    with pytest.raises(ErasedCustomerError):
        CUSTOMERS.load(HOME)
    assert read_all([(HOME, CONTACT)]) == {}


def test_an_order_that_names_two_who_are_one_seals_both(tell: Any, erase: Any) -> None:
    tell(MIA)
    tell(LEAD, at=NOW + HOUR / 2)

    erased = erase(MIA, LEAD)

    assert erased == HOME
    for place in (HOME, customer_id_for(LEAD, SALT)):
        with pytest.raises(ErasedCustomerError):
            CUSTOMERS.load(place)
    assert remains_of(HOME).traces.ids == {HOME, customer_id_for(LEAD, SALT)}
    remove(HOME)
    for place in (HOME, customer_id_for(LEAD, SALT)):
        assert [one.sk for one in RecordItem.query(place)] == [STATE]


def test_what_is_left_is_told_and_then_gone(tell: Any, erase: Any) -> None:
    tell(MIA, MAIL)
    erase(MIA)

    left = remains_of(HOME)
    assert (left.id, left.at, left.traces.identifiers) == (HOME, NOW + HOUR, (MIA, MAIL))
    assert remove(HOME) == 2, "two events"
    assert REMAINS.pending(HOME) is None
    assert [one.sk for one in RecordItem.query(HOME)] == [STATE]
    REMAINS.complete(left, AuditEntry(NOW, "ana", "erase", HOME, "asked"))  # by somebody else at the same time
    assert len(list(RecordItem.query("audit"))) == 1


def test_removing_twice_is_removing_once(tell: Any, erase: Any) -> None:
    tell(MIA, MAIL)
    erase(MIA)
    left = remains_of(HOME)

    REMAINS.remove(left)

    assert REMAINS.remove(left) == 0
    assert remains_of(HOME) == left


def test_an_address_that_was_no_name_is_left_alone_too_unless_it_is_anothers(tell: Any, erase: Any) -> None:
    tell(identifier("user_id", "noa"), MAIL)
    tell(MIA, at=NOW + HOUR / 4, attributes={"email": "mia@example.com", "phone": PHONE.value})
    erase(MIA)
    remove(HOME)

    held = DynamoSuppressions(SALT).current({Channel.EMAIL: MAIL.value, Channel.SMS: PHONE.value})
    assert not held.get(Channel.EMAIL)
    [why] = held[Channel.SMS]
    assert (why.cause, why.purpose) == (Cause.ERASURE, Purpose.MARKETING)


def test_names_that_are_too_many_for_one_transaction_follow(tell: Any, erase: Any) -> None:
    names = tuple(identifier(f"external:s{number}", "1") for number in range(MAX_SEALED_AT_ONCE + 20))
    for start in range(0, len(names), 20):
        tell(MIA, *names[start : start + 20], at=NOW + start * timedelta(seconds=1))
    erase(MIA)
    open_still = [one for one in names if _is_still_open(one)]

    assert len(open_still) == 20
    remove(HOME)
    assert CUSTOMERS.find([*open_still[:5], *names[:5]]).erased.keys() >= set(open_still[:5])


def _is_still_open(name: Identifier) -> bool:
    try:
        return not CUSTOMERS.find([name]).erased
    except ConflictError:
        return True


def test_a_new_life_has_another_id_and_its_names_still_know_when_the_old_one_ended(tell: Any, erase: Any) -> None:
    tell(MIA, MAIL)
    erase(MIA)
    again = tell(MIA, MAIL, at=NOW + 2 * HOUR).customer.id

    [mia] = CUSTOMERS.find([MIA, MAIL]).customers
    assert mia.id == again == id_after_erasure(HOME, NOW + HOUR)
    assert mia.erased == {MIA.key: NOW + HOUR, MAIL.key: NOW + HOUR}
    with pytest.raises(ErasedCustomerError):
        CUSTOMERS.load(HOME)
    assert remove(HOME) == 2
    assert CUSTOMERS.load(again) == mia
    with pytest.raises(ErasedCustomerError):
        tell(MAIL, type_="late.word", at=NOW)


def test_a_new_life_that_is_merged_keeps_the_old_id_closed(tell: Any, erase: Any) -> None:
    tell(MAIL)
    erase(MAIL)
    tell(MAIL, at=NOW + 2 * HOUR)
    tell(MIA, at=NOW + 2 * HOUR)
    merged = tell(MIA, MAIL, at=NOW + 3 * HOUR).customer.id

    [mia] = CUSTOMERS.find([MAIL]).customers
    assert merged == mia.id == HOME
    with pytest.raises(ErasedCustomerError):
        CUSTOMERS.load(customer_id_for(MAIL, SALT))
    assert CUSTOMERS.load(id_after_erasure(customer_id_for(MAIL, SALT), NOW + HOUR)).id == HOME


def test_a_new_life_that_is_merged_twice_is_one_hop_away(tell: Any, erase: Any) -> None:
    shop = identifier("external:shop", "1")
    tell(MAIL)
    erase(MAIL)
    new = tell(MAIL, at=NOW + 2 * HOUR).customer.id
    tell(shop, at=NOW + 2 * HOUR)
    tell(shop, MAIL, at=NOW + 3 * HOUR)
    tell(MIA, at=NOW + 3 * HOUR)
    tell(MIA, shop, at=NOW + 4 * HOUR)

    assert CustomerItem.get(new, STATE).alias_of == HOME
    [brief] = DELIVERIES.contexts([replace(message(), customer=new)])
    assert brief is not None
    assert brief.message.customer == HOME


def test_two_lives_end_one_after_the_other(tell: Any, erase: Any) -> None:
    tell(MIA)
    first = erase(MIA)
    tell(MIA, at=NOW + 2 * HOUR)
    second = erase(MIA, at=NOW + 3 * HOUR)
    tell(MIA, at=NOW + 4 * HOUR)

    [mia] = CUSTOMERS.find([MIA]).customers
    assert len({first, second, mia.id}) == 3
    assert remove(first) + remove(second) == 4
    assert CUSTOMERS.load(mia.id).profile.activity["page.seen"].count == 1


def test_of_two_who_begin_anew_at_once_one_is_created(
    process: ProcessEvent, tell: Any, erase: Any, interrupted: Any
) -> None:
    tell(MIA, MAIL)
    erase(MIA)
    at = NOW + 2 * HOUR
    slow = interrupted(process, lambda: tell(MIA, MAIL, at=at, type_="page.left"))

    assert slow(Event("slow", "track", "page.seen", at, (MIA, MAIL)), at)

    [mia] = CUSTOMERS.find([MIA, MAIL]).customers
    assert mia.profile.activity.keys() == {"page.left", "page.seen"}


def test_a_commit_that_was_decided_before_the_seal_does_not_break_it(
    process: ProcessEvent, tell: Any, erase: Any, interrupted: Any
) -> None:
    tell(MIA)
    slow = interrupted(process, lambda: erase(MIA))

    with pytest.raises(ErasedCustomerError):
        slow(Event("slow", "track", "page.seen", NOW, (MIA,)), NOW)

    assert remains_of(HOME)
    assert CustomerItem.get(HOME, STATE).profile is None


def test_a_message_of_the_old_life_is_not_delivered_to_the_new_one(tell: Any, erase: Any) -> None:
    tell(MIA, MAIL)
    erase(MIA)
    tell(MIA, MAIL, at=NOW + 2 * HOUR)

    queued = replace(message(), customer=HOME)

    assert DELIVERIES.contexts([queued]) == [None]
