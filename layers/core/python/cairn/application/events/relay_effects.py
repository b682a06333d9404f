"""Relay effects: carry out what commits decided. Each effect is for itself, and may be done twice.

An effect that fails for now waits in the effects queue, one that fails for good becomes a dead letter: nobody's effect
holds up another one. Nothing is written for a customer who was erased; what concerns a customer who was merged goes to
the survivor.
"""

import math
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, ClassVar, Literal

from cairn.application.ports import (
    ArmCounts,
    AudienceMembers,
    Deliveries,
    Erasures,
    Inbox,
    MemberNotifications,
    MessageQueue,
    PausedWorkStore,
    PresentCustomers,
    Tasks,
    TaskTimers,
    Timeline,
    Timers,
)
from cairn.application.values.customers import PresentCustomer
from cairn.domain.consent.changes import ConsentChange, ConsentStatus
from cairn.domain.effects import (
    AbsorbHistory,
    Announce,
    AnswerKeyword,
    CallWebhook,
    CloseTask,
    ContinueBroadcast,
    Effect,
    EmitEvent,
    EraseCustomer,
    EraseRecord,
    Fact,
    JoinAudience,
    LeaveAudience,
    NotifyMember,
    OpenTask,
    PauseEnrollment,
    RecordConsent,
    SendMessage,
    UpdateMessageStatus,
    WakeAt,
    WakeTask,
    WithdrawTasks,
)
from cairn.domain.event import Event
from cairn.domain.identity.identifiers import identifier, strongest_first
from cairn.domain.identity.trust import ALL_FIELDS, NO_FIELDS
from cairn.domain.journey.arms import outcomes_in
from cairn.domain.journey.enrollment import UNWANTED, Enrollment
from cairn.domain.message.message import Message, MessageStatus
from cairn.domain.people.notification import MemberNotification
from cairn.domain.profile.addresses import addresses_to_send_to, sending_form
from cairn.domain.profile.profile import Profile
from cairn.domain.shared.channels import Purpose
from cairn.domain.shared.errors import OutOfTimeError, UnknownEnrollmentError
from cairn.settings import SQS_MAX_DELAY

if TYPE_CHECKING:  # nearly every function imports this module for the form of an outbox
    from cairn.application.audience.continue_broadcasts import ContinueBroadcasts
    from cairn.application.operations.watch_health import WatchHealth
    from cairn.application.people.ask_people import AskPeople
    from cairn.application.webhooks.queue_deliveries import QueueWebhookDeliveries


@dataclass(frozen=True, slots=True)
class RememberFacts:
    """The facts of a commit go into the timeline: carried out as an effect is."""

    KIND: ClassVar[Literal["facts"]] = "facts"
    NAME: ClassVar = "RememberFacts"
    facts: tuple[Fact, ...]

    @property
    def id(self) -> str:
        return self.KIND


Work = Effect | RememberFacts

HasEnrollment = SendMessage | OpenTask | WithdrawTasks | EmitEvent | CallWebhook | PauseEnrollment | WakeAt


BEGINNINGS = frozenset({"entered", "held_out"})
"""The facts with which an enrollment begins."""

MOVES = frozenset({"waiting", "ended"})
"""The facts that say how an enrollment has come to where it is."""


def commit_of_version(version: int | str) -> str:
    """The name of the commit by which the customer's version became this one."""
    return f"{int(version):09d}"


def rank_of(commit: str) -> int:
    """The customer's version of which a commit is named: of what two commits say of one thing, the later one counts."""
    return int(commit.partition("-")[0])


