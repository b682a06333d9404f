"""Whether a message may go to a customer on a channel at all, whatever the hour."""

from datetime import datetime

from cairn.domain.consent.changes import ConsentChange, ConsentStatus
from cairn.domain.consent.contact import Contact
from cairn.domain.consent.suppression import Cause, Suppression
from cairn.domain.gate.verdict import Reason, Suppress, Why
from cairn.domain.message.message import Message
from cairn.domain.policy import Policy
from cairn.domain.shared.channels import CHANNELS, Channel, Purpose
from cairn.domain.shared.instants import instant_to_wire

OWN_WORD = frozenset({Cause.STOP, Cause.UNSUBSCRIBE})
"""Suppressions that are the customer's own word, as against a dead or complaining address."""


def denial(message: Message, channel: Channel, contact: Contact, policy: Policy, now: datetime) -> Suppress | None:
    """Why the message may not go out on the channel; None where it may."""
    if not message.addresses.get(channel):
        return Suppress(Reason.NO_ADDRESS, {"channel": channel.value})
    for suppression in contact.suppressed.get(channel, ()):
        if suppression.covers(message.purpose):
            return _suppressed(channel, suppression)
    return (
        _without_consent(message, channel, contact, policy)
        or _outlawed(message, channel, policy)
        or _outside_session(message, channel, contact, now)
    )


def legal_basis(message: Message, channel: Channel, contact: Contact) -> tuple[Reason, Why]:
    """What a message that may go out rests on."""
    change = contact.change(channel, message.purpose)
    if change is not None and change.status is ConsentStatus.GRANTED:
        return Reason.GRANTED, _told(change)
    return Reason.IMPLIED, {}


def _suppressed(channel: Channel, suppression: Suppression) -> Suppress:
    reason = Reason.OPTED_OUT if suppression.cause in OWN_WORD else Reason.SUPPRESSED_ADDRESS
    why = {"channel": channel.value, "cause": suppression.cause.value, "since": instant_to_wire(suppression.at)}
    return Suppress(reason, why)


def _without_consent(message: Message, channel: Channel, contact: Contact, policy: Policy) -> Suppress | None:
    change = contact.change(channel, message.purpose)
    asked = {"channel": channel.value, "purpose": message.purpose.value}
    if change is None or change.status is ConsentStatus.PENDING:
        denied = f"{channel}:{message.purpose}" in contact.consents  # a question does not take a denial back
        if message.purpose in CHANNELS[channel].implied_consent and not denied:
            return None
        if change is None:
            return Suppress(Reason.NO_CONSENT, asked)
        return Suppress(Reason.UNCONFIRMED, asked | _told(change))
    if change.status is ConsentStatus.DENIED:
        return Suppress(Reason.OPTED_OUT, asked | _told(change))
    doubtful = message.purpose is Purpose.MARKETING and channel in policy.double_opt_in and not change.confirmed
    return Suppress(Reason.UNCONFIRMED, asked | _told(change)) if doubtful else None


def _outlawed(message: Message, channel: Channel, policy: Policy) -> Suppress | None:
    country = message.jurisdiction.countries.get(channel, "")
    where = {"channel": channel.value, "country": country}
    forbidden = policy.forbidding(channel, message.purpose, country)
    if forbidden is not None:
        return Suppress(Reason.FORBIDDEN, where | {"source": forbidden.source})
    registered = policy.dlt_entity and message.terms.registered.get(channel, {}).get("dlt_template")
    if policy.needs_registration(channel, country) and not registered:
        return Suppress(Reason.UNREGISTERED, where)
    return None


def _outside_session(message: Message, channel: Channel, contact: Contact, now: datetime) -> Suppress | None:
    registered = message.terms.registered.get(channel, {}).get("whatsapp_template")
    session = CHANNELS[channel].session
    if session is None or registered:
        return None
    heard = contact.last_inbound.get(channel)
    if heard is not None and now - heard < session:
        return None
    return Suppress(Reason.SESSION_OVER, {"channel": channel.value, **_heard(heard)})


def _told(change: ConsentChange) -> dict[str, str]:
    told = {"source": change.source, "at": instant_to_wire(change.at), "method": str(change.evidence.get("method", ""))}
    return {name: text for name, text in told.items() if text}


def _heard(at: datetime | None) -> dict[str, str]:
    return {"heard": instant_to_wire(at)} if at else {}
