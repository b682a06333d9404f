"""Journeys that answer one event: which of them write to one customer within the policy's cooldown."""

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import combinations, product
from typing import Any

from authoring.proof.limits import covered, length, window_of
from authoring.proof.paths import Paths, crowded
from cairn.domain.journey.conditions import compiled
from cairn.domain.journey.definition import Journey, Match
from cairn.domain.policy import Cooldown, Policy


@dataclass(frozen=True, slots=True)
class Clash:
    """Two messages of two journeys that one event brings about too soon after each other."""

    event: str
    journey: str
    step: str
    other: str
    other_step: str
    apart: float
    """The least time between them, in seconds."""
    cooldown: Cooldown

    @property
    def message(self) -> str:
        soon = "at once" if not self.apart else f"{length(self.apart)} apart"
        return (
            f"{self.other} answers {self.event} too: its step {self.other_step} and this one may come {soon}; "
            f"the policy has a cooldown of {length(window_of(self.cooldown))}, so one of them has to wait"
        )

    @property
    def fix(self) -> str:
        return "Let one of them wait longer, or give their entries a `where` that only one of them meets."


def clashes(journeys: Sequence[Journey], policy: Policy) -> Iterator[Clash]:
    """For two journeys, an event and a cooldown, the two messages that are closest."""
    for one, other in combinations(journeys, 2):
        for event, cooldown in product(sorted(answered(one) & answered(other)), policy.cooldowns):
            if not _exclusive(event, one, other):
                found = _closest(event, one, other, cooldown)
                if found is not None:
                    yield found


def answered(journey: Journey) -> set[str]:
    """The events that start it at once: none where it begins by a date, a silence or a condition of the profile."""
    return set() if journey.entry.waits or journey.entry.condition else {match.event for match in journey.entry.matches}


def _closest(event: str, one: Journey, other: Journey, cooldown: Cooldown) -> Clash | None:
    mine, theirs = _instants(one, cooldown), _instants(other, cooldown)
    found = [
        Clash(event, one.name, first, other.name, second, apart, cooldown)
        for first, second in product(mine, theirs)
        if (apart := _apart(mine[first], theirs[second])) < window_of(cooldown)
    ]
    return min(found, key=lambda clash: clash.apart, default=None)


def _instants(journey: Journey, cooldown: Cooldown) -> dict[str, list[float]]:
    """When each message that counts comes at the earliest, for an entry just before and just after midnight."""
    both = crowded(journey), Paths(journey, 0.0)
    counts = covered(journey, cooldown)
    return {send.id: [paths.earliest[send.id] for paths in both] for send in both[0].sends if counts(send)}


def _apart(first: list[float], second: list[float]) -> float:
    """The least time between two messages, whenever in a day the customer enters.

    Each comes so long after entry, or so long after the midnight before it: the difference grows evenly with the time
    of entry.
    """
    before, after = (one - other for one, other in zip(first, second, strict=True))
    return 0.0 if before * after < 0 else min(abs(before), abs(after))


def _exclusive(event: str, one: Journey, other: Journey) -> bool:
    """Whether no such event starts both: one excludes the other, or their conditions want different values."""
    if one.name in other.entry.unless_in or other.name in one.entry.unless_in:
        return True
    matches = [[match for match in journey.entry.matches if match.event == event] for journey in (one, other)]
    return all(_differ(first, second) for first, second in product(*matches))


def _differ(first: Match, second: Match) -> bool:
    one, other = (_compared(compiled(match.where).parsed) if match.where else {} for match in (first, second))
    return any(one[value] != other[value] for value in one.keys() & other.keys())


def _compared(tree: Any) -> dict[str, Any]:
    """The values that a condition wants to equal a literal."""
    match tree:
        case {"type": "and_expression", "children": [left, right]}:
            return _compared(left) | _compared(right)
        case {"type": "comparator", "value": "eq", "children": [value, {"type": "literal", "value": literal}]}:
            return {json.dumps(value, sort_keys=True): literal}
        case _:
            return {}
