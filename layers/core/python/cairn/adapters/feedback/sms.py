"""Text messages: reports of End User Messaging and SNS about ours, and customers' replies.

https://docs.aws.amazon.com/sms-voice/latest/userguide/configuration-sets-event-types.html
https://docs.aws.amazon.com/sms-voice/latest/userguide/configuration-sets-event-format.html
https://docs.aws.amazon.com/sms-voice/latest/userguide/rcs-events.html
https://docs.aws.amazon.com/sms-voice/latest/userguide/two-way-sms-payload.html
https://docs.aws.amazon.com/sns/latest/dg/sms_stats_cloudwatch.html
"""

from typing import Any

from cairn.adapters.feedback.event_builder import Origin, Report, build_event, from_epoch
from cairn.domain.consent.keywords import keyword_of
from cairn.domain.event import ACCOUNT_FAILURE, Event
from cairn.domain.shared.errors import InvalidEventError
from cairn.domain.shared.instants import instant_from_wire

FORMS = ("TEXT_", "MEDIA_", "RCS_")
"""The forms of a message to a phone number. A pool with an RCS agent sends a text as RCS first."""

VOICE = "VOICE_"
"""Calls: none is ours."""

KNOWN_CALLS = {"ANSWERED", "BUSY", "COMPLETED", "FAILED", "INITIATED", "NO_ANSWER", "RINGING", "TTL_EXPIRED"}

ARRIVED = {"DELIVERED", "SUCCESSFUL"}
"""Received by the phone, or accepted by the carrier; the country decides which of them is final."""

READ = "READ"
"""Of RCS: the recipient has opened it."""

FAILED = {
    "BLOCKED",
    "CARRIER_BLOCKED",
    "CARRIER_UNREACHABLE",
    "FAILED",
    "FILE_INACCESSIBLE",
    "FILE_SIZE_EXCEEDED",
    "FILE_TYPE_UNSUPPORTED",
    "INVALID",
    "INVALID_MESSAGE",
    "PROTECT_BLOCKED",
    "SPAM",
    "TTL_EXPIRED",
    "UNREACHABLE",
}
"""Not delivered. Only INVALID is about the number itself; the others are about this message, the carrier, the phone at
this moment, or the countries that the account's own protect configuration blocks.
"""

IGNORED = {"FALLEN_BACK_TO_SMS", "PENDING", "QUEUED", "UNKNOWN"}
"""UNKNOWN comes after 72 hours without a report of the carrier: the message may have arrived, and stays `sent`. What
RCS hands to SMS or MMS is reported as such.
"""

INVALID = "INVALID"
"""The destination is no valid phone number (…/configuration-sets-event-types.html, TEXT_INVALID)."""

OPTED_OUT = "Phone number is opted out"
"""The customer has sent STOP to AWS, and perhaps never to us."""

NO_NUMBER = "Invalid phone number"
"""This reason of SNS and OPTED_OUT are about the number itself (…/sms_stats_cloudwatch.html,
"SMS delivery failure reasons"). Other reasons (carrier, phone, a list) may be about one text only.
"""

NO_MONEY = "No quota left for account"
"""What SNS's log says of each text once the account's spend limit of the month is reached. SNS takes the text all the
same, and answers with an id: nothing but the log shows that it sends none. The page above does not list it; logs that
people published do.
"""

SANDBOX = "sandbox"
"""In what AWS says where an account without production access may send to verified numbers alone."""


def status(report: Report, origin: Origin) -> list[Event]:
    """The status of a message of End User Messaging. Its context, which we set, names the customer.

    Without a context, the number does. EventBridge leaves the number out: then nobody is named, and there is no event.
    """
    form, kind = _kind_of(str(report["eventType"]))
    if form == VOICE:
        return []
    is_final = report.get("isFinal") is not False
    if kind in IGNORED or (kind in FAILED and not is_final) or report.get("messageStatus") == "PENDING":
        return []
    failed, arrived = kind in FAILED, kind == "DELIVERED" or (kind in ARRIVED and is_final)
    context: Report = report.get("context") or {}
    number = _text(report.get("destinationPhoneNumber"))
    said = report.get("messageStatusDescription")
    type_ = "message.failed" if failed else "message.delivered" if arrived else "message.sent"
    return build_event(
        "message.opened" if kind == READ else type_,
        origin,
        id=(report["messageId"], report["eventType"], "" if is_final else "not final"),
        at=from_epoch(report["eventTimestamp"], 1000) if report.get("eventTimestamp") else None,
        customer={"cairn_id": context["customer"]} if context.get("customer") else {"phone": number},
        properties={
            "message_id": context.get("message"),
            "provider_message_id": report["messageId"],
            "channel": "sms",
            "address": number,
            "reason": (said if _is_of_the_account(said) else kind) if failed else None,
            "invalid_number": kind == INVALID or None,
            "opted_out": (failed and said == OPTED_OUT) or None,
            ACCOUNT_FAILURE: (failed and _is_of_the_account(said)) or None,
        },
    )


def _kind_of(event_type: str) -> tuple[str, str]:
    """Form and kind: `TEXT_`, `SPAM`. Raises InvalidEventError."""
    form = next((one for one in (*FORMS, VOICE) if event_type.startswith(one)), "")
    kind = event_type.removeprefix(form)
    known = KNOWN_CALLS if form == VOICE else ARRIVED | FAILED | IGNORED | {"SENT", READ}
    if not form or kind not in known:
        raise InvalidEventError(["End User Messaging tells of a kind of event that is not known here"])
    return form, kind


def _is_of_the_account(said: Any) -> bool:
    """Whether the account may not send: the next text fails as well, to any number."""
    return isinstance(said, str) and (said == NO_MONEY or SANDBOX in said.lower())


def reply(report: Report, origin: Origin) -> list[Event]:
    """A customer's text to one of our numbers."""
    text = str(report.get("messageBody") or "")
    number = _text(report["originationNumber"])
    return build_event(
        "message.replied",
        origin,
        id=(report["inboundMessageId"],),
        at=None,
        customer={"phone": number},
        properties={
            "provider_message_id": report["inboundMessageId"],
            "channel": "sms",
            "address": number,
            "text": text,
            "keyword": keyword_of(text),
            "reply_to": report.get("previousPublishedMessageId"),
            "to": report.get("destinationNumber"),
        },
    )


def delivery_log(report: Report, origin: Origin) -> list[Event]:
    """A line of SNS's log of texts. It identifies the message by number and SNS's id only.

    A text that fails because the account may not send says nothing about its number.
    """
    sent, delivery = report["notification"], report["delivery"]
    if report["status"] not in {"SUCCESS", "FAILURE"}:
        raise InvalidEventError(["SNS logs a status of a text message that is not known here"])
    failed = report["status"] == "FAILURE"
    number = _text(delivery.get("destination"))
    said = delivery.get("providerResponse")
    return build_event(
        "message.failed" if failed else "message.delivered",
        origin,
        id=(sent["messageId"], report["status"]),
        at=origin.at or instant_from_wire(sent["timestamp"]),
        customer={"phone": number},
        properties={
            "provider_message_id": sent["messageId"],
            "channel": "sms",
            "address": number,
            "reason": said if failed else None,
            "invalid_number": (failed and said == NO_NUMBER) or None,
            "opted_out": (failed and said == OPTED_OUT) or None,
            ACCOUNT_FAILURE: (failed and _is_of_the_account(said)) or None,
        },
    )


def _text(number: Any) -> str:
    """A number as the provider writes it. A short code or a name is no customer, which process_event says."""
    return str(number or "").strip()
