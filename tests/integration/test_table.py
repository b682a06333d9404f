"""The contracts of the table's adapters, run on moto and on an independent store."""

from collections import Counter
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from cairn.adapters.dynamodb.customers import DynamoCustomers, merged_profiles
from cairn.adapters.dynamodb.deliveries import DynamoDeliveries
from cairn.adapters.dynamodb.due_times import due_time
from cairn.adapters.dynamodb.items import CONTACT, MESSAGE, CustomerItem, RecordItem
from cairn.adapters.dynamodb.journey_versions import save_version, saved_version
from cairn.adapters.dynamodb.timeline import DynamoTimeline
from cairn.application.values.customers import Commit
from cairn.application.values.messages import DeferredMessage, DeliveryContext, DeliveryRequest
from cairn.domain.consent.changes import ConsentChange, ConsentStatus
from cairn.domain.consent.contact import Claim, Deferral
from cairn.domain.consent.suppression import Cause, Mark, Suppression, SuppressionChange, suppression_key
from cairn.domain.customer.customer import merge_customers, on_event
from cairn.domain.customer.state import Customer, Reaction
from cairn.domain.effects import CloseTask, Fact, OpenTask
from cairn.domain.event import Event, event_from_wire
from cairn.domain.gate.gate import decide
from cairn.domain.gate.limits import LimitDenial
from cairn.domain.gate.quiet_hours import HoursDenial, Opening
from cairn.domain.gate.reasons import CapReached, Paused, QuietHours, Review
from cairn.domain.gate.settings import GateSettings
from cairn.domain.gate.verdict import Defer, Send
from cairn.domain.identity.identifiers import EXTERNAL, Identifier, customer_id_for, identifier
from cairn.domain.message.message import Approval, Message, MessageStatus
from cairn.domain.policy import Cap, Policy
from cairn.domain.profile.addresses import addresses_to_send_to
from cairn.domain.profile.profile import Profile
from cairn.domain.profile.stamped import Stamped
from cairn.domain.shared.channels import Channel, Purpose
from cairn.domain.shared.errors import (
    CairnError,
    ConflictError,
    DuplicateEventError,
    ErasedCustomerError,
    ServiceRefusedError,
    UnknownCustomerError,
)
from cairn.domain.shared.hashing import short_hash
from tests.unit.fakes import KEYS

pytestmark = pytest.mark.usefixtures("table")

NOW = datetime(2026, 3, 2, 14, tzinfo=UTC)
LATER = NOW + timedelta(hours=1)
CUSTOMERS = DynamoCustomers(KEYS)
DELIVERIES = DynamoDeliveries(KEYS.suppressions)
TIMELINE = DynamoTimeline()

MIA = identifier("user_id", "mia")
MAIL = identifier("email", "mia@example.com")
PHONE = identifier("phone", "+12015550123")
GRANTED = [
    {"channel": "email", "purpose": "marketing", "status": "granted", "source": "form", "wording": "ja, bitte ✓"}
]
WHATSAPP = GRANTED[0] | {"channel": "whatsapp"}


class NoJourneys:
    def current(self, name: str) -> None: ...

    def watching(self) -> dict[str, tuple[()]]:
        return {}

    def listening(self, event_type: str) -> tuple[()]:  # noqa: ARG002
        return ()

    def version(self, name: str, version: str) -> Any:
        raise NotImplementedError


def event_of(*names: Identifier, event_id: str = "one", source: str = "track", **more: Any) -> Event:
    external = {one.kind.removeprefix(EXTERNAL): one.value for one in names if one.kind.startswith(EXTERNAL)}
    customer: dict[str, Any] = {one.kind: one.value for one in names if not one.kind.startswith(EXTERNAL)}
    customer |= {"external_ids": external} if external else {}
    document = {"id": event_id, "type": "page.seen", "customer": customer, **more}
    return event_from_wire(document, source=source, received_at=NOW)


def decided(event: Event, before: tuple[Customer, ...] = (), claimed: tuple[Identifier, ...] = ()) -> Commit:
    """The commit of an event on customers as they were read, as the use case builds it."""
    created = Reaction(Customer(Profile(customer_id_for(event.identifiers[0], KEYS.customer_ids), created_at=NOW)))
    known = merge_customers(before, NOW) if before else created
    named = replace(known.customer, profile=known.customer.profile.with_identifiers(*claimed))
    reaction = on_event(named, event, NoJourneys(), NOW)
    return Commit(replace(reaction, effects=known.effects + reaction.effects), before, NOW, event, claimed)


def happens(*names: Identifier, event_id: str = "one", **more: Any) -> Customer:
    """Find, decide and commit an event."""
    event = event_of(*names, event_id=event_id, **more)
    found = CUSTOMERS.find(event.identifiers)
    commit = decided(event, found.customers, found.unclaimed)
    CUSTOMERS.commit(commit)
    return CUSTOMERS.load(commit.reaction.customer.id)


def message(customer: Customer, message_id: str = "e-hello-1", channel: Channel = Channel.SMS) -> Message:
    """A message as it is decided: to the addresses of its customer."""
    return Message(
        id=message_id,
        customer=customer.id,
        enrollment="e",
        journey="welcome",
        version="1",
        step="hello",
        channels=(channel,),
        template="hello",
        purpose=Purpose.TRANSACTIONAL,
        addresses=addresses_to_send_to(customer.profile),
        decided_at=NOW,
        variables={"profile": {}},
    )


def test_an_empty_table_has_no_customer() -> None:
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
    assert CUSTOMERS.load(written.id) == replace(written, version=1)
    assert CUSTOMERS.find((MIA,)).customers == (replace(written, version=1),)


@pytest.mark.parametrize("name", [MIA, MAIL, PHONE])
def test_every_identifier_finds_the_customer(name: Identifier) -> None:
    mia = happens(MIA, MAIL, PHONE)

    found = CUSTOMERS.find((name,))

    assert found.customers == (mia,)
    assert found.unclaimed == ()


