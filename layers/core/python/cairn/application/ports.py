"""The interfaces that use cases need from outside, named by role. Adapters and test fakes keep the same contract."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeAlias

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
    from datetime import datetime, timedelta
    from typing import Protocol

    from cairn.application.values.arms import ArmCount, CountedArm
    from cairn.application.values.audiences import DrawnCustomers, FilledAudience, MemberCount, MemberPage
    from cairn.application.values.customers import Commit, FoundCustomers, PresentCustomer
    from cairn.application.values.erasure import PendingErasure
    from cairn.application.values.facts import Question, Row
    from cairn.application.values.messages import DeliveryContext, DeliveryRequest, InAppReport, Settlement
    from cairn.application.values.paused import PausedWork
    from cairn.application.values.people import MemberOverrides, Roster, Staff, TaskPage
    from cairn.application.values.privacy import PrivacyTask
    from cairn.application.values.replies import Guess, SentMessage
    from cairn.application.values.reviews import UnderReview
    from cairn.application.values.seen import SeenPage
    from cairn.application.values.waiting import Waiting, WaitingPage
    from cairn.application.values.webhooks import Reply
    from cairn.domain.audience.audiences import Audience
    from cairn.domain.audience.broadcasts import Broadcast
    from cairn.domain.audience.selection import Selection
    from cairn.domain.consent.changes import ConsentChange
    from cairn.domain.consent.contact import Claim, Contact, Deferral
    from cairn.domain.consent.links import Link, LinkKind
    from cairn.domain.consent.record import ConsentRecord
    from cairn.domain.consent.suppression import Suppression, SuppressionChange
    from cairn.domain.customer.state import Concerns, Customer
    from cairn.domain.effects import (
        CloseTask,
        Effect,
        EraseCustomer,
        EraseRecord,
        Fact,
        JoinAudience,
        LeaveAudience,
        OpenTask,
        PauseEnrollment,
        WakeAt,
        WakeTask,
    )
    from cairn.domain.event import Event
    from cairn.domain.gate.settings import GateSettings
    from cairn.domain.gate.verdict import Defer
    from cairn.domain.identity.identifiers import Identifier
    from cairn.domain.journey.arms import ArmOutcome
    from cairn.domain.journey.definition import Admission, Journey
    from cairn.domain.measurement.facts import LoggedFact
    from cairn.domain.measurement.plan import Plan
    from cairn.domain.message.in_app import InAppMessage, InAppStatus
    from cairn.domain.message.message import Approval, Message, MessageStatus, Rendered, Terms
    from cairn.domain.message.rate_limit import Reservation
    from cairn.domain.operations.audit import AuditEntry
    from cairn.domain.operations.breaker import CountBucket, DeliveryOutcome
    from cairn.domain.operations.choices import Choices
    from cairn.domain.operations.flow import Flow, FlowBucket
    from cairn.domain.operations.once import EarlierAnswer, RequestKey
    from cairn.domain.operations.seen import Seen
    from cairn.domain.operations.signs import Sign
    from cairn.domain.operations.switches import SwitchState
    from cairn.domain.people.members import Deal
    from cairn.domain.people.notification import MemberNotification
    from cairn.domain.people.routing import Assignment
    from cairn.domain.people.script import Script
    from cairn.domain.people.task import Task
    from cairn.domain.policy import WebhookEndpoint
    from cairn.domain.profile.profile import Profile
    from cairn.domain.quality.reports import Pair, Section
    from cairn.domain.replies.rules import IntentRule
    from cairn.domain.shared.channels import Channel, Purpose
    from cairn.domain.webhook_delivery import Webhook
else:
    Protocol = object  # 0.1 ms of a start for each class: only type checkers read them


Attempts: TypeAlias = "Callable[[int], Iterable[int]]"
"""The numbers of at most so many attempts, with a pause before each but the first: time for the others who write."""


class Customers(Protocol):
    def find(
        self,
        identifiers: Sequence[Identifier],
        otherwise: Sequence[Identifier] = (),
        concerns: Concerns | None = None,
    ) -> FoundCustomers:
        """The customers of these identifiers, and of those in `otherwise` where the first one belongs to nobody.

        One read where the first identifier is known, else two. Of a customer with many enrollments, those in journeys
        that it does not `concern` may be left unread (`Customer.unread`).
        """

    def pointer_without(self, name: Identifier, loser: Customer) -> str:
        """The id under which an identifier can be claimed that its customer loses in the same commit."""

    def load(self, customer_id: str, enrollment: str = "", *, may_lag: bool = False) -> Customer:
        """The open state of a customer; follows a merge. Raises UnknownCustomerError or ErasedCustomerError.

        With an enrollment, all others may be left unread. `may_lag`: it may be as it was a moment ago, which costs
        half; a commit of what follows from it raises ConflictError where that is another state than now.
        """

    def entered(self, customer: Customer, names: Collection[str]) -> Mapping[str, datetime]:
        """Of these entries (`journey:key`), those that are too old for the customer's state, with their instants."""

    def is_full(self, admission: Admission) -> bool:
        """Whether it is known that an hour or a day takes no more enrollments of a journey."""

    def commit(self, commit: Commit) -> None:
        """Write the commit. Raises DuplicateEventError, or ConflictError where another commit came first.

        So it does where a cap has no room left for one of its admissions.
        """

    def record_suppressions(self, changes: Sequence[SuppressionChange]) -> None:
        """Write suppressions of addresses without a customer."""

    def record_denials(self, before: Customer, denials: Sequence[ConsentChange]) -> None:
        """Write what a customer says no to, and nothing else. Raises ConflictError where the contact has changed."""


