"""Watch health: count providers' reports, and pause a journey or channel with too many failures."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from cairn.application.operations.count_reports import count_report
from cairn.application.operations.switch import Switch
from cairn.application.ports import Attempts, DeliveryCounters, SwitchBoard, Tasks
from cairn.domain.effects import OpenTask
from cairn.domain.operations.breaker import BREAKER, Trip, bucket_range, evaluate, outcome_of
from cairn.domain.operations.switches import SwitchState
from cairn.domain.policy import Breaker
from cairn.domain.shared.errors import AlreadySwitchedError
from cairn.domain.shared.hashing import short_hash

OPERATIONS = "operations"
"""The queue of the task, and its partition: the task is about no customer."""


@dataclass(frozen=True, slots=True)
class WatchHealth:
    """Pauses first, then alerts. Only the process that paused sends the alert.

    A crash loses at most one report from the counts. A crash between pause and alert leaves the pause and its audit
    entry.
    """

    counters: DeliveryCounters
    board: SwitchBoard
    tasks: Tasks
    alert: Callable[[str, str], None]
    """Mail subject and text to the people who run the deployment, at once. They hold no personal data."""
    breaker: Breaker
    on_trip: Callable[[Trip], None]
    """Counts the trip, for the alarm that works even where the alert fails."""
    attempts: Attempts = range

    def count(self, message: Mapping[str, Any], status: str, at: datetime, now: datetime) -> None:
        """Count the report of a provider for a recorded message. Unrecorded messages are not counted."""
        outcome = outcome_of(status)
        if outcome is None:
            return
        at = min(at, now)  # a provider's clock
        targets = count_report(self.counters, message, outcome, at)
        if outcome.bad:
            self._check(targets, at, now)

    def _check(self, targets: tuple[str, ...], at: datetime, now: datetime) -> None:
        board = self.board.board()
        for target in targets:
            if board.paused(target, now) is not None:
                continue
            counted = self.counters.between(target, *bucket_range(self.breaker, at))
            trip = evaluate(target, counted, self.breaker, at=at, since=_resumed_at(board, target))
            if trip is not None:
                self._trip(trip, now)

    def _trip(self, trip: Trip, now: datetime) -> None:
        try:
            Switch(self.board, attempts=self.attempts).pause(trip.target, by=BREAKER, why=trip.why, now=now)
        except AlreadySwitchedError:
            return  # another process paused it, and sends the alert
        self.on_trip(trip)
        self.tasks.open(OPERATIONS, "", _task(trip, now), now)
        self.alert(
            f"Cairn has paused {trip.target}",
            f"Cairn has paused {trip.target}: {trip.why}.\n\nNothing of it goes out until somebody resumes it; nothing "
            "is lost meanwhile. docs/runbook.md says what to look at first.",
        )


def _resumed_at(board: SwitchState, target: str) -> datetime | None:
    """When the target was last resumed."""
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
