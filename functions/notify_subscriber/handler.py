"""Notices queue → an HTTPS webhook endpoint: one signed POST; a failed one is retried, then dead-lettered."""

import json
from datetime import UTC, datetime
from functools import cache
from typing import Any

from aws_lambda_powertools.utilities.batch import BatchProcessor, EventType, process_partial_response
from aws_lambda_powertools.utilities.data_classes.sqs_event import SQSRecord

from cairn.adapters.documents.json_text import to_json
from cairn.adapters.sqs.dead_letter_queue import DeadLetterQueue
from cairn.adapters.sqs.webhook_queue import delivery_from_wire, delivery_to_wire
from cairn.application.webhooks.deliver_webhook import DeliverWebhook
from cairn.compose import notify_subscriber as compose
from cairn.domain.shared.errors import WebhookEndpointError
from cairn.sqs_records import dead_lettering
from cairn.telemetry import count, logger


@cache
def deliver() -> DeliverWebhook:
    return compose.notify_subscriber()


@cache
def dead_letters() -> DeadLetterQueue:
    return compose.dead_letters()


def warm() -> None:
    deliver()
    dead_letters()


def handler(event: dict[str, Any], context: Any) -> Any:
    processor = BatchProcessor(EventType.SQS, raise_on_entire_batch_failure=False)
    return process_partial_response(event, notify_record, processor, context)


def notify_record(record: SQSRecord) -> None:
    with dead_lettering(record, dead_letters(), "notices"):
        delivery = delivery_from_wire(json.loads(record.body))
        try:
            outcome = deliver()(delivery, datetime.now(UTC)).value
        except WebhookEndpointError as error:
            # A redriven delivery has all its attempts again.
            dead_letters().add(to_json(delivery_to_wire(delivery.restarted())), f"{type(error).__name__}: {error}")
            count("DeadLetter", queue="notices")
            outcome = "parked"
        count("NoticeHandled", subscriber=delivery.endpoint, outcome=outcome)
        logger.info("notice handled", notice=delivery.id, subscriber=delivery.endpoint, outcome=outcome)
