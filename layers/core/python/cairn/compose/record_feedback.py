"""record_feedback: stores providers' reports as events."""

import os
from collections.abc import Callable
from functools import partial

from cairn.adapters import aws
from cairn.adapters.s3 import Overflow
from cairn.adapters.secrets_manager import identity_keys
from cairn.adapters.sqs.batches import send_one
from cairn.adapters.sqs.dead_letter_queue import DeadLetterQueue
from cairn.adapters.sqs.events_queue import EventsQueue
from cairn.settings import RecordFeedbackSettings


def record_feedback() -> EventsQueue:
    settings = RecordFeedbackSettings.from_environment(os.environ)
    keys = identity_keys(aws.client("secretsmanager"), settings.identity_secret_id)
    overflow = Overflow(lambda: aws.client("s3"), settings.overflow_bucket)
    return EventsQueue(aws.client("sqs"), settings.events_queue_url, overflow, keys.queue_groups)


def queue_again() -> Callable[[str], None]:
    """Queues a report that did not come by the queue, such as one from a log."""
    settings = RecordFeedbackSettings.from_environment(os.environ)
    return partial(send_one, aws.client("sqs"), settings.feedback_queue_url)


def dead_letters() -> DeadLetterQueue:
    settings = RecordFeedbackSettings.from_environment(os.environ)
    return DeadLetterQueue(aws.client("sqs"), settings.feedback_dead_letter_queue_url)