@dataclass(frozen=True, slots=True)
class Committed:
    """The outbox of a commit, or one of its outboxes, read from the table's stream."""

    customer: str
    name: str
    """Another one for each of the customer's outboxes; in order of time."""
    at: datetime
    effects: tuple[Effect, ...] = ()
    facts: tuple[Fact, ...] = ()
    positions: tuple[int, ...] = ()
    """The number of each effect in the commit; where there are none, its number here."""
    enrollments: Mapping[str, Enrollment] = field(default_factory=dict)
    """As the commit left them."""
    without_data: frozenset[str] = frozenset()
    """Those of them whose data is not here."""

    def work(self) -> "tuple[WaitingEffect, ...]":
        """Each of its effects with all that is needed to carry it out later; its facts last."""
        facts = (RememberFacts(tuple(map(self._with_version, self.facts))),) if self.facts else ()
        positions = (*(self.positions or range(len(self.effects))), len(self.effects))
        return tuple(
            WaitingEffect(self.customer, self.name, self.at, self._as_decided(what), position, self._left(what))
            for position, what in zip(positions, (*self.effects, *facts), strict=False)
        )

    def _with_version(self, fact: Fact) -> Fact:
        """What begins an enrollment says by which version of its journey, and how long after its event (`lag`, ms).

        What moves or ends one has the version, too: it names the ways of that version.
        """
        enrollment = self.enrollments.get(fact.enrollment)
        if enrollment is None or fact.kind not in BEGINNINGS | MOVES:
            return fact
        lag = max(enrollment.entered_at - enrollment.since, timedelta()) // timedelta(milliseconds=1)
        about = {"version": enrollment.version, **({"lag": lag} if lag and fact.kind in BEGINNINGS else {})}
        return replace(fact, detail={**fact.detail, **about})

    def _as_decided(self, what: Work) -> Work:
        """A message with its version: the enrollment may be moved to another one before it is carried out."""
        enrollment = self.enrollments.get(enrollment_of(what))
        if not isinstance(what, SendMessage) or what.version or enrollment is None:
            return what
        return replace(what, version=enrollment.version)

    def _left(self, what: Work) -> Enrollment | None:
        """The enrollment of an effect. Only a message needs its data, and is nothing without."""
        id_ = enrollment_of(what)
        return None if isinstance(what, SendMessage) and id_ in self.without_data else self.enrollments.get(id_)


@dataclass(frozen=True, slots=True)
class WaitingEffect:
    """An effect of a commit that is not carried out yet."""

    customer: str
    commit: str
    """The name of the commit."""
    at: datetime
    what: Work
    position: int
    """Its number in its commit."""
    enrollment: Enrollment | None = None
    """As the commit left it: when the effect is carried out, the customer's state may have it no longer."""

    @property
    def about(self) -> str:
        """The id of the customer whose data it writes."""
        return (self.what.customer if isinstance(self.what, OpenTask) else "") or self.customer

    @property
    def erases(self) -> bool:
        return isinstance(self.what, EraseCustomer | EraseRecord)

    @property
    def is_about_nobody(self) -> bool:
        return isinstance(self.what, ContinueBroadcast | Announce)


def always() -> bool:
    return True


@dataclass(frozen=True, slots=True)
class Present:
    """Customers as they are when effects are carried out."""

    ids: Mapping[str, str]
    """The id that each has now, after a merge another one; none for a customer who was erased."""
    recipients: Mapping[str, PresentCustomer] = field(default_factory=dict)
    """Customers who are to get messages or have a paused enrollment, by the id that they have now."""


@dataclass(frozen=True, slots=True)
class StillWanted:
    """Whether an effect that has waited, or was a dead letter, is to be carried out now."""

    customers: PresentCustomers
    timeline: Timeline

    def __call__(self, one: WaitingEffect) -> tuple[PresentCustomer | None, str]:
        """The customer as they are now, and why the effect is not wanted any more; empty where it is wanted.

        A message and a task of a journey that has ended are wanted, unless what ended it makes them pointless.
        """
        if one.is_about_nobody:
            return None, ""
        enrollment_id = enrollment_of(one.what)
        present = self.customers.load(one.about, [enrollment_id] if enrollment_id else [])
        if present is None:
            return None, "" if one.erases else ERASED
        if not isinstance(one.what, SendMessage | OpenTask) or not enrollment_id:
            return present, ""
        enrollment = present.enrollments.get(enrollment_id)
        outcome = enrollment.outcome if enrollment else self.timeline.outcome_of(present.profile.id, enrollment_id)
        return present, outcome if outcome in UNWANTED else ""


ERASED = "the customer was erased"


