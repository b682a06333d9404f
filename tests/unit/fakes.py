"""The ports in memory. Each keeps the contract in `application/ports.py`."""

import itertools
from collections import Counter
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from types import MappingProxyType
from typing import Any

from cairn.adapters.sqs.dead_letter_queue import Reason
from cairn.application.events.accept_webhook import Answer, Fetch, Handshake, PostHandshake, Reading, Request
from cairn.application.events.relay_effects import WaitingEffect, Work
from cairn.application.values.arms import ArmCount, CountedArm
from cairn.application.values.customers import Commit, FoundCustomers, PresentCustomer
from cairn.application.values.messages import (
    DeferredMessage,
    DeliveryContext,
    DeliveryRequest,
    InAppReport,
    Settlement,
)
from cairn.application.values.paused import PausedEnrollment, PausedWork
from cairn.application.values.replies import SentMessage
from cairn.application.values.seen import SeenPage
from cairn.domain.consent.changes import ConsentChange
from cairn.domain.consent.contact import Claim, Contact, Deferral
from cairn.domain.consent.record import ConsentRecord
from cairn.domain.consent.suppression import Suppression, SuppressionChange
from cairn.domain.customer.state import OLDER_ENTRIES, Concerns, Customer
from cairn.domain.effects import (
    CloseTask,
    EraseCustomer,
    Fact,
    JoinAudience,
    LeaveAudience,
    OpenTask,
    PauseEnrollment,
    WakeAt,
    WakeTask,
    WithdrawTasks,
)
from cairn.domain.event import Event
from cairn.domain.gate.settings import GateSettings
from cairn.domain.gate.verdict import Defer
from cairn.domain.identity.identifiers import Identifier, customer_id_for
from cairn.domain.identity.identity_key import IdentityKeys
from cairn.domain.journey.arms import ArmOutcome
from cairn.domain.journey.definition import Admission
from cairn.domain.message.in_app import InAppMessage, InAppStatus
from cairn.domain.message.message import STATUS_REPORTS, Approval, Message, MessageStatus, Rendered, Terms
from cairn.domain.message.rate_limit import Reservation
from cairn.domain.operations.audit import AuditEntry
from cairn.domain.operations.breaker import CountBucket, Counts, DeliveryOutcome
from cairn.domain.operations.choices import Choices
from cairn.domain.operations.flow import Flow, FlowBucket, bucket_of
from cairn.domain.operations.pauses import Pause
from cairn.domain.operations.seen import Seen
from cairn.domain.operations.signs import Sign
from cairn.domain.operations.switches import SwitchState
from cairn.domain.people.notification import MemberNotification
from cairn.domain.privacy import order_rate
from cairn.domain.profile.profile import Profile
from cairn.domain.shared.channels import Channel, Purpose
from cairn.domain.shared.errors import (
    CairnError,
    ConflictError,
    DuplicateEventError,
    ErasedCustomerError,
    SecretMissingError,
    ServiceRefusedError,
    SignatureInvalidError,
    UnknownCustomerError,
)
from cairn.domain.webhook_delivery import WebhookDelivery

KEYS = IdentityKeys.derive("a-key-of-tests-with-32-bytes-or-more")


class Attempts:
    """Numbers of attempts; it notes the pause before each but the first."""

    def __init__(self) -> None:
        self.pauses: list[int] = []

    def __call__(self, most: int) -> Iterator[int]:
        for number in range(most):
            if number:
                self.pauses.append(number)
            yield number


