"""A consent change is recorded first, then queued for every endpoint."""

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


def test_every_change_is_recorded_and_queued_for_every_endpoint() -> None:
    records, queue = ConsentRecords(), WebhookQueue()

    QueueWebhookDeliveries(records, queue, ("crm", "erp"))("c_ada", STOP)

    assert [one.change for one in records.values()] == [*STOP.changes, *STOP.suppression_changes]
    assert {one.reported_by for one in records.values()} == {"twilio"}
    assert len(queue) == 6
    assert {one.endpoint for one in queue} == {"crm", "erp"}


def test_the_source_of_a_change_gets_no_delivery_but_the_change_is_recorded() -> None:
    records, queue = ConsentRecords(), WebhookQueue()

    QueueWebhookDeliveries(records, queue, ("twilio",))("c_ada", STOP)

    assert len(records) == 3
    assert queue == []


def test_without_endpoints_the_queue_is_not_called() -> None:
    queue = WebhookQueue()
    queue.failure = ServiceBusyError("sqs is busy")

    QueueWebhookDeliveries(ConsentRecords(), queue)("c_ada", STOP)


def test_a_change_that_is_recorded_already_is_not_queued_again() -> None:
    queue = WebhookQueue()
    queue_deliveries = QueueWebhookDeliveries(ConsentRecords(), queue, ("crm",))
    queue_deliveries("c_ada", STOP)
    queue.clear()

    queue_deliveries("c_ada", replace(STOP, id="e2"))

    assert queue == []


def test_a_failure_of_the_queue_is_raised_and_the_retry_has_the_same_ids() -> None:
    queue = WebhookQueue()
    queue_deliveries = QueueWebhookDeliveries(ConsentRecords(), queue, ("crm",))
    queue.failure = ServiceBusyError("sqs is busy")
    with pytest.raises(ServiceBusyError):
        queue_deliveries("c_ada", STOP)
    queue.failure = None

    queue_deliveries("c_ada", STOP)
    first = list(queue)
    queue_deliveries("c_ada", STOP)

    assert queue == first * 2
