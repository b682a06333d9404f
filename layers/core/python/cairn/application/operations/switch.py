"""Stop, start, pause and resume: one write that every sender heeds within a minute, and that says who and why."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

from cairn.application.ports import SwitchBoard
from cairn.domain.operations.audit import AuditEntry
from cairn.domain.operations.pauses import WINDOW, PausePolicy, check_target
from cairn.domain.operations.switches import Board, Note, note_of, window_of
from cairn.domain.shared.errors import ConflictError

ATTEMPTS = 8
"""Times to decide anew when somebody else turns something at the same time."""


@dataclass(frozen=True, slots=True)
class Switch:
    """Each order gives the board as it is afterwards. An order that changes nothing writes nothing.

    Raises InvalidSwitchError for a target that is none, for what is not stopped or paused, and where `by` or `why` is
    missing; ConflictError where others kept coming in between.
    """

    board: SwitchBoard

    def stop(self, target: str, *, by: str, why: str, now: datetime) -> Board:
        """Nothing of the target goes out any more; what would is dropped."""
        order = _order("stop", target, note_of(by, why, now))
        return self._update(order, lambda board: board.stopping(order.target, note_of(by, why, now)))

    def start(self, target: str, *, by: str, why: str, now: datetime) -> Board:
        """Undo a stop. What was dropped stays dropped."""
        order = _order("start", target, note_of(by, why, now))
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
    ) -> Board:
        """Everything of the target waits until it is resumed; the policy may still be chosen then."""
        order = _order("pause", target, note_of(by, why, now), _chosen(policy, window_of(window)))
        return self._update(order, lambda board: board.pausing(order.target, note_of(by, why, now), policy, window))

    def resume(  # noqa: PLR0913
        self,
        target: str,
        *,
        by: str,
        why: str,
        now: datetime,
        policy: PausePolicy | None = None,
        window: timedelta | None = None,
    ) -> Board:
        """Those who waited go on, as the policy says: the one given here, else the one of the pause."""
        order = _order(
            "resume", target, note_of(by, why, now), _chosen(policy, None if window is None else window_of(window))
        )
        return self._update(order, lambda board: board.resuming(order.target, now, policy, window))

    def _update(self, order: AuditEntry, change: Callable[[Board], Board]) -> Board:
        for _ in range(ATTEMPTS):
            before = self.board.board()
            after = change(before)
            if after == before:
                return before
            after = after.pruned(order.at)
            try:
                self.board.put(after, order)
            except ConflictError:
                continue
            return replace(after, version=after.version + 1)
        raise ConflictError("others keep turning switches; try once more")


def _order(what: str, target: str, note: Note, detail: dict[str, Any] | None = None) -> AuditEntry:
    return AuditEntry(note.at, note.by, what, check_target(target), note.why, detail or {})


def _chosen(policy: PausePolicy | None, window: timedelta | None) -> dict[str, Any]:
    """What the audit tells of the policy; a window where there is something to spread."""
    told = {"policy": policy.value} if policy else {}
    return told | ({"window": str(window)} if window and policy is PausePolicy.SPREAD else {})
