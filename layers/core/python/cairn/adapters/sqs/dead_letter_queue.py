"""SQS: a queue of dead letters, each with its reason and its way back."""

import re
from dataclasses import dataclass
from typing import Any

from cairn.adapters.aws import calling
from cairn.domain.shared.hashing import short_hash

MAX_REASON = 1024
"""Characters of a reason."""

FIFO = ".fifo"
"""The end of the name of every FIFO queue."""

FIELD = re.compile(r"[a-z_]+(?:\.[\w-]+|\[\d+\])*(?=: )")
"""A field of a document at the start of a problem: `customer.email: …`."""


@dataclass(frozen=True, slots=True)
class Reason:
    """Why something could not be done."""

    text: str
    stage: str
    """The function and what started it: `process_event of events`."""
    command: str
    """The command that brings it back, once the cause is mended."""

    @property
    def field(self) -> str:
        """The first field that the text names; empty where it names none."""
        _, _, problem = self.text.partition(": ")
        found = FIELD.match(problem) or FIELD.match(self.text)
        return found[0] if found else ""

    def attributes(self) -> dict[str, dict[str, str]]:
        said = {"reason": self.text[:MAX_REASON] or "unknown", "stage": self.stage, "command": self.command}
        said |= {"field": self.field} if self.field else {}
        return {name: {"DataType": "String", "StringValue": text} for name, text in said.items() if text}


class DeadLetterQueue:
    """Dead letters: the body as it came, with the reason as message attributes."""

    def __init__(self, sqs: Any, url: str) -> None:
        self._sqs = sqs
        self._url = url

    def add(self, body: str, reason: Reason, group: str = "", delivery: str = "") -> None:
        """Add a body. On a FIFO queue, deduplicate by source message id, as SQS does when it dead-letters by itself.

        Otherwise a redriven body that fails again within five minutes would be dropped as a duplicate.
        A standard queue may be fair among groups; its dead letters need no group.
        """
        dedupe = {"MessageDeduplicationId": short_hash(delivery, body, length=26)}
        fifo = {"MessageGroupId": group, **dedupe} if group and self._url.endswith(FIFO) else {}
        with calling("sqs"):
            self._sqs.send_message(QueueUrl=self._url, MessageBody=body, MessageAttributes=reason.attributes(), **fifo)
