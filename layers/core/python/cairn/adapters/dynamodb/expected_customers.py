"""Customers for many events at once: one read says of all their names which lead nowhere."""

from collections.abc import Sequence

from cairn.adapters.dynamodb.customers import DynamoCustomers
from cairn.adapters.dynamodb.items import EVENT, STATE
from cairn.adapters.dynamodb.table import read_all, read_attributes
from cairn.application.values.customers import FoundCustomers
from cairn.domain.customer.state import Concerns
from cairn.domain.event import Event
from cairn.domain.identity.identifiers import Identifier, customer_id_for
from cairn.domain.identity.identity_key import IdentityKeys


class ExpectedCustomers(DynamoCustomers):
    """Implements the port ImportedCustomers. Most rows of a first import name customers who are new."""

    def __init__(self, keys: IdentityKeys) -> None:
        super().__init__(keys)
        self._id_key = keys.customer_ids
        self._absent: set[Identifier] = set()

    def expect(self, identifiers: Sequence[Identifier]) -> None:
        ids = {one: customer_id_for(one, self._id_key) for one in identifiers}
        known = {pk for pk, _ in read_attributes((id_, STATE) for id_ in ids.values())}
        self._absent = {one for one, id_ in ids.items() if id_ not in known}

    def find(
        self,
        identifiers: Sequence[Identifier],
        otherwise: Sequence[Identifier] = (),
        concerns: Concerns | None = None,
    ) -> FoundCustomers:
        """Names that led nowhere a moment ago are believed once: a commit holds only while nobody has them.

        After a conflict, and for a second row with the same name, the table is asked.
        """
        names = (*identifiers, *otherwise)
        if self._absent.issuperset(names):
            self._absent.difference_update(names)
            return FoundCustomers(unclaimed=names)
        return super().find(identifiers, otherwise, concerns)

    def imported_line(self, event: Event) -> int | None:
        owners = super().find(event.identifiers).customers
        found = read_all((owner.id, EVENT + event.key) for owner in owners)
        lines = [item.body.get("properties", {}).get("line") for item in found.values()]
        return lines[0] if lines else None