def test_a_known_customer_claims_a_new_identifier() -> None:
    mia = happens(MAIL)

    again = happens(MIA, MAIL, event_id="two")

    assert again.id == mia.id
    assert CUSTOMERS.find((MIA,)).customers == (again,)
    assert set(again.profile.identifiers) == {MIA, MAIL}


def test_the_same_event_is_committed_once() -> None:
    happens(MIA)

    with pytest.raises(DuplicateEventError):
        happens(MIA)
    assert CUSTOMERS.find((MIA,)).customers[0].version == 1


def test_an_event_that_was_committed_meanwhile_is_a_duplicate_and_not_a_conflict() -> None:
    mia = happens(MIA)
    event = event_of(MIA, event_id="two")
    CUSTOMERS.commit(decided(event, (mia,)))

    with pytest.raises(DuplicateEventError):
        CUSTOMERS.commit(decided(event, (mia,)))


def test_a_second_commit_from_the_same_state_conflicts_and_writes_nothing() -> None:
    mia = happens(MIA)
    CUSTOMERS.commit(decided(event_of(MIA, event_id="two"), (mia,)))

    with pytest.raises(ConflictError):
        CUSTOMERS.commit(decided(event_of(MIA, event_id="three"), (mia,)))

    assert CUSTOMERS.load(mia.id).version == 2
    assert {line["id"] for line in TIMELINE.entries(mia.id)} == {"one", "two"}


def test_a_second_creation_of_a_customer_conflicts() -> None:
    created = decided(event_of(MIA, event_id="two"), (), (MIA,))
    happens(MIA)

    with pytest.raises(ConflictError):
        CUSTOMERS.commit(created)


def test_a_claim_of_another_customers_identifier_conflicts() -> None:
    mia = happens(MIA)
    claims_mail = decided(event_of(MIA, MAIL, event_id="two"), (mia,), (MAIL,))
    happens(MAIL, event_id="three")

    with pytest.raises(ConflictError):
        CUSTOMERS.commit(claims_mail)
    assert CUSTOMERS.load(mia.id) == mia


def test_a_second_wake_up_from_the_same_state_conflicts() -> None:
    mia = happens(MIA)
    woken = Commit(Reaction(mia, facts=(Fact("waiting"),)), (mia,), NOW)

    CUSTOMERS.commit(woken)
    with pytest.raises(ConflictError):
        CUSTOMERS.commit(woken)
    assert CUSTOMERS.load(mia.id).version == 2


def test_a_consent_change_that_was_decided_before_a_claim_is_decided_anew_and_leaves_the_claim() -> None:
    mia = happens(MIA)
    claim(message(mia))

    with pytest.raises(ConflictError):
        CUSTOMERS.commit(decided(event_of(MIA, event_id="two", consent=GRANTED), (mia,)))  # read before the claim
    happens(MIA, event_id="two", consent=GRANTED)

    contact = CUSTOMERS.load(mia.id).contact
    assert list(contact.claims) == ["e-hello-1"]
    assert list(contact.consents) == ["email:marketing"]


def test_a_denial_that_meets_a_merge_of_its_customer_is_decided_anew() -> None:
    reader = happens(MAIL, event_id="reader", consent=GRANTED)
    denial = decided(event_of(MAIL, event_id="no", consent=[GRANTED[0] | {"status": "denied"}]), (reader,))
    account = happens(MIA, event_id="account")
    both = event_of(MIA, MAIL, event_id="both")
    CUSTOMERS.commit(decided(both, (account, reader)))

    with pytest.raises(ConflictError):
        CUSTOMERS.commit(denial)


def test_a_reader_between_the_items_of_a_commit_loses_no_denial() -> None:
    before = happens(MIA, consent=GRANTED)
    after = happens(MIA, event_id="no", consent=[GRANTED[0] | {"status": "denied"}])
    torn = replace(after, contact=before.contact)

    with pytest.raises(ConflictError):
        CUSTOMERS.commit(decided(event_of(MIA, event_id="two", consent=[WHATSAPP]), (torn,)))


def test_a_customer_of_many_merges_still_hears_a_stop_and_is_erased_whole() -> None:
    account = happens(MIA, event_id="account")
    absorbed = []
    for number in range(56):
        absorbed.append(happens(identifier("external:crm", f"lead-{number}"), event_id=f"lead-{number}"))
        both = event_of(MIA, event_id=f"both-{number}")
        CUSTOMERS.commit(decided(both, (CUSTOMERS.load(account.id), absorbed[-1])))

    happens(MIA, event_id="no", consent=[GRANTED[0] | {"status": "denied"}])

    survivor = CUSTOMERS.load(account.id)
    assert len(survivor.profile.merged) <= 50 + 10
    assert merged_profiles(survivor.profile).keys() == {one.id for one in absorbed}
    assert {CUSTOMERS.load(one.id).id for one in absorbed} == {account.id}
    with pytest.raises(DuplicateEventError):
        CUSTOMERS.commit(decided(event_of(MIA, event_id="lead-0"), (survivor,)))
    erasing = replace(survivor, erasure_pending_since=NOW)
    CUSTOMERS.commit(Commit(Reaction(erasing), (survivor,), NOW, event_of(MIA, event_id="erase")))
    with pytest.raises(ErasedCustomerError):
        CUSTOMERS.load(absorbed[0].id)


def test_three_full_customers_are_merged_in_one_commit() -> None:
    names = [[identifier(f"external:{system}", f"no-{number}") for number in range(10)] for system in "abc"]
    customers = []
    for number, some in enumerate(names):
        CUSTOMERS.commit(decided(event_of(*some[:1], event_id=f"first-{number}"), (), tuple(some)))
        first = CUSTOMERS.find(some[:1]).customers[0]
        merged = {f"c_{number}_{old}": NOW for old in range(50)}
        CUSTOMERS.commit(
            Commit(
                Reaction(replace(first, profile=replace(first.profile, merged=merged))),
                (first,),
                NOW,
                event_of(*some[:1], event_id=f"second-{number}"),
            )
        )
        customers.append(CUSTOMERS.load(first.id))

    CUSTOMERS.commit(decided(event_of(*(some[0] for some in names), event_id="all"), tuple(customers)))

    survivors = {CUSTOMERS.find([one]).customers[0].id for some in names for one in some}
    assert len(survivors) == 1


