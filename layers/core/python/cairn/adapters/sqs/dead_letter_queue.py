"""SQS: a queue of dead letters, each with its reason."""

from typing import Any

from cairn.adapters.aws import calling
from cairn.domain.shared.hashing import short_hash

MAX_REASON = 1024
"""Characters of a reason."""

FIFO = ".fifo"
"""The end of the name of every FIFO queue."""


class DeadLetterQueue:
    """Dead letters: the body as it came, with the reason as a message attribute."""

    def __init__(self, sqs: Any, url: str) -> None:
        self._sqs = sqs
        self._url = url

    def add(self, body: str, reason: str, group: str = "", delivery: str = "") -> None:
        """Add a body. On a FIFO queue, deduplicate by source message id, as SQS does when it dead-letters by itself.

        Otherwise a redriven body that fails again within five minutes would be dropped as a duplicate.
        A standard queue may be fair among groups; its dead letters need no group.
        """
        dedupe = {"MessageDeduplicationId": short_hash(delivery, body, length=26)}
        fifo = {"MessageGroupId": group, **dedupe} if group and self._url.endswith(FIFO) else {}
        attribute = {"DataType": "String", "StringValue": reason[:MAX_REASON] or "unknown"}
        with calling("sqs"):
            self._sqs.send_message(
                QueueUrl=self._url,
                MessageBody=body,
                MessageAttributes={"reason": attribute},
                **fifo,
            )
