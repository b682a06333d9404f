"""Relay effects: carry out the effects of a commit, with retries. Every effect may be done twice."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from cairn.application.operations.watch_health import WatchHealth
from cairn.application.ports import Deliveries, Erasures, MessageQueue, PausedWorkStore, Tasks, Timeline, Timers
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
from cairn.domain.journey.enrollment import Enrollment
from cairn.domain.message.message import Message, MessageStatus
from cairn.domain.profile.addresses import addresses_to_send_to, sending_form
from cairn.domain.profile.profile import Profile
from cairn.domain.shared.channels import Purpose
from cairn.domain.shared.errors import CairnError
from cairn.settings import SQS_MAX_DELAY


@dataclass(frozen=True, slots=True)
class Committed:
    """One commit, read from the table's stream."""

    profile: Profile
    enrollments: Mapping[str, Enrollment]
    version: int
    at: datetime
    effects: tuple[Effect, ...]
    facts: tuple[Fact, ...]


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
    dead_letter: Callable[[str, Effect | Mapping[str, Any], Exception], None]
    """Stores an effect that can never be carried out. Arguments: customer id; effect, or change of the table; error."""

    def __call__(self, commit: Committed, now: datetime) -> None:
        """Carry out the effects of one commit. Raises where a retry may help; a retry does all of them again."""
        if commit.facts:
            self.timeline.remember(commit.profile.id, commit.version, commit.facts, commit.at)
        for effect in commit.effects:
            try:
                self._carry_out(effect, commit, now)
            except CairnError as error:
                if error.retryable:
                    raise
                self.dead_letter(commit.profile.id, effect, error)

    def _carry_out(self, effect: Effect, commit: Committed, now: datetime) -> None:  # noqa: C901  one branch an effect
        customer = commit.profile.id
        match effect:
            case SendMessage():
                self.messages.put(message_of(effect, commit))
            case AnswerKeyword():
                self.messages.put(answer_of(effect, commit))
            case WakeAt():
                self.timers.wake(customer, effect, now)
            case OpenTask():
                enrollment = commit.enrollments.get(effect.enrollment)  # none: the task is about the customer
                about = effect.customer or customer
                self.tasks.open(about, enrollment.journey if enrollment else "", effect, commit.at)
            case UpdateMessageStatus():
                moved = self.deliveries.move(customer, effect.message, MessageStatus(effect.status), effect.at)
                if moved is not None:  # a repeated effect moves nothing, and is not counted again
                    self.health.count(moved, effect.status, effect.at, now)
            case AbsorbHistory():
                self.timeline.absorb(customer, effect.merged)
            case RecordConsent():
                self.webhooks(customer, effect)
            case PauseEnrollment():
                if effect.enrollment in commit.enrollments:  # a redriven enrollment may have ended
                    due_at = commit.enrollments[effect.enrollment].due_at or commit.at
                    self.paused_work.add(customer, commit.version, effect, due_at)
            case EraseCustomer() | EraseRecord():
                self.erasures.put(customer, effect, SQS_MAX_DELAY)


def message_of(effect: SendMessage, commit: Committed) -> Message:
    """The message with all data that sending needs, as it was at the decision."""
    enrollment = commit.enrollments[effect.enrollment]
    view: dict[str, Any] = commit.profile.view()
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
            "profile": view,
            "data": dict(enrollment.data),
            "customer": commit.profile.id,
            "journey": enrollment.journey,
        },
        time_zone=effect.time_zone,
        position=commit.effects.index(effect),
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
