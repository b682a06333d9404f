"""receive_webhook: accepts webhooks into the events queue."""

import os
from pathlib import Path

from cairn.adapters import aws
from cairn.adapters.s3 import Overflow
from cairn.adapters.secrets_manager import SourceSecrets
from cairn.adapters.sources import sources
from cairn.adapters.sqs.events_queue import EventsQueue
from cairn.application.events.accept_webhook import AcceptWebhook
from cairn.settings import ReceiveWebhookSettings


def accept_webhook() -> AcceptWebhook:
    settings = ReceiveWebhookSettings.from_environment(os.environ)
    secrets = SourceSecrets(aws.client("secretsmanager"), settings.sources_secret_id)
    inbox = EventsQueue(
        aws.client("sqs"), settings.events_queue_url, Overflow(lambda: aws.client("s3"), settings.overflow_bucket)
    )
    return AcceptWebhook(sources(Path(settings.sources_path)), secrets, inbox)
