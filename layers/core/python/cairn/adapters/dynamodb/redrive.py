"""Redrive of effects: which a dead letter holds, and whether they are still wanted. And of facts of the log."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from botocore.exceptions import ClientError

from cairn.adapters.aws import code_of, is_transient
from cairn.adapters.documents.json_text import to_json
from cairn.adapters.dynamodb.logged_facts import facts_in
from cairn.adapters.dynamodb.outbox import committed_in, effects_in
from cairn.adapters.sqs.effects_queue import EffectsQueue, effect_in
from cairn.application.events.relay_effects import StillWanted, WaitingEffect
from cairn.application.ports import FactLog
from cairn.domain.shared.errors import CairnError, InvalidEffectError, ServiceBusyError
from cairn.domain.shared.instants import instant_to_wire

MAX_EMPTY_PAGES = 50
"""Pages without a record, one after the other, after which the rest of the records is taken to be lost."""

OVER = {
    "exit_on": "the journey was ended by an event of its exit_on",
    "merged": "the customer was merged with one who has the same enrollment, which does it",
}
"""Why an effect is not wanted any more, by how its enrollment ended."""


class NotRedrivableError(CairnError):
    """A dead-lettered effect is not wanted any more, or cannot be read; another redrive changes nothing."""


@dataclass(frozen=True, slots=True)
class RedriveEffects:
    """Sends the effects of a dead letter back to their queue, unless they are not wanted any more."""

    queue: EffectsQueue
    still_wanted: StillWanted

    def __call__(self, dead_letter: Mapping[str, Any], now: datetime) -> int:
        """The number of effects that were sent back. Raises NotRedrivableError where none is wanted."""
        return self._send(_effects_of(dead_letter, now))

    def at_position(self, streams: Any, position: Mapping[str, Any]) -> tuple[int, list[str]]:
        """All effects of a position of the stream: how many were sent back, and why others were not.

        Raises NotRedrivableError where the stream does not have the records any more.
        """
        sent, refused = 0, []
        for customer, effects in effects_at(streams, position):
            try:
                sent += self._send(effects)
            except NotRedrivableError as error:
                refused.append(f"{customer}: {error}")
        return sent, refused

    def _send(self, effects: tuple[WaitingEffect, ...]) -> int:
        wanted, why = [], "it has no effects"
        for one in effects:
            _, because = self.still_wanted(one)
            if because:
                why = OVER.get(because, because)
            else:
                wanted.append(one)
        if not wanted:
            raise NotRedrivableError(f"not wanted any more: {why}; delete the dead letter")
        self.queue.put(wanted, delay_seconds=0)
        return len(wanted)


@dataclass(frozen=True, slots=True)
class RedriveFacts:
    """Writes the facts of a position that Lambda gave up on, with the ids that they would have had."""

    log: FactLog
    function: str
    """The ARN of log_facts, which reads the same stream as the relay."""

    def concerns(self, dead_letter: Mapping[str, Any]) -> bool:
        arn: str = dead_letter.get("requestContext", {}).get("functionArn", "")
        return arn == self.function or arn.startswith(f"{self.function}:")  # with its alias

    def at_position(self, streams: Any, position: Mapping[str, Any]) -> None:
        """Raises NotRedrivableError where the stream does not have the records any more."""
        self.log.put(fact for record in _records_at(streams, position) for fact in facts_in(record))


def effects_at(streams: Any, position: Mapping[str, Any]) -> Iterator[tuple[str, tuple[WaitingEffect, ...]]]:
    """The customers and effects of the commits at a position that Lambda gave up on (`DDBStreamBatchInfo`).

    Raises NotRedrivableError where the stream, which stores records for a day, has lost them.
    """
    for record in _records_at(streams, position):
        customer = record["dynamodb"]["Keys"]["pk"]["S"]
        try:
            commit = committed_in(record)
        except Exception as error:
            raise NotRedrivableError(f"{customer}: cannot be read by this version: {type(error).__name__}") from error
        if commit is not None:
            yield customer, commit.work()


def _records_at(streams: Any, position: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    """One call reads a megabyte at most, and `batchSize` counts what passed the filter: so read to the last one."""
    last = int(position["endSequenceNumber"])
    for record in _records_from(streams, position):
        number = int(record["dynamodb"]["SequenceNumber"])
        if number <= last:
            yield record
        if number >= last:
            return


def _records_from(streams: Any, position: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    try:
        iterator = streams.get_shard_iterator(
            StreamArn=position["streamArn"],
            ShardId=position["shardId"],
            ShardIteratorType="AT_SEQUENCE_NUMBER",
            SequenceNumber=position["startSequenceNumber"],
        )["ShardIterator"]
        empty = 0
        while iterator and empty < MAX_EMPTY_PAGES:
            page = streams.get_records(ShardIterator=iterator)
            yield from page["Records"]
            iterator = page.get("NextShardIterator")
            empty = 0 if page["Records"] else empty + 1
    except ClientError as error:
        if is_transient(error) and code_of(error) not in GONE:
            raise ServiceBusyError(f"the stream cannot be read now: {code_of(error)}; redrive once more") from None
        raise NotRedrivableError(f"the stream does not have these records any more: {code_of(error)}") from None


GONE = frozenset({"TrimmedDataAccessException", "ResourceNotFoundException"})
"""The records are over a day old, or their shard has ended since.

https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_streams_GetShardIterator.html
"""


def _effects_of(dead_letter: Mapping[str, Any], now: datetime) -> tuple[WaitingEffect, ...]:
    """The effect of a dead letter, or those of a commit that could not be read when it was relayed."""
    try:
        if "outbox" in dead_letter:
            return effects_in(dead_letter)
        if "change" in dead_letter:  # as versions before 0.4 wrote it
            image = dead_letter["change"]["NewImage"]
            version = image.get("rev", {}).get("N", "0")
            return effects_in({**dead_letter, "version": version, "outbox": image["outbox"]["S"]})
        if "effect" not in dead_letter:
            raise NotRedrivableError("the commit was too large for its dead letter; nothing of it can be sent back")
        return (effect_in(to_json({"at": instant_to_wire(now), **dead_letter})),)
    except (InvalidEffectError, AttributeError, LookupError, TypeError, ValueError) as error:
        raise NotRedrivableError(f"it cannot be read by this version: {type(error).__name__}") from error