def test_an_entry_with_a_key_is_found_however_many_came_after_it() -> None:
    mia = happens(MIA)
    entered = {f"visit:b-{number}": NOW + timedelta(minutes=number) for number in range(60)} | {"welcome:": NOW}
    event = event_of(MIA, event_id="bookings")
    CUSTOMERS.commit(Commit(Reaction(replace(mia, entered=entered)), (mia,), NOW, event))

    stored = CUSTOMERS.load(mia.id)
    older = CUSTOMERS.entered(stored, ["visit:b-0", "visit:b-9", "visit:b-10", "visit:b-99"])

    assert len(stored.entered) == 51
    assert stored.elsewhere == {"entered"}
    assert older == {"visit:b-0": NOW, "visit:b-9": NOW + timedelta(minutes=9)}


def merge(claim: Callable[[Customer], object] | None = None) -> tuple[Customer, Customer]:
    """Merge two customers; gives the survivor and the absorbed one. `claim` runs between read and commit."""
    account = happens(MIA, event_id="account", attributes={"plan": "gold"})
    reader = happens(MAIL, event_id="reader", attributes={"goal": "run"})
    both = event_of(MIA, MAIL, event_id="both")
    found = CUSTOMERS.find(both.identifiers)
    if claim:
        claim(reader)
    CUSTOMERS.commit(decided(both, found.customers, found.unclaimed))
    return CUSTOMERS.load(account.id), reader


def test_every_identifier_and_id_finds_the_survivor_of_a_merge() -> None:
    survivor, absorbed = merge()

    assert survivor.profile.get("goal") == "run"
    assert survivor.profile.get("plan") == "gold"
    assert CUSTOMERS.load(absorbed.id) == survivor
    assert CUSTOMERS.find((MAIL,)).customers == (survivor,)
    assert CUSTOMERS.find((MIA, MAIL)).customers == (survivor,)


def test_an_event_of_an_absorbed_customer_is_a_duplicate_before_and_after_the_timeline_moves() -> None:
    survivor, absorbed = merge()
    again = event_of(MAIL, event_id="reader")

    with pytest.raises(DuplicateEventError):
        CUSTOMERS.commit(decided(again, (survivor,)))
    TIMELINE.absorb(survivor.id, absorbed.id)
    with pytest.raises(DuplicateEventError):
        CUSTOMERS.commit(decided(again, (survivor,)))


def test_a_merge_preserves_the_claims_and_deferrals_of_both() -> None:
    account, reader = happens(MIA, event_id="account"), happens(MAIL, event_id="reader")
    claim(message(account, "a-1"))
    claim(message(reader, "r-1"))
    defer(message(account, "a-2"))
    defer(message(reader, "r-2"))

    survivor = happens(MIA, MAIL, event_id="both")

    assert set(survivor.contact.claims) == {"a-1", "r-1"}
    assert set(survivor.contact.deferrals) == {"a-2", "r-2"}


def test_a_merge_conflicts_with_a_claim_that_was_made_meanwhile() -> None:
    with pytest.raises(ConflictError):
        merge(lambda reader: claim(message(reader)))

    assert len(CUSTOMERS.find((MIA, MAIL)).customers) == 2


def test_a_merge_conflicts_with_an_event_of_the_other_customer() -> None:
    with pytest.raises(ConflictError):
        merge(lambda _: happens(MAIL, event_id="meanwhile"))


def test_three_customers_are_merged() -> None:
    happens(MIA, event_id="account")
    happens(MAIL, event_id="reader")
    happens(PHONE, event_id="caller")

    survivor = happens(MIA, MAIL, PHONE, event_id="all")

    assert len(survivor.profile.merged) == 2
    assert CUSTOMERS.find((PHONE,)).customers == (survivor,)
    with pytest.raises(DuplicateEventError):
        happens(PHONE, event_id="caller")


def context(request: DeliveryRequest) -> DeliveryContext:
    (found,) = DELIVERIES.contexts([request])
    assert found is not None
    return found


def claim(wanted: Message, at: datetime = NOW) -> DeliveryContext:
    """Read and claim a message, as a sender does; gives the context that it read."""
    found = context(wanted)
    DELIVERIES.claim(found.message, found.contact, Claim(at, wanted.purpose, Channel.SMS, wanted.journey))
    return found


CAPPED = CapReached(LimitDenial(Cap(limit=1, window="day"), 1, LATER))


class ReviewOfNoChannel(Review):
    """The form that older versions stored."""

    def why(self) -> dict[str, Any]:
        return {"queue": self.queue}


def defer(wanted: Message, verdict: Defer | None = None, at: datetime = NOW) -> DeliveryContext:
    verdict = verdict or Defer(LATER, QuietHours(Opening(LATER, (HoursDenial("quiet_hours", "", "Europe/Paris", ""),))))
    found = context(wanted)
    DELIVERIES.defer(found, Deferral(verdict.until, verdict.reason, wanted.enrollment, *wanted.order), verdict, at)
    return found


def entry_of(customer: Customer) -> dict[str, Any]:
    [line] = [line for line in TIMELINE.entries(customer.id) if line["kind"] not in {"event", "consent"}]
    return line


