"""The composition root: what each function is made of. The only place that knows every adapter.

Each builder imports what its function needs and nothing else: an import that another function needs is
cold-start time for this one (jinja2 17 ms, a DynamoDB model 12 ms, botocore's first client 61 ms).
"""
# ruff: noqa: PLC0415

import os
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from cairn.settings import (
    DeliverMessageSettings,
    EraseCustomerSettings,
    ManageApiSettings,
    NotifySubscriberSettings,
    ProcessEventSettings,
    ReceiveWebhookSettings,
    RecordFeedbackSettings,
    RelayEffectsSettings,
    ServePreferencesSettings,
    SweepSettings,
)

if TYPE_CHECKING:
    from collections.abc import Callable

    from cairn.adapters.links import SignedLinks
    from cairn.adapters.operators.desk import Desk as OperatorsDesk
    from cairn.adapters.overflow import Overflow
    from cairn.adapters.pages.desk import Desk
    from cairn.adapters.queues import EventsQueue
    from cairn.application.accept_webhook import AcceptWebhook
    from cairn.application.deliver_message import DeliverMessage
    from cairn.application.erase_customer import EraseCustomer
    from cairn.application.notify_subscriber import NotifySubscriber
    from cairn.application.ports import DeadLetters, HeldMessages, Pace, Provider
    from cairn.application.process_event import ProcessEvent
    from cairn.application.relay_effects import RelayEffects
    from cairn.application.sweep import Sweep
    from cairn.domain.breaker import Trip
    from cairn.domain.policy import Policy


def accept_webhook() -> "AcceptWebhook":
    from cairn.adapters import aws
    from cairn.adapters.queues import EventsQueue
    from cairn.adapters.secrets import SourceSecrets
    from cairn.adapters.sources import sources
    from cairn.application.accept_webhook import AcceptWebhook

    settings = ReceiveWebhookSettings.from_environment(os.environ)
    secrets = SourceSecrets(aws.client("secretsmanager"), settings.sources_secret_id)
    inbox = EventsQueue(aws.client("sqs"), settings.events_queue_url, _overflow(settings.overflow_bucket))
    return AcceptWebhook(sources(Path(settings.sources_path)), secrets, inbox)


def process_event() -> "ProcessEvent":
    from cairn.adapters.catalogue import Catalogue
    from cairn.adapters.dynamodb.customers import DynamoCustomers
    from cairn.adapters.dynamodb.deliveries import DynamoDeliveries
    from cairn.adapters.dynamodb.switches import DynamoSwitches
    from cairn.adapters.phone import to_e164
    from cairn.adapters.policy import policy_at
    from cairn.application.process_event import ProcessEvent

    settings = ProcessEventSettings.from_environment(os.environ)
    _bind_table(settings.table_name)
    return ProcessEvent(
        customers=DynamoCustomers(settings.identity_salt),
        journeys=Catalogue(Path(settings.journeys_path)),
        normal_phone=lambda text: to_e164(text, settings.phone_region),
        salt=settings.identity_salt,
        switches=DynamoSwitches(),
        sent=DynamoDeliveries(),
        languages=tuple(settings.reply_languages.split()),
        policy=policy_at(Path(settings.policy_path)),
    )


def process_event_dead_letters() -> "tuple[DeadLetters, DeadLetters]":
    """Where events and wake-ups go that cannot be processed."""
    from cairn.adapters import aws
    from cairn.adapters.queues import DeadLetterQueue

    settings = ProcessEventSettings.from_environment(os.environ)
    sqs = aws.client("sqs")
    return (
        DeadLetterQueue(sqs, settings.events_dead_letter_queue_url),
        DeadLetterQueue(sqs, settings.wakes_dead_letter_queue_url),
    )


def process_event_overflow() -> "Overflow":
    """Where the bodies lie that were too large for the events queue."""
    return _overflow(ProcessEventSettings.from_environment(os.environ).overflow_bucket)


