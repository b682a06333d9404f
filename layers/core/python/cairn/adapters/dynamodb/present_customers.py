"""Customers as they are now, for effects of commits that may lie a while back."""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import replace
from typing import Any

from cairn.adapters.dynamodb.customer_state import (
    enrollments_among,
    is_read,
    profile_in,
    read_profile,
    sort_keys_of,
    with_pages,
)
from cairn.adapters.dynamodb.items import DATA, ENROLLED, STATE
from cairn.adapters.dynamodb.table import read_all, read_attributes
from cairn.application.values.customers import PresentCustomer
from cairn.domain.profile.lead import LeadReader

LEADS_ON = ("erased", "alias_of")
"""The attributes that say whether a customer is still who they were."""


READS = 4
"""Attempts to read an enrollment that is where it was no longer."""


class DynamoPresentCustomers:
    """Implements the port PresentCustomers. Profiles are read with the rules of `leads`, where there are any."""

    def __init__(self, leads: LeadReader | None = None) -> None:
        self._leads = leads

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
        before = None
        for _ in range(READS):
            apart = [sk for id_ in enrollments for sk in (ENROLLED + id_, ENROLLED + id_ + DATA)]
            items = _read(customer_id, [STATE, *apart]) if apart else read_profile(customer_id)
            head = items.get(STATE)
            if head is None or head.erased:
                return None
            if head.alias_of:
                present = self.present_ids({customer_id}).get(customer_id)
                return self.load(present, enrollments) if present else None
            if apart:
                items |= with_pages(head)
            in_head = {sk for id_ in enrollments for sk in sort_keys_of(id_, items[STATE])} - items.keys() - {*apart}
            items |= _read(customer_id, in_head) if in_head else {}
            if all(is_read(id_, items) for id_ in enrollments) or head.version == before:
                break
            before = head.version  # an enrollment may have moved between the head and its item
        return PresentCustomer(replace(profile_in(items), reader=self._leads), enrollments_among(items))


def _read(customer_id: str, sort_keys: Iterable[str]) -> dict[str, Any]:
    return {sk: item for (_, sk), item in read_all((customer_id, sk) for sk in sort_keys).items()}


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
