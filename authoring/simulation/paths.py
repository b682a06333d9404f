"""All paths of a journey, by driving the real engine through every combination of what may happen."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from itertools import groupby
from typing import TypeVar

from authoring.simulation.observed import Choose
from authoring.simulation.run import Simulation, Trial
from cairn.domain.effects import Fact, FactKind

T = TypeVar("T")

MOST_WAYS = 5_000
"""Of more ways than these nobody reads the rest; they are only said to be more."""

WAIT_ENDED: frozenset[FactKind] = frozenset({"happened", "answered", "refused", "done", "withdrawn", "timed_out"})
"""By its events, or without them. Which of several events it was makes no other path, unless other steps follow."""


@dataclass(frozen=True, slots=True)
class Paths:
    shown: tuple[Simulation, ...]
    left_out: int
    """How many more there are, at least."""
    all_counted: bool
    """Whether there are no more than those."""


def all_paths(trial: Trial, at: datetime, *, most: int, by_data: bool = False) -> Paths:
    """The first paths from this start, and how many more there are.

    A path is its steps, in order, with the end of each wait. At each wait every event may happen that it waits for, or
    none. Branches and splits take every way; only that of the customer's data where `by_data`.
    """
    shown: list[Simulation] = []
    found: set[tuple[str, ...]] = set()
    ways = 0
    for simulation in _ways(trial, at, by_data=by_data):
        ways += 1
        path = path_of(simulation)
        if path not in found and len(found) < most:
            shown.append(simulation)
        found.add(path)
        if ways == MOST_WAYS:
            break
    return Paths(tuple(shown), len(found) - len(shown), all_counted=ways < MOST_WAYS)


def every_choice(move: Callable[[Choose], T]) -> Iterator[T]:
    """The results of a function for every sequence of choices that it can ask for, the first ways first.

    It is called once for each sequence, and must depend on nothing else.
    """
    script: list[int] = []
    while True:
        asked: list[tuple[int, int]] = []

        def choose(ways: int, script: list[int] = script, asked: list[tuple[int, int]] = asked) -> int:
            way = script[len(asked)] if len(asked) < len(script) else 0
            asked.append((way, ways))
            return way

        yield move(choose)
        while asked and asked[-1][0] + 1 == asked[-1][1]:
            asked.pop()
        if not asked:
            return
        script = [way for way, _ in asked]
        script[-1] += 1


def _ways(trial: Trial, at: datetime, *, by_data: bool) -> Iterator[Simulation]:
    """Every way to the end, each as its last state: first those on which events happen, as the journey has them."""

    def each(move: Callable[[Choose | None], Simulation]) -> Iterator[Simulation]:
        return iter([move(None)]) if by_data else every_choice(move)

    ahead = [*each(lambda choose: trial.begin(at, choose))][::-1]
    while ahead:
        here = ahead.pop()
        if here.due is None:
            yield here
            continue
        moves: list[Callable[[Choose | None], Simulation]] = [partial(here.answered, one) for one in here.waits_for]
        after = [one for move in (*moves, here.timed_out) for one in each(move)]
        ahead += [one for one in after if _moved_on(here, one)][::-1]


def _moved_on(here: Simulation, after: Simulation) -> bool:
    """Whether something has changed: otherwise the same would be tried for ever."""
    was, is_now = here.enrollment, after.enrollment
    return (was.step, was.met, here.in_vain) != (is_now.step, is_now.met, after.in_vain)


def path_of(simulation: Simulation) -> tuple[str, ...]:
    """The steps that a customer went through, in order, how each wait ended, and the outcome."""
    facts = [entry.what for entry in simulation.entries if isinstance(entry.what, Fact)]
    endings = [fact.kind for fact in facts if fact.kind in WAIT_ENDED and not fact.detail.get("left")]
    return (*(step for step, _ in groupby(simulation.steps)), *endings, simulation.enrollment.outcome)
