"""The engine: a pure function that moves one enrollment and lists the effects of the move.

Its properties, each with a test: a walk ends; the same arguments give the same decision; a stale or repeated trigger
changes nothing; of an event and a timeout for one wait, only the first counts.
"""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import Enum
from typing import Any

from cairn.domain.effects import Effect, Fact, PauseEnrollment, SendMessage, split_effect_id
from cairn.domain.event import Event
from cairn.domain.journey import calendar
from cairn.domain.journey.arms import NO_ARMS, Arms
from cairn.domain.journey.conditions import Scope, evaluate, is_met
from cairn.domain.journey.definition import ANY_KEY, ENTRY, GoalValue, Journey, Match, Reentry
from cairn.domain.journey.enrollment import ENDED_EARLY_WINDOW, EXIT_ON, MERGED, Enrollment, Status
from cairn.domain.journey.steps import Step, WaitingStep
from cairn.domain.journey.steps.begin import Begin
from cairn.domain.journey.steps.send import Send
from cairn.domain.journey.steps.task import AwaitedTask
from cairn.domain.journey.steps.wait import Wait
from cairn.domain.journey.steps.wait_for import WaitFor
from cairn.domain.journey.steps.webhook import Webhook
from cairn.domain.journey.walk import Stop, Walk, keys_named, text_of
from cairn.domain.operations.pauses import (
    Late,
    NotBefore,
    Pause,
    Paused,
    PausedWait,
    PauseOutcome,
    Proceed,
    resume_wait,
    targets_of,
)
from cairn.domain.profile.bounds import trimmed
from cairn.domain.profile.profile import Profile
from cairn.domain.shared.channels import Channel
from cairn.domain.shared.currencies import currency_code, minor_units
from cairn.domain.shared.hashing import short_hash
from cairn.domain.shared.instants import instant_to_wire, moved
from cairn.domain.shared.moments import Delay, Silence, Until

RE_ENTRY = "re-entry"
"""Why a customer does not enter who may not do so again, or not yet."""

LEFT_OUT = "left out of all journeys"
"""The outcome of an enrollment whose customer is in the holdout across all journeys."""

AT_ONCE = Delay(timedelta())
"""The wait of an enrollment that came from another version, and is about to perform a step."""


class NoKey(Enum):
    """An event should start an enrollment, and has no value for its key."""

    HERE = "no key"


@dataclass(frozen=True, slots=True)
class Entered:
    """The customer has just been enrolled."""


@dataclass(frozen=True, slots=True)
class Happened:
    """An event of the customer arrived."""

    event: Event


@dataclass(frozen=True, slots=True)
class TimerFired:
    """A timer fired. `sequence` is the enrollment's number when it was set."""

    sequence: int
    pauses: tuple[Pause, ...] = ()
    """Present and past pauses of every target; those of this journey may delay the enrollment."""


@dataclass(frozen=True, slots=True)
class Left:
    """An operator ends the enrollment; the event says so."""

    event: Event


Trigger = Entered | Happened | TimerFired | Left


@dataclass(frozen=True, slots=True)
class Decision:
    """The new state of the enrollment and the profile, with the effects. A trigger that moves nothing has none."""

    enrollment: Enrollment
    profile: Profile
    effects: tuple[Effect, ...] = ()
    facts: tuple[Fact, ...] = ()
    by_profile: bool = False
    """Whether it may depend on the profile, whose time zone alone does not count."""


def advance(  # noqa: PLR0913, PLR0917  all that a decision depends on
    journey: Journey,
    enrollment: Enrollment,
    profile: Profile,
    trigger: Trigger,
    now: datetime,
    arms: Arms = NO_ARMS,
) -> Decision:
    """Move one enrollment as far as it goes now. Never raises for a business outcome."""
    walk = Walk(journey, enrollment, profile, now, arms)
    match trigger:
        case _ if not enrollment.open:
            _after_the_end(walk, trigger)
        case Entered():
            _enter(walk)
        case TimerFired(sequence, pauses):
            _on_timer(walk, sequence, pauses)
        case Happened(event):
            _on_event(walk, event)
        case Left(event):
            walk.count(event)
            walk.end(EXIT_ON, because=event.type)
    return Decision(walk.enrollment, walk.profile, tuple(walk.effects), tuple(walk.facts), bool(walk.looked_up))


def withdraw(journey: Journey, enrollment: Enrollment, profile: Profile, outcome: str, now: datetime) -> Decision:
    """End an enrollment that is not wanted any more."""
    walk = Walk(journey, enrollment, profile, now)
    walk.count()
    walk.end(outcome)
    return Decision(walk.enrollment, walk.profile, tuple(walk.effects), tuple(walk.facts))


