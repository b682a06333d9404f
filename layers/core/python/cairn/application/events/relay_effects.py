"""Relay effects: carry out what commits decided. Each effect is for itself, and may be done twice.

An effect that fails for now waits in the effects queue, one that fails for good becomes a dead letter: nobody's effect
holds up another one. Nothing is written for a customer who was erased; what concerns a customer who was merged goes to
the survivor.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import ClassVar, Literal

from cairn.application.operations.watch_health import WatchHealth
from cairn.application.ports import (
    Deliveries,
    Erasures,
    MessageQueue,
    PausedWorkStore,
    PresentCustomer,
    PresentCustomers,
    Tasks,
    Timeline,
    Timers,
)
from cairn.application.webhooks.queue_deliveries import QueueWebhookDeliveries
from cairn.domain.effects import (
    AbsorbHistory,
    AnswerKeyword,
    Effect,
    EraseCustomer,
    EraseRecord,
    Fact,
    OpenTask,
    PauseEnrollment,
    RecordConsent,
    SendMessage,
    UpdateMessageStatus,
    WakeAt,
)
from cairn.domain.journey.enrollment import UNWANTED, Enrollment
from cairn.domain.message.message import Message, MessageStatus
from cairn.domain.profile.addresses import addresses_to_send_to, sending_form
from cairn.domain.profile.profile import Profile
from cairn.domain.shared.channels import Purpose
from cairn.domain.shared.errors import OutOfTimeError, UnknownEnrollmentError
from cairn.settings import SQS_MAX_DELAY


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


@dataclass(frozen=True, slots=True)
class Committed:
    """One commit, read from the table's stream."""

    profile: Profile
    enrollments: Mapping[str, Enrollment]
    version: int
    at: datetime
    effects: tuple[Effect, ...]
    facts: tuple[Fact, ...]

    def work(self) -> "tuple[WaitingEffect, ...]":
        """Each of its effects with all that is needed to carry it out later; its facts first."""
        facts = (RememberFacts(self.facts),) if self.facts else ()
        return tuple(
            WaitingEffect(
                self.profile.id, self.version, self.at, what, position, self.enrollments.get(_enrollment_of(what))
            )
            for position, what in enumerate((*self.effects, *facts))
        )


@dataclass(frozen=True, slots=True)
class WaitingEffect:
    """An effect of a commit that is not carried out yet."""

    customer: str
    version: int
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


def always() -> bool:
    return True


@dataclass(frozen=True, slots=True)
class StillWanted:
    """Whether an effect that has waited, or was a dead letter, is to be carried out now."""

    customers: PresentCustomers
    timeline: Timeline

    def __call__(self, one: WaitingEffect) -> tuple[PresentCustomer | None, str]:
        """The customer as they are now, and why the effect is not wanted any more; empty where it is wanted.

        A message and a task of a journey that has ended are wanted, unless what ended it makes them pointless.
        """
        present = self.customers.load(one.about)
        if present is None:
            return None, "" if one.erases else ERASED
        enrollment_id = _enrollment_of(one.what)
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
    timeline: Timeline
    deliveries: Deliveries
    health: WatchHealth
    paused_work: PausedWorkStore
    webhooks: QueueWebhookDeliveries
    erasures: Erasures
    customers: PresentCustomers
    wait: Callable[[Sequence[WaitingEffect]], None]
    """Puts effects into the effects queue. Raises where it does not take all of them."""
    dead_letter: Callable[[WaitingEffect, Exception], None]
    """Stores an effect that can never be carried out among the dead letters, with the reason."""
    is_transient: Callable[[Exception], bool]
    """Whether time may mend a failure."""

    def present_ids(self, commits: Iterable[Committed]) -> Mapping[str, str]:
        """The id that each customer of these commits has now, in one read; none for a customer who was erased."""
        return self.customers.present_ids({one.about for commit in commits for one in commit.work()})

    def __call__(
        self,
        commit: Committed,
        present_ids: Mapping[str, str] | None,
        now: datetime,
        has_time: Callable[[], bool] = always,
    ) -> None:
        """Carry out the effects of one commit. What there is no time for waits too.

        Without `present_ids`, because they cannot be read now, all of it waits. Raises where even the queue takes
        nothing; then nothing is lost either: the stream brings the commit again.
        """
        if present_ids is None:
            self.wait(commit.work())
            return
        present = PresentCustomer(commit.profile, commit.enrollments)
        later = []
        for one, error in self._all(_wanted(commit, present_ids), present_ids, present, now, has_time):
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
        if present is None:
            present = PresentCustomer(Profile(one.customer, created_at=one.at))  # an order to erase asks for no more
        customer = one.customer if one.erases else present.profile.id
        if why:
            self.timeline.note_not_carried_out(customer, one.version, one.what.NAME, _enrollment_of(one.what), why, now)
            return why
        if customer != one.about:
            self.timeline.absorb(customer, one.about)
        if isinstance(one.what, SendMessage | AnswerKeyword):
            _raise_any(self.messages.put_each([_message(one, customer, present)]))
        elif isinstance(one.what, WakeAt):
            _raise_any(self.timers.wake_each([(customer, one.what)], now, always))
        else:
            self._carry_out(one, customer, present, now)
        return ""

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
        present_ids: Mapping[str, str],
        present: PresentCustomer,
        now: datetime,
        has_time: Callable[[], bool],
    ) -> Iterator[tuple[WaitingEffect, Exception]]:
        """Carry out all of it, and give what failed. Messages and timers go together, in few calls."""
        messages: list[tuple[WaitingEffect, Message]] = []
        wakes: list[tuple[WaitingEffect, tuple[str, WakeAt]]] = []
        for one in work:
            customer = present_ids.get(one.about, one.customer)
            try:
                if not has_time():
                    raise OutOfTimeError("the invocation ends soon")  # noqa: TRY301  as any other failure
                if isinstance(one.what, SendMessage | AnswerKeyword):
                    messages.append((one, _message(one, customer, present)))
                elif isinstance(one.what, WakeAt):
                    wakes.append((one, (customer, one.what)))
                else:
                    self._carry_out(one, customer, present, now)
            except Exception as error:  # noqa: BLE001  an effect that fails is its own affair
                yield one, error
        for number, failure in self.messages.put_each([message for _, message in messages]).items():
            yield messages[number][0], failure
        for number, failure in self.timers.wake_each([wake for _, wake in wakes], now, has_time).items():
            yield wakes[number][0], failure

    def _carry_out(self, one: WaitingEffect, customer: str, present: PresentCustomer, now: datetime) -> None:
        effect = one.what
        match effect:
            case RememberFacts():
                merged = one.customer if one.customer != customer else ""
                self.timeline.remember(customer, one.version, effect.facts, one.at, merged)
            case OpenTask():
                enrollment = present.enrollments.get(effect.enrollment) or one.enrollment
                self.tasks.open(customer, enrollment.journey if enrollment else "", effect, one.at)
            case UpdateMessageStatus():
                moved = self.deliveries.move(customer, effect.message, MessageStatus(effect.status), effect.at)
                if moved is not None:  # a repeated effect moves nothing, and is not counted again
                    self.health.count(moved, effect.status, effect.at, now)
            case AbsorbHistory():
                self.timeline.absorb(customer, effect.merged)
            case RecordConsent():
                self.webhooks(customer, effect)
            case PauseEnrollment():
                enrollment = present.enrollments.get(effect.enrollment) or one.enrollment
                due_at = enrollment.due_at if enrollment else None
                self.paused_work.add(customer, one.version, effect, due_at or one.at)
            case EraseCustomer() | EraseRecord():
                self.erasures.put(one.customer, effect, SQS_MAX_DELAY)
            case SendMessage() | AnswerKeyword() | WakeAt():
                raise AssertionError("messages and timers go in batches")


