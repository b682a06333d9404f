"""Table stream, effects queue → queues, schedules, tasks, timeline: carries out the outbox of each commit."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cache, partial
from typing import Any

from aws_lambda_powertools.utilities.data_classes.sqs_event import SQSRecord

from cairn.adapters.dynamodb.outbox import UnreadCommit, committed_in, unread_commit
from cairn.adapters.sqs.effects_queue import body_of, effect_in
from cairn.application.events.relay_effects import Committed, Present, RelayEffects, WaitingEffect
from cairn.compose import relay_effects as compose
from cairn.compose.queues import consumed_queues
from cairn.domain.operations.breaker import Trip
from cairn.domain.people.task import Task
from cairn.settings import RECORD_TIME
from cairn.sqs_records import Consumer, consume, has_time, reason_of
from cairn.telemetry import DEAD_LETTERED, count, logger, need_person, where

Records = list[dict[str, Any]]


@cache
def relay() -> RelayEffects:
    return compose.relay_effects(note_trip, dead_letter, note_unstaffed)


def note_trip(trip: Trip) -> None:
    do = "mend the list or the template, then: cairn switch resume"
    need_person("BreakerTripped", "paused by the breaker", do=do, each=[{"target": trip.target, "why": trip.why}])


def note_unstaffed(task: Task) -> None:
    """At once, and not when the task is overdue: until then another member may still be found."""
    do = "find somebody, then: cairn task assign; who could have it, and why not: cairn task show"
    need_person("TaskUnstaffed", "nobody can do a task in time", do=do, each=[{"queue": task.queue, "task": task.id}])


@cache
def consumer() -> Consumer:
    return Consumer(
        function="relay_effects",
        queue="effects",
        dead_letters=compose.dead_letters(),
        put_off=consumed_queues().put_off,
    )


def warm() -> None:
    relay()
    consumer()


def handler(event: dict[str, Any], context: Any) -> Any:
    if event["Records"][0]["eventSource"] == "aws:sqs":
        return consume(event, context, relay_again, consumer())
    return {"batchItemFailures": [{"itemIdentifier": one} for one in relay_stream(event["Records"], context)]}


@dataclass(frozen=True, slots=True)
class StreamRecord:
    commit: Committed | UnreadCommit | None
    present: Present | None
    has_time: Callable[[], bool]


def relay_stream(records: Records, context: Any) -> list[str]:
    """The sequence number from which on Lambda is to bring the records again; none where all are done.

    The order of commits does not matter to effects, but whatever is not stored elsewhere must come again.
    """
    time_left = partial(has_time, context, RECORD_TIME)
    commits = [(one["dynamodb"]["SequenceNumber"], commit_in(one)) for one in records]
    present = present_customers_of([commit for _, commit in commits if isinstance(commit, Committed)])
    for sequence_number, commit in commits:
        if not time_left():
            return [sequence_number]
        try:
            relay_record(StreamRecord(commit, present, time_left))
        except Exception as error:  # noqa: BLE001  the stream holds what no queue takes
            logger.error("effects neither carried out nor stored, the stream waits", error=where(error))
            return [sequence_number]
    return []


def relay_record(record: StreamRecord) -> None:
    commit = record.commit
    if commit is None:
        return
    if isinstance(commit, UnreadCommit):
        dead_letter_unread(commit)
        return
    relay()(commit, record.present, datetime.now(UTC), record.has_time)
    effects = [effect.NAME for effect in commit.effects]
    if effects:
        logger.info("commit relayed", customer=commit.customer, commit=commit.name, effects=effects)


def present_customers_of(commits: list[Committed]) -> Present | None:
    """The customers of the batch as they are now; None where the table cannot say so."""
    try:
        return relay().present(commits)
    except Exception as error:  # noqa: BLE001  the effects wait in their queue meanwhile
        logger.warning("customers not read, their effects wait", error=where(error))
        return None


def commit_in(record: Mapping[str, Any]) -> Committed | UnreadCommit | None:
    try:
        return committed_in(record, relay().webhooks.announced_to)
    except Exception as error:  # noqa: BLE001  a retry cannot help, and would hold up its shard
        return unread_commit(record, where(error))


def dead_letter_unread(commit: UnreadCommit) -> None:
    why = reason_of(commit.why, "relay_effects", "effects")
    consumer().dead_letters.add(commit.body, why)
    count(DEAD_LETTERED)
    logger.error("commit parked in the dead-letter queue", error=commit.why)


def dead_letter(one: WaitingEffect, error: Exception) -> None:
    consumer().dead_letters.add(body_of(one), consumer().reason(error))
    count(DEAD_LETTERED)
    logger.error("effect parked in the dead-letter queue", effect=one.what.NAME, error=type(error).__name__)


def relay_again(record: SQSRecord) -> None:
    """An effect that has waited. The failure policy of queues decides on what it raises."""
    one = effect_in(record.body)
    because = relay().again(one, datetime.now(UTC))
    if because:
        count("EffectNotCarriedOut", effect=one.what.NAME)
        logger.info("effect not carried out", customer=one.customer, effect=one.what.NAME, because=because)
    else:
        logger.info("effect relayed", customer=one.customer, effect=one.what.NAME)
