"""Operator commands are audited before they are carried out, and an ambiguous name is never guessed."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from cairn.adapters.phone.numbers import to_e164
from cairn.application.customer.find_customer import FindCustomer
from cairn.application.events.process_event import ProcessEvent
from cairn.application.message.review_messages import ReviewMessages
from cairn.application.operations.operator_commands import Attribution, ConsentStatement, OperatorCommands
from cairn.domain.consent.changes import ConsentStatus
from cairn.domain.consent.contact import Contact
from cairn.domain.consent.suppression import suppression_key
from cairn.domain.customer.consent_updates import consent_updates
from cairn.domain.event import Event
from cairn.domain.identity.identifiers import WHATSAPP, Identifier
from cairn.domain.message.message import Approval
from cairn.domain.operations.audit import AuditEntry
from cairn.domain.policy import Policy
from cairn.domain.privacy.requests import erasure_order, is_operators_order
from cairn.domain.shared.channels import Channel, Purpose
from cairn.domain.shared.errors import AmbiguousNameError, ServiceBusyError, UnknownCustomerError, UnknownMessageError
from tests.unit.fakes import KEYS, ChosenArms, Customers, ErasureOrders, MessageQueue, Sent, Switches
from tests.unit.makers import MONDAY, Deployed, event, name

ADA = name(user_id="ada", email="ada@example.com", phone="+12015550123", external={"shop": "7"})
WORD = Attribution("arn:aws:iam::1:user/bo", "she rang us", MONDAY)
SAYS_NO = ConsentStatement(Channel.SMS, Purpose.MARKETING, ConsentStatus.DENIED)
ENROLLMENT = "abcdefghijklmnopqrst"


def number(text: str) -> str | None:
    return to_e164(text, "US")


class History(dict[str, str]):
    """Enrollment to customer."""

    def entries(self, customer_id: str) -> list[dict[str, Any]]:  # noqa: ARG002
        return []

    def customer_of(self, enrollment: str) -> str | None:
        return self.get(enrollment)


class Log(list[Any]):
    """Audit entries and events, in order."""

    failure: Exception | None = None

    def write(self, audited: AuditEntry) -> None:
        self.append(audited)

    def put(self, events: Sequence[Event]) -> None:
        if self.failure:
            raise self.failure
        self.extend(events)


class NothingKnown:
    def current(self, addresses: Any) -> dict[Any, Any]:  # noqa: ARG002
        return {}


class Reviews(list[Approval]):
    def decide(self, customer_id: str, message_id: str, approval: Approval, audited: AuditEntry) -> Purpose:  # noqa: ARG002
        self.append(approval)
        return Purpose.MARKETING


@pytest.fixture
def customers() -> Customers:
    """Ada is known."""
    known = Customers()
    process = ProcessEvent(known, Deployed(), number, KEYS, Sent(), Switches(), ChosenArms(), ErasureOrders())
    process(event("shop.visited", who=ADA), MONDAY)
    return known


@pytest.fixture
def find(customers: Customers) -> FindCustomer:
    return FindCustomer(customers, History({ENROLLMENT: customers.who_is(*ADA)}), number)


@pytest.fixture
def log() -> Log:
    return Log()


@pytest.fixture
def commands(find: FindCustomer, customers: Customers, log: Log) -> OperatorCommands:
    return OperatorCommands(
        find=find, customers=customers, inbox=log, audit=log, suppressions=NothingKnown(), keys=KEYS
    )


@pytest.mark.parametrize(
    "words", ["ada", " ada ", "ada@example.com", "ADA@Example.com", "+12015550123", "(201) 555-0123", "shop:7"]
)
def test_a_customer_is_found_by_any_name(find: FindCustomer, customers: Customers, words: str) -> None:
    assert find(words).id == find(customers.who_is(*ADA)).id


@pytest.mark.parametrize("words", ["US.1000", "whatsapp:US.1000", " US.1000"])
def test_a_customer_without_a_number_is_found_by_the_id_of_whatsapp(customers: Customers, words: str) -> None:
    process = ProcessEvent(customers, Deployed(), number, KEYS, Sent(), Switches(), ChosenArms(), ErasureOrders())
    process(event("page.seen", who=(Identifier(WHATSAPP, "US.1000"),)), MONDAY)

    found = FindCustomer(customers, History(), number)(words)

    assert found.profile.identifiers == (Identifier(WHATSAPP, "US.1000"),)


def test_an_id_of_whatsapp_is_suppressed_for_its_customer(
    commands: OperatorCommands, customers: Customers, log: Log
) -> None:
    process = ProcessEvent(customers, Deployed(), number, KEYS, Sent(), Switches(), ChosenArms(), ErasureOrders())
    process(event("page.seen", who=(Identifier(WHATSAPP, "US.1000"),)), MONDAY)

    commands.suppress(Channel.WHATSAPP, "US.1000", WORD)

    assert log[-1].customer_id == customers.who_is(Identifier(WHATSAPP, "US.1000"))


@pytest.mark.parametrize("words", ["", "bo", "bo@example.com", "+12015550199", "shop:8", "shop:", ":7", "c_ada"])
def test_a_wrong_name_finds_no_customer(find: FindCustomer, words: str) -> None:
    with pytest.raises(UnknownCustomerError):
        find(words)


def test_an_ambiguous_name_is_an_error(find: FindCustomer, customers: Customers) -> None:
    process = ProcessEvent(customers, Deployed(), number, KEYS, Sent(), Switches(), ChosenArms(), ErasureOrders())
    process(event("shop.visited", who=name(user_id="ada@example.com")), MONDAY)

    with pytest.raises(AmbiguousNameError, match=r"give one of c_.*, c_"):
        find("ada@example.com")


def test_a_message_leads_to_its_customer_alone_or_with_the_name(find: FindCustomer, customers: Customers) -> None:
    ada = customers.who_is(*ADA)

    assert find.of_message(f"{ENROLLMENT}-hello-1").id == ada
    assert find.of_message("an answer to a keyword", "ada").id == ada
    for unknown in (f"{ENROLLMENT[::-1]}-hello-1", "abcdefghijklmnop"):
        with pytest.raises(UnknownMessageError):
            find.of_message(unknown)


def test_the_audit_is_written_first(commands: OperatorCommands, log: Log) -> None:
    commands.consent("ada", SAYS_NO, WORD)
    commands.suppress(Channel.EMAIL, "ada@example.com", WORD)
    commands.release(Channel.EMAIL, "ada@example.com", WORD)
    commands.erase("ada", WORD)

    assert [type(one) for one in log] == [AuditEntry, Event] * 4
    assert [one.action for one in log if isinstance(one, AuditEntry)] == [
        "consent",
        "suppress",
        "release",
        "order_erasure",
    ]
    assert {(one.actor, one.reason) for one in log if isinstance(one, AuditEntry)} == {(WORD.by, WORD.why)}


def test_a_command_that_cannot_be_stored_is_an_error_and_is_audited(commands: OperatorCommands, log: Log) -> None:
    log.failure = ServiceBusyError("sqs is busy")

    with pytest.raises(ServiceBusyError):
        commands.erase("ada", WORD)

    assert [one.action for one in log] == ["order_erasure"]


def test_a_command_about_an_unknown_customer_is_not_audited(commands: OperatorCommands, log: Log) -> None:
    with pytest.raises(UnknownCustomerError):
        commands.consent("bo", SAYS_NO, WORD)

    assert log == []


def test_a_command_takes_effect(commands: OperatorCommands, log: Log) -> None:
    commands.consent("ada", SAYS_NO, WORD)

    heard = consent_updates(Contact(), log[-1], Policy(), "UTC")

    assert heard.contact.consent(Channel.SMS, Purpose.MARKETING) is ConsentStatus.DENIED
    assert log[-1].consent[0].evidence["actor"] == WORD.by


@pytest.mark.parametrize(
    ("channel", "address"),
    [(Channel.EMAIL, "ada@example.com"), (Channel.SMS, "+12015550199"), (Channel.PUSH, "arn:aws:sns:device")],
)
def test_an_address_travels_as_its_key(commands: OperatorCommands, log: Log, channel: Channel, address: str) -> None:
    done = commands.suppress(channel, address, WORD)

    (error,) = consent_updates(Contact(), log[-1], Policy(), "UTC").suppression_changes
    assert error.key_with(KEYS.suppressions) == suppression_key(channel, address, KEYS.suppressions) == done.about
    assert address not in str(log)


def test_a_command_about_an_unknown_address_creates_no_customer(
    commands: OperatorCommands, log: Log, customers: Customers
) -> None:
    commands.suppress(Channel.EMAIL, "ada@example.com", WORD)
    commands.suppress(Channel.EMAIL, "bo@example.com", WORD)

    owner, nobody = (one.customer_id for one in log if isinstance(one, Event))
    assert owner == customers.who_is(*ADA)
    process = ProcessEvent(customers, Deployed(), number, KEYS, Sent(), Switches(), ChosenArms(), ErasureOrders())
    assert process(log[-1], MONDAY) is None
    assert [one.key for one in customers.suppression_changes] == [
        suppression_key(Channel.EMAIL, "bo@example.com", KEYS.suppressions)
    ]
    with pytest.raises(UnknownCustomerError):
        customers.load(str(nobody))


def test_a_command_about_a_missing_customer_is_an_error(customers: Customers) -> None:
    process = ProcessEvent(customers, Deployed(), number, KEYS, Sent(), Switches(), ChosenArms(), ErasureOrders())
    about_nobody = event("consent.changed", who=(), source="operators", customer_id="c_nobody")

    with pytest.raises(UnknownCustomerError):
        process(about_nobody, MONDAY)


def test_an_erasure_has_the_receipt_of_its_order(commands: OperatorCommands, log: Log) -> None:
    done = commands.erase("ada", WORD)

    assert is_operators_order(log[-1])
    assert done.id == erasure_order(done.about, log[-1]).id
    assert erasure_order(done.about, log[-1]).by == WORD.by
    assert log[0].detail == {"receipt": done.id}


def test_a_double_click_is_one_event_and_a_later_change_another(commands: OperatorCommands, log: Log) -> None:
    for word in (WORD, WORD, replace(WORD, at=MONDAY + timedelta(seconds=1))):
        commands.consent("ada", SAYS_NO, word)

    first, again, later = (one.id for one in log if isinstance(one, Event))
    assert first == again != later


@pytest.mark.parametrize("granted", [True, False])
def test_a_decided_message_reaches_the_gate_after_retries(
    find: FindCustomer,
    customers: Customers,
    granted: bool,  # noqa: FBT001
) -> None:
    outbox, reviews = MessageQueue(), Reviews()
    review = ReviewMessages(find, reviews, outbox, Log())
    decide: dict[str, Any] = {"granted": granted, "by": WORD.by, "why": WORD.why, "now": MONDAY}
    outbox.failure = ServiceBusyError("sqs is busy")
    with pytest.raises(ServiceBusyError):
        review.decide(f"{ENROLLMENT}-hello-1", "", **decide)

    outbox.failure = None
    review.decide(f"{ENROLLMENT}-hello-1.2", "", **decide)

    assert outbox.deferred == [(customers.who_is(*ADA), f"{ENROLLMENT}-hello-1", Purpose.MARKETING)]
    assert reviews == [Approval(granted, WORD.by, MONDAY)] * 2
