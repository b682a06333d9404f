"""The contracts of the table's adapters, held against moto and against Amazon's own DynamoDB Local."""

from collections import Counter
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from cairn.adapters.dynamodb.customers import DynamoCustomers
from cairn.adapters.dynamodb.deliveries import DynamoDeliveries
from cairn.adapters.dynamodb.kept import DynamoSwitches, keep_version, kept_version
from cairn.adapters.dynamodb.timeline import DynamoTimeline
from cairn.application.ports import Commit
from cairn.domain.consent import Channel, Purpose
from cairn.domain.customer import Customer, Reaction, on_event, unify
from cairn.domain.effects import Fact, OpenTask
from cairn.domain.errors import CairnError, ConflictError, DuplicateEventError, UnknownCustomerError
from cairn.domain.event import Event, event_from_wire
from cairn.domain.identity import Identifier, home_of, identifier
from cairn.domain.message import Message, MessageStatus
from cairn.domain.profile import Profile

pytestmark = pytest.mark.usefixtures("table")

NOW = datetime(2026, 3, 2, 14, tzinfo=UTC)
LATER = NOW + timedelta(hours=1)
SALT = "salt"
CUSTOMERS = DynamoCustomers(SALT)
DELIVERIES = DynamoDeliveries()
TIMELINE = DynamoTimeline()

MIA = identifier("user_id", "mia")
MAIL = identifier("email", "mia@example.com")
PHONE = identifier("phone", "+12015550123")
GRANTED = [
    {"channel": "email", "purpose": "marketing", "status": "granted", "source": "form", "wording": "ja, bitte ✓"}
]


class NoJourneys:
    def current(self) -> tuple[()]:
        return ()

    def version(self, name: str, version: str) -> Any:
        raise NotImplementedError


def event_of(*names: Identifier, event_id: str = "one", **more: Any) -> Event:
    customer = {one.kind: one.value for one in names}
    document = {"id": event_id, "type": "page.seen", "customer": customer, **more}
    return event_from_wire(document, source="track", received_at=NOW)


def decided(event: Event, before: tuple[Customer, ...] = (), claimed: tuple[Identifier, ...] = ()) -> Commit:
    """What an event does to customers as they were read, as the use case puts it together."""
    stranger = Reaction(Customer(Profile(home_of(event.identifiers[0], SALT), created_at=NOW)))
    known = unify(before, NOW) if before else stranger
    named = replace(known.customer, profile=known.customer.profile.named(*claimed))
    reaction = on_event(named, event, NoJourneys(), NOW)
    return Commit(replace(reaction, effects=known.effects + reaction.effects), before, NOW, event, claimed)


def happens(*names: Identifier, event_id: str = "one", **more: Any) -> Customer:
    """An event, found, decided and committed."""
    event = event_of(*names, event_id=event_id, **more)
    found = CUSTOMERS.find(event.identifiers)
    commit = decided(event, found.customers, found.unclaimed)
    CUSTOMERS.commit(commit)
    return CUSTOMERS.load(commit.reaction.customer.id)


def message(customer: Customer, message_id: str = "e-hello-1") -> Message:
    return Message(
        id=message_id,
        customer=customer.id,
        enrollment="e",
        journey="welcome",
        version="1",
        step="hello",
        channels=(Channel.SMS,),
        template="hello",
        purpose=Purpose.TRANSACTIONAL,
        addresses={Channel.SMS: "+12015550123"},
        decided_at=NOW,
    )


def test_nobody_is_found_where_nobody_was_seen() -> None:
    found = CUSTOMERS.find((MIA, MAIL, PHONE))

    assert found.customers == ()
    assert set(found.unclaimed) == {MIA, MAIL, PHONE}
    with pytest.raises(UnknownCustomerError):
        CUSTOMERS.load("c_nobody")


def test_a_customer_is_read_as_it_was_written() -> None:
    event = event_of(
        MIA, MAIL, attributes={"first_name": "Mía", "tags": ["vip"], "nested": {"": [1, 2.5, None]}}, consent=GRANTED
    )
    commit = decided(event, (), (MIA, MAIL))

    CUSTOMERS.commit(commit)

    written = commit.reaction.customer
    assert CUSTOMERS.load(written.id) == replace(written, revision=1)
    assert CUSTOMERS.find((MIA,)).customers == (replace(written, revision=1),)


