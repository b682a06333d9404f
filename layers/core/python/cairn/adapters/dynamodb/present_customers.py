"""Customers as they are now, for effects of commits that may lie a while back."""

from collections.abc import Collection, Mapping

from cairn.adapters.dynamodb import codec
from cairn.adapters.dynamodb.customer_state import enrollment_in, profile_in, read_profile
from cairn.adapters.dynamodb.items import DATA, ENROLLED, STATE
from cairn.adapters.dynamodb.table import read_all, read_attributes
from cairn.application.ports import PresentCustomer

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

    def load(self, customer_id: str, enrollments: Collection[str] = ()) -> PresentCustomer | None:
        items = read_profile(customer_id)
        head = items.get(STATE)
        if head is None or head.erased:
            return None
        if head.alias_of:
            present = self.present_ids({customer_id}).get(customer_id)
            return self.load(present, enrollments) if present else None
        inline = codec.enrollments_from_wire(head.enrollments or {})
        keys = [(customer_id, ENROLLED + id_ + end) for id_ in enrollments if id_ not in inline for end in ("", DATA)]
        found = {sk: item for (_, sk), item in read_all(keys).items()} if keys else {}
        apart = (enrollment_in(item, found.get(sk + DATA)) for sk, item in found.items() if not sk.endswith(DATA))
        return PresentCustomer(profile_in(items), {**inline, **{one.id: one for one in apart}})


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
