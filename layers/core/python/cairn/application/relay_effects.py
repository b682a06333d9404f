"""Relay effects: carry out what a commit decided, as often as it takes. Every effect may be done twice."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from cairn.application.ports import Deliveries, Outbox, Tasks, Timeline, Timers
from cairn.domain.consent import Channel
from cairn.domain.effects import AbsorbHistory, Effect, Fact, MoveMessage, OpenTask, SendMessage, WakeAt
from cairn.domain.enrollment import Enrollment
from cairn.domain.errors import CairnError
from cairn.domain.identity import PHONE
from cairn.domain.message import Message, MessageStatus, addresses_of
from cairn.domain.profile import Profile


@dataclass(frozen=True, slots=True)
class Committed:
    """One commit as the table's stream shows it."""

    profile: Profile
    enrollments: Mapping[str, Enrollment]
    revision: int
    at: datetime
    effects: tuple[Effect, ...]
    facts: tuple[Fact, ...]


@dataclass(frozen=True, slots=True)
class RelayEffects:
    timers: Timers
    outbox: Outbox
    tasks: Tasks
    timeline: Timeline
    deliveries: Deliveries
    park: Callable[[str, Effect | Mapping[str, Any], Exception], None]
    """Keeps what can never be carried out: the customer's id; an effect, or a change of the table; why."""

    def __call__(self, commit: Committed, now: datetime) -> None:
        """Carry out one commit's effects. Raises where trying again may help; then all are done again."""
        if commit.facts:
            self.timeline.remember(commit.profile.id, commit.revision, commit.facts, commit.at)
        for effect in commit.effects:
            try:
                self._carry_out(effect, commit, now)
            except CairnError as error:
                if error.retryable:
                    raise
                self.park(commit.profile.id, effect, error)

    def _carry_out(self, effect: Effect, commit: Committed, now: datetime) -> None:
        customer = commit.profile.id
        match effect:
            case SendMessage():
                self.outbox.put(message_of(effect, commit))
            case WakeAt():
                self.timers.wake(customer, effect, now)
            case OpenTask():
                self.tasks.open(customer, commit.enrollments[effect.enrollment].journey, effect, commit.at)
            case MoveMessage():
                self.deliveries.move(customer, effect.message, MessageStatus(effect.status), effect.at)
            case AbsorbHistory():
                self.timeline.absorb(customer, effect.merged)


def message_of(effect: SendMessage, commit: Committed) -> Message:
    """The message with all that its sender needs, as things stood when it was decided."""
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
        addresses=_answerable(commit.profile, addresses_of(view)),
        decided_at=commit.at,
        variables={
            "profile": view,
            "data": dict(enrollment.data),
            "customer": commit.profile.id,
            "journey": enrollment.journey,
        },
        time_zone=effect.time_zone,
    )


def _answerable(profile: Profile, addresses: Mapping[Channel, str]) -> dict[Channel, str]:
    """The addresses whose answers would find this customer.

    A STOP from a number that two share is heard for the one whose it is, so the other must not be texted there.
    """
    numbers = {one.value for one in profile.identifiers if one.kind == PHONE}
    by_number = (Channel.SMS, Channel.WHATSAPP)
    return {channel: told for channel, told in addresses.items() if channel not in by_number or told in numbers}