class TestClaims:
    def test_a_sender_gets_the_whole_context(self) -> None:
        mia = happens(MIA, consent=GRANTED)

        found = context(message(mia))

        assert found.message == message(mia)
        assert found.contact == CUSTOMERS.load(mia.id).contact
        assert (found.status, found.decisions, found.settled) == (None, (), False)

    def test_only_one_claim_from_the_same_read_succeeds(self) -> None:
        mia = happens(MIA)
        first, second = context(message(mia)), context(message(mia, "another"))
        taken = Claim(NOW, Purpose.TRANSACTIONAL, Channel.SMS, "welcome")
        DELIVERIES.claim(first.message, first.contact, taken)

        for late in (first, second):
            with pytest.raises(ConflictError):
                DELIVERIES.claim(late.message, late.contact, taken)

        again = context(message(mia))
        assert again.contact.claims == {"e-hello-1": taken}
        assert again.contact.version > first.contact.version

    @pytest.mark.parametrize("update", ["STOP", "consent"])
    def test_a_claim_conflicts_with_a_consent_update_of_the_customer(self, update: str) -> None:
        mia = happens(MIA, MAIL)
        read = context(message(mia))
        if update == "STOP":
            stopped = {"channel": "sms", "address": "+12015550123"}
            happens(MIA, event_id="stop", type="message.stopped", source="feedback", properties=stopped)
        else:
            happens(MIA, event_id="said", consent=GRANTED)

        with pytest.raises(ConflictError):
            DELIVERIES.claim(read.message, read.contact, Claim(NOW, Purpose.TRANSACTIONAL, Channel.SMS, ""))

    def test_an_event_without_consent_does_not_conflict_with_a_claim(self) -> None:
        mia = happens(MIA)
        read = context(message(mia))
        happens(MIA, event_id="two")

        DELIVERIES.claim(read.message, read.contact, Claim(NOW, Purpose.TRANSACTIONAL, Channel.SMS, ""))

    def test_an_expired_claim_is_taken_over_once(self) -> None:
        mia = happens(MIA)
        claim(message(mia))
        first, second = context(message(mia)), context(message(mia))
        mine = Claim(LATER, Purpose.TRANSACTIONAL, Channel.SMS, "welcome")

        DELIVERIES.claim(first.message, first.contact, mine)

        with pytest.raises(ConflictError):
            DELIVERIES.claim(second.message, second.contact, mine)
        assert context(message(mia)).contact.claims["e-hello-1"] == mine

    def test_a_released_claim_can_be_made_again(self) -> None:
        mia = happens(MIA)
        claim(message(mia))
        claim(message(mia, "another"))

        DELIVERIES.release(message(mia), Claim(NOW, Purpose.TRANSACTIONAL, Channel.SMS, "welcome"))

        assert set(context(message(mia)).contact.claims) == {"another"}
        claim(message(mia), LATER)

    def test_only_its_own_claim_is_given_back(self) -> None:
        mia = happens(MIA)
        mine, theirs = (Claim(NOW, Purpose.TRANSACTIONAL, Channel.SMS, "welcome", attempt) for attempt in "ab")
        read = context(message(mia))
        DELIVERIES.claim(read.message, read.contact, theirs)

        DELIVERIES.release(read.message, mine)
        assert context(message(mia)).contact.claims == {"e-hello-1": theirs}

        DELIVERIES.release(read.message, theirs)
        DELIVERIES.release(read.message, theirs)  # the SDK calls again where the answer is lost
        assert context(message(mia)).contact.claims == {}

    def test_a_claim_is_given_back_after_its_customer_was_merged_twice(self) -> None:
        account, reader = happens(MIA, event_id="account"), happens(MAIL, event_id="reader")
        deferral = Deferral(LATER, "quiet_hours", "e", NOW, 0)
        claim(message(reader))
        happens(PHONE, MAIL, event_id="first")
        happens(MIA, PHONE, event_id="second")
        survivor = CUSTOMERS.load(account.id)
        assert list(survivor.contact.claims) == ["e-hello-1"]

        DELIVERIES.release(message(reader), Claim(NOW, Purpose.TRANSACTIONAL, Channel.SMS, "welcome"), deferral)

        contact = CUSTOMERS.load(account.id).contact
        assert (contact.claims, contact.deferrals) == ({}, {"e-hello-1": deferral})
        assert contact.version > survivor.contact.version

    def test_a_claim_that_is_given_back_hides_no_other_deferral_that_is_due_before(self) -> None:
        mia = happens(MIA)
        tried = Deferral(NOW, "quiet_hours", "e", NOW, 0, tried_at=LATER)
        other = Deferral(NOW, "cap", "e", NOW, 1)
        read = claim(message(mia))

        DELIVERIES.release(read.message, Claim(NOW, Purpose.TRANSACTIONAL, Channel.SMS, "welcome"), tried, [other])

        contact = CustomerItem.get(mia.id, CONTACT)
        assert contact.gsi2sk == due_time(NOW) < due_time(LATER)

    def test_a_claim_of_an_erased_customer_is_given_back_to_nobody(self) -> None:
        mia = happens(MIA)
        read = claim(message(mia))
        erase(mia)

        DELIVERIES.release(read.message, Claim(NOW, Purpose.TRANSACTIONAL, Channel.SMS, "welcome"))

        assert items_of(mia) == {"open#state", "erasing"}

    def test_a_thousand_old_claims_are_dropped_by_one_write(self) -> None:
        mia = happens(MIA)
        old = Claim(NOW - timedelta(days=31), Purpose.TRANSACTIONAL, Channel.SMS, "welcome")
        read = context(message(mia))
        crowded = replace(read.contact, claims={f"{short_hash(str(n), length=20)}-hello-1": old for n in range(1000)})
        DELIVERIES.claim(read.message, crowded, old)

        again = context(message(mia, "another"))
        assert len(again.contact.claims) == 1001
        fresh = Claim(NOW, Purpose.TRANSACTIONAL, Channel.SMS, "welcome")
        DELIVERIES.claim(again.message, again.contact.pruned(NOW), fresh)

        assert context(message(mia)).contact.claims == {"another": fresh}

    def test_a_message_of_an_absorbed_customer_is_claimed_for_the_survivor(self) -> None:
        survivor, absorbed = merge()

        found = claim(message(absorbed))

        assert found.message == message(survivor)
        assert list(CUSTOMERS.load(survivor.id).contact.claims) == ["e-hello-1"]

    def test_a_claim_from_a_read_before_a_merge_conflicts(self) -> None:
        account, reader = happens(MIA, event_id="account"), happens(MAIL, event_id="reader")
        read = context(message(reader))
        happens(MIA, MAIL, event_id="both")

        with pytest.raises(ConflictError):
            DELIVERIES.claim(read.message, read.contact, Claim(NOW, Purpose.TRANSACTIONAL, Channel.SMS, ""))

        assert CUSTOMERS.load(account.id).contact.claims == {}
        DELIVERIES.release(read.message, Claim(NOW, Purpose.TRANSACTIONAL, Channel.SMS, ""))
        assert CUSTOMERS.load(reader.id).id == account.id  # the release created nothing

    def test_an_unknown_customer_has_no_delivery_context(self) -> None:
        nobody = Customer(Profile("c_gone", created_at=NOW))

        assert DELIVERIES.contexts([message(nobody), DeferredMessage("c_gone", "e-hello-1")]) == [None, None]

    def test_the_messages_of_a_batch_get_their_own_contexts(self) -> None:
        customers = [happens(identifier("user_id", f"u-{n}"), event_id=f"e-{n}") for n in range(10)]
        nobody = Customer(Profile("c_gone", created_at=NOW))

        found = DELIVERIES.contexts([message(customers[3]), message(nobody), *map(message, reversed(customers))])

        assert [one and one.message.customer for one in found] == [
            customers[3].id,
            None,
            *(one.id for one in reversed(customers)),
        ]