class Customers:
    """A table of customers, with optimistic locks, unique identifiers and deduplicated events."""

    def __init__(self) -> None:
        self._by_id: dict[str, Customer | str] = {}
        self._tombstones: dict[str, datetime] = {}
        self.suppression_changes: list[SuppressionChange] = []
        """All suppression changes."""
        self._seen: set[tuple[str, str]] = set()
        self.commits: list[Commit] = []
        self._older_entries: dict[str, datetime] = {}
        self.reads = 0
        self.admitted: Counter[tuple[str, str]] = Counter()
        """How many have entered, by the journey and its hour or day."""
        self._known_to_be_full: set[Admission] = set()

    def __len__(self) -> int:
        return sum(isinstance(one, Customer) for one in self._by_id.values())

    def __iter__(self) -> Any:
        return (one for one in self._by_id.values() if isinstance(one, Customer))

    def who_is(self, *names: Identifier) -> str:
        """The customer id of these identifiers."""
        (found,) = {one.id for one in self.find(names).customers}
        return found

    def somebody_is_faster(self, times: int = 1) -> None:
        """The next commits fail with a conflict."""
        self._conflicts = times

    _conflicts = 0

    def find(
        self,
        identifiers: Sequence[Identifier],
        otherwise: Sequence[Identifier] = (),
        concerns: Concerns | None = None,  # noqa: ARG002  everything is read
    ) -> FoundCustomers:
        self.reads += 1
        if not isinstance(self._search(identifiers[0]), Customer):
            identifiers = (*identifiers, *otherwise)
        found: dict[str, Customer] = {}
        unclaimed = []
        pointers = {}
        for one in identifiers:
            holder = self._search(one)
            if isinstance(holder, Customer):
                found[holder.id] = holder
            else:
                unclaimed.append(one)
                pointers[one] = holder
        erased = {one: self._tombstones[home] for one, home in pointers.items() if home in self._tombstones}
        return FoundCustomers(tuple(found.values()), tuple(unclaimed), erased, pointers)

    def pointer_without(self, name: Identifier, loser: Customer) -> str:
        pointer = self._search(name, loser.id)
        assert isinstance(pointer, str)
        return pointer

    def _search(self, name: Identifier, loser: str = "") -> Customer | str:
        free = ""
        for generation in itertools.count():
            home = customer_id_for(name, KEYS.customer_ids, generation)
            customer = self._follow(home)
            if customer is not None and name in customer.profile.identifiers and customer.id != loser:
                return customer
            if home not in self._by_id and home not in self._tombstones:
                return free or home
            if home not in self._by_id:
                free = free or home
        raise AssertionError

    lagging: Mapping[str, Customer] | None = None
    """What a read that may lag sees of each customer, and no others; None: all as they are."""

    def load(self, customer_id: str, enrollment: str = "", *, may_lag: bool = False) -> Customer:  # noqa: ARG002
        """Reads everything."""
        self.reads += 1
        if may_lag and self.lagging is not None:
            if customer_id not in self.lagging:
                raise UnknownCustomerError("no such customer")
            return self.lagging[customer_id]
        if customer_id in self._tombstones:
            raise ErasedCustomerError("the customer was erased")
        customer = self._follow(customer_id)
        if customer is None:
            raise UnknownCustomerError("no such customer")
        return customer

    def entered(self, customer: Customer, names: Collection[str]) -> Mapping[str, datetime]:  # noqa: ARG002
        return {name: self._older_entries[name] for name in names if name in self._older_entries}

    def forget_entries(self) -> None:
        """The entries of all customers are stored elsewhere from now on."""
        for one in self:
            self._older_entries |= one.entered
            self._by_id[one.id] = replace(one, entered={}, elsewhere=frozenset({OLDER_ENTRIES}))

    def is_full(self, admission: Admission) -> bool:
        return admission in self._known_to_be_full

    def _admit(self, admissions: Iterable[Admission]) -> None:
        for one in admissions:
            if self.admitted[one.journey, one.window] >= one.limit:
                self._known_to_be_full.add(one)
                raise ConflictError("the customer changed in between")
        self.admitted.update((one.journey, one.window) for one in admissions)

    def record_suppressions(self, changes: Sequence[SuppressionChange]) -> None:
        self.suppression_changes += changes

    def record_denials(self, before: Customer, denials: Sequence[ConsentChange]) -> None:
        known = self._by_id[before.id]
        if not isinstance(known, Customer) or known.contact.version != before.contact.version:
            raise ConflictError("the customer changed in between")
        contact = replace(before.contact.after(denials), version=before.contact.version + 1)
        self._by_id[before.id] = replace(known, contact=contact)

    def is_too_large_for(self, *event_ids: str) -> None:
        """Commits of these events are refused."""
        self._refused = frozenset(event_ids)

    _refused: frozenset[str] = frozenset()

    def _refuse(self, commit: Commit) -> None:
        if commit.event and commit.event.id in self._refused:
            raise ServiceRefusedError("dynamodb", "ValidationException")

    def commit(self, commit: Commit) -> None:
        self._refuse(commit)
        if self._conflicts:
            self._conflicts -= 1
            raise ConflictError("the customer changed in between")
        after = commit.reaction.customer
        if commit.event and any((id_, commit.event.key) in self._seen for id_ in (after.id, *after.profile.merged)):
            raise DuplicateEventError("the event was committed before")
        for one in commit.before:
            if self._by_id.get(one.id) != one:
                raise ConflictError("the customer changed in between")
        for one in commit.released:
            stored = self._by_id.get(one.id)
            if not isinstance(stored, Customer) or stored.version != one.version:
                raise ConflictError("the customer changed in between")
        homes = {
            after.profile.pointers.get(one.key) or customer_id_for(one, KEYS.customer_ids) for one in commit.claimed
        } - {after.id}
        if any(home in self._by_id for home in homes) or (not commit.before and after.id in self._by_id):
            raise ConflictError("an identifier leads elsewhere")
        self._admit(commit.reaction.admissions)
        self._by_id |= {one.id: replace(one, version=one.version + 1) for one in commit.released}
        if commit.event:
            self._seen.add((after.id, commit.event.key))
        self._by_id |= dict.fromkeys({*homes, *after.profile.references}, after.id)
        self._by_id |= {one.id: after.id for one in commit.before if one.id != after.id}
        self._by_id[after.id] = replace(after, version=after.version + 1)
        self.suppression_changes += commit.reaction.suppression_changes
        self.commits.append(commit)
        if after.erasure_pending_since is not None:
            ids = {
                after.id,
                *after.profile.merged,
                *after.profile.references,
                *(customer_id_for(one, KEYS.customer_ids) for one in after.profile.identifiers),
            }
            self._tombstones |= dict.fromkeys(ids, after.erasure_pending_since)
            self._by_id = {home: one for home, one in self._by_id.items() if home not in ids}

    def _follow(self, home: str) -> Customer | None:
        found = self._by_id.get(home)
        while isinstance(found, str):
            found = self._by_id.get(found)
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


