"""The members whom people.toml had when it was last looked at."""

from cairn.adapters.dynamodb.items import IDENTITY, PEOPLE, ROSTER, DocumentItem
from cairn.adapters.dynamodb.table import read_all
from cairn.application.values.people import Roster
from cairn.domain.shared.instants import instant_from_wire, instant_to_wire


class DynamoRoster:
    """Implements the port MemberRoster."""

    def read(self) -> Roster | None:
        noted = (PEOPLE, ROSTER)
        found = read_all([noted, (IDENTITY, IDENTITY)])
        if not found:
            return None
        body = (found[noted].body or {}) if noted in found else {}
        removed = {member: instant_from_wire(at) for member, at in body.get("removed", {}).items()}
        return Roster(frozenset(body.get("members", ())), removed)

    def put(self, roster: Roster) -> None:
        removed = {member: instant_to_wire(at) for member, at in roster.removed.items()}
        DocumentItem(PEOPLE, ROSTER, body={"members": sorted(roster.members), "removed": removed}).save()
