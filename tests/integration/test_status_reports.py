"""Reports that move a message at once: as the event would have moved it, and only where nobody hears them."""

from collections.abc import Collection
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from cairn.adapters.dynamodb.deliveries import DynamoDeliveries
from cairn.adapters.dynamodb.delivery_counters import DynamoDeliveryCounters
from cairn.adapters.dynamodb.items import MESSAGE, RecordItem
from cairn.adapters.dynamodb.message_status import DynamoReportedMessages
from cairn.adapters.dynamodb.status_reports import DynamoStatusReports, note_complete, note_heard
from cairn.adapters.dynamodb.timeline import DynamoTimeline
from cairn.application.message.record_reports import RecordReports
from cairn.application.operations.count_reports import count_report
from cairn.domain.event import Event
from cairn.domain.message.message import STATUS_REPORTS, MessageStatus
from cairn.domain.operations.breaker import bucket_of, outcome_of
from cairn.domain.shared.hashing import short_hash
from tests.unit.fakes import Inbox

pytestmark = pytest.mark.usefixtures("table")

NOW = datetime(2026, 3, 2, 14, tzinfo=UTC)
LATER = NOW + timedelta(minutes=1)
DELIVERED = MessageStatus.DELIVERED
ABOUT = {"journey": "visit", "channel": "email", "step": "hello"}


def sends(customer: str, status: MessageStatus | None = MessageStatus.SENT) -> None:
    """The sender's record of the message `m`; none where the sender has not come to it."""
    if status is not None:
        RecordItem(
            customer,
            f"{MESSAGE}m",
            at="2026-03-02T13:00:00Z",
            body=ABOUT,
            status=status.value,
            rank=status.rank,
            expires_at=1_800_000_000,
        ).save()


def record_of(customer: str) -> dict[str, Any]:
    return {
        name: value
        for item in RecordItem.query(customer)
        for name, value in item.attribute_values.items()
        if name != "pk"
    }


def moved(customer: str, status: MessageStatus = DELIVERED) -> Any:
    return DynamoReportedMessages().move_sent(customer, "m", status, LATER)


def test_a_sent_message_moves_once_and_its_record_says_when_it_was_delivered() -> None:
    sends("c_ada")

    assert [moved("c_ada"), moved("c_ada")] == [ABOUT, {}]

    (line,) = DynamoTimeline().entries("c_ada")
    assert (line["status"], line["delivered_at"]) == ("delivered", "2026-03-02T14:01:00Z")


def test_a_message_that_is_not_recorded_gets_no_record() -> None:
    assert moved("c_ada") is None
    assert record_of("c_ada") == {}


@pytest.mark.parametrize("status", [one for one in MessageStatus if one.rank < MessageStatus.SENT.rank])
@pytest.mark.parametrize("reported", [MessageStatus.SENT, DELIVERED])
def test_a_message_that_is_not_recorded_as_sent_stays_as_it_is(status: MessageStatus, reported: MessageStatus) -> None:
    sends("c_ada", status)

    assert moved("c_ada", reported) is None
    assert record_of("c_ada")["status"] == status.value


@pytest.mark.parametrize("status", [one for one in MessageStatus if one.rank >= MessageStatus.SENT.rank])
def test_that_a_message_was_sent_is_known_already(status: MessageStatus) -> None:
    sends("c_ada", status)
    before = record_of("c_ada")

    assert moved("c_ada", MessageStatus.SENT) == {}
    assert record_of("c_ada") == before


@given(
    status=st.sampled_from([None, *MessageStatus]),
    reports=st.lists(st.sampled_from(sorted(STATUS_REPORTS)), min_size=1, max_size=4),
)
@settings(max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_both_ways_come_to_the_same_record_and_counts(status: MessageStatus | None, reports: list[str]) -> None:
    """The short way with what it leaves to the whole way, and the whole way alone (RelayEffects)."""
    note_complete(NOW)
    name = short_hash(str(status), *reports, str(datetime.now(UTC).timestamp()))
    sends(f"short-{name}", status)
    sends(f"whole-{name}", status)
    short, whole = Counts(), Counts()
    record = RecordReports(inbox := Inbox(), DynamoReportedMessages(), short, DynamoStatusReports(), frozenset())

    for number, event_type in enumerate(reports):
        about = {"properties": {"message_id": "m"}}
        event = Event(str(number), "feedback", event_type, LATER, customer_id=f"short-{name}", **about)
        record([event], LATER)
        carry_out(inbox, short)
        carry_out([Event(str(number), "feedback", event_type, LATER, customer_id=f"whole-{name}", **about)], whole)

    assert record_of(f"short-{name}") == record_of(f"whole-{name}")
    assert short == whole


class Counts(dict[tuple[str, Any], int], DynamoDeliveryCounters):
    def add(self, targets: Collection[str], bucket: datetime, outcome: Any) -> None:
        for target in targets:
            self[target, (bucket, outcome)] = self.get((target, (bucket, outcome)), 0) + 1


def carry_out(events: list[Event], counters: Counts) -> None:
    """What an event that nobody hears comes to: RelayEffects carries out its UpdateMessageStatus."""
    for event in events:
        status = MessageStatus(event.type.removeprefix("message."))
        about = DynamoDeliveries().move(str(event.customer_id), "m", status, event.occurred_at)
        outcome = outcome_of(status)
        if about is not None and outcome is not None:
            count_report(counters, about, outcome, event.occurred_at)
    if isinstance(events, Inbox):
        events.clear()


def test_a_report_is_counted_for_its_journey_and_its_channel() -> None:
    sends("c_ada")
    note_complete(NOW)
    event = Event("1", "feedback", "message.delivered", LATER, customer_id="c_ada", properties={"message_id": "m"})

    RecordReports(Inbox(), DynamoReportedMessages(), DynamoDeliveryCounters(), DynamoStatusReports(), frozenset())(
        [event], LATER
    )

    for target in ("journey:visit", "channel:email"):
        (bucket,) = DynamoDeliveryCounters().between(target, bucket_of(LATER), bucket_of(LATER))
        assert bucket.counts.delivered == 1


def test_nothing_is_unheard_before_all_versions_are_noted() -> None:
    unheard = DynamoStatusReports().unheard
    assert unheard() == frozenset()

    note_heard({"message.sent"})
    assert unheard() == frozenset()

    note_complete(NOW)
    assert unheard() == {"message.delivered"}

    note_heard({"message.delivered"})
    assert unheard() == frozenset()
