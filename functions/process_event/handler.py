"""Events queue and wakes queue → the table: one read, one decision, one commit for each record."""

import json
from datetime import UTC, datetime, timedelta
from functools import cache
from typing import TYPE_CHECKING, Any

from aws_lambda_powertools.utilities.data_classes.sqs_event import SQSRecord

from cairn.adapters.s3 import Overflow
from cairn.adapters.sqs.events_queue import UNREADABLE
from cairn.application.events.process_event import ProcessEvent
from cairn.compose import process_event as compose
from cairn.compose.queues import consumed_queues
from cairn.compose.seen import Count
from cairn.domain.customer.state import Reaction
from cairn.domain.event import Event, event_from_queue
from cairn.domain.privacy.requests import is_above_limit
from cairn.domain.shared.errors import (
    ErasedCustomerError,
    InvalidEventError,
    NotACustomerError,
    UnknownReferenceError,
)
from cairn.sqs_records import Consumer, age_of, consume
from cairn.telemetry import count, logger, need_person

if TYPE_CHECKING:
    from collections.abc import Callable

    from cairn.application.audience.begin_broadcast import BeginBroadcast
    from cairn.application.people.fire_task_timer import FireTaskTimer

REFERENCE_PATIENCE = timedelta(hours=1)
"""How long an event without a name waits for the one that says whose order it is. Vendors send both within minutes."""

UNKNOWN_REFERENCE = "unknown_reference"
"""The reason why it is dropped then."""

PROCESSED, WOKEN = "EventProcessed", "WakeProcessed"
"""The ordinary outcomes: SQS counts them, as deleted messages, in metrics that cost nothing. All others are counted."""

USUAL = ("reminded", "passed_on")
"""What the timer of a task usually brings, which is only logged."""


@cache
def process() -> ProcessEvent:
    return compose.process_event()


@cache
def consumers() -> tuple[Consumer, Consumer]:
    """Of events and of wake-ups."""
    events, wakes = compose.dead_letters()
    put_off = consumed_queues().put_off
    return (
        Consumer(function="process_event", queue="events", dead_letters=events, put_off=put_off),
        Consumer(function="process_event", queue="wakes", dead_letters=wakes, put_off=put_off),
    )


@cache
def count_seen() -> Count:
    return compose.count_seen()


@cache
def fire_task_timer() -> "Callable[[], FireTaskTimer]":
    return compose.fire_task_timer()


@cache
def begin_broadcast() -> "Callable[[], BeginBroadcast]":
    return compose.begin_broadcast()


@cache
def overflow() -> Overflow:
    return compose.overflow()


def warm() -> None:
    overflow()
    process()
    consumers()
    count_seen()
    fire_task_timer()
    begin_broadcast()


def handler(event: dict[str, Any], context: Any) -> Any:
    events, wakes = consumers()
    if event["Records"][0]["eventSourceARN"].endswith(".fifo"):
        return consume(event, context, process_record, events)
    return consume(event, context, wake_record, wakes)


def process_record(record: SQSRecord) -> None:
    now, document = datetime.now(UTC), document_in(record)
    if not document:  # emptied, so it was processed before: by another delivery, or another request
        count("EventDuplicate")
        return
    event = read_event(document, now)
    if event.about is not None:
        begins = begin_broadcast()()(event, now)
        overflow().discard(record.body)
        logger.info("event about a thing processed", begins=begins, source=event.source, event_type=event.type)
        return
    dropped: set[str] = set()
    try:
        reaction = process()(event, now)
        outcome = PROCESSED if reaction else "EventDuplicate"
        note_orders(reaction)
        note_lost_versions(reaction)
        note_unreadable_moments(reaction)
        dropped |= {one.detail["reason"] for one in reaction.facts if one.kind == "dropped"} if reaction else set()
    except ErasedCustomerError:
        outcome = "EventErased"
    except NotACustomerError as error:
        outcome = "EventOfNobody"
        dropped.add(error.reason)
    except UnknownReferenceError:
        if age_of(record) < REFERENCE_PATIENCE:
            raise
        outcome = "EventOfNobody"
        dropped.add(UNKNOWN_REFERENCE)
    overflow().discard(record.body)
    if outcome != PROCESSED:
        count(outcome)
    if outcome == "EventOfNobody":
        note_seen(event, now, because=UNKNOWN_REFERENCE if UNKNOWN_REFERENCE in dropped else "no_customer")
    for reason in sorted(dropped):
        count("FieldDropped", reason=reason)
    known: dict[str, Any] = {"source": event.source, "event_type": event.type, "event_key": event.key}
    known |= {"dropped": sorted(dropped)} if dropped else {}
    logger.info("event processed", outcome=outcome, **known)


