"""Stop, start, pause and resume: one audited write, which every sender follows within a minute."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

from cairn.application.conflicts import until_committed
from cairn.application.ports import Attempts, SwitchBoard, SwitchTargets
from cairn.domain.operations.audit import AuditEntry
from cairn.domain.operations.pauses import WINDOW, PausePolicy
from cairn.domain.operations.switches import SwitchRecord, SwitchState, switch_record, window_of
from cairn.domain.operations.targets import check_target, near_target
from cairn.domain.shared.errors import UnknownTargetError

MOST_NAMED = 20
"""Targets that an error lists where none resembles the one that was given."""


@dataclass(frozen=True, slots=True)
class Switch:
    """Each command returns the switches afterwards.

    Raises InvalidSwitchError for an invalid target, and where `by` or `why` is missing; UnknownTargetError for one to
    stop or pause that does not exist; AlreadySwitchedError where it is stopped or paused already; InvalidSwitchError
    where one to start or resume is not; ConflictError where other changes kept coming first.
    """

    board: SwitchBoard
    targets: SwitchTargets | None = None
    """Where an operator's target is looked up. The breaker has none: it takes its targets from what was sent."""
    attempts: Attempts = range

    def stop(self, target: str, *, by: str, why: str, now: datetime) -> SwitchState:
        """Stop all messages of the target. They are dropped."""
        order = _order("stop", target, switch_record(by, why, now))
        return self._update(
            order, lambda board: self._having(order.target, board).stopping(order.target, switch_record(by, why, now))
        )

    def start(self, target: str, *, by: str, why: str, now: datetime) -> SwitchState:
        """Undo a stop. Dropped messages stay dropped."""
        order = _order("start", target, switch_record(by, why, now))
        return self._update(order, lambda board: board.starting(order.target))

    def pause(  # noqa: PLR0913  who, when and why belong to every order
        self,
        target: str,
        *,
        by: str,
        why: str,
        now: datetime,
        policy: PausePolicy = PausePolicy.KEEP,
        window: timedelta = WINDOW,
    ) -> SwitchState:
        """Pause the target until it is resumed. The policy may still be changed then."""
        order = _order("pause", target, switch_record(by, why, now), _chosen(policy, window_of(window)))
        return self._update(
            order,
            lambda board: self._having(order.target, board).pausing(
                order.target, switch_record(by, why, now), policy, window
            ),
        )

    def resume(  # noqa: PLR0913
        self,
        target: str,
        *,
        by: str,
        why: str,
        now: datetime,
        policy: PausePolicy | None = None,
        window: timedelta | None = None,
    ) -> SwitchState:
        """Resume the target, by this policy, else by the policy of the pause."""
        order = _order(
            "resume",
            target,
            switch_record(by, why, now),
            _chosen(policy, None if window is None else window_of(window)),
        )
        return self._update(order, lambda board: board.resuming(order.target, now, policy, window))

    def _having(self, target: str, board: SwitchState) -> SwitchState:
        """The switches, if the target exists: it is deployed, or has customers, or is switched already."""
        switched = target in board.stopped or any(one.pause.target == target for one in board.pauses)
        if self.targets is None or switched or self.targets.exists(target):
            return board
        deployed = self.targets.deployed()
        near = near_target(target, deployed)
        kind = sorted(one for one in deployed if one.startswith(f"{target.partition(':')[0]}:"))
        meant = f"did you mean {near}?" if near else f"there is {', '.join(kind[:MOST_NAMED]) or 'none'}"
        raise UnknownTargetError(f"{target} does not exist; {meant}")

    def _update(self, order: AuditEntry, change: Callable[[SwitchState], SwitchState]) -> SwitchState:

        def attempt() -> SwitchState:
            before = self.board.board()
            after = change(before)
            if after == before:
                return before
            after = after.pruned(order.at)
            self.board.put(after, order)
            return replace(after, version=after.version + 1)

        return until_committed(self.attempts, attempt, "others keep turning switches; try once more")


def _order(what: str, target: str, note: SwitchRecord, detail: dict[str, Any] | None = None) -> AuditEntry:
    return AuditEntry(note.at, note.by, what, check_target(target), note.why, detail or {})


def _chosen(policy: PausePolicy | None, window: timedelta | None) -> dict[str, Any]:
    """The policy as the audit records it; the window only for SPREAD."""
    chosen = {"policy": policy.value} if policy else {}
    return chosen | ({"window": str(window)} if window and policy is PausePolicy.SPREAD else {})
