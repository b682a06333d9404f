"""Dead outcomes: counted with their reasons, shown, and redriven.

StartMessageMoveTask of SQS is no help: it moves a whole queue and knows no reasons, and a FIFO queue drops a message
that comes back within five minutes.
"""

import json
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Protocol

from cairn.adapters.aws import calling
from cairn.adapters.s3 import pointer_of
from cairn.application.ports import Audit
from cairn.domain.measurement.facts import Stored
from cairn.domain.operations.actor import Actor
from cairn.domain.operations.audit import AuditEntry
from cairn.domain.shared.channels import Purpose
from cairn.domain.shared.errors import CairnError
from cairn.domain.shared.hashing import short_hash
from infra.local.dead_letter_masks import decoded, masked

if TYPE_CHECKING:
    from cairn.adapters.dynamodb.redrive import RedriveEffects, RedriveFacts

Json = dict[str, Any]

NAMES = ("events", "wakes", "messages", "notices", "feedback", "erasures", "effects", "stream")

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

SHOW, REDRIVE = "show_dead_letters", "redrive_dead_letters"
"""The actions in the audit."""

REASONS = ("reason", "ERROR_CODE", "ErrorCode")
"""The message attributes in which our functions, EventBridge Scheduler and SNS say why."""

ABOUT = ("stage", "field")
"""The message attributes in which our functions say more."""

STREAM_HELP = """\
Positions of the table's stream that Lambda handed to relay_effects for 23 hours in vain; a letter names them, and the
stream keeps what stands there for 24 hours from its arrival. Mend the cause (the log of relay_effects says which), then
redrive at once: the records are read anew, and what they decided is relayed. Later, nothing is left to redrive, and
whoever is concerned waits for their next event."""


class DeadLettersError(CairnError):
    """A dead-letter queue cannot be reached or does not exist; the message says what to do."""


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


