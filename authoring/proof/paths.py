"""All paths through a journey at once: how many there are, their times, and their most messages.

Steps only lead forward, so that each is looked at once, after all that lead to it. Exact where every wait is a
duration, an event or a date; where a wait names a time of day, a bound that is never too low.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from math import inf

from authoring.proof.ways import DAY, Way, ways
from cairn.domain.journey.definition import Journey
from cairn.domain.journey.steps.send import Send

Counts = Callable[[Send], bool]
"""Which messages are counted."""


@dataclass(frozen=True, slots=True)
class Run:
    """Messages that follow one another on a path, and the least time from the first to the last, in seconds."""

    steps: tuple[str, ...] = ()
    seconds: float = 0.0


@dataclass(frozen=True, slots=True)
class Paths:
    """The paths of a customer who entered so many seconds after midnight, by its own clock."""

    journey: Journey
    entered: float
    ways: dict[str, tuple[Way, ...]] = field(init=False, default_factory=dict)
    """Those of each step that is reached; a step comes after all that lead to it."""
    earliest: dict[str | None, float] = field(init=False, default_factory=dict)
    latest: dict[str | None, float] = field(init=False, default_factory=dict)
    """When a step is reached, and under None the end, in seconds after entry."""

    def __post_init__(self) -> None:
        self.earliest[self.journey.start] = self.latest[self.journey.start] = 0.0
        for step in reversed(list(self.journey.steps.values())):  # a step is stored after those that it leads to
            if step.id not in self.latest:
                continue
            first, last = self.earliest[step.id], self.latest[step.id]
            found = ways(self.journey, step, self.entered)
            self.ways[step.id] = own = tuple(way for way in found if not way.late or last >= way.span.not_before)
            for way in own:
                self.earliest[way.target] = min(self.earliest.get(way.target, inf), way.earliest(first))
                self.latest[way.target] = max(self.latest.get(way.target, 0.0), way.latest(last))

    @property
    def number(self) -> int:
        """How many paths there are, by the steps that they take."""
        counted: dict[str | None, int] = {None: 1}
        for step in reversed(self.ways):
            counted[step] = sum(counted[target] for target in {way.target for way in self.ways[step]})
        return counted[self.journey.start]

    @property
    def sends(self) -> Iterator[Send]:
        return (step for one in self.ways if isinstance(step := self.journey.steps[one], Send))

    def most(self, counts: Counts) -> int:
        """The most messages of one enrollment."""
        worst: dict[str | None, int] = {None: 0}
        for step in reversed(self.ways):
            worst[step] = self._weight(step, counts) + max(worst[way.target] for way in self.ways[step])
        return worst[self.journey.start]

    def runs(self, counts: Counts, window: float) -> dict[int, Run]:
        """By number of messages: the run of so many that is the shortest, where it is shorter than the window."""
        shortest: dict[int, Run] = {}
        for send in self.sends:
            if counts(send):
                for number, run in self._runs_from(send.id, counts, window).items():
                    shortest[number] = min(shortest.get(number, run), run, key=lambda one: one.seconds)
        return shortest

    def most_after_entry(self, counts: Counts, window: float) -> int:
        """The most messages within so many seconds of entry."""
        start = self.journey.start
        return max(self._runs_from(start, counts, window), default=0) if start else 0

    def _runs_from(self, first: str, counts: Counts, window: float) -> dict[int, Run]:
        """The later the first step, the sooner a day after entry follows it: so it is as late as can be."""
        at, weight = self.latest[first], self._weight(first, counts)
        found = {weight: Run((first,) if weight else ())}
        ahead: dict[str | None, dict[int, Run]] = {first: dict(found)}
        for step in self.ways:
            for number, run in _not_behind(ahead.pop(step, {})):
                for way in self.ways[step]:
                    seconds = max(run.seconds + way.span.least, way.span.not_before - at)
                    if way.target is None or seconds >= window:
                        continue
                    weight = self._weight(way.target, counts)
                    steps = (*run.steps, way.target) if weight else run.steps
                    there = ahead.setdefault(way.target, {})
                    there[number + weight] = better = _shorter(there.get(number + weight), Run(steps, seconds))
                    if weight:
                        found[number + weight] = _shorter(found.get(number + weight), better)
        return found

    def _weight(self, step: str, counts: Counts) -> int:
        this = self.journey.steps[step]
        return int(isinstance(this, Send) and counts(this))


def _not_behind(runs: dict[int, Run]) -> Iterator[tuple[int, Run]]:
    """Those without a run of more messages that took no longer."""
    least = inf
    for number, run in sorted(runs.items(), reverse=True):
        if run.seconds < least:
            least = run.seconds
            yield number, run


def _shorter(one: Run | None, other: Run) -> Run:
    return one if one is not None and one.seconds <= other.seconds else other


def crowded(journey: Journey) -> Paths:
    """The paths on which messages are closest to each other: of a customer who enters just before midnight."""
    return Paths(journey, DAY)


def longest(journey: Journey) -> float:
    """The longest duration in seconds, infinite where a date ends a wait: of a customer who enters at midnight."""
    return Paths(journey, 0.0).latest[None]
