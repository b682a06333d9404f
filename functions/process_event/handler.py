"""Events queue and wakes queue → the table: one read, one decision, one commit for each record."""

import json
from datetime import UTC, datetime
from functools import cache
from typing import Any

from aws_lambda_powertools.utilities.batch import (
    BatchProcessor,
    EventType,
    SqsFifoPartialProcessor,
    process_partial_response,
)
from aws_lambda_powertools.utilities.data_classes.sqs_event import SQSRecord

from cairn.adapters.s3 import Overflow
from cairn.adapters.sqs.dead_letter_queue import DeadLetterQueue
from cairn.adapters.sqs.events_queue import UNREADABLE
from cairn.application.events.process_event import ProcessEvent
from cairn.compose import process_event as compose
from cairn.domain.customer.customer import Reaction
from cairn.domain.event import event_from_queue
from cairn.domain.privacy.requests import is_above_limit
from cairn.domain.shared.errors import ErasedCustomerError, InvalidEventError, NotACustomerError
from cairn.sqs_records import dead_lettering
from cairn.telemetry import count, logger


@cache
def process() -> ProcessEvent:
    return compose.process_event()


@cache
def dead_letters() -> tuple[DeadLetterQueue, DeadLetterQueue]:
    return compose.dead_letters()


@cache
def overflow() -> Overflow:
    return compose.overflow()


def warm() -> None:
    overflow()
    process()
    dead_letters()


def handler(event: dict[str, Any], context: Any) -> Any:
    if event["Records"][0]["eventSourceARN"].endswith(".fifo"):
        by_customer = SqsFifoPartialProcessor(skip_group_on_error=True)
        by_customer.raise_on_entire_batch_failure = False
        return process_partial_response(event, process_record, by_customer, context)
    one_by_one = BatchProcessor(EventType.SQS, raise_on_entire_batch_failure=False)
    return process_partial_response(event, wake_record, one_by_one, context)


def process_record(record: SQSRecord) -> None:
    events, _ = dead_letters()
    with dead_lettering(record, events, "events"):
        now = datetime.now(UTC)
        try:
            document = overflow().load(record.body)
            if not document:  # emptied, so it was processed before: by another delivery, or another request
                count("EventDuplicate", source="unknown")
                return
            if UNREADABLE in document:
                raise InvalidEventError(document[UNREADABLE]["problems"])
            event = event_from_queue(document, received_at=now)
        except (ValueError, KeyError, TypeError):
            raise InvalidEventError(["not an event as the receiver writes it"]) from None
        dropped: set[str] = set()
        try:
            reaction = process()(event, now)
            outcome = "EventProcessed" if reaction else "EventDuplicate"
            note_orders(reaction)
            note_lost_versions(reaction)
            dropped |= {one.detail["reason"] for one in reaction.facts if one.kind == "dropped"} if reaction else set()
        except ErasedCustomerError:
            outcome = "EventErased"
        except NotACustomerError as error:
            outcome = "EventOfNobody"
            dropped.add(error.reason)
        overflow().discard(record.body)
        count(outcome, source=event.source)
        for reason in sorted(dropped):
            count("FieldDropped", source=event.source, reason=reason)
        why: dict[str, Any] = {"dropped": sorted(dropped)} if dropped else {}
        logger.info("event processed", outcome=outcome, event_type=event.type, event_key=event.key, **why)


def note_orders(reaction: Reaction | None) -> None:
    """Count what an alarm watches: an order to erase that came after too many others."""
    if reaction is not None and any(is_above_limit(effect) for effect in reaction.effects):
        count("ErasureOrderAboveLimit")
        logger.warning("an order to erase waits for a person, above the limit of an hour")


def note_lost_versions(reaction: Reaction | None) -> None:
    """Count what an alarm watches: an enrollment that no event moves, because nobody has its journey's version."""
    for version in sorted(reaction.lost_versions) if reaction is not None else ():
        count("JourneyVersionLost")
        logger.error("an enrollment stays where it is, its journey's version is lost", version=version)


def wake_record(record: SQSRecord) -> None:
    _, wakes = dead_letters()
    with dead_lettering(record, wakes, "wakes"):
        wake = json.loads(record.body)
        reaction = process().wake(wake["customer"], wake["enrollment"], wake["sequence"], datetime.now(UTC))
        outcome = "WakeProcessed" if reaction else "WakeStale"
        count(outcome)
        logger.info("wake-up processed", outcome=outcome, enrollment=wake["enrollment"])