@pytest.mark.parametrize("name", [MIA, MAIL, PHONE])
def test_every_name_leads_to_the_customer(name: Identifier) -> None:
    mia = happens(MIA, MAIL, PHONE)

    found = CUSTOMERS.find((name,))

    assert found.customers == (mia,)
    assert found.unclaimed == ()


def test_a_new_name_is_claimed_for_a_customer_who_is_known_by_another() -> None:
    mia = happens(MAIL)

    again = happens(MIA, MAIL, event_id="two")

    assert again.id == mia.id
    assert CUSTOMERS.find((MIA,)).customers == (again,)
    assert set(again.profile.identifiers) == {MIA, MAIL}


def test_the_same_event_is_committed_once() -> None:
    happens(MIA)

    with pytest.raises(DuplicateEventError):
        happens(MIA)
    assert CUSTOMERS.find((MIA,)).customers[0].revision == 1


def test_an_event_that_somebody_else_committed_meanwhile_is_a_duplicate_and_not_a_conflict() -> None:
    mia = happens(MIA)
    event = event_of(MIA, event_id="two")
    CUSTOMERS.commit(decided(event, (mia,)))

    with pytest.raises(DuplicateEventError):
        CUSTOMERS.commit(decided(event, (mia,)))


def test_of_two_decisions_from_one_state_the_second_conflicts_and_leaves_no_trace() -> None:
    mia = happens(MIA)
    CUSTOMERS.commit(decided(event_of(MIA, event_id="two"), (mia,)))

    with pytest.raises(ConflictError):
        CUSTOMERS.commit(decided(event_of(MIA, event_id="three"), (mia,)))

    assert CUSTOMERS.load(mia.id).revision == 2
    assert {line["id"] for line in TIMELINE.entries(mia.id)} == {"one", "two"}


def test_a_stranger_who_is_known_by_now_conflicts() -> None:
    stranger = decided(event_of(MIA, event_id="two"), (), (MIA,))
    happens(MIA)

    with pytest.raises(ConflictError):
        CUSTOMERS.commit(stranger)


def test_a_name_that_leads_elsewhere_by_now_conflicts() -> None:
    mia = happens(MIA)
    claims_mail = decided(event_of(MIA, MAIL, event_id="two"), (mia,), (MAIL,))
    happens(MAIL, event_id="three")

    with pytest.raises(ConflictError):
        CUSTOMERS.commit(claims_mail)
    assert CUSTOMERS.load(mia.id) == mia


def test_a_wake_up_is_one_conditional_write_and_conflicts_as_well() -> None:
    mia = happens(MIA)
    woken = Commit(Reaction(mia, facts=(Fact("waiting"),)), (mia,), NOW)

    CUSTOMERS.commit(woken)
    with pytest.raises(ConflictError):
        CUSTOMERS.commit(woken)
    assert CUSTOMERS.load(mia.id).revision == 2


def test_a_change_of_consent_leaves_the_claims_of_a_sender_alone() -> None:
    mia = happens(MIA)
    DELIVERIES.claim(message(mia), NOW)

    CUSTOMERS.commit(decided(event_of(MIA, event_id="two", consent=GRANTED), (mia,)))  # read before the claim

    contact = CUSTOMERS.load(mia.id).contact
    assert list(contact.claims) == ["e-hello-1"]
    assert list(contact.consents) == ["email:marketing"]


def merge(claim: Callable[[Customer], object] | None = None) -> tuple[Customer, Customer]:
    """Two customers, and the one that they turn out to be. `claim` happens between reading and committing."""
    account = happens(MIA, event_id="account", attributes={"plan": "gold"})
    reader = happens(MAIL, event_id="reader", attributes={"goal": "run"})
    both = event_of(MIA, MAIL, event_id="both")
    found = CUSTOMERS.find(both.identifiers)
    if claim:
        claim(reader)
    CUSTOMERS.commit(decided(both, found.customers, found.unclaimed))
    return CUSTOMERS.load(account.id), reader


def test_two_customers_become_one_under_every_name_and_id() -> None:
    survivor, absorbed = merge()

    assert survivor.profile.get("goal") == "run"
    assert survivor.profile.get("plan") == "gold"
    assert CUSTOMERS.load(absorbed.id) == survivor
    assert CUSTOMERS.find((MAIL,)).customers == (survivor,)
    assert CUSTOMERS.find((MIA, MAIL)).customers == (survivor,)


