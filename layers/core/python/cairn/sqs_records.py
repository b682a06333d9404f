"""The SQS records of one invocation: each for itself, in order for each customer, within the function's time.

The failure policy of every queue is here. What time may mend (adapters/aws.is_transient) is waited out: the message is
delivered again after a pause that grows, for PATIENCE from when it was sent. Everything else becomes a dead letter at
once, alone, with its reason, and the records behind it go on.
"""

import random
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any, Protocol

from aws_lambda_powertools.utilities.data_classes.sqs_event import SQSRecord

from cairn.adapters.aws import is_transient
from cairn.adapters.backoff import at_most
from cairn.adapters.sqs.dead_letter_queue import DeadLetterQueue, Reason
from cairn.domain.shared.errors import CairnError, ErasedCustomerError
from cairn.settings import PATIENCE, RECORD_TIME
from cairn.telemetry import DEAD_LETTERED, WAITING, count, logger, measure, where

FIRST_WAIT = timedelta(seconds=10)
"""Before the second attempt, at most. A short trouble costs seconds."""

LONGEST_WAIT = timedelta(minutes=15)
"""Before any attempt, at most. A wait is never under half of it: 1,000 deliveries (MAX_RECEIVES) last for PATIENCE, in
which there are 896 of 11.25 minutes on average. AWS's full jitter, from zero on, would need 1,350.
"""

WORD = re.compile(r"\S+")
NUMBER = re.compile(r"\+?(?:\d[ ().-]*){9,}")
NAME_AND_AT = re.compile(r"[^\s:;,]@\S")
ENDS_A_NAME = ":;,"

MASK = "•••"

Response = dict[str, list[dict[str, str]]]


class PutOff(Protocol):
    def __call__(self, queue_arn: str, waits: Mapping[str, int]) -> None:
        """Deliver messages again after so many seconds, by receipt handle."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Consumer:
    """A function as the consumer of one queue."""

    function: str
    queue: str
    """The queue's name in metrics, logs and `cairn dlq`."""
    dead_letters: DeadLetterQueue
    put_off: PutOff
    time_for_one: timedelta = RECORD_TIME

    def reason(self, error: BaseException) -> Reason:
        text = f"{type(error).__name__}: {error}" if isinstance(error, CairnError) else where(error)
        waited = f" (after {PATIENCE.days} days of attempts)" if is_transient(error) else ""
        return reason_of(without_personal_data(text) + waited, self.function, self.queue)


def reason_of(text: str, function: str, queue: str) -> Reason:
    return Reason(text, f"{function} of {queue}", f"cairn dlq redrive {queue}")


def without_personal_data(reason: str) -> str:
    """The reason without what may be an address or a number: it may quote a field of a document."""
    return NUMBER.sub(MASK, WORD.sub(_without_address, reason))


def _without_address(word: re.Match[str]) -> str:
    """Word by word: a pattern around the @ takes the square of a long word's length."""
    found = NAME_AND_AT.search(word[0])
    if found is None:
        return word[0]
    return word[0][: max(word[0].rfind(mark, 0, found.start()) for mark in ENDS_A_NAME) + 1] + MASK


def has_time(context: Any, needed: timedelta) -> bool:
    """Whether the invocation has this much time left. Without a context it has no end."""
    return context is None or context.get_remaining_time_in_millis() > needed / timedelta(milliseconds=1)


def consume(
    event: Mapping[str, Any], context: Any, handle: Callable[[SQSRecord], None], consumer: Consumer
) -> Response:
    """Handle the records of an invocation; returns those that SQS is to deliver again."""
    records = [SQSRecord(one) for one in event["Records"]]
    waiting, begun = _Waiting(consumer), False
    for record in records if _in_order(records) else _fresh_first(records):
        if waiting.is_behind(record):
            continue
        if not has_time(context, consumer.time_for_one):
            # Another invocation begins with it. Where this one could begin none, AWS is slow: that passes with time.
            waiting.add(record, 0 if begun else wait_before(attempts_of(record)))
            continue
        begun = True
        try:
            handle(record)
        except ErasedCustomerError:
            count("Erased", queue=consumer.queue)
            logger.info("record dropped, its customer was erased", queue=consumer.queue)
        except Exception as error:  # noqa: BLE001  one record harms no other
            if not _dead_letter(record, error, consumer):
                waiting.add(record, wait_before(attempts_of(record)))
    waiting.put_off()
    return {"batchItemFailures": [{"itemIdentifier": one.message_id} for one in waiting.records]}


