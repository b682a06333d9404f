"""Who is who. A customer lives under the identifier it was first known by; every other identifier points there."""

import hashlib
import hmac
import re
from collections.abc import Iterable
from dataclasses import dataclass

from cairn.domain.shared.hashing import base32, to_bytes

USER_ID = "user_id"
EMAIL = "email"
PHONE = "phone"
EXTERNAL = "external:"

EMAIL_SHAPE = re.compile(r"[^@\s]+@[^@\s]+\.[^@\s]+")
E164_SHAPE = re.compile(r"\+[1-9]\d{6,14}")


@dataclass(frozen=True, slots=True)
class Identifier:
    """One name of a customer. `kind` is user_id, email, phone, or external:<system>; `value` is normalised."""

    kind: str
    value: str

    @property
    def key(self) -> str:
        return f"{self.kind}:{self.value}"

    @property
    def strength(self) -> tuple[int, str]:
        """Sorts strongest first: our own id, other systems' ids, then addresses, which people share and change."""
        ranks = {USER_ID: 0, EMAIL: 2, PHONE: 3}
        return ranks.get(self.kind, 1), self.key


def identifier(kind: str, value: str) -> Identifier:
    """The identifier in normal form: e-mail addresses are compared without case, everything else as written."""
    value = value.strip()
    return Identifier(kind, value.lower() if kind == EMAIL else value)


def strongest_first(identifiers: Iterable[Identifier]) -> tuple[Identifier, ...]:
    return tuple(sorted(set(identifiers), key=lambda one: one.strength))


def customer_id_for(one: Identifier, salt: str) -> str:
    """The canonical customer id that this identifier would found: `c_` and 26 characters.

    Derived, not drawn: two events that arrive at once cannot found two customers, and the customer is
    found in one read. Keyed with the deployment's salt, so that an id in a log tells nobody an address.
    """
    digest = hmac.new(salt.encode(), to_bytes(one.key), hashlib.sha256).digest()
    return "c_" + base32(digest)[:26]


def may_be_same_person(left: Iterable[Identifier], right: Iterable[Identifier]) -> bool:
    """False where each side has a `user_id` and they share none: people share addresses, not accounts."""
    ours = {one.value for one in left if one.kind == USER_ID}
    theirs = {one.value for one in right if one.kind == USER_ID}
    return not (ours and theirs) or bool(ours & theirs)
