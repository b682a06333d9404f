"""The audit: one partition of items that are added and never changed, the latest first."""

from collections.abc import Sequence

from pynamodb.exceptions import PutError

from cairn.adapters.dynamodb.items import AUDIT, CONDITION_FAILED, RecordItem, code_of
from cairn.adapters.dynamodb.switches import NEW_ENTRY, audit_item
from cairn.domain.operations.actor import Actor
from cairn.domain.operations.audit import AuditEntry
from cairn.domain.shared.errors import ConflictError
from cairn.domain.shared.instants import instant_from_wire

NAMED = ("who", "what", "target", "why")
IDENTITY = "identity"


class DynamoAudit:
    """Implements the port Audit."""

    def write(self, audited: AuditEntry) -> None:
        item = audit_item(audited)
        try:
            item.save(condition=NEW_ENTRY)
        except PutError as error:
            if code_of(error) != CONDITION_FAILED:
                raise
            written = RecordItem.get(item.pk, item.sk, consistent_read=True)
            if written.body != item.body:
                raise ConflictError(
                    "the audit has another entry of this instant; send the same request again"
                ) from error

    def latest(self, limit: int, before: str = "") -> Sequence[AuditEntry]:
        earlier = RecordItem.sk < before if before else None
        found = RecordItem.query(AUDIT, earlier, scan_index_forward=False, limit=limit)
        return [_audited(item) for item in found]


def _audited(item: RecordItem) -> AuditEntry:
    body = item.body or {}
    who, what, target, why = (str(body.get(name, "")) for name in NAMED)
    detail = {name: value for name, value in body.items() if name not in {*NAMED, IDENTITY}}
    actor = Actor(who, body.get(IDENTITY, {}))
    return AuditEntry(instant_from_wire(item.at or ""), actor, what, target, why, detail, stored_id=item.sk)
