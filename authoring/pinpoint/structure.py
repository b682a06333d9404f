"""Nests a graph of activities into lists of steps.

Pinpoint's activities name the ones that follow, and several may lead to one. Steps are lists, and those behind a branch
follow every arm that has not exited. So an activity where arms meet is written once behind their branch, and an arm
that ends before it gets an exit. Where arms cross, so that no nesting has each activity once, one is written again in
the arm that also leads to it.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from graphlib import CycleError, TopologicalSorter

from cairn.domain.shared.errors import CairnError

MOST_STEPS = 1_000
"""As `cairn check` has it for a journey, written out."""
MOST_LEVELS = 50
"""Of arms in arms. A journey of Pinpoint has 40 activities at most."""

Targets = Sequence[str | None]
"""The ways out of an activity, each the next activity, or None where the journey ends."""


class StructureError(CairnError):
    """The activities cannot be nested; `activity` is one of them."""

    def __init__(self, message: str, activity: str) -> None:
        super().__init__(message)
        self.activity = activity


@dataclass(frozen=True, slots=True, eq=False)
class Position:
    """An activity at one position of the journey. `arms` are the ways out of it, if there are several."""

    activity: str
    arms: "tuple[tuple[Position | None, ...], ...]" = ()
    """Each a list of what follows; None stands for an exit."""


def nested(start: str | None, targets: Mapping[str, Targets]) -> tuple[Position | None, ...]:
    """The activities from the first on, nested. Raises StructureError where they form a circle."""
    try:
        order = list(TopologicalSorter(targets).static_order())[::-1]
    except CycleError as error:
        circle = error.args[1][::-1]
        raise StructureError(f"these activities form a circle: {' → '.join(map(str, circle))}", circle[0]) from None
    ranks = {activity: rank for rank, activity in enumerate(order) if activity is not None}
    return _Nesting(targets, ranks).chain(start, None, must_exit=False, level=0)


class _Nesting:
    def __init__(self, targets: Mapping[str, Targets], ranks: Mapping[str, int]) -> None:
        self.targets = targets
        self.ranks = ranks
        """Each activity is before those that it leads to."""
        self.written = 0

    def chain(
        self, activity: str | None, stop: str | None, *, must_exit: bool, level: int
    ) -> tuple[Position | None, ...]:
        """What follows up to `stop`, which stands behind the list. `must_exit`: something stands behind it."""
        positions: list[Position | None] = []
        while activity is not None and activity != stop:
            self.written += 1
            if self.written > MOST_STEPS or level > MOST_LEVELS:
                most = f"{MOST_STEPS:,} steps or {MOST_LEVELS} levels"
                raise StructureError(f"written as nested steps, it has more than {most}", activity)
            ways = self.targets[activity]
            if len(ways) > 1:
                join = self.join(ways, stop)
                behind = must_exit or join is not None
                arms = tuple(self.chain(way, join, must_exit=behind, level=level + 1) for way in ways)
                positions.append(Position(activity, arms))
                activity = join
                if join is None:
                    return tuple(positions)
            else:
                positions.append(Position(activity))
                activity = ways[0] if ways else None
        if activity is None and must_exit:
            positions.append(None)
        return tuple(positions)

    def join(self, ways: Targets, stop: str | None) -> str | None:
        """The activity to continue with behind the arms, by which the fewest are written again; None for none."""
        arms = [self.reached(way, None) for way in ways]
        shared = {activity for activity, count in Counter(one for arm in arms for one in arm).items() if count > 1}
        candidates = shared | ({stop} if stop is not None and any(stop in arm for arm in arms) else set())
        ranked = [*sorted(candidates, key=self.ranks.__getitem__), None]
        return min(ranked, key=lambda candidate: self.written_again(ways, candidate, stop))

    def written_again(self, ways: Targets, join: str | None, stop: str | None) -> int:
        """How many activities are written once more, if the arms meet at `join`."""
        inside = [self.reached(way, join) for way in ways]
        behind = self.reached(join, None) | self.reached(stop, None)
        return sum(map(len, inside)) - len(set().union(*inside) - behind)

    def reached(self, activity: str | None, barrier: str | None) -> set[str]:
        """All activities from this one on, without those that only lead through the barrier."""
        found, ahead = set[str](), [activity]
        while ahead:
            this = ahead.pop()
            if this is not None and this != barrier and this not in found:
                found.add(this)
                ahead += self.targets[this]
        return found
