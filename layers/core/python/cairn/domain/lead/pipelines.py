"""Pipelines: the ordered stages of one kind of customer, and which moves between them count."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import datetime

from cairn.domain.profile.lead import MOST_MOVES, Move

ALREADY_THERE = "it is in this stage already"


@dataclass(frozen=True, slots=True)
class Stage:
    name: str
    events: tuple[str, ...] = ()
    """Types of events of which each asks for the stage; with `when`, only while that is met."""
    when: str | None = None
    """A condition; without events, the stage is asked for when it begins to be met."""
    watches: frozenset[str] = frozenset()
    """Without events: the fields of the profile and the types of events that the condition reads."""
    queue: str = ""
    """The queue that owns its customers."""
    goal: str = ""
    """The type of the event that is wanted of a customer in this stage."""


@dataclass(frozen=True, slots=True)
class Stay:
    """A customer's time in a stage."""

    stage: str
    since: datetime
    until: datetime | None
    """None: until now."""
    by: str


@dataclass(frozen=True, slots=True)
class Asked:
    """What a move has led to."""

    moves: tuple[Move, ...]
    moved: bool = False
    """Whether the customer is in another stage than before."""
    refused: str = ""
    """Why the move does not count; empty where it does, or says nothing new."""


@dataclass(frozen=True, slots=True)
class Pipeline:
    name: str
    stages: tuple[Stage, ...]
    moves: frozenset[tuple[str, str]] = frozenset()
    """Moves back that are allowed, each from a stage to an earlier one. Every move forward is."""
    condition: str | None = None
    """The customers that it is for: asked before they enter."""
    order: dict[str, int] = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "order", {stage.name: number for number, stage in enumerate(self.stages)})

    def stage(self, name: str) -> Stage | None:
        return self.stages[self.order[name]] if name in self.order else None

    def allows(self, here: str, there: str) -> bool:
        """Whether a customer in one stage may move to another one; from no stage at all, to any."""
        return not here or self.order[there] > self.order[here] or (here, there) in self.moves

    def history(self, moves: Iterable[Move]) -> tuple[Stay, ...]:
        """The stages that the customer was in, by the moves that count, the present one last."""
        counted = list(self._counted(moves))
        ends = [*(one.at for one in counted[1:]), None]
        return tuple(Stay(one.stage, one.at, until, one.by) for one, until in zip(counted, ends, strict=False))

    def asked(self, moves: tuple[Move, ...], move: Move) -> Asked:
        """Ask for a move. It counts by its own instant, so one that arrives late takes its place in the history.

        Where every allowed move is forward, any order of arrival gives the same history. Where moves back are named,
        it does so for the latest MOST_MOVES.
        """
        before, both = list(self._counted(moves)), self._sorted((*moves, move))
        counted = list(self._counted(both))
        unread = [one for one in both if one.stage not in self.order]  # of stages that there were once
        stored = self._sorted((*unread, *(both if self.moves else counted)))[-MOST_MOVES:]
        if move in counted:
            return Asked(stored, moved=not before or before[-1].stage != counted[-1].stage)
        here = counted[-1].stage if counted else ""
        if here == move.stage:
            return Asked(stored, refused=ALREADY_THERE)
        return Asked(stored, refused=f"from {here} to {move.stage} is no allowed move")

    def _counted(self, moves: Iterable[Move]) -> Iterator[Move]:
        here = ""
        for move in self._sorted(moves):
            if move.stage in self.order and move.stage != here and self.allows(here, move.stage):
                here = move.stage
                yield move

    def _sorted(self, moves: Iterable[Move]) -> tuple[Move, ...]:
        return tuple(sorted(set(moves), key=lambda one: (one.at, self.order.get(one.stage, -1), one)))
