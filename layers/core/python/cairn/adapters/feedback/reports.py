"""What providers tell of messages, and what customers answer, as canonical events.

A body is what stands on the feedback queue (an SNS envelope, an EventBridge event, what a topic publishes as it is) or
what CloudWatch Logs hands over. What it tells is told by its shape, not by where it came from.
"""

import base64
import json
import zlib
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from cairn.adapters.feedback import ses, sms, whatsapp
from cairn.adapters.feedback.event_builder import Origin, from_epoch
from cairn.domain.event import Event
from cairn.domain.shared.errors import InvalidEventError
from cairn.domain.shared.instants import instant_from_wire

UNREADABLE = (
    ArithmeticError,
    AttributeError,
    EOFError,
    LookupError,
    RecursionError,
    TypeError,
    ValueError,
    zlib.error,
)
"""What a document of another shape than the one it seems to have makes of reading it."""

MAX_LOG_BYTES = 8_000_000
"""Of one batch of log lines, unpacked; CloudWatch Logs packs at most 1 MiB of them (its PutLogEvents quota)."""

ANNOUNCED = "Successfully validated SNS topic"
"""How the text begins that SES posts once to a topic that it is to report to."""


def read(body: str, now: datetime) -> list[Event]:
    """The events that a body tells of; none where it says nothing that a status should show, or names nobody.

    Raises InvalidEventError for what no provider tells in such a way.
    """
    try:
        return _read(json.loads(body), now)
    except UNREADABLE:
        raise InvalidEventError(["not in a shape in which a provider tells of messages"]) from None


def _read(document: Mapping[str, Any], now: datetime) -> list[Event]:
    if "awslogs" in document:
        return _logged(document["awslogs"]["data"], now)
    if "detail-type" in document:
        return _emitted(document, now)
    if "TopicArn" in document or "Type" in document:
        return _notified(document, now)
    return _published(document, Origin(now))


def _notified(envelope: Mapping[str, Any], now: datetime) -> list[Event]:
    """SNS: https://docs.aws.amazon.com/sns/latest/dg/sns-sqs-as-subscriber.html."""
    if envelope["Type"] != "Notification":
        raise InvalidEventError(["not a notification: confirm or remove the subscription at its topic"])
    if envelope["Message"].startswith(ANNOUNCED):
        return []
    at = instant_from_wire(envelope["Timestamp"]) if envelope.get("Timestamp") else None
    return _published(json.loads(envelope["Message"]), Origin(now, envelope.get("MessageId", ""), at))


def _emitted(event: Mapping[str, Any], now: datetime) -> list[Event]:
    """EventBridge; the detail is what the same service publishes to a topic."""
    if event["source"] not in {"aws.ses", "aws.sms-voice"}:
        # aws.social-messaging reports here without a word of whom it is about.
        raise InvalidEventError(["EventBridge: from aws.ses and aws.sms-voice only; WhatsApp reports to an SNS topic"])
    at = instant_from_wire(event["time"]) if event.get("time") else None
    return _published(event["detail"], Origin(now, event.get("id", ""), at))


def _logged(data: str, now: datetime) -> list[Event]:
    """CloudWatch Logs: https://docs.aws.amazon.com/lambda/latest/dg/services-cloudwatchlogs.html."""
    unpacked = zlib.decompressobj(wbits=zlib.MAX_WBITS | 16).decompress(base64.b64decode(data), MAX_LOG_BYTES)
    batch = json.loads(unpacked)
    if batch["messageType"] == "CONTROL_MESSAGE":  # asks whether we are there
        return []
    return [
        event
        for line in batch["logEvents"]
        for event in sms.delivery_log(json.loads(line["message"]), Origin(now, at=from_epoch(line["timestamp"], 1000)))
    ]


def _published(told: Mapping[str, Any], origin: Origin) -> list[Event]:
    if "whatsAppWebhookEntry" in told:
        return whatsapp.read(told, origin)
    if "inboundMessageId" in told:
        return sms.reply(told, origin)
    if "notification" in told and "delivery" in told:
        return sms.delivery_log(told, origin)
    if "mail" in told:
        return ses.read(told, origin)
    if told.get("notificationType") == "AmazonSnsSubscriptionSucceeded":  # SES, of an identity's feedback topic
        return []
    if str(told["eventType"]).startswith("TEXT_"):
        return sms.status(told, origin)
    raise InvalidEventError(["of a kind that is neither known nor known to mean nothing"])