class ImportedCustomers(Customers, Protocol):
    def expect(self, identifiers: Sequence[Identifier]) -> None:
        """Ask for the customers of many identifiers at once, before they are looked for one by one."""

    def imported_line(self, event: Event) -> int | None:
        """The line whose event was written under the id of this one; None where it cannot be found any more."""


class JourneyVersions(Protocol):
    def watching(self) -> Mapping[str, tuple[Journey, ...]]:
        """The deployed journeys that start by a date or a condition of the profile, by the attributes that it reads."""

    def current(self, name: str) -> Journey | None:
        """The deployed version of a journey."""

    def listening(self, event_type: str) -> tuple[Journey, ...]:
        """The deployed version of every journey that this type of event may start, end or give new data."""

    def version(self, name: str, version: str) -> Journey:
        """One version, deployed or saved. Raises UnknownJourneyError."""

    def keep(self, journey: Journey) -> None:
        """Save this version beyond its deployment, for customers who have just entered it."""


class JourneyDirectory(Protocol):
    """The journeys, and their versions."""

    def names(self) -> Collection[str]:
        """The deployed journeys."""

    def version(self, name: str, version: str) -> Journey:
        """One version, deployed or stored. Raises UnknownJourneyError."""

    def deployed(self, name: str) -> str | None:
        """The version that customers enter now; None where the journey is not deployed."""

    def stored(self, name: str) -> Sequence[str]:
        """The versions that customers have been enrolled in."""

    def choosing_by_rule(self) -> Sequence[Journey]:
        """The deployed journeys with a split whose winner a rule chooses."""


class JourneyDocuments(JourneyDirectory, Protocol):
    def document(self, name: str, version: str) -> Mapping[str, Any]:
        """A version as it was checked. Raises UnknownJourneyError."""

    def checked(self, name: str, version: str) -> Mapping[str, Any] | None:
        """What the check and preflight have found (authoring/proof/checks); None for an earlier version."""


class JourneyTemplates(JourneyDirectory, Protocol):
    def variants(self, name: str, version: str, template: str) -> Sequence[tuple[Channel, str]]:
        """The channels and languages of a template; an empty language stands for every other one."""

    def samples(self, name: str) -> Sequence[Mapping[str, Any]]:
        """The made-up customers of a journey: `name`, `profile`, `data`, `values`; none where none was deployed."""


class Inbox(Protocol):
    def put(self, events: Sequence[Event]) -> None:
        """Store events durably, in order per customer. Raises where any of them is not stored."""

    def put_unreadable(self, source: str, body: bytes, problems: Sequence[str]) -> None:
        """Store a genuine but unusable body, on its way to the dead letters. Raises where it is not stored."""


class Timers(Protocol):
    def wake_each(
        self, wakes: Sequence[tuple[str, WakeAt]], now: datetime, has_time: Callable[[], bool]
    ) -> Mapping[int, Exception]:
        """Set timers that wake enrollments, each with its customer's id. Idempotent. Returns the failures by number."""