def relay_effects(tripped: "Callable[[Trip], None]") -> "RelayEffects":
    """`tripped` is told of each breaker that has paused something."""
    from cairn.adapters import aws
    from cairn.adapters.alerts import AlarmTopic
    from cairn.adapters.dynamodb.consent_records import DynamoConsentRecords
    from cairn.adapters.dynamodb.deliveries import DynamoDeliveries
    from cairn.adapters.dynamodb.health import DynamoTallies
    from cairn.adapters.dynamodb.switches import DynamoSwitches
    from cairn.adapters.dynamodb.timeline import DynamoTimeline
    from cairn.adapters.dynamodb.waiting_room import DynamoWaitingRoom
    from cairn.adapters.erasures import ErasuresQueue
    from cairn.adapters.notices import NoticesQueue
    from cairn.adapters.outbox import MessagesQueue, parked_effect
    from cairn.adapters.policy import policy_at
    from cairn.adapters.queues import DeadLetterQueue
    from cairn.adapters.timers import AlarmClock, Line, Timers
    from cairn.application.relay_effects import RelayEffects
    from cairn.application.tell_subscribers import TellSubscribers
    from cairn.application.watch_health import WatchHealth
    from cairn.domain.consent import Purpose

    settings = RelayEffectsSettings.from_environment(os.environ)
    _bind_table(settings.table_name)
    sqs = aws.client("sqs")
    dead_letters = DeadLetterQueue(sqs, settings.effects_dead_letter_queue_url)
    timeline = DynamoTimeline()
    policy = policy_at(Path(settings.policy_path))
    return RelayEffects(
        timers=Timers(
            clock=AlarmClock(
                sqs=sqs,
                scheduler=aws.client("scheduler"),
                role_arn=settings.schedule_role_arn,
                group=settings.schedule_group,
            ),
            wakes=Line(
                url=settings.wakes_queue_url,
                arn=settings.wakes_queue_arn,
                dead_letter_arn=settings.wakes_dead_letter_queue_arn,
            ),
        ),
        outbox=MessagesQueue(
            sqs,
            {
                Purpose.TRANSACTIONAL: settings.messages_queue_url,
                Purpose.MARKETING: settings.marketing_queue_url,
            },
        ),
        tasks=timeline,
        timeline=timeline,
        deliveries=DynamoDeliveries(),
        health=WatchHealth(
            tallies=DynamoTallies(),
            board=DynamoSwitches(),
            tasks=timeline,
            alert=AlarmTopic(lambda: aws.client("sns"), settings.alarm_topic_arn),
            breaker=policy.breaker,
            tripped=tripped,
        ),
        waiting_room=DynamoWaitingRoom(),
        tell=TellSubscribers(
            records=DynamoConsentRecords(),
            notices=NoticesQueue(sqs, settings.notices_queue_url),
            subscribers=tuple(one.name for one in policy.subscribers),
        ),
        erasures=ErasuresQueue(sqs, settings.erasures_queue_url),
        park=parked_effect(dead_letters),
    )


def deliver_message() -> "DeliverMessage":
    from cairn.adapters import aws
    from cairn.adapters.catalogue import Catalogue
    from cairn.adapters.dynamodb.deliveries import DynamoDeliveries
    from cairn.adapters.dynamodb.switches import DynamoSwitches
    from cairn.adapters.dynamodb.timeline import DynamoTimeline
    from cairn.adapters.policy import policy_at
    from cairn.adapters.providers import SesEmail, SnsPush
    from cairn.adapters.templates import JinjaRenderer
    from cairn.adapters.whereabouts import whereabouts
    from cairn.application.deliver_message import DeliverMessage
    from cairn.domain.consent import Channel

    settings = DeliverMessageSettings.from_environment(os.environ)
    policy = policy_at(Path(settings.policy_path))
    _bind_table(settings.table_name)
    sns = aws.client("sns", retries=False)
    email = SesEmail(
        aws.client("sesv2", retries=False),
        sender=settings.email_sender,
        configuration_set=settings.email_configuration_set,
    )
    return DeliverMessage(
        deliveries=DynamoDeliveries(settings.identity_salt),
        held=_held_messages(settings),
        tasks=DynamoTimeline(),
        renderer=JinjaRenderer(Catalogue(Path(settings.journeys_path)), policy, _links(settings)),
        providers={
            Channel.EMAIL: email,
            Channel.SMS: _sms(settings, sns, policy.dlt_entity),
            Channel.WHATSAPP: _whatsapp(settings),
            Channel.PUSH: SnsPush(sns),
        },
        switches=DynamoSwitches(policy),
        pace=_pace(policy),
        whereabouts=whereabouts,
    )


def _pace(policy: "Policy") -> "Pace":
    from cairn.adapters.throttle import TokenBuckets, Unlimited

    return TokenBuckets(policy.rates) if policy.rates else Unlimited()


def _held_messages(settings: DeliverMessageSettings) -> "HeldMessages":
    from cairn.adapters import aws
    from cairn.adapters.timers import AlarmClock, HeldMessages, Line
    from cairn.domain.consent import Purpose

    lanes = {
        Purpose.TRANSACTIONAL: (settings.messages_queue_url, settings.messages_queue_arn),
        Purpose.MARKETING: (settings.marketing_queue_url, settings.marketing_queue_arn),
    }
    dead = settings.messages_dead_letter_queue_arn
    return HeldMessages(
        clock=AlarmClock(
            sqs=aws.client("sqs"),
            scheduler=aws.client("scheduler"),
            role_arn=settings.schedule_role_arn,
            group=settings.schedule_group,
        ),
        lanes={purpose: Line(url=url, arn=arn, dead_letter_arn=dead) for purpose, (url, arn) in lanes.items()},
    )


