"""Customers as they are now, for effects of commits that may lie a while back."""

from collections.abc import Collection, Mapping

from cairn.adapters.dynamodb import codec
from cairn.adapters.dynamodb.items import STATE, CustomerItem
from cairn.adapters.dynamodb.table import read_all, read_attributes
from cairn.application.ports import PresentCustomer
from cairn.domain.profile.profile import Profile

LEADS_ON = ("erased", "alias_of")
"""The attributes that say whether a customer is still who they were."""


class DynamoPresentCustomers:
    """Implements the port PresentCustomers."""

    def present_ids(self, ids: Collection[str]) -> Mapping[str, str]:
        """One read where nobody was merged, and one more for each merge in a row.

        The id of an erased customer leads nowhere, even where it leads to another customer who has the name since.
        """
        read: dict[str, Mapping[str, str]] = {}
        asked = set(ids)
        while asked:
            found = read_attributes(((id_, STATE) for id_ in asked), *LEADS_ON)
            read |= {id_: found.get((id_, STATE), {"erased": ""}) for id_ in asked}
            asked = {read[id_]["alias_of"] for id_ in asked if _goes_on(read[id_])} - read.keys()
        present = {id_: _end_of(id_, read) for id_ in ids}
        return {id_: end for id_, end in present.items() if end}

    def load(self, customer_id: str) -> PresentCustomer | None:
        present = self.present_ids({customer_id}).get(customer_id)
        state: CustomerItem | None = read_all([(present, STATE)]).get((present, STATE)) if present else None
        if state is None or state.erased:
            return None
        if state.alias_of:  # merged in between
            return self.load(state.alias_of)
        return PresentCustomer(profile_in(state), codec.enrollments_from_wire(state.enrollments or {}))


def profile_in(state: CustomerItem) -> Profile:
    return codec.profile_from_wire(state.pk, state.profile)


def _goes_on(item: Mapping[str, str]) -> bool:
    return "erased" not in item and "alias_of" in item


def _end_of(id_: str, read: Mapping[str, Mapping[str, str]]) -> str:
    """The last id of the way; empty where it ends with an erasure, or leads in a circle."""
    seen = set[str]()
    while id_ not in seen:
        seen.add(id_)
        if not _goes_on(read[id_]):
            return "" if "erased" in read[id_] else id_
        id_ = read[id_]["alias_of"]
    return ""
