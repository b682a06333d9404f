"""SQS: the inbox of events (FIFO per customer), and dead letters."""

import base64
import hashlib
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from cairn.adapters.aws import calling
from cairn.adapters.documents.json_text import to_json
from cairn.adapters.s3 import NoOverflow, Overflow
from cairn.domain.event import Event, event_to_wire
from cairn.domain.shared.errors import ServiceBusyError
from cairn.domain.shared.hashing import short_hash

BATCH = 10
"""Entries of one SendMessageBatch (SQS quota)."""

MAX_BATCH_BYTES = 256 * 1024
"""All bodies of one SendMessageBatch together (SQS quota; 1 MiB since 2025 where that is confirmed)."""

MAX_ATTRIBUTE = 1024

FIFO = ".fifo"
"""How the name of a queue ends that keeps order."""

MAX_PROBLEMS = 20
"""Problems of one body that are told; the first ones explain the others."""

UNREADABLE = "unreadable"
"""The one field of an envelope on the events queue that holds no event, but a body that none could be made of."""


class EventsQueue:
    """Implements the port Inbox. A customer's events form one message group, so they are handled one by one."""

    def __init__(self, sqs: Any, url: str, overflow: Overflow | NoOverflow) -> None:
        self._sqs = sqs
        self._url = url
        self._overflow = overflow

    def put(self, events: Sequence[Event]) -> None:
        entries = (
            {
                "Id": str(number),
                "MessageBody": self._overflow.offload(to_json(event_to_wire(event))),
                "MessageGroupId": message_group(event),
                "MessageDeduplicationId": event.key,
            }
            for number, event in enumerate(events)
        )
        for batch in batches(entries):
            with calling("sqs"):
                answer = self._sqs.send_message_batch(QueueUrl=self._url, Entries=batch)
            if answer.get("Failed"):
                raise ServiceBusyError("sqs did not take every event; send the same request again, it is safe")

    def put_unreadable(self, source: str, body: bytes, problems: Sequence[str]) -> None:
        told = [problem[:MAX_ATTRIBUTE] for problem in problems[:MAX_PROBLEMS]]
        once = short_hash(UNREADABLE, source, hashlib.sha256(body).hexdigest(), length=26)
        envelope = self._overflow.offload(to_json({UNREADABLE: {"source": source, "problems": told, **_as_text(body)}}))
        with calling("sqs"):
            self._sqs.send_message(
                QueueUrl=self._url,
                MessageBody=envelope,
                MessageGroupId=once,  # its own: of a dead-letter queue ten of a group are seen at a time
                MessageDeduplicationId=once,
            )


class DeadLetterQueue:
    """Dead letters: the body as it came, with the reason as a message attribute."""

    def __init__(self, sqs: Any, url: str) -> None:
        self._sqs = sqs
        self._url = url

    def add(self, body: str, reason: str, group: str = "", delivery: str = "") -> None:
        """A FIFO queue is told apart what came by different messages, as SQS does when it parks by itself.

        What is redriven and fails again within five minutes would else be taken for what was parked before, and lost.
        A queue without an order may be fair among groups; its dead letters need none.
        """
        once = {"MessageDeduplicationId": short_hash(delivery, body, length=26)}
        fifo = {"MessageGroupId": group, **once} if group and self._url.endswith(FIFO) else {}
        attribute = {"DataType": "String", "StringValue": reason[:MAX_ATTRIBUTE] or "unknown"}
        with calling("sqs"):
            self._sqs.send_message(
                QueueUrl=self._url,
                MessageBody=body,
                MessageAttributes={"reason": attribute},
                **fifo,
            )


def batches(entries: Iterable[dict[str, str]]) -> Iterator[list[dict[str, str]]]:
    """In their order, as many at a time as SQS takes: ten, and no more bytes than one batch holds."""
    batch: list[dict[str, str]] = []
    room = MAX_BATCH_BYTES
    for entry in entries:
        size = len(entry["MessageBody"].encode())
        if len(batch) == BATCH or (batch and size > room):
            yield batch
            batch, room = [], MAX_BATCH_BYTES
        batch.append(entry)
        room -= size
    if batch:
        yield batch


def _as_text(body: bytes) -> dict[str, str]:
    try:
        return {"body": body.decode()}
    except UnicodeDecodeError:
        return {"body": base64.b64encode(body).decode(), "encoding": "base64"}


def message_group(event: Event) -> str:
    """The message group: the customer as this event names it. Hashed, because queues show group ids in the clear."""
    return event.customer_id or short_hash(event.identifiers[0].key if event.identifiers else event.key, length=26)
