"""SQS: many messages in few calls."""

from collections.abc import Iterable, Iterator
from typing import Any

from cairn.adapters.aws import calling
from cairn.domain.shared.errors import ServiceBusyError

BATCH = 10
"""Entries of one SendMessageBatch (SQS quota)."""

MAX_BATCH_BYTES = 256 * 1024
"""All bodies of one SendMessageBatch together (SQS quota; 1 MiB since 2025 where that is confirmed)."""


def send_in_batches(sqs: Any, url: str, entries: Iterable[dict[str, str]], refused: str) -> None:
    """Send the entries in their order. Raises ServiceBusyError(refused) where SQS did not take all of a batch."""
    for batch in batches(entries):
        with calling("sqs"):
            answer = sqs.send_message_batch(QueueUrl=url, Entries=batch)
        if answer.get("Failed"):
            raise ServiceBusyError(refused)


def batches(entries: Iterable[dict[str, str]]) -> Iterator[list[dict[str, str]]]:
    """The entries in their order, in batches that respect both quotas."""
    batch: list[dict[str, str]] = []
    room = MAX_BATCH_BYTES
    for entry in entries:
        size = len(entry["MessageBody"].encode())
        if len(batch) == BATCH or (batch and size > room):
            yield batch
            batch, room = [], MAX_BATCH_BYTES
        batch.append(entry)
        room -= size
    if batch:
        yield batch