class SeenTypes(list[Seen]):
    """The counts of types that sources send, write by write."""

    writes = 0
    is_down: CairnError | None = None

    def add(self, seen: Seen, now: datetime) -> None:  # noqa: ARG002
        self.writes += 1
        if self.is_down:
            raise self.is_down
        self.append(seen)

    def page(self, source: str, limit: int, after: str = "") -> SeenPage:
        raise NotImplementedError  # tests/integration/test_seen_types.py reads the table


class Secrets(dict[str, tuple[str, ...]]):
    def of(self, source: str) -> tuple[str, ...]:
        try:
            return self[source]
        except KeyError:
            raise SecretMissingError(f"store a secret for {source}") from None


@dataclass(slots=True)
class AnySource:
    """A source whose signature is its secret. It records its calls."""

    name: str = "shop"
    says: Reading = field(default_factory=Reading)
    broken: CairnError | None = None
    answer: Answer = field(default_factory=Answer)
    handshake: Handshake | None = None
    post_handshake: PostHandshake | None = None
    asked: list[str] = field(default_factory=list)

    def verify(self, request: Request, secrets: Sequence[str], now: datetime) -> None:  # noqa: ARG002
        self.asked.append("verify")
        if request.headers.get("signature") not in secrets:
            raise SignatureInvalidError("no signature matches")

    def read(self, request: Request, now: datetime, fetch: Fetch) -> Reading:  # noqa: ARG002
        self.asked.append("read")
        if self.broken:
            raise self.broken
        return self.says


class Timers(dict[str, WakeAt]):
    """Timers by name. Setting one is idempotent."""

    failures: Mapping[str, Exception] = MappingProxyType({})
    """By the id of the wake-up."""

    def wake_each(
        self,
        wakes: Sequence[tuple[str, WakeAt]],
        now: datetime,  # noqa: ARG002
        has_time: Callable[[], bool],  # noqa: ARG002
    ) -> dict[int, Exception]:
        for _, wake in wakes:
            if wake.id not in self.failures:
                self.setdefault(wake.id, wake)
        return {number: self.failures[wake.id] for number, (_, wake) in enumerate(wakes) if wake.id in self.failures}


class MessageQueue(list[Message]):
    failure: CairnError | None = None

    def __init__(self) -> None:
        super().__init__()
        self.deferred: list[tuple[str, str, Purpose]] = []

    def put_each(self, messages: Sequence[Message]) -> dict[int, Exception]:
        if self.failure:
            return dict.fromkeys(range(len(messages)), self.failure)
        self.extend(messages)
        return {}

    def put_deferred(self, customer_id: str, message_id: str, purpose: Purpose) -> None:
        if self.failure:
            raise self.failure
        self.deferred.append((customer_id, message_id, purpose))


class Tasks(dict[str, tuple[str, OpenTask]]):
    def open(self, customer_id: str, journey: str, task: OpenTask, at: datetime) -> None:  # noqa: ARG002
        self.setdefault(task.id, (journey, task))

    def close(self, customer_id: str, closed: CloseTask) -> None:  # noqa: ARG002
        self.pop(closed.task, None)


