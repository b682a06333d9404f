"""The audit: one partition of items that are added and never changed, the latest first."""

from collections.abc import Sequence

from cairn.adapters.dynamodb.items import AUDIT, RecordItem
from cairn.adapters.dynamodb.switches import audit_item
from cairn.domain.operations.audit import AuditEntry
from cairn.domain.shared.instants import instant_from_wire

NAMED = ("who", "what", "target", "why")


class DynamoAudit:
    """Implements the port Audit."""

    def write(self, audited: AuditEntry) -> None:
        audit_item(audited).save()

    def latest(self, limit: int, before: str = "") -> Sequence[AuditEntry]:
        earlier = RecordItem.sk < before if before else None
        found = RecordItem.query(AUDIT, earlier, scan_index_forward=False, limit=limit)
        return [_audited(item) for item in found]


def _audited(item: RecordItem) -> AuditEntry:
    body = item.body or {}
    who, what, target, why = (str(body.get(name, "")) for name in NAMED)
    detail = {name: value for name, value in body.items() if name not in NAMED}
    return AuditEntry(instant_from_wire(item.at or ""), who, what, target, why, detail)
