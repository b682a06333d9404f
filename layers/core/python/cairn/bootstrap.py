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
    ProcessEventSettings,
    ReceiveWebhookSettings,
    RecordFeedbackSettings,
    RelayEffectsSettings,
)

if TYPE_CHECKING:
    from cairn.adapters.overflow import Overflow
    from cairn.adapters.queues import EventsQueue
    from cairn.application.accept_webhook import AcceptWebhook
    from cairn.application.deliver_message import DeliverMessage
    from cairn.application.ports import DeadLetters, Provider
    from cairn.application.process_event import ProcessEvent
    from cairn.application.relay_effects import RelayEffects


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
    from cairn.adapters.phone import to_e164
    from cairn.application.process_event import ProcessEvent

    settings = ProcessEventSettings.from_environment(os.environ)
    _bind_table(settings.table_name)
    return ProcessEvent(
        customers=DynamoCustomers(settings.identity_salt),
        journeys=Catalogue(Path(settings.journeys_path)),
        normal_phone=lambda text: to_e164(text, settings.phone_region),
        salt=settings.identity_salt,
        sent=DynamoDeliveries(),
        languages=tuple(settings.reply_languages.split()),
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


def relay_effects() -> "RelayEffects":
    from cairn.adapters import aws
    from cairn.adapters.dynamodb.deliveries import DynamoDeliveries
    from cairn.adapters.dynamodb.timeline import DynamoTimeline
    from cairn.adapters.outbox import MessagesQueue, parked_effect
    from cairn.adapters.queues import DeadLetterQueue
    from cairn.adapters.timers import Timers
    from cairn.application.relay_effects import RelayEffects

    settings = RelayEffectsSettings.from_environment(os.environ)
    _bind_table(settings.table_name)
    sqs = aws.client("sqs")
    dead_letters = DeadLetterQueue(sqs, settings.effects_dead_letter_queue_url)
    timeline = DynamoTimeline()
    return RelayEffects(
        timers=Timers(
            sqs=sqs,
            scheduler=aws.client("scheduler"),
            queue_url=settings.wakes_queue_url,
            queue_arn=settings.wakes_queue_arn,
            dead_letter_arn=settings.wakes_dead_letter_queue_arn,
            role_arn=settings.schedule_role_arn,
            group=settings.schedule_group,
        ),
        outbox=MessagesQueue(sqs, settings.messages_queue_url),
        tasks=timeline,
        timeline=timeline,
        deliveries=DynamoDeliveries(),
        park=parked_effect(dead_letters),
    )


def deliver_message() -> "DeliverMessage":
    from cairn.adapters import aws
    from cairn.adapters.catalogue import Catalogue
    from cairn.adapters.dynamodb.deliveries import DynamoDeliveries
    from cairn.adapters.dynamodb.kept import DynamoSwitches
    from cairn.adapters.providers import SesEmail, SnsPush
    from cairn.adapters.templates import JinjaRenderer
    from cairn.application.deliver_message import DeliverMessage
    from cairn.domain.consent import Channel

    settings = DeliverMessageSettings.from_environment(os.environ)
    _bind_table(settings.table_name)
    sns = aws.client("sns", retries=False)
    email = SesEmail(
        aws.client("sesv2", retries=False),
        sender=settings.email_sender,
        configuration_set=settings.email_configuration_set,
    )
    return DeliverMessage(
        deliveries=DynamoDeliveries(),
        renderer=JinjaRenderer(Catalogue(Path(settings.journeys_path))),
        providers={
            Channel.EMAIL: email,
            Channel.SMS: _sms(settings, sns),
            Channel.WHATSAPP: _whatsapp(settings),
            Channel.PUSH: SnsPush(sns),
        },
        switches=DynamoSwitches(),
    )


def _sms(settings: DeliverMessageSettings, sns: Any) -> "Provider":
    from cairn.adapters import aws

    if not settings.sms_origination:
        from cairn.adapters.providers import SnsSms

        return SnsSms(sns, sender_id=settings.sms_sender_id)
    from cairn.adapters.end_user_messaging import EndUserSms

    return EndUserSms(
        aws.client("pinpoint-sms-voice-v2", retries=False),
        origination=settings.sms_origination,
        configuration_set=settings.sms_configuration_set,
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


def record_feedback() -> "tuple[EventsQueue, DeadLetters]":
    from cairn.adapters import aws
    from cairn.adapters.queues import DeadLetterQueue, EventsQueue

    settings = RecordFeedbackSettings.from_environment(os.environ)
    sqs = aws.client("sqs")
    return (
        EventsQueue(sqs, settings.events_queue_url, _overflow(settings.overflow_bucket)),
        DeadLetterQueue(sqs, settings.feedback_dead_letter_queue_url),
    )


def _overflow(bucket: str) -> "Overflow":
    from cairn.adapters import aws
    from cairn.adapters.overflow import Overflow

    return Overflow(lambda: aws.client("s3"), bucket)


@cache
def _region() -> str:
    return os.environ.get("AWS_REGION") or os.environ["AWS_DEFAULT_REGION"]


def _bind_table(name: str) -> None:
    from cairn.adapters.dynamodb import items

    items.bind(name, _region())
