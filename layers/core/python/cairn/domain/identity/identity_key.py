"""The identity key: the secret behind every pseudonym of a deployment, and the keys that are derived from it.

An attacker who has it computes the ids of all phone numbers of a country in minutes. So Secrets Manager draws it and
keeps it, and each use has a key of its own: a derived key that leaks reveals none of the others.
"""

import hmac
from dataclasses import dataclass, field
from hashlib import sha256
from typing import Self

from cairn.domain.shared.errors import IdentityKeyError
from cairn.domain.shared.hashing import to_bytes
from cairn.domain.shared.secrets import problem_of_secret

MIN_KEY_BYTES = 32
"""Bytes of the identity key: the output length of SHA-256, below which the strength of HMAC decreases (RFC 2104, 3)."""

CONTEXT = "cairn/identity/1/"
"""Begins the `info` of every derived key (RFC 5869, 3.2). Another text gives other keys: it never changes."""


@dataclass(frozen=True, slots=True)
class DerivedKey:
    """A key for one use only. It is never printed."""

    _bytes: bytes = field(repr=False)

    def mac(self, text: str) -> bytes:
        """HMAC-SHA256: 32 bytes that reveal nothing about the text without the key."""
        return hmac.digest(self._bytes, to_bytes(text), sha256)


class CustomerIdKey(DerivedKey):
    """Makes the customer id of an identifier. The tombstones of an erased customer stand under the same ids."""


class SuppressionKey(DerivedKey):
    """Makes the key under which the suppressions of an address stand."""


class TombstoneKey(DerivedKey):
    """Makes the id of a customer who comes back after an erasure, from the id of the tombstone."""


class QueueGroupKey(DerivedKey):
    """Makes the message group of an event, which queues show in the clear."""


@dataclass(frozen=True, slots=True)
class IdentityKeys:
    """The derived keys of a deployment."""

    customer_ids: CustomerIdKey
    suppressions: SuppressionKey
    tombstones: TombstoneKey
    queue_groups: QueueGroupKey
    moved: bool
    """Whether the customer ids and suppressions are made with the salt of before there was an identity key."""
    fingerprint: str
    """Shows whether the identity key is still the same: 160 bits, derived as the keys are, so that it reveals none."""

    @classmethod
    def derive(cls, key: str, salt: str = "") -> Self:
        """By HKDF-SHA256 (RFC 5869). Raises IdentityKeyError where the key has under 32 bytes, or is blank.

        `salt` is the `identity_salt` of a deployment that began before there was an identity key. The ids and
        suppressions of its table were made with it, undivided, and so they stay.
        """
        if problem := problem_of_secret(key, MIN_KEY_BYTES):
            raise IdentityKeyError(f"the identity key {problem}")
        drawn = key.encode()
        stored = to_bytes(salt)
        return cls(
            customer_ids=CustomerIdKey(stored or hkdf(drawn, "customer ids")),
            suppressions=SuppressionKey(stored or hkdf(drawn, "suppressions")),
            tombstones=TombstoneKey(hkdf(drawn, "tombstones")),
            queue_groups=QueueGroupKey(hkdf(drawn, "queue groups")),
            moved=bool(stored),
            fingerprint=hkdf(hkdf(drawn, "fingerprint") + stored, "fingerprint").hex()[:40],
        )


def hkdf(key: bytes, use: str) -> bytes:
    """32 bytes of HKDF-SHA256 for one use: extracted without a salt, expanded with CONTEXT and the use as `info`."""
    extracted = hmac.digest(bytes(sha256().digest_size), key, sha256)
    return hmac.digest(extracted, (CONTEXT + use).encode() + b"\x01", sha256)
