"""Where a customer stands in a journey, and what comes next if nothing happens.

The engine itself is asked, with the profile as it is now. Hours, caps and consent may still defer or drop a message.
"""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from typing import assert_never
from zoneinfo import ZoneInfo

from cairn.domain.effects import CallWebhook, Effect, EmitEvent, OpenTask, PauseEnrollment, SendMessage
from cairn.domain.explain.explanations import ahead
from cairn.domain.journey import engine
from cairn.domain.journey.arms import Arms
from cairn.domain.journey.definition import DATE_CHANGED, Journey
from cairn.domain.journey.enrollment import Enrollment, Status
from cairn.domain.journey.steps import WaitingStep
from cairn.domain.journey.steps.begin import Begin
from cairn.domain.journey.steps.task import AwaitedTask
from cairn.domain.journey.steps.wait import Wait
from cairn.domain.journey.steps.wait_for import WaitFor
from cairn.domain.journey.steps.webhook import Webhook
from cairn.domain.operations.pauses import Pause
from cairn.domain.profile.profile import Profile
from cairn.domain.shared.channels import CHANNELS, Channel

MOST_TIMERS = 20
"""Timers that are looked ahead: waits behind waits, without anything between that a customer or a colleague sees."""


@dataclass(frozen=True, slots=True)
class Upcoming:
    waits_for: str
    """In words: events, a task, a time."""
    at: datetime | None
    """When the timer fires that it waits for."""
    text: str
    """A sentence: what comes next if nothing happens."""


def upcoming(  # noqa: PLR0913  all that a decision depends on
    journey: Journey,
    enrollment: Enrollment,
    profile: Profile,
    *,
    pauses: tuple[Pause, ...],
    arms: Arms,
    reachable: Collection[Channel],
    now: datetime,
    zone: ZoneInfo,
) -> Upcoming:
    """`reachable`: the channels on which the customer has an address."""
    if enrollment.status is Status.HELD_OUT:
        return Upcoming("", enrollment.timer_at, "Gets nothing of this journey: is in its holdout.")
    step = journey.steps.get(enrollment.step or "")
    waits_for = _waits_for(step) if isinstance(step, WaitingStep) else ""
    first = enrollment.timer_at
    for _ in range(MOST_TIMERS):
        if enrollment.timer_at is None:
            return Upcoming(waits_for, first, "Nothing comes by itself.")
        at = max(enrollment.timer_at, now)
        trigger = engine.TimerFired(enrollment.sequence, pauses)
        decision = engine.advance(journey, enrollment, profile, trigger, at, arms)
        if what := next(filter(None, (_seen(one, reachable) for one in decision.effects)), ""):
            return Upcoming(waits_for, first, f"If nothing happens: {what} at {ahead(at, zone)}.")
        paused = next((one.target for one in decision.effects if isinstance(one, PauseEnrollment)), "")
        if paused or decision.enrollment == enrollment:
            return Upcoming(waits_for, first, f"Nothing until {paused or 'its journey'} is resumed.")
        enrollment, profile = decision.enrollment, decision.profile
        if not enrollment.open:
            return Upcoming(waits_for, first, f"If nothing happens: the journey ends at {ahead(at, zone)}.")
    return Upcoming(waits_for, first, "It goes on waiting.")


def _waits_for(step: WaitingStep) -> str:
    match step:
        case WaitFor(matches=matches, needs_all=needs_all):
            return (" and " if needs_all else " or ").join(dict.fromkeys(one.event for one in matches))
        case AwaitedTask(title=title, queue=queue):
            return f"task “{title}” for {queue}"
        case Webhook(endpoint=endpoint):
            return f"the answer of {endpoint}"
        case Begin():
            return "its beginning"
        case Wait():
            return "a time"
        case _:
            assert_never(step)


def _seen(effect: Effect, reachable: Collection[Channel]) -> str:
    """What a customer, a colleague or another system gets; empty for what only Cairn does."""
    match effect:
        case SendMessage(channels=channels, template=template):
            channel = next((one for one in channels if one in reachable), channels[0])
            return f"{CHANNELS[channel].article} {CHANNELS[channel].noun} ({template})"
        case OpenTask(title=title, queue=queue):
            return f"task “{title}” for {queue}"
        case CallWebhook(endpoint=endpoint):
            return f"a call of {endpoint}"
        case EmitEvent(event=type_) if type_ != DATE_CHANGED:
            return f"the event {type_}"
        case _:
            return ""
