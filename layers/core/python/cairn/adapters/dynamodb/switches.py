"""The switches: one small item that senders read again within a minute, and the audit of its changes."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from pynamodb.exceptions import DoesNotExist, TransactWriteError
from pynamodb.transactions import TransactWrite

from cairn.adapters.dynamodb.items import AUDIT, SETTINGS, SWITCHES, DocumentItem, RecordItem
from cairn.adapters.dynamodb.table import transaction
from cairn.domain.gate.settings import GateSettings
from cairn.domain.operations.audit import AuditEntry
from cairn.domain.operations.pauses import Pause, PausePolicy
from cairn.domain.operations.switches import PauseRecord, SwitchRecord, SwitchState
from cairn.domain.policy import Policy
from cairn.domain.shared.errors import ConflictError
from cairn.domain.shared.instants import instant_from_wire, instant_to_wire
from cairn.settings import SWITCH_TTL

CONFLICTS = frozenset({"ConditionalCheckFailed", "TransactionConflict"})

Wire = dict[str, Any]


class DynamoSwitches:
    """Implements the ports Switches and SwitchBoard; as the former it reads the table once in SWITCH_TTL.

    `policy` is the deployment's policy. A caller that only needs the pauses gives none.
    """

    def __init__(self, policy: Policy | None = None) -> None:
        self._policy = policy or Policy()
        self._read: tuple[datetime, GateSettings] | None = None

    def current(self, now: datetime) -> GateSettings:
        if self._read is None or not (now - SWITCH_TTL < self._read[0] <= now):
            board = _read(consistent=False)  # it lags by far less than SWITCH_TTL
            pauses = tuple(one.pause for one in board.pauses)
            self._read = (now, GateSettings(self._policy, frozenset(board.stopped), pauses))
        return self._read[1]

    def board(self) -> SwitchState:
        return _read(consistent=True)

    def put(self, board: SwitchState, audited: AuditEntry) -> None:
        unchanged = DocumentItem.version == board.version if board.version else DocumentItem.version.does_not_exist()
        write = transaction()
        write.save(
            DocumentItem(SETTINGS, SWITCHES, version=board.version + 1, body=board_to_wire(board)),
            condition=unchanged,
        )
        commit_audited(write, audited, conflict="somebody else has just turned a switch")


def _read(*, consistent: bool) -> SwitchState:
    try:
        item = DocumentItem.get(SETTINGS, SWITCHES, consistent_read=consistent)
    except DoesNotExist:
        return SwitchState()
    return board_from_wire(item.body or {}, int(item.version or 0))


NEW_ENTRY = RecordItem.sk.does_not_exist()
"""The condition of every write of an audit entry: the audit can only be added to."""


def audit_item(audited: AuditEntry) -> RecordItem:
    """For the transaction of the audited change, under NEW_ENTRY. It has no TTL, since it is the proof."""
    identity = {"identity": dict(audited.identity)} if audited.identity else {}
    body = {
        "who": audited.actor,
        **identity,
        "what": audited.action,
        "target": audited.target,
        "why": audited.reason,
        **audited.detail,
    }
    return RecordItem(AUDIT, audited.id, at=instant_to_wire(audited.at), body=body)


def commit_audited(write: TransactWrite, audited: AuditEntry, *, conflict: str) -> None:
    """Write a change with its audit entry. Raises ConflictError with this message where another change came first."""
    write.save(audit_item(audited), condition=NEW_ENTRY)
    try:
        with write:
            pass
    except TransactWriteError as error:
        if CONFLICTS & {reason.code for reason in error.cancellation_reasons if reason}:
            raise ConflictError(conflict) from error
        raise


def board_to_wire(board: SwitchState) -> Wire:
    return {
        "stopped": {target: note_to_wire(note) for target, note in board.stopped.items()},
        "pauses": [_pause_to_wire(one.pause) | note_to_wire(one.record) for one in board.pauses],
    }


def board_from_wire(wire: Wire, version: int) -> SwitchState:
    return SwitchState(
        stopped={target: note_from_wire(note) for target, note in wire.get("stopped", {}).items()},
        pauses=tuple(PauseRecord(_pause_from_wire(one), note_from_wire(one)) for one in wire.get("pauses", ())),
        version=version,
    )


def _pause_to_wire(pause: Pause) -> Wire:
    return {
        "target": pause.target,
        "since": instant_to_wire(pause.since),
        "until": instant_to_wire(pause.until) if pause.until else None,
        "policy": pause.policy.value,
        "window": pause.window.total_seconds(),
    }


def _pause_from_wire(wire: Mapping[str, Any]) -> Pause:
    return Pause(
        wire["target"],
        instant_from_wire(wire["since"]),
        instant_from_wire(wire["until"]) if wire["until"] else None,
        PausePolicy(wire["policy"]),
        timedelta(seconds=wire["window"]),
    )


def note_to_wire(note: SwitchRecord) -> Wire:
    return {"by": note.by, "at": instant_to_wire(note.at), "why": note.why}


def note_from_wire(wire: Mapping[str, Any]) -> SwitchRecord:
    return SwitchRecord(wire["by"], instant_from_wire(wire["at"]), wire["why"])
