"""record_feedback: stores providers' reports as events, or moves the status of their messages itself."""

import os
from collections.abc import Callable
from functools import partial

from cairn.adapters import aws
from cairn.adapters.dynamodb.delivery_counters import DynamoDeliveryCounters
from cairn.adapters.dynamodb.message_status import DynamoReportedMessages
from cairn.adapters.dynamodb.status_reports import DynamoStatusReports
from cairn.adapters.s3 import Overflow
from cairn.adapters.secrets_manager import identity_keys
from cairn.adapters.sqs.batches import send_one
from cairn.adapters.sqs.dead_letter_queue import DeadLetterQueue
from cairn.adapters.sqs.events_queue import EventsQueue
from cairn.application.message.record_reports import RecordReports
from cairn.compose.table import bind_table
from cairn.settings import RecordFeedbackSettings


def record_feedback() -> RecordReports:
    settings = RecordFeedbackSettings.from_environment(os.environ)
    bind_table(settings.table_name)
    keys = identity_keys(aws.client("secretsmanager"), settings.identity_secret_id)
    overflow = Overflow(lambda: aws.client("s3"), settings.overflow_bucket)
    return RecordReports(
        inbox=EventsQueue(aws.client("sqs"), settings.events_queue_url, overflow, keys.queue_groups),
        messages=DynamoReportedMessages(),
        counters=DynamoDeliveryCounters(),
        stored=DynamoStatusReports(),
        deployed=frozenset(settings.status_reports_heard.split()),
    )


def queue_again() -> Callable[[str], None]:
    """Queues a report that did not come by the queue, such as one from a log."""
    settings = RecordFeedbackSettings.from_environment(os.environ)
    return partial(send_one, aws.client("sqs"), settings.feedback_queue_url)


def dead_letters() -> DeadLetterQueue:
    settings = RecordFeedbackSettings.from_environment(os.environ)
    return DeadLetterQueue(aws.client("sqs"), settings.feedback_dead_letter_queue_url)