class AskPeople:
    """Tasks that journeys open, and the enrollments whose tasks were withdrawn."""

    def __init__(self, tasks: Tasks) -> None:
        self.tasks = tasks
        self.withdrawn: list[tuple[str, str]] = []

    def open(self, profile: Profile, journey: str, asked: OpenTask, at: datetime, now: datetime) -> None:  # noqa: ARG002
        self.tasks.open(profile.id, journey, asked, at)

    def withdraw(self, customer: str, wish: WithdrawTasks) -> None:
        self.withdrawn.append((customer, wish.enrollment))


class TaskTimers(dict[str, tuple[str, WakeTask]]):
    def wake_task(self, customer_id: str, wake: WakeTask, now: datetime) -> None:  # noqa: ARG002
        self[wake.id] = (customer_id, wake)


class MemberNotifications(dict[str, MemberNotification]):
    """By id: the same one again is the same."""

    def put(self, notifications: Sequence[MemberNotification]) -> None:
        self.update({one.id: one for one in notifications})


class Timeline(list[Fact]):
    def __init__(self) -> None:
        super().__init__()
        self.absorbed: list[tuple[str, str]] = []
        self.outcomes: dict[str, str] = {}
        """How enrollments ended, by their ids."""
        self.not_carried_out: list[tuple[str, str, str]] = []
        """Customer, effect and reason."""
        self._commits: set[tuple[str, str]] = set()

    def remember(
        self,
        customer_id: str,
        commit: str,
        facts: Iterable[Fact],
        at: datetime,  # noqa: ARG002
        merged_id: str = "",
    ) -> None:
        written = (merged_id or customer_id, commit)
        if written not in self._commits:
            self._commits.add(written)
            self.extend(facts)

    def outcome_of(self, customer_id: str, enrollment: str) -> str:  # noqa: ARG002
        return self.outcomes.get(enrollment, "")

    def note_not_carried_out(  # noqa: PLR0913, PLR0917
        self,
        customer_id: str,
        commit: str,  # noqa: ARG002
        effect: str,
        enrollment: str,  # noqa: ARG002
        because: str,
        at: datetime,  # noqa: ARG002
    ) -> None:
        self.not_carried_out.append((customer_id, effect, because))

    def entries(self, customer_id: str) -> list[dict[str, Any]]:  # noqa: ARG002
        return [{"kind": fact.kind} for fact in self]

    def absorb(self, customer_id: str, merged_id: str) -> None:
        self.absorbed.append((customer_id, merged_id))


class Crash(BaseException):
    """The process dies: no `except Exception` catches this."""


class Settlements(list[Settlement]):
    """What became of messages, queued."""

    failure: CairnError | None = None

    def put(self, settlement: Settlement) -> None:
        if self.failure:
            raise self.failure
        self.append(settlement)


