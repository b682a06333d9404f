"""Watch health: count what providers tell of messages, and pause the journey or the channel that does badly."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from cairn.application.operations.switch import Switch
from cairn.application.ports import Alert, DeliveryCounters, SwitchBoard, Tasks
from cairn.domain.effects import OpenTask
from cairn.domain.operations.breaker import Trip, bucket_of, evaluate, looked_at, outcome_of
from cairn.domain.operations.switches import Board, Note
from cairn.domain.policy import Breaker
from cairn.domain.shared.hashing import short_hash

BREAKER = "breaker"
"""Who pauses, in the audit."""

OPERATIONS = "operations"
"""The queue of the task, and the partition that it lies in: it is about no customer."""


@dataclass(frozen=True, slots=True)
class WatchHealth:
    """Pauses at once, and then tells. Only whoever really paused tells: what is paused already is counted, not judged.

    A process that dies on the way loses one outcome from the counts; the next bad one is judged as well. One that dies
    between the pause and the telling leaves the pause, and who and why in the audit.
    """

    counters: DeliveryCounters
    board: SwitchBoard
    tasks: Tasks
    alert: Alert
    breaker: Breaker
    on_trip: Callable[[Trip], None]
    """Counts it, for the alarm that goes off even where the alert cannot be sent."""

    def count(self, message: Mapping[str, Any], status: str, at: datetime, now: datetime) -> None:
        """What is recorded of a message, and what a provider told of it. What no sender recorded belongs to nothing."""
        outcome = outcome_of(status)
        targets = _targets(message)
        if outcome is None or not targets:
            return
        at = min(at, now)  # a provider's clock
        for target in targets:
            self.counters.add(target, bucket_of(at), outcome)
        if outcome.bad:
            self._check(targets, at, now)

    def _check(self, targets: tuple[str, ...], at: datetime, now: datetime) -> None:
        board = self.board.board()
        for target in targets:
            if board.paused(target, now) is not None:
                continue
            counted = self.counters.between(target, *looked_at(self.breaker, at))
            trip = evaluate(target, counted, self.breaker, at=at, since=_resumed_at(board, target))
            if trip is not None:
                self._trip(trip, now)

    def _trip(self, trip: Trip, now: datetime) -> None:
        after = Switch(self.board).pause(trip.target, by=BREAKER, why=trip.why, now=now)
        paused = after.paused(trip.target, now)
        if paused is None or paused.note != Note(BREAKER, now, trip.why):
            return  # somebody else was faster, and has told
        self.on_trip(trip)
        self.tasks.open(OPERATIONS, "", _task(trip, now), now)
        self.alert.send(
            f"Cairn has paused {trip.target}",
            f"Cairn has paused {trip.target}: {trip.why}.\n\nNothing of it goes out until somebody resumes it; nothing "
            "is lost meanwhile. docs/operations.md says what to look at first.",
        )


def _targets(message: Mapping[str, Any]) -> tuple[str, ...]:
    """The journey and the channel of a message, as far as its record names them: an answer to a STOP has no journey."""
    named = (("journey", message.get("journey")), ("channel", message.get("channel")))
    return tuple(f"{kind}:{name}" for kind, name in named if name)


def _resumed_at(board: Board, target: str) -> datetime | None:
    """When the target was resumed last."""
    ends = [one.pause.until for one in board.pauses if one.pause.target == target and one.pause.until is not None]
    return max(ends, default=None)


def _task(trip: Trip, now: datetime) -> OpenTask:
    return OpenTask(
        id=f"breaker-{short_hash(trip.target, now.isoformat())}",
        enrollment="",
        step="",
        queue=OPERATIONS,
        title=f"{trip.target} is paused: {trip.why}",
        due_at=now,
        context={"target": trip.target, "why": trip.why},
    )
