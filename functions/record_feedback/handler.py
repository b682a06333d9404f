"""Providers' reports and customers' replies (feedback queue, SNS's delivery logs) → events queue."""

import json
from datetime import UTC, datetime
from functools import cache
from typing import Any

from aws_lambda_powertools.utilities.batch import BatchProcessor, EventType, process_partial_response
from aws_lambda_powertools.utilities.data_classes.sqs_event import SQSRecord

from cairn.adapters.feedback.reports import read
from cairn.adapters.sqs.dead_letter_queue import DeadLetterQueue
from cairn.application.ports import Inbox
from cairn.compose import record_feedback as compose
from cairn.sqs_records import dead_lettering
from cairn.telemetry import count


@cache
def ports() -> tuple[Inbox, DeadLetterQueue]:
    return compose.record_feedback()


warm = ports


def handler(event: dict[str, Any], context: Any) -> Any:
    if "awslogs" in event:  # CloudWatch Logs invokes the function directly: Lambda itself retries
        record_body(json.dumps(event))
        return None
    processor = BatchProcessor(EventType.SQS, raise_on_entire_batch_failure=False)
    return process_partial_response(event, record_one, processor, context)


def record_one(record: SQSRecord) -> None:
    _, dead_letters = ports()
    with dead_lettering(record, dead_letters, "feedback"):
        record_body(record.body)


def record_body(body: str) -> None:
    inbox, _ = ports()
    events = read(body, datetime.now(UTC))
    inbox.put(events)
    for event in events:
        count("Feedback", type=event.type)
