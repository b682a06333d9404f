"""What operators say about members, and the deals that partners have registered; each change with its audit."""

from cairn.adapters.dynamodb.items import DEAL, MEMBERS, PEOPLE, DocumentItem, WorkItem
from cairn.adapters.dynamodb.switches import commit_audited
from cairn.adapters.dynamodb.table import read_all, transaction
from cairn.adapters.dynamodb.tasks import deal_from_wire, override_to_wire, overrides_from_wire, work_key
from cairn.application.values.people import MemberOverrides
from cairn.domain.operations.audit import AuditEntry
from cairn.domain.people.members import Deal
from cairn.domain.shared.instants import instant_to_wire

CHANGED = "somebody else has just changed it; look again"


class DynamoMembers:
    """Implements the port MemberBoard."""

    def read(self) -> MemberOverrides:
        key = (PEOPLE, MEMBERS)
        item = read_all([key]).get(key)
        return MemberOverrides(overrides_from_wire(item.body), int(item.version)) if item else MemberOverrides()

    def put(self, after: MemberOverrides, member: str, audited: AuditEntry) -> None:
        body = {name: override_to_wire(one) for name, one in after.of.items()}
        unchanged = DocumentItem.version == after.version if after.version else DocumentItem.version.does_not_exist()
        write = transaction()
        write.save(DocumentItem(PEOPLE, MEMBERS, version=after.version + 1, body=body), condition=unchanged)
        write.update(WorkItem(*work_key(member)), actions=[WorkItem.version.add(1)])
        commit_audited(write, audited, conflict=CHANGED)


class DynamoDeals:
    """Implements the port Deals."""

    def find(self, deal: str) -> Deal | None:
        key = (f"{DEAL}#{deal}", DEAL)
        item = read_all([key]).get(key)
        return deal_from_wire(item.body) if item else None

    def put(self, deal: str, before: Deal | None, after: Deal, audited: AuditEntry) -> None:
        unchanged = DocumentItem.body == _to_wire(before) if before else DocumentItem.pk.does_not_exist()
        write = transaction()
        write.save(DocumentItem(f"{DEAL}#{deal}", DEAL, body=_to_wire(after)), condition=unchanged)
        commit_audited(write, audited, conflict=CHANGED)


def _to_wire(deal: Deal) -> dict[str, str]:
    return {"partner": deal.partner, "until": instant_to_wire(deal.until)}
