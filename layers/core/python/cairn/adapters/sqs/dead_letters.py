"""Dead letters: counted with their reasons, shown, and redriven.

StartMessageMoveTask of SQS is no help: it moves a whole queue and knows no reasons, and a FIFO queue drops a message
that comes back within five minutes.
"""

import json
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from cairn.adapters.aws import calling
from cairn.adapters.s3 import pointer_of
from cairn.adapters.sqs.dead_letter_masks import decoded, masked
from cairn.domain.operations.dead_letters import QUEUES
from cairn.domain.shared.channels import Purpose
from cairn.domain.shared.errors import CairnError, DeadLettersError
from cairn.domain.shared.hashing import short_hash

if TYPE_CHECKING:
    from cairn.adapters.dynamodb.redrive import RedriveEffects

Json = dict[str, Any]

NAMES = QUEUES

MESSAGES, EFFECTS, STREAM = "messages", "effects", "stream"

MARKETING = "marketing"
"""The second queue of messages; both share one dead-letter queue."""

VISIBILITY_SECONDS = 120
"""How long a received dead letter is invisible; it reappears by itself if this process dies."""

BATCH_SIZE = 10
"""Messages of one ReceiveMessage (SQS quota)."""

WAIT_SECONDS = 1

MAX_READ = 1_000
"""Dead outcomes of one queue that are read to count their reasons. The total comes from SQS and is always complete."""

NO_REASON = "no function gave a reason: delivered too often, or never"
"""For messages that SQS, Scheduler or SNS dead-lettered themselves, without a code."""

UNSTAGED = "dead-lettered by AWS itself"
"""The stage of a dead letter that none of our functions has written."""

REASONS = ("reason", "ERROR_CODE", "ErrorCode")
"""The message attributes in which our functions, EventBridge Scheduler and SNS say why."""

ABOUT = ("stage", "field")
"""The message attributes in which our functions say more."""

STREAM_HELP = """\
Positions of the table's stream that Lambda handed to relay_effects for 23 hours in vain; a letter names them, and the
stream keeps what stands there for 24 hours from its arrival. Mend the cause (the log of relay_effects says which), then
redrive at once: the records are read anew, and what they decided is relayed. Later, nothing is left to redrive, and
whoever is concerned waits for their next event."""


@dataclass(frozen=True, slots=True)
class DeadLetterQueue:
    """A dead-letter queue, and the queue that its messages came from."""

    url: str
    source_url: str = ""
    marketing_source_url: str = ""
    """The queue of its marketing messages, where that is another one."""

    def source_for(self, body: str) -> str:
        """The queue to send a dead letter back to: for a message, the one of its purpose.

        A deferred message is a pointer without a purpose and goes to the queue of transactional messages. That sends
        nothing earlier: the gate and the rate limit use the message's own purpose.
        """
        document = decoded(body) if self.marketing_source_url else None
        is_marketing = isinstance(document, dict) and document.get("purpose") == Purpose.MARKETING
        return self.marketing_source_url if is_marketing else self.source_url

    @property
    def fifo(self) -> bool:
        return self.url.endswith(".fifo")


@dataclass(frozen=True, slots=True)
class DeadLetter:
    id: str
    arrived_at: datetime
    reason: str
    body: str
    group: str
    receipt: str
    stage: str = ""
    """The function that wrote it, and what had started that."""
    field: str = ""
    """The field that the reason names."""


@dataclass(frozen=True, slots=True)
class Which:
    """The dead outcomes to send back."""

    reason: str
    """Part of their reason."""
    id: str
    """Of the one; empty: whichever."""

    def matches(self, dead_letter: DeadLetter) -> bool:
        return self.id in {"", dead_letter.id} and self.reason.casefold() in dead_letter.reason.casefold()


def make_visible(sqs: Any, url: str, receipts: list[str]) -> None:
    """Make received dead outcomes visible to every consumer again."""
    for start in range(0, len(receipts), BATCH_SIZE):
        entries = [
            {"Id": str(number), "ReceiptHandle": receipt, "VisibilityTimeout": 0}
            for number, receipt in enumerate(receipts[start : start + BATCH_SIZE])
        ]
        sqs.change_message_visibility_batch(QueueUrl=url, Entries=entries)


