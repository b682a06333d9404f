"""receive_webhook: accepts webhooks into the events queue."""

import os
from pathlib import Path
from typing import Any

from cairn.adapters import aws
from cairn.adapters.s3 import Overflow
from cairn.adapters.secrets_manager import Part, identity_keys
from cairn.adapters.sources import sources
from cairn.adapters.sqs.events_queue import EventsQueue
from cairn.application.events.accept_webhook import AcceptWebhook
from cairn.compose import seen
from cairn.compose.secrets import secrets_in
from cairn.settings import ReceiveWebhookSettings


def accept_webhook() -> AcceptWebhook:
    settings = ReceiveWebhookSettings.from_environment(os.environ)
    client = aws.client("secretsmanager")
    inbox = EventsQueue(
        aws.client("sqs"),
        settings.events_queue_url,
        Overflow(lambda: aws.client("s3"), settings.overflow_bucket),
        identity_keys(client, settings.identity_secret_id).queue_groups,
    )
    known = sources(Path(settings.sources_path))
    secrets = secrets_in(client, settings.stage_secret_id, Part.SOURCES, known.problem_of_secret)
    return AcceptWebhook(known, secrets, inbox, _document_at)


def _document_at(url: str, token: str) -> Any:
    from cairn.adapters.sources import fetching  # noqa: PLC0415  few vendors only point to what they have

    return fetching.document_at(url, token)


def count_seen() -> seen.Count:
    return seen.count_seen(ReceiveWebhookSettings.from_environment(os.environ).table_name)