class PresentCustomers(Protocol):
    def present_ids(self, ids: Collection[str]) -> Mapping[str, str]:
        """The id that each of these customers has now, after a merge another one; none for an erased customer."""

    def load(self, customer_id: str, enrollments: Collection[str] = ()) -> PresentCustomer | None:
        """The customer who has this id now, with these of their enrollments; None after an erasure."""


class MessageQueue(Protocol):
    def put_each(self, messages: Sequence[Message]) -> Mapping[int, Exception]:
        """Queue messages, each in the queue of its purpose. Returns the failures by number."""

    def put_deferred(self, customer_id: str, message_id: str, purpose: Purpose) -> None:
        """Queue a deferred message, by reference."""


class Tasks(Protocol):
    def open(self, customer_id: str, journey: str, task: OpenTask, at: datetime) -> None:
        """Record a task for a person. Idempotent. One that was done before `at` is opened again."""

    def close(self, customer_id: str, closed: CloseTask) -> None:
        """Close a task without a person. Idempotent; one that is done, or that nobody has opened, stays as it is."""


class TaskTimers(Protocol):
    def wake_task(self, customer_id: str, wake: WakeTask, now: datetime) -> None:
        """Set a timer of a task. Idempotent."""


class MemberNotifications(Protocol):
    def put(self, notifications: Sequence[MemberNotification]) -> None:
        """Queue notifications. Raises where any of it is not queued."""


class TaskStore(Protocol):
    """The tasks of all customers, and who has them. Costs are in write units, for a task and a member of ≤ 1 KB."""

    def staff(
        self, members: Collection[str], deals: Collection[str] = (), task: tuple[str, str] | None = None
    ) -> Staff:
        """The work of these members, what operators say about all, these deals, and a task (customer, id).

        One read for a hundred of them.
        """

    def open(self, task: Task, given: Assignment, follows: Sequence[Effect] = ()) -> Task:
        """Store a task, and give it to the owner of its assignment, atomically: 6 units, without an owner 3.

        `follows` is carried out after the write, by relay_effects: in the same item, so that none of it is lost.

        Raises ConflictError where the task exists and is open or not older, or the owner was given another one since
        the staff was read: read it again and decide again. A task that was done before is opened again; `task.version`
        is then that of the stored one.
        """

    def load(self, customer_id: str, task_id: str) -> Task | None:
        """A task, also one that an earlier release has stored. Of a merged customer, give the present id."""

    def change(
        self, before: Task, after: Task, given: Assignment | None = None, follows: Sequence[Effect] = ()
    ) -> Task:
        """Write a task that is stored: 2 units; one that closes, 4. Returns it as it is stored now.

        Where the owner changes, the task moves from one list to the other in the same write (up to 7 units). With
        `given` (an assignment by the rules) it counts as a share of the queue's work; without it (a member takes or
        hands over a task), the capacity is not looked at. Raises ConflictError where the task, or the member who is
        given it by the rules, has changed since it was read.

        A task that closes leaves its owner's list in a second write. Where that fails, the same change raises
        ConflictError when it is tried again: call `unlist` with the closed task then. It is idempotent.
        """

    def of_customer(self, customer_id: str) -> Sequence[Task]:
        """All tasks of a customer, open or not: one query."""

    def unlist(self, task: Task) -> None:
        """Take a task that is closed, or about to be erased, out of its owner's list. Idempotent."""

    def page(self, queue: str, limit: int, after: str = "") -> TaskPage:
        """The open tasks of a queue: urgent ones first, then by due time. One query. Raises InvalidRequestError."""

    def of_member(self, member: str) -> Sequence[Task]:
        """The open tasks of a member, by priority and due time. Mends the member's list where it is wrong."""


class MemberBoard(Protocol):
    def read(self) -> MemberOverrides: ...

    def put(self, after: MemberOverrides, member: str, audited: AuditEntry) -> None:
        """Write what is said about a member over what was read, and the audit, atomically.

        An assignment that read it before is refused. Raises ConflictError where another change came first.
        """


class MemberRoster(Protocol):
    def read(self) -> Roster | None:
        """None before the first deployment is accepted: it is one into an empty table (check_identity_key)."""

    def put(self, roster: Roster) -> None: ...