def test_an_event_of_the_absorbed_customer_stays_a_duplicate_before_its_history_moved_and_after() -> None:
    survivor, absorbed = merge()
    again = event_of(MAIL, event_id="reader")

    with pytest.raises(DuplicateEventError):
        CUSTOMERS.commit(decided(again, (survivor,)))
    TIMELINE.absorb(survivor.id, absorbed.id)
    with pytest.raises(DuplicateEventError):
        CUSTOMERS.commit(decided(again, (survivor,)))


def test_a_merge_keeps_the_claims_of_both() -> None:
    account, reader = happens(MIA, event_id="account"), happens(MAIL, event_id="reader")
    DELIVERIES.claim(message(account, "a-1"), NOW)
    DELIVERIES.claim(message(reader, "r-1"), NOW)

    survivor = happens(MIA, MAIL, event_id="both")

    assert set(survivor.contact.claims) == {"a-1", "r-1"}


def test_a_merge_conflicts_with_a_claim_that_was_made_meanwhile() -> None:
    with pytest.raises(ConflictError):
        merge(lambda reader: DELIVERIES.claim(message(reader), NOW))

    assert len(CUSTOMERS.find((MIA, MAIL)).customers) == 2


def test_a_merge_conflicts_with_an_event_of_the_other_customer() -> None:
    with pytest.raises(ConflictError):
        merge(lambda _: happens(MAIL, event_id="meanwhile"))


def test_three_customers_become_one() -> None:
    happens(MIA, event_id="account")
    happens(MAIL, event_id="reader")
    happens(PHONE, event_id="caller")

    survivor = happens(MIA, MAIL, PHONE, event_id="all")

    assert len(survivor.profile.merged) == 2
    assert CUSTOMERS.find((PHONE,)).customers == (survivor,)
    with pytest.raises(DuplicateEventError):
        happens(PHONE, event_id="caller")


@pytest.mark.parametrize("times", [2, 3])
def test_a_message_is_claimed_once(times: int) -> None:
    mia = happens(MIA)

    claims = [DELIVERIES.claim(message(mia), NOW + n * timedelta(minutes=1)) for n in range(times)]

    assert claims[0][2] is None
    assert all(earlier is not None and earlier.at == NOW for *_, earlier in claims[1:])


def test_a_claim_gives_the_contact_as_it_is_now() -> None:
    mia = happens(MIA, consent=GRANTED)

    taken, contact, _ = DELIVERIES.claim(message(mia), NOW)

    assert taken == message(mia)
    assert list(contact.consents) == ["email:marketing"]
    assert list(contact.claims) == ["e-hello-1"]


def test_a_claim_that_was_given_back_can_be_made_again() -> None:
    mia = happens(MIA)
    DELIVERIES.claim(message(mia), NOW)
    DELIVERIES.claim(message(mia, "another"), NOW)

    DELIVERIES.release(message(mia))

    assert DELIVERIES.claim(message(mia), LATER)[2] is None
    assert DELIVERIES.claim(message(mia, "another"), LATER)[2] is not None


def test_a_message_of_an_absorbed_customer_is_claimed_for_the_survivor() -> None:
    survivor, absorbed = merge()

    taken, contact, earlier = DELIVERIES.claim(message(absorbed), NOW)

    assert taken == message(survivor)
    assert earlier is None
    assert list(contact.claims) == ["e-hello-1"]


def test_a_message_of_nobody_cannot_be_claimed() -> None:
    with pytest.raises(UnknownCustomerError):
        DELIVERIES.claim(message(Customer(Profile("c_gone", created_at=NOW))), NOW)


def test_what_became_of_a_message_is_known() -> None:
    mia = happens(MIA)
    assert DELIVERIES.outcome(message(mia)) is None

    DELIVERIES.record(message(mia), MessageStatus.SENT, NOW, {"channel": "sms", "body": "Hello"})

    assert DELIVERIES.outcome(message(mia)) is MessageStatus.SENT
    [line] = [line for line in TIMELINE.entries(mia.id) if line["kind"] == "message"]
    assert (line["status"], line["channel"], line["body"]) == ("sent", "sms", "Hello")


