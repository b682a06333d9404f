"""WhatsApp through End User Messaging Social: Meta's webhook entry as a text in AWS's own document.

https://docs.aws.amazon.com/social-messaging/latest/userguide/managing-event-destination-dlrs.html
https://developers.facebook.com/docs/whatsapp/cloud-api/webhooks/components
"""

import json
import re
from collections.abc import Iterator
from typing import Any

from cairn.adapters.feedback.event_builder import Origin, Report, build_event, from_epoch
from cairn.domain.consent.changes import Method
from cairn.domain.consent.keywords import keyword_of
from cairn.domain.event import ACCOUNT_FAILURE, Event
from cairn.domain.identity.addresses import is_whatsapp_user, whatsapp_number
from cairn.domain.shared.instants import instant_from_wire

STATUSES = {
    "sent": "message.sent",
    "delivered": "message.delivered",
    "read": "message.opened",
    "played": "message.opened",
    "failed": "message.failed",
}
"""Others (deleted, warning) change no status."""

MEDIA = {"audio", "document", "image", "sticker", "video", "voice"}

REPLIES = {"button", "contacts", "interactive", "location", "order", "text", *MEDIA}
"""The kinds of message with which a customer writes to us. Meta adds others: what changes or takes back an earlier
message (`edit`, `revoke`), what WhatsApp itself says about a customer (`system`, `request_welcome`, `ephemeral`), and
what it cannot show (`unsupported`, `unknown`). None of them answers a question.
"""

REACTION = "reaction"

STOPPED_MARKETING = "131050"
"""Meta's error code: this recipient has chosen, in WhatsApp, to get no more marketing from us."""

OF_THE_ACCOUNT = {
    "368": "temporarily blocked, for violating a policy",
    "80007": "too many calls for the account",
    "130429": "the number's throughput is reached",
    "131031": "the account is locked",
    "131037": "the number's display name is not approved",
    "131042": "payment: no method, an invoice that is due, a currency that is missing",
    "131048": "too many messages of this number were blocked or called spam",
    "131057": "the account is in maintenance",
    "133010": "the number is not registered",
}
"""Meta's codes by which the account or its number may not send, to any customer.

131056 is none of them: it limits how often one customer is written to, and others still are.
https://developers.facebook.com/documentation/business-messaging/whatsapp/support/error-codes/
"""

PREFERENCES = {"stop": "denied", "resume": "granted"}

GROUP = "group"
"""The type of a recipient that is no person: its id must not become a number."""

OF_THEIR_OWN = {"method": Method.PREFERENCE_PAGE.value}
"""The preferences in WhatsApp, which only the customer can set."""

CALLBACK = re.compile(r"(c_\w+)/([\w.-]+)")
"""`<customer>/<message>`, set by end_user_messaging.py; Meta returns it with each status."""


def read(report: Report, origin: Origin) -> list[Event]:
    """Statuses, messages and preferences, in the order of the report."""
    entry = report["whatsAppWebhookEntry"]
    entry = json.loads(entry) if isinstance(entry, str) else entry
    posted = instant_from_wire(report["message_timestamp"]) if report.get("message_timestamp") else origin.at
    origin = Origin(origin.now, report.get("messageId") or origin.id, posted)
    return [event for change in entry["changes"] for event in _change(change["value"], origin)]


def _change(value: Report, origin: Origin) -> Iterator[Event]:
    for status in value.get("statuses") or ():
        yield from _status(status, origin)
    for message in value.get("messages") or ():
        yield from _reply(message, value, origin)
    for preference in value.get("user_preferences") or ():
        yield from _preference(preference, origin)