def leave_out(journey: Journey, enrollment: Enrollment, profile: Profile, now: datetime) -> Decision:
    """An enrollment that waited for its beginning ends with it: its customer enters no journey.

    A date of each year begins to wait for the next one.
    """
    walk = Walk(journey, enrollment, profile, now)
    walk.count()
    walk.end(LEFT_OUT)
    walk.await_next_year()
    return Decision(walk.enrollment, walk.profile, tuple(walk.effects), tuple(walk.facts))


def clean_up(journey: Journey, enrollment: Enrollment, profile: Profile, now: datetime) -> Decision:
    """Do what follows the end of an enrollment (`finally`), without ending it."""
    walk = Walk(journey, enrollment, profile, now)
    walk.clean_up()
    return Decision(enrollment, walk.profile, facts=tuple(walk.facts))


def entry_key(journey: Journey, profile: Profile, event: Event, now: datetime) -> str | NoKey | None:
    """The key of the enrollment that this event would start; None if it starts none."""
    if all(rule.event != event.type for rule in journey.entry.matches):
        return None
    scope = Scope(profile, now, event.properties, event.view(), default_zone=journey.time_zone)
    rules = [rule for rule in journey.entry.matches if rule.event == event.type and is_met(rule.where, scope)]
    for rule in rules:
        key = text_of(evaluate(rule.key, scope)) if rule.key else ""
        if key is not None:
            return key
    return NoKey.HERE if rules else None


def may_enter(journey: Journey, entered_at: datetime | None, *, is_open: bool, now: datetime) -> bool:
    """The re-entry rule, for a customer who last entered with the same key at `entered_at`."""
    if is_open:
        return False
    if entered_at is None:
        return True
    match journey.entry.again:
        case Reentry.NEVER:
            return False
        case Reentry.WHEN_ENDED:
            return True
        case Reentry.AFTER:
            return now - entered_at >= journey.entry.again_after


def may_wait(journey: Journey, entered_at: datetime | None, event: Event, now: datetime) -> bool:
    """Whether an event may start an enrollment; where silence begins it, whether the customer has come back by it.

    By the time that silence is over, the customer may enter again, or waits until that is so (`begins_later`).
    """
    if entered_at is None or not _begins_by_silence(journey):
        return may_enter(journey, entered_at, is_open=False, now=now)
    return journey.entry.again is not Reentry.NEVER and event.occurred_at > entered_at


def _begins_by_silence(journey: Journey) -> bool:
    first = journey.steps.get(ENTRY)
    return isinstance(first, Begin) and isinstance(first.moment, Silence)


def begins_later(
    journey: Journey, enrollment: Enrollment, profile: Profile, entered_at: datetime, now: datetime
) -> Decision:
    """An enrollment that may not begin yet, since its customer last entered at `entered_at`.

    Silence goes on until they may enter again, and is asked for anew then. Everything else is withdrawn.
    """
    if not _begins_by_silence(journey) or journey.entry.again is not Reentry.AFTER:
        return withdraw(journey, enrollment, profile, RE_ENTRY, now)
    walk = Walk(journey, enrollment, profile, now)
    walk.count()
    walk.enrollment = replace(walk.enrollment, step=ENTRY, reached_at=enrollment.reached_at or enrollment.since)
    walk.set_timer(ENTRY, moved(entered_at, journey.entry.again_after))
    return Decision(walk.enrollment, walk.profile, tuple(walk.effects), tuple(walk.facts))


def new_enrollment(journey: Journey, profile: Profile, event: Event, key: str, now: datetime) -> Enrollment:
    """A new enrollment, before its first step. Where re-entry is never allowed, the id is always the same."""
    entry = journey.entry
    once = entry.again is Reentry.NEVER and not entry.waits
    return Enrollment(
        id=short_hash(profile.id, journey.name, key, "" if once else event.key, length=20),
        journey=journey.name,
        version=journey.version,
        key=key,
        entered_at=now,
        since=event.occurred_at,
        data={} if entry.watches else event.properties,
        data_at=event.occurred_at,
    )


def keys_of(
    journey: Journey, rules: tuple[Match, ...], profile: Profile, event: Event, now: datetime
) -> list[str | None]:
    """The keys of the enrollments that an event is about, from the event alone.

    None where it is about all of the journey's enrollments. An event that ends or refreshes an enrollment may arrive
    before the event that starts it, and must not be lost.
    """
    found: list[str | None] = []
    for rule in rules:
        if rule.event != event.type or _needs_enrollment(rule):
            continue
        scope = Scope(profile, now, {}, event.view(), default_zone=journey.time_zone)
        if is_met(rule.where, scope):
            found += [None] if rule.key == ANY_KEY else keys_named(journey, rule, scope)
    return list(dict.fromkeys(found))


