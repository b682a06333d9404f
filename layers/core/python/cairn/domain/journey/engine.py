"""The engine: one pure function from where a customer stands to where it goes, and what must happen because of it.

Its laws, each with a property test: a walk ends; the same arguments give the same decision; a stale
trigger changes nothing; the same trigger twice is one; an event and a timeout for one wait have one winner.
"""

from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any, assert_never

from cairn.domain.effects import (
    Effect,
    Fact,
    OpenTask,
    PauseEnrollment,
    SendMessage,
    WakeAt,
    effect_id,
    split_effect_id,
)
from cairn.domain.event import Event
from cairn.domain.journey import calendar
from cairn.domain.journey.conditions import Scope, evaluate, is_met
from cairn.domain.journey.definition import (
    ANY_KEY,
    Branch,
    Exit,
    IfPast,
    Journey,
    Match,
    Reentry,
    Send,
    Task,
    Update,
    Wait,
    WaitFor,
)
from cairn.domain.journey.enrollment import COMPLETED, EXIT_ON, MERGED, Enrollment, Status, held_out
from cairn.domain.operations.pauses import (
    Late,
    NotBefore,
    Pause,
    Paused,
    PausedWait,
    PauseOutcome,
    resume_wait,
    targets_of,
)
from cairn.domain.profile.profile import Profile
from cairn.domain.shared.channels import Channel
from cairn.domain.shared.hashing import short_hash
from cairn.domain.shared.instants import instant_to_wire
from cairn.domain.shared.moments import Moment, Until


@dataclass(frozen=True, slots=True)
class Entered:
    """The customer has just been taken in."""


@dataclass(frozen=True, slots=True)
class Happened:
    """An event of the customer arrived."""

    event: Event


@dataclass(frozen=True, slots=True)
class TimerFired:
    """A wake-up came back, carrying the sequence number that it was made under."""

    sequence: int
    pauses: tuple[Pause, ...] = ()
    """Of whatever is or was paused; those of this journey hold the wake-up back, or have moved it."""


Trigger = Entered | Happened | TimerFired


@dataclass(frozen=True, slots=True)
class Decision:
    """Where the enrollment stands now, and what follows. Nothing follows where nothing moved."""

    enrollment: Enrollment
    profile: Profile
    effects: tuple[Effect, ...] = ()
    facts: tuple[Fact, ...] = ()


def advance(journey: Journey, enrollment: Enrollment, profile: Profile, trigger: Trigger, now: datetime) -> Decision:
    """Move one enrollment as far as it goes now. Never raises for a business outcome."""
    walk = _Walk(journey, enrollment, profile, now)
    match trigger:
        case _ if not enrollment.open:
            _after_the_end(walk, trigger)
        case Entered():
            _enter(walk)
        case TimerFired(sequence, pauses):
            _fire(walk, sequence, pauses)
        case Happened(event):
            _hear(walk, event)
    return walk.decision()


def entry_key(journey: Journey, profile: Profile, event: Event, now: datetime) -> str | None:
    """The key of the enrollment that this event would start; None where it starts none."""
    entry = journey.entry
    if entry.event != event.type:
        return None
    scope = Scope(profile, now, event.properties, event.view(), default_zone=journey.time_zone)
    if not is_met(entry.where, scope):
        return None
    return _text(evaluate(entry.key, scope)) if entry.key else ""


def may_enter(journey: Journey, entered_at: datetime | None, *, is_open: bool, now: datetime) -> bool:
    """The re-entry rule, for a customer who last entered with the same key at `entered_at`."""
    if entered_at is None:
        return True
    match journey.entry.again:
        case Reentry.NEVER:
            return False
        case Reentry.WHEN_ENDED:
            return not is_open
        case Reentry.AFTER:
            return not is_open and now - entered_at >= journey.entry.again_after


def new_enrollment(journey: Journey, profile: Profile, event: Event, key: str, now: datetime) -> Enrollment:
    """A new enrollment, before its first step. One that may happen only once has one id for ever."""
    once = journey.entry.again is Reentry.NEVER
    return Enrollment(
        id=short_hash(profile.id, journey.name, key, "" if once else event.key, length=20),
        journey=journey.name,
        version=journey.version,
        key=key,
        entered_at=now,
        since=event.occurred_at,
        data=event.properties,
        data_at=event.occurred_at,
    )


