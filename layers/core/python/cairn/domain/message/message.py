"""One outbound message, from the decision to its outcome."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any, Literal

from cairn.domain.shared.channels import Channel, Purpose
from cairn.domain.shared.invites import Invite


class MessageStatus(StrEnum):
    """The outcome of a message. It only moves forward, by rank, in whatever order the providers report."""

    CLAIMED = "claimed"
    DEFERRED = "held"  # until its instant, or until a person acts; may be deferred again
    SUPPRESSED = "suppressed"
    UNDECIDED = "undecided"  # a crash at a provider without idempotency keys; marketing is not sent again
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

    @property
    def has_arrived(self) -> bool:
        """Whether it says that the recipient's provider took the message."""
        return self in ARRIVED


ARRIVED = frozenset(
    {MessageStatus.DELIVERED, MessageStatus.OPENED, MessageStatus.CLICKED, MessageStatus.COMPLAINED},
)


STATUS_REPORTS = frozenset({"message.sent", "message.delivered"})
"""The types of providers' reports that change nothing but the status of their message, where no journey names them."""


@dataclass(frozen=True, slots=True)
class Review:
    """A person reads the message before it goes out."""

    queue: str
    within: timedelta
    otherwise: Literal["send", "drop"] = "drop"
    """The outcome without a review in time."""


@dataclass(frozen=True, slots=True)
class Terms:
    """The rules for sending in the journey's step and templates, from the message's own version."""

    useful_for: timedelta | None = None
    """Counted from the decision; a message that cannot go out by then is dropped."""
    preferred_hour: bool = False
    """Wait for the hour of day that the customer prefers (`profile.preferred_time`)."""
    review: Review | None = None
    priority: int = 0
    """Of the messages that a limit makes wait, those with the most come first."""
    registered: Mapping[Channel, Mapping[str, str]] = field(default_factory=dict)
    """By channel, the registered ids of its template (`whatsapp_template`, `dlt_template`)."""


@dataclass(frozen=True, slots=True)
class Jurisdiction:
    """Where the customer may be, for the laws that apply."""

    zones: tuple[str, ...] = ()
    """The customer's own zone, else every zone that its number may be in; empty if unknown."""
    countries: Mapping[Channel, str] = field(default_factory=dict)
    """ISO 3166-1 alpha-2, of the address on each channel."""
    region: str = ""
    """The second part of ISO 3166-2 (`FL`); empty if unknown."""
    anywhere: frozenset[Channel] = frozenset()
    """The channels whose number belongs to no country, as a satellite phone's does, of a customer without a zone."""


@dataclass(frozen=True, slots=True)
class Approval:
    """A person's decision on a message that waited for a review."""

    granted: bool
    by: str
    at: datetime
    channel: Channel | None = None
    """The channel whose text was reviewed. None if unknown."""


@dataclass(frozen=True, slots=True)
class Written:
    """The text of a message that a person has written."""

    text: str
    by: str
    """The operator."""
    subject: str = ""


@dataclass(frozen=True, slots=True)
class Message:
    """The data that a sender needs, so that it reads nothing else: customer, addresses, template and variables."""

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
    """Its position among the messages of its commit; with `decided_at`, their order."""
    only_to: Mapping[Channel, str] | None = None
    """The only addresses that it may go to, where a visitor typed them; None: the customer's own."""
    key: str = ""
    """The key of its enrollment."""
    invite: Invite | None = None
    """Goes along where it is sent as an e-mail."""
    answers: str = ""
    """The customer's keyword (`stop`, `help`, `start`) that this message answers; else empty."""
    written: Written | None = None
    """What a person answers, instead of a template."""
    terms: Terms = Terms()
    """The sender fills this field and those below; the queue does not have them."""
    jurisdiction: Jurisdiction = Jurisdiction()
    approval: Approval | None = None
    journey_ended: bool = False
    """An event has ended its journey since (`exit_on`): no reminder after a payment."""

    @property
    def order(self) -> tuple[datetime, int]:
        return self.decided_at, self.position


@dataclass(frozen=True, slots=True)
class Rendered:
    """The text for the provider. `subject`, `preview` and `html` are for e-mail; the title of a push is its subject."""

    channel: Channel
    address: str
    text: str
    subject: str = ""
    preview: str = ""
    html: str = ""
    registered: Mapping[str, str] = field(default_factory=dict)
    """The registered ids of its template: `dlt_template`, `whatsapp_template`, `whatsapp_language`."""
    parameters: tuple[str, ...] = ()
    """The values of the variables of the template that WhatsApp approved."""
    headers: Mapping[str, str] = field(default_factory=dict)
    """Headers of an e-mail, besides those that the provider adds."""
    invite: Invite | None = None
    """The invite of an e-mail, with its texts."""
    links: Mapping[str, str] = field(default_factory=dict)
    """By name, the personal links in it (domain/consent/links)."""
    link: str = ""
    """Where the button of an in-app message leads."""
    button: str = ""
    expires_after: timedelta | None = None
    """How long an inbox shows it; None: for the usual time."""

    @property
    def redacted_text(self) -> str:
        return self.redacted(self.text)

    def redacted(self, text: str) -> str:
        """A text of it without the personal links, for storage: such a link acts for the customer."""
        for name, url in self.links.items():
            text = text.replace(url, f"[{name}]")
        return text