def _status(status: Report, origin: Origin) -> list[Event]:
    type_ = STATUSES.get(status["status"])
    if type_ is None:
        return []
    callback = CALLBACK.fullmatch(str(status.get("biz_opaque_callback_data")))
    customer, message = callback.groups() if callback else ("", "")
    to = "" if status.get("recipient_type") == GROUP else str(status.get("recipient_id") or "")
    number, user_id = _address(to, status.get("recipient_user_id"))
    errors = status.get("errors") or [{}]
    code = str(errors[0].get("code") or "")
    denial = {"channel": "whatsapp", "purpose": "marketing", "status": "denied", "reason": code, **OF_THEIR_OWN}
    return build_event(
        type_,
        origin,
        id=(status["id"], status["status"]),
        at=_at(status),
        customer={"cairn_id": customer} if customer else _who(number, user_id),
        properties={
            "message_id": message,
            "provider_message_id": status["id"],
            "channel": "whatsapp",
            "address": number or user_id,
            "reason": code if type_ == "message.failed" else None,
            ACCOUNT_FAILURE: (type_ == "message.failed" and code in OF_THE_ACCOUNT) or None,
        },
        consent=[denial] if code == STOPPED_MARKETING else [],
    )


def _reply(message: Report, value: Report, origin: Origin) -> list[Event]:
    kind = message["type"]
    if kind not in REPLIES | {REACTION} or (kind in MEDIA and not (message.get(kind) or {}).get("id")):
        return []
    text = _text(message)
    number, user_id = _address(message.get("from"), message.get("from_user_id") or _user_id(message, value))
    to = (value.get("metadata") or {}).get("display_phone_number")
    return build_event(
        "message.replied" if kind in REPLIES else "message.reacted",
        origin,
        id=(message["id"],),
        at=_at(message),
        customer=_who(number, user_id),
        properties={
            "provider_message_id": message["id"],
            "channel": "whatsapp",
            "address": number or user_id,
            "kind": kind,
            "text": text,
            "keyword": keyword_of(text) if kind in REPLIES else None,
            "reply_to": (message.get("context") or {}).get("id") or (message.get("reaction") or {}).get("message_id"),
            "to": whatsapp_number(str(to or "")) or to,
        },
    )


def _preference(preference: Report, origin: Origin) -> list[Event]:
    """A preference that the customer has set in WhatsApp."""
    status = PREFERENCES.get(preference["value"])
    if status is None or preference.get("category") != "marketing_messages":
        return []
    number, user_id = _address(preference.get("wa_id"), preference.get("user_id"))
    said = OF_THEIR_OWN | ({"wording": preference["detail"]} if preference.get("detail") else {})
    return build_event(
        "consent.changed",
        origin,
        id=(number or user_id, "marketing_messages", preference["value"], preference.get("timestamp") or origin.id),
        at=_at(preference),
        customer=_who(number, user_id),
        properties={"channel": "whatsapp", "address": number or user_id, "state": preference["value"]},
        consent=[{"channel": "whatsapp", "purpose": "marketing", "status": status} | said],
    )


def _address(written: Any, user_id: Any) -> tuple[str, str]:
    """The number and the id of a customer; each empty where Meta gives none. An id never becomes a number."""
    text, id_ = str(written or ""), str(user_id or written or "")
    return whatsapp_number(text) or "", id_ if is_whatsapp_user(id_) else ""


def _who(number: str, user_id: str) -> dict[str, Any]:
    """The phone number, WhatsApp's id of the customer for this business, or both."""
    return {"phone": number, "external_ids": {"whatsapp": user_id} if user_id else {}}


def _user_id(message: Report, value: Report) -> Any:
    contacts: list[Report] = value.get("contacts") or []
    own = [one for one in contacts if one.get("wa_id") and one["wa_id"] == message.get("from")]
    (one,) = own[:1] or (contacts if len(contacts) == 1 else [{}])
    return one.get("user_id")


def _text(message: Report) -> str:
    """The text, choice or reaction of the customer; empty for a picture without a caption."""
    kind = message["type"]
    part: Any = message.get(kind) or {}
    if kind == "interactive":
        part = part.get(part["type"]) or {}
    if not isinstance(part, dict):  # contacts are a list
        return ""
    return str(next((part[name] for name in ("body", "text", "title", "caption", "emoji") if part.get(name)), ""))


def _at(item: Report) -> Any:
    return from_epoch(item["timestamp"]) if item.get("timestamp") else None
