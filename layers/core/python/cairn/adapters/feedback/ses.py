"""Amazon SES's reports about an e-mail: event publishing (`eventType`) and an identity's feedback (`notificationType`).

https://docs.aws.amazon.com/ses/latest/dg/event-publishing-retrieving-sns-contents.html
https://docs.aws.amazon.com/ses/latest/dg/notification-contents.html

| SES says                                       | here                                                           |
|------------------------------------------------|----------------------------------------------------------------|
| Bounce, Permanent                              | `message.bounced`: not delivered, the address is suppressed    |
| … OnAccountSuppressionList                     | the same, and not counted: SES has not tried to send it        |
| … UnsubscribedRecipient                        | `message.bounced`, and marketing by e-mail is denied           |
| Bounce, Transient, with a subtype that says why | `message.bounced`: not delivered                              |
| Bounce, General or Undetermined                | `message.bounced`, unless it may be an automatic answer: with  |
|                                                | no mail server's report, and a delivery before, it is          |
|                                                | `message.auto_replied`, and nothing has failed                 |
| Complaint                                      | `message.complained`: the address is suppressed                |
| … OnAccountSuppressionList                     | `message.failed`: not tried, for an earlier complaint          |
| … not-spam, auth-failure, virus                | `message.reported`: nobody complained                          |
| Reject, Rendering Failure                      | `message.failed`: not delivered                                |
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from email.utils import parseaddr
from typing import Any

from cairn.adapters.feedback.event_builder import Origin, Report, build_event
from cairn.domain.consent.changes import Method
from cairn.domain.event import COMPLAINED_BEFORE, NOT_TRIED, PERHAPS_AUTO_REPLY, Event
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

ON_ACCOUNT_LIST = "OnAccountSuppressionList"
"""A subtype of bounces and of complaints: the address is on the account's own suppression list, so SES has accepted the
message and not tried to send it. "This does not count toward your bounce rate metric."
"""

UNSUBSCRIBED = "UnsubscribedRecipient"
"""A subtype of bounces: the recipient has unsubscribed by a link of SES's own."""

PERMANENT = "Permanent"

NOT_FOUND_OUT = {"", "General", "Undetermined"}
"""Subtypes that do not say why. SES gives the type Bounce, Transient and General to automatic answers, too: "If you
send an email to a recipient who has an active automatic response rule (such as an out of the office message), you might
receive this type of notification."
"""

NO_COMPLAINT = {"not-spam", "auth-failure", "virus"}
"""Kinds of reports of RFC 5965 and RFC 6591 that no person makes against the sender: a correction ("does not consider
the message to be spam"), a failed authentication, a virus that was found. All other kinds count as a complaint, those
that are not known here as well.
"""

FAILED = "failed"
FAILURE_CODES = ("4", "5")
"""The classes of a report's status that mean a failure (RFC 3463, section 3.1), where it names no action (RFC 3464,
2.3.3)."""


def read(report: Report, origin: Origin) -> list[Event]:
    """One event for each recipient. The message's tags name the customer; without tags, the address does."""
    kind = report.get("eventType") or report["notificationType"]
    if kind in IGNORED:
        return []
    if kind not in TYPES:
        raise InvalidEventError(["SES tells of a kind of event that is not known here"])
    mail: Report = report["mail"]
    detail: Report = report.get(DETAIL.get(kind, kind.lower())) or {}
    named = _recipients(detail.get(RECIPIENTS.get(kind, "")))
    recipients = named or _recipients(mail.get("destination"))
    if len(recipients) > 1 and (kind in REPEATABLE or (kind == "Bounce" and not named)):
        recipients = {}  # SES does not say which of them it was
    return [
        event
        for address, said in (recipients or {"": {}}).items()
        for event in _about(address, mail, detail, _meaning(kind, detail, said), origin)
    ]


@dataclass(frozen=True, slots=True)
class _Meaning:
    """What a report says about one recipient."""

    kind: str
    """As SES names it."""
    type: str
    reason: str | None = None
    properties: Mapping[str, Any] = field(default_factory=dict)
    consent: Sequence[Report] = ()
    id: str = ""
    """What distinguishes it from other reports of its kind."""


def _about(address: str, mail: Report, detail: Report, meaning: _Meaning, origin: Origin) -> list[Event]:
    """The event of one recipient."""
    tags: Report = mail.get("tags") or {}
    customer = _first(tags.get("customer"))
    again = (detail.get("timestamp"), detail.get("link")) if meaning.kind in REPEATABLE else ()
    return build_event(
        meaning.type,
        origin,
        id=(mail.get("messageId") or origin.id, meaning.kind, address, detail.get("bounceType"), meaning.id, *again),
        at=instant_from_wire(detail["timestamp"]) if detail.get("timestamp") else None,
        customer={"cairn_id": customer} if customer else {"email": address},
        properties={
            "message_id": _first(tags.get("message")),
            "provider_message_id": mail.get("messageId"),
            "channel": "email",
            "address": address,
            "reason": meaning.reason,
            "bounce_type": detail.get("bounceType"),
            "link": detail.get("link"),
            **meaning.properties,
        },
        consent=meaning.consent,
    )


def _meaning(kind: str, detail: Report, recipient: Report) -> _Meaning:
    reason = detail.get(REASON.get(kind, ""))
    if kind == "Bounce":
        return _bounce(str(reason or ""), detail, recipient)
    if kind == "Complaint" and detail.get("complaintSubType") == ON_ACCOUNT_LIST:
        before = {NOT_TRIED: True, COMPLAINED_BEFORE: True}
        return _Meaning(kind, "message.failed", ON_ACCOUNT_LIST, before, id=ON_ACCOUNT_LIST)
    if kind == "Complaint" and (said := str(reason or "").lower()) in NO_COMPLAINT:
        return _Meaning(kind, "message.reported", said, id=said)
    return _Meaning(kind, TYPES[kind], reason)


def _bounce(subtype: str, detail: Report, recipient: Report) -> _Meaning:
    bounced = _Meaning("Bounce", TYPES["Bounce"], subtype)
    if subtype == UNSUBSCRIBED:
        denial = {"channel": "email", "purpose": "marketing", "status": "denied", "reason": UNSUBSCRIBED}
        of_their_own = denial | {"method": Method.PREFERENCE_PAGE.value}
        return replace(bounced, properties={NOT_TRIED: True, "bounce_type": None}, consent=[of_their_own])
    if subtype == ON_ACCOUNT_LIST:
        return replace(bounced, properties={NOT_TRIED: True})
    if detail.get("bounceType") != PERMANENT and subtype in NOT_FOUND_OUT and not _says_failed(recipient):
        return replace(bounced, properties={PERHAPS_AUTO_REPLY: True}, id=PERHAPS_AUTO_REPLY)
    return bounced


def _says_failed(recipient: Report) -> bool:
    """Whether a mail server's own report (DSN, RFC 3464) says that it gave up. No automatic answer has one."""
    action = recipient.get("action")
    if action:
        return str(action).lower() == FAILED
    return str(recipient.get("status") or "").startswith(FAILURE_CODES)


def _recipients(recipients: Any) -> dict[str, Report]:
    """By plain address in lower case, what is said about each; they come as text, or in an object."""
    found: dict[str, Report] = {}
    for one in recipients or ():
        text, said = (one["emailAddress"], one) if isinstance(one, dict) else (one, {})
        if address := parseaddr(text)[1].lower():
            found.setdefault(address, said)
    return found


def _first(values: Any) -> str:
    return str(values[0]) if isinstance(values, list) and values else ""
