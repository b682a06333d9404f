"""Dead letters: how many lie where and why, what they say, and the way back for them.

Written by hand since SQS's own way back (StartMessageMoveTask) moves all of a queue or nothing, knows no reasons, and
keeps a FIFO message from running twice in five minutes.
"""

import json
import re
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import partial
from typing import Any, Protocol
from urllib.error import HTTPError, URLError
from urllib.parse import urlencode
from urllib.request import Request, urlopen

from cairn.adapters.aws import calling
from cairn.adapters.s3 import pointer_of
from cairn.domain.shared.channels import Purpose
from cairn.domain.shared.errors import CairnError
from cairn.domain.shared.hashing import short_hash

Json = dict[str, Any]

NAMES = ("events", "wakes", "messages", "notices", "feedback", "erasures", "effects", "stream")

MESSAGES, EFFECTS, STREAM = "messages", "effects", "stream"

MARKETING = "marketing"
"""The other lane of messages; its dead letters lie among theirs."""

VISIBILITY_SECONDS = 120
"""How long a letter that is being looked at is out of sight; it comes back by itself if this process dies."""

BATCH_SIZE = 10
"""Messages of one ReceiveMessage (SQS quota)."""

WAIT_SECONDS = 1

MAX_READ = 1_000
"""Letters of one queue that are read to tell their reasons; their number is SQS's own and always whole."""

NO_REASON = "no function gave a reason: delivered too often, or never"
"""For what SQS, Scheduler or SNS parked by themselves, without a code."""

REASONS = ("reason", "ERROR_CODE", "ErrorCode")
"""The message attributes in which our functions, EventBridge Scheduler and SNS say why."""

STREAM_HELP = """\
Positions of the table's stream that Lambda handed to relay_effects for 23 hours in vain; a letter names them, and the
stream keeps what stands there for 24 hours from its arrival. Mend the cause (the log of relay_effects says which), then
redrive at once: the records are read anew, and what they decided is relayed. Later, nothing is left to redrive, and
whoever is concerned waits for their next event."""

MASK = "•••"

SAFE_FIELDS = frozenset(
    {"id", "type", "source", "occurred_at", "backfill", "cairn_id", "customer", "enrollment", "sequence", "do", "step"}
    | {"subscriber", "record", "attempt"}
    | {"journey", "version", "channels", "channel", "template", "purpose", "decided_at", "time_zone", "at", "message"}
    | {"status", "queue", "due_at", "merged", "s3", "problems", "encoding", "eventType", "notificationType"}
    | {"Type", "MessageId", "TopicArn", "Timestamp", "condition", "approximateInvokeCount", "functionArn"}
    | {"shardId", "startSequenceNumber", "endSequenceNumber", "batchSize", "streamArn"}
    | {"approximateArrivalOfFirstRecord", "approximateArrivalOfLastRecord"}
)
"""Fields that tell what a letter is about and nothing about a person."""

SAFE_OBJECTS = frozenset({"effect", "unreadable", "Message", "mail", "tags", "DDBStreamBatchInfo", "requestContext"})
"""Objects whose own fields may be telling; all others are masked through and through."""

PERSONAL = re.compile(r"\S+@\S+|\+\d{7,}")


class DeadLettersError(CairnError):
    """A dead-letter queue cannot be reached, or is none; the message says what to do."""


@dataclass(frozen=True, slots=True)
class DeadLetterQueue:
    """A dead-letter queue, and the queue that its letters came from."""

    url: str
    source_url: str = ""
    marketing_source_url: str = ""
    """Where its letters of marketing came from, if not from there."""

    def source_for(self, body: str) -> str:
        """The queue for a letter to go back to: a message to the lane of its purpose.

        One that was held is a pointer without a purpose. It goes back to the lane of transactional messages: few are
        ever parked, and nothing is sent faster for it, as the gate and the pace go by the message's own purpose.
        """
        document = _read(body) if self.marketing_source_url else None
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


