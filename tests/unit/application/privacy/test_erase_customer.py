"""Who is erased is gone for everything that was said of them before, and may begin anew."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

import pytest

from cairn.adapters.phone.numbers import to_e164
from cairn.application.events.process_event import ProcessEvent
from cairn.application.ports import PendingErasure
from cairn.application.privacy.erase_customer import EraseCustomer, Outcome
from cairn.domain.consent.suppression import Cause
from cairn.domain.effects import EraseCustomer as Order
from cairn.domain.event import Event
from cairn.domain.identity.identifiers import customer_id_for
from cairn.domain.operations.audit import AuditEntry
from cairn.domain.privacy.requests import id_after_erasure
from cairn.domain.privacy.traces import Traces
from cairn.domain.shared.errors import ErasedCustomerError, ServiceBusyError
from cairn.settings import ERASURE_REST, SQS_MAX_DELAY
from tests.unit.fakes import SALT, Customers, Sent, Switches
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
    return ProcessEvent(customers, deployed, lambda text: to_e164(text, "US"), SALT, Sent(), Switches())


@pytest.fixture
def erased(process: ProcessEvent) -> Any:
    """Ada signed up on Monday and asked on Tuesday to be forgotten."""
    begun = process(event("trial.signup", who=WHO), MONDAY)
    process(event("customer.erasure_requested", MONDAY + DAY, source="operators", who=WHO), MONDAY + DAY)
    return begun


def heard(kind: str, when: datetime = MONDAY + 2 * DAY, **more: Any) -> Event:
    """What Twilio tells of Ada's number."""
    told = {"channel": "sms", "address": "+14155550123"} | more
    return Event(f"{kind}@{when}", "twilio", f"message.{kind}", when, BY_PHONE, properties=told)


@pytest.mark.parametrize("who", [WHO, BY_MAIL, name(user_id="eve", email="ada@example.com")])
def test_what_happened_before_the_erasure_creates_nothing_whenever_it_arrives(
    process: ProcessEvent, customers: Customers, erased: Any, who: Any
) -> None:
    with pytest.raises(ErasedCustomerError):
        process(event("visit.attended", MONDAY, who=who), MONDAY + 9 * DAY)

    assert erased
    assert len(customers) == 0


def test_the_same_order_again_is_nothing(process: ProcessEvent, customers: Customers, erased: Any) -> None:
    again = event("customer.erasure_requested", MONDAY + DAY, source="operators", who=WHO)

    assert process(again, MONDAY + 2 * DAY) is None
    assert erased
    assert len(customers.commits) == 2


def test_who_comes_back_begins_anew_under_another_id(process: ProcessEvent, customers: Customers, erased: Any) -> None:
    again = process(event("trial.signup", MONDAY + 3 * DAY, who=WHO), MONDAY + 3 * DAY)

    [ada] = customers
    old = customer_id_for(WHO[0], SALT)
    assert erased.customer.id == old
    assert ada.id == id_after_erasure(old, MONDAY + DAY)
    assert sent(again) == ["hello"]
    assert {one.id for one in timers(again)} & {one.id for one in timers(erased)} == set()
    with pytest.raises(ErasedCustomerError):
        process.wake(old, timers(erased)[0].enrollment, timers(erased)[0].sequence, MONDAY + 4 * DAY)


@pytest.mark.parametrize("who", [WHO, BY_MAIL, BY_PHONE])
def test_the_new_life_hears_nothing_of_the_old_one(
    process: ProcessEvent, customers: Customers, erased: Any, who: Any
) -> None:
    process(event("trial.signup", MONDAY + 3 * DAY, who=WHO), MONDAY + 3 * DAY)

    with pytest.raises(ErasedCustomerError):
        process(event("visit.attended", MONDAY + DAY / 2, who=who), MONDAY + 4 * DAY)
    process(event("visit.attended", MONDAY + 4 * DAY, who=who), MONDAY + 4 * DAY)

    [ada] = customers
    assert erased
    assert ada.profile.activity["visit.attended"].count == 1


