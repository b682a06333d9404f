"""notify_subscriber: posts consent changes to webhook endpoints."""

import os
from pathlib import Path

from cairn.adapters import aws
from cairn.adapters.documents.policy import policy_at
from cairn.adapters.dynamodb.consent_records import DynamoConsentRecords
from cairn.adapters.http.webhook_endpoints import Reach, SignedPosts
from cairn.adapters.scheduler.timers import AlarmClock, Line
from cairn.adapters.secrets_manager import SourceSecrets
from cairn.adapters.sqs.events_queue import DeadLetterQueue
from cairn.adapters.sqs.webhook_queue import LaterNotices
from cairn.application.ports import DeadLetters
from cairn.application.webhooks.deliver_webhook import NotifySubscriber
from cairn.compose.table import bind_table
from cairn.settings import NotifySubscriberSettings


def notify_subscriber() -> NotifySubscriber:
    settings = NotifySubscriberSettings.from_environment(os.environ)
    bind_table(settings.table_name)
    clock = AlarmClock(
        sqs=aws.client("sqs"),
        scheduler=aws.client("scheduler"),
        role_arn=settings.schedule_role_arn,
        group=settings.schedule_group,
    )
    line = Line(
        url=settings.notices_queue_url,
        arn=settings.notices_queue_arn,
        dead_letter_arn=settings.notices_dead_letter_queue_arn,
    )
    secrets = SourceSecrets(aws.client("secretsmanager"), settings.subscribers_secret_id)
    return NotifySubscriber(
        subscribers={one.name: one for one in policy_at(Path(settings.policy_path)).subscribers},
        records=DynamoConsentRecords(),
        wire=SignedPosts(secrets, Reach(settings.subscribers_reach)),
        retries=LaterNotices(clock=clock, line=line),
    )


def dead_letters() -> DeadLetters:
    settings = NotifySubscriberSettings.from_environment(os.environ)
    return DeadLetterQueue(aws.client("sqs"), settings.notices_dead_letter_queue_url)