class DeadLetterTool(Protocol):
    """Where dead letters are asked for: a deployment, or a laptop's server."""

    def summary(self) -> list[Json]:
        """Each queue: `queue`, `count`, `oldest_seconds`, `reasons` by count, `looked_at`."""

    def show(self, queue: str, limit: int, *, reveal: bool) -> Json:
        """`letters` of a queue (`id`, `reason`, `age_seconds`, `body`), and what to do where that is special."""

    def redrive(self, queue: str, reason: str, limit: int | None) -> Json:
        """Send back what matches: how many were `redriven`, how many are `left`, and what was `refused`, and why."""


def make_visible(sqs: Any, url: str, receipts: list[str]) -> None:
    """Put letters back into everybody's sight."""
    for start in range(0, len(receipts), BATCH_SIZE):
        entries = [
            {"Id": str(number), "ReceiptHandle": receipt, "VisibilityTimeout": 0}
            for number, receipt in enumerate(receipts[start : start + BATCH_SIZE])
        ]
        sqs.change_message_visibility_batch(QueueUrl=url, Entries=entries)


@dataclass(frozen=True, slots=True)
class DeadLetters:
    """Implements Desk with clients of AWS."""

    sqs: Any
    queues: Mapping[str, DeadLetterQueue]
    put_back: Callable[[Json, datetime], int]
    """Has a parked effect relayed again. Raises CairnError."""
    changes_at: Callable[[Json], Iterable[Json]]
    """What stands at a position of the stream, each fit to be put back. Raises CairnError."""
    fetch: Callable[[str], bytes]
    """A body that was too large for its queue, by the key that the letter names."""
    wait_seconds: int
    """For an answer of all of SQS's servers; one that does not wait asks some of them."""
    make_visible: Callable[[Any, str, list[str]], None] = make_visible

    def summary(self) -> list[Json]:
        return [self._summary_of(name, place) for name, place in self.queues.items()]

    def show(self, queue: str, limit: int, *, reveal: bool) -> Json:
        with self._received(self._queue(queue), limit) as letters:
            shown = [self._view(letter, reveal=reveal) for letter in letters]
        return {"queue": queue, "letters": shown} | ({"what_to_do": STREAM_HELP} if queue == STREAM else {})

    def redrive(self, queue: str, reason: str, limit: int | None) -> Json:
        place = self._queue(queue)
        started = datetime.now(UTC)
        there = self._count(place)
        redriven, refused = 0, []
        with self._received(place, there) as letters:
            for letter in letters:
                # What fails again is parked again while we look: it is not taken twice.
                if letter.arrived_at > started or reason.casefold() not in letter.reason.casefold():
                    continue
                try:
                    self._send_back(queue, place, letter)
                except (CairnError, ValueError, KeyError) as error:
                    refused.append({"id": letter.id, "why": str(error) or type(error).__name__})
                    continue
                letters.delete(letter)
                redriven += 1
                if redriven == limit:
                    break
        return {"queue": queue, "redriven": redriven, "refused": refused, "left": self._count(place)}

    def _send_back(self, queue: str, place: DeadLetterQueue, letter: DeadLetter) -> None:
        """Only what was sent is deleted; after a crash in between, it is sent twice and done once."""
        now = datetime.now(UTC)
        if queue == EFFECTS:
            self.put_back(json.loads(letter.body), now)
            return
        if queue == STREAM:
            for change in self.changes_at(json.loads(letter.body)["DDBStreamBatchInfo"]):
                self.put_back(change, now)
            return
        # A new id, or the queue takes it for what it has seen; the same one if this is a second try at the same letter.
        fresh = {"MessageDeduplicationId": short_hash("redrive", letter.id, length=26)}
        fifo = {"MessageGroupId": letter.group, **fresh} if place.fifo else {}
        with calling("sqs"):
            self.sqs.send_message(QueueUrl=place.source_for(letter.body), MessageBody=letter.body, **fifo)

    def _summary_of(self, name: str, place: DeadLetterQueue) -> Json:
        with self._received(place, MAX_READ) as letters:
            looked_at = list(letters)
        oldest = min((letter.arrived_at for letter in looked_at), default=None)
        return {
            "queue": name,
            "count": max(self._count(place), len(looked_at)),
            "oldest_seconds": None if oldest is None else _seconds_since(oldest),
            "reasons": dict(Counter(letter.reason for letter in looked_at).most_common()),
            "looked_at": len(looked_at),
        }

    def _view(self, letter: DeadLetter, *, reveal: bool) -> Json:
        return {
            "id": letter.id,
            "reason": letter.reason,
            "age_seconds": _seconds_since(letter.arrived_at),
            "body": self._full_body(letter.body) if reveal else masked(_read(letter.body)),
        }

    def _full_body(self, body: str) -> Any:
        document = _read(body)
        key = pointer_of(document)
        return document if key is None else _read(self.fetch(key).decode(errors="replace"))

    def _queue(self, queue: str) -> DeadLetterQueue:
        if queue not in self.queues:
            raise DeadLettersError(f"no queue is called {queue!r}; there are {', '.join(self.queues)}")
        return self.queues[queue]

    def _count(self, place: DeadLetterQueue) -> int:
        names = ["ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible"]
        told = self.sqs.get_queue_attributes(QueueUrl=place.url, AttributeNames=names)["Attributes"]
        return sum(int(told[name]) for name in names)

    @contextmanager
    def _received(self, place: DeadLetterQueue, most: int) -> Iterator["ReceivedDeadLetters"]:
        """At most so many letters; those that are not deleted are seen by others again when the block ends."""
        letters = ReceivedDeadLetters(self.sqs, place.url, most, self.wait_seconds)
        try:
            yield letters
        finally:
            self.make_visible(self.sqs, place.url, sorted(letters.receipts))


