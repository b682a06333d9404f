"""Dead letters about a customer: found by their content, and removed with the body that they point to."""

from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from cairn.adapters.aws import calling
from cairn.adapters.s3 import EMPTY, Overflow, pointer_of
from cairn.domain.privacy.traces import Traces, embedded_document
from cairn.domain.shared.errors import ServiceBusyError, ServiceRefusedError
from cairn.settings import DEAD_LETTER_READ_TIME, MAX_DEAD_LETTERS

AT_ONCE = 10
"""Messages of one ReceiveMessage (SQS quota)."""

IN_FLIGHT = "ApproximateNumberOfMessagesNotVisible"

DeadLetter = dict[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class DeadLetterEraser:
    """Implements the port DeadLetters.

    SQS shows ten dead letters of a FIFO group at a time, and a group belongs to one customer. Removing the dead letters
    of the erased customer reveals the next ones; those of other customers need not be seen.
    """

    sqs: Any
    urls: Sequence[str]
    overflow: Overflow
    wait_seconds: int
    """Waiting makes SQS ask all of its servers; without it, SQS asks some of them."""

    def remove(self, traces: Traces) -> int:
        return sum(self._remove_from(url, traces) for url in self.urls)

    def _remove_from(self, url: str, traces: Traces) -> int:
        if self._is_read_by_others(url):
            raise ServiceBusyError("somebody is looking at dead letters; what they hold cannot be seen now")
        removed, others = 0, []
        try:
            for dead_letter in self._dead_letters(url):
                if self._remove_if_about(url, dead_letter, traces):
                    removed += 1
                else:
                    others.append(dead_letter)
        finally:
            self._release(url, others)
        return removed

    def _is_read_by_others(self, url: str) -> bool:
        with calling("sqs"):
            attributes = self.sqs.get_queue_attributes(QueueUrl=url, AttributeNames=[IN_FLIGHT])["Attributes"]
        return int(attributes[IN_FLIGHT]) > 0

    def _dead_letters(self, url: str) -> Iterator[DeadLetter]:
        """Every dead letter, invisible to other readers while it is checked."""
        seen = 0
        while True:
            with calling("sqs"):
                answer = self.sqs.receive_message(
                    QueueUrl=url,
                    MaxNumberOfMessages=AT_ONCE,
                    VisibilityTimeout=int(DEAD_LETTER_READ_TIME.total_seconds()),
                    WaitTimeSeconds=self.wait_seconds,
                )
            found = answer.get("Messages", [])
            seen += len(found)
            yield from found
            if not found:
                return
            if seen > MAX_DEAD_LETTERS:
                raise ServiceBusyError(
                    f"more than {MAX_DEAD_LETTERS} dead letters in one queue: redrive or delete them"
                )

    def _remove_if_about(self, url: str, dead_letter: DeadLetter, traces: Traces) -> bool:
        key = pointer_of(embedded_document(dead_letter["Body"]))
        body = self.overflow.fetch(key).decode(errors="replace") if key else dead_letter["Body"]
        if body != EMPTY and not traces.in_document(embedded_document(body) or body):
            return False
        if key:
            self.overflow.empty(key)
        with calling("sqs"):
            self.sqs.delete_message(QueueUrl=url, ReceiptHandle=dead_letter["ReceiptHandle"])
        return True

    def _release(self, url: str, dead_letters: Sequence[DeadLetter]) -> None:
        """Make dead letters visible again at once; where SQS refuses, they become visible after their timeout."""
        for start in range(0, len(dead_letters), AT_ONCE):
            entries = [
                {"Id": str(number), "ReceiptHandle": dead_letter["ReceiptHandle"], "VisibilityTimeout": 0}
                for number, dead_letter in enumerate(dead_letters[start : start + AT_ONCE])
            ]
            with suppress(ServiceRefusedError), calling("sqs"):
                self.sqs.change_message_visibility_batch(QueueUrl=url, Entries=entries)
