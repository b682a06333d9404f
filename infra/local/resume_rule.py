"""The rule that starts the function `sweep`: every five minutes, as in a deployment, if it would set something going.

Sixty days of virtual time have 17,000 runs that find nothing; a laptop skips them, and those that would only count
overdue tasks.
"""

import json
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from cairn.adapters.dynamodb.items import ARMS, PAUSED, SWITCHES, TASK
from cairn.adapters.dynamodb.switches import board_from_wire
from cairn.domain.customer.overdue import GRACE
from cairn.domain.operations.switches import SwitchState
from cairn.domain.shared.instants import instant_from_wire
from cairn.settings import RESUME_EVERY, SWITCH_TTL
from infra.local.shapes import Shape

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)

Key = tuple[str, str]


@dataclass(slots=True)
class ResumeRule:
    """Learns from the table's changes what is paused, what waits for it, and what is due when."""

    _board: SwitchState = field(default_factory=SwitchState)
    _waiting: dict[Key, str] = field(default_factory=dict)
    """The pause that an item waits for, by the item's key."""
    _due: dict[Key, str] = field(default_factory=dict)
    """The hour by which what waits in an item must have gone on."""
    _is_asked: bool = False
    """Whether a customer was counted in an arm since the last run: a rule may choose. Or a member was removed."""
    _last: datetime = EPOCH

    def watch(self, changes: Iterable[Shape]) -> None:
        for change in (one["dynamodb"] for one in changes):
            key = change["Keys"]["pk"]["S"], change["Keys"]["sk"]["S"]
            new = change.get("NewImage", {})
            if key[1] == SWITCHES and "body" in new:
                self._board = board_from_wire(json.loads(new["body"]["S"]), 0)
                continue
            self._is_asked |= key[0].startswith(ARMS)
            waits_for = new.get("gsi1pk", {}).get("S", "")
            _keep(self._waiting, key, waits_for.removeprefix(PAUSED) if waits_for.startswith(PAUSED) else "")
            if not key[1].startswith(TASK):
                _keep(self._due, key, new.get("gsi2sk", {}).get("S", ""))

    def due(self, now: datetime) -> datetime | None:
        """The start of the next run that may find something; None while nothing waits."""
        asked_at = now if self._is_asked else None
        instants = [at for at in (self._resumes_at(now), self._overdue_at(), asked_at) if at is not None]
        return _tick(max(min(instants), self._last + timedelta(microseconds=1))) if instants else None

    def started(self, now: datetime) -> None:
        self._last, self._is_asked = now, False

    def asked(self) -> None:
        """Let the next run find something."""
        self._is_asked = True

    def _resumes_at(self, now: datetime) -> datetime | None:
        awaited = set(self._board.resumed(now)) & set(self._waiting.values())
        ends = {one.pause.target: one.pause.until for one in self._board.pauses if one.pause.until}  # the last counts
        return min((ends[target] + SWITCH_TTL for target in awaited), default=None)

    def _overdue_at(self) -> datetime | None:
        return instant_from_wire(min(self._due.values())) + GRACE if self._due else None


def _keep(of: dict[Key, str], key: Key, value: str) -> None:
    if value:
        of[key] = value
    else:
        of.pop(key, None)


def _tick(at: datetime) -> datetime:
    """The first full five minutes that are not before `at`."""
    return EPOCH - (EPOCH - at) // RESUME_EVERY * RESUME_EVERY
