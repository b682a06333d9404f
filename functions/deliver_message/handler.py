"""Messages queue → provider: claim, gate, render, send, record."""

import json
from datetime import UTC, datetime
from functools import cache
from typing import Any

from aws_lambda_powertools.utilities.batch import BatchProcessor, EventType, process_partial_response
from aws_lambda_powertools.utilities.data_classes.sqs_event import SQSRecord

from cairn import bootstrap
from cairn.adapters.dynamodb.codec import message_from_wire
from cairn.application.deliver_message import DeliverMessage
from cairn.application.ports import DeadLetters
from cairn.sqs_records import parking
from cairn.telemetry import count, logger


@cache
def deliver() -> DeliverMessage:
    return bootstrap.deliver_message()


@cache
def dead_letters() -> DeadLetters:
    return bootstrap.deliver_message_dead_letters()


def warm() -> None:
    deliver()
    dead_letters()


def handler(event: dict[str, Any], context: Any) -> Any:
    processor = BatchProcessor(EventType.SQS, raise_on_entire_batch_failure=False)
    return process_partial_response(event, deliver_record, processor, context)


def deliver_record(record: SQSRecord) -> None:
    with parking(record, dead_letters(), "messages"):
        message = message_from_wire(json.loads(record.body))
        status = deliver()(message, datetime.now(UTC))
        count("MessageHandled", status=status.value, purpose=message.purpose.value)
        logger.info("message handled", message_id=message.id, journey=message.journey, status=status.value)