class Deals(Protocol):
    def find(self, deal: str) -> Deal | None:
        """The deal of this hash, perhaps no longer valid."""

    def put(self, deal: str, before: Deal | None, after: Deal, audited: AuditEntry) -> None:
        """Register a deal and write the audit, atomically.

        Raises ConflictError where it is no longer as it was before.
        """


class Timeline(Protocol):
    def remember(self, customer_id: str, commit: str, facts: Iterable[Fact], at: datetime, merged_id: str = "") -> None:
        """Write the facts of one commit; with `merged_id`, of a profile that was merged into the customer since."""

    def outcome_of(self, customer_id: str, enrollment: str) -> str:
        """How an enrollment ended that the customer's state has no longer; empty where no record says so."""

    def note_not_carried_out(  # noqa: PLR0913, PLR0917  what, of what, and why
        self, customer_id: str, commit: str, effect: str, enrollment: str, because: str, at: datetime
    ) -> None:
        """Write that an effect which has waited is not carried out, and why."""

    def absorb(self, customer_id: str, merged_id: str) -> None:
        """Move the records of a merged profile here. Can be interrupted and repeated."""


class Settlements(Protocol):
    def put(self, settlement: Settlement) -> None:
        """Queue it, in the queue of the message's purpose."""


class Deliveries(Protocol):
    def contexts(self, asked: Sequence[DeliveryRequest], *, may_lag: bool = False) -> list[DeliveryContext | None]:
        """The context of each message, in one read for all; None where the customer was erased.

        `may_lag`: they may be as they were a moment ago, which costs half (`DeliveryContext.lags`).
        """

    def claim(self, message: Message, contact: Contact, claim: Claim) -> None:
        """Claim the message, also where the lease of an earlier claim has ended. It stays beside the contact's claims.

        Raises ConflictError where the contact has changed since it was read. That may be by this claim itself: where
        the answer to a call is lost, the SDK calls again.
        """

    def release(
        self, message: Message, claim: Claim, deferral: Deferral | None = None, others: Iterable[Deferral] = ()
    ) -> None:
        """Give back this claim, and no other, wherever its customer is by now: the message was certainly not sent.

        With a deferral, the message is deferred again, beside the contact's `others`.
        """

    def defer(self, context: DeliveryContext, deferral: Deferral, verdict: Defer, now: datetime) -> None:
        """Store the message until its instant. Raises ConflictError as `claim` does."""

    def record(self, context: DeliveryContext, status: MessageStatus, at: datetime, detail: Mapping[str, Any]) -> None:
        """Write the outcome of a message, and end its deferral. Idempotent."""

    def move(self, customer_id: str, message_id: str, status: MessageStatus, at: datetime) -> Mapping[str, Any] | None:
        """Move a message's status forward, never back. Returns its record; None where nothing changed."""


class DeferredMessages(Protocol):
    def schedule(self, message: Message, at: datetime, now: datetime) -> None:
        """Schedule the delivery of a deferred message. Idempotent."""


class RateLimiter(Protocol):
    def reserve(self, channel: Channel, country: str, purpose: Purpose, now: datetime, after: str = "") -> Reservation:
        """Reserve capacity of the provider: now or later.

        `after` names the limit whose reservation the message has already waited for.
        """


class ConsentRecords(Protocol):
    def add(self, customer_id: str, effect_id: str, records: Iterable[ConsentRecord]) -> list[str]:
        """Store records without expiry. Idempotent. Returns the names of those that no other effect has added."""

    def knows(self, customer_id: str) -> bool:
        """Whether there is such a customer, perhaps merged into another one, and not erased."""

    def find(self, customer_id: str, name: str) -> tuple[Profile, ConsentRecord] | None:
        """A record and the profile that it belongs to now; None where the customer was erased."""


class WebhookQueue(Protocol):
    def put(self, notices: Sequence[Webhook]) -> None:
        """Queue deliveries for their endpoints."""


class WebhookEndpoints(Protocol):
    def post(
        self, endpoint: WebhookEndpoint, delivery_id: str, document: Mapping[str, Any], now: datetime, read: int = 0
    ) -> Reply:
        """Post a signed document, and read so many bytes of the answer's body at most.

        Raises WebhookEndpointError or WebhookUnreachableError.
        """


class Scripts(Protocol):
    def get(self, name: str) -> Script | None:
        """A deployed call script; None where there is none of this name."""