@pytest.mark.parametrize(
    "told",
    [
        (MessageStatus.DELIVERED, MessageStatus.OPENED, MessageStatus.CLICKED),
        (MessageStatus.CLICKED, MessageStatus.OPENED, MessageStatus.DELIVERED),
        (MessageStatus.OPENED, MessageStatus.CLICKED, MessageStatus.OPENED),
    ],
)
@pytest.mark.parametrize("recorded", ["first", "last"])
def test_a_status_only_moves_forward(told: tuple[MessageStatus, ...], recorded: str) -> None:
    mia = happens(MIA)

    def record() -> None:
        DELIVERIES.record(message(mia), MessageStatus.SENT, NOW, {"channel": "email"})

    if recorded == "first":
        record()
    for status in told:
        DELIVERIES.move(mia.id, "e-hello-1", status, LATER)
    if recorded == "last":
        record()

    [line] = [line for line in TIMELINE.entries(mia.id) if line["kind"] == "message"]
    assert (line["status"], line["at"], line["channel"]) == ("clicked", "2026-03-02T14:00:00Z", "email")


def test_what_is_remembered_twice_is_told_once_and_in_order() -> None:
    mia = happens(MIA)
    facts = (Fact("entered", "e", "welcome"), Fact("waiting", "e", "welcome", "wait", {"until": "later"}))
    task = OpenTask("e-call-3", "e", "call", "coaches", "Call", LATER, {"phone": None, "tags": []}, "")

    for _ in range(2):
        TIMELINE.remember(mia.id, 1, facts, NOW)
        TIMELINE.open(mia.id, "welcome", task, LATER)

    lines = TIMELINE.entries(mia.id)
    assert [line["kind"] for line in lines] == ["event", "entered", "waiting", "task"]
    assert lines[3]["queue"] == "coaches"


class StoppedError(Exception):
    """The process died in the middle."""


def test_a_history_is_absorbed_whole_however_often_it_is_stopped(monkeypatch: pytest.MonkeyPatch) -> None:
    from cairn.adapters.dynamodb.items import Entry

    survivor, absorbed = merge()
    for number in range(3):
        DELIVERIES.record(message(absorbed, f"m-{number}"), MessageStatus.SENT, NOW, {})
        TIMELINE.remember(absorbed.id, number, (Fact("waiting"),), NOW)
        TIMELINE.remember(survivor.id, number, (Fact("entered"),), NOW)
    whole = Counter(line["kind"] for line in (*TIMELINE.entries(survivor.id), *TIMELINE.entries(absorbed.id)))

    delete = Entry.delete
    for _ in range(3):
        with monkeypatch.context() as patch:
            patch.setattr(Entry, "delete", lambda self: (delete(self), _stop()))
            with pytest.raises(StoppedError):
                TIMELINE.absorb(survivor.id, absorbed.id)
    TIMELINE.absorb(survivor.id, absorbed.id)

    assert Counter(line["kind"] for line in TIMELINE.entries(survivor.id)) == whole
    assert TIMELINE.entries(absorbed.id) == []


def _stop() -> None:
    raise StoppedError


def test_a_version_is_kept_as_it_is() -> None:
    entry = {
        "journey": "welcome",
        "version": "abc",
        "document": {"journey": "welcome"},
        "templates": {"ü": {"text": "ä"}},
    }

    keep_version(entry)
    keep_version(entry)

    assert kept_version("welcome", "abc") == entry
    assert kept_version("welcome", "another") is None


def test_switches_are_what_was_set_last() -> None:
    assert DynamoSwitches().stopped() == []

    DynamoSwitches().stop("journey:welcome", "all")
    assert DynamoSwitches().current(NOW).stopped == {"all", "journey:welcome"}

    DynamoSwitches().stop()
    assert DynamoSwitches().stopped() == []


def test_of_many_commits_at_once_each_event_counts_once(database: str) -> None:
    if database == "moto":
        pytest.skip("moto's conditions are not atomic between threads; DynamoDB Local's are")
    happens(MIA, event_id="first")

    def commit(event_id: str) -> str:
        for _ in range(60):
            try:
                happens(MIA, event_id=event_id)
            except ConflictError:
                continue
            except CairnError as error:
                return type(error).__name__
            return "committed"
        return "too busy"

    events = [f"event-{number}" for number in range(5)] * 5
    with ThreadPoolExecutor(8) as pool:
        ends = Counter(pool.map(commit, events))

    assert ends == {"committed": 5, "DuplicateEventError": 20}
    [mia] = CUSTOMERS.find((MIA,)).customers
    activity: Mapping[str, Any] = mia.profile.activity
    assert mia.revision == 6
    assert activity["page.seen"].count == 6