def erase(customer: Customer) -> None:
    """The order: nothing leads to the customer any more."""
    ordered = replace(CUSTOMERS.load(customer.id), erasure_pending_since=NOW)
    CUSTOMERS.commit(Commit(Reaction(ordered), (CUSTOMERS.load(customer.id),), NOW, event_of(MIA, event_id="erase")))
    for item in list(RecordItem.query(customer.id, RecordItem.sk.startswith("event#"))):
        item.delete()


def items_of(customer: Customer) -> set[str]:
    return {item.sk for item in RecordItem.query(customer.id, consistent_read=True)}


class TestLateMessages:
    """Messages that come long after their decision: from a queue that stood, or as dead letters brought back."""

    def ended(self, customer: Customer, outcome: str, at: datetime) -> None:
        TIMELINE.remember(customer.id, 7, [Fact("ended", "e", "welcome", detail={"outcome": outcome})], at)

    @pytest.mark.parametrize(
        ("outcome", "ended"), [("exit_on", True), ("merged", True), ("completed", False), ("won", False)]
    )
    def test_how_an_enrollment_ended_is_known_long_after(self, outcome: str, ended: bool) -> None:  # noqa: FBT001
        mia = happens(MIA)
        self.ended(mia, outcome, NOW + timedelta(days=28))

        assert context(message(mia)).message.journey_ended is ended

    def test_what_was_stopped_after_the_end_stays_so_long_after(self) -> None:
        mia = happens(MIA)
        self.ended(mia, "won", NOW + timedelta(days=28))
        fact = Fact("stopped", "e", "welcome", detail={"because": "order.paid"})
        TIMELINE.remember(mia.id, 8, [fact], NOW + timedelta(days=28))

        assert context(message(mia)).message.journey_ended

    def test_the_end_of_another_enrollment_and_an_earlier_end_are_none_of_this_one(self) -> None:
        mia = happens(MIA)
        self.ended(mia, "exit_on", NOW - timedelta(days=1))
        other = Fact("ended", "another", "welcome", detail={"outcome": "exit_on"})
        TIMELINE.remember(mia.id, 8, [other], LATER)

        assert not context(message(mia)).message.journey_ended

    def test_a_message_to_a_customer_who_was_erased_is_not_sent_to_a_later_one_with_the_id(self) -> None:
        mia = happens(MIA)
        old = replace(message(mia), decided_at=NOW - timedelta(hours=1))

        assert DELIVERIES.contexts([old]) == [None]
        assert DELIVERIES.contexts([message(mia)]) != [None]


class TestAddresses:
    """The suppressions of an address apply to every customer who has it."""

    def suppress(self, customer: Customer, *reported: SuppressionChange, event_id: str = "bounce") -> None:
        event = event_of(*customer.profile.identifiers, event_id=event_id)
        commit = decided(event, (CUSTOMERS.load(customer.id),))
        CUSTOMERS.commit(replace(commit, reaction=replace(commit.reaction, suppression_changes=reported)))

    def known(self, customer: Customer) -> Mapping[Channel, Any]:
        return context(message(CUSTOMERS.load(customer.id), channel=Channel.EMAIL)).contact.suppressed

    def test_suppressions_from_an_event_are_committed_with_it(self) -> None:
        mia = happens(MIA, MAIL)

        self.suppress(mia, SuppressionChange(Channel.EMAIL, Mark(Cause.HARD_BOUNCE, NOW), "mia@example.com"))

        assert self.known(mia) == {Channel.EMAIL: (Suppression(Cause.HARD_BOUNCE, NOW),)}

    def test_a_suppression_applies_to_each_customer_with_the_address_and_to_no_other_address(self) -> None:
        mia = happens(MIA, MAIL)
        same = happens(identifier("user_id", "same"), event_id="same", attributes={"email": "mia@example.com"})
        other = happens(identifier("user_id", "other"), event_id="other", attributes={"email": "eve@example.com"})

        self.suppress(mia, SuppressionChange(Channel.EMAIL, Mark(Cause.COMPLAINT, NOW), "mia@example.com"))

        assert self.known(same) == self.known(mia) != {}
        assert self.known(other) == {}

    def test_a_message_goes_to_the_new_address_of_its_customer(self) -> None:
        mia = happens(MIA, MAIL)
        request = message(mia, channel=Channel.EMAIL)
        CUSTOMERS.record_suppressions([SuppressionChange(Channel.EMAIL, Mark(Cause.STOP, NOW), "new@example.com")])

        happens(MIA, event_id="moves", attributes={"email": "new@example.com"})

        found = context(request)
        assert found.message.addresses == {Channel.EMAIL: "new@example.com", Channel.IN_APP: "mia"}
        assert found.contact.suppressed == {Channel.EMAIL: (Suppression(Cause.STOP, NOW),)}

    def test_suppression_marks_add_up_in_any_order_and_need_no_customer(self) -> None:
        mia = happens(MIA, MAIL)
        stop, start = Mark(Cause.STOP, NOW), Mark(Cause.STOP, LATER, lifted=True)
        self.suppress(mia, SuppressionChange(Channel.EMAIL, start, "mia@example.com"), event_id="start")
        CUSTOMERS.record_suppressions([SuppressionChange(Channel.EMAIL, stop, "mia@example.com")])
        self.suppress(mia, SuppressionChange(Channel.EMAIL, stop, "mia@example.com"), event_id="stop, told twice")
        assert self.known(mia) == {Channel.EMAIL: ()}

        key = suppression_key(Channel.EMAIL, "mia@example.com", KEYS.suppressions)
        CUSTOMERS.record_suppressions([SuppressionChange(Channel.EMAIL, Mark(Cause.OPERATOR, NOW), key=key)])

        assert self.known(mia) == {Channel.EMAIL: (Suppression(Cause.OPERATOR, NOW),)}


