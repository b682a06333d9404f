"""One outbound message, from decision to what became of it."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any, Literal

from cairn.domain.shared.channels import Channel, Purpose


class MessageStatus(StrEnum):
    """What became of a message. Only moves forward, by rank, whatever the order in which providers tell."""

    CLAIMED = "claimed"
    DEFERRED = "held"  # until its instant, or until a person acts; may be held again
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
class Review:
    """A person reads the message before it goes out."""

    queue: str
    within: timedelta
    otherwise: Literal["send", "drop"] = "drop"
    """What happens where nobody did in time."""


@dataclass(frozen=True, slots=True)
class Terms:
    """What the journey's step and templates say about sending: read from the message's own version of them."""

    useful_for: timedelta | None = None
    """Counted from the decision; what cannot go out by then is dropped."""
    preferred_hour: bool = False
    """Wait for the hour of day that the customer prefers (`profile.preferred_time`)."""
    review: Review | None = None
    registered: Mapping[Channel, Mapping[str, str]] = field(default_factory=dict)
    """By channel, what its template is registered as (`whatsapp_template`, `dlt_template`)."""


@dataclass(frozen=True, slots=True)
class Jurisdiction:
    """Where the customer may be, as far as law asks."""

    zones: tuple[str, ...] = ()
    """The customer's own zone, else every zone in which its number may be; empty where nothing is known."""
    countries: Mapping[Channel, str] = field(default_factory=dict)
    """ISO 3166-1 alpha-2, of the address on each channel."""
    region: str = ""
    """The second part of ISO 3166-2 (`FL`); empty where it is not known."""


@dataclass(frozen=True, slots=True)
class Approval:
    """What a person said of a message that waited for one."""

    granted: bool
    by: str
    at: datetime
    channel: Channel | None = None
    """The one whose text was read: another one's was not. None where it is not known."""


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
    position: int = 0
    """Which of its commit's messages it is; with `decided_at`, the order in which they were meant."""
    answers: str = ""
    """The keyword (`stop`, `help`, `start`) that the customer sent and that this answers; empty for all else."""
    terms: Terms = Terms()
    """With all that follows, found by the sender; it does not travel."""
    jurisdiction: Jurisdiction = Jurisdiction()
    approval: Approval | None = None
    journey_ended: bool = False
    """An event has ended its journey since (`exit_on`): who has paid is not reminded."""

    @property
    def order(self) -> tuple[datetime, int]:
        return self.decided_at, self.position


@dataclass(frozen=True, slots=True)
class Rendered:
    """What goes out. `subject`, `preview` and `html` belong to e-mail; `title` of a push is its subject."""

    channel: Channel
    address: str
    text: str
    subject: str = ""
    preview: str = ""
    html: str = ""
    registered: Mapping[str, str] = field(default_factory=dict)
    """What its template is registered as: `dlt_template`, `whatsapp_template`, `whatsapp_language`."""
    parameters: tuple[str, ...] = ()
    """What stands for the variables of the template that WhatsApp approved."""
    headers: Mapping[str, str] = field(default_factory=dict)
    """Of an e-mail, beyond those that its provider writes."""
    links: Mapping[str, str] = field(default_factory=dict)
    """By name, those that stand in it for its reader alone (domain/consent/links)."""

    @property
    def redacted_text(self) -> str:
        """The text as it may be kept and shown: who has one of its links speaks for the customer."""
        text = self.text
        for name, url in self.links.items():
            text = text.replace(url, f"[{name}]")
        return text
