"""Dead letters about somebody: found by what they say, and removed with the body that they point to."""

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

HELD = "ApproximateNumberOfMessagesNotVisible"

Letter = dict[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class DeadLetterEraser:
    """Implements the port Letters.

    Of a FIFO queue ten letters of a group are seen at a time. A group is one customer's: of the one who is erased more
    come into sight as these are removed, and of another one the rest need not be seen.
    """

    sqs: Any
    urls: Sequence[str]
    overflow: Overflow
    wait_seconds: int
    """For an answer of all of SQS's servers; a queue that does not wait asks some of them."""

    def remove(self, traces: Traces) -> int:
        return sum(self._remove_from(url, traces) for url in self.urls)

    def _remove_from(self, url: str, traces: Traces) -> int:
        if self._held_by_others(url):
            raise ServiceBusyError("somebody is looking at dead letters; what they hold cannot be seen now")
        removed, kept = 0, []
        try:
            for letter in self._letters(url):
                if self._remove_if_about(url, letter, traces):
                    removed += 1
                else:
                    kept.append(letter)
        finally:
            self._let_go(url, kept)
        return removed

    def _held_by_others(self, url: str) -> bool:
        with calling("sqs"):
            told = self.sqs.get_queue_attributes(QueueUrl=url, AttributeNames=[HELD])["Attributes"]
        return int(told[HELD]) > 0

    def _letters(self, url: str) -> Iterator[Letter]:
        """Every letter, out of everybody else's sight while it is looked at."""
        seen = 0
        while True:
            with calling("sqs"):
                answer = self.sqs.receive_message(
                    QueueUrl=url,
                    MaxNumberOfMessages=AT_ONCE,
                    VisibilityTimeout=int(DEAD_LETTER_READ_TIME.total_seconds()),
                    WaitTimeSeconds=self.wait_seconds,
                )
            letters = answer.get("Messages", [])
            seen += len(letters)
            yield from letters
            if not letters:
                return
            if seen > MAX_DEAD_LETTERS:
                raise ServiceBusyError(
                    f"more than {MAX_DEAD_LETTERS} dead letters in one queue: redrive or delete them"
                )

    def _remove_if_about(self, url: str, letter: Letter, traces: Traces) -> bool:
        key = pointer_of(embedded_document(letter["Body"]))
        body = self.overflow.fetch(key).decode(errors="replace") if key else letter["Body"]
        if body != EMPTY and not traces.in_document(embedded_document(body) or body):
            return False
        if key:
            self.overflow.empty(key)
        with calling("sqs"):
            self.sqs.delete_message(QueueUrl=url, ReceiptHandle=letter["ReceiptHandle"])
        return True

    def _let_go(self, url: str, letters: Sequence[Letter]) -> None:
        """Seen by others again at once; those of which SQS does not take it are, when their time is up."""
        for start in range(0, len(letters), AT_ONCE):
            entries = [
                {"Id": str(number), "ReceiptHandle": letter["ReceiptHandle"], "VisibilityTimeout": 0}
                for number, letter in enumerate(letters[start : start + AT_ONCE])
            ]
            with suppress(ServiceRefusedError), calling("sqs"):
                self.sqs.change_message_visibility_batch(QueueUrl=url, Entries=entries)