class Deliveries:
    """Claims, deferrals and outcomes of messages. All customers share one contact."""

    def __init__(self, contact: Contact | None = None) -> None:
        self.contact = contact or Contact()
        self._outcomes: dict[str, MessageStatus] = {}
        self._deferred: dict[str, Message] = {}
        self._decisions: dict[str, tuple[Mapping[str, Any], ...]] = {}
        self.details: dict[str, Mapping[str, Any]] = {}
        self.recorded_for: dict[str, str] = {}
        self.approvals: dict[str, Approval] = {}
        self.paused: dict[str, str] = {}
        self.unwanted: set[str] = set()
        """Enrollments that an event has ended."""
        self.erased: set[str] = set()
        self.crash_before_record = False
        self.write_fails: Exception | None = None
        """What `record` and `release` raise."""
        self.read_fails: Exception | None = None
        self.reads = 0
        self.addresses: dict[Channel, str] = {}
        """The customer's present addresses, where they are not the message's."""
        self.suppressed: dict[Channel, tuple[Suppression, ...]] = {}
        """Stored by address, so that they are no part of the contact that a claim is conditional on."""
        self.meanwhile: Callable[[], Any] | None = None
        """Called once, between a read and the write after it."""
        self.after_claim: Callable[[], Any] | None = None
        """Called once, when a claim was made; what it raises is raised instead of an answer."""
        self.moved: dict[str, str] = {}
        """Merged customer ids to current ones."""

    def __getitem__(self, message_id: str) -> MessageStatus:
        return self._outcomes[message_id]

    def __contains__(self, message_id: str) -> bool:
        return message_id in self._outcomes

    def is_claimed(self, message: Message) -> bool:
        return message.id in self.contact.claims

    def changes(self, contact: Contact) -> None:
        """Change the contact."""
        self.contact = replace(contact, version=self.contact.version + 1)

    lagging: DeliveryContext | None = None
    """What a read that may lag sees; None: all as it is."""

    def contexts(self, asked: Sequence[DeliveryRequest], *, may_lag: bool = False) -> list[DeliveryContext | None]:
        found = [self._context(one) for one in asked]
        return [replace(self.lagging or one, lags=True) if one else None for one in found] if may_lag else found

    def _context(self, asked: DeliveryRequest) -> DeliveryContext | None:
        self.reads += 1
        if self.read_fails is not None:
            raise self.read_fails
        if isinstance(asked, Settlement):
            asked = asked.message
        message = self._deferred.get(asked.id) if isinstance(asked, DeferredMessage) else asked
        if message is None or asked.customer in self.erased:
            return None
        message = replace(
            message,
            customer=self.moved.get(message.customer, message.customer),
            approval=self.approvals.get(message.id),
            journey_ended=message.enrollment in self.unwanted,
            addresses={**message.addresses, **self.addresses},
        )
        contact = replace(self.contact, suppressed={**self.contact.suppressed, **self.suppressed})
        return DeliveryContext(message, contact, self._outcomes.get(message.id), self._decisions.get(message.id, ()))

    def claim(self, message: Message, contact: Contact, claim: Claim) -> None:
        self._check_version(contact)
        deferrals = {key: deferral for key, deferral in contact.deferrals.items() if key != message.id}
        self.changes(replace(contact, claims={**contact.claims, message.id: claim}, deferrals=deferrals))
        self.after_claim, after = None, self.after_claim
        if after is not None:
            after()

    def release(
        self,
        message: Message,
        claim: Claim,
        deferral: Deferral | None = None,
        others: Iterable[Deferral] = (),  # noqa: ARG002  it has no index
    ) -> None:
        if self.write_fails is not None:
            raise self.write_fails
        if self.contact.claims.get(message.id) != claim:
            return
        left = {key: one for key, one in self.contact.claims.items() if key != message.id}
        again = {message.id: deferral} if deferral else {}
        self.changes(replace(self.contact, claims=left, deferrals={**self.contact.deferrals, **again}))

    def defer(self, context: DeliveryContext, deferral: Deferral, verdict: Defer, now: datetime) -> None:
        self._check_version(context.contact)
        message = context.message
        claims = {key: claim for key, claim in context.contact.claims.items() if key != message.id}
        self.changes(
            replace(context.contact, claims=claims, deferrals={**context.contact.deferrals, message.id: deferral})
        )
        self._deferred[message.id] = message
        self._outcomes[message.id] = MessageStatus.DEFERRED
        changes = {"at": now, "reason": verdict.reason, "until": verdict.until, "why": verdict.why}
        self._decisions[message.id] = (*context.decisions, changes)
        if verdict.paused_target:
            self.paused[message.id] = verdict.paused_target

    def record(self, context: DeliveryContext, status: MessageStatus, at: datetime, detail: Mapping[str, Any]) -> None:
        if self.crash_before_record:
            raise Crash
        if self.write_fails is not None:
            raise self.write_fails
        message = context.message
        self.details[message.id] = detail
        self.recorded_for[message.id] = message.customer
        self._deferred.pop(message.id, None)
        deferrals = {key: deferral for key, deferral in self.contact.deferrals.items() if key != message.id}
        self.changes(replace(self.contact, deferrals=deferrals))
        self.move(message.customer, message.id, status, at)

    def move(
        self,
        customer_id: str,  # noqa: ARG002
        message_id: str,
        status: MessageStatus,
        at: datetime,  # noqa: ARG002
    ) -> Mapping[str, Any] | None:
        known = self._outcomes.get(message_id)
        if known is not None and known.rank >= status.rank:
            return None
        self._outcomes[message_id] = status
        return self.details.get(message_id, {})

    def _check_version(self, contact: Contact) -> None:
        meanwhile, self.meanwhile = self.meanwhile, None
        if meanwhile is not None:
            meanwhile()
        if contact.version != self.contact.version:
            raise ConflictError("the contact changed in between")


class DeferredMessages(dict[str, datetime]):
    """The next delivery of each deferred message."""

    def schedule(self, message: Message, at: datetime, now: datetime) -> None:  # noqa: ARG002
        self[message.id] = at


class RateLimiter:
    """A provider with capacity from an instant on."""

    def __init__(self) -> None:
        self.free_from: datetime | None = None
        self.is_full = False
        """No reservation is earlier."""
        self.asked: list[tuple[Channel, str, Purpose]] = []

    def reserve(self, channel: Channel, country: str, purpose: Purpose, now: datetime, after: str = "") -> Reservation:
        if after == channel:
            return Reservation(now)
        self.asked.append((channel, country, purpose))
        return Reservation(max(now, self.free_from or now), "" if self.is_full else channel.value)