class MemberChannels(Protocol):
    """Ways to reach a member of the business, who is no customer: no consent is asked, no caps count."""

    def email(self, address: str, subject: str, text: str) -> None:
        """Raises what a provider's calls raise (adapters/providers/calls)."""

    def sms(self, number: str, text: str) -> None:
        """As `email`. `number` is in E.164."""


class NotifiedMembers(Protocol):
    def first(self, member: str, period_ends: datetime, notification: str, now: datetime) -> bool:
        """Whether this notification is the one that lists all tasks of the member for a period. One write unit.

        The same notification gets the same answer again.
        """


class Sent(Protocol):
    def match(self, customer_id: str, provider_id: Any, channel: Any, before: datetime) -> SentMessage | None:
        """The message for a provider's id; without that, the last message sent on the channel."""

    def status(self, customer_id: str, message_id: str) -> MessageStatus | None:
        """The status of a message; None where it has no record."""


class Interpreter(Protocol):
    """A model that reads what no rule reads."""

    def read(self, text: str, intents: Iterable[IntentRule], *, drafts: bool, now: datetime) -> Guess:
        """It sees the text, and the name and the sentence of each intent; nothing else.

        Raises NoGuessError where it gives no answer in time, or none of the shape that is asked for.
        """


class ModelCalls(Protocol):
    def take(self, limit: int, now: datetime) -> bool:
        """Count a call of this day, in UTC; False, and nothing is counted, where there were `limit` of them."""


class ReportedMessages(Protocol):
    def move_sent(
        self, customer_id: str, message_id: str, status: MessageStatus, at: datetime
    ) -> Mapping[str, Any] | None:
        """Move a message that is recorded as sent forward to this status; returns the sender's record of it.

        An empty one where the status is this far already. None where no record of the customer says that the message
        was sent: it is not written yet, or the customer was merged or erased.
        """


class StatusReports(Protocol):
    def unheard(self) -> frozenset[str]:
        """The STATUS_REPORTS that no journey version with an enrollment hears, read anew each time.

        None of them where that is not known: earlier releases noted nothing.
        """


class Switches(Protocol):
    def current(self, now: datetime) -> GateSettings:
        """Stopped and paused targets, at most SWITCH_TTL old."""


class AudienceMembers(Protocol):
    """Memberships in audiences."""

    def note(self, customer_id: str, change: JoinAudience | LeaveAudience, rank: int, at: datetime) -> None:
        """Write that a customer has joined or left, unless a change of a higher rank is written.

        Idempotent, in any order; of a customer who was erased or merged by now, nothing is left.
        """


class CustomersByLot(Protocol):
    def draw(self, salt: str) -> DrawnCustomers:
        """A few hundred or thousand customers at random, with their part of all; of a small table all of them."""


class AudienceIndex(Protocol):
    """The members of audiences in their order. A customer who joins or leaves meanwhile may be missing or there."""

    def page(self, audience: Audience, selected: Selection, limit: int, after: str = "") -> MemberPage:
        """About so many members, by position; fewer or none before the last page where a filter leaves them out."""

    def count(self, audience: Audience, selected: Selection, after: str = "") -> MemberCount:
        """The number of members; of many, a part, which goes on where it ended."""

    def among(self, audience: Audience, customers: Sequence[str]) -> frozenset[str]:
        """Of these customers, the members."""

    def filled(self) -> Mapping[str, FilledAudience]:
        """The audiences that were filled, by name."""


class Broadcasts(Protocol):
    def get(self, broadcast_id: str) -> Broadcast | None: ...

    def add(self, broadcast: Broadcast) -> bool:
        """Store a new broadcast; False where there is one of this id."""

    def change(self, after: Broadcast) -> bool:
        """Store the next version; False where the present one is not the one before it. What follows is carried out."""

    def latest(self, limit: int, before: str = "") -> Sequence[Broadcast]:
        """The broadcasts, the newest first."""


class AudienceFiller(Protocol):
    def fill(self, customer_id: str, joining: JoinAudience, rank: int) -> bool:
        """Write that a customer of this version is a member, unless a later change is written; whether it was."""

    def is_listed_in(self, audience: Audience, listed_as: str) -> bool:
        """Whether an index key is of this version of an audience."""

    def remove(self, customer_id: str, audience: str, listed_as: str) -> None:
        """Remove a membership that is still listed so."""

    def note_filled(self, name: str, filled: FilledAudience) -> None:
        """Write that an audience was filled."""


