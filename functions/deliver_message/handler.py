"""Message queues → provider: one read for the batch; then gate, render, claim, send, record for each."""

import json
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from functools import cache, partial
from typing import Any

from aws_lambda_powertools.utilities.data_classes.sqs_event import SQSRecord

from cairn.adapters.dynamodb.codec import delivery_request_from_wire
from cairn.application.message.deliver_message import DeliverMessage
from cairn.application.values.messages import DeliveryContext
from cairn.compose import deliver_message as compose
from cairn.compose.queues import consumed_queues
from cairn.domain.message.message import MessageStatus
from cairn.domain.shared.errors import AccountRefusedError
from cairn.settings import SEND_TIME
from cairn.sqs_records import Consumer, consume
from cairn.telemetry import count, logger, need_person

FRESH = timedelta(seconds=5)
"""How long the batch's read is used: with a slow provider, it would be stale for the last message."""


@cache
def deliver() -> DeliverMessage:
    return compose.deliver_message()


@cache
def consumer() -> Consumer:
    return Consumer(
        function="deliver_message",
        queue="messages",
        dead_letters=compose.dead_letters(),
        put_off=consumed_queues().put_off,
        time_for_one=SEND_TIME,
    )


def warm() -> None:
    deliver()
    consumer()


def handler(event: dict[str, Any], context: Any) -> Any:
    contexts, until = read_contexts(event["Records"]), datetime.now(UTC) + FRESH
    refusals = Refusals()
    answer = consume(event, context, partial(refusals.watch, partial(deliver_record, contexts, until)), consumer())
    refusals.call_person()
    return answer


class Refusals:
    """Why the account may not send. One invocation names each reason once, however many messages wait for it."""

    def __init__(self) -> None:
        self._codes: set[str] = set()

    def watch(self, deliver_one: Callable[[SQSRecord], None], record: SQSRecord) -> None:
        try:
            deliver_one(record)
        except AccountRefusedError as error:
            self._codes.add(error.code)
            raise

    def call_person(self) -> None:
        if self._codes:
            need_person(
                "AccountRefused",
                "the provider refuses every message of this account",
                do="mend the account, the messages wait for it: docs/runbook.md, PersonNeeded",
                each=[{"reason": code} for code in sorted(self._codes)],
            )


def read_contexts(records: Sequence[Mapping[str, Any]]) -> dict[str, DeliveryContext | None]:
    """A first look at the messages by record id, in one read. Those that are missing are read one by one."""
    requests = {}
    for record in records:
        with suppress(ValueError, LookupError, TypeError, AttributeError):
            requests[record["messageId"]] = delivery_request_from_wire(json.loads(record["body"]))
    try:
        return dict(zip(requests, deliver().contexts(list(requests.values())), strict=True))
    except Exception as error:  # noqa: BLE001  a fault of one message must not fail the others
        logger.warning("batch not read as a whole", error=type(error).__name__)
        return {}


def deliver_record(contexts: Mapping[str, DeliveryContext | None], until: datetime, record: SQSRecord) -> None:
    now = datetime.now(UTC)
    request = delivery_request_from_wire(json.loads(record.body))
    status = deliver()(request, now, contexts.get(record.message_id) if now < until else None)
    outcome = status.value if status else "gone"
    if status is not MessageStatus.SENT:  # the providers count what they send, in metrics that cost nothing
        count("MessageHandled", status=outcome)
    logger.info("message handled", message_id=request.id, status=outcome)
