"""SQS: webhook deliveries, and their retries."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from cairn.adapters.documents.json_text import to_json
from cairn.adapters.scheduler.timers import TimerService, TimerTarget
from cairn.adapters.sqs.batches import send_in_batches
from cairn.domain.shared.announced import AnnouncedType
from cairn.domain.shared.hashing import short_hash
from cairn.domain.shared.instants import instant_from_wire, instant_to_wire
from cairn.domain.webhook_delivery import Announcement, Webhook, WebhookCall, WebhookDelivery

Wire = dict[str, Any]


class WebhookQueue:
    """The deliveries of one endpoint form a message group, and the queue is fair among groups.

    https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/sqs-fair-queues.html: a group that takes
    more than its share of the consumers, by number or by time, waits behind the others.
    """

    def __init__(self, sqs: Any, url: str) -> None:
        self._sqs = sqs
        self._url = url

    def put(self, deliveries: Sequence[Webhook]) -> None:
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

    def retry_at(self, delivery: Webhook, until: datetime, now: datetime) -> None:
        name = f"notice-{short_hash(delivery.id, delivery.endpoint)}-{delivery.attempt}"
        self.clock.set(self.target, name, to_json(delivery_to_wire(delivery)), until, now)


def delivery_to_wire(delivery: Webhook) -> Wire:
    """The content of the queue."""
    if isinstance(delivery, WebhookCall):
        return {
            "id": delivery.id,
            "subscriber": delivery.endpoint,
            "customer": delivery.customer,
            "call": {
                "enrollment": delivery.enrollment,
                "step": delivery.step,
                "type": delivery.type,
                "at": instant_to_wire(delivery.at),
                "until": instant_to_wire(delivery.until),
                "body": dict(delivery.body),
            },
            "attempt": delivery.attempt,
        }
    if isinstance(delivery, Announcement):
        about = {"type": delivery.type.value, "at": instant_to_wire(delivery.at), "data": dict(delivery.data)}
        return {"id": delivery.id, "subscriber": delivery.endpoint, "announced": about, "attempt": delivery.attempt}
    return {
        "id": delivery.id,
        "subscriber": delivery.endpoint,
        "customer": delivery.customer,
        "record": delivery.record,
        "attempt": delivery.attempt,
    }


def delivery_from_wire(wire: Wire) -> Webhook:
    if "call" in wire:
        call = wire["call"]
        at, until = instant_from_wire(call["at"]), instant_from_wire(call["until"])
        about = (wire["customer"], call["enrollment"], call["step"], call["type"], at, until, call["body"])
        return WebhookCall(wire["id"], wire["subscriber"], *about, wire["attempt"])
    if "announced" in wire:
        about = wire["announced"]
        type_, at = AnnouncedType(about["type"]), instant_from_wire(about["at"])
        return Announcement(wire["id"], wire["subscriber"], type_, at, about["data"], wire["attempt"])
    return WebhookDelivery(wire["id"], wire["subscriber"], wire["customer"], wire["record"], wire["attempt"])
