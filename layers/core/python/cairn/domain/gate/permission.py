"""Whether a message may go out on a channel at all: consent, suppression, law."""

from datetime import datetime

from cairn.domain.consent.changes import ConsentStatus
from cairn.domain.consent.contact import Contact
from cairn.domain.consent.suppression import Cause, Suppression
from cairn.domain.gate import reasons
from cairn.domain.gate.reasons import SendReason
from cairn.domain.gate.verdict import Suppress
from cairn.domain.message.message import Message
from cairn.domain.policy import Policy
from cairn.domain.shared.channels import CHANNELS, Channel, Purpose

OWN_CHOICE = frozenset({Cause.STOP, Cause.UNSUBSCRIBE})
"""Suppressions that the customer asked for, unlike those for a bounce or a complaint."""


def denial(message: Message, channel: Channel, contact: Contact, policy: Policy, now: datetime) -> Suppress | None:
    """Why the message may not go out on the channel; None where it may."""
    if not message.addresses.get(channel):
        return Suppress(reasons.NoAddress(channel))
    for suppression in contact.suppressed.get(channel, ()):
        if suppression.covers(message.purpose):
            return _suppressed(message, channel, suppression)
    return (
        _without_consent(message, channel, contact, policy, now)
        or _undecided(message, channel, contact, now)
        or _unlawful(message, channel, policy)
        or _outside_session(message, channel, contact, now)
    )


def legal_basis(message: Message, channel: Channel, contact: Contact) -> SendReason:
    """The legal basis of a message that may go out."""
    change = contact.change(channel, message.purpose)
    if change is not None and change.status is ConsentStatus.GRANTED:
        return reasons.Granted(change)
    return reasons.Implied()


def _suppressed(message: Message, channel: Channel, suppression: Suppression) -> Suppress:
    if suppression.cause in OWN_CHOICE:
        return Suppress(reasons.OptedOut(channel, message.purpose, suppression))
    return Suppress(reasons.SuppressedAddress(channel, suppression))


def _asked_for(message: Message, channel: Channel, contact: Contact, now: datetime) -> bool:
    """Whether a person answers what the customer has written on a channel, while its session lasts.

    On WhatsApp no address is consent, but Meta lets a business answer for 24 hours
    (https://developers.facebook.com/docs/whatsapp/cloud-api/guides/send-messages, customer service windows).
    """
    session, last = CHANNELS[channel].session, contact.last_inbound.get(channel)
    return message.written is not None and session is not None and last is not None and now - last < session


def _without_consent(
    message: Message, channel: Channel, contact: Contact, policy: Policy, now: datetime
) -> Suppress | None:
    purpose = message.purpose
    change = contact.change(channel, purpose)
    if change is None or change.status is ConsentStatus.PENDING:
        if contact.implies_consent(channel, purpose) or _asked_for(message, channel, contact, now):
            return None
        if change is None:
            return Suppress(reasons.NoConsent(channel, purpose))
        return Suppress(reasons.Unconfirmed(channel, purpose, change))
    if change.status is ConsentStatus.DENIED:
        return Suppress(reasons.OptedOut(channel, purpose, change))
    doubtful = purpose is Purpose.MARKETING and channel in policy.double_opt_in and not change.confirmed
    return Suppress(reasons.Unconfirmed(channel, purpose, change)) if doubtful else None


def _undecided(message: Message, channel: Channel, contact: Contact, now: datetime) -> Suppress | None:
    """A reply that may be a STOP counts as one after its deadline, whether or not its timer has fired."""
    doubt = contact.doubt(channel) if message.purpose is Purpose.MARKETING else None
    if doubt is None or doubt.until is None or now < doubt.until:
        return None
    return Suppress(reasons.OptedOut(channel, message.purpose, doubt))


def _unlawful(message: Message, channel: Channel, policy: Policy) -> Suppress | None:
    country = message.jurisdiction.countries.get(channel, "")
    forbidden = policy.forbidding(channel, message.purpose, country)
    if forbidden is not None:
        return Suppress(reasons.Forbidden(channel, country, forbidden.source))
    registered = policy.dlt_entity and message.terms.registered.get(channel, {}).get("dlt_template")
    if policy.needs_registration(channel, country) and not registered:
        return Suppress(reasons.Unregistered(channel, country))
    return None


def _outside_session(message: Message, channel: Channel, contact: Contact, now: datetime) -> Suppress | None:
    registered = message.terms.registered.get(channel, {}).get("whatsapp_template")
    session = CHANNELS[channel].session
    if session is None or registered:
        return None
    last = contact.last_inbound.get(channel)
    return None if last is not None and now - last < session else Suppress(reasons.SessionOver(channel, last))
