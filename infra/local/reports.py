"""Providers' reports in the shapes of AWS, from documents that people can read (events/aws)."""

import base64
import gzip
import json
import re
from collections.abc import Mapping
from datetime import datetime
from typing import Any
from uuid import NAMESPACE_URL, uuid5

from infra.local.shapes import ACCOUNT, REGION, Shape

SOURCE = "aws"
"""The source of a report in a scenario."""

TOPIC = f"arn:aws:sns:{REGION}:{ACCOUNT}:cairn-feedback"

REFERENCE = re.compile(r"\$(customer|(?:message|provider):[\w-]+(?:#\d+)?)")
"""In a scenario: the id of the customer, of a step's message, and the provider's id of that message. `#2` after the
step is the second message that it sent."""


def fill_references(document: Any, names: Mapping[str, str]) -> Any:
    """The document with each REFERENCE replaced by its id. Raises KeyError."""
    return json.loads(REFERENCE.sub(lambda token: names[token[1]], json.dumps(document)))


def is_logged(document: Any) -> bool:
    """A report in a log, which starts the function itself, and not a message of a topic."""
    return isinstance(document, dict) and {"notification", "delivery"} <= document.keys()


def log_event(document: Any, now: datetime) -> Shape:
    """The event of a subscription filter of CloudWatch Logs."""
    line = {"id": _id(document), "timestamp": int(now.timestamp() * 1000), "message": json.dumps(document)}
    group = f"sns/{REGION}/{ACCOUNT}/DirectPublishToPhoneNumber"
    batch = {
        "messageType": "DATA_MESSAGE",
        "owner": ACCOUNT,
        "logGroup": group,
        "logStream": "local",
        "subscriptionFilters": ["local"],
        "logEvents": [line],
    }
    return {"awslogs": {"data": base64.b64encode(gzip.compress(json.dumps(batch).encode(), mtime=0)).decode()}}


def queue_body(document: Any, now: datetime) -> str:
    """The message on the feedback queue: an event of EventBridge unchanged, all else in the envelope of SNS."""
    if isinstance(document, dict) and ("detail-type" in document or "awslogs" in document or "TopicArn" in document):
        return json.dumps(document)
    if isinstance(document, dict) and not isinstance(document.get("whatsAppWebhookEntry", ""), str):
        document = document | {"whatsAppWebhookEntry": json.dumps(document["whatsAppWebhookEntry"])}
    envelope = {
        "Type": "Notification",
        "MessageId": _id(document),
        "TopicArn": TOPIC,
        "Message": json.dumps(document),
        "Timestamp": now.strftime("%Y-%m-%dT%H:%M:%S.") + f"{now.microsecond // 1000:03d}Z",
        "SignatureVersion": "1",
        "Signature": "bG9jYWw=",
        "SigningCertURL": f"https://sns.{REGION}.amazonaws.com/SimpleNotificationService-local.pem",
        "UnsubscribeURL": f"https://sns.{REGION}.amazonaws.com/?Action=Unsubscribe&SubscriptionArn={TOPIC}:local",
    }
    return json.dumps(envelope)


def _id(document: Any) -> str:
    """The same id for the same report, as in a redelivery."""
    return str(uuid5(NAMESPACE_URL, json.dumps(document)))