def key_named(journey: Journey, rules: tuple[Match, ...], profile: Profile, event: Event, now: datetime) -> str | None:
    """The key of the enrollment that an event is about, told from the event alone; None where it is about none.

    What ends or refreshes an enrollment may arrive before what starts it, and must not be lost then.
    """
    for rule in rules:
        expression = rule.key or journey.entry.key
        asks_the_enrollment = rule.where is not None and ("data" in rule.where or "enrollment" in rule.where)
        if rule.event != event.type or rule.key == ANY_KEY or asks_the_enrollment:
            continue
        scope = Scope(profile, now, {}, event.view(), default_zone=journey.time_zone)
        key = _text(evaluate(expression, scope)) if expression else ""
        if key is not None and is_met(rule.where, scope):
            return key
    return None


def fall_back(journey: Journey, profile: Profile, message: str, failed: str, now: datetime) -> SendMessage | None:
    """The same step's message on the channels behind the one that failed; None where there is none.

    Its id follows from the failed one's, so however often and in whatever words a failure is told, it is sent once.
    """
    enrollment, step_id, attempt = split_effect_id(message)
    step = journey.steps.get(step_id)
    first_attempt = attempt.partition("f")[0]
    if not isinstance(step, Send) or failed not in step.channels[:-1] or not first_attempt.isdecimal():
        return None
    behind = step.channels.index(Channel(failed)) + 1
    return SendMessage(
        f"{effect_id(enrollment, step_id, int(first_attempt))}f{behind}",
        enrollment,
        step_id,
        step.channels[behind:],
        step.template,
        step.purpose,
        Scope(profile, now, {}, default_zone=journey.time_zone).zone.key,
    )


def _enter(walk: "_Walk") -> None:
    if walk.enrollment.sequence:
        return
    walk.count()
    if held_out(walk.journey.name, walk.profile.id, walk.journey.holdout):
        walk.enrollment = replace(walk.enrollment, status=Status.HELD_OUT)
        walk.note("held_out")
        return
    walk.note("entered")
    walk.go(walk.journey.start)


def _fire(walk: "_Walk", sequence: int, pauses: tuple[Pause, ...]) -> None:
    waiting = walk.enrollment
    if sequence != waiting.sequence or waiting.due_at is None or waiting.step is None:
        return
    if walk.now < waiting.due_at:  # a timer that came early is set again, under a new number
        walk.count()
        walk.set_timer(waiting.step, waiting.due_at)
        return
    step = walk.journey.steps[waiting.step]
    if isinstance(step, Wait | WaitFor) and _is_held(walk, step, walk.held_by(pauses, step, waiting.due_at)):
        return
    walk.count()
    match step:
        case WaitFor():
            walk.note("timed_out", step.id)
            walk.go(step.timed_out)
        case Wait():
            walk.go(step.next)
        case _:
            walk.go(step.id)


def _is_held(walk: "_Walk", step: Wait | WaitFor, held: PauseOutcome) -> bool:
    """Do what a pause says of a wait that is over; False where none says anything."""
    match held:
        case Paused(target):
            enrollment = walk.enrollment
            this = effect_id(enrollment.id, f"{step.id}-paused", enrollment.sequence)
            walk.effects.append(PauseEnrollment(this, enrollment.id, enrollment.sequence, target))
            walk.note("paused", step.id, target=target)
            return True
        case NotBefore(at, target):
            walk.count()
            walk.wake_at(step.id, at, resumed=target)
            return True
        case Late(target):
            walk.count()
            walk.note("passed_over", step.id, resumed=target)
            walk.pass_over(step.next if isinstance(step, Wait) else step.timed_out)
            return True
    return False