def may_end_what_starts_later(journey: Journey, event: Event) -> bool:
    """Whether only the enrollment can say if this event ends it: the rule compares the event with its data."""
    return any(rule.event == event.type and _needs_enrollment(rule) for rule in journey.exit_on)


def is_ended_by(journey: Journey, enrollment: Enrollment, profile: Profile, event: Event, now: datetime) -> bool:
    """Whether an event that arrived before the enrollment began, and happened since, ends it."""
    walk = Walk(journey, enrollment, profile, now)
    return event.occurred_at >= enrollment.since and walk.matches_any(journey.exit_on, event)


def _needs_enrollment(rule: Match) -> bool:
    """Whether a rule compares the event with the enrollment. Its key alone never does."""
    return rule.where is not None and ("data" in rule.where or "enrollment" in rule.where)


def fall_back(  # noqa: PLR0913, PLR0917  the message depends on each of them
    journey: Journey, enrollment: Enrollment, profile: Profile, message: str, failed: str, now: datetime
) -> SendMessage | None:
    """The same step's message on the channels after the failed one; None where there is none.

    Its id follows from the failed message's: several reports of one failure send it once.
    """
    _, step_id, attempt = split_effect_id(message)
    step = journey.steps.get(step_id)
    first_attempt = attempt.partition("f")[0]
    if (
        not isinstance(step, Send)
        or failed not in step.channels[:-1]
        or not first_attempt.replace("r", "", 1).isdecimal()
    ):
        return None
    behind = step.channels.index(Channel(failed)) + 1
    this = f"{enrollment.id}-{step_id}-{first_attempt}f{behind}"
    again = step.again(this, step.channels[behind:], Walk(journey, enrollment, profile, now))
    return replace(again, version=journey.version)


def resend(  # noqa: PLR0913, PLR0917  the message depends on each of them
    journey: Journey, enrollment: Enrollment, profile: Profile, message: str, again: str, now: datetime
) -> SendMessage | None:
    """A message once more on all its channels, under a new id; None where the journey has no such step."""
    step = journey.steps.get(split_effect_id(message)[1])
    if not isinstance(step, Send):
        return None
    return replace(step.again(again, step.channels, Walk(journey, enrollment, profile, now)), version=journey.version)


def _enter(walk: Walk) -> None:
    if walk.enrollment.sequence:
        return
    walk.count()
    start = walk.journey.start
    walk.go(start if walk.journey.entry.waits else walk.enter(start))


def _on_timer(walk: Walk, sequence: int, pauses: tuple[Pause, ...]) -> None:
    waiting = walk.enrollment
    if sequence != waiting.sequence or waiting.due_at is None or waiting.step is None:
        return
    if walk.now < waiting.due_at:  # a timer that came early is set again, under a new number
        walk.count()
        walk.set_timer(waiting.step, waiting.due_at)
        return
    step = walk.journey.steps[waiting.step]
    if not _follow_pauses(walk, step, pauses, _pause_outcome(walk, pauses, step, waiting.due_at)):
        walk.count()
        walk.go(step.on_timer(walk) if isinstance(step, WaitingStep) else step.id)


def _pause_outcome(walk: Walk, pauses: tuple[Pause, ...], step: Step, due: datetime) -> PauseOutcome:
    enrollment, scope = walk.enrollment, walk.scope()
    reached_at = enrollment.reached_at or enrollment.entered_at
    moment = step.moment if isinstance(step, WaitingStep) else AT_ONCE
    waiting = PausedWait(enrollment.id, reached_at, due, calendar.with_local_time(moment, scope), scope.zone)
    return resume_wait(pauses, targets_of(enrollment.journey), waiting, walk.now)


def _follow_pauses(walk: Walk, step: Step, pauses: tuple[Pause, ...], outcome: PauseOutcome) -> bool:
    """Apply the pauses to a wait that is over; False if no pause applies."""
    match outcome:
        case Paused(target):
            enrollment = walk.enrollment
            began = max(pause.since for pause in pauses if pause.target == target)
            pause = f"{target} {instant_to_wire(began)}"
            if enrollment.paused_by == pause:
                return True
            walk.enrollment = replace(enrollment, paused_by=pause)
            this = walk.effect_id(f"{step.id}-paused")
            walk.effects.append(PauseEnrollment(this, enrollment.id, enrollment.sequence, target))
            walk.note("paused", step.id, target=target)
            return True
        case NotBefore(at, target):
            walk.count()
            walk.enrollment = replace(walk.enrollment, paused_by="")
            walk.wake_at(step.id, at, resumed=target)
            return True
        case Late(target):
            walk.count()
            walk.note("passed_over", step.id, resumed=target)
            walk.go(step.too_late(walk) if isinstance(step, WaitingStep) else walk.behind(step.id))
            return True
        case Proceed():
            return False