class PausedWorkStore(Protocol):
    def add(self, customer_id: str, commit: str, enrollment: PauseEnrollment, due_at: datetime) -> None:
        """Store an enrollment until its target is resumed. Idempotent per commit."""

    def pages(self, target: str) -> Iterable[Sequence[PausedWork]]:
        """All work that waits for this target, page by page, the oldest first."""

    def remove(self, target: str, work: Sequence[PausedWork]) -> None:
        """Remove this work, unless it was added again since."""


class DueTimes(Protocol):
    def past(self, before: datetime, first: int) -> Iterable[Sequence[Waiting]]:
        """What should have gone on by that instant, page by page: so much of each partition, the longest due first.

        `first` names the partition to begin with, so that no partition is always the last.
        """

    def put_off(self, waiting: Waiting, until: datetime | None, ended: Sequence[str] = ()) -> None:
        """Not found again before that instant, or at all, unless it changes; the deferrals of `ended` messages end.

        Does nothing where it has changed since it was read.
        """


class WaitingIndex(Protocol):
    def page(self, after: str = "") -> WaitingPage:
        """Enrollments that wait, of all journeys, by due time. Raises InvalidRequestError for an unknown `after`."""


class QueueDepths(Protocol):
    """Several queues, by the names that `cairn dlq` and the logs have for them."""

    @property
    def names(self) -> Sequence[str]: ...

    def depth(self, queue: str) -> int:
        """The messages that wait or are in delivery. A delayed message is neither."""


class QueueAges(Protocol):
    def ages_of_oldest(self, queues: Sequence[str], now: datetime) -> Mapping[str, timedelta]:
        """How long the oldest message of each of these queues has waited; nothing of a queue of which it is unknown."""


class SwitchBoard(Protocol):
    def board(self) -> SwitchState:
        """The current switches."""

    def put(self, board: SwitchState, audited: AuditEntry) -> None:
        """Write the switches and the audit entry atomically. Raises ConflictError where another change came first."""


class ChosenArms(Protocol):
    def of(self, journey: str, now: datetime) -> Mapping[tuple[str, str], str]:
        """The chosen arms of a journey by the step and the salt of their splits, at most SWITCH_TTL old."""


class ChoiceBoard(Protocol):
    def board(self) -> Choices:
        """The arms that are chosen now."""

    def put(self, board: Choices, audited: AuditEntry) -> None:
        """Write them and the audit entry atomically. Raises ConflictError where another change came first."""


class ArmCounts(Protocol):
    def add(self, outcome: ArmOutcome, at: datetime) -> None:
        """Count a customer in an arm. Idempotent for 35 days."""

    def of(self, journey: str) -> Mapping[CountedArm, ArmCount]:
        """All counts of a journey."""


class SwitchTargets(Protocol):
    def exists(self, target: str) -> bool:
        """Whether it is deployed, or stored because customers have been enrolled in it."""

    def deployed(self) -> Collection[str]:
        """Every target of the deployment."""


class DeliveryCounters(Protocol):
    def add(self, targets: Collection[str], bucket: datetime, outcome: DeliveryOutcome) -> None:
        """Count one outcome for the journey and the channel of its message. Not idempotent."""

    def between(self, target: str, first: datetime, last: datetime) -> Sequence[CountBucket]:
        """The counts of the buckets that start between `first` and `last`, both included."""


class Audit(Protocol):
    def write(self, audited: AuditEntry) -> None:
        """Add an entry without expiry. Idempotent; an entry that is there stays as it is.

        Raises ConflictError where another entry has this one's id.
        """

    def latest(self, limit: int, before: str = "") -> Sequence[AuditEntry]:
        """Entries, the latest first; with `before`, only those older than that id."""


class SeenTypes(Protocol):
    def add(self, seen: Seen, now: datetime) -> None:
        """Count it under its source and type."""

    def page(self, source: str, limit: int, after: str = "") -> SeenPage:
        """By source and type: at most so many of one source, or with `""` of all."""


