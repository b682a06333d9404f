"""A delivery report that nobody hears moves its message at once; every other report becomes an event."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cairn.application.message.record_reports import RecordReports
from cairn.domain.consent.changes import ConsentChange, ConsentStatus
from cairn.domain.event import Event
from cairn.domain.identity.identifiers import identifier
from cairn.domain.message.message import STATUS_REPORTS, MessageStatus
from cairn.domain.operations.breaker import Counts, bucket_of
from cairn.domain.shared.channels import Channel, Purpose
from cairn.domain.shared.errors import ServiceBusyError
from tests.unit.fakes import DeliveryCounters, Inbox, ReportedMessages, StatusReports
from tests.unit.makers import MONDAY

ABOUT = {"journey": "visit", "channel": "email"}
DELIVERED = Event(
    "1",
    "feedback",
    "message.delivered",
    MONDAY,
    customer_id="c_ada",
    properties={"message_id": "m", "channel": "email"},
)


class Reports:
    """What RecordReports works on; a message `m` of Ada's is recorded as sent."""

    def __init__(self, *, deployed: frozenset[str] = frozenset(), stored: StatusReports | None = None) -> None:
        self.inbox, self.counters = Inbox(), DeliveryCounters()
        self.messages = ReportedMessages({("c_ada", "m"): (MessageStatus.SENT, ABOUT)})
        self.stored = stored or StatusReports(heard=())
        self.record = RecordReports(self.inbox, self.messages, self.counters, self.stored, deployed)

    def status(self) -> MessageStatus:
        return self.messages["c_ada", "m"][0]

    def counted(self, target: str) -> Counts:
        return self.counters.get((target, bucket_of(MONDAY)), Counts())


def test_a_delivery_that_nobody_hears_moves_its_message_and_is_counted() -> None:
    reports = Reports()

    assert reports.record([DELIVERED], MONDAY) == []

    assert reports.inbox == []
    assert reports.status() is MessageStatus.DELIVERED
    assert [reports.counted(one) for one in ("journey:visit", "channel:email")] == [Counts(delivered=1)] * 2


def test_the_same_report_twice_counts_once() -> None:
    reports = Reports()

    reports.record([DELIVERED, DELIVERED], MONDAY)
    reports.record([DELIVERED], MONDAY)

    assert reports.inbox == []
    assert reports.counted("channel:email") == Counts(delivered=1)


@pytest.mark.parametrize("status", [one for one in MessageStatus if one.rank > MessageStatus.DELIVERED.rank])
def test_a_delivery_after_a_later_status_changes_nothing(status: MessageStatus) -> None:
    reports = Reports()
    reports.messages["c_ada", "m"] = (status, ABOUT)

    reports.record([DELIVERED], MONDAY)

    assert (reports.inbox, reports.status(), dict(reports.counters)) == ([], status, {})


def test_a_report_that_a_message_was_sent_says_what_is_known() -> None:
    reports = Reports()

    reports.record([replace(DELIVERED, type="message.sent")], MONDAY)

    assert (reports.inbox, reports.status(), dict(reports.counters)) == ([], MessageStatus.SENT, {})


@pytest.mark.parametrize("status", [one for one in MessageStatus if one.rank < MessageStatus.SENT.rank])
@pytest.mark.parametrize("event_type", sorted(STATUS_REPORTS))
def test_a_message_that_is_not_recorded_as_sent_gets_an_event(status: MessageStatus, event_type: str) -> None:
    """The sender died before its record, or has not come to it: process_event and the relay know what to do."""
    reports, event = Reports(), replace(DELIVERED, type=event_type)
    reports.messages["c_ada", "m"] = (status, ABOUT)

    assert reports.record([event], MONDAY) == [event]
    assert (reports.inbox, reports.status()) == ([event], status)


def test_a_message_without_a_record_gets_an_event() -> None:
    """It is not written yet, or it has moved with its customer, or is erased."""
    reports = Reports()
    reports.messages.clear()

    reports.record([DELIVERED], MONDAY)

    assert reports.inbox == [DELIVERED]
    assert dict(reports.counters) == {}


@pytest.mark.parametrize(
    "reports",
    [
        pytest.param(lambda: Reports(deployed=frozenset({"message.delivered"})), id="by a deployed journey"),
        pytest.param(lambda: Reports(stored=StatusReports(heard={"message.delivered"})), id="by an older version"),
        pytest.param(
            lambda: Reports(stored=StatusReports(heard=None)), id="perhaps by a version of an earlier release"
        ),
    ],
)
def test_a_delivery_that_may_be_heard_becomes_an_event(reports: type[Reports]) -> None:
    made = reports()

    made.record([DELIVERED], MONDAY)

    assert made.inbox == [DELIVERED]
    assert (made.status(), dict(made.counters)) == (MessageStatus.SENT, {})


SAYS_MORE = (
    replace(DELIVERED, customer_id=None),
    replace(DELIVERED, properties={"channel": "email"}),
    replace(DELIVERED, properties={"message_id": 7}),
    replace(DELIVERED, identifiers=(identifier("phone", "+12015550123"),)),
    replace(DELIVERED, attributes={"plan": "gold"}),
    replace(DELIVERED, dropped={"customer.email": "placeholder"}),
    replace(
        DELIVERED,
        consent=(ConsentChange(Channel.SMS, Purpose.MARKETING, ConsentStatus.DENIED, MONDAY, "feedback"),),
    ),
)


@pytest.mark.parametrize("event", SAYS_MORE)
def test_a_report_that_names_no_message_or_says_more_becomes_an_event(event: Event) -> None:
    reports = Reports()

    reports.record([event], MONDAY)

    assert reports.inbox == [event]
    assert reports.stored.reads == 0
    assert reports.status() is MessageStatus.SENT


@given(st.sampled_from([f"message.{one}" for one in MessageStatus] + ["message.replied", "message.stopped"]))
def test_all_other_reports_become_events(event_type: str) -> None:
    reports, event = Reports(), replace(DELIVERED, type=event_type)

    reports.record([event], MONDAY)

    assert reports.inbox == ([] if event_type in STATUS_REPORTS else [event])


def test_what_journeys_hear_is_asked_anew_for_each_report() -> None:
    """A version that hears the report may be used since the last one."""
    reports = Reports()
    reports.record([DELIVERED], MONDAY)
    reports.stored.heard = {"message.delivered"}
    reports.messages["c_ada", "m"] = (MessageStatus.SENT, ABOUT)

    reports.record([DELIVERED], MONDAY)

    assert reports.inbox == [DELIVERED]


def test_events_beside_a_delivery_are_stored_and_it_is_repeatable() -> None:
    reports, replied = Reports(), replace(DELIVERED, id="2", type="message.replied")
    reports.inbox.is_down = ServiceBusyError("sqs is busy")

    with pytest.raises(ServiceBusyError):
        reports.record([DELIVERED, replied], MONDAY)
    reports.inbox.is_down = None
    reports.record([DELIVERED, replied], MONDAY)

    assert reports.inbox == [replied]
    assert reports.counted("channel:email") == Counts(delivered=1)


def test_a_report_is_not_counted_in_the_future() -> None:
    """A provider's clock may be ahead of ours."""
    reports = Reports()

    reports.record([replace(DELIVERED, occurred_at=MONDAY.replace(year=2027))], MONDAY)

    assert reports.counted("channel:email") == Counts(delivered=1)