def _on_event(walk: Walk, event: Event) -> None:
    enrollment = walk.enrollment
    if not _is_new(enrollment, event):
        return
    step = walk.journey.steps.get(enrollment.step or "")
    if not isinstance(step, Begin):
        _reach_goal(walk, event)
    if enrollment.status is Status.HELD_OUT:
        return  # only its goal counts, until the window closes
    breaks_silence = isinstance(step, Begin) and step.is_broken_by(event)
    if walk.matches_any(walk.journey.exit_on, event) and not breaks_silence:
        walk.count(event)
        walk.end(EXIT_ON, because=event.type)
        return
    if isinstance(step, Begin):
        step.on_event(walk, event)
        return
    refreshed = _refresh(walk, event)
    target = step.on_event(walk, event) if isinstance(step, WaitFor | AwaitedTask | Webhook) else Stop.HERE
    if target is not Stop.HERE:
        walk.go(target)
    elif refreshed and isinstance(step, Wait | WaitFor):
        _follow_date(walk, step, event)


def _refresh(walk: Walk, event: Event) -> bool:
    """Update the enrollment's data from a `refresh_on` event, unless the event is older than the data."""
    enrollment = walk.enrollment
    if not walk.matches_any(walk.journey.refresh_on, event):
        return False
    if enrollment.data_at is not None and event.occurred_at < enrollment.data_at:
        return False
    data, dropped = trimmed({**enrollment.data, **event.properties})
    if data == enrollment.data and event.occurred_at == enrollment.data_at:
        return False  # the same event again, or another one that says the same
    for name, reason in dropped.items():
        walk.note("dropped", enrollment.step or "", field=name, reason=reason)
    walk.enrollment = replace(enrollment, data=data, data_at=event.occurred_at)
    walk.note("refreshed", enrollment.step or "", because=event.type)
    return True


def _follow_date(walk: Walk, step: WaitingStep, event: Event) -> None:
    """The enrollment's data changed: a wait for a date is computed again, any other wait keeps its timer."""
    if isinstance(step.moment, Until):
        walk.count(event)
        walk.go(step.wait(walk))
    else:
        walk.enrollment = replace(walk.enrollment, handled=event.key)


def _is_new(enrollment: Enrollment, event: Event) -> bool:
    return event.key != enrollment.handled and event.occurred_at >= enrollment.since


def _after_the_end(walk: Walk, trigger: Trigger) -> None:
    """A customer may reach the goal after the last step; that counts while its window is open.

    An `exit_on` event soon after the last step still stops the messages that wait. It does not end the enrollment
    again: what is counted by ends would be wrong.
    """
    if walk.enrollment.outcome == MERGED or not walk.enrollment.has_begun:
        return  # the other enrollment counts it, or nobody has entered
    if isinstance(trigger, Happened) and _is_new(walk.enrollment, trigger.event):
        _reach_goal(walk, trigger.event)
        ended_at = walk.enrollment.ended_at
        if ended_at is None or walk.now - ended_at >= ENDED_EARLY_WINDOW or walk.enrollment.outcome == EXIT_ON:
            return
        if walk.matches_any(walk.journey.exit_on, trigger.event):
            walk.stop(trigger.event.type)


def _reach_goal(walk: Walk, event: Event) -> None:
    goal, enrollment = walk.journey.goal, walk.enrollment
    if goal is None or enrollment.goal_at is not None or event.occurred_at - enrollment.since > goal.within:
        return
    if walk.matches(goal.match, event):
        arms = [[step, *assigned] for step, assigned in enrollment.counted.items()]
        walk.enrollment = replace(enrollment, goal_at=event.occurred_at, counted={})
        counted: dict[str, Any] = {"arms": arms} if arms else {}
        if goal.value is not None:
            counted |= worth(goal.value, walk.scope(event))
        walk.note("goal_reached", because=event.type, arm=enrollment.status.value, **counted)


def worth(value: GoalValue, scope: Scope) -> dict[str, Any]:
    """What the goal is worth; nothing where its event does not say so."""
    code = currency_code(evaluate(value.currency, scope))
    amount = minor_units(evaluate(value.amount, scope), code, major=value.major) if code else None
    return {} if amount is None else {"value": amount, "currency": code}
