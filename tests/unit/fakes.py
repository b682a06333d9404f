"""The ports in memory, each true to its docstring in `application/ports.py`. They speak: `message in outbox`."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any

from cairn.application.accept_webhook import Answer, Handshake, Reading, Request
from cairn.application.ports import Commit, Found
from cairn.domain.consent import Channel
from cairn.domain.contact import Claim, Contact
from cairn.domain.customer import Customer
from cairn.domain.effects import Effect, Fact, OpenTask, WakeAt
from cairn.domain.errors import (
    CairnError,
    ClaimedElsewhereError,
    ConflictError,
    DuplicateEventError,
    SecretMissingError,
    SignatureInvalidError,
    UnknownCustomerError,
)
from cairn.domain.event import Event
from cairn.domain.gate import GateSettings
from cairn.domain.identity import Identifier, home_of
from cairn.domain.message import Message, MessageStatus, Rendered

SALT = "salt"


class Customers:
    """A table of customers, with the promises of one: optimistic locks, claimed identifiers, deduplicated events."""

    def __init__(self) -> None:
        self._homes: dict[str, Customer | str] = {}
        self._seen: set[tuple[str, str]] = set()
        self.commits: list[Commit] = []
        self.reads = 0

    def __len__(self) -> int:
        return sum(isinstance(one, Customer) for one in self._homes.values())

    def __iter__(self) -> Any:
        return (one for one in self._homes.values() if isinstance(one, Customer))

    def who_is(self, *names: Identifier) -> str:
        """The id that these names lead to."""
        (found,) = {one.id for one in self.find(names).customers}
        return found

    def somebody_is_faster(self, times: int = 1) -> None:
        """The next commits find that another one came first."""
        self._conflicts = times

    _conflicts = 0

    def find(self, identifiers: Sequence[Identifier]) -> Found:
        self.reads += 1
        found: dict[str, Customer] = {}
        unclaimed = []
        for one in identifiers:
            customer = self._follow(home_of(one, SALT))
            if customer is None:
                unclaimed.append(one)
            else:
                found[customer.id] = customer
        return Found(tuple(found.values()), tuple(unclaimed))

    def load(self, customer_id: str) -> Customer:
        self.reads += 1
        customer = self._follow(customer_id)
        if customer is None:
            raise UnknownCustomerError("no such customer")
        return customer

    def commit(self, commit: Commit) -> None:
        if self._conflicts:
            self._conflicts -= 1
            raise ConflictError("the customer changed in between")
        after = commit.reaction.customer
        if commit.event and any((id_, commit.event.key) in self._seen for id_ in (after.id, *after.profile.merged)):
            raise DuplicateEventError("the event was committed before")
        for one in commit.before:
            if self._homes.get(one.id) != one:
                raise ConflictError("the customer changed in between")
        homes = {home_of(one, SALT) for one in commit.claimed} - {after.id}
        if any(home in self._homes for home in homes) or (not commit.before and after.id in self._homes):
            raise ConflictError("an identifier leads elsewhere")
        if commit.event:
            self._seen.add((after.id, commit.event.key))
        self._homes |= dict.fromkeys(homes, after.id)
        self._homes |= {one.id: after.id for one in commit.before if one.id != after.id}
        self._homes[after.id] = replace(after, revision=after.revision + 1)
        self.commits.append(commit)

    def _follow(self, home: str) -> Customer | None:
        found = self._homes.get(home)
        while isinstance(found, str):
            found = self._homes.get(found)
        return found


class Inbox(list[Event]):
    """Events durably stored."""

    is_down: CairnError | None = None

    def __init__(self) -> None:
        super().__init__()
        self.unreadable: list[tuple[str, bytes, tuple[str, ...]]] = []

    def put_unreadable(self, source: str, body: bytes, problems: Sequence[str]) -> None:
        self.unreadable.append((source, body, tuple(problems)))

    def put(self, events: Sequence[Event]) -> None:
        if self.is_down:
            raise self.is_down
        self.extend(events)


class Secrets(dict[str, tuple[str, ...]]):
    def of(self, source: str) -> tuple[str, ...]:
        try:
            return self[source]
        except KeyError:
            raise SecretMissingError(f"store a secret for {source}") from None


@dataclass(slots=True)
class AnySource:
    """A source whose requests are signed with one of its secrets as they are, and that tells what it was asked."""

    name: str = "shop"
    says: Reading = field(default_factory=Reading)
    broken: CairnError | None = None
    answer: Answer = field(default_factory=Answer)
    handshake: Handshake | None = None
    asked: list[str] = field(default_factory=list)

    def verify(self, request: Request, secrets: Sequence[str], now: datetime) -> None:  # noqa: ARG002
        self.asked.append("verify")
        if request.headers.get("signature") not in secrets:
            raise SignatureInvalidError("no signature matches")

    def read(self, request: Request, now: datetime) -> Reading:  # noqa: ARG002
        self.asked.append("read")
        if self.broken:
            raise self.broken
        return self.says


class Timers(dict[str, WakeAt]):
    """Timers by name: setting one twice is setting it once."""

    def wake(self, customer_id: str, wake: WakeAt, now: datetime) -> None:  # noqa: ARG002
        self.setdefault(wake.id, wake)


class Outbox(list[Message]):
    failure: CairnError | None = None

    def put(self, message: Message) -> None:
        if self.failure:
            raise self.failure
        self.append(message)


class Tasks(dict[str, tuple[str, OpenTask]]):
    def open(self, customer_id: str, journey: str, task: OpenTask, at: datetime) -> None:  # noqa: ARG002
        self.setdefault(task.id, (journey, task))


class Timeline(list[Fact]):
    def __init__(self) -> None:
        super().__init__()
        self.absorbed: list[tuple[str, str]] = []

    def remember(self, customer_id: str, revision: int, facts: Iterable[Fact], at: datetime) -> None:  # noqa: ARG002
        self.extend(facts)

    def entries(self, customer_id: str) -> list[dict[str, Any]]:  # noqa: ARG002
        return [{"kind": fact.kind} for fact in self]

    def absorb(self, customer_id: str, merged_id: str) -> None:
        self.absorbed.append((customer_id, merged_id))


class Deliveries:
    """Claims and outcomes of messages, for customers who all share one contact."""

    def __init__(self, contact: Contact | None = None) -> None:
        self._contact = contact or Contact()
        self._claims: dict[str, Claim] = {}
        self._outcomes: dict[str, MessageStatus] = {}
        self.details: dict[str, Mapping[str, Any]] = {}
        self.recorded_for: dict[str, str] = {}
        self.crash_before_record = False
        self.moved: dict[str, str] = {}
        """The ids that customers have since they were merged."""

    def __getitem__(self, message_id: str) -> MessageStatus:
        return self._outcomes[message_id]

    def __contains__(self, message_id: str) -> bool:
        return message_id in self._outcomes

    def is_claimed(self, message: Message) -> bool:
        return message.id in self._claims

    def claim(self, message: Message, now: datetime) -> tuple[Message, Contact, Claim | None]:
        earlier = self._claims.get(message.id)
        self._claims.setdefault(message.id, Claim(now, message.purpose))
        message = replace(message, customer=self.moved.get(message.customer, message.customer))
        return message, replace(self._contact, claims=dict(self._claims)), earlier

    def outcome(self, message: Message) -> MessageStatus | None:
        return self._outcomes.get(message.id)

    def record(self, message: Message, status: MessageStatus, at: datetime, detail: Mapping[str, Any]) -> None:
        if self.crash_before_record:
            raise MemoryError
        self.details[message.id] = detail
        self.recorded_for[message.id] = message.customer
        self.move(message.customer, message.id, status, at)

    def take_over(self, message: Message, earlier: Claim, now: datetime) -> None:
        if self._claims[message.id] != earlier:
            raise ClaimedElsewhereError("somebody else has just taken the message over")
        self._claims[message.id] = Claim(now, message.purpose)

    def release(self, message: Message) -> None:
        del self._claims[message.id]

    def move(self, customer_id: str, message_id: str, status: MessageStatus, at: datetime) -> None:  # noqa: ARG002
        known = self._outcomes.get(message_id)
        if known is None or known.rank < status.rank:
            self._outcomes[message_id] = status


class Sent(dict[str, str]):
    """Our messages by the provider's id; the one that a customer got last, by no id."""

    def match(self, customer_id: str, provider_id: Any, channel: Any, before: datetime) -> str | None:  # noqa: ARG002
        return self.get(str(provider_id or ""))


class Switches(set[str]):
    """What people have switched off."""

    def current(self, now: datetime) -> GateSettings:  # noqa: ARG002
        return GateSettings(frozenset(self))


class Renderer:
    """Writes every message as `Dear <address>`."""

    failure: CairnError | None = None

    def render(self, message: Message, channel: Channel, address: str) -> Rendered:
        if self.failure:
            raise self.failure
        return Rendered(channel, address, f"Dear {address}", subject=message.template)


class Provider(list[Rendered]):
    """What a provider took."""

    answer: CairnError | None = None

    def send(self, message: Message, rendered: Rendered) -> str:
        if self.answer:
            raise self.answer
        self.append(rendered)
        return f"provider/{message.id}"


class Parked(list[tuple[str, Effect, CairnError]]):
    """Effects that can never be carried out."""

    def __call__(self, customer_id: str, effect: Effect, why: CairnError) -> None:
        self.append((customer_id, effect, why))
