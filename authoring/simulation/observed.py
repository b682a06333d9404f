"""A journey whose steps note what they do as the engine performs them, and may be steered."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, fields, replace
from datetime import datetime
from functools import lru_cache
from typing import Any

from cairn.domain.effects import Effect, Fact
from cairn.domain.journey.definition import ANY_KEY, Journey, Match
from cairn.domain.journey.engine import Decision, Trigger, advance
from cairn.domain.journey.enrollment import Enrollment
from cairn.domain.journey.steps import WaitingStep
from cairn.domain.journey.walk import Next, Walk
from cairn.domain.profile.profile import Profile

Choose = Callable[[int], int]
"""Chooses one of so many ways."""

FALSE = "`false`"

Performed = tuple[str, Sequence[Fact | Effect]]
"""A step, and what it made."""


class Observed:
    """A journey whose steps note what they do, and may be steered. Otherwise they do as they always do."""

    def __init__(self, journey: Journey, labels: Mapping[str, tuple[str, ...]]) -> None:
        self.journey = journey
        self.labels = labels
        self.choose: Choose | None = None
        self.log: list[_Recorded] = []
        self._steps = {id_: self._step(step) for id_, step in journey.steps.items()}
        self._certain = lru_cache(maxsize=None)(self._with)

    def advance(  # noqa: PLR0913, PLR0917  the engine's own, and how it is steered
        self,
        enrollment: Enrollment,
        profile: Profile,
        trigger: Trigger,
        now: datetime,
        choose: Choose | None,
        certain: Match | None,
    ) -> tuple[Decision, tuple[Performed, ...]]:
        """The engine's decision, with what each step made. Of the step's matches only the `certain` one counts."""
        self.log.clear()
        self.choose = choose
        number = self._number(enrollment.step, certain)
        decision = advance(self._certain(enrollment.step, number), enrollment, profile, trigger, now)
        return decision, tuple(_in_order(decision, self.log))

    def _number(self, step: str | None, certain: Match | None) -> int | None:
        matches = getattr(self.journey.steps.get(step or ""), "matches", ())
        return next((number for number, one in enumerate(matches) if one is certain), None)

    def _with(self, step: str | None, certain: int | None) -> Journey:
        steps = self._steps
        if step is not None and certain is not None:
            waiting: Any = self.journey.steps[step]
            matches = tuple(
                Match(one.event, None if number == certain else FALSE, ANY_KEY)
                for number, one in enumerate(waiting.matches)
            )
            if any(one.name == "matches" for one in fields(waiting)):  # not where its kind alone says what it hears
                steps = {**steps, step: replace(waiting, matches=matches)}
        return replace(self.journey, steps=steps)

    def _step(self, step: Any) -> Any:
        """The engine looks at the class of a step that waits, and such a step leaves facts that name it."""
        return step if isinstance(step, WaitingStep) else _ObservedStep(step, self)


@dataclass(frozen=True, slots=True)
class _Recorded:
    """How many facts and effects there were before and after a step."""

    step: str
    facts: tuple[int, int]
    effects: tuple[int, int]


class _ObservedStep:
    """A step that notes what it has done, and takes the way that is chosen where it has several."""

    def __init__(self, step: Any, observed: Observed) -> None:
        self._step = step
        self._observed = observed

    def __getattr__(self, name: str) -> Any:
        return getattr(self._step, name)

    def perform(self, walk: Walk) -> Next:
        facts, effects = len(walk.facts), len(walk.effects)
        target = self._target(walk)
        this = _Recorded(self._step.id, (facts, len(walk.facts)), (effects, len(walk.effects)))
        self._observed.log.append(this)
        return target

    def _target(self, walk: Walk) -> Next:
        choose, ways = self._observed.choose, list(dict.fromkeys(self._step.successors))
        if choose is None or len(ways) == 1:
            performed: Next = self._step.perform(walk)
            return performed
        target: str | None = ways[choose(len(ways))]
        number = self._step.successors.index(target)
        labels = self._observed.labels.get(self._step.id, ())
        walk.note("branched", self._step.id, arm=labels[number] if number < len(labels) else number + 1)
        return target


def _in_order(decision: Decision, log: list[_Recorded]) -> Iterator[tuple[str, Sequence[Fact | Effect]]]:
    """The steps in the order in which they were performed, each with what it made. A wait's facts name the wait."""
    facts = effects = 0
    end = _Recorded("", (len(decision.facts),) * 2, (len(decision.effects),) * 2)
    for one in (*log, end):
        between = (*decision.effects[effects : one.effects[0]], *decision.facts[facts : one.facts[0]])
        yield from ((getattr(made, "step", ""), (made,)) for made in between)
        yield one.step, (*decision.effects[slice(*one.effects)], *decision.facts[slice(*one.facts)])
        facts, effects = one.facts[1], one.effects[1]
