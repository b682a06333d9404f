"""relay_effects: carries out the effects of each commit."""

import os
from collections.abc import Callable
from functools import cache, partial
from pathlib import Path
from typing import TYPE_CHECKING

from cairn.adapters import aws
from cairn.adapters.aws import is_transient
from cairn.adapters.backoff import attempts
from cairn.adapters.documents.policy import policy_at
from cairn.adapters.dynamodb.arm_counts import DynamoArmCounts
from cairn.adapters.dynamodb.consent_records import DynamoConsentRecords
from cairn.adapters.dynamodb.deliveries import DynamoDeliveries
from cairn.adapters.dynamodb.delivery_counters import DynamoDeliveryCounters
from cairn.adapters.dynamodb.paused_work import DynamoPausedWork
from cairn.adapters.dynamodb.present_customers import DynamoPresentCustomers
from cairn.adapters.dynamodb.switches import DynamoSwitches
from cairn.adapters.dynamodb.timeline import DynamoTimeline
from cairn.adapters.s3 import NoOverflow
from cairn.adapters.scheduler.timers import Timers, TimerService, TimerTarget
from cairn.adapters.sns import AlarmTopic
from cairn.adapters.sqs.dead_letter_queue import DeadLetterQueue
from cairn.adapters.sqs.effects_queue import EffectsQueue
from cairn.adapters.sqs.erasure_queue import ErasureQueue
from cairn.adapters.sqs.events_queue import EventsQueue
from cairn.adapters.sqs.message_queue import MessageQueue
from cairn.adapters.sqs.notification_queue import NotificationQueue
from cairn.adapters.sqs.webhook_queue import WebhookQueue
from cairn.application.events.relay_effects import RelayEffects, WaitingEffect
from cairn.application.operations.watch_health import WatchHealth
from cairn.application.webhooks.queue_deliveries import QueueWebhookDeliveries
from cairn.compose import people
from cairn.compose.leads import leads_beside
from cairn.compose.table import bind_table
from cairn.domain.operations.breaker import Trip
from cairn.domain.shared.channels import Purpose
from cairn.settings import RelayEffectsSettings

if TYPE_CHECKING:
    from cairn.adapters.dynamodb.audiences import DynamoAudiences
    from cairn.application.audience.continue_broadcasts import ContinueBroadcasts
    from cairn.domain.people.task import Task


def relay_effects(
    on_trip: Callable[[Trip], None],
    dead_letter: Callable[[WaitingEffect, Exception], None],
    on_unstaffed: "Callable[[Task], None]",
) -> RelayEffects:
    """`on_trip` is called for each trip of the breaker, `dead_letter` for each effect that can never be carried out.

    `on_unstaffed` is called for each new task that nobody can do before it is due.
    """
    settings = RelayEffectsSettings.from_environment(os.environ)
    bind_table(settings.table_name)
    sqs = aws.client("sqs")
    timeline = DynamoTimeline()
    policy = policy_at(Path(settings.policy_path))
    timers = Timers(
        clock=TimerService(
            sqs=sqs,
            scheduler=aws.client("scheduler"),
            role_arn=settings.schedule_role_arn,
            group=settings.schedule_group,
        ),
        wakes=TimerTarget(
            url=settings.wakes_queue_url,
            arn=settings.wakes_queue_arn,
            dead_letter_arn=settings.wakes_dead_letter_queue_arn,
        ),
    )
    inbox = EventsQueue(sqs, settings.events_queue_url, NoOverflow())
    return RelayEffects(
        timers=timers,
        messages=MessageQueue(
            sqs,
            {
                Purpose.TRANSACTIONAL: settings.messages_queue_url,
                Purpose.MARKETING: settings.marketing_queue_url,
            },
        ),
        tasks=timeline,
        ask_people=cache(partial(people.ask_people, settings.people_path, timeline, on_unstaffed)),
        task_timers=timers,
        notify=NotificationQueue(sqs, settings.notices_queue_url),
        timeline=timeline,
        deliveries=DynamoDeliveries(),
        health=WatchHealth(
            counters=DynamoDeliveryCounters(),
            board=DynamoSwitches(),
            tasks=timeline,
            alert=AlarmTopic(lambda: aws.client("sns"), settings.alarm_topic_arn).send,
            breaker=policy.breaker,
            on_trip=on_trip,
            attempts=attempts,
        ),
        arms=DynamoArmCounts(),
        paused_work=DynamoPausedWork(),
        webhooks=QueueWebhookDeliveries(
            records=DynamoConsentRecords(),
            queue=WebhookQueue(sqs, settings.notices_queue_url),
            endpoints=tuple(one.name for one in policy.webhook_endpoints if one.consent),
            announced_to=policy.announced_to,
        ),
        erasures=ErasureQueue(sqs, settings.erasures_queue_url),
        inbox=inbox,
        audiences=cache(partial(_audiences, settings.table_name)),
        broadcasts=cache(partial(_broadcasts, settings, inbox)),
        customers=DynamoPresentCustomers(leads_beside(Path(settings.policy_path))),
        wait=EffectsQueue(sqs, settings.effects_queue_url).put,
        dead_letter=dead_letter,
        is_transient=is_transient,
    )


def _audiences(table_name: str) -> "DynamoAudiences":
    from cairn.adapters.dynamodb.audiences import DynamoAudiences  # noqa: PLC0415  most deployments have no audience

    return DynamoAudiences(aws.client("dynamodb", validated=True), table_name)


def _broadcasts(settings: RelayEffectsSettings, inbox: EventsQueue) -> "ContinueBroadcasts":
    from cairn.adapters.dynamodb.broadcasts import DynamoBroadcasts  # noqa: PLC0415  as for audiences
    from cairn.application.audience.continue_broadcasts import ContinueBroadcasts  # noqa: PLC0415
    from cairn.compose.audiences import audiences_beside  # noqa: PLC0415
    from cairn.domain.audience.audiences import Audiences  # noqa: PLC0415

    broadcasts = DynamoBroadcasts(aws.client("dynamodb", validated=True), settings.table_name)
    audiences = audiences_beside(Path(settings.policy_path)) or Audiences(())
    return ContinueBroadcasts(broadcasts, audiences, _audiences(settings.table_name), inbox)


def dead_letters() -> DeadLetterQueue:
    settings = RelayEffectsSettings.from_environment(os.environ)
    return DeadLetterQueue(aws.client("sqs"), settings.effects_dead_letter_queue_url)
