"""notify_subscriber: posts consent changes, and what journeys say, to webhook endpoints."""

import os
from pathlib import Path

from cairn.adapters import aws
from cairn.adapters.documents.people import people_at
from cairn.adapters.documents.policy import policy_at
from cairn.adapters.dynamodb.consent_records import DynamoConsentRecords
from cairn.adapters.dynamodb.notified_members import DynamoNotifiedMembers
from cairn.adapters.dynamodb.tasks import DynamoTasks
from cairn.adapters.http.standard_webhooks import problem_of_key
from cairn.adapters.http.webhook_endpoints import Reach, SignedWebhooks
from cairn.adapters.pages.task_links import VALIDITY, TaskLink
from cairn.adapters.providers.members import MemberChannels
from cairn.adapters.s3 import NoOverflow
from cairn.adapters.scheduler.timers import TimerService, TimerTarget
from cairn.adapters.secrets_manager import Part
from cairn.adapters.sqs.dead_letter_queue import DeadLetterQueue
from cairn.adapters.sqs.events_queue import EventsQueue
from cairn.adapters.sqs.notification_queue import NotificationsLater
from cairn.adapters.sqs.webhook_queue import WebhookRetries
from cairn.application.people.notify_member import NotifyMember
from cairn.application.webhooks.deliver_webhook import DeliverWebhook
from cairn.compose.links import task_links
from cairn.compose.secrets import secrets_in
from cairn.compose.table import bind_table
from cairn.domain.policy import WebhookEndpoint
from cairn.settings import NotifySubscriberSettings


def notify_subscriber() -> DeliverWebhook:
    settings = NotifySubscriberSettings.from_environment(os.environ)
    bind_table(settings.table_name)
    return DeliverWebhook(
        endpoints=_endpoints(settings),
        records=DynamoConsentRecords(),
        inbox=EventsQueue(aws.client("sqs"), settings.events_queue_url, NoOverflow()),
        client=_signed_webhooks(settings),
        retry_at=WebhookRetries(clock=_clock(settings), target=_target(settings)).retry_at,
    )


def notify_member() -> NotifyMember:
    settings = NotifySubscriberSettings.from_environment(os.environ)
    bind_table(settings.table_name)
    links = task_links(aws.client("secretsmanager"), settings)
    return NotifyMember(
        people=people_at(Path(settings.people_path)),
        tasks=DynamoTasks(),
        notified=DynamoNotifiedMembers(),
        channels=MemberChannels(
            lambda service: aws.client(service, retries=False),
            email_sender=settings.email_sender,
            sms_sender_id=settings.sms_sender_id,
            sms_origination=settings.sms_origination,
        ),
        webhooks=_signed_webhooks(settings),
        endpoints=_endpoints(settings),
        link=lambda task, member, now: links.url(TaskLink(task.customer, task.id, member, now + VALIDITY)),
        later=NotificationsLater(clock=_clock(settings), target=_target(settings)).queue_at,
    )


def dead_letters() -> DeadLetterQueue:
    settings = NotifySubscriberSettings.from_environment(os.environ)
    return DeadLetterQueue(aws.client("sqs"), settings.notices_dead_letter_queue_url)


def _endpoints(settings: NotifySubscriberSettings) -> dict[str, WebhookEndpoint]:
    return {one.name: one for one in policy_at(Path(settings.policy_path)).webhook_endpoints}


def _signed_webhooks(settings: NotifySubscriberSettings) -> SignedWebhooks:
    secrets = secrets_in(
        aws.client("secretsmanager"),
        settings.stage_secret_id,
        Part.WEBHOOK_ENDPOINTS,
        lambda _name, secret: problem_of_key(secret),
    )
    return SignedWebhooks(secrets, Reach(settings.subscribers_reach))


def _clock(settings: NotifySubscriberSettings) -> TimerService:
    return TimerService(
        sqs=aws.client("sqs"),
        scheduler=aws.client("scheduler"),
        role_arn=settings.schedule_role_arn,
        group=settings.schedule_group,
    )


def _target(settings: NotifySubscriberSettings) -> TimerTarget:
    return TimerTarget(
        url=settings.notices_queue_url,
        arn=settings.notices_queue_arn,
        dead_letter_arn=settings.notices_dead_letter_queue_arn,
    )
