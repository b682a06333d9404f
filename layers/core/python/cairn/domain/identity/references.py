"""References: a vendor's ids of orders, payments and contracts. They lead to the customer with whom they were seen.

So a refund that names its order alone finds its customer. A reference is no name: it ties, merges and begins nobody,
and only its own source can use it.
"""

from dataclasses import dataclass

from cairn.domain.identity.identity_key import CustomerIdKey
from cairn.domain.shared.hashing import base32

MAX_REFERENCES = 100
"""Of a customer; the oldest go first. An order is refunded or returned within months."""

MAX_IN_EVENT = 8
"""Of one event: an order, its payments, its contract."""


@dataclass(frozen=True, slots=True, order=True)
class Reference:
    """What a source calls a thing: `order` and `1001`."""

    kind: str
    value: str


def reference_id(source: str, reference: Reference, key: CustomerIdKey) -> str:
    """The id under which a source's reference leads to a customer: `r_` and 26 characters, keyed as customers' ids."""
    return "r_" + base32(key.mac(f"reference\x1f{source}\x1f{reference.kind}\x1f{reference.value}"), 26)