def _sms(settings: DeliverMessageSettings, sns: Any, dlt_entity: str) -> "Provider":
    from cairn.adapters import aws

    if not settings.sms_origination:
        from cairn.adapters.providers import SnsSms

        return SnsSms(sns, sender_id=settings.sms_sender_id, dlt_entity=dlt_entity)
    from cairn.adapters.end_user_messaging import EndUserSms

    return EndUserSms(
        aws.client("pinpoint-sms-voice-v2", retries=False),
        origination=settings.sms_origination,
        configuration_set=settings.sms_configuration_set,
        dlt_entity=dlt_entity,
    )


def _whatsapp(settings: DeliverMessageSettings) -> "Provider":
    from cairn.adapters import aws
    from cairn.adapters.end_user_messaging import EndUserWhatsApp, NoWhatsApp

    if not settings.whatsapp_phone_number_id:
        return NoWhatsApp()
    client = aws.client("socialmessaging", retries=False)
    return EndUserWhatsApp(client, phone_number_id=settings.whatsapp_phone_number_id)


def deliver_message_dead_letters() -> "DeadLetters":
    from cairn.adapters import aws
    from cairn.adapters.queues import DeadLetterQueue

    settings = DeliverMessageSettings.from_environment(os.environ)
    return DeadLetterQueue(aws.client("sqs"), settings.messages_dead_letter_queue_url)


def notify_subscriber() -> "NotifySubscriber":
    from cairn.adapters import aws
    from cairn.adapters.dynamodb.consent_records import DynamoConsentRecords
    from cairn.adapters.notices import LaterNotices
    from cairn.adapters.policy import policy_at
    from cairn.adapters.secrets import SourceSecrets
    from cairn.adapters.subscribers import Reach, SignedPosts
    from cairn.adapters.timers import AlarmClock, Line
    from cairn.application.notify_subscriber import NotifySubscriber

    settings = NotifySubscriberSettings.from_environment(os.environ)
    _bind_table(settings.table_name)
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


def notify_subscriber_dead_letters() -> "DeadLetters":
    from cairn.adapters import aws
    from cairn.adapters.queues import DeadLetterQueue

    settings = NotifySubscriberSettings.from_environment(os.environ)
    return DeadLetterQueue(aws.client("sqs"), settings.notices_dead_letter_queue_url)


def record_feedback() -> "tuple[EventsQueue, DeadLetters]":
    from cairn.adapters import aws
    from cairn.adapters.queues import DeadLetterQueue, EventsQueue

    settings = RecordFeedbackSettings.from_environment(os.environ)
    sqs = aws.client("sqs")
    return (
        EventsQueue(sqs, settings.events_queue_url, _overflow(settings.overflow_bucket)),
        DeadLetterQueue(sqs, settings.feedback_dead_letter_queue_url),
    )


def sweep() -> "Sweep":
    from cairn.adapters import aws
    from cairn.adapters.dynamodb.switches import DynamoSwitches
    from cairn.adapters.dynamodb.waiting_room import DynamoWaitingRoom
    from cairn.adapters.outbox import MessagesQueue
    from cairn.adapters.wakes import WakesQueue
    from cairn.application.sweep import Sweep
    from cairn.domain.consent import Purpose

    settings = SweepSettings.from_environment(os.environ)
    _bind_table(settings.table_name)
    sqs = aws.client("sqs")
    lanes = {Purpose.TRANSACTIONAL: settings.messages_queue_url, Purpose.MARKETING: settings.marketing_queue_url}
    return Sweep(
        switches=DynamoSwitches(),
        waiting_room=DynamoWaitingRoom(),
        wakes=WakesQueue(sqs, settings.wakes_queue_url),
        outbox=MessagesQueue(sqs, lanes),
    )


def serve_preferences() -> "Desk":
    from cairn.adapters import aws
    from cairn.adapters.dynamodb.customers import DynamoCustomers
    from cairn.adapters.overflow import InPlace
    from cairn.adapters.pages.desk import Desk
    from cairn.adapters.pages.render import Pages
    from cairn.adapters.policy import policy_at
    from cairn.adapters.queues import EventsQueue
    from cairn.application.serve_preferences import ServePreferences

    settings = ServePreferencesSettings.from_environment(os.environ)
    _bind_table(settings.table_name)
    policy = policy_at(Path(settings.policy_path))
    serve = ServePreferences(
        tokens=_links(settings),
        customers=DynamoCustomers(settings.identity_salt),
        inbox=EventsQueue(aws.client("sqs"), settings.events_queue_url, InPlace()),
        policy=policy,
        salt=settings.identity_salt,
    )
    return Desk(serve, Pages(policy))