def test_a_name_that_somebody_else_takes_over_tells_them_nothing_old(
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


def test_what_is_taken_over_is_remembered_as_long_as_anything_may_be_under_way(
    process: ProcessEvent, customers: Customers, erased: Any
) -> None:
    process(event("visit.attended", MONDAY + 3 * DAY, who=WHO), MONDAY + 3 * DAY)
    process(event("visit.attended", MONDAY + 50 * DAY, who=WHO), MONDAY + 50 * DAY)

    [ada] = customers
    assert erased
    assert ada.erased == {}


@pytest.mark.parametrize(("kind", "cause"), [("complained", Cause.COMPLAINT), ("stopped", Cause.STOP)])
def test_what_a_provider_still_tells_holds_for_the_address_and_makes_nobody(
    process: ProcessEvent, customers: Customers, erased: Any, kind: str, cause: Cause
) -> None:
    assert process(heard(kind), MONDAY + 2 * DAY) is None

    assert erased
    assert len(customers) == 0
    assert customers.suppression_changes[-1].mark.cause is cause


def test_a_receipt_of_what_went_out_before_makes_nobody(
    process: ProcessEvent, customers: Customers, erased: Any
) -> None:
    assert process(heard("delivered"), MONDAY + 2 * DAY) is None

    assert erased
    assert len(customers) == 0


def test_who_writes_to_us_is_back(process: ProcessEvent, customers: Customers, erased: Any) -> None:
    assert process(heard("replied", text="hello, it is me again"), MONDAY + 2 * DAY)

    [ada] = customers
    assert erased
    assert ada.profile.identifiers == BY_PHONE


def test_a_stranger_who_asks_to_be_forgotten_is_so_from_then_on(process: ProcessEvent, customers: Customers) -> None:
    asked = process(event("customer.erasure_requested", MONDAY + DAY, source="shopify", who=BY_MAIL), MONDAY + DAY)

    assert asked is not None
    assert [one.address for one in customers.suppression_changes] == ["ada@example.com"]
    with pytest.raises(ErasedCustomerError):
        process(event("visit.attended", MONDAY, who=BY_MAIL), MONDAY + 2 * DAY)
    assert len(customers) == 0


@dataclass
class World:
    """Everything that is kept of one customer, and what was asked of it."""

    left: PendingErasure | None
    done: list[str] = field(default_factory=list)
    receipts: list[AuditEntry] = field(default_factory=list)
    later: list[timedelta] = field(default_factory=list)
    busy: bool = False

    def pending(self, customer_id: str) -> PendingErasure | None:
        return self.left if self.left and self.left.id == customer_id else None

    def remove(self, what: Any) -> int:
        if isinstance(what, Traces) and self.busy:
            raise ServiceBusyError("somebody is looking")
        self.done.append("letters" if isinstance(what, Traces) else "items")
        return 2

    def cancel(self, enrollments: Iterable[str], names: Iterable[str]) -> int:
        self.done.append("schedules")
        return len([*enrollments, *names])

    def complete(self, sealed: PendingErasure, receipt: AuditEntry) -> None:
        assert sealed == self.left
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
def world() -> World:
    return World(LEFT)


@pytest.fixture
def erase(world: World) -> EraseCustomer:
    return EraseCustomer(world, world.cancel, world.remove, world)


def test_everything_is_removed_and_then_a_receipt_says_so(erase: EraseCustomer, world: World) -> None:
    outcome = erase("c_ada", ORDER, MONDAY + ERASURE_REST)

    assert outcome is Outcome.ERASED
    assert sorted(world.done) == ["items", "letters", "schedules"]
    [receipt] = world.receipts
    assert (receipt.actor, receipt.action, receipt.target) == ("ana", "erase", "c_ada")
    assert receipt.detail["removed"] == {"items": 2, "letters": 2, "schedules": 3}
    assert receipt.detail["requested_at"] == receipt.detail["sealed_at"] == "2026-03-02T10:00:00Z"


def test_a_receipt_tells_of_the_person_nothing_but_a_hash(erase: EraseCustomer, world: World) -> None:
    erase("c_ada", ORDER, MONDAY + ERASURE_REST)

    told = str(world.receipts)
    assert not any(one.value in told for one in WHO if one.value != "ada")
    assert "'ada'" not in told


def test_nothing_is_removed_while_anything_may_still_be_under_way(erase: EraseCustomer, world: World) -> None:
    assert erase("c_ada", ORDER, MONDAY) is Outcome.TOO_EARLY
    assert erase("c_ada", ORDER, MONDAY + SQS_MAX_DELAY) is Outcome.TOO_EARLY

    assert world.later == [SQS_MAX_DELAY, ERASURE_REST - SQS_MAX_DELAY]
    assert world.done == []


def test_twice_is_once(erase: EraseCustomer, world: World) -> None:
    erase("c_ada", ORDER, MONDAY + ERASURE_REST)

    assert erase("c_ada", ORDER, MONDAY + ERASURE_REST) is Outcome.NOTHING_LEFT
    assert len(world.receipts) == 1


def test_while_somebody_looks_at_letters_there_is_no_receipt(erase: EraseCustomer, world: World) -> None:
    world.busy = True
    with pytest.raises(ServiceBusyError):
        erase("c_ada", ORDER, MONDAY + ERASURE_REST)
    world.busy = False

    assert world.receipts == []
    assert erase("c_ada", ORDER, MONDAY + ERASURE_REST) is Outcome.ERASED