def _hear(walk: "_Walk", event: Event) -> None:
    enrollment = walk.enrollment
    if not _is_news(enrollment, event):
        return
    _reach_goal(walk, event)
    if enrollment.status is Status.HELD_OUT:
        return  # it is watched for the goal until its window closes, as those are who got something
    if walk.matches_any(walk.journey.exit_on, event):
        walk.count(event)
        walk.end(EXIT_ON, because=event.type)
        return
    refreshed = walk.matches_any(walk.journey.refresh_on, event) and event.occurred_at >= (
        enrollment.data_at or event.occurred_at
    )
    if refreshed:
        data = {**enrollment.data, **event.properties}
        walk.enrollment = replace(walk.enrollment, data=data, data_at=event.occurred_at)
        walk.note("refreshed", enrollment.step or "", because=event.type)
    step = walk.journey.steps.get(enrollment.step or "")
    if isinstance(step, WaitFor) and walk.matches(step.match, event):
        walk.count(event)
        walk.note("happened", step.id, because=event.type)
        walk.event = event
        walk.go(step.happened)
    elif refreshed and isinstance(step, Wait | WaitFor):
        walk.count(event)
        _retime(walk, step)


def _retime(walk: "_Walk", step: Wait | WaitFor) -> None:
    """The enrollment's data changed: a wait for a date of it moves along, any other one stands."""
    moment = _moment_of(step)
    if isinstance(moment, Until):
        walk.park(step, moment)
    elif walk.enrollment.due_at is not None:
        walk.set_timer(step.id, walk.enrollment.due_at)


def _is_news(enrollment: Enrollment, event: Event) -> bool:
    return event.key != enrollment.handled and event.occurred_at >= enrollment.since


def _after_the_end(walk: "_Walk", trigger: Trigger) -> None:
    """A customer may reach the goal after the last step; that counts while its window is open."""
    if walk.enrollment.outcome == MERGED:
        return  # the other passage counts it
    if isinstance(trigger, Happened) and _is_news(walk.enrollment, trigger.event):
        _reach_goal(walk, trigger.event)


def _reach_goal(walk: "_Walk", event: Event) -> None:
    goal, enrollment = walk.journey.goal, walk.enrollment
    if goal is None or enrollment.goal_at is not None or event.occurred_at - enrollment.since > goal.within:
        return
    if walk.matches(goal.match, event):
        walk.enrollment = replace(enrollment, goal_at=event.occurred_at)
        walk.note("goal_reached", because=event.type, arm=enrollment.status.value)