class DeadLetterTool(Protocol):
    """Access to dead outcomes: of a deployment, or of a laptop's server."""

    def summary(self) -> list[Json]:
        """Each queue: `queue`, `count`, `oldest_seconds`, `reasons` by count, `looked_at`."""

    def show(self, queue: str, limit: int, *, reveal: bool) -> Json:
        """The dead outcomes of a queue: `id`, `reason`, `age_seconds`, `body`; for the stream also `what_to_do`."""

    def redrive(self, queue: str, reason: str, limit: int | None, id_: str = "") -> Json:
        """Send back what matches, or one by its id.

        Returns the numbers `redriven` and `left`, each `refused` one with the reason, and `outcomes`.

        Each of these says whether it was `redriven`; if not `why`, and if so what of it was `left_out`.
        """


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
    """Implements DeadLetterTool with clients of AWS."""

    sqs: Any
    queues: Mapping[str, DeadLetterQueue]
    effects: "RedriveEffects"
    facts: "RedriveFacts"
    streams: Any
    """The client of DynamoDB's streams."""
    fetch: Callable[[str], bytes]
    """Reads a body that was too large for its queue, by the key in the dead letter."""
    wait_seconds: int
    """Long polling asks all servers of SQS; 0 asks some of them."""

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
        outcomes: list[Json] = []
        with self._received(source, there) as received:
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
            given_up = json.loads(dead_letter.body)
            position = given_up["DDBStreamBatchInfo"]
            if self.facts.concerns(given_up):
                self.facts.at_position(self.streams, position)
                return []
            _, left_out = self.effects.at_position(self.streams, position)
            return left_out
        # SQS would drop the old id as a duplicate; a second try of the same dead letter has the same new id.
        fresh = {"MessageDeduplicationId": short_hash("redrive", dead_letter.id, length=26)}
        fifo = {"MessageGroupId": dead_letter.group, **fresh} if source.fifo else {}
        with calling("sqs"):
            self.sqs.send_message(QueueUrl=source.source_for(dead_letter.body), MessageBody=dead_letter.body, **fifo)
        return []

    def _summary_of(self, name: str, source: DeadLetterQueue) -> Json:
        with self._received(source, MAX_READ) as received:
            looked_at = list(received)
        oldest = min((dead_letter.arrived_at for dead_letter in looked_at), default=None)
        return {
            "queue": name,
            "count": max(self._count(source), len(looked_at)),
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
        return document if key is None else decoded(self.fetch(key).decode(errors="replace"))

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


@dataclass(frozen=True, slots=True)
class AuditedDeadLetters:
    """Implements DeadLetterTool: what is shown is in the audit before, and so is each order to redrive.

    Where the audit cannot be written, nothing is shown and nothing redriven: DeadLettersError says so.
    """

    dead_letters: DeadLetters
    audit: Audit
    actor: Actor

    def summary(self) -> list[Json]:
        """Numbers and reasons, which name nobody, so this is not audited."""
        return self.dead_letters.summary()

    def show(self, queue: str, limit: int, *, reveal: bool) -> Json:
        found = self.dead_letters.show(queue, limit, reveal=reveal)
        if found["letters"]:
            self._write(SHOW, queue, {"letters": [one["id"] for one in found["letters"]], "revealed": reveal})
        return found

    def redrive(self, queue: str, reason: str, limit: int | None, id_: str = "") -> Json:
        self.dead_letters.check(queue)
        one = {"id": id_} if id_ else {}
        self._write(REDRIVE, queue, {"with_reason": reason, "limit": limit, **one})
        return self.dead_letters.redrive(queue, reason, limit, id_)

    def _write(self, action: str, queue: str, detail: Json) -> None:
        from pynamodb.exceptions import PynamoDBException  # noqa: PLC0415  slow to import

        try:
            self.audit.write(AuditEntry(datetime.now(UTC), self.actor, action, f"queue:{queue}", "", detail))
        except (CairnError, PynamoDBException) as error:
            raise DeadLettersError(
                f"the audit cannot be written, so nothing is shown and nothing redriven: {error}"
            ) from error


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


def redrive_effects(sqs: Any, effects_queue_url: str) -> "RedriveEffects":
    """For the table that the models are bound to."""
    from cairn.adapters.dynamodb.present_customers import DynamoPresentCustomers  # noqa: PLC0415  slow to import
    from cairn.adapters.dynamodb.redrive import RedriveEffects  # noqa: PLC0415
    from cairn.adapters.dynamodb.timeline import DynamoTimeline  # noqa: PLC0415
    from cairn.adapters.sqs.effects_queue import EffectsQueue  # noqa: PLC0415
    from cairn.application.events.relay_effects import StillWanted  # noqa: PLC0415

    return RedriveEffects(EffectsQueue(sqs, effects_queue_url), StillWanted(DynamoPresentCustomers(), DynamoTimeline()))


def of_stack(name: str) -> AuditedDeadLetters:
    """The dead outcomes of a deployment, found by the outputs of its two stacks, with the environment's credentials.

    These name the actor of the audit, as AWS knows them.

    Raises DeadLettersError where there is no such stack.
    """
    from botocore.exceptions import BotoCoreError, ClientError  # noqa: PLC0415  slow to import

    from cairn.adapters import aws  # noqa: PLC0415
    from cairn.adapters.dynamodb import table  # noqa: PLC0415
    from cairn.adapters.dynamodb.audit import DynamoAudit  # noqa: PLC0415
    from cairn.adapters.dynamodb.redrive import RedriveFacts  # noqa: PLC0415
    from cairn.adapters.firehose import FactLog  # noqa: PLC0415
    from cairn.adapters.s3 import Overflow  # noqa: PLC0415

    try:
        cloudformation, sqs = aws.client("cloudformation"), aws.client("sqs")
        outputs = _stack_outputs(cloudformation, f"{name}-Data") | _stack_outputs(cloudformation, name)
    except (BotoCoreError, ClientError) as error:
        raise DeadLettersError(f"stack {name}: {error}. Is it this account's, and this region's?") from None
    if missing := [key for key in _required_outputs() if key not in outputs]:
        raise DeadLettersError(f"stack {name} does not put out {', '.join(missing)}: is it Cairn's, and up to date?")
    table.bind(outputs["TableName"], sqs.meta.region_name)
    overflow = Overflow(lambda: aws.client("s3"), outputs["OverflowBucket"])
    queues = {
        queue: DeadLetterQueue(
            outputs[f"{queue.title()}DeadLettersUrl"],
            outputs.get(f"{queue.title()}QueueUrl", ""),
            outputs["MarketingQueueUrl"] if queue == MESSAGES else "",
        )
        for queue in NAMES
    }
    effects = redrive_effects(sqs, outputs["EffectsQueueUrl"])
    stored = {Stored.LONG: outputs["FactsLongStream"], Stored.SHORT: outputs["FactsShortStream"]}
    facts = RedriveFacts(FactLog(aws.client("firehose"), stored), outputs["LogFactsArn"])
    streams = aws.client("dynamodbstreams")
    dead_letters = DeadLetters(sqs, queues, effects, facts, streams, overflow.fetch, WAIT_SECONDS)
    caller = aws.client("sts").get_caller_identity()
    actor = Actor.of_aws(arn=caller["Arn"], account=caller["Account"], user_id=caller["UserId"])
    return AuditedDeadLetters(dead_letters, DynamoAudit(), actor)


def _stack_outputs(cloudformation: Any, stack: str) -> dict[str, str]:
    (found,) = cloudformation.describe_stacks(StackName=stack)["Stacks"]
    return {one["OutputKey"]: one["OutputValue"] for one in found.get("Outputs", [])}


def _required_outputs() -> Iterator[str]:
    yield from (
        "TableName",
        "OverflowBucket",
        "MarketingQueueUrl",
        "FactsLongStream",
        "FactsShortStream",
        "LogFactsArn",
    )
    for queue in NAMES:
        yield f"{queue.title()}DeadLettersUrl"
        if queue != STREAM:
            yield f"{queue.title()}QueueUrl"


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
