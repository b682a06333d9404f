"""SQS: the queue of events, FIFO for each customer."""

import base64
import hashlib
from collections.abc import Sequence
from typing import Any

from cairn.adapters.aws import calling
from cairn.adapters.documents.json_text import to_json
from cairn.adapters.s3 import NoOverflow, Overflow
from cairn.adapters.sqs.batches import send_in_batches
from cairn.domain.event import Event, event_to_wire
from cairn.domain.identity.identity_key import QueueGroupKey
from cairn.domain.shared.hashing import base32, short_hash

MAX_PROBLEM = 1024
"""Characters of one problem."""

MAX_PROBLEMS = 20
"""Problems of one body that are stored; the first ones explain the others."""

UNREADABLE = "unreadable"
"""The only field of an envelope whose body could not be turned into an event."""


class EventsQueue:
    """Implements the port Inbox. A customer's events form one message group, so they are handled one by one.

    Without a key, an event that names its customer forms a group of its own.
    """

    def __init__(self, sqs: Any, url: str, overflow: Overflow | NoOverflow, key: QueueGroupKey | None = None) -> None:
        self._sqs = sqs
        self._url = url
        self._overflow = overflow
        self._key = key

    def put(self, events: Sequence[Event]) -> None:
        entries = (
            {
                "Id": str(number),
                "MessageBody": self._overflow.offload(to_json(event_to_wire(event)), event.key),
                "MessageGroupId": message_group(event, self._key),
                "MessageDeduplicationId": event.key,
            }
            for number, event in enumerate(events)
        )
        refused = "sqs did not take every event; send the same request again, it is safe"
        send_in_batches(self._sqs, self._url, entries, refused)

    def put_unreadable(self, source: str, body: bytes, problems: Sequence[str]) -> None:
        shown = [problem[:MAX_PROBLEM] for problem in problems[:MAX_PROBLEMS]]
        dedupe_id = short_hash(UNREADABLE, source, hashlib.sha256(body).hexdigest(), length=26)
        envelope = self._overflow.offload(
            to_json({UNREADABLE: {"source": source, "problems": shown, **_as_text(body)}}), dedupe_id
        )
        with calling("sqs"):
            self._sqs.send_message(
                QueueUrl=self._url,
                MessageBody=envelope,
                MessageGroupId=dedupe_id,  # a group of its own: SQS shows only ten dead letters of a group at a time
                MessageDeduplicationId=dedupe_id,
            )


def _as_text(body: bytes) -> dict[str, str]:
    try:
        return {"body": body.decode()}
    except UnicodeDecodeError:
        return {"body": base64.b64encode(body).decode(), "encoding": "base64"}


def message_group(event: Event, key: QueueGroupKey | None) -> str:
    """The message group: the customer as this event names it. Hashed: queues show group ids in the clear."""
    if key is None:
        return event.customer_id or event.key
    about = "/".join((event.source, *(one.value for one in event.references[:1])))
    name = event.identifiers[0].key if event.identifiers else about if event.references else event.key
    return event.customer_id or base32(key.mac(name), 26)
