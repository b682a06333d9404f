"""SQS: the inbox of events (FIFO per customer), the outbox of messages, dead letters."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from cairn.adapters.aws import calling
from cairn.adapters.dynamodb.codec import effect_to_wire, message_to_wire
from cairn.adapters.json_text import to_json
from cairn.domain.effects import Effect
from cairn.domain.errors import CairnError, ServiceBusyError
from cairn.domain.event import Event, event_to_wire
from cairn.domain.identity import short_hash
from cairn.domain.message import Message

BATCH = 10
"""Entries of one SendMessageBatch (SQS quota)."""

MAX_ATTRIBUTE = 1024


class EventsQueue:
    """Implements the port Inbox. A customer's events form one message group, so they are handled one by one."""

    def __init__(self, sqs: Any, url: str) -> None:
        self._sqs = sqs
        self._url = url

    def put(self, events: Sequence[Event]) -> None:
        for start in range(0, len(events), BATCH):
            entries = [
                {
                    "Id": str(number),
                    "MessageBody": to_json(event_to_wire(event)),
                    "MessageGroupId": group_of(event),
                    "MessageDeduplicationId": event.key,
                }
                for number, event in enumerate(events[start : start + BATCH])
            ]
            with calling("sqs"):
                answer = self._sqs.send_message_batch(QueueUrl=self._url, Entries=entries)
            if answer.get("Failed"):
                raise ServiceBusyError("sqs did not take every event; send the same request again, it is safe")


class MessagesQueue:
    """Implements the port Outbox."""

    def __init__(self, sqs: Any, url: str) -> None:
        self._sqs = sqs
        self._url = url

    def put(self, message: Message) -> None:
        with calling("sqs"):
            self._sqs.send_message(QueueUrl=self._url, MessageBody=to_json(message_to_wire(message)))


class DeadLetterQueue:
    """Implements the port DeadLetters: the body as it came, with the reason as a message attribute."""

    def __init__(self, sqs: Any, url: str) -> None:
        self._sqs = sqs
        self._url = url

    def park(self, body: str, reason: str, group: str = "") -> None:
        fifo = {"MessageGroupId": group, "MessageDeduplicationId": short_hash(body, length=26)} if group else {}
        attribute = {"DataType": "String", "StringValue": reason[:MAX_ATTRIBUTE] or "unknown"}
        with calling("sqs"):
            self._sqs.send_message(
                QueueUrl=self._url,
                MessageBody=body,
                MessageAttributes={"reason": attribute},
                **fifo,
            )


def group_of(event: Event) -> str:
    """The message group: the customer as this event names it. Hashed, because queues show group ids in the clear."""
    return event.customer_id or short_hash(event.identifiers[0].key if event.identifiers else event.key, length=26)


def wake_body(customer_id: str, enrollment_id: str, sequence: int) -> str:
    """What a timer brings back, on the wakes queue."""
    wake = {"customer": customer_id, "enrollment": enrollment_id, "sequence": sequence}
    return to_json(wake)


def parked_effect(dead_letters: DeadLetterQueue) -> Callable[[str, Effect | Mapping[str, Any], Exception], None]:
    """Keeps what can never be carried out, whole, so that it can be redriven once its cause is mended."""

    def park(customer_id: str, what: Effect | Mapping[str, Any], error: Exception) -> None:
        kept = {"change": what} if isinstance(what, Mapping) else {"effect": effect_to_wire(what)}
        why = f": {error}" if isinstance(error, CairnError) else ""
        dead_letters.park(to_json({"customer": customer_id, **kept}), type(error).__name__ + why)

    return park
