"""One outbound message, from decision to what became of it."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any

from cairn.domain.consent import Channel, Purpose
from cairn.domain.identity import EMAIL, PHONE, identifier


class MessageStatus(StrEnum):
    """What became of a message. Only moves forward, by rank, whatever the order in which providers tell."""

    CLAIMED = "claimed"
    SUPPRESSED = "suppressed"
    UNDECIDED = "undecided"  # a crash around a provider without idempotency keys; marketing is not sent again
    SENT = "sent"
    DELIVERED = "delivered"
    FAILED = "failed"
    BOUNCED = "bounced"
    OPENED = "opened"
    CLICKED = "clicked"
    COMPLAINED = "complained"

    @property
    def rank(self) -> int:
        return list(MessageStatus).index(self)


@dataclass(frozen=True, slots=True)
class Message:
    """All that sending needs, so that the sender reads nothing: whom, where to, which template, with what."""

    id: str
    customer: str
    enrollment: str
    journey: str
    version: str
    step: str
    channels: tuple[Channel, ...]
    template: str
    purpose: Purpose
    addresses: Mapping[Channel, str]
    decided_at: datetime
    variables: Mapping[str, Any] = field(default_factory=dict)
    time_zone: str = "UTC"


@dataclass(frozen=True, slots=True)
class Rendered:
    """What goes out. `subject`, `preview` and `html` belong to e-mail; `title` of a push is its subject."""

    channel: Channel
    address: str
    text: str
    subject: str = ""
    preview: str = ""
    html: str = ""


def addresses_of(view: Mapping[str, Any]) -> dict[Channel, str]:
    """Where a profile can be reached: `email`, `phone` (SMS and WhatsApp), `push_endpoint` (an SNS endpoint ARN)."""
    names = {Channel.EMAIL: EMAIL, Channel.SMS: PHONE, Channel.WHATSAPP: PHONE, Channel.PUSH: "push_endpoint"}
    told = {channel: (name, view.get(name)) for channel, name in names.items()}
    found = {channel: identifier(name, text).value for channel, (name, text) in told.items() if isinstance(text, str)}
    return {channel: address for channel, address in found.items() if address}
