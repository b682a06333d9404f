"""The gate: one pure function that every message passes. What it lets through may go out; the rest has a reason."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from cairn.domain.consent import Channel, ConsentStatus, Purpose
from cairn.domain.contact import Claim, Contact
from cairn.domain.message import Message


class Reason(StrEnum):
    """Why a message is not sent. The list is closed: every message not sent has exactly one of these."""

    KILL_SWITCH = "kill_switch"
    NO_ADDRESS = "no_address"
    SUPPRESSED_ADDRESS = "suppressed_address"
    OPTED_OUT = "opted_out"
    NO_CONSENT = "no_consent"


@dataclass(frozen=True, slots=True)
class Send:
    channel: Channel
    address: str


@dataclass(frozen=True, slots=True)
class Suppress:
    reason: Reason


Verdict = Send | Suppress


@dataclass(frozen=True, slots=True)
class GateSettings:
    """What people can turn without a deployment; read again within a minute."""

    stopped: frozenset[str] = frozenset()
    """`all`, `channel:<channel>` or `journey:<journey>`: nothing of that goes out."""


IMPLIED_CONSENT = frozenset(
    {
        (Channel.EMAIL, Purpose.TRANSACTIONAL),
        (Channel.SMS, Purpose.TRANSACTIONAL),
        (Channel.PUSH, Purpose.TRANSACTIONAL),
    },
)
"""Where handing over the address for what was asked for is consent to hear about just that (for SMS: FCC 92-443,
paragraph 31; 47 CFR 64.1200(a)(1)). WhatsApp always needs an opt-in (Meta's business policy), marketing everywhere."""


def decide(
    message: Message,
    profile: Contact,
    history: Mapping[str, Claim],  # noqa: ARG001  caps read it
    settings: GateSettings,
    now: datetime,  # noqa: ARG001  quiet hours read it
) -> Verdict:
    """Send on the first of the message's channels that is allowed, else the reason of the first that is not."""
    if "all" in settings.stopped or f"journey:{message.journey}" in settings.stopped:
        return Suppress(Reason.KILL_SWITCH)
    reasons = []
    for channel in message.channels:
        reason = _objection(message, channel, profile, settings)
        if reason is None:
            return Send(channel, message.addresses[channel])
        reasons.append(reason)
    return Suppress(next((reason for reason in reasons if reason is not Reason.NO_ADDRESS), Reason.NO_ADDRESS))


def _objection(message: Message, channel: Channel, profile: Contact, settings: GateSettings) -> Reason | None:
    if f"channel:{channel}" in settings.stopped:
        return Reason.KILL_SWITCH
    address = message.addresses.get(channel)
    if not address:
        return Reason.NO_ADDRESS
    if address in profile.suppressed:
        return Reason.SUPPRESSED_ADDRESS
    match profile.consent(channel, message.purpose):
        case ConsentStatus.DENIED:
            return Reason.OPTED_OUT
        case ConsentStatus.GRANTED:
            return None
    return None if (channel, message.purpose) in IMPLIED_CONSENT else Reason.NO_CONSENT