DENIED = ConsentChange(Channel.SMS, Purpose.MARKETING, ConsentStatus.DENIED, LATER, "twilio")


def test_a_denial_is_written_alone_and_stops_who_read_before() -> None:
    mia = happens(MIA, PHONE, consent=GRANTED)

    CUSTOMERS.record_denials(mia, [DENIED])

    after = CUSTOMERS.load(mia.id)
    assert after.contact.consents == mia.contact.after([DENIED]).consents
    assert after.contact.version == mia.contact.version + 1
    assert replace(after, contact=mia.contact) == mia


def test_a_denial_is_not_written_over_a_newer_contact() -> None:
    mia = happens(MIA, PHONE)
    CUSTOMERS.record_denials(mia, [DENIED])

    with pytest.raises(ConflictError):
        CUSTOMERS.record_denials(mia, [DENIED])


def test_a_customer_that_is_too_large_is_refused_for_good() -> None:
    commit = decided(event_of(MIA), (), (MIA,))
    many = {"notes": Stamped("x" * 420_000, NOW)}
    profile = replace(commit.reaction.customer.profile, attributes=many)
    large = replace(commit.reaction, customer=replace(commit.reaction.customer, profile=profile))

    with pytest.raises(ServiceRefusedError) as refused:
        CUSTOMERS.commit(replace(commit, reaction=large))

    assert not refused.value.retryable