@dataclass(frozen=True, slots=True)
class RelayEffects:
    timers: Timers
    messages: MessageQueue
    tasks: Tasks
    """Those of Cairn's own, which end when what they ask for is done."""
    ask_people: "Callable[[], AskPeople]"
    """Made when a journey or a reply first asks a person for something."""
    task_timers: TaskTimers
    notify: MemberNotifications
    timeline: Timeline
    deliveries: Deliveries
    health: "WatchHealth"
    arms: ArmCounts
    paused_work: PausedWorkStore
    webhooks: "QueueWebhookDeliveries"
    erasures: Erasures
    inbox: Inbox
    audiences: "Callable[[], AudienceMembers]"
    """Made when a customer first joins or leaves an audience."""
    customers: PresentCustomers
    broadcasts: "Callable[[], ContinueBroadcasts]"
    """Made when a broadcast first has a page."""
    wait: Callable[..., None]
    """Puts effects into the effects queue, after so many seconds. Raises where it does not take all of them."""
    dead_letter: Callable[[WaitingEffect, Exception], None]
    """Stores an effect that can never be carried out among the dead letters, with the reason."""
    is_transient: Callable[[Exception], bool]
    """Whether time may mend a failure."""

    def present(self, commits: Sequence[Committed]) -> Present:
        """The customers of these commits as they are now.

        One read for each to whom a commit sends, of all that a message needs; and one for the ids of all others. A
        paused enrollment is read where its commit did not write it.
        """
        recipients: dict[str, PresentCustomer] = {}
        ids: dict[str, str] = {}
        asked = _recipients(commits)
        for id_, enrollments in asked.items():
            found = self.customers.load(id_, sorted(enrollments))
            if found is not None:
                ids[id_], recipients[found.profile.id] = found.profile.id, found
        work = [one for commit in commits for one in commit.work() if not one.is_about_nobody]
        others = {one.about for one in work} - asked.keys()
        return Present({**ids, **(self.customers.present_ids(others) if others else {})}, recipients)

    def __call__(
        self,
        commit: Committed,
        present: Present | None,
        now: datetime,
        has_time: Callable[[], bool] = always,
    ) -> None:
        """Carry out the effects of one commit. What there is no time for waits too.

        Without `present`, because the customers cannot be read now, all of it waits. Raises where even the queue takes
        nothing; then nothing is lost either: the stream brings the commit again.
        """
        if present is None:
            self.wait(commit.work())
            return
        later = []
        for one in commit.work():
            if isinstance(one.what, ContinueBroadcast):  # a page takes longer than the stream may wait
                self._wait_until_due(one, one.what, now)
        for one, error in self._all(_wanted(commit, present.ids), present, now, has_time):
            if self.is_transient(error) or not self._dead_lettered(one, error):
                later.append(one)
        if later:
            self.wait(later)

    def again(self, one: WaitingEffect, now: datetime) -> str:
        """Carry out an effect that has waited; returns why not, where it is not wanted any more.

        Raises what the queue's failure policy decides on.
        """
        present, why = StillWanted(self.customers, self.timeline)(one)
        if why == ERASED:
            return why
        if isinstance(one.what, ContinueBroadcast):
            if one.what.at > now:
                self._wait_until_due(one, one.what, now)
            else:
                self.broadcasts()(one.what, now)
            return ""
        customer = one.customer if one.erases or present is None else present.profile.id
        if why:
            self.timeline.note_not_carried_out(customer, one.commit, one.what.NAME, enrollment_of(one.what), why, now)
            return why
        if customer != one.about:
            self.timeline.absorb(customer, one.about)
        one = _with_enrollment(one, present)
        if isinstance(one.what, SendMessage | AnswerKeyword):
            _raise_any(self.messages.put_each([_message(one, present)] if present else []))
        elif isinstance(one.what, WakeAt):
            _raise_any(self.timers.wake_each([(customer, one.what)], now, always))
        else:
            self._carry_out(one, customer, now)
        return ""

    def _wait_until_due(self, one: WaitingEffect, page: ContinueBroadcast, now: datetime) -> None:
        """In the queue, as long as that can; then it waits once more."""
        self.wait([one], math.ceil(min(max(timedelta(), page.at - now), SQS_MAX_DELAY).total_seconds()))

    def _dead_lettered(self, one: WaitingEffect, error: Exception) -> bool:
        """Where the dead letters cannot be reached, it waits, and is dead-lettered from the queue."""
        try:
            self.dead_letter(one, error)
        except Exception:  # noqa: BLE001  it is stored in the effects queue instead
            return False
        return True

    def _all(
        self,
        work: Sequence[WaitingEffect],
        present: Present,
        now: datetime,
        has_time: Callable[[], bool],
    ) -> Iterator[tuple[WaitingEffect, Exception]]:
        """Carry out all of it, and give what failed. Messages and timers go together, in few calls."""
        messages: list[tuple[WaitingEffect, Message]] = []
        wakes: list[tuple[WaitingEffect, tuple[str, WakeAt]]] = []
        for one in work:
            customer = present.ids.get(one.about, one.customer)
            try:
                if not has_time():
                    raise OutOfTimeError("the invocation ends soon")  # noqa: TRY301  as any other failure
                whole = one if one.enrollment else _with_enrollment(one, present.recipients.get(customer))
                if isinstance(one.what, SendMessage | AnswerKeyword):
                    messages.append((whole, _message(whole, present.recipients[customer])))
                elif isinstance(one.what, WakeAt):
                    wakes.append((one, (customer, one.what)))
                else:
                    self._carry_out(whole, customer, now)
            except Exception as error:  # noqa: BLE001  an effect that fails is its own affair
                yield one, error
        for number, failure in self.messages.put_each([message for _, message in messages]).items():
            yield messages[number][0], failure
        for number, failure in self.timers.wake_each([wake for _, wake in wakes], now, has_time).items():
            yield wakes[number][0], failure

    def _remember(self, one: WaitingEffect, customer: str, facts: tuple[Fact, ...], merged: str) -> None:
        self.timeline.remember(customer, one.commit, facts, one.at, merged)
        for outcome in outcomes_in(facts):
            self.arms.add(outcome, one.at)

    def _carry_out(self, one: WaitingEffect, customer: str, now: datetime) -> None:  # noqa: C901, PLR0912  one branch an effect
        effect, enrollment = one.what, one.enrollment
        match effect:
            case RememberFacts():
                merged = one.customer if one.customer != customer else ""
                self._remember(one, customer, effect.facts, merged)
            case OpenTask(enrollment="", reason=""):
                self.tasks.open(customer, "", effect, one.at)
            case OpenTask():
                present = self.customers.load(customer)
                if present is not None:
                    journey = enrollment.journey if enrollment else ""
                    self.ask_people().open(present.profile, journey, effect, one.at, now)
            case WithdrawTasks():
                self.ask_people().withdraw(customer, effect)
            case WakeTask():
                self.task_timers.wake_task(customer, effect, now)
            case NotifyMember(id=this, kind=kind, member=member, task=task, at=at):
                self.notify.put([MemberNotification(this, kind, member, task, customer, at)])
            case CloseTask():
                self.tasks.close(customer, effect)
            case UpdateMessageStatus():
                moved = self.deliveries.move(customer, effect.message, MessageStatus(effect.status), effect.at)
                if moved is not None and effect.counts:  # a repeated effect moves nothing, and is not counted again
                    self.health.count(moved, effect.status, effect.at, now)
            case AbsorbHistory():
                self.timeline.absorb(customer, effect.merged)
            case RecordConsent():
                self.webhooks(customer, effect)
            case PauseEnrollment():
                due_at = enrollment.due_at if enrollment else None
                self.paused_work.add(customer, one.commit, effect, due_at or one.at)
            case EmitEvent():
                self.inbox.put([event_of(effect, customer, one.at)])
            case CallWebhook():
                self.webhooks.call(customer, effect, one.at)
            case Announce():
                self.webhooks.announce(effect)
            case JoinAudience() | LeaveAudience():
                if customer == one.customer:  # the commit of a merge has said anew where the survivor is a member
                    self.audiences().note(customer, effect, rank_of(one.commit), one.at)
            case EraseCustomer() | EraseRecord():
                self.erasures.put(one.customer, effect, SQS_MAX_DELAY)
            case SendMessage() | AnswerKeyword() | WakeAt():
                raise AssertionError("messages and timers go in batches")
            case ContinueBroadcast():
                raise AssertionError("a page waits in the queue until it is due")


