"""One call of the engine on its way through the steps: its decisions so far."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime
from enum import Enum
from typing import Any

from cairn.domain.effects import Effect, EmitEvent, Fact, FactKind, WakeAt, WithdrawTasks, effect_id
from cairn.domain.event import Event
from cairn.domain.journey import calendar
from cairn.domain.journey.arms import NO_ARMS, Arms
from cairn.domain.journey.conditions import Scope, evaluate, is_met
from cairn.domain.journey.definition import ANY_KEY, DATE_CHANGED, ENTRY, Journey, Match
from cairn.domain.journey.enrollment import COMPLETED, EXIT_ON, Enrollment, Status, held_out
from cairn.domain.journey.moves import BEFORE_STEPS
from cairn.domain.profile.profile import Profile
from cairn.domain.shared.hashing import share
from cairn.domain.shared.instants import instant_to_wire, moved
from cairn.domain.shared.moments import DayOf, Delay, Moment, Silence

UNMEASURED = "unmeasured"
"""The reason of an entry that neither can be held out nor counts for the journey's effect."""


LAST_WAY = -1
"""The only way on from most steps; from the others that of `else`, and of a timeout."""


class Stop(Enum):
    HERE = "here"
    """The enrollment waits at this step, or has ended."""


Next = str | Stop | None
"""The id of the next step; None at the end of the journey."""