class QualityStore(Protocol):
    """The report of the last quality run, and the pairs of customers who are two people, as a person has found."""

    def put_part(
        self, run: str, section: Section, number: int, rows: Sequence[Mapping[str, Any]], at: datetime
    ) -> None:
        """Store rows of a run. Idempotent."""

    def put_report(self, report: Mapping[str, Any], at: datetime) -> None:
        """Make this the report that is shown, with its run's parts."""

    def report(self) -> Mapping[str, Any] | None:
        """The last report; None without one."""

    def part(self, run: str, section: Section, number: int) -> Sequence[Mapping[str, Any]]:
        """The rows of a part; none where there is no such part."""

    def distinguish(self, pair: Pair, at: datetime) -> None:
        """Remember that these are two people. Idempotent."""

    def distinguished(self, pairs: Collection[Pair]) -> frozenset[Pair]:
        """Of these pairs, the two people."""


class History(Protocol):
    def entries(self, customer_id: str) -> list[dict[str, Any]]:
        """Everything about a customer in order of time, as lines of `cairn replay --json`."""

    def customer_of(self, enrollment: str) -> str | None:
        """The customer of an enrollment, also after a merge; None where there is no record."""


class DeadLetters(Protocol):
    def check(self, queue: str) -> None:
        """Raises DeadLettersError where there is no such queue."""

    def summary(self) -> list[dict[str, Any]]:
        """Each queue: `queue`, `count`, `oldest_seconds`, `reasons` by count, `looked_at`."""

    def show(self, queue: str, limit: int, *, reveal: bool) -> dict[str, Any]:
        """The dead letters of a queue: `id`, `reason`, `age_seconds`, `body`; for the stream also `what_to_do`."""

    def redrive(self, queue: str, reason: str, limit: int | None, id_: str = "") -> dict[str, Any]:
        """Send back what matches, or one by its id.

        Returns the numbers `redriven` and `left`, each `refused` one with the reason, and what became of each: whether
        it was `redriven`; if not `why`, and if so what of it was `left_out`.
        """


class AnsweredRequests(Protocol):
    """Operators' requests by their Idempotency-Key, for REMEMBERED_FOR."""

    def begin(self, key: RequestKey, now: datetime) -> EarlierAnswer | None:
        """None for the first request with this key, of all at once; then `answer` or `forget` it."""

    def answer(self, key: RequestKey, status: int, document: Mapping[str, Any], now: datetime) -> None:
        """Store the answer that every further request with this key gets."""

    def forget(self, key: RequestKey, now: datetime) -> None:
        """The request failed: the next one with this key is the first again."""


class Suppressions(Protocol):
    def current(self, addresses: Mapping[Channel, str]) -> Mapping[Channel, tuple[Suppression, ...]]:
        """The suppressions of these addresses; no entry for a channel without one."""


class Reviews(Protocol):
    def waiting(self, limit: int, after: str = "") -> Sequence[UnderReview]:
        """Messages under review, by deadline, those behind a position. Raises InvalidRequestError."""

    def decide(self, customer_id: str, message_id: str, approval: Approval, audited: AuditEntry) -> Purpose:
        """Write the decision and its audit entry, and close the task, atomically. Returns the message's purpose.

        Idempotent. Raises UnknownMessageError, NotUnderReviewError, ConflictError.
        """


class Renderer(Protocol):
    def terms(self, message: Message) -> Terms:
        """The terms of the message's step and templates. Raises UnknownJourneyError."""

    def render(self, message: Message, channel: Channel, address: str) -> Rendered:
        """The rendered message. Raises TemplateError where a value is missing."""


class Tokens(Protocol):
    def token(self, kind: LinkKind, link: Link) -> str:
        """The token in the URL of a link."""

    def read(self, kind: LinkKind, token: str, now: datetime) -> Link:
        """The link of a token. Raises LinkInvalidError or LinkExpiredError."""


class Provider(Protocol):
    @property
    def name(self) -> str:
        """Of the service that sends, as deliveries are counted by it."""

    def send(self, message: Message, rendered: Rendered) -> str:
        """Send the message; returns the provider's id. Raises ProviderBusyError or ProviderRejectedError."""


class InAppInbox(Protocol):
    """The in-app messages of customers."""

    def put(self, message: InAppMessage) -> None:
        """Store it, unless it is stored already."""

    def newest(self, customer_id: str, limit: int) -> Sequence[InAppMessage]:
        """The newest first; dismissed ones, and perhaps expired ones, are among them."""

    def find(self, customer_id: str, id_: str) -> InAppMessage | None:
        """One of this customer's messages; None where there is none."""

    def move(self, message: InAppMessage, status: InAppStatus) -> None:
        """Its status only moves forward; nothing happens to a message that has expired or was erased."""


