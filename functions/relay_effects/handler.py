"""Table stream → queues, schedules, tasks, timeline: carries out the outbox of each commit, with retries."""

from datetime import UTC, datetime
from functools import cache, partial
from typing import Any

from aws_lambda_powertools.utilities.batch import BatchProcessor, EventType, process_partial_response
from aws_lambda_powertools.utilities.data_classes.dynamo_db_stream_event import DynamoDBRecord

from cairn.adapters.dynamodb.outbox import committed_in
from cairn.application.events.relay_effects import RelayEffects
from cairn.compose import relay_effects as compose
from cairn.domain.operations.breaker import Trip
from cairn.domain.shared.errors import ConflictError
from cairn.telemetry import count, logger


@cache
def relay() -> RelayEffects:
    return compose.relay_effects(note_trip)


def note_trip(trip: Trip) -> None:
    count("BreakerTripped")
    logger.warning("paused by the breaker", target=trip.target, why=trip.why)


warm = relay


def handler(event: dict[str, Any], context: Any) -> Any:
    processor = BatchProcessor(EventType.DynamoDBStreams, raise_on_entire_batch_failure=False)
    return process_partial_response(event, partial(relay_in_order, set()), processor, context)


def relay_in_order(waiting: set[str], record: DynamoDBRecord) -> None:
    """Keep the order per customer: after a failure, later commits wait, an erasure order too."""
    customer = record.raw_event["dynamodb"]["Keys"]["pk"]["S"]
    if customer in waiting:
        raise ConflictError("an earlier commit of the customer comes first")
    try:
        relay_record(record)
    except Exception:
        waiting.add(customer)
        raise


def relay_record(record: DynamoDBRecord) -> None:
    try:
        commit = committed_in(record.raw_event)
    except (LookupError, TypeError, ValueError, AttributeError) as error:
        # A retry cannot help, and would block all later records of the shard.
        relay().dead_letter(record.raw_event["dynamodb"]["Keys"]["pk"]["S"], record.raw_event["dynamodb"], error)
        count("DeadLetter", queue="effects")
        logger.error("commit parked in the dead-letter queue", error=type(error).__name__)
        return
    if commit is None:
        return
    relay()(commit, datetime.now(UTC))
    for effect in commit.effects:
        count("EffectRelayed", effect=effect.NAME)
    logger.info("commit relayed", customer=commit.profile.id, revision=commit.version, effects=len(commit.effects))