def _wanted(commit: Committed, present_ids: Mapping[str, str]) -> list[WaitingEffect]:
    """The effects of the commit, without those about a customer who was erased; the facts first.

    Before what a customer decided who was merged since, the rest of their history moves to the survivor.
    """
    facts_first = sorted(commit.work(), key=lambda one: not isinstance(one.what, RememberFacts))
    work = [one for one in facts_first if one.erases or one.about in present_ids or isinstance(one.what, Announce)]
    customer = commit.customer
    survivor = present_ids.get(customer, customer)
    if survivor == customer:
        return work
    rest = AbsorbHistory(f"rest-{customer}", customer)
    return [WaitingEffect(survivor, commit.name, commit.at, rest, len(work)), *work]


def enrollment_of(what: Work) -> str:
    """The enrollment that an effect belongs to; empty where it belongs to none."""
    return what.enrollment if isinstance(what, HasEnrollment) else ""


def _raise_any(failed: Mapping[int, Exception]) -> None:
    for error in failed.values():
        raise error


def _recipients(commits: Iterable[Committed]) -> dict[str, set[str]]:
    """The customers to whom these commits send, each with the enrollments whose data is not in the commit.

    And those with a paused enrollment that is not in it, of which the due time is needed.
    """
    found: dict[str, set[str]] = {}
    for commit in commits:
        for one in commit.work():
            is_paused = isinstance(one.what, PauseEnrollment) and one.enrollment is None
            if isinstance(one.what, SendMessage | AnswerKeyword) or is_paused:
                needed = {enrollment_of(one.what)} - {""} if one.enrollment is None else set()
                found.setdefault(one.about, set()).update(needed)
    return found


