"""SQS: webhook deliveries, and their retries."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from cairn.adapters.documents.json_text import to_json
from cairn.adapters.scheduler.timers import TimerService, TimerTarget
from cairn.adapters.sqs.batches import send_in_batches
from cairn.domain.shared.hashing import short_hash
from cairn.domain.webhook_delivery import WebhookDelivery

Wire = dict[str, Any]


class WebhookQueue:
    """The deliveries of one endpoint form a message group, and the queue is fair among groups.

    https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/sqs-fair-queues.html: a group that takes
    more than its share of the consumers, by number or by time, waits behind the others.
    """

    def __init__(self, sqs: Any, url: str) -> None:
        self._sqs = sqs
        self._url = url

    def put(self, deliveries: Sequence[WebhookDelivery]) -> None:
        entries = (
            {"Id": str(number), "MessageBody": to_json(delivery_to_wire(one)), "MessageGroupId": one.endpoint}
            for number, one in enumerate(deliveries)
        )
        send_in_batches(self._sqs, self._url, entries, "sqs did not take every notice")


@dataclass(frozen=True, slots=True, kw_only=True)
class WebhookRetries:
    """Queues failed deliveries again.

    Making a delivery invisible instead would leave it in flight, and a queue has room for 120,000 of those (SQS quota):
    one endpoint that fails for a day would block all others.
    """

    clock: TimerService
    target: TimerTarget

    def retry_at(self, delivery: WebhookDelivery, until: datetime, now: datetime) -> None:
        name = f"notice-{short_hash(delivery.id, delivery.endpoint)}-{delivery.attempt}"
        self.clock.set(self.target, name, to_json(delivery_to_wire(delivery)), until, now)


def delivery_to_wire(delivery: WebhookDelivery) -> Wire:
    """The content of the queue."""
    return {
        "id": delivery.id,
        "subscriber": delivery.endpoint,
        "customer": delivery.customer,
        "record": delivery.record,
        "attempt": delivery.attempt,
    }


def delivery_from_wire(wire: Wire) -> WebhookDelivery:
    return WebhookDelivery(wire["id"], wire["subscriber"], wire["customer"], wire["record"], wire["attempt"])
