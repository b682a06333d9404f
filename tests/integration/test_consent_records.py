"""A consent record in the table is added once, never changes, never expires, and is found after a merge moved it."""

from dataclasses import replace
from datetime import timedelta

import pytest

from cairn.adapters.dynamodb import codec
from cairn.adapters.dynamodb.consent_records import DynamoConsentRecords
from cairn.adapters.dynamodb.items import CONSENT, STATE, CustomerItem, RecordItem
from cairn.adapters.dynamodb.timeline import DynamoTimeline
from cairn.domain.consent.changes import ConsentChange, ConsentStatus
from cairn.domain.consent.record import ConsentRecord
from cairn.domain.consent.suppression import Cause, Mark, SuppressionChange
from cairn.domain.shared.channels import Channel, Purpose
from tests.unit.makers import MONDAY, profile

pytestmark = pytest.mark.usefixtures("table")

RECORDS = DynamoConsentRecords()
TIMELINE = DynamoTimeline()

PROOF = {"wording": "ja, bitte ✓", "wording_version": "3", "locale": "de", "actor": "desk-7", "ip": "192.0.2.7"}
CHANGE = ConsentChange(Channel.EMAIL, Purpose.MARKETING, ConsentStatus.GRANTED, MONDAY, "form", PROOF)
GRANTED = ConsentRecord("track", CHANGE)
BOUNCED = ConsentRecord(
    "feedback",
    SuppressionChange(
        Channel.EMAIL, Mark(Cause.HARD_BOUNCE, MONDAY + timedelta(seconds=1, microseconds=7)), "old@example.com"
    ),
)
UNSUBSCRIBED = ConsentRecord(
    "preferences",
    SuppressionChange(Channel.EMAIL, Mark(Cause.UNSUBSCRIBE, MONDAY, Purpose.MARKETING, lifted=True), key="k" * 40),
)


def save_customer(customer: str, alias_of: str = "") -> None:
    if alias_of:
        CustomerItem(customer, STATE, alias_of=alias_of).save()
    else:
        CustomerItem(customer, STATE, version=1, profile=codec.profile_to_wire(profile(customer))).save()


def items(customer: str) -> list[RecordItem]:
    return list(RecordItem.query(customer, RecordItem.sk.startswith(CONSENT)))


@pytest.mark.parametrize("record", [GRANTED, BOUNCED, UNSUBSCRIBED])
def test_a_record_is_read_as_it_was_added(record: ConsentRecord) -> None:
    save_customer("c_ada")

    (name,) = RECORDS.add("c_ada", "e1", [record])

    assert RECORDS.find("c_ada", name) == (profile("c_ada"), record)


def test_a_consent_record_never_expires() -> None:
    RECORDS.add("c_ada", "e1", [GRANTED, BOUNCED])

    assert [item.expires_at for item in items("c_ada")] == [None, None]


def test_a_record_that_is_added_twice_is_stored_once_and_named_again() -> None:
    """The relay may have crashed between the record and the queue: the retried effect gets the same names."""
    once = RECORDS.add("c_ada", "e1", [GRANTED, BOUNCED])
    again = RECORDS.add("c_ada", "e1", [GRANTED, BOUNCED])

    assert once == again
    assert len(items("c_ada")) == 2


def test_a_consent_that_another_event_repeats_adds_no_record() -> None:
    """A shop repeats a consent with every change of a customer."""
    RECORDS.add("c_ada", "e1", [GRANTED])

    assert RECORDS.add("c_ada", "e2", [GRANTED]) == []
    assert len(items("c_ada")) == 1


@pytest.mark.parametrize(
    "other",
    [
        replace(GRANTED, reported_by="hubspot"),
        replace(GRANTED, change=replace(CHANGE, status=ConsentStatus.DENIED)),
        replace(GRANTED, change=replace(CHANGE, purpose=Purpose.TRANSACTIONAL)),
        replace(GRANTED, change=replace(CHANGE, at=MONDAY + timedelta(seconds=1))),
        replace(GRANTED, change=replace(CHANGE, evidence=PROOF | {"wording_version": "4"})),
    ],
)
def test_a_different_consent_statement_is_another_record(other: ConsentRecord) -> None:
    RECORDS.add("c_ada", "e1", [GRANTED])

    assert len(RECORDS.add("c_ada", "e2", [other])) == 1
    assert len(items("c_ada")) == 2


def test_the_timeline_shows_a_record_with_its_whole_evidence() -> None:
    RECORDS.add("c_ada", "e1", [GRANTED, BOUNCED])

    granted, bounced = TIMELINE.entries("c_ada")

    assert granted == {
        "at": "2026-03-02T10:00:00Z",
        "kind": "consent",
        "channel": "email",
        "purpose": "marketing",
        "status": "granted",
        "source": "form",
        "told_by": "track",
        "evidence": PROOF,
    }
    assert bounced == {
        "at": "2026-03-02T10:00:01.000007Z",
        "kind": "consent",
        "channel": "email",
        "purpose": "all",
        "status": "suppressed",
        "cause": "hard_bounce",
        "told_by": "feedback",
        "address": "old@example.com",
    }


def test_a_record_is_found_at_every_moment_of_a_merge() -> None:
    save_customer("c_old")
    save_customer("c_ada")
    (name,) = RECORDS.add("c_old", "e1", [GRANTED])
    found = []

    save_customer("c_old", alias_of="c_ada")
    found.append(RECORDS.find("c_old", name))
    (item,) = items("c_old")
    RecordItem("c_ada", item.sk, at=item.at, body=item.body, added_by=item.added_by).save()  # the relay crashes here
    found.append(RECORDS.find("c_old", name))
    TIMELINE.absorb("c_ada", "c_old")
    found.append(RECORDS.find("c_old", name))

    assert found == [(profile("c_ada"), GRANTED)] * 3
    assert [len(items(one)) for one in ("c_old", "c_ada")] == [0, 1]
    assert items("c_ada")[0].expires_at is None


def test_a_merge_of_two_customers_with_the_same_record_leaves_one() -> None:
    for one in ("c_old", "c_ada"):
        RECORDS.add(one, f"of-{one}", [GRANTED])

    TIMELINE.absorb("c_ada", "c_old")

    assert len(items("c_ada")) == 1


def test_no_record_of_an_erased_customer_is_found() -> None:
    save_customer("c_ada")
    (name,) = RECORDS.add("c_ada", "e1", [GRANTED])
    RecordItem("c_ada", CONSENT + name).delete()

    assert RECORDS.find("c_ada", name) is None
    CustomerItem("c_ada", STATE).delete()
    assert RECORDS.find("c_ada", name) is None


def test_a_loop_of_merges_leads_to_no_customer() -> None:
    save_customer("c_a", alias_of="c_b")
    save_customer("c_b", alias_of="c_a")

    assert RECORDS.find("c_a", "r1") is None