@dataclass(frozen=True, slots=True)
class DeadLetters:
    """Implements the port DeadLetters with clients of AWS."""

    sqs: Any
    queues: Mapping[str, DeadLetterQueue]
    effects: "RedriveEffects"
    position: Callable[[Json], list[str]]
    """Redrives what stands at a position of the table's stream: what of it was left out, and why."""
    wait_seconds: int
    """Long polling asks all servers of SQS; 0 asks some of them."""
    fetch: Callable[[str], bytes] | None = None
    """Reads a body that was too large for its queue, by the key in the dead letter."""
    most_read: int = MAX_READ
    """Of one queue, to count their reasons."""
    most_tried: int | None = None
    """Of one queue, among which a redrive looks for those that match; None: all."""

    def check(self, queue: str) -> None:
        """Raises DeadLettersError where there is no such queue."""
        self._queue(queue)

    def summary(self) -> list[Json]:
        return [self._summary_of(name, source) for name, source in self.queues.items()]

    def show(self, queue: str, limit: int, *, reveal: bool) -> Json:
        with self._received(self._queue(queue), limit) as received:
            shown = [self._view(queue, dead_letter, reveal=reveal) for dead_letter in received]
        return {"queue": queue, "letters": shown} | ({"what_to_do": STREAM_HELP} if queue == STREAM else {})

    def redrive(self, queue: str, reason: str, limit: int | None, id_: str = "") -> Json:
        which = Which(reason, id_)
        source = self._queue(queue)
        started = datetime.now(UTC)
        there = self._count(source)
        tried = there if self.most_tried is None else min(there, self.most_tried)
        outcomes: list[Json] = []
        with self._received(source, tried) as received:
            for dead_letter in received:
                # A dead letter that fails again comes back while we read: it is not redriven twice.
                if dead_letter.arrived_at > started or not which.matches(dead_letter):
                    continue
                try:
                    left_out = self._send_back(queue, source, dead_letter)
                except (CairnError, ValueError, KeyError) as error:
                    outcomes.append(
                        {"id": dead_letter.id, "redriven": False, "why": str(error) or type(error).__name__}
                    )
                    continue
                received.delete(dead_letter)
                outcomes.append({"id": dead_letter.id, "redriven": True, "left_out": left_out})
                if sum(one["redriven"] for one in outcomes) == limit:
                    break
        refused = [{"id": one["id"], "why": one["why"]} for one in outcomes if not one["redriven"]]
        return {
            "queue": queue,
            "redriven": len(outcomes) - len(refused),
            "refused": refused,
            "left": self._count(source),
            "letters": outcomes,
        }

    def _send_back(self, queue: str, source: DeadLetterQueue, dead_letter: DeadLetter) -> list[str]:
        """What of it was not sent back, and why. Raises where nothing of it was.

        The caller deletes it afterwards; after a crash in between it is sent twice and processed once.
        """
        if queue == EFFECTS:
            self.effects(json.loads(dead_letter.body), datetime.now(UTC))
            return []
        if queue == STREAM:
            return self.position(json.loads(dead_letter.body))
        # SQS would drop the old id as a duplicate; a second try of the same dead letter has the same new id.
        fresh = {"MessageDeduplicationId": short_hash("redrive", dead_letter.id, length=26)}
        fifo = {"MessageGroupId": dead_letter.group, **fresh} if source.fifo else {}
        with calling("sqs"):
            self.sqs.send_message(QueueUrl=source.source_for(dead_letter.body), MessageBody=dead_letter.body, **fifo)
        return []

    def _summary_of(self, name: str, source: DeadLetterQueue) -> Json:
        looked_at: list[DeadLetter] = []
        count = self._count(source)
        if count:
            with self._received(source, self.most_read) as received:
                looked_at = list(received)
        oldest = min((dead_letter.arrived_at for dead_letter in looked_at), default=None)
        return {
            "queue": name,
            "count": max(count, len(looked_at)),
            "oldest_seconds": None if oldest is None else _seconds_since(oldest),
            "reasons": dict(Counter(dead_letter.reason for dead_letter in looked_at).most_common()),
            "looked_at": len(looked_at),
        }

    def _view(self, queue: str, dead_letter: DeadLetter, *, reveal: bool) -> Json:
        return {
            "id": dead_letter.id,
            "stage": dead_letter.stage or f"{queue}: {UNSTAGED}",
            "reason": dead_letter.reason,
            **({"field": dead_letter.field} if dead_letter.field else {}),
            "command": f"cairn dlq redrive {queue} --id {dead_letter.id}",
            "age_seconds": _seconds_since(dead_letter.arrived_at),
            "body": self._full_body(dead_letter.body) if reveal else masked(decoded(dead_letter.body)),
        }

    def _full_body(self, body: str) -> Any:
        document = decoded(body)
        key = pointer_of(document)
        return document if key is None or self.fetch is None else decoded(self.fetch(key).decode(errors="replace"))

    def _queue(self, queue: str) -> DeadLetterQueue:
        if queue not in self.queues:
            raise DeadLettersError(f"no queue is called {queue!r}; there are {', '.join(self.queues)}")
        return self.queues[queue]

    def _count(self, source: DeadLetterQueue) -> int:
        names = ["ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible"]
        counts = self.sqs.get_queue_attributes(QueueUrl=source.url, AttributeNames=names)["Attributes"]
        return sum(int(counts[name]) for name in names)

    @contextmanager
    def _received(self, source: DeadLetterQueue, limit: int) -> Iterator["ReceivedDeadLetters"]:
        """At most `limit` dead outcomes; those not deleted become visible to others when the block ends."""
        received = ReceivedDeadLetters(self.sqs, source.url, limit, self.wait_seconds)
        try:
            yield received
        finally:
            make_visible(self.sqs, source.url, sorted(received.receipts))