class Sent(dict[str, str]):
    """Message ids by the provider's id; the last message of a customer by an empty id."""

    def __init__(self) -> None:
        super().__init__()
        self.statuses: dict[str, MessageStatus] = {}

    def match(self, customer_id: str, provider_id: Any, channel: Any, before: datetime) -> SentMessage | None:  # noqa: ARG002
        found = self.get(str(provider_id or ""))
        return SentMessage(found) if found is not None else None

    def status(self, customer_id: str, message_id: str) -> MessageStatus | None:  # noqa: ARG002
        return self.statuses.get(message_id)


class ErasureOrders(dict[str, datetime]):
    """The orders of the last hour."""

    def admit(self, order: str, limit: int, now: datetime) -> bool:
        admitted = order_rate.admit(self, order, limit, now)
        if admitted is None:
            return False
        self.clear()
        self.update(admitted)
        return True


class Switches(set[str]):
    """Stopped and paused targets."""

    pauses: tuple[Pause, ...] = ()
    asked = 0

    def current(self, now: datetime) -> GateSettings:  # noqa: ARG002
        self.asked += 1
        return GateSettings(stopped=frozenset(self), pauses=self.pauses)


class ChosenArms(dict[str, Mapping[tuple[str, str], str]]):
    """By journey, the chosen arms of its splits."""

    asked = 0

    def of(self, journey: str, now: datetime) -> Mapping[tuple[str, str], str]:  # noqa: ARG002
        self.asked += 1
        return self.get(journey, {})


class ArmCounts:
    """Each outcome counts once."""

    def __init__(self) -> None:
        self._outcomes: dict[tuple[str, str, str], ArmOutcome] = {}

    def add(self, outcome: ArmOutcome, at: datetime) -> None:  # noqa: ARG002
        self._outcomes.setdefault((outcome.enrollment, outcome.step, outcome.what), outcome)

    def of(self, journey: str) -> Mapping[CountedArm, ArmCount]:
        counted: dict[CountedArm, Counter[str]] = {}
        for one in self._outcomes.values():
            if one.journey == journey:
                counted.setdefault(CountedArm(one.version, one.step, one.arm), Counter()).update([one.what])
        return {arm: ArmCount(counts["entered"], counts["reached"]) for arm, counts in counted.items()}


class ChoiceBoard:
    """Chosen arms with an optimistic lock, and an audit entry for each change."""

    def __init__(self) -> None:
        self._board = Choices()
        self.audit: list[AuditEntry] = []
        self.meanwhile: Callable[[], Any] | None = None
        """Called once, between a read and the write after it."""

    def board(self) -> Choices:
        return self._board

    def put(self, board: Choices, audited: AuditEntry) -> None:
        first, self.meanwhile = self.meanwhile, None
        if first:
            first()
        if board.version != self._board.version:
            raise ConflictError("somebody else has just chosen an arm")
        self._board = replace(board, version=board.version + 1)
        self.audit.append(audited)


class SwitchBoard:
    """Switches with an optimistic lock, and an audit entry for each change."""

    def __init__(self) -> None:
        self._board = SwitchState()
        self.audit: list[AuditEntry] = []
        self.conflicts = 0
        """This many puts fail with a conflict."""
        self.meanwhile: Callable[[], Any] | None = None
        """Called once, between a read and the write after it."""

    def board(self) -> SwitchState:
        return self._board

    def put(self, board: SwitchState, audited: AuditEntry) -> None:
        meanwhile, self.meanwhile = self.meanwhile, None
        if meanwhile is not None:
            meanwhile()
        if self.conflicts or board.version != self._board.version:
            self.conflicts = max(0, self.conflicts - 1)
            raise ConflictError("somebody else has just turned a switch")
        self._board = replace(board, version=board.version + 1)
        self.audit.append(audited)


class AudienceMembers(list[tuple[str, JoinAudience | LeaveAudience, int]]):
    def note(
        self,
        customer_id: str,
        change: JoinAudience | LeaveAudience,
        rank: int,
        at: datetime,  # noqa: ARG002  as the port has it
    ) -> None:
        self.append((customer_id, change, rank))


