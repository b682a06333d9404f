"""Providers' reports about messages, and customers' replies, as canonical events.

A body comes from the feedback queue (an SNS envelope, an EventBridge event, or what a topic publishes raw) or from
CloudWatch Logs. The format is detected from the JSON, whatever its origin.
"""

import base64
import json
import zlib
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from cairn.adapters.feedback import in_app, ses, sms, whatsapp
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
"""Raised while a document is read that looks like one format and has another shape."""

NO_MESSAGE = {"Registration Status Change"}
"""Events of End User Messaging that are about the account's registrations
(https://docs.aws.amazon.com/sms-voice/latest/userguide/monitor-event-bridge.html)."""

MAX_LOG_BYTES = 8_000_000
"""Of one batch of log lines, unpacked; CloudWatch Logs packs at most 1 MiB of them (its PutLogEvents quota)."""

WHATSAPP = "whatsAppWebhookEntry"
"""The field of End User Messaging Social's document with Meta's own."""

TOPIC_GREETING = "Successfully validated SNS topic"
"""The start of the text that SES posts once to each new topic."""


def read(body: str, now: datetime) -> list[Event]:
    """The events of a body; none where no status changes, or where no customer is named.

    Raises InvalidEventError for a body that no provider sends.
    """
    try:
        return _read(json.loads(body), now)
    except UNREADABLE:
        raise InvalidEventError(["not in a shape in which a provider tells of messages"]) from None


def account_alarms(body: str) -> list[Mapping[str, Any]]:
    """What a report that `read` has read says about our own account, such as a template that Meta has paused."""
    if WHATSAPP not in body:
        return []
    document = json.loads(body)
    return whatsapp.account_alarms(json.loads(document["Message"]) if "Message" in document else document)


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
    if envelope["Message"].startswith(TOPIC_GREETING):
        return []
    at = instant_from_wire(envelope["Timestamp"]) if envelope.get("Timestamp") else None
    return _published(json.loads(envelope["Message"]), Origin(now, envelope.get("MessageId", ""), at))


def _emitted(event: Mapping[str, Any], now: datetime) -> list[Event]:
    """EventBridge; the detail is what the same service publishes to a topic."""
    if event["source"] not in {"aws.ses", "aws.sms-voice"}:
        # aws.social-messaging reports here without naming the customer.
        raise InvalidEventError(["EventBridge: from aws.ses and aws.sms-voice only; WhatsApp reports to an SNS topic"])
    if event["detail-type"] in NO_MESSAGE:
        return []
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


def _published(report: Mapping[str, Any], origin: Origin) -> list[Event]:
    for field, reader in ((WHATSAPP, whatsapp.read), (in_app.FORM, in_app.read)):
        if field in report:
            return reader(report, origin)
    if "inboundMessageId" in report:
        return sms.reply(report, origin)
    if "notification" in report and "delivery" in report:
        return sms.delivery_log(report, origin)
    if "mail" in report:
        return ses.read(report, origin)
    if report.get("notificationType") == "AmazonSnsSubscriptionSucceeded":  # SES, of an identity's feedback topic
        return []
    if str(report["eventType"]).startswith((*sms.FORMS, sms.VOICE)):
        return sms.status(report, origin)
    raise InvalidEventError(["of a kind that is neither known nor known to mean nothing"])
