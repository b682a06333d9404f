"""What the use cases need from outside, named by role. Each has a real adapter; a fake keeps the same contract."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:  # a function imports the nouns that it uses, not all that any port speaks of
    from collections.abc import Iterable, Mapping, Sequence
    from datetime import datetime

    from cairn.domain.consent import Channel
    from cairn.domain.contact import Claim, Contact
    from cairn.domain.customer import Customer, Reaction
    from cairn.domain.effects import Fact, OpenTask, WakeAt
    from cairn.domain.event import Event
    from cairn.domain.gate import GateSettings
    from cairn.domain.identity import Identifier
    from cairn.domain.journey import Journey
    from cairn.domain.message import Message, MessageStatus, Rendered


@dataclass(frozen=True, slots=True)
class Found:
    """Every customer that some identifiers lead to (none, one, or several who are one), and what leads nowhere yet."""

    customers: tuple[Customer, ...] = ()
    unclaimed: tuple[Identifier, ...] = ()


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
    def find(self, identifiers: Sequence[Identifier]) -> Found:
        """Who is meant: one read where the strongest identifier is known, two where any is not."""

    def load(self, customer_id: str) -> Customer:
        """One customer's open state; follows a merge. Raises UnknownCustomerError."""

    def commit(self, commit: Commit) -> None:
        """Write it all. Raises DuplicateEventError, or ConflictError where somebody else was first."""


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


class Outbox(Protocol):
    def put(self, message: Message) -> None:
        """Queue a message for its sender."""


class Tasks(Protocol):
    def open(self, customer_id: str, journey: str, task: OpenTask, at: datetime) -> None:
        """Record work for a person; recording the same task twice is recording it once."""


class Timeline(Protocol):
    def remember(self, customer_id: str, revision: int, facts: Iterable[Fact], at: datetime) -> None:
        """Write what one commit decided."""

    def entries(self, customer_id: str) -> list[dict[str, Any]]:
        """Everything about a customer in order of time, as lines of `cairn replay --json`."""

    def absorb(self, customer_id: str, merged_id: str) -> None:
        """Move what was recorded of a merged profile here. Can be stopped and repeated at any point."""


class Deliveries(Protocol):
    def claim(self, message: Message, now: datetime) -> tuple[Message, Contact, Claim | None]:
        """Take a message on.

        Gives it under the id that its customer has now, the contact as it is now, and the older claim where it was
        taken before.
        """

    def outcome(self, message: Message) -> MessageStatus | None:
        """What is recorded of a message that was claimed before; None where the sender did not get that far."""

    def record(self, message: Message, status: MessageStatus, at: datetime, detail: Mapping[str, Any]) -> None:
        """Write what became of a message."""

    def take_over(self, message: Message, earlier: Claim, now: datetime) -> None:
        """Make a claim whose lease is over one's own. Raises ClaimedElsewhereError where somebody else just did."""

    def release(self, message: Message) -> None:
        """Give a claim back: it was certainly not sent."""

    def move(self, customer_id: str, message_id: str, status: MessageStatus, at: datetime) -> None:
        """Move a message's status forward; never back."""


class Sent(Protocol):
    def match(self, customer_id: str, provider_id: Any, channel: Any, before: datetime) -> str | None:
        """The id of the message that a provider calls so; without its word, of the last one sent on the channel."""


class Switches(Protocol):
    def current(self, now: datetime) -> GateSettings:
        """What people have switched off, at most SWITCH_TTL old."""


class Renderer(Protocol):
    def render(self, message: Message, channel: Channel, address: str) -> Rendered:
        """The message as it goes out. Raises TemplateError rather than leave a gap."""


class Provider(Protocol):
    def send(self, message: Message, rendered: Rendered) -> str:
        """Hand over; gives the provider's id. Raises ProviderBusyError or ProviderRejectedError."""


class DeadLetters(Protocol):
    def park(self, body: str, reason: str, group: str = "", delivery: str = "") -> None:
        """Keep what cannot be processed, with the reason, until somebody redrives it.

        `group` keeps order, `delivery` names the message that brought it: parking one twice is parking it once.
        """


class Secrets(Protocol):
    def of(self, source: str) -> tuple[str, ...]:
        """The secrets that a source may sign with: the current one first. Raises SecretMissingError."""
