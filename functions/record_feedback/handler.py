"""Providers' reports and customers' replies (feedback queue, SNS's delivery logs) → events queue, or their message."""

import json
from collections.abc import Callable
from datetime import UTC, datetime
from functools import cache
from typing import Any

from aws_lambda_powertools.utilities.data_classes.sqs_event import SQSRecord

from cairn.adapters.aws import is_transient
from cairn.adapters.feedback.reports import account_alarms, read
from cairn.application.message.record_reports import RecordReports
from cairn.compose import record_feedback as compose
from cairn.compose.accounts import note_account_alarms, note_account_failures
from cairn.compose.queues import consumed_queues
from cairn.sqs_records import Consumer, consume
from cairn.telemetry import DEAD_LETTERED, count, logger


@cache
def recorder() -> RecordReports:
    return compose.record_feedback()


@cache
def consumer() -> Consumer:
    return Consumer(
        function="record_feedback",
        queue="feedback",
        dead_letters=compose.dead_letters(),
        put_off=consumed_queues().put_off,
    )


@cache
def queue_again() -> Callable[[str], None]:
    return compose.queue_again()


def warm() -> None:
    recorder()
    queue_again()
    consumer()


def handler(event: dict[str, Any], context: Any) -> Any:
    if "awslogs" in event:
        record_log(json.dumps(event))
        return None
    return consume(event, context, record_one, consumer())


def record_one(record: SQSRecord) -> None:
    record_body(record.body)


def record_log(body: str) -> None:
    """CloudWatch Logs invokes the function directly, and Lambda tries twice more, within three minutes.

    So what time may mend waits in the feedback queue, and what it does not mend becomes a dead letter here. Raises
    where SQS takes neither.
    """
    try:
        record_body(body)
    except Exception as error:  # noqa: BLE001  each ends in a queue
        if is_transient(error):
            queue_again()(body)
            logger.warning("report waits in the feedback queue", error=type(error).__name__)
            return
        consumer().dead_letters.add(body, consumer().reason(error))
        count(DEAD_LETTERED)
        logger.error("report parked in the dead-letter queue", error=type(error).__name__)


def record_body(body: str) -> None:
    now = datetime.now(UTC)
    events = read(body, now)
    queued = recorder()(events, now)
    logger.info("report recorded", events=[event.type for event in events], queued=len(queued))
    note_account_failures(events)
    note_account_alarms(account_alarms(body))