class TestDeferredMessages:
    DEFERRED = DeferredMessage("", "e-hello-1")

    def test_a_deferred_message_comes_back_whole(self) -> None:
        mia = happens(MIA)
        wanted = replace(message(mia), variables={"profile": {"first_name": "Mía"}}, position=2)

        defer(wanted)

        found = context(replace(self.DEFERRED, customer=mia.id))
        assert found.message == wanted
        assert (found.status, found.settled) == (MessageStatus.DEFERRED, False)
        assert found.contact.deferrals == {"e-hello-1": Deferral(LATER, "quiet_hours", "e", NOW, 2)}
        (decision,) = found.decisions
        assert (decision["reason"], decision["until"], decision["why"]["zone"]) == (
            "quiet_hours",
            "2026-03-02T15:00:00Z",
            "Europe/Paris",
        )

    def test_each_deferral_is_recorded_once(self) -> None:
        mia = happens(MIA)
        defer(message(mia))
        defer(message(mia), at=LATER)
        defer(message(mia), Defer(LATER, CAPPED))

        assert [one["reason"] for one in context(message(mia)).decisions] == ["quiet_hours", "cap"]

    def test_a_deferral_conflicts_with_a_change_like_a_claim_does(self) -> None:
        mia = happens(MIA)
        read = context(message(mia))
        happens(MIA, event_id="said", consent=GRANTED)

        with pytest.raises(ConflictError):
            DELIVERIES.defer(read, Deferral(LATER, "cap", "e", NOW, 0), Defer(LATER, CAPPED), NOW)
        assert context(message(mia)).status is None

    def test_deferring_a_message_releases_its_claim(self) -> None:
        mia = happens(MIA)
        claim(message(mia))

        defer(message(mia))

        assert context(message(mia)).contact.claims == {}

    def test_a_message_that_is_sent_is_no_longer_deferred(self) -> None:
        mia = happens(MIA)
        defer(message(mia))

        read = claim(message(mia))
        DELIVERIES.record(read, MessageStatus.SENT, LATER, {"channel": "sms"})

        found = context(message(mia))
        assert (found.contact.deferrals, found.status) == ({}, MessageStatus.SENT)
        assert DELIVERIES.contexts([replace(self.DEFERRED, customer=mia.id)]) == [None]
        assert [one["reason"] for one in found.decisions] == ["quiet_hours"]
        entry = RecordItem.get(mia.id, MESSAGE + "e-hello-1")
        assert entry.deferred_message is None  # its content is stored once, in the sent message

    def test_a_paused_message_is_indexed_by_its_target_until_it_is_sent(self) -> None:
        mia = happens(MIA)
        defer(message(mia), Defer(None, Paused("journey:welcome")))
        assert RecordItem.get(mia.id, MESSAGE + "e-hello-1").gsi1pk == "paused#journey:welcome"

        DELIVERIES.record(claim(message(mia)), MessageStatus.SENT, LATER, {})

        assert RecordItem.get(mia.id, MESSAGE + "e-hello-1").gsi1pk is None

    def test_a_message_that_is_dropped_is_no_longer_deferred(self) -> None:
        mia = happens(MIA)
        defer(message(mia))

        DELIVERIES.record(context(message(mia)), MessageStatus.SUPPRESSED, LATER, {"reason": "stale"})

        found = context(message(mia))
        assert (found.contact.deferrals, found.status) == ({}, MessageStatus.SUPPRESSED)

    def test_a_message_with_an_outcome_is_not_deferred_again(self) -> None:
        mia = happens(MIA)
        read = claim(message(mia))
        DELIVERIES.record(read, MessageStatus.SENT, NOW, {})

        defer(message(mia))

        assert context(message(mia)).status is MessageStatus.SENT

    def test_an_approval_is_read_with_its_message(self) -> None:
        mia = happens(MIA)
        defer(message(mia), Defer(LATER, ReviewOfNoChannel(Channel.SMS, "billing")))
        said = {"granted": True, "by": "eve", "at": "2026-03-02T14:30:00Z"}
        RecordItem(mia.id, MESSAGE + "e-hello-1").update([RecordItem.approval.set(said)])

        approval = context(replace(self.DEFERRED, customer=mia.id)).message.approval

        assert approval == Approval(granted=True, by="eve", at=NOW + timedelta(minutes=30))

    def test_a_deferred_message_of_an_absorbed_customer_belongs_to_the_survivor_at_once(self) -> None:
        account, reader = happens(MIA, event_id="account"), happens(MAIL, event_id="reader")
        defer(message(reader))
        happens(MIA, MAIL, event_id="both")
        request = replace(self.DEFERRED, customer=reader.id)

        before = context(request)
        TIMELINE.absorb(account.id, reader.id)
        after = context(request)

        assert before.message == after.message == message(CUSTOMERS.load(account.id))
        assert before.decisions == after.decisions
        assert before.status is after.status is MessageStatus.DEFERRED
        assert list(after.contact.deferrals) == ["e-hello-1"]

    def test_a_message_that_is_sent_while_its_customer_is_merged_is_recorded_where_its_record_went(self) -> None:
        account, reader = happens(MIA, event_id="account"), happens(MAIL, event_id="reader")
        defer(message(reader))
        read = claim(message(reader))
        happens(MIA, MAIL, event_id="both")
        TIMELINE.absorb(account.id, reader.id)

        DELIVERIES.record(read, MessageStatus.SENT, LATER, {"channel": "sms"})

        assert "message#e-hello-1" not in items_of(reader)
        for asked in (message(reader), message(account)):
            assert context(asked).status is MessageStatus.SENT
        assert DELIVERIES.contexts([replace(self.DEFERRED, customer=reader.id)]) == [None]

    def test_a_message_that_is_dropped_while_its_customer_is_merged_delays_no_later_one(self) -> None:
        account, reader = happens(MIA, event_id="account"), happens(MAIL, event_id="reader")
        read = defer(message(reader)) and context(message(reader))
        happens(MIA, MAIL, event_id="both")
        TIMELINE.absorb(account.id, reader.id)

        DELIVERIES.record(read, MessageStatus.SUPPRESSED, LATER, {"reason": "stale"})

        found = context(message(account))
        assert (found.contact.deferrals, found.status) == ({}, MessageStatus.SUPPRESSED)

    def test_a_deferred_message_of_an_erased_customer_is_recorded_nowhere(self) -> None:
        mia = happens(MIA)
        defer(message(mia))
        read = claim(message(mia))
        erase(mia)
        RecordItem(mia.id, MESSAGE + "e-hello-1").delete()  # as erase_customer does

        DELIVERIES.record(read, MessageStatus.SENT, LATER, {"channel": "sms"})
        with pytest.raises(ConflictError):
            DELIVERIES.defer(read, Deferral(LATER, "cap", "e", NOW, 0), Defer(LATER, CAPPED), NOW)

        assert items_of(mia) == {"open#state", "erasing"}

    def test_a_deferred_message_is_found_after_three_merges(self) -> None:
        reader = happens(MAIL, event_id="reader")
        defer(message(reader))
        for number, name in enumerate((PHONE, identifier("user_id", "zoe"), MIA)):
            happens(name, event_id=f"new-{number}")
        happens(PHONE, MAIL, event_id="first")
        happens(identifier("user_id", "zoe"), PHONE, event_id="second")

        found = context(replace(self.DEFERRED, customer=reader.id))

        assert found.message.customer == CUSTOMERS.load(reader.id).id
        assert found.status is MessageStatus.DEFERRED

    def test_a_deferred_message_follows_the_new_time_zone_of_its_customer(self) -> None:
        mia = happens(MIA, attributes={"time_zone": "America/New_York", "first_name": "Mia"})
        wanted = replace(message(mia), variables={"profile": {"time_zone": "America/New_York", "first_name": "Mia"}})
        defer(wanted)
        happens(MIA, event_id="moves", attributes={"time_zone": "Asia/Tokyo", "first_name": "Maya"})

        found = context(replace(self.DEFERRED, customer=mia.id)).message

        assert found.time_zone == "Asia/Tokyo"
        assert found.variables["profile"] == {"time_zone": "Asia/Tokyo", "first_name": "Mia"}


def test_the_outcome_of_a_message_is_read() -> None:
    mia = happens(MIA)
    read = claim(message(mia))

    DELIVERIES.record(read, MessageStatus.SENT, NOW, {"channel": "sms", "body": "Hello"})

    assert context(message(mia)).status is MessageStatus.SENT
    assert context(message(mia)).settled
    line = entry_of(mia)
    assert (line["status"], line["channel"], line["body"]) == ("sent", "sms", "Hello")


