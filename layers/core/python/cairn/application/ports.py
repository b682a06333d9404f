"""What the use cases need from outside, named by role. Each has a real adapter; a fake keeps the same contract."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Protocol, TypeAlias

if TYPE_CHECKING:  # a function imports the nouns that it uses, not all that any port speaks of
    from collections.abc import Iterable, Mapping, Sequence
    from datetime import datetime, timedelta

    from cairn.domain.consent.contact import Claim, Contact, Deferral
    from cairn.domain.consent.links import Link, LinkKind
    from cairn.domain.consent.record import ConsentRecord
    from cairn.domain.consent.suppression import Suppression, SuppressionChange
    from cairn.domain.customer.customer import Customer, Reaction
    from cairn.domain.effects import EraseCustomer, Fact, OpenTask, PauseEnrollment, WakeAt
    from cairn.domain.event import Event
    from cairn.domain.gate.gate import GateSettings
    from cairn.domain.gate.verdict import Defer
    from cairn.domain.identity.identifiers import Identifier
    from cairn.domain.journey.definition import Journey
    from cairn.domain.message.message import Approval, Message, MessageStatus, Rendered, Terms
    from cairn.domain.message.rate_limit import Reservation
    from cairn.domain.operations.audit import AuditEntry
    from cairn.domain.operations.breaker import CountBucket, DeliveryOutcome
    from cairn.domain.operations.switches import Board
    from cairn.domain.policy import WebhookEndpoint
    from cairn.domain.privacy.traces import Traces
    from cairn.domain.profile.profile import Profile
    from cairn.domain.shared.channels import Channel, Purpose
    from cairn.domain.webhook_delivery import WebhookDelivery


@dataclass(frozen=True, slots=True)
class FoundCustomers:
    """Every customer that some identifiers lead to (none, one, or several who are one), and what leads nowhere yet."""

    customers: tuple[Customer, ...] = ()
    unclaimed: tuple[Identifier, ...] = ()
    erased: Mapping[Identifier, datetime] = field(default_factory=dict)
    """Of what leads nowhere: who lived there was erased then."""


@dataclass(frozen=True, slots=True)
class Commit:
    """Everything that follows from one trigger; written at once or not at all."""

    reaction: Reaction
    before: tuple[Customer, ...]
    """The customers as loaded: their revisions must still hold. Those that are not the reaction's are absorbed."""
    at: datetime
    event: Event | None = None
    claimed: tuple[Identifier, ...] = ()
    """Identifiers that from now on lead to the customer, and must not lead elsewhere yet."""


class Customers(Protocol):
    def find(self, identifiers: Sequence[Identifier]) -> FoundCustomers:
        """Who is meant: one read where the strongest identifier is known, two where any is not."""

    def load(self, customer_id: str) -> Customer:
        """One customer's open state; follows a merge. Raises UnknownCustomerError, or ErasedCustomerError."""

    def commit(self, commit: Commit) -> None:
        """Write it all. Raises DuplicateEventError, or ConflictError where somebody else was first."""

    def record_suppressions(self, told: Sequence[SuppressionChange]) -> None:
        """Write what is known against addresses, of a customer who is no longer there."""


class JourneyVersions(Protocol):
    def current(self) -> tuple[Journey, ...]:
        """The deployed version of every journey."""

    def version(self, name: str, version: str) -> Journey:
        """One version, deployed or kept. Raises UnknownJourneyError."""

    def keep(self, journey: Journey) -> None:
        """Have this version outlive its deployment, for those who have just entered it."""


class Inbox(Protocol):
    def put(self, events: Sequence[Event]) -> None:
        """Store events durably, in order per customer. Raises where any of them is not stored."""

    def put_unreadable(self, source: str, body: bytes, problems: Sequence[str]) -> None:
        """Store a genuine body that nothing can be made of, on its way to the dead letters. Raises likewise."""


class Timers(Protocol):
    def wake(self, customer_id: str, wake: WakeAt, now: datetime) -> None:
        """Have the enrollment woken at an instant. Setting the same timer twice is setting it once."""


class MessageQueue(Protocol):
    def put(self, message: Message) -> None:
        """Queue a message for its sender, in the lane of its purpose."""

    def put_deferred(self, customer_id: str, message_id: str, purpose: Purpose) -> None:
        """Queue a message that was held, by reference."""


class Tasks(Protocol):
    def open(self, customer_id: str, journey: str, task: OpenTask, at: datetime) -> None:
        """Record work for a person; recording the same task twice is recording it once."""


class Timeline(Protocol):
    def remember(self, customer_id: str, revision: int, facts: Iterable[Fact], at: datetime) -> None:
        """Write what one commit decided."""

    def absorb(self, customer_id: str, merged_id: str) -> None:
        """Move what was recorded of a merged profile here. Can be stopped and repeated at any point."""