def _links(settings: DeliverMessageSettings | ServePreferencesSettings) -> "SignedLinks":
    from cairn.adapters import aws
    from cairn.adapters.links import SignedLinks
    from cairn.adapters.secrets import SourceSecrets

    secrets = SourceSecrets(aws.client("secretsmanager"), settings.links_secret_id)
    public_url = settings.public_url if isinstance(settings, DeliverMessageSettings) else ""
    return SignedLinks(secrets, salt=settings.identity_salt, public_url=public_url)


def _overflow(bucket: str) -> "Overflow":
    from cairn.adapters import aws
    from cairn.adapters.overflow import Overflow

    return Overflow(lambda: aws.client("s3"), bucket)


def manage_api() -> "OperatorsDesk":
    from cairn.adapters import aws
    from cairn.adapters.dynamodb.audit import DynamoAudit
    from cairn.adapters.dynamodb.customers import DynamoCustomers
    from cairn.adapters.dynamodb.everything import DynamoEverything
    from cairn.adapters.dynamodb.reviews import DynamoReviews
    from cairn.adapters.dynamodb.suppressions import DynamoSuppressions
    from cairn.adapters.dynamodb.switches import DynamoSwitches
    from cairn.adapters.dynamodb.timeline import DynamoTimeline
    from cairn.adapters.operators.desk import Desk
    from cairn.adapters.outbox import MessagesQueue
    from cairn.adapters.overflow import InPlace
    from cairn.adapters.phone import to_e164
    from cairn.adapters.queues import EventsQueue
    from cairn.application.explain_decisions import ExplainDecisions
    from cairn.application.export_customer import ExportCustomer
    from cairn.application.find_customer import FindCustomer
    from cairn.application.hand_out_data import HandOutData
    from cairn.application.instruct import Instruct
    from cairn.application.review_messages import ReviewMessages
    from cairn.application.switch import Switch
    from cairn.domain.consent import Purpose

    settings = ManageApiSettings.from_environment(os.environ)
    _bind_table(settings.table_name)
    sqs, salt = aws.client("sqs"), settings.identity_salt
    customers, timeline, board, audit = DynamoCustomers(salt), DynamoTimeline(), DynamoSwitches(), DynamoAudit()
    suppressions = DynamoSuppressions(salt)
    lanes = {Purpose.TRANSACTIONAL: settings.messages_queue_url, Purpose.MARKETING: settings.marketing_queue_url}

    def normal_phone(text: str) -> str | None:
        return to_e164(text, settings.phone_region)

    find = FindCustomer(customers, timeline, normal_phone)
    return Desk(
        switch=Switch(board),
        board=board,
        explain=ExplainDecisions(find, timeline, suppressions),
        hand_out=HandOutData(find, ExportCustomer(DynamoEverything(salt)), audit),
        instruct=Instruct(
            find=find,
            customers=customers,
            inbox=EventsQueue(sqs, settings.events_queue_url, InPlace()),
            audit=audit,
            suppressions=suppressions,
            salt=salt,
        ),
        review=ReviewMessages(find, DynamoReviews(), MessagesQueue(sqs, lanes)),
        audit=audit,
        normal_phone=normal_phone,
    )


def erase_customer() -> "EraseCustomer":
    from cairn.adapters import aws
    from cairn.adapters.dynamodb.remains import DynamoRemains
    from cairn.adapters.erasures import ErasuresQueue
    from cairn.adapters.letters import ParkedLetters
    from cairn.adapters.schedules import ScheduleGroup
    from cairn.application.erase_customer import EraseCustomer

    settings = EraseCustomerSettings.from_environment(os.environ)
    _bind_table(settings.table_name)
    sqs = aws.client("sqs")
    return EraseCustomer(
        remains=DynamoRemains(settings.identity_salt),
        schedules=ScheduleGroup(scheduler=aws.client("scheduler"), group=settings.schedule_group),
        letters=ParkedLetters(
            sqs=sqs,
            urls=settings.letters_queue_urls.split(),
            overflow=_overflow(settings.overflow_bucket),
            wait_seconds=int(settings.letters_wait_seconds),
        ),
        erasures=ErasuresQueue(sqs, settings.erasures_queue_url),
    )


def erase_customer_dead_letters() -> "DeadLetters":
    from cairn.adapters import aws
    from cairn.adapters.queues import DeadLetterQueue

    settings = EraseCustomerSettings.from_environment(os.environ)
    return DeadLetterQueue(aws.client("sqs"), settings.erasures_dead_letter_queue_url)


@cache
def _region() -> str:
    return os.environ.get("AWS_REGION") or os.environ["AWS_DEFAULT_REGION"]


def _bind_table(name: str) -> None:
    from cairn.adapters.dynamodb import items

    items.bind(name, _region())