class PausedWorkStore(dict[str, list[PausedWork]]):
    """Paused work by target."""

    page = 100

    def __init__(self, work: Mapping[str, list[PausedWork]] | None = None) -> None:
        super().__init__(work or {})
        self.due: dict[str, datetime] = {}
        """When the timers of enrollments were due."""

    def add(self, customer_id: str, commit: str, enrollment: PauseEnrollment, due_at: datetime) -> None:
        self.due[enrollment.enrollment] = due_at
        work = PausedEnrollment(customer_id, enrollment.enrollment, enrollment.sequence, commit)
        there = self.setdefault(enrollment.target, [])
        if work not in there:
            there.append(work)

    def pages(self, target: str) -> Iterator[Sequence[PausedWork]]:
        there = list(self.get(target, ()))
        return (there[start : start + self.page] for start in range(0, len(there), self.page))

    def remove(self, target: str, work: Sequence[PausedWork]) -> None:
        self[target] = [one for one in self[target] if one not in work]


class Wakes(list[PausedEnrollment]):
    def wake_now(self, work: Sequence[PausedEnrollment]) -> None:
        self.extend(work)


class QueueDepths(dict[str, int | Exception]):
    """Queues by their names, with the number of their messages; an error where SQS gives none."""

    @property
    def names(self) -> tuple[str, ...]:
        return tuple(self)

    def depth(self, queue: str) -> int:
        found = self[queue]
        if isinstance(found, Exception):
            raise found
        return found


class FlowCounters:
    """The counts of five minutes each, and the signs that were reported."""

    def __init__(self) -> None:
        self.buckets: dict[datetime, Flow] = {}
        self.reported: dict[Sign, datetime] = {}

    def add(self, flow: Flow, now: datetime) -> None:
        start = bucket_of(now)
        self.buckets[start] = self.buckets.get(start, Flow()) + flow

    def between(self, first: datetime, last: datetime) -> list[FlowBucket]:
        return [FlowBucket(start, self.buckets[start]) for start in sorted(self.buckets) if first <= start <= last]

    def is_new(self, sign: Sign, now: datetime, again: timedelta) -> bool:
        before = self.reported.get(sign)
        if before is not None and now - before < again:
            return False
        self.reported[sign] = now
        return True


@dataclass
class QueueAges:
    ages: dict[str, timedelta] = field(default_factory=dict)
    refuses: Exception | None = None
    asked: list[str] = field(default_factory=list)

    def ages_of_oldest(self, queues: Sequence[str], now: datetime) -> Mapping[str, timedelta]:  # noqa: ARG002
        self.asked += queues
        if self.refuses is not None:
            raise self.refuses
        return {name: self.ages[name] for name in queues if name in self.ages}


class Renderer:
    """Writes every message as `Dear <address>`."""

    failure: CairnError | None = None

    def __init__(self) -> None:
        self.says = Terms()
        """The terms of steps and templates."""

    def terms(self, message: Message) -> Terms:  # noqa: ARG002
        return self.says

    def render(self, message: Message, channel: Channel, address: str) -> Rendered:
        if self.failure:
            raise self.failure
        return Rendered(channel, address, f"Dear {address}", subject=message.template)


class Provider(list[Rendered]):
    """Messages that the provider accepted."""

    name = "fake"
    answer: Exception | None = None

    def send(self, message: Message, rendered: Rendered) -> str:
        if self.answer:
            raise self.answer
        self.append(rendered)
        return f"provider/{message.id}"


class DeadLetteredEffects(list[tuple[str, Work, Exception]]):
    """Effects that can never be carried out."""

    failure: Exception | None = None

    def __call__(self, one: WaitingEffect, why: Exception) -> None:
        if self.failure:
            raise self.failure
        self.append((one.customer, one.what, why))


class DeadLetters(list[tuple[str, Reason]]):
    """Bodies with their reasons."""

    failure: Exception | None = None

    def add(self, body: str, reason: Reason, group: str = "", delivery: str = "") -> None:  # noqa: ARG002
        if self.failure:
            raise self.failure
        self.append((body, reason))


class ConsumedQueues:
    """The messages that are delivered again, and when."""

    def __init__(self) -> None:
        self.waits: dict[str, int] = {}
        """Seconds by receipt handle."""
        self.queued: list[str] = []
        """Bodies that were queued from elsewhere."""

    def put_off(self, queue_arn: str, waits: Mapping[str, int]) -> None:  # noqa: ARG002
        self.waits |= waits


class EffectsQueue(list[WaitingEffect]):
    """Effects that wait."""

    failure: Exception | None = None

    def __init__(self) -> None:
        self.delays: list[int] = []

    def put(self, effects: Sequence[WaitingEffect], delay_seconds: int = 5) -> None:
        if self.failure:
            raise self.failure
        self.extend(effects)
        self.delays.append(delay_seconds)


