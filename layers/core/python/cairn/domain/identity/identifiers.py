"""Identifiers of customers. The first one known gives the customer's id; all others point to that id."""

import re
from collections.abc import Iterable
from dataclasses import dataclass

from cairn.domain.identity.characters import trimmed
from cairn.domain.identity.emails import canonical_email
from cairn.domain.identity.identity_key import CustomerIdKey
from cairn.domain.identity.phones import international
from cairn.domain.shared.hashing import base32

USER_ID = "user_id"
EMAIL = "email"
PHONE = "phone"
EXTERNAL = "external:"

WHATSAPP = EXTERNAL + "whatsapp"
"""The id that Meta gives to a customer, which is also an address on WhatsApp."""


CUSTOMER_ID = re.compile(r"c_[a-z2-7]{26}")
"""The canonical id of a customer (`customer_id_for`)."""


@dataclass(frozen=True, slots=True)
class Identifier:
    """Identifies a customer. `kind` is user_id, email, phone, or external:<system>; `value` is canonical."""

    kind: str
    value: str

    @property
    def key(self) -> str:
        return f"{self.kind}:{self.value}"

    @property
    def strength(self) -> tuple[int, str]:
        """A sort key, strongest first: user_id, other systems' ids, then addresses, which people share and change."""
        ranks = {USER_ID: 0, EMAIL: 2, PHONE: 3}
        return ranks.get(self.kind, 1), self.key


def identifier(kind: str, value: str) -> Identifier:
    """The identifier in canonical form. A text that is no address of its kind, and any other id, stays as written."""
    value = trimmed(value)
    if kind == EMAIL:
        return Identifier(kind, canonical_email(value) or value.lower())
    return Identifier(kind, international(value) or value) if kind == PHONE else Identifier(kind, value)


def identifier_of_key(key: str) -> Identifier:
    """The inverse of `Identifier.key`: a value may have colons, the name of a system has none."""
    kind, _, value = key.partition(":")
    if kind + ":" == EXTERNAL:
        system, _, value = value.partition(":")
        kind = EXTERNAL + system
    return Identifier(kind, value)


def strongest_first(identifiers: Iterable[Identifier]) -> tuple[Identifier, ...]:
    return tuple(sorted(dict.fromkeys(identifiers), key=lambda name: name.strength))


def customer_id_for(name: Identifier, key: CustomerIdKey, generation: int = 0) -> str:
    """The canonical id of the customer that is created with this identifier: `c_` and 26 characters.

    A customer keeps its id when it loses the identifier that it began with; the identifier's next customer then has the
    id of the next `generation`.

    It is derived, not random: two events at the same time cannot create two customers, and one read finds the
    customer. The hash is keyed with the deployment's identity key, so an id in a log reveals no address.
    """
    content = f"{name.key}\x1f{generation}" if generation else name.key
    return "c_" + base32(key.mac(content), 26)


def name_tag(name: Identifier, key: CustomerIdKey) -> str:
    """A short keyed hash with the identifier's kind, by which records say whom an event named: `email:k3v9pq2m`."""
    return f"{name.kind}:{customer_id_for(name, key)[2:10]}"


NO_ACCOUNTS = frozenset({EXTERNAL + "facebook_lead"})
"""Ids of something that one person may have several of: each lead ad that a person answers gives another one."""


def may_be_same_person(left: Iterable[Identifier], right: Iterable[Identifier]) -> bool:
    """False if both sides have accounts of one system but none in common: people share addresses, not accounts.

    An account is a `user_id`, or another system's id.
    """
    return not other_accounts(left, right)


def other_accounts(left: Iterable[Identifier], right: Iterable[Identifier]) -> list[str]:
    """The systems at which both sides have accounts, and none in common: `user_id`, `external:stripe`."""
    own, others = _accounts(left), _accounts(right)
    return sorted(system for system in own.keys() & others.keys() if not own[system] & others[system])


def _accounts(names: Iterable[Identifier]) -> dict[str, set[str]]:
    found: dict[str, set[str]] = {}
    for name in names:
        if name.kind not in {EMAIL, PHONE, *NO_ACCOUNTS}:
            found.setdefault(name.kind, set()).add(name.value)
    return found