@dataclass(frozen=True, slots=True)
class DeferredMessage:
    """A message that was held: where it lies, not what it says."""

    customer: str
    id: str


DeliveryRequest: TypeAlias = "Message | DeferredMessage"
"""What a sender is asked to deliver: the message itself, or one that was held, by reference."""


@dataclass(frozen=True, slots=True)
class DeliveryContext:
    """All that is known of a message when its sender takes it up."""

    message: Message
    """Under the id that its customer has now, with a person's approval where there is one."""
    contact: Contact
    """As it is now; with what is known against the message's addresses."""
    status: MessageStatus | None = None
    decisions: tuple[Mapping[str, Any], ...] = ()
    """What was decided before: each time it had to wait."""

    @property
    def settled(self) -> bool:
        """Whether nothing is left to decide.

        A message of which only a provider has told so far was sent by a sender that did not live to record it.
        """
        return self.status not in {None, "held"}


class Deliveries(Protocol):
    def contexts(self, asked: Sequence[DeliveryRequest]) -> list[DeliveryContext | None]:
        """What is known of each of these messages, in one read for all; None where its customer is gone."""

    def claim(self, message: Message, contact: Contact, claim: Claim) -> None:
        """Take the message on, or over where its claim's lease is up.

        Raises ConflictError where the contact is not as it was when that was decided.
        """

    def release(self, message: Message) -> None:
        """Give a claim back: it was certainly not sent."""

    def defer(self, brief: DeliveryContext, hold: Deferral, verdict: Defer, now: datetime) -> None:
        """Keep the message until its instant. Raises ConflictError as `claim` does."""

    def record(self, brief: DeliveryContext, status: MessageStatus, at: datetime, detail: Mapping[str, Any]) -> None:
        """Write what became of a message; it is held no longer."""

    def move(self, customer_id: str, message_id: str, status: MessageStatus, at: datetime) -> Mapping[str, Any] | None:
        """Move a message's status forward, never back; gives what is recorded of it, None where nothing moved."""


class DeferredMessages(Protocol):
    def schedule(self, message: Message, at: datetime, now: datetime) -> None:
        """Have a held message delivered at an instant. Asking twice is asking once."""


class RateLimiter(Protocol):
    def reserve(self, channel: Channel, country: str, purpose: Purpose, now: datetime, after: str = "") -> Reservation:
        """Take a place in what the provider takes: now, or where and until when to wait for it.

        `after` names the line of the place that it has waited for.
        """


class ConsentRecords(Protocol):
    def add(self, customer_id: str, effect_id: str, records: Iterable[ConsentRecord]) -> list[str]:
        """Keep them for good; gives the names of those that no other effect has brought before.

        Adding one twice is adding it once.
        """

    def find(self, customer_id: str, name: str) -> tuple[Profile, ConsentRecord] | None:
        """A record and whose it is now, whoever it was added to; None where the customer was erased."""


class WebhookQueue(Protocol):
    def put(self, notices: Sequence[WebhookDelivery]) -> None:
        """Queue notices for their subscribers."""


@dataclass(frozen=True, slots=True)
class Reply:
    """What a subscriber said to a notice."""

    status: int
    """Of HTTP."""
    retry_after: str = ""
    """The header as it came."""


class WebhookEndpoints(Protocol):
    def post(self, subscriber: WebhookEndpoint, notice_id: str, document: Mapping[str, Any], now: datetime) -> Reply:
        """Post a document, signed. Raises WebhookEndpointError, or WebhookUnreachableError."""


class Sent(Protocol):
    def match(self, customer_id: str, provider_id: Any, channel: Any, before: datetime) -> str | None:
        """The id of the message that a provider calls so; without its word, of the last one sent on the channel."""


class Switches(Protocol):
    def current(self, now: datetime) -> GateSettings:
        """What people have switched off, at most SWITCH_TTL old."""


@dataclass(frozen=True, slots=True)
class PausedEnrollment:
    """A timer that came while its journey was paused."""

    customer: str
    enrollment: str
    sequence: int
    wait_id: str


@dataclass(frozen=True, slots=True)
class PausedMessage:
    """A message that came to the gate while something of it was paused."""

    customer: str
    id: str
    purpose: Purpose
    wait_id: str


PausedWork: TypeAlias = "PausedEnrollment | PausedMessage"
"""What waits for somebody to resume. `place` tells this wait from a later one of the same."""


