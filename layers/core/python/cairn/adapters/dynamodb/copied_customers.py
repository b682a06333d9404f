"""Customers in a copy of the table: in the files of an export, or in pages of the table of a laptop."""

from collections.abc import Mapping
from typing import Any

from cairn.adapters.dynamodb.customer_state import are_of_one_commit, profile_in
from cairn.adapters.dynamodb.items import AUDIENCE, ENTRIES, STATE, CustomerItem
from cairn.application.audience.fill_audiences import CopiedCustomer

Raw = Mapping[str, Mapping[str, Any]]
"""An item as DynamoDB returns it: values with their types."""


def counts(item: Raw) -> bool:
    """Whether an item of the copy is needed: a part of a profile, or a membership that is listed."""
    sk = item["sk"]["S"]
    if sk == STATE:
        return "alias_of" not in item and "erased" not in item
    return sk.startswith(ENTRIES) or (sk.startswith(AUDIENCE) and "gsi1pk" in item)


def customer_among(items: Mapping[str, Raw]) -> CopiedCustomer | None:
    """The customer in the items of a partition; None where the id is nobody's any more."""
    found = {sk: CustomerItem.from_raw_data(dict(one)) for sk, one in items.items() if not sk.startswith(AUDIENCE)}
    head = found.get(STATE)
    if head is None:
        return None
    if not are_of_one_commit(found):
        found = _as_it_is_now(head.pk)
        head = found.get(STATE)
        if head is None or head.alias_of or head.erased:
            return None
    return CopiedCustomer(profile_in(found), int(head.version or 0))


def memberships_among(items: Mapping[str, Raw]) -> dict[str, str]:
    """The index key of each membership, by audience."""
    return {sk.removeprefix(AUDIENCE): one["gsi1pk"]["S"] for sk, one in items.items() if sk.startswith(AUDIENCE)}


def _as_it_is_now(customer_id: str) -> dict[str, CustomerItem]:
    """Of a customer whom a commit changed while the copy was made."""
    query = CustomerItem.query(customer_id, CustomerItem.sk.startswith(STATE), consistent_read=True)
    return {item.sk: item for item in query}
