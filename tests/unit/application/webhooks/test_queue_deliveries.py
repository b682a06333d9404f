"""What was said is recorded first, and told to everybody who is to know."""

from dataclasses import replace

import pytest

from cairn.application.webhooks.queue_deliveries import QueueWebhookDeliveries
from cairn.domain.consent.suppression import Cause, Mark, SuppressionChange
from cairn.domain.effects import RecordConsent
from cairn.domain.shared.channels import Channel, Purpose
from cairn.domain.shared.errors import ServiceBusyError
from tests.unit.fakes import ConsentRecords, WebhookQueue
from tests.unit.makers import MONDAY, denied

STOP = RecordConsent(
    "e1",
    "twilio",
    tuple(denied(Channel.SMS, purpose) for purpose in Purpose),
    (SuppressionChange(Channel.SMS, Mark(Cause.STOP, MONDAY), "+12015550123"),),
)


def test_every_word_is_recorded_and_told_to_every_subscriber() -> None:
    records, queue = ConsentRecords(), WebhookQueue()

    QueueWebhookDeliveries(records, queue, ("crm", "erp"))("c_ada", STOP)

    assert [one.change for one in records.values()] == [*STOP.changes, *STOP.suppression_changes]
    assert {one.reported_by for one in records.values()} == {"twilio"}
    assert len(queue) == 6
    assert {one.endpoint for one in queue} == {"crm", "erp"}


def test_who_said_it_is_not_told_but_it_is_recorded() -> None:
    records, queue = ConsentRecords(), WebhookQueue()

    QueueWebhookDeliveries(records, queue, ("twilio",))("c_ada", STOP)

    assert len(records) == 3
    assert queue == []


def test_without_anybody_to_tell_the_queue_is_not_asked() -> None:
    queue = WebhookQueue()
    queue.failure = ServiceBusyError("sqs is busy")

    QueueWebhookDeliveries(ConsentRecords(), queue)("c_ada", STOP)


def test_what_another_event_brings_once_more_is_told_to_nobody() -> None:
    queue = WebhookQueue()
    tell = QueueWebhookDeliveries(ConsentRecords(), queue, ("crm",))
    tell("c_ada", STOP)
    queue.clear()

    tell("c_ada", replace(STOP, id="e2"))

    assert queue == []


def test_what_cannot_be_queued_is_raised_and_told_with_the_same_ids_once_it_can() -> None:
    queue = WebhookQueue()
    tell = QueueWebhookDeliveries(ConsentRecords(), queue, ("crm",))
    queue.failure = ServiceBusyError("sqs is busy")
    with pytest.raises(ServiceBusyError):
        tell("c_ada", STOP)
    queue.failure = None

    tell("c_ada", STOP)
    first = list(queue)
    tell("c_ada", STOP)

    assert queue == first * 2
