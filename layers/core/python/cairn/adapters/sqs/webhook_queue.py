"""Notices on their way: queued for their subscribers, and put off where those did not take them."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from cairn.adapters.aws import calling
from cairn.adapters.documents.json_text import to_json
from cairn.adapters.scheduler.timers import TimerService, TimerTarget
from cairn.adapters.sqs.events_queue import batches
from cairn.domain.shared.errors import ServiceBusyError
from cairn.domain.shared.hashing import short_hash
from cairn.domain.webhook_delivery import WebhookDelivery

Wire = dict[str, Any]


class WebhookQueue:
    """Implements the port Notices. Those of one subscriber form a message group, and the queue is fair among groups.

    https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/sqs-fair-queues.html: a group that takes
    more than its share of the consumers, by number or by time, waits behind the others.
    """

    def __init__(self, sqs: Any, url: str) -> None:
        self._sqs = sqs
        self._url = url

    def put(self, notices: Sequence[WebhookDelivery]) -> None:
        entries = (
            {"Id": str(number), "MessageBody": to_json(delivery_to_wire(one)), "MessageGroupId": one.endpoint}
            for number, one in enumerate(notices)
        )
        for batch in batches(entries):
            with calling("sqs"):
                answer = self._sqs.send_message_batch(QueueUrl=self._url, Entries=batch)
            if answer.get("Failed"):
                raise ServiceBusyError("sqs did not take every notice")


@dataclass(frozen=True, slots=True, kw_only=True)
class WebhookRetries:
    """Queues failed deliveries again.

    A notice that is made invisible instead would be in flight, of which a queue has room for 120,000 (SQS quota): a
    subscriber that is out of order for a day would keep back everybody else's.
    """

    clock: TimerService
    target: TimerTarget

    def retry_at(self, notice: WebhookDelivery, until: datetime, now: datetime) -> None:
        name = f"notice-{short_hash(notice.id, notice.endpoint)}-{notice.attempt}"
        self.clock.set(self.target, name, to_json(delivery_to_wire(notice)), until, now)


def delivery_to_wire(notice: WebhookDelivery) -> Wire:
    """What stands on the queue."""
    return {
        "id": notice.id,
        "subscriber": notice.endpoint,
        "customer": notice.customer,
        "record": notice.record,
        "attempt": notice.attempt,
    }


def delivery_from_wire(wire: Wire) -> WebhookDelivery:
    return WebhookDelivery(wire["id"], wire["subscriber"], wire["customer"], wire["record"], wire["attempt"])