@dataclass
class _Waiting:
    """The records that are delivered again."""

    consumer: Consumer
    records: list[SQSRecord] = field(default_factory=list)
    waits: dict[str, int] = field(default_factory=dict)
    groups: dict[str, int] = field(default_factory=dict)
    """Of a FIFO queue: the wait of the first record of each group that waits."""

    def is_behind(self, record: SQSRecord) -> bool:
        """Whether an earlier record of the same customer waits. Then this one waits as long, and behind it."""
        wait = self.groups.get(record.attributes.message_group_id or "")
        if wait is None:
            return False
        self.add(record, wait)
        return True

    def add(self, record: SQSRecord, seconds: int) -> None:
        self.records.append(record)
        self.waits[record.receipt_handle] = seconds
        group = record.attributes.message_group_id
        if group and _in_order([record]):
            self.groups.setdefault(group, seconds)

    def put_off(self) -> None:
        """Where SQS does not take the waits, the messages come again after the queue's visibility timeout."""
        if not self.records:
            return
        try:
            self.consumer.put_off(self.records[0].event_source_arn, self.waits)
        except Exception as error:  # noqa: BLE001  the messages wait in any case
            logger.warning("waits not set, the visibility timeout counts", error=where(error))


def wait_before(attempt: int) -> int:
    """Seconds before the next delivery, after this many: exponential, between half of the pause and the whole."""
    pause = at_most(attempt, FIRST_WAIT.total_seconds(), LONGEST_WAIT.total_seconds())
    return max(1, round(random.uniform(pause / 2, pause)))  # noqa: S311  no secret


def attempts_of(record: SQSRecord) -> int:
    return int(record.attributes.approximate_receive_count)


def age_of(record: SQSRecord) -> timedelta:
    """How long ago it was sent."""
    return datetime.now(UTC) - datetime.fromtimestamp(int(record.attributes.sent_timestamp) / 1000, UTC)


def _in_order(records: Sequence[SQSRecord]) -> bool:
    """Whether they are from a FIFO queue. A standard queue may have groups too, to be fair among them."""
    return bool(records) and records[0].event_source_arn.endswith(".fifo")


def _fresh_first(records: Sequence[SQSRecord]) -> list[SQSRecord]:
    """Those that were delivered least often: a record that kills the process kills no other one's work."""
    return sorted(records, key=attempts_of)


def _dead_letter(record: SQSRecord, error: Exception, consumer: Consumer) -> bool:
    """Whether the record has become a dead letter. False: it is to be delivered again."""
    queue = consumer.queue
    age = age_of(record)
    if is_transient(error) and age < PATIENCE:
        measure(WAITING, age)
        logger.warning(
            "record waits, and will be delivered again",
            queue=queue,
            waited_seconds=int(age.total_seconds()),
            error=type(error).__name__,
        )
        return False
    try:
        group = record.attributes.message_group_id or ""
        consumer.dead_letters.add(record.body, consumer.reason(error), group, record.message_id)
    except Exception as refused:  # noqa: BLE001  it stays in its queue instead
        measure(WAITING, age)
        logger.error(
            "dead letter not stored, the record stays in its queue",
            queue=queue,
            waited_seconds=int(age.total_seconds()),
            error=where(refused),
        )
        return False
    count(DEAD_LETTERED)
    logger.error("record parked in the dead-letter queue", queue=queue, error=type(error).__name__)
    return True