def _with_enrollment(one: WaitingEffect, present: PresentCustomer | None) -> WaitingEffect:
    """With the enrollment as it is now; where it is over and gone, as the commit left it."""
    now = present.enrollments.get(enrollment_of(one.what)) if present else None
    return replace(one, enrollment=now or one.enrollment)


def _message(one: WaitingEffect, present: PresentCustomer) -> Message:
    if isinstance(one.what, AnswerKeyword):
        return answer_of(one.what, present.profile)
    assert isinstance(one.what, SendMessage)  # noqa: S101  for the types
    if one.enrollment is None:
        raise UnknownEnrollmentError("the customer has no such enrollment, and the effect came without it")
    return message_of(one.what, present.profile, one.enrollment, one.at, one.position)


def event_of(effect: EmitEvent, customer: str, at: datetime) -> Event:
    """The event of a journey, a score or a person's work. Nobody vouches for the names of another customer in it."""
    names = tuple(identifier(kind, value) for kind, value in effect.customer.items())
    proof = {"event": effect.event}
    return Event(
        id=effect.id,
        source=effect.source,
        type=effect.event,
        occurred_at=at,
        identifiers=strongest_first(names),
        customer_id=None if names else customer,
        properties=effect.properties,
        attributes=effect.attributes,
        consent=tuple(
            ConsentChange(channel, purpose, ConsentStatus.PENDING, at, effect.source, proof)
            for channel, purpose in effect.asks_consent.items()
        ),
        vouched=NO_FIELDS if names else ALL_FIELDS,
        only_to=effect.only_to,
    )


def message_of(
    effect: SendMessage, profile: Profile, enrollment: Enrollment, decided_at: datetime, position: int = 0
) -> Message:
    """The message with all data that sending needs."""
    return Message(
        id=effect.id,
        customer=profile.id,
        enrollment=enrollment.id,
        journey=enrollment.journey,
        version=effect.version or enrollment.version,
        step=effect.step,
        channels=effect.channels,
        template=effect.template,
        purpose=effect.purpose,
        addresses=addresses_to_send_to(profile, enrollment.addresses),
        decided_at=decided_at,
        variables={
            "profile": profile.view(decided_at),
            "data": dict(enrollment.data),
            "enrollment": {"values": dict(enrollment.values if effect.values is None else effect.values)},
            "customer": profile.id,
            "journey": enrollment.journey,
        },
        time_zone=effect.time_zone,
        position=position,
        key=enrollment.key,
        only_to=enrollment.addresses,
        invite=effect.invite,
    )


def answer_of(effect: AnswerKeyword, profile: Profile) -> Message:
    """The answer to a keyword. It goes only to the address that the keyword came from."""
    return Message(
        id=effect.id,
        customer=profile.id,
        enrollment="",
        journey="",
        version="",
        step="",
        channels=(effect.channel,),
        template="",
        purpose=Purpose.TRANSACTIONAL,
        addresses={effect.channel: sending_form(profile, effect.channel, effect.address)},
        decided_at=effect.at,
        variables={"profile": profile.view()},
        time_zone=effect.time_zone,
        answers=effect.keyword,
    )