@dataclass(slots=True)
class ReceivedDeadLetters:
    """Letters of one queue, out of everybody else's sight.

    Of a FIFO queue ten letters of one customer are seen at a time: the next ones wait until these are gone.
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
                MessageAttributeNames=list(REASONS),
            )
            messages = answer.get("Messages", [])
            self.receipts |= {message["ReceiptHandle"] for message in messages}
            if not messages:
                return
            seen += len(messages)
            yield from map(_dead_letter, messages)

    def delete(self, letter: DeadLetter) -> None:
        self.sqs.delete_message(QueueUrl=self.url, ReceiptHandle=letter.receipt)
        self.receipts.discard(letter.receipt)


@dataclass(frozen=True, slots=True)
class LocalServer:
    """Implements Desk through the routes of `cairn serve`."""

    url: str

    def summary(self) -> list[Json]:
        found: list[Json] = self._asked("/_dlq")["queues"]
        return found

    def show(self, queue: str, limit: int, *, reveal: bool) -> Json:
        return self._asked(f"/_dlq/{queue}?" + urlencode({"limit": limit, "reveal": int(reveal)}))

    def redrive(self, queue: str, reason: str, limit: int | None) -> Json:
        return self._asked(f"/_dlq/{queue}/redrive", {"reason": reason, "limit": limit})

    def _asked(self, path: str, document: Json | None = None) -> Json:
        if not self.url.startswith(("http://", "https://")):
            raise DeadLettersError("--to is a URL that begins with http:// or https://")
        body = None if document is None else json.dumps(document).encode()
        try:
            with urlopen(Request(self.url.rstrip("/") + path, body), timeout=60) as answer:  # noqa: S310  checked above
                found: Json = json.load(answer)
                return found
        except HTTPError as error:
            raise DeadLettersError(_detail(error)) from None
        except URLError as error:
            reason = f"{self.url} cannot be reached: {error.reason}"
            raise DeadLettersError(f"{reason}. Is `make serve` running? A deployment is named by --stack") from None


def of_stack(name: str) -> DeadLetters:
    """The desk of a deployment, from what its two stacks put out. Credentials and region are the environment's.

    Raises DeadLettersError where there is no such stack.
    """
    from botocore.exceptions import BotoCoreError, ClientError  # noqa: PLC0415  slow to import

    from cairn.adapters import aws  # noqa: PLC0415
    from cairn.adapters.dynamodb import table  # noqa: PLC0415
    from cairn.adapters.dynamodb.redrive import dead_letters_at, relay_again  # noqa: PLC0415
    from cairn.adapters.s3 import Overflow  # noqa: PLC0415

    try:
        cloudformation, sqs = aws.client("cloudformation"), aws.client("sqs")
        told = _stack_outputs(cloudformation, f"{name}-Data") | _stack_outputs(cloudformation, name)
    except (BotoCoreError, ClientError) as error:
        raise DeadLettersError(f"stack {name}: {error}. Is it this account's, and this region's?") from None
    if missing := [key for key in _required_outputs() if key not in told]:
        raise DeadLettersError(f"stack {name} does not put out {', '.join(missing)}: is it Cairn's, and up to date?")
    table.bind(told["TableName"], sqs.meta.region_name)
    overflow = Overflow(lambda: aws.client("s3"), told["OverflowBucket"])
    changes = partial(dead_letters_at, aws.client("dynamodbstreams"))
    places = {
        queue: DeadLetterQueue(
            told[f"{queue.title()}DeadLettersUrl"],
            told.get(f"{queue.title()}QueueUrl", ""),
            told["MarketingQueueUrl"] if queue == MESSAGES else "",
        )
        for queue in NAMES
    }
    return DeadLetters(sqs, places, relay_again, changes, overflow.fetch, WAIT_SECONDS)


def _stack_outputs(cloudformation: Any, stack: str) -> dict[str, str]:
    (found,) = cloudformation.describe_stacks(StackName=stack)["Stacks"]
    return {one["OutputKey"]: one["OutputValue"] for one in found.get("Outputs", [])}


def _required_outputs() -> Iterator[str]:
    yield from ("TableName", "OverflowBucket", "MarketingQueueUrl")
    for queue in NAMES:
        yield f"{queue.title()}DeadLettersUrl"
        if queue not in {EFFECTS, STREAM}:
            yield f"{queue.title()}QueueUrl"


def masked(document: Any) -> Any:
    """A letter's document with nothing personal in it: every value that is not known to be telling is hidden."""
    if isinstance(document, dict):
        return {name: _masked(name, value) for name, value in document.items()}
    return [masked(one) for one in document] if isinstance(document, list) else MASK