class PausedWorkStore(Protocol):
    def add(self, customer_id: str, revision: int, enrollment: PauseEnrollment, due_at: datetime) -> None:
        """Keep a timer until its target is resumed. Keeping what one commit decided twice is keeping it once."""

    def pages(self, target: str) -> Iterable[Sequence[PausedWork]]:
        """All that waits for this target, by and by, those first who have waited longest."""

    def remove(self, target: str, parked: Sequence[PausedWork]) -> None:
        """They wait no longer, unless they came back since."""


class SwitchBoard(Protocol):
    def board(self) -> Board:
        """All that is switched, as it is now."""

    def put(self, board: Board, audited: AuditEntry) -> None:
        """Write the board, and who turned it and why, at once. Raises ConflictError where somebody else was first."""


class DeliveryCounters(Protocol):
    def add(self, target: str, bucket: datetime, outcome: DeliveryOutcome) -> None:
        """One more of an outcome. Adding twice is adding two."""

    def between(self, target: str, first: datetime, last: datetime) -> Sequence[CountBucket]:
        """What was counted in the buckets that began from `first` to `last`, both included."""


class Audit(Protocol):
    def write(self, audited: AuditEntry) -> None:
        """Keep it for good. Writing one twice is writing it once."""

    def latest(self, limit: int, before: str = "") -> Sequence[AuditEntry]:
        """The latest first; those before the one of that id, where one is given."""


class History(Protocol):
    def entries(self, customer_id: str) -> list[dict[str, Any]]:
        """Everything about a customer in order of time, as lines of `cairn replay --json`."""

    def customer_of(self, enrollment: str) -> str | None:
        """Whose the enrollment is, or was before a merge; None where nothing is recorded of it."""


class Suppressions(Protocol):
    def current(self, addresses: Mapping[Channel, str]) -> Mapping[Channel, tuple[Suppression, ...]]:
        """What is known against these addresses now; nothing of a channel whose address is clear."""


@dataclass(frozen=True, slots=True)
class UnderReview:
    """A message that waits for a person, and what that person needs to decide."""

    message: str
    customer: str
    deadline: str
    """ISO 8601. What happens then stands in the journey, or in the policy."""
    about: Mapping[str, Any]
    """Journey, step, template, purpose."""
    queue: str
    context: Mapping[str, Any]
    """The message as it would go out, and the profile and data that it was made of."""


class Reviews(Protocol):
    def waiting(self, limit: int) -> Sequence[UnderReview]:
        """Those whose time is up first."""

    def decide(self, customer_id: str, message_id: str, approval: Approval, audited: AuditEntry) -> Purpose:
        """Write the decision, and the audit of it, and close the task, all at once; gives the message's purpose.

        Deciding the same once more changes nothing. Raises UnknownMessageError, NotUnderReviewError, ConflictError.
        """


class Renderer(Protocol):
    def terms(self, message: Message) -> Terms:
        """What the message's step and templates say about sending. Raises UnknownJourneyError."""

    def render(self, message: Message, channel: Channel, address: str) -> Rendered:
        """The message as it goes out. Raises TemplateError rather than leave a gap."""


class Tokens(Protocol):
    def token(self, kind: LinkKind, link: Link) -> str:
        """What stands in the URL of a link."""

    def read(self, kind: LinkKind, token: str, now: datetime) -> Link:
        """The link that a token of this kind stands for. Raises LinkInvalidError or LinkExpiredError."""


class Provider(Protocol):
    def send(self, message: Message, rendered: Rendered) -> str:
        """Hand over; gives the provider's id. Raises ProviderBusyError or ProviderRejectedError."""


class Erasures(Protocol):
    def put(self, customer_id: str, order: EraseCustomer, delay: timedelta) -> None:
        """Have the customer erased, at the earliest after the delay. Asking twice is asking once."""


@dataclass(frozen=True, slots=True)
class PendingErasure:
    """A customer to whom nothing leads any more, and what leads to everything that is still kept of them."""

    id: str
    at: datetime
    """When they were sealed."""
    traces: Traces
    enrollments: frozenset[str] = frozenset()
    timers: frozenset[str] = frozenset()
    """Schedules by their names, of messages that were held."""


class ErasureStore(Protocol):
    def pending(self, customer_id: str) -> PendingErasure | None:
        """What is left of a customer who was sealed; None where nothing is."""

    def remove(self, sealed: PendingErasure) -> int:
        """Remove it from the table; gives how many items there were. Can be stopped and repeated at any point."""

    def complete(self, sealed: PendingErasure, receipt: AuditEntry) -> None:
        """Write the receipt and, with it, forget what was to be erased."""


class Secrets(Protocol):
    def of(self, source: str) -> tuple[str, ...]:
        """The secrets that a source may sign with: the current one first. Raises SecretMissingError."""
