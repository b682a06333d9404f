"""SQS: many messages in few calls."""

from collections.abc import Iterable, Iterator
from typing import Any

from cairn.adapters.aws import calling, is_transient
from cairn.domain.shared.errors import ServiceBusyError, ServiceRefusedError

BATCH = 10
"""Entries of one SendMessageBatch (SQS quota)."""

MAX_BATCH_BYTES = 256 * 1024
"""All bodies of one SendMessageBatch together (SQS quota; 1 MiB since 2025 where that is confirmed)."""

Entry = dict[str, Any]


def send_one(sqs: Any, url: str, body: str) -> None:
    with calling("sqs"):
        sqs.send_message(QueueUrl=url, MessageBody=body)


def send_in_batches(sqs: Any, url: str, entries: Iterable[Entry], refused: str) -> None:
    """Send the entries in their order. Raises ServiceBusyError(refused) where SQS did not take all of a batch."""
    for batch in batches(entries):
        with calling("sqs"):
            answer = sqs.send_message_batch(QueueUrl=url, Entries=batch)
        if answer.get("Failed"):
            raise ServiceBusyError(refused)


def send_each(sqs: Any, url: str, entries: Iterable[Entry]) -> dict[str, Exception]:
    """Send the entries in batches, each for itself: the errors of those that SQS did not take, by their `Id`."""
    failed: dict[str, Exception] = {}
    for batch in batches(entries):
        failed |= _send_batch(sqs, url, batch)
    return failed


def _send_batch(sqs: Any, url: str, batch: list[Entry]) -> dict[str, Exception]:
    try:
        with calling("sqs"):
            answer = sqs.send_message_batch(QueueUrl=url, Entries=batch)
    except Exception as error:  # noqa: BLE001  the caller decides what becomes of each entry
        if len(batch) == 1 or is_transient(error):
            return {one["Id"]: error for one in batch}
        # SQS refuses a whole batch for what one of its entries holds.
        return {id_: why for one in batch for id_, why in _send_batch(sqs, url, [one]).items()}
    return {one["Id"]: _as_error(one) for one in answer.get("Failed", ())}


def _as_error(failed: dict[str, Any]) -> Exception:
    """SenderFault says whose fault it is.

    https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_BatchResultErrorEntry.html
    """
    code = str(failed.get("Code", "Unknown"))
    return ServiceRefusedError("sqs", code) if failed.get("SenderFault") else ServiceBusyError(f"sqs is busy: {code}")


def batches(entries: Iterable[Entry]) -> Iterator[list[Entry]]:
    """The entries in their order, in batches that respect both quotas."""
    batch: list[Entry] = []
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
