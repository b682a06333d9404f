"""Erasure: earlier events no longer count, and the customer may return under a new id."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

import pytest

from cairn.adapters.phone.numbers import to_e164
from cairn.application.events.process_event import ProcessEvent
from cairn.application.privacy.erase_customer import EraseCustomer, Outcome
from cairn.application.values.erasure import DeadLettersRemoved, PendingErasure, UnreadDeadLetter
from cairn.domain.consent.suppression import Cause
from cairn.domain.effects import EraseCustomer as Order
from cairn.domain.event import Event
from cairn.domain.identity.identifiers import customer_id_for
from cairn.domain.operations.audit import AuditEntry
from cairn.domain.privacy.requests import id_after_erasure
from cairn.domain.privacy.traces import Traces
from cairn.domain.shared.errors import ErasedCustomerError, ServiceBusyError
from cairn.settings import ERASURE_REST, SQS_MAX_DELAY
from tests.unit.fakes import KEYS, ChosenArms, Customers, ErasureOrders, Sent, Switches, Tasks
from tests.unit.makers import MONDAY, Deployed, event, journey, name, send, sent, timers, wait

DAY = timedelta(days=1)
WHO = name(user_id="ada", email="ada@example.com", phone="+14155550123")
BY_MAIL = name(email="ada@example.com")
BY_PHONE = name(phone="+14155550123")


@pytest.fixture
def customers() -> Customers:
    return Customers()


@pytest.fixture
def process(customers: Customers) -> ProcessEvent:
    deployed = Deployed(journey(send("hello"), wait("a-day", "1d"), send("tips")))
    return ProcessEvent(
        customers, deployed, lambda text: to_e164(text, "US"), KEYS, Sent(), Switches(), ChosenArms(), ErasureOrders()
    )


@pytest.fixture
def erased(process: ProcessEvent) -> Any:
    """Ada signed up on Monday and asked on Tuesday to be forgotten."""
    begun = process(event("trial.signup", who=WHO), MONDAY)
    process(event("customer.erasure_requested", MONDAY + DAY, source="operators", who=WHO), MONDAY + DAY)
    return begun


def heard(kind: str, when: datetime = MONDAY + 2 * DAY, **more: Any) -> Event:
    """Twilio's report about Ada's number."""
    text = {"channel": "sms", "address": "+14155550123"} | more
    return Event(f"{kind}@{when}", "twilio", f"message.{kind}", when, BY_PHONE, properties=text)


@pytest.mark.parametrize("who", [WHO, BY_MAIL, name(user_id="eve", email="ada@example.com")])
def test_events_from_before_the_erasure_create_nothing(
    process: ProcessEvent, customers: Customers, erased: Any, who: Any
) -> None:
    with pytest.raises(ErasedCustomerError):
        process(event("visit.attended", MONDAY, who=who), MONDAY + 9 * DAY)

    assert erased
    assert len(customers) == 0


def test_the_same_order_again_does_nothing(process: ProcessEvent, customers: Customers, erased: Any) -> None:
    again = event("customer.erasure_requested", MONDAY + DAY, source="operators", who=WHO)

    assert process(again, MONDAY + 2 * DAY) is None
    assert erased
    assert len(customers.commits) == 2


def test_a_returning_customer_gets_another_id(process: ProcessEvent, customers: Customers, erased: Any) -> None:
    again = process(event("trial.signup", MONDAY + 3 * DAY, who=WHO), MONDAY + 3 * DAY)

    [ada] = customers
    old = customer_id_for(WHO[0], KEYS.customer_ids)
    assert erased.customer.id == old
    assert ada.id == id_after_erasure(old, MONDAY + DAY, KEYS.tombstones)
    assert sent(again) == ["hello"]
    assert {one.id for one in timers(again)} & {one.id for one in timers(erased)} == set()
    with pytest.raises(ErasedCustomerError):
        process.wake(old, timers(erased)[0].enrollment, timers(erased)[0].sequence, MONDAY + 4 * DAY)


@pytest.mark.parametrize("who", [WHO, BY_MAIL, BY_PHONE])
def test_the_new_customer_gets_no_data_of_the_erased_one(
    process: ProcessEvent, customers: Customers, erased: Any, who: Any
) -> None:
    process(event("trial.signup", MONDAY + 3 * DAY, who=WHO), MONDAY + 3 * DAY)

    with pytest.raises(ErasedCustomerError):
        process(event("visit.attended", MONDAY + DAY / 2, who=who), MONDAY + 4 * DAY)
    process(event("visit.attended", MONDAY + 4 * DAY, who=who), MONDAY + 4 * DAY)

    [ada] = customers
    assert erased
    assert ada.profile.activity["visit.attended"].count == 1


def test_an_identifier_that_another_customer_gets_brings_no_old_events(
    process: ProcessEvent, customers: Customers, erased: Any
) -> None:
    eve = name(user_id="eve")
    process(event("visit.attended", MONDAY, who=eve), MONDAY)
    process(event("profile.changed", MONDAY + 3 * DAY, who=(*eve, *BY_MAIL)), MONDAY + 3 * DAY)

    with pytest.raises(ErasedCustomerError):
        process(event("order.paid", MONDAY, who=(*eve, *BY_MAIL)), MONDAY + 4 * DAY)
    process(event("order.paid", MONDAY, id_="eves own", who=eve), MONDAY + 4 * DAY)

    [found] = customers
    assert erased
    assert found.profile.identifiers == name(user_id="eve", email="ada@example.com")
    assert found.profile.activity["order.paid"].count == 1


def test_erased_identifiers_are_stored_while_old_events_may_arrive(
    process: ProcessEvent, customers: Customers, erased: Any
) -> None:
    process(event("visit.attended", MONDAY + 3 * DAY, who=WHO), MONDAY + 3 * DAY)
    process(event("visit.attended", MONDAY + 50 * DAY, who=WHO), MONDAY + 50 * DAY)

    [ada] = customers
    assert erased
    assert ada.erased == {}


@pytest.mark.parametrize(("kind", "cause"), [("complained", Cause.COMPLAINT), ("stopped", Cause.STOP)])
def test_a_providers_late_report_suppresses_the_address_and_creates_no_customer(
    process: ProcessEvent, customers: Customers, erased: Any, kind: str, cause: Cause
) -> None:
    assert process(heard(kind), MONDAY + 2 * DAY) is None

    assert erased
    assert len(customers) == 0
    assert customers.suppression_changes[-1].mark.cause is cause


def test_a_late_delivery_report_creates_no_customer(process: ProcessEvent, customers: Customers, erased: Any) -> None:
    assert process(heard("delivered"), MONDAY + 2 * DAY) is None

    assert erased
    assert len(customers) == 0


def test_a_customer_who_writes_to_us_exists_again(process: ProcessEvent, customers: Customers, erased: Any) -> None:
    assert process(heard("replied", text="hello, it is me again"), MONDAY + 2 * DAY)

    [ada] = customers
    assert erased
    assert ada.profile.identifiers == BY_PHONE


@dataclass
class Stores:
    """All stored data of one customer, and the calls made."""

    left: PendingErasure | None
    done: list[str] = field(default_factory=list)
    receipts: list[AuditEntry] = field(default_factory=list)
    later: list[timedelta] = field(default_factory=list)
    busy: bool = False
    unread: tuple[UnreadDeadLetter, ...] = ()
    tasks: Tasks = field(default_factory=Tasks)

    def pending(self, customer_id: str) -> PendingErasure | None:
        return self.left if self.left and self.left.id == customer_id else None

    def remove(self, pending: PendingErasure) -> int:
        assert pending.id == "c_ada"
        self.tasks.clear()
        self.done.append("items")
        return 2

    def remove_dead_letters(self, traces: Traces) -> DeadLettersRemoved:
        assert traces.identifiers == WHO
        if self.busy:
            raise ServiceBusyError("somebody is looking")
        self.done.append("letters")
        return DeadLettersRemoved(2, self.unread)

    def cancel(self, enrollments: Iterable[str], names: Iterable[str]) -> int:
        self.done.append("schedules")
        return len([*enrollments, *names])

    def complete(self, pending: PendingErasure, receipt: AuditEntry) -> None:
        assert pending == self.left
        self.left = None
        self.receipts.append(receipt)

    def put(self, customer_id: str, order: Order, delay: timedelta) -> None:
        assert (customer_id, order) == ("c_ada", ORDER)
        self.later.append(delay)


ORDER = Order("receipt", "ana", MONDAY)
LEFT = PendingErasure(
    "c_ada", MONDAY, Traces(frozenset({"c_ada"}), WHO, MONDAY), frozenset({"e"}), frozenset({"t1", "t2"})
)


@pytest.fixture
def stores() -> Stores:
    return Stores(LEFT)


@pytest.fixture
def erase(stores: Stores) -> EraseCustomer:
    return EraseCustomer(stores, stores.cancel, stores.remove_dead_letters, stores, stores.tasks)


def test_all_data_is_removed_before_the_receipt_is_written(erase: EraseCustomer, stores: Stores) -> None:
    outcome = erase("c_ada", ORDER, MONDAY + ERASURE_REST)

    assert outcome is Outcome.ERASED
    assert sorted(stores.done) == ["items", "letters", "schedules"]
    [receipt] = stores.receipts
    assert (receipt.actor, receipt.action, receipt.target) == ("ana", "erase", "c_ada")
    assert receipt.detail["removed"] == {"items": 2, "letters": 2, "schedules": 3}
    assert receipt.detail["dead_letters_left"] == 0
    assert stores.tasks == {}
    assert receipt.detail["requested_at"] == receipt.detail["sealed_at"] == "2026-03-02T10:00:00Z"


def test_a_receipt_has_only_a_hash_of_the_customer(erase: EraseCustomer, stores: Stores) -> None:
    erase("c_ada", ORDER, MONDAY + ERASURE_REST)

    text = str(stores.receipts)
    assert not any(one.value in text for one in WHO if one.value != "ada")
    assert "'ada'" not in text


def test_nothing_is_removed_while_earlier_work_may_be_under_way(erase: EraseCustomer, stores: Stores) -> None:
    assert erase("c_ada", ORDER, MONDAY) is Outcome.TOO_EARLY
    assert erase("c_ada", ORDER, MONDAY + SQS_MAX_DELAY) is Outcome.TOO_EARLY

    assert stores.later == [SQS_MAX_DELAY, ERASURE_REST - SQS_MAX_DELAY]
    assert stores.done == []


def test_erasing_twice_has_the_effect_of_once(erase: EraseCustomer, stores: Stores) -> None:
    erase("c_ada", ORDER, MONDAY + ERASURE_REST)

    assert erase("c_ada", ORDER, MONDAY + ERASURE_REST) is Outcome.NOTHING_LEFT
    assert len(stores.receipts) == 1


def test_while_an_operator_looks_at_dead_letters_there_is_no_receipt(erase: EraseCustomer, stores: Stores) -> None:
    stores.busy = True
    with pytest.raises(ServiceBusyError):
        erase("c_ada", ORDER, MONDAY + ERASURE_REST)
    stores.busy = False

    assert stores.receipts == []
    assert erase("c_ada", ORDER, MONDAY + ERASURE_REST) is Outcome.ERASED


def test_dead_letters_that_cannot_be_read_become_a_task(erase: EraseCustomer, stores: Stores) -> None:
    stores.unread = tuple(
        UnreadDeadLetter("events-dead-letters.fifo", f"m{number}", "too long") for number in range(30)
    )

    assert erase("c_ada", ORDER, MONDAY + ERASURE_REST) is Outcome.ERASED

    [(_, task)] = stores.tasks.values()
    assert (task.queue, task.due_at) == ("privacy", MONDAY + timedelta(days=30))
    assert task.context["count"] == 30
    assert task.context["unread"][0] == "events-dead-letters.fifo m0: too long"
    assert len(task.context["unread"]) == 20
    assert stores.receipts[0].detail["dead_letters_left"] == 30
    assert sorted(stores.done) == ["items", "letters", "schedules"]
