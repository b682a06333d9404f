"""Count how enrollments of a journey went from step to step, from the log of facts."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from cairn.application.ports import FactQueries
from cairn.domain.journey.moves import Move, Moves, moves_of
from cairn.domain.measurement.facts import milliseconds

STORED_DAYS = 90
"""That can be counted: facts of waits are stored for 100 days."""


@dataclass(frozen=True, slots=True)
class CountedMoves:
    since: datetime
    until: datetime
    of: Mapping[str, Moves]
    """By version of the journey."""


@dataclass(frozen=True, slots=True)
class CountMoves:
    facts: FactQueries

    def __call__(self, journey: str, days: int, now: datetime) -> CountedMoves:
        since = now - timedelta(days=days)
        (rows,) = self.facts.ask([("moves", [journey, milliseconds(since), milliseconds(now)])])
        found: dict[str, list[Move]] = {}
        for row in rows:
            move = Move(str(row["kind"]), str(row["step"]), str(row["via"]), int(row["moves"]))
            found.setdefault(str(row["version"]), []).append(move)
        return CountedMoves(since, now, {version: moves_of(moves) for version, moves in found.items()})
