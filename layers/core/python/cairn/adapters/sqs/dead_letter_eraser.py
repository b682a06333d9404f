"""Dead letters about a customer: found by their content, and removed with the body that they point to."""

from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any

from cairn.adapters.aws import calling
from cairn.adapters.s3 import EMPTY, MAX_POINTER, Overflow, pointer_of
from cairn.application.values.erasure import DeadLettersRemoved, UnreadDeadLetter
from cairn.domain.privacy.encodings import MAX_CHARACTERS, Budget, embedded_document
from cairn.domain.privacy.traces import Sighting, Traces
from cairn.domain.shared.errors import BodyTooLargeError, ServiceBusyError, ServiceRefusedError
from cairn.settings import DEAD_LETTER_READ_TIME, MAX_BODY_BYTES, MAX_DEAD_LETTERS

AT_ONCE = 10
"""Messages of one ReceiveMessage (SQS quota)."""

MAX_DEAD_LETTER_BYTES = 2 * MAX_BODY_BYTES
"""Longest stored body that is looked at: the largest webhook, in base64 and an envelope. Our own are no longer."""

MAX_CHARACTERS_A_RUN = 4 * MAX_CHARACTERS
"""Characters of all dead letters, with their decoded forms, that one erasure looks at within its two minutes: 10 MB a
second on a whole processor, of which the function has 0.29 (512 of 1,769 MB).
"""

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

    def remove(self, traces: Traces) -> DeadLettersRemoved:
        """Remove those about the customer. One that cannot be read stays, and is named: it holds up no erasure."""
        run = _Run(traces, Budget(MAX_CHARACTERS_A_RUN))
        for url in self.urls:
            self._remove_from(url, run)
        return DeadLettersRemoved(run.removed, tuple(run.unread))

    def _remove_from(self, url: str, run: "_Run") -> None:
        if self._is_read_by_others(url):
            raise ServiceBusyError("somebody is looking at dead letters; what they hold cannot be seen now")
        others = []
        try:
            for dead_letter in self._dead_letters(url, run):
                sighting, key, why = self._look_at(dead_letter, run)
                if sighting is Sighting.ABOUT:
                    self._delete(url, dead_letter, key)
                    run.removed += 1
                    continue
                others.append(dead_letter)
                if sighting is Sighting.UNREADABLE:
                    run.unread.append(UnreadDeadLetter(_name_of(url), dead_letter["MessageId"], why))
        finally:
            self._release(url, others)

    def _is_read_by_others(self, url: str) -> bool:
        with calling("sqs"):
            attributes = self.sqs.get_queue_attributes(QueueUrl=url, AttributeNames=[IN_FLIGHT])["Attributes"]
        return int(attributes[IN_FLIGHT]) > 0

    def _dead_letters(self, url: str, run: "_Run") -> Iterator[DeadLetter]:
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
                run.unread.append(UnreadDeadLetter(_name_of(url), "", f"more than {MAX_DEAD_LETTERS} lie there"))
                return

    def _look_at(self, dead_letter: DeadLetter, run: "_Run") -> tuple[Sighting, str | None, str]:
        """Whether it is about the customer, the key of its stored body, and why it cannot be read."""
        text: str = dead_letter["Body"]
        key = pointer_of(embedded_document(text)) if len(text) < MAX_POINTER else None
        try:
            body = text if key is None else self.overflow.fetch(key, MAX_DEAD_LETTER_BYTES)
        except (BodyTooLargeError, ServiceRefusedError) as error:
            return Sighting.UNREADABLE, key, str(error)
        if body in {EMPTY, EMPTY.encode()}:
            return Sighting.ABOUT, key, ""
        return run.search(body), key, "it is too long, nested too deep, or compressed and broken"

    def _delete(self, url: str, dead_letter: DeadLetter, key: str | None) -> None:
        if key:
            self.overflow.empty(key)
        with calling("sqs"):
            self.sqs.delete_message(QueueUrl=url, ReceiptHandle=dead_letter["ReceiptHandle"])

    def _release(self, url: str, dead_letters: Sequence[DeadLetter]) -> None:
        """Make dead letters visible again at once; where SQS refuses, they become visible after their timeout."""
        for start in range(0, len(dead_letters), AT_ONCE):
            entries = [
                {"Id": str(number), "ReceiptHandle": dead_letter["ReceiptHandle"], "VisibilityTimeout": 0}
                for number, dead_letter in enumerate(dead_letters[start : start + AT_ONCE])
            ]
            with suppress(ServiceRefusedError), calling("sqs"):
                self.sqs.change_message_visibility_batch(QueueUrl=url, Entries=entries)


@dataclass(slots=True)
class _Run:
    """One search of all queues."""

    traces: Traces
    budget: Budget
    removed: int = 0
    unread: list[UnreadDeadLetter] = field(default_factory=list)

    def search(self, body: str | bytes) -> Sighting:
        own = Budget(min(MAX_CHARACTERS, self.budget.left))
        before = own.left
        try:
            return self.traces.search(body, own)
        finally:
            self.budget.left -= before - max(own.left, 0)


def _name_of(url: str) -> str:
    return url.rpartition("/")[2]
