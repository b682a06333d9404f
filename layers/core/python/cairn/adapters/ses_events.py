"""What Amazon SES tells of an e-mail, as canonical events.

Read are SNS notifications of event publishing (`eventType`) and of identity feedback (`notificationType`):
https://docs.aws.amazon.com/ses/latest/dg/event-publishing-retrieving-sns-contents.html
"""

import json
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from cairn.domain.customer import FEEDBACK_SOURCE
from cairn.domain.errors import InvalidEventError
from cairn.domain.event import Event, instant_from_wire

TYPES = {
    "Delivery": "message.delivered",
    "Bounce": "message.bounced",
    "Complaint": "message.complained",
    "Reject": "message.failed",
    "Rendering Failure": "message.failed",
    "Open": "message.opened",
    "Click": "message.clicked",
}
"""Send, DeliveryDelay and Subscription say nothing that a status should show."""


def events_of(envelope: Mapping[str, Any], now: datetime) -> list[Event]:
    """The events in one SNS notification; none where it tells nothing of use. Raises InvalidEventError."""
    try:
        told = json.loads(envelope["Message"])
        kind = told.get("eventType") or told["notificationType"]
        tags = told["mail"].get("tags", {})
    except (ValueError, KeyError, TypeError, AttributeError):
        raise InvalidEventError(["not an SNS notification of an SES event"]) from None
    message, customer = _first(tags.get("message")), _first(tags.get("customer"))
    if kind not in TYPES or message is None or customer is None:
        return []
    detail = told.get(kind.lower()) or {}
    properties: dict[str, Any] = {"message_id": message, "channel": "email"}
    recipients = detail.get("bouncedRecipients") or detail.get("complainedRecipients") or []
    if recipients:
        properties["address"] = recipients[0]["emailAddress"].lower()
    if kind == "Bounce":
        properties["bounce_type"] = detail.get("bounceType")
    if kind == "Click":
        properties["link"] = detail.get("link")
    at = detail.get("timestamp")
    return [
        Event(
            id=envelope.get("MessageId", f"{message}/{kind}"),
            source=FEEDBACK_SOURCE,
            type=TYPES[kind],
            occurred_at=min(instant_from_wire(at), now) if at else now,
            customer_id=customer,
            properties=properties,
        ),
    ]


def _first(values: Any) -> str | None:
    return str(values[0]) if isinstance(values, list) and values else None
