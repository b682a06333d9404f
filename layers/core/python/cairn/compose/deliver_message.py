"""deliver_message: asks the gate and hands messages to providers."""

import os
from pathlib import Path
from typing import Any, assert_never

from cairn.adapters import aws
from cairn.adapters.backoff import attempts
from cairn.adapters.documents.catalogue import Catalogue
from cairn.adapters.documents.policy import policy_at
from cairn.adapters.dynamodb.deliveries import DynamoDeliveries
from cairn.adapters.dynamodb.in_app import DynamoInAppInbox
from cairn.adapters.dynamodb.rate_limiter import TokenBuckets, Unlimited
from cairn.adapters.dynamodb.switches import DynamoSwitches
from cairn.adapters.dynamodb.timeline import DynamoTimeline
from cairn.adapters.feedback.in_app import FeedbackQueue
from cairn.adapters.phone.jurisdiction import jurisdiction_of
from cairn.adapters.providers.calls import Handover
from cairn.adapters.providers.end_user_messaging import EndUserSms, EndUserWhatsApp, NoWhatsApp
from cairn.adapters.providers.in_app import InAppProvider
from cairn.adapters.providers.ses import SesEmail
from cairn.adapters.providers.sns import SnsPush, SnsSms
from cairn.adapters.scheduler.timers import DeferredMessages, TimerService, TimerTarget
from cairn.adapters.secrets_manager import identity_keys
from cairn.adapters.sqs.dead_letter_queue import DeadLetterQueue
from cairn.adapters.sqs.message_queue import MessageQueue
from cairn.adapters.templates.renderer import JinjaRenderer
from cairn.application.message.deliver_message import DeliverMessage
from cairn.application.ports import Provider, RateLimiter
from cairn.compose.links import signed_links
from cairn.compose.table import bind_table
from cairn.domain.policy import Policy
from cairn.domain.shared.channels import Channel, Purpose
from cairn.settings import DeliverMessageSettings


def deliver_message() -> DeliverMessage:
    settings = DeliverMessageSettings.from_environment(os.environ)
    policy = policy_at(Path(settings.policy_path))
    bind_table(settings.table_name)
    secrets = aws.client("secretsmanager")
    key = identity_keys(secrets, settings.identity_secret_id, settings.identity_fingerprint).suppressions
    sns = aws.client("sns", retries=False)
    return DeliverMessage(
        deliveries=DynamoDeliveries(key),
        deferred=_deferred_messages(settings),
        tasks=DynamoTimeline(),
        renderer=JinjaRenderer(Catalogue(Path(settings.journeys_path)), policy, signed_links(secrets, settings, key)),
        providers={channel: Handover(_provider(channel, settings, sns, policy)) for channel in Channel},
        switches=DynamoSwitches(policy),
        rate_limiter=_rate_limiter(policy),
        settlements=MessageQueue(
            aws.client("sqs"),
            {Purpose.TRANSACTIONAL: settings.messages_queue_url, Purpose.MARKETING: settings.marketing_queue_url},
        ),
        jurisdiction_of=jurisdiction_of,
        time_may_mend=aws.is_transient,
        attempts=attempts,
    )


def dead_letters() -> DeadLetterQueue:
    settings = DeliverMessageSettings.from_environment(os.environ)
    return DeadLetterQueue(aws.client("sqs"), settings.messages_dead_letter_queue_url)


def _deferred_messages(settings: DeliverMessageSettings) -> DeferredMessages:
    lanes = {
        Purpose.TRANSACTIONAL: (settings.messages_queue_url, settings.messages_queue_arn),
        Purpose.MARKETING: (settings.marketing_queue_url, settings.marketing_queue_arn),
    }
    dead = settings.messages_dead_letter_queue_arn
    return DeferredMessages(
        clock=TimerService(
            sqs=aws.client("sqs"),
            scheduler=aws.client("scheduler"),
            role_arn=settings.schedule_role_arn,
            group=settings.schedule_group,
        ),
        lanes={purpose: TimerTarget(url=url, arn=arn, dead_letter_arn=dead) for purpose, (url, arn) in lanes.items()},
    )


def _rate_limiter(policy: Policy) -> RateLimiter:
    return TokenBuckets(policy.rates) if policy.rates else Unlimited()


def _provider(channel: Channel, settings: DeliverMessageSettings, sns: Any, policy: Policy) -> Provider:
    match channel:
        case Channel.SMS:
            return _sms(settings, sns, policy.dlt_entity)
        case Channel.EMAIL:
            return SesEmail(
                aws.client("sesv2", retries=False),
                sender=settings.email_sender,
                configuration_set=settings.email_configuration_set,
            )
        case Channel.WHATSAPP:
            return _whatsapp(settings)
        case Channel.PUSH:
            return SnsPush(sns)
        case Channel.IN_APP:
            return InAppProvider(DynamoInAppInbox(), FeedbackQueue(aws.client("sqs"), settings.feedback_queue_url))
        case _:
            assert_never(channel)


def _sms(settings: DeliverMessageSettings, sns: Any, dlt_entity: str) -> Provider:
    if not settings.sms_origination:
        return SnsSms(sns, sender_id=settings.sms_sender_id, dlt_entity=dlt_entity)

    return EndUserSms(
        aws.client("pinpoint-sms-voice-v2", retries=False),
        origination=settings.sms_origination,
        configuration_set=settings.sms_configuration_set,
        dlt_entity=dlt_entity,
    )


def _whatsapp(settings: DeliverMessageSettings) -> Provider:
    if not settings.whatsapp_phone_number_id:
        return NoWhatsApp()
    client = aws.client("socialmessaging", retries=False)
    return EndUserWhatsApp(
        client, phone_number_id=settings.whatsapp_phone_number_id, api_version=settings.whatsapp_api_version
    )
