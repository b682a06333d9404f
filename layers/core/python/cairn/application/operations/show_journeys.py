"""Show the deployed journeys, and one of them with its steps and how many customers stand at each."""

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from cairn.application.operations.count_moves import CountedMoves, CountMoves
from cairn.application.operations.count_standing import CountStanding
from cairn.application.ports import JourneyDocuments, SwitchBoard
from cairn.domain.journey.definition import Journey
from cairn.domain.operations.switches import PauseRecord, SwitchRecord, SwitchState
from cairn.domain.operations.targets import near_target
from cairn.domain.shared.errors import UnknownTargetError

PAGES = 10
"""Pages of the index of due times, a hundred keys each, that one request counts: two or three seconds at most."""


@dataclass(frozen=True, slots=True)
class JourneyState:
    """A version of a journey, and whether an operator has paused or stopped the journey."""

    journey: Journey
    document: Mapping[str, Any]
    """As it was checked."""
    is_deployed: bool
    paused: PauseRecord | None = None
    stopped: SwitchRecord | None = None


@dataclass(frozen=True, slots=True)
class ShownJourney:
    state: JourneyState
    versions: Sequence[str]
    """The deployed one first, then the others in which customers have been enrolled."""
    counts: Mapping[tuple[str, str], int]
    """By version and step, how many of this part of the index stand there."""
    following: str | None
    """What gives the counts of the next part; None after the last one."""
    checked: Mapping[str, Any] | None
    """What the check and preflight have found; None for an earlier version."""
    moves: CountedMoves | None = None
    """How they went from step to step, where that was asked for."""


@dataclass(frozen=True, slots=True)
class ShowJourneys:
    directory: JourneyDocuments
    board: SwitchBoard
    standing: CountStanding
    moves: Callable[[], CountMoves]

    def page(self, limit: int, after: str, now: datetime) -> list[JourneyState]:
        """The deployed versions, by name, those behind `after`."""
        board = self.board.board()
        names = sorted(name for name in self.directory.names() if name > after)
        return [self._state(name, self.directory.deployed(name) or "", board, now) for name in names[:limit]]

    def show(self, name: str, version: str, after: str, now: datetime, days: int = 0) -> ShownJourney:
        """The named version, else the deployed one, else the first of those that customers were enrolled in.

        The moves are those of so many days; of none, they are not counted, since that takes seconds.

        Raises UnknownTargetError for an unknown journey, UnknownJourneyError for an unknown version.
        """
        deployed, stored = self.directory.deployed(name), sorted(self.directory.stored(name))
        versions = [*([deployed] if deployed else ()), *(one for one in stored if one != deployed)]
        if not versions:
            near = near_target(name, self.directory.names())
            raise UnknownTargetError(f"journey {name} does not exist{f'; did you mean {near}?' if near else ''}")
        state = self._state(name, version or versions[0], self.board.board(), now)
        counts: Counter[tuple[str, str]] = Counter()
        following: str | None = after
        for _ in range(PAGES):
            page = self.standing.page(name, following or "")
            counts.update(page.counts)
            following = page.following
            if following is None:
                break
        moves = self.moves()(name, days, now) if days else None
        checked = self.directory.checked(name, state.journey.version)
        return ShownJourney(state, versions, counts, following, checked, moves)

    def _state(self, name: str, version: str, board: SwitchState, now: datetime) -> JourneyState:
        target = f"journey:{name}"
        return JourneyState(
            journey=self.directory.version(name, version),
            document=self.directory.document(name, version),
            is_deployed=self.directory.deployed(name) == version,
            paused=board.paused(target, now),
            stopped=board.stopped.get(target),
        )
