"""Amazon Data Firehose: the facts of the log, many in one record, which S3 stores compressed by the day of arrival."""

import json
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from cairn.adapters.aws import calling
from cairn.domain.measurement.facts import LoggedFact, Stored, stored_for
from cairn.domain.shared.errors import ServiceBusyError

RECORD_BYTES = 100 * 1024
"""Lines of one record together. Firehose takes up to 1,000 KiB, and counts each begun 5 KB, so many lines share one.
https://docs.aws.amazon.com/firehose/latest/dev/limits.html, https://aws.amazon.com/firehose/pricing/
"""

MAX_RECORDS = 40
"""Records of one call: together at most 4 MiB (PutRecordBatch), and at most 500."""

ATTEMPTS = 3
"""Of the records that Firehose did not take; then the stream brings the whole batch again."""


class FactLog:
    """Implements the port FactLog."""

    def __init__(self, firehose: Any, streams: Mapping[Stored, str]) -> None:
        self._firehose = firehose
        self._streams = streams

    def put(self, facts: Iterable[LoggedFact]) -> None:
        """Write the facts. Raises ServiceBusyError where not all were taken; written again, they have the same ids."""
        lines: dict[Stored, list[bytes]] = {}
        for fact in facts:
            lines.setdefault(stored_for(fact.kind), []).append(line_of(fact))
        for stored, some in lines.items():
            for records in _batches(some):
                self._put(self._streams[stored], records)

    def _put(self, stream: str, records: list[bytes]) -> None:
        for _ in range(ATTEMPTS):
            with calling("firehose"):
                answer = self._firehose.put_record_batch(
                    DeliveryStreamName=stream, Records=[{"Data": one} for one in records]
                )
            if not answer["FailedPutCount"]:
                return
            answers = answer["RequestResponses"]
            records = [one for one, its in zip(records, answers, strict=True) if "ErrorCode" in its]
        raise ServiceBusyError("firehose did not take every fact of the log")


def line_of(fact: LoggedFact) -> bytes:
    return json.dumps(fact.wire(), separators=(",", ":")).encode() + b"\n"


def _batches(lines: Iterable[bytes]) -> Iterator[list[bytes]]:
    batch: list[bytes] = []
    for record in _records(lines):
        batch.append(record)
        if len(batch) == MAX_RECORDS:
            yield batch
            batch = []
    if batch:
        yield batch


def _records(lines: Iterable[bytes]) -> Iterator[bytes]:
    record: list[bytes] = []
    room = RECORD_BYTES
    for line in lines:
        if record and len(line) > room:
            yield b"".join(record)
            record, room = [], RECORD_BYTES
        record.append(line)
        room -= len(line)
    if record:
        yield b"".join(record)
