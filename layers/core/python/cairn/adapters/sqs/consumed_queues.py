"""SQS: when the messages that a function has received, and not handled, are delivered again."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from cairn.adapters.aws import calling

MAX_ENTRIES = 10
"""Entries of one ChangeMessageVisibilityBatch (SQS quota)."""


@dataclass
class ConsumedQueues:
    """The queues that start this function. The client is made for the first failure, which most invocations never see.

    Not with slots: the client is a cached property.
    """

    make_client: Callable[[], Any]
    _urls: dict[str, str] = field(default_factory=dict)

    @cached_property
    def _sqs(self) -> Any:
        return self.make_client()

    def put_off(self, queue_arn: str, waits: Mapping[str, int]) -> None:
        """Deliver these messages again after so many seconds. Keys: receipt handles, in the order of the queue."""
        receipts = list(waits.items())
        for start in range(0, len(receipts), MAX_ENTRIES):
            entries = [
                {"Id": str(number), "ReceiptHandle": receipt, "VisibilityTimeout": seconds}
                for number, (receipt, seconds) in enumerate(receipts[start : start + MAX_ENTRIES])
            ]
            with calling("sqs"):
                self._sqs.change_message_visibility_batch(QueueUrl=self._url_of(queue_arn), Entries=entries)

    def _url_of(self, queue_arn: str) -> str:
        if queue_arn not in self._urls:
            *_, account, name = queue_arn.split(":")
            with calling("sqs"):
                answer = self._sqs.get_queue_url(QueueName=name, QueueOwnerAWSAccountId=account)
            self._urls[queue_arn] = answer["QueueUrl"]
        return self._urls[queue_arn]