@pytest.mark.parametrize(
    "reported",
    [
        (MessageStatus.DELIVERED, MessageStatus.OPENED, MessageStatus.CLICKED),
        (MessageStatus.CLICKED, MessageStatus.OPENED, MessageStatus.DELIVERED),
        (MessageStatus.OPENED, MessageStatus.CLICKED, MessageStatus.OPENED),
    ],
)
@pytest.mark.parametrize("recorded", ["first", "last"])
def test_a_status_only_moves_forward(reported: tuple[MessageStatus, ...], recorded: str) -> None:
    mia = happens(MIA)
    read = claim(message(mia))

    def record() -> None:
        DELIVERIES.record(read, MessageStatus.SENT, NOW, {"channel": "email"})

    if recorded == "first":
        record()
    for status in reported:
        DELIVERIES.move(mia.id, "e-hello-1", status, LATER)
    if recorded == "last":
        record()

    line = entry_of(mia)
    assert (line["status"], line["at"], line["channel"]) == ("clicked", "2026-03-02T14:00:00Z", "email")


def test_each_new_status_is_returned_once_with_the_record_of_the_message() -> None:
    mia = happens(MIA)
    read = claim(message(mia))
    DELIVERIES.record(read, MessageStatus.SENT, NOW, {"channel": "email"})

    reported = [
        DELIVERIES.move(mia.id, "e-hello-1", status, LATER)
        for status in (MessageStatus.DELIVERED, MessageStatus.DELIVERED, MessageStatus.BOUNCED, MessageStatus.OPENED)
    ]

    assert [one and (one["journey"], one["channel"]) for one in reported] == [
        ("welcome", "email"),
        None,
        ("welcome", "email"),
        ("welcome", "email"),
    ]
    assert DELIVERIES.move(mia.id, "unknown", MessageStatus.DELIVERED, LATER) == {}


def test_facts_that_are_written_twice_appear_once_and_in_order() -> None:
    mia = happens(MIA)
    facts = (Fact("entered", "e", "welcome"), Fact("waiting", "e", "welcome", "wait", {"until": "later"}))
    task = OpenTask("e-call-3", "e", "call", "coaches", "Call", LATER, {"phone": None, "tags": []}, "")

    for _ in range(2):
        TIMELINE.remember(mia.id, 1, facts, NOW)
        TIMELINE.open(mia.id, "welcome", task, LATER)

    lines = TIMELINE.entries(mia.id)
    assert [line["kind"] for line in lines] == ["event", "entered", "waiting", "task"]
    assert lines[3]["queue"] == "coaches"


def test_a_task_is_closed_once_unless_a_person_has_done_it() -> None:
    mia = happens(MIA)
    task = OpenTask("t-1", "", "", "privacy", "Decide", LATER, {"text": "no"}, "")
    closed = CloseTask("close-1", "t-1", "stop", "deadline", LATER)

    TIMELINE.close(mia.id, closed)  # it is not there yet
    TIMELINE.open(mia.id, "", task, NOW)
    for one in (closed, replace(closed, outcome="continue", by="ada")):
        TIMELINE.close(mia.id, one)

    (line,) = (line for line in TIMELINE.entries(mia.id) if line["kind"] == "task")
    assert (line["status"], line["outcome"], line["done_by"]) == ("done", "stop", "deadline")
    assert line["context"] == {"text": "no"}


class StoppedError(Exception):
    """The process crashed in the middle."""


def test_a_timeline_is_absorbed_whole_despite_crashes(monkeypatch: pytest.MonkeyPatch) -> None:
    read: list[DeliveryContext] = []
    survivor, absorbed = merge(
        lambda reader: read.extend(context(message(reader, f"m-{number}")) for number in range(3))
    )
    for number in range(3):
        DELIVERIES.record(read[number], MessageStatus.SENT, NOW, {})
        TIMELINE.remember(absorbed.id, number, (Fact("waiting"),), NOW)
        TIMELINE.remember(survivor.id, number, (Fact("entered"),), NOW)
    whole = Counter(line["kind"] for line in TIMELINE.entries(survivor.id))
    assert whole["message"] == 3, "records that have not moved yet are shown as well"

    delete = RecordItem.delete
    for _ in range(3):
        with monkeypatch.context() as patch:
            patch.setattr(RecordItem, "delete", lambda self, **how: (delete(self, **how), _stop()))
            with pytest.raises(StoppedError):
                TIMELINE.absorb(survivor.id, absorbed.id)
    TIMELINE.absorb(survivor.id, absorbed.id)

    assert Counter(line["kind"] for line in TIMELINE.entries(survivor.id)) == whole
    assert TIMELINE.entries(absorbed.id) == []


def _stop() -> None:
    raise StoppedError


def test_a_version_is_stored_unchanged() -> None:
    entry = {
        "journey": "welcome",
        "version": "abc",
        "document": {"journey": "welcome"},
        "templates": {"ü": {"text": "ä"}},
    }

    save_version(entry)
    save_version(entry)

    assert saved_version("welcome", "abc") == entry
    assert saved_version("welcome", "another") is None


@pytest.mark.atomic_writes
def test_concurrent_commits_count_each_event_once() -> None:
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
    assert mia.version == 6
    assert activity["page.seen"].count == 6


@pytest.mark.atomic_writes
def test_concurrent_senders_claim_no_more_than_the_cap_allows() -> None:
    mia = happens(MIA, PHONE)
    policy = Policy(caps=(Cap(limit=3, window="day", purposes=frozenset(Purpose)),))

    def send(wanted: Message) -> str:
        while True:
            read = context(wanted)
            verdict = decide(read.message, read.contact, read.contact.claims, GateSettings(policy), NOW)
            if not isinstance(verdict, Send):
                return verdict.reason
            try:
                DELIVERIES.claim(read.message, read.contact, Claim(NOW, wanted.purpose, verdict.channel, "welcome"))
            except ConflictError:
                continue
            return "claimed"

    with ThreadPoolExecutor(8) as pool:
        ends = Counter(pool.map(send, [message(mia, f"m-{number}") for number in range(12)]))

    assert ends == {"claimed": 3, "cap": 9}
    assert len(CUSTOMERS.load(mia.id).contact.claims) == 3
