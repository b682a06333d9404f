"""How enrollments went through a version of a journey, counted from what their waits and ends say of it."""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

BEFORE_STEPS = "(entry)"
"""Where an enrollment that begins comes from; no step has such an id."""

ENDED = "ended"

Way = tuple[str, int]
"""A step, or `BEFORE_STEPS`, and the number of one of its ways on, from 0."""


@dataclass(frozen=True, slots=True)
class Move:
    """What a wait or an end says: from one stand to the next, or to the end."""

    kind: str
    """`waiting` or `ended`."""
    step: str
    """Where it came; empty where it took the way to the end."""
    via: str
    """The steps that were left on the way there."""
    count: int = 1


@dataclass(frozen=True, slots=True)
class Moves:
    along: Mapping[Way, int] = field(default_factory=dict)
    """How many went along each way."""
    ended: Mapping[str, int] = field(default_factory=dict)
    """How many ended at a step, by no way on: at an `exit`, by an event, by hand, or since a date was past."""


def moves_of(found: Iterable[Move]) -> Moves:
    along, ended = Counter[Way](), Counter[str]()
    for one in found:
        for left in one.via.split():
            step, _, way = left.partition(":")
            along[step, int(way or 0)] += one.count
        if one.kind == ENDED and one.step:
            ended[one.step] += one.count
    return Moves(along, ended)
