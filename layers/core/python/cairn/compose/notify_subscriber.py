"""notify_subscriber: posts consent changes, and what journeys say, to webhook endpoints."""

import os
from pathlib import Path

from cairn.adapters import aws
from cairn.adapters.documents.policy import policy_at
from cairn.adapters.dynamodb.consent_records import DynamoConsentRecords
from cairn.adapters.http.standard_webhooks import problem_of_key
from cairn.adapters.http.webhook_endpoints import Reach, SignedWebhooks
from cairn.adapters.s3 import NoOverflow
from cairn.adapters.scheduler.timers import TimerService, TimerTarget
from cairn.adapters.secrets_manager import Part
from cairn.adapters.sqs.dead_letter_queue import DeadLetterQueue
from cairn.adapters.sqs.events_queue import EventsQueue
from cairn.adapters.sqs.webhook_queue import WebhookRetries
from cairn.application.webhooks.deliver_webhook import DeliverWebhook
from cairn.compose.secrets import secrets_in
from cairn.compose.table import bind_table
from cairn.settings import NotifySubscriberSettings


def notify_subscriber() -> DeliverWebhook:
    settings = NotifySubscriberSettings.from_environment(os.environ)
    bind_table(settings.table_name)
    clock = TimerService(
        sqs=aws.client("sqs"),
        scheduler=aws.client("scheduler"),
        role_arn=settings.schedule_role_arn,
        group=settings.schedule_group,
    )
    target = TimerTarget(
        url=settings.notices_queue_url,
        arn=settings.notices_queue_arn,
        dead_letter_arn=settings.notices_dead_letter_queue_arn,
    )
    secrets = secrets_in(
        aws.client("secretsmanager"),
        settings.stage_secret_id,
        Part.WEBHOOK_ENDPOINTS,
        lambda _name, secret: problem_of_key(secret),
    )
    return DeliverWebhook(
        endpoints={one.name: one for one in policy_at(Path(settings.policy_path)).webhook_endpoints},
        records=DynamoConsentRecords(),
        inbox=EventsQueue(aws.client("sqs"), settings.events_queue_url, NoOverflow()),
        client=SignedWebhooks(secrets, Reach(settings.subscribers_reach)),
        retry_at=WebhookRetries(clock=clock, target=target).retry_at,
    )


def dead_letters() -> DeadLetterQueue:
    settings = NotifySubscriberSettings.from_environment(os.environ)
    return DeadLetterQueue(aws.client("sqs"), settings.notices_dead_letter_queue_url)
