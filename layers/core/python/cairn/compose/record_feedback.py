"""record_feedback: stores providers' reports as events."""

import os

from cairn.adapters import aws
from cairn.adapters.s3 import Overflow
from cairn.adapters.secrets_manager import identity_keys
from cairn.adapters.sqs.dead_letter_queue import DeadLetterQueue
from cairn.adapters.sqs.events_queue import EventsQueue
from cairn.settings import RecordFeedbackSettings


def record_feedback() -> tuple[EventsQueue, DeadLetterQueue]:
    settings = RecordFeedbackSettings.from_environment(os.environ)
    keys = identity_keys(aws.client("secretsmanager"), settings.identity_secret_id)
    sqs = aws.client("sqs")
    return (
        EventsQueue(
            sqs,
            settings.events_queue_url,
            Overflow(lambda: aws.client("s3"), settings.overflow_bucket),
            keys.queue_groups,
        ),
        DeadLetterQueue(sqs, settings.feedback_dead_letter_queue_url),
    )