def document_in(record: SQSRecord) -> Any:
    """Raises InvalidEventError."""
    try:
        return overflow().load(record.body)
    except ValueError:
        raise InvalidEventError(["not an event as the receiver writes it"]) from None


def read_event(document: Any, now: datetime) -> Event:
    """Raises InvalidEventError."""
    try:
        if UNREADABLE in document:
            raise InvalidEventError(document[UNREADABLE]["problems"])
        return event_from_queue(document, received_at=now)
    except (ValueError, KeyError, TypeError):
        raise InvalidEventError(["not an event as the receiver writes it"]) from None


def note_seen(event: Event, now: datetime, *, because: str) -> None:
    """For `cairn sources seen`."""
    from cairn.domain.operations.seen import Seen, SeenBecause  # noqa: PLC0415  few events are nobody's

    count_seen()([Seen(event.source, event.type, SeenBecause(because))], now)


def note_orders(reaction: Reaction | None) -> None:
    """Count what an alarm watches: an order to erase that came after too many others."""
    if reaction is not None and any(is_above_limit(effect) for effect in reaction.effects):
        message = "an order to erase waits for a person, above the limit of an hour"
        need_person("ErasureOrderAboveLimit", message, do="answer it: cairn privacy list")


def note_lost_versions(reaction: Reaction | None) -> None:
    """Count what an alarm watches: an enrollment that no event moves, because nobody has its journey's version."""
    lost = sorted(reaction.lost_versions) if reaction is not None else []
    if lost:
        message = "an enrollment stays where it is, its journey's version is lost"
        do = "deploy this version once more, then: cairn dlq redrive wakes"
        need_person("JourneyVersionLost", message, do=do, each=[{"version": version} for version in lost])


def note_unreadable_moments(reaction: Reaction | None) -> None:
    """Count the waits for a date that cannot be read: a source writes dates as no mapping or journey expects."""
    found = [fact for fact in reaction.facts if fact.kind == "moment_unreadable"] if reaction else []
    for fact in found:
        logger.warning("a date cannot be read", enrollment=fact.enrollment, journey=fact.journey, step=fact.step)
    if found:
        count("MomentUnreadable", len(found))


def wake_record(record: SQSRecord) -> None:
    wake = json.loads(record.body)
    if "task" in wake:
        wake_task(wake)
        return
    reaction = process().wake(wake["customer"], wake["enrollment"], wake["sequence"], datetime.now(UTC))
    note_unreadable_moments(reaction)
    outcome = WOKEN if reaction else "WakeStale"
    if outcome != WOKEN:
        count(outcome)
    logger.info("wake-up processed", outcome=outcome, enrollment=wake["enrollment"])


def wake_task(wake: Any) -> None:
    """The timer of a task, of which an alarm hears where only a person can help."""
    woken, task = fire_task_timer()()(wake["customer"], wake["task"], wake["sequence"], datetime.now(UTC))
    if woken not in USUAL:
        count("TaskWoken", outcome=woken.value)
    logger.info("task woken", outcome=woken.value, task=wake["task"])
    about = [{"queue": task.queue, "task": task.id}] if task else []
    if woken == "unstaffed":
        do = "find somebody, then: cairn task assign; who could have it, and why not: cairn task show"
        need_person("TaskUnstaffed", "nobody can do a task", do=do, each=about)
    elif woken == "at_the_top":
        do = "do it: nobody is above its owner in people.toml"
        need_person("TaskOverdue", "found an overdue task", do=do, each=about)
