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
from cairn.domain.journey.steps.send import Send
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
    found = [
        Clash(event, one.name, first.id, other.name, second.id, apart, cooldown)
        for first, second in product(_sends(one, cooldown), _sends(other, cooldown))
        if (apart := _apart(one, first, other, second)) < window_of(cooldown)
    ]
    return min(found, key=lambda clash: clash.apart, default=None)


def _sends(journey: Journey, cooldown: Cooldown) -> Iterator[Send]:
    return filter(covered(journey, cooldown), crowded(journey).sends)


def _apart(one: Journey, first: Send, other: Journey, second: Send) -> float:
    """The least time between the earliest instants of two messages, whenever in a day the customer enters.

    Each is so long after entry, or so long after the midnight before it: the difference is linear in the time of entry.
    """
    just_before, just_after = (
        Paths(one, entered).earliest[first.id] - Paths(other, entered).earliest[second.id]
        for entered in (crowded(one).entered, 0.0)
    )
    return 0.0 if just_before * just_after < 0 else min(abs(just_before), abs(just_after))


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