def _wanted(commit: Committed, present_ids: Mapping[str, str]) -> list[WaitingEffect]:
    """The effects of the commit, without those about a customer who was erased; the facts first.

    Before what a customer decided who was merged since, the rest of their history moves to the survivor.
    """
    facts_first = sorted(commit.work(), key=lambda one: not isinstance(one.what, RememberFacts))
    work = [one for one in facts_first if one.erases or one.about in present_ids]
    customer = commit.profile.id
    survivor = present_ids.get(customer, customer)
    if survivor == customer:
        return work
    rest = AbsorbHistory(f"rest-{customer}", customer)
    return [WaitingEffect(survivor, commit.version, commit.at, rest, len(work)), *work]


def _enrollment_of(what: Work) -> str:
    """The enrollment that an effect belongs to; empty where it belongs to none."""
    return what.enrollment if isinstance(what, SendMessage | OpenTask | PauseEnrollment | WakeAt) else ""


def _raise_any(failed: Mapping[int, Exception]) -> None:
    for error in failed.values():
        raise error


def _message(one: WaitingEffect, customer: str, present: PresentCustomer) -> Message:
    own = {one.enrollment.id: one.enrollment} if one.enrollment else {}
    profile = replace(present.profile, id=customer)
    commit = Committed(profile, {**own, **present.enrollments}, one.version, one.at, (), ())
    if isinstance(one.what, AnswerKeyword):
        return answer_of(one.what, commit)
    assert isinstance(one.what, SendMessage)  # noqa: S101  for the types
    return message_of(one.what, commit, one.position)


def message_of(effect: SendMessage, commit: Committed, position: int = 0) -> Message:
    """The message with all data that sending needs, as it was at the decision. Raises UnknownEnrollmentError."""
    enrollment = commit.enrollments.get(effect.enrollment)
    if enrollment is None:
        raise UnknownEnrollmentError("the customer has no such enrollment, and the effect came without it")
    return Message(
        id=effect.id,
        customer=commit.profile.id,
        enrollment=enrollment.id,
        journey=enrollment.journey,
        version=enrollment.version,
        step=effect.step,
        channels=effect.channels,
        template=effect.template,
        purpose=effect.purpose,
        addresses=addresses_to_send_to(commit.profile, enrollment.addresses),
        decided_at=commit.at,
        variables={
            "profile": commit.profile.view(),
            "data": dict(enrollment.data),
            "customer": commit.profile.id,
            "journey": enrollment.journey,
        },
        time_zone=effect.time_zone,
        position=position,
        key=enrollment.key,
        only_to=enrollment.addresses,
    )


def answer_of(effect: AnswerKeyword, commit: Committed) -> Message:
    """The answer to a keyword. It goes only to the address that the keyword came from."""
    return Message(
        id=effect.id,
        customer=commit.profile.id,
        enrollment="",
        journey="",
        version="",
        step="",
        channels=(effect.channel,),
        template="",
        purpose=Purpose.TRANSACTIONAL,
        addresses={effect.channel: sending_form(commit.profile, effect.channel, effect.address)},
        decided_at=effect.at,
        variables={"profile": commit.profile.view()},
        time_zone=effect.time_zone,
        answers=effect.keyword,
    )
