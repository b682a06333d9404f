"""SQS: how many messages each of several queues has."""

from collections.abc import Mapping
from typing import Any

from cairn.adapters.sqs import backlog


class QueueDepths:
    """Implements the port QueueDepths."""

    def __init__(self, sqs: Any, urls: Mapping[str, str]) -> None:
        self._sqs = sqs
        self._urls = urls

    @property
    def names(self) -> tuple[str, ...]:
        return tuple(self._urls)

    def depth(self, queue: str) -> int:
        return backlog.depth(self._sqs, self._urls[queue])
