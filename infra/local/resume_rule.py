"""The rule that starts the resuming function: every five minutes, as in a deployment, if there is something to resume.

Sixty days of virtual time have 17,000 runs that find nothing; a laptop skips them.
"""

import json
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from cairn.adapters.dynamodb.items import PAUSED, SWITCHES
from cairn.adapters.dynamodb.switches import board_from_wire
from cairn.domain.operations.switches import SwitchState
from cairn.settings import RESUME_EVERY, SWITCH_TTL
from infra.local.shapes import Shape

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(slots=True)
class ResumeRule:
    """Learns from the table's changes what is paused and what waits for it."""

    _board: SwitchState = field(default_factory=SwitchState)
    _waiting: dict[tuple[str, str], str] = field(default_factory=dict)
    """The pause that an item waits for, by the item's key."""
    _last: datetime = EPOCH

    def watch(self, changes: Iterable[Shape]) -> None:
        for change in (one["dynamodb"] for one in changes):
            pk, sk = change["Keys"]["pk"]["S"], change["Keys"]["sk"]["S"]
            new = change.get("NewImage", {})
            waits_for = new.get("gsi1pk", {}).get("S", "")
            if sk == SWITCHES and "body" in new:
                self._board = board_from_wire(json.loads(new["body"]["S"]), 0)
            elif waits_for.startswith(PAUSED):
                self._waiting[pk, sk] = waits_for.removeprefix(PAUSED)
            else:
                self._waiting.pop((pk, sk), None)

    def due(self, now: datetime) -> datetime | None:
        """The start of the next run that finds paused work; None while there is none."""
        awaited = set(self._board.resumed(now)) & set(self._waiting.values())
        if not awaited:
            return None
        ends = {one.pause.target: one.pause.until for one in self._board.pauses if one.pause.until}  # the last counts
        known_to_all = min(ends[target] for target in awaited) + SWITCH_TTL
        return _tick(max(known_to_all, self._last + timedelta(microseconds=1)))

    def started(self, now: datetime) -> None:
        self._last = now


def _tick(at: datetime) -> datetime:
    """The first full five minutes that are not before `at`."""
    return EPOCH - (EPOCH - at) // RESUME_EVERY * RESUME_EVERY
