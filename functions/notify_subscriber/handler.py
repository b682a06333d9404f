"""Notices queue → one signed POST to a webhook endpoint, or a notification of a member about a task."""

import json
from datetime import UTC, datetime
from functools import cache
from typing import Any

from aws_lambda_powertools.utilities.data_classes.sqs_event import SQSRecord

from cairn.adapters.documents.json_text import to_json
from cairn.adapters.sqs.notification_queue import MEMBER, notification_from_wire
from cairn.adapters.sqs.webhook_queue import delivery_from_wire, delivery_to_wire
from cairn.application.people.notify_member import NotifyMember
from cairn.application.webhooks.deliver_webhook import DeliverWebhook
from cairn.compose import notify_subscriber as compose
from cairn.compose.queues import consumed_queues
from cairn.domain.people.notification import MemberNotification
from cairn.domain.shared.errors import WebhookEndpointError
from cairn.sqs_records import Consumer, consume
from cairn.telemetry import count, logger

SENT = "sent"
"""The usual outcome of a notification, which is only logged."""


@cache
def deliver() -> DeliverWebhook:
    return compose.notify_subscriber()


@cache
def notify() -> NotifyMember:
    return compose.notify_member()


@cache
def consumer() -> Consumer:
    return Consumer(
        function="notify_subscriber",
        queue="notices",
        dead_letters=compose.dead_letters(),
        put_off=consumed_queues().put_off,
    )


def warm() -> None:
    deliver()
    notify()
    consumer()


def handler(event: dict[str, Any], context: Any) -> Any:
    return consume(event, context, notify_record, consumer())


def notify_record(record: SQSRecord) -> None:
    wire = json.loads(record.body)
    if MEMBER in wire:
        send_notification(notification_from_wire(wire))
        return
    delivery = delivery_from_wire(wire)
    try:
        outcome = deliver()(delivery, datetime.now(UTC)).value
    except WebhookEndpointError as error:
        # A redriven delivery has all its attempts again.
        consumer().dead_letters.add(to_json(delivery_to_wire(delivery.restarted())), consumer().reason(error))
        outcome = "parked"
    count("NoticeHandled", outcome=outcome)
    logger.info("notice handled", notice=delivery.id, subscriber=delivery.endpoint, outcome=outcome)


def send_notification(one: MemberNotification) -> None:
    outcome = notify()(one, datetime.now(UTC)).value
    if outcome != SENT:
        count("MemberNotified", outcome=outcome, kind=one.kind.value)
    logger.info("notification of a member handled", kind=one.kind.value, member=one.member, outcome=outcome)
