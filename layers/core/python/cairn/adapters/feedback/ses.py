"""Amazon SES's reports about an e-mail: event publishing (`eventType`) and an identity's feedback (`notificationType`).

https://docs.aws.amazon.com/ses/latest/dg/event-publishing-retrieving-sns-contents.html
"""

from email.utils import parseaddr
from typing import Any

from cairn.adapters.feedback.event_builder import Origin, Report, build_event
from cairn.domain.event import Event
from cairn.domain.shared.errors import InvalidEventError
from cairn.domain.shared.instants import instant_from_wire

TYPES = {
    "Delivery": "message.delivered",
    "Bounce": "message.bounced",
    "Complaint": "message.complained",
    "Reject": "message.failed",
    "Rendering Failure": "message.failed",
    "Open": "message.opened",
    "Click": "message.clicked",
}

IGNORED = {"Send", "DeliveryDelay", "Subscription"}
"""Send repeats the answer to our call; a delay ends in delivery or bounce; we do not use the lists of SES."""

DETAIL = {"Rendering Failure": "failure"}
RECIPIENTS = {"Bounce": "bouncedRecipients", "Complaint": "complainedRecipients", "Delivery": "recipients"}
REASON = {
    "Bounce": "bounceSubType",
    "Complaint": "complaintFeedbackType",
    "Reject": "reason",
    "Rendering Failure": "errorMessage",
}
REPEATABLE = {"Open", "Click"}
"""A recipient may do these to the same message more than once."""


def read(report: Report, origin: Origin) -> list[Event]:
    """One event for each recipient. The message's tags name the customer; without tags, the address does."""
    kind = report.get("eventType") or report["notificationType"]
    if kind in IGNORED:
        return []
    if kind not in TYPES:
        raise InvalidEventError(["SES tells of a kind of event that is not known here"])
    mail: Report = report["mail"]
    detail: Report = report.get(DETAIL.get(kind, kind.lower())) or {}
    tags: Report = mail.get("tags") or {}
    customer = _first(tags.get("customer"))
    addresses = _addresses(detail.get(RECIPIENTS.get(kind, "")) or mail.get("destination"))
    if len(addresses) > 1 and kind in REPEATABLE:
        addresses = [""]  # SES does not say which of them did
    at = instant_from_wire(detail["timestamp"]) if detail.get("timestamp") else None
    again = (detail.get("timestamp"), detail.get("link")) if kind in REPEATABLE else ()
    return [
        event
        for address in addresses or [""]
        for event in build_event(
            TYPES[kind],
            origin,
            id=(mail.get("messageId") or origin.id, kind, address, detail.get("bounceType"), *again),
            at=at,
            customer={"cairn_id": customer} if customer else {"email": address},
            properties={
                "message_id": _first(tags.get("message")),
                "provider_message_id": mail.get("messageId"),
                "channel": "email",
                "address": address,
                "reason": detail.get(REASON.get(kind, "")),
                "bounce_type": detail.get("bounceType"),
                "link": detail.get("link"),
            },
        )
    ]


def _addresses(recipients: Any) -> list[str]:
    """Plain and in lower case, each once; they come as text, or in an object with the reason beside it."""
    texts = [one["emailAddress"] if isinstance(one, dict) else one for one in recipients or ()]
    return list(dict.fromkeys(address for text in texts if (address := parseaddr(text)[1].lower())))


def _first(values: Any) -> str:
    return str(values[0]) if isinstance(values, list) and values else ""