class InAppReports(Protocol):
    def put(self, report: InAppReport) -> None:
        """Store the report, which becomes an event of the customer: once, however often it is put."""


class InboxTokens(Protocol):
    def token(self, customer_id: str, expires_at: datetime) -> str:
        """A token that opens the customer's inbox until then, and nothing else."""

    def customer(self, token: str, now: datetime) -> str:
        """The customer of a token. Raises InAppTokenError, with one text for every reason."""


class Erasures(Protocol):
    def put(self, customer_id: str, order: EraseCustomer | EraseRecord, delay: timedelta) -> None:
        """Queue the erasure, with a delay. Idempotent."""


class PrivacyTasks(Protocol):
    def waiting(self, limit: int, after: str = "") -> Sequence[PrivacyTask]:
        """Open tasks of the queue `privacy`, by due time, those behind a position. Raises InvalidRequestError."""

    def find(self, task_id: str, customer_id: str = "") -> PrivacyTask:
        """A task, open or closed; of its customer alone where that is given. Raises UnknownTaskError."""

    def close(self, task: PrivacyTask, choice: str, audited: AuditEntry) -> None:
        """Close the task and write the audit, atomically. Idempotent. Raises TaskClosedError or ConflictError."""


class ErasureOrders(Protocol):
    def admit(self, order: str, limit: int, now: datetime) -> bool:
        """Count a vendor's order to erase; False where it is one too many within the hour. Idempotent.

        Raises ConflictError where another order was counted in between.
        """


class ErasureStore(Protocol):
    def pending(self, customer_id: str) -> PendingErasure | None:
        """The pending erasure of a customer; None where there is none."""

    def remove(self, pending: PendingErasure) -> int:
        """Remove the items from the table; returns their number. Can be interrupted and repeated."""

    def complete(self, pending: PendingErasure, receipt: AuditEntry) -> None:
        """Write the receipt and remove the pending erasure, atomically."""


class IdentityRecord(Protocol):
    def fingerprint(self) -> str | None:
        """The fingerprint of the identity key that made the table's customer ids; None before the first deployment."""

    def write(self, fingerprint: str, at: datetime) -> None:
        """Record it, once and for all. Raises ConflictError where one is recorded."""

    def table_is_used(self) -> bool:
        """Whether anything is stored yet."""


class LinksSecret(Protocol):
    """The secret that signs the links in messages."""

    def is_there(self) -> bool: ...

    def take_the_drawn_one(self) -> None:
        """Sign with the value that was drawn when the stage's secret was made."""


class RecordErasureStore(Protocol):
    def remove_record(self, customer_id: str, source: str, until: datetime) -> int:
        """Remove what a source reported until this instant from the history; returns the number of items.

        Nothing for a customer who was erased. Can be interrupted and repeated.
        """


class FactLog(Protocol):
    def put(self, facts: Iterable[LoggedFact]) -> None:
        """Write the facts. Raises ServiceBusyError where not all were taken; written again, they have the same ids."""


class FlowCounters(Protocol):
    def add(self, flow: Flow, now: datetime) -> None:
        """Count it into the bucket of five minutes. One write; none where nothing is counted."""

    def between(self, first: datetime, last: datetime) -> Sequence[FlowBucket]:
        """The buckets that begin in this time."""

    def is_new(self, sign: Sign, now: datetime, again: timedelta) -> bool:
        """Whether the sign was not reported within `again`; it counts as reported now."""


class FactQueries(Protocol):
    def ask(self, questions: Sequence[Question]) -> list[list[Row]]:
        """The rows of each answer. Raises ServiceBusyError where one takes too long."""


class MeasuredPlans(Protocol):
    def deployed(self, name: str) -> str | None:
        """The deployed version of a journey."""

    def plan(self, name: str, version: str, currency: str) -> Plan | None:
        """How this version is measured; None where it has no goal or no holdout, or is not stored any more."""


class Secrets(Protocol):
    def of(self, source: str) -> tuple[str, ...]:
        """The secrets that a source may sign with: the current one first. Raises SecretMissingError."""