@dataclass(slots=True)
class ReceivedDeadLetters:
    """Dead outcomes of one queue, invisible to every other consumer.

    A FIFO queue gives ten of one customer at a time: the next ones follow when these are deleted.
    """

    sqs: Any
    url: str
    limit: int
    wait_seconds: int
    receipts: set[str] = field(default_factory=set)

    def __iter__(self) -> Iterator[DeadLetter]:
        seen = 0
        while seen < self.limit:
            answer = self.sqs.receive_message(
                QueueUrl=self.url,
                MaxNumberOfMessages=min(BATCH_SIZE, self.limit - seen),
                VisibilityTimeout=VISIBILITY_SECONDS,
                WaitTimeSeconds=self.wait_seconds,
                MessageSystemAttributeNames=["SentTimestamp", "MessageGroupId"],
                MessageAttributeNames=[*REASONS, *ABOUT],
            )
            messages = answer.get("Messages", [])
            self.receipts |= {message["ReceiptHandle"] for message in messages}
            if not messages:
                return
            seen += len(messages)
            yield from map(_dead_letter, messages)

    def delete(self, dead_letter: DeadLetter) -> None:
        self.sqs.delete_message(QueueUrl=self.url, ReceiptHandle=dead_letter.receipt)
        self.receipts.discard(dead_letter.receipt)


def _dead_letter(message: Json) -> DeadLetter:
    attributes = message.get("MessageAttributes", {})
    reason = next((attributes[name]["StringValue"] for name in REASONS if name in attributes), NO_REASON)
    return DeadLetter(
        id=message["MessageId"],
        arrived_at=datetime.fromtimestamp(int(message["Attributes"]["SentTimestamp"]) / 1000, UTC),
        reason=reason,
        body=message["Body"],
        group=message["Attributes"].get("MessageGroupId", ""),
        receipt=message["ReceiptHandle"],
        **{name: attributes[name]["StringValue"] for name in ABOUT if name in attributes},
    )


def _seconds_since(instant: datetime) -> int:
    return max(int((datetime.now(UTC) - instant).total_seconds()), 0)