class Walk:
    """Made by `advance`, changed by the steps, and turned into its decision. No dataclass: that costs cold start."""

    def __init__(
        self, journey: Journey, enrollment: Enrollment, profile: Profile, now: datetime, arms: Arms = NO_ARMS
    ) -> None:
        self.journey = journey
        self.enrollment = enrollment
        self.profile = profile
        self.now = now
        self.arms = arms
        self.event: Event | None = None
        """The event that ended the last wait_for."""
        self.effects: list[Effect] = []
        self.facts: list[Fact] = []
        self.looked_up: list[str] = []
        """The expressions about the profile that decided something."""
        self.here = enrollment.step
        """The step that it has come to; None before the first one, and after the last."""
        self.way = LAST_WAY
        """By which of its ways the step is left: a number among its successors."""
        self._via: list[str] = []
        """The steps that were left since the enrollment waited last, each with its way where it has several."""

    def scope(self, event: Event | None = None) -> Scope:
        seen = event or self.event
        return Scope(
            self.profile,
            self.now,
            self.enrollment.data,
            seen.view() if seen else {},
            self.enrollment.view(),
            self.journey.time_zone,
            self.looked_up,
        )

    def matches_any(self, rules: tuple[Match, ...], event: Event) -> bool:
        return any(self.matches(rule, event) for rule in rules)

    def matches(self, rule: Match, event: Event) -> bool:
        if rule.event != event.type:
            return False
        scope = self.scope(event)
        if rule.key is None and event.about_a_message and "enrollment" in event.properties:
            return event.properties["enrollment"] == self.enrollment.id and is_met(rule.where, scope)
        is_about_it = rule.key == ANY_KEY or self.enrollment.key in keys_named(self.journey, rule, scope)
        return is_about_it and is_met(rule.where, scope)

    def count(self, event: Event | None = None) -> None:
        """A new decision: it makes the timers of earlier decisions stale."""
        handled = event.key if event else self.enrollment.handled
        self.enrollment = replace(self.enrollment, sequence=self.enrollment.sequence + 1, handled=handled)

    def note(self, kind: FactKind, step: str = "", **detail: Any) -> None:
        self.facts.append(Fact(kind, self.enrollment.id, self.enrollment.journey, step, detail))

    def effect_id(self, step_id: str) -> str:
        return effect_id(self.enrollment.id, step_id, self.enrollment.sequence)

    def go(self, target: Next) -> None:
        """Perform steps until one stops or none is left. This ends: every next step lies further on."""
        while target is not Stop.HERE:
            if self.here != target:
                self._leave_for(target)
            if self.enrollment.step is not None:
                self.enrollment = self.enrollment.moving()
            if target is None:
                self.end(COMPLETED)
                return
            target = self.journey.steps[target].perform(self)

    def _leave_for(self, target: str | None) -> None:
        """Of the entry, `enter` says that it is left: a customer who is held out stays there."""
        if self.here and self.here != ENTRY:
            ways = len(self.journey.steps[self.here].successors)
            self._via.append(f"{self.here}:{self.way % ways}" if ways > 1 else self.here)
        self.here, self.way = target, LAST_WAY

    def jump(self) -> None:
        """It is put somewhere else, by no way of the journey."""
        self.here, self.way, self._via = None, LAST_WAY, []

    def _moved(self) -> dict[str, str]:
        """How it has come here since it waited last: the steps in order, with the number of the way behind a colon."""
        via, self._via = self._via, []
        return {"via": " ".join(via)} if via else {}

    def enter(self, target: Next) -> Next:
        """The customer enters, if not for the holdout; where that leads."""
        if self.journey.unmeasured and is_met(self.journey.unmeasured, self.scope()):
            self.note("entered", reason=UNMEASURED)
            self._via.append(BEFORE_STEPS)
            return target
        if held_out(self.journey.name, self.profile.id, self.journey.holdout):
            self.enrollment = replace(self.enrollment, status=Status.HELD_OUT)
            self.note("held_out")
            self.await_next_year()
            return Stop.HERE
        self.note("entered")
        self._via.append(BEFORE_STEPS)
        return target

    def values_of(self, expressions: Mapping[str, str]) -> dict[str, Any]:
        """The value of each expression, by its name."""
        scope = self.scope()
        return {name: evaluate(one, scope) for name, one in expressions.items()}

    def behind(self, step_id: str | None) -> str | None:
        """The step after a skipped one; of several paths, the last. A split is not skipped: nobody changes arms."""
        if not step_id:
            return None
        if self.here != step_id:
            self._leave_for(step_id)
        step = self.journey.steps[step_id]
        return step.skipped(self) if hasattr(step, "skipped") else step.successors[-1]

    def reach(self, step_id: str) -> None:
        """Begin to wait at a step."""
        self.enrollment = replace(self.enrollment, step=step_id, reached_at=self.now)

    def wait_until(self, step_id: str, moment: Moment) -> calendar.Missed | None:
        """Set the timer of a wait that has been reached; why there is none to set."""
        due = calendar.resolve(
            moment,
            since=self.enrollment.reached_at or self.now,
            entered_at=self.enrollment.entered_at,
            scope=self.scope(),
        )
        if isinstance(due, datetime):
            if moment.spread:
                due = moved(due, share(f"wait/{step_id}", self.enrollment.id) * moment.spread)
            if due > self.now:
                self.set_timer(step_id, due)
                return None
        missed: calendar.Missed = "moment_past" if isinstance(due, datetime) else due
        if missed != "moment_past" or not isinstance(moment, Delay | DayOf | Silence):  # no lateness
            self.note(missed, step_id)
        return missed

    def set_timer(self, step_id: str, due: datetime) -> None:
        self.enrollment = replace(self.enrollment, due_at=due, paused_by="")
        self.wake_at(step_id, due)

    def wake_at(self, step_id: str, at: datetime, **why: str) -> None:
        """Wake the enrollment. When a pause has moved the wait, `due_at` stays: pauses are computed from it."""
        moved_to = None if at == self.enrollment.due_at else at
        self.enrollment = replace(self.enrollment, moved_to=moved_to)
        this = self.effect_id(step_id)
        self.effects.append(WakeAt(this, self.enrollment.id, self.enrollment.sequence, at))
        self.note("waiting", step_id, until=instant_to_wire(at), **why, **self._moved())

    def end(self, outcome: str, **detail: Any) -> None:
        has_begun = self.enrollment.has_begun
        at = self.here if has_begun and self.here else ""
        self.clean_up()
        if outcome == EXIT_ON:
            self._withdraw_tasks(str(detail.get("because", outcome)))
        self.enrollment = self.enrollment.ending(outcome, self.now)
        self.note("ended", at, outcome=outcome, **detail, **self._moved())
        if has_begun:
            self.await_next_year()

    def stop(self, because: str) -> None:
        """After its end, an event has made unwanted what still waits: its messages and its tasks."""
        self._withdraw_tasks(because)
        self.enrollment = replace(self.enrollment, outcome=EXIT_ON)
        self.note("stopped", because=because)

    def _withdraw_tasks(self, because: str) -> None:
        if self.journey.has_tasks:
            this = self.effect_id("withdraw")
            self.effects.append(WithdrawTasks(this, self.enrollment.id, because, self.now))

    def clean_up(self) -> None:
        """The updates of `finally`, which neither the holdout gets nor a customer who waits for the beginning."""
        if self.enrollment.status is Status.ACTIVE and self.enrollment.has_begun:
            for step in self.journey.at_end:
                step.perform(self)

    def await_next_year(self) -> None:
        """The date of next year, where there is one, begins to wait."""
        if self.journey.entry.is_yearly:
            this, name = self.effect_id(ENTRY), self.journey.name
            self.effects.append(EmitEvent(this, self.enrollment.id, DATE_CHANGED, {"journey": name}))


def keys_named(journey: Journey, rule: Match, scope: Scope) -> list[str]:
    """The keys of the enrollments that an event is about, by a rule whose key is not ANY_KEY."""
    expressions = (rule.key,) if rule.key else journey.entry.keys
    found = [text_of(evaluate(one, scope)) if one else "" for one in expressions]
    return [key for key in found if key is not None]


def text_of(value: Any) -> str | None:
    """A key as text; None where an expression gave no single value."""
    if value is None or isinstance(value, dict | list | bool):
        return None
    return str(value)