@dataclass(slots=True)
class _Walk:
    """What one call of `advance` gathers on its way. Lives and dies inside it."""

    journey: Journey
    enrollment: Enrollment
    profile: Profile
    now: datetime
    event: Event | None = None
    effects: list[Effect] = field(default_factory=list)
    facts: list[Fact] = field(default_factory=list)

    def decision(self) -> Decision:
        return Decision(self.enrollment, self.profile, tuple(self.effects), tuple(self.facts))

    def scope(self, event: Event | None = None) -> Scope:
        seen = event or self.event
        return Scope(
            self.profile,
            self.now,
            self.enrollment.data,
            seen.view() if seen else {},
            self.enrollment.view(),
            self.journey.time_zone,
        )

    def matches_any(self, rules: tuple[Match, ...], event: Event) -> bool:
        return any(self.matches(rule, event) for rule in rules)

    def matches(self, rule: Match, event: Event) -> bool:
        if rule.event != event.type:
            return False
        scope = self.scope(event)
        if rule.key is None and event.about_a_message and "enrollment" in event.properties:
            return event.properties["enrollment"] == self.enrollment.id and is_met(rule.where, scope)
        expression = rule.key or self.journey.entry.key
        if (
            expression is not None
            and expression != ANY_KEY
            and _text(evaluate(expression, scope)) != self.enrollment.key
        ):
            return False
        return is_met(rule.where, scope)

    def count(self, event: Event | None = None) -> None:
        handled = event.key if event else self.enrollment.handled
        self.enrollment = replace(self.enrollment, sequence=self.enrollment.sequence + 1, handled=handled)

    def note(self, kind: str, step: str = "", **detail: Any) -> None:
        self.facts.append(Fact(kind, self.enrollment.id, self.enrollment.journey, step, detail))

    def end(self, outcome: str, **detail: Any) -> None:
        self.enrollment = self.enrollment.ending(outcome, self.now)
        self.note("ended", outcome=outcome, **detail)

    def go(self, step_id: str | None) -> None:
        """Take steps until one has to wait or none is left. Ends, because every next step lies further on."""
        self.enrollment = replace(self.enrollment, step=None, due_at=None, reached_at=None)
        while step_id is not None:
            step = self.journey.steps[step_id]
            match step:
                case Wait() | WaitFor():
                    self.enrollment = replace(self.enrollment, step=step.id, reached_at=self.now)
                    self.park(step, _moment_of(step))
                    return
                case Exit():
                    self.end(step.outcome)
                    return
                case Branch():
                    step_id = self.choose(step)
                case Send() | Task() | Update():
                    self.perform(step)
                    step_id = step.next
                case _:
                    assert_never(step)
        self.end(COMPLETED)

    def choose(self, step: Branch) -> str | None:
        for number, (condition, target) in enumerate(step.arms, start=1):
            if is_met(condition, self.scope()):
                self.note("branched", step.id, arm=number)
                return target
        self.note("branched", step.id, arm="else")
        return step.otherwise

    def perform(self, step: Send | Task | Update) -> None:
        this = effect_id(self.enrollment.id, step.id, self.enrollment.sequence)
        match step:
            case Send():
                self.effects.append(
                    SendMessage(
                        this,
                        self.enrollment.id,
                        step.id,
                        step.channels,
                        step.template,
                        step.purpose,
                        self.scope().zone.key,
                    ),
                )
            case Task():
                context = {name: evaluate(expression, self.scope()) for name, expression in step.context.items()}
                due_at = self.now + step.due
                self.effects.append(
                    OpenTask(this, self.enrollment.id, step.id, step.queue, step.title, due_at, context, step.script),
                )
            case Update():
                stated = dict(step.attributes)
                stated |= {name: evaluate(source, self.scope()) for name, source in step.attributes_from.items()}
                self.profile = self.profile.patched(stated | {"tags": step.tags}, self.now)
                self.note("updated", step.id, attributes=sorted(stated), tags=dict(step.tags))

    def park(self, step: Wait | WaitFor, moment: Moment) -> None:
        """Wait at the step until its moment; where that is past or unknown, do what the step says."""
        due = calendar.resolve(
            moment,
            since=self.enrollment.reached_at or self.now,
            entered_at=self.enrollment.entered_at,
            scope=self.scope(),
        )
        if due is not None and due > self.now:
            self.set_timer(step.id, due)
            return
        self.note("moment_past" if due else "moment_unknown", step.id)
        if isinstance(step, WaitFor):
            self.go(step.timed_out)
            return
        match step.if_past:
            case IfPast.CONTINUE:
                self.go(step.next)
            case IfPast.SKIP:
                self.pass_over(step.next)
            case IfPast.EXIT:
                self.end("moment_past")

    def pass_over(self, step_id: str | None) -> None:
        """Go on behind a step that is not taken."""
        self.go(_after(self.journey.steps[step_id]) if step_id else None)

    def held_by(self, pauses: tuple[Pause, ...], step: Wait | WaitFor, due: datetime) -> PauseOutcome:
        enrollment, scope = self.enrollment, self.scope()
        reached_at = enrollment.reached_at or enrollment.entered_at
        moment = calendar.with_local_time(_moment_of(step), scope)
        waiting = PausedWait(enrollment.id, reached_at, due, moment, scope.zone)
        return resume_wait(pauses, targets_of(enrollment.journey), waiting, self.now)

    def set_timer(self, step_id: str, due: datetime) -> None:
        self.enrollment = replace(self.enrollment, due_at=due)
        self.wake_at(step_id, due)

    def wake_at(self, step_id: str, at: datetime, **why: str) -> None:
        """Have the wait looked at again. Where a pause moved it, `due_at` stays: what pauses say is told from it."""
        this = effect_id(self.enrollment.id, step_id, self.enrollment.sequence)
        self.effects.append(WakeAt(this, self.enrollment.id, self.enrollment.sequence, at))
        self.note("waiting", step_id, until=instant_to_wire(at), **why)


def _moment_of(step: Wait | WaitFor) -> Moment:
    return step.until if isinstance(step, Wait) else step.timeout


def _after(step: object) -> str | None:
    """The step behind one that is passed over; for one with paths, its last resort."""
    match step:
        case WaitFor():
            return step.timed_out
        case Branch():
            return step.otherwise
        case Exit():
            return None
        case Send() | Wait() | Task() | Update():
            return step.next
    return None


def _text(value: Any) -> str | None:
    if value is None or isinstance(value, dict | list | bool):
        return None
    return str(value)