class PresentCustomers(dict[str, PresentCustomer | None]):
    """Customers by an id that they had or have; None for an erased one."""

    def __init__(self) -> None:
        super().__init__()
        self.reads: list[Collection[str]] = []
        """The customers of each read."""

    def present_ids(self, ids: Collection[str]) -> dict[str, str]:
        self.reads.append(sorted(ids))
        return {id_: one.profile.id for id_ in ids if (one := self.get(id_)) is not None}

    def load(self, customer_id: str, enrollments: Collection[str] = ()) -> PresentCustomer | None:
        self.reads.append([customer_id])
        if (found := self.get(customer_id)) is None:
            return None
        asked = {id_: one for id_, one in found.enrollments.items() if id_ in enrollments}
        return PresentCustomer(found.profile, asked)


class ConsentRecords(dict[tuple[str, str], ConsentRecord]):
    """By customer and name. The same effect gets the same names again."""

    def __init__(self) -> None:
        super().__init__()
        self._brought_by: dict[tuple[str, str], str] = {}

    def add(self, customer_id: str, effect_id: str, records: Iterable[ConsentRecord]) -> list[str]:
        names = []
        for record in records:
            key = (customer_id, repr(record))
            self[key] = record
            if self._brought_by.setdefault(key, effect_id) == effect_id:
                names.append(key[1])
        return names

    def find(self, customer_id: str, name: str) -> tuple[Profile, ConsentRecord] | None:
        record = self.get((customer_id, name))
        return (Profile(customer_id, record.at), record) if record else None


class WebhookQueue(list[WebhookDelivery]):
    """Queued deliveries."""

    failure: CairnError | None = None

    def put(self, notices: Sequence[WebhookDelivery]) -> None:
        if self.failure:
            raise self.failure
        self.extend(notices)


class Erasures(list[tuple[str, EraseCustomer]]):
    """Queued erasures."""

    def put(self, customer_id: str, order: EraseCustomer, delay: timedelta) -> None:  # noqa: ARG002
        if (customer_id, order) not in self:
            self.append((customer_id, order))


class DeliveryCounters(dict[tuple[str, datetime], Counts]):
    """By target and bucket."""

    def add(self, targets: Collection[str], bucket: datetime, outcome: DeliveryOutcome) -> None:
        for target in targets:
            self[target, bucket] = self.get((target, bucket), Counts()) + Counts(**{outcome.value: 1})

    def between(self, target: str, first: datetime, last: datetime) -> list[CountBucket]:
        return [CountBucket(at, counts) for (of, at), counts in self.items() if of == target and first <= at <= last]


class ReportedMessages(dict[tuple[str, str], tuple[MessageStatus, dict[str, Any]]]):
    """The status and the sender's record of each message, by customer and id."""

    def move_sent(
        self, customer_id: str, message_id: str, status: MessageStatus, at: datetime
    ) -> Mapping[str, Any] | None:
        found, about = self.get((customer_id, message_id), (MessageStatus.CLAIMED, {}))
        if found is MessageStatus.SENT and status.rank > found.rank:
            self[customer_id, message_id] = (status, about | {"delivered_at": at})
            return about
        return {} if found.rank >= max(status.rank, MessageStatus.SENT.rank) else None


class StatusReports:
    """The status reports that stored versions hear; None where it is not known."""

    def __init__(self, heard: Collection[str] | None = None) -> None:
        self.heard = heard
        self.reads = 0

    def unheard(self) -> frozenset[str]:
        self.reads += 1
        return frozenset() if self.heard is None else STATUS_REPORTS.difference(self.heard)


class Alert(list[tuple[str, str]]):
    """Alerts: subject and text."""

    def send(self, subject: str, text: str) -> None:
        self.append((subject, text))


class InAppInbox(dict[tuple[str, str], InAppMessage]):
    def put(self, message: InAppMessage) -> None:
        self.setdefault((message.customer, message.id), message)

    def newest(self, customer_id: str, limit: int) -> Sequence[InAppMessage]:
        own = [one for one in self.values() if one.customer == customer_id]
        return sorted(own, key=lambda one: one.id, reverse=True)[:limit]

    def find(self, customer_id: str, id_: str) -> InAppMessage | None:
        return self.get((customer_id, id_))

    def move(self, message: InAppMessage, status: InAppStatus) -> None:
        known = self.get((message.customer, message.id))
        if known is not None and known.status.rank < status.rank:
            self[message.customer, message.id] = replace(known, status=status)


class InAppOutbox(list[InAppReport]):
    """The port InAppReports."""

    is_down: Exception | None = None

    def put(self, report: InAppReport) -> None:
        if self.is_down:
            raise self.is_down
        self.append(report)
