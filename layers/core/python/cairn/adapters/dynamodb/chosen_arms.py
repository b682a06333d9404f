"""The chosen arms of splits: one small item, which process_event reads again within a minute, and its audit."""

from collections.abc import Mapping
from datetime import datetime

from pynamodb.exceptions import DoesNotExist

from cairn.adapters.dynamodb.items import CHOSEN, SETTINGS, DocumentItem
from cairn.adapters.dynamodb.switches import commit_audited, note_from_wire, note_to_wire
from cairn.adapters.dynamodb.table import transaction
from cairn.domain.operations.audit import AuditEntry
from cairn.domain.operations.choices import Choices, ChosenArm, SplitOf
from cairn.settings import SWITCH_TTL


class DynamoChosenArms:
    """Implements the ports ChosenArms and ChoiceBoard; as the former it reads the table once in SWITCH_TTL."""

    def __init__(self) -> None:
        self._read: tuple[datetime, Choices] | None = None

    def of(self, journey: str, now: datetime) -> Mapping[tuple[str, str], str]:
        if self._read is None or not (now - SWITCH_TTL < self._read[0] <= now):
            self._read = (now, _read(consistent=False))  # it lags by far less than SWITCH_TTL
        return self._read[1].of(journey)

    def board(self) -> Choices:
        return _read(consistent=True)

    def put(self, board: Choices, audited: AuditEntry) -> None:
        unchanged = DocumentItem.version == board.version if board.version else DocumentItem.version.does_not_exist()
        body = {"chosen": [_to_wire(split, one) for split, one in board.chosen.items()]}
        write = transaction()
        write.save(DocumentItem(SETTINGS, CHOSEN, version=board.version + 1, body=body), condition=unchanged)
        commit_audited(write, audited, conflict="somebody else has just chosen an arm")


def _read(*, consistent: bool) -> Choices:
    try:
        item = DocumentItem.get(SETTINGS, CHOSEN, consistent_read=consistent)
    except DoesNotExist:
        return Choices()
    chosen = dict(_from_wire(one) for one in (item.body or {}).get("chosen", ()))
    return Choices(chosen, int(item.version or 0))


def _to_wire(split: SplitOf, one: ChosenArm) -> dict[str, str]:
    return {
        "journey": split.journey,
        "step": split.step,
        "salt": split.salt,
        "arm": one.arm,
        **note_to_wire(one.record),
    }


def _from_wire(wire: Mapping[str, str]) -> tuple[SplitOf, ChosenArm]:
    return SplitOf(wire["journey"], wire["step"], wire["salt"]), ChosenArm(wire["arm"], note_from_wire(wire))