def _masked(name: str, value: Any) -> Any:
    if name in SAFE_OBJECTS:
        inner = _read(value) if isinstance(value, str) else value
        return masked(inner)
    if name in SAFE_FIELDS and not isinstance(value, dict):
        values = value if isinstance(value, list) else [value]
        told = [PERSONAL.sub(MASK, one) if isinstance(one, str) else one for one in values if not isinstance(one, dict)]
        return told if isinstance(value, list) else told[0]
    return _hidden(value)


def _hidden(value: Any) -> Any:
    """Nothing but its shape."""
    if isinstance(value, dict):
        return {name: _hidden(one) for name, one in value.items()}
    return [_hidden(one) for one in value] if isinstance(value, list) else MASK


def _dead_letter(message: Json) -> DeadLetter:
    told = message.get("MessageAttributes", {})
    reason = next((told[name]["StringValue"] for name in REASONS if name in told), NO_REASON)
    return DeadLetter(
        id=message["MessageId"],
        arrived_at=datetime.fromtimestamp(int(message["Attributes"]["SentTimestamp"]) / 1000, UTC),
        reason=reason,
        body=message["Body"],
        group=message["Attributes"].get("MessageGroupId", ""),
        receipt=message["ReceiptHandle"],
    )


def _read(body: str) -> Any:
    try:
        return json.loads(body)
    except ValueError:
        return body


def _seconds_since(instant: datetime) -> int:
    return max(int((datetime.now(UTC) - instant).total_seconds()), 0)


def _detail(error: HTTPError) -> str:
    try:
        return str(json.load(error)["detail"])
    except (ValueError, KeyError, TypeError):
        return f"{error.url} answered {error.code}: only `cairn serve` has this route. A deployment is named by --stack"
