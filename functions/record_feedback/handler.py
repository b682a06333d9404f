"""SES events (through SNS) → events queue: what became of a message, as an event of its customer."""

import json
from datetime import UTC, datetime
from functools import cache
from typing import Any

from aws_lambda_powertools.utilities.batch import BatchProcessor, EventType, process_partial_response
from aws_lambda_powertools.utilities.data_classes.sqs_event import SQSRecord

from cairn import bootstrap
from cairn.adapters.ses_events import events_of
from cairn.application.ports import DeadLetters, Inbox
from cairn.sqs_records import parking
from cairn.telemetry import count


@cache
def ports() -> tuple[Inbox, DeadLetters]:
    return bootstrap.record_feedback()


warm = ports


def handler(event: dict[str, Any], context: Any) -> Any:
    processor = BatchProcessor(EventType.SQS, raise_on_entire_batch_failure=False)
    return process_partial_response(event, record_one, processor, context)


def record_one(record: SQSRecord) -> None:
    inbox, dead_letters = ports()
    with parking(record, dead_letters, "feedback"):
        events = events_of(json.loads(record.body), datetime.now(UTC))
        inbox.put(events)
        for event in events:
            count("Feedback", type=event.type)
