"""A laptop's key pairs, in the place of the vendors': derived from a secret, so that two processes have the same.

Nothing here verifies. A deployment stores public keys alone, and refuses every other secret.
"""

import hashlib
import math
from collections.abc import Sequence
from functools import lru_cache
from typing import Any

from cairn.adapters.sources.public_keys import CertificateUrl, PublicKeyScheme, arguments_of
from cairn.adapters.sources.signatures import Scheme
from cairn.adapters.sources.vendor_keys import PRIVATE, SHORTEST_RSA, is_key
from cairn.domain.shared.errors import UnsignableError

EXPONENT = 65_537
SMALL_PRIMES = [one for one in range(3, 2_000, 2) if all(one % other for other in range(3, math.isqrt(one) + 1, 2))]
ROUNDS = 8
"""Of the test by Miller and Rabin: a number that is no prime passes one by a chance of 1 in 4, at most."""


def stored_secrets(scheme: Scheme, secret: str) -> Sequence[str]:
    """What a receiver stores to accept what `scheme.sign` signs with this secret: a public key in place of a pair."""
    if not isinstance(scheme, PublicKeyScheme) or (is_key(secret) and PRIVATE not in secret):
        return [secret]
    beside = [secret] if isinstance(scheme, CertificateUrl) and not is_key(secret) else []
    return [*beside, public_key(secret, scheme.algorithm)]


def public_key(secret: str, algorithm: str) -> str:
    """PEM."""
    from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat  # noqa: PLC0415

    key = private_key(secret, algorithm).public_key()
    text: bytes = key.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    return text.decode()


def signature_of(key: Any, algorithm: str, content: bytes) -> bytes:
    signature: bytes = key.sign(content, *arguments_of(algorithm))
    return signature


@lru_cache(maxsize=16)
def private_key(secret: str, algorithm: str) -> Any:
    """The private key in a secret, or the one that is derived from it. Raises UnsignableError for a public key."""
    from cryptography.hazmat.primitives.asymmetric import ec, ed25519  # noqa: PLC0415
    from cryptography.hazmat.primitives.serialization import load_pem_private_key  # noqa: PLC0415

    if is_key(secret):
        if PRIVATE not in secret:
            raise UnsignableError("the secret is a public key, so only the vendor can sign")
        return load_pem_private_key(secret.encode(), None)
    kind = algorithm.partition("-")[0]
    stream = _Stream(f"cairn laptop {kind} ".encode() + secret.encode())
    if kind == "ed25519":
        return ed25519.Ed25519PrivateKey.from_private_bytes(stream.number(256).to_bytes(32, "big"))
    return ec.derive_private_key(stream.number(248) + 1, ec.SECP256R1()) if kind == "ecdsa" else _rsa(stream)


class _Stream:
    """Numbers that a seed determines."""

    def __init__(self, seed: bytes) -> None:
        self.seed, self.count = seed, 0

    def number(self, bits: int) -> int:
        found = b""
        while len(found) * 8 < bits:
            found += hashlib.sha512(self.seed + self.count.to_bytes(8, "big")).digest()
            self.count += 1
        return int.from_bytes(found[: bits // 8], "big")


def _rsa(stream: _Stream) -> Any:
    from cryptography.hazmat.primitives.asymmetric import rsa  # noqa: PLC0415

    p, q = _prime(stream), _prime(stream)
    d = pow(EXPONENT, -1, math.lcm(p - 1, q - 1))
    public = rsa.RSAPublicNumbers(EXPONENT, p * q)
    return rsa.RSAPrivateNumbers(p, q, d, d % (p - 1), d % (q - 1), pow(q, -1, p), public).private_key()


def _prime(stream: _Stream) -> int:
    """Half as long as the key. Both highest bits are set, so that the product has its full length."""
    bits = SHORTEST_RSA // 2
    while True:
        one = stream.number(bits) | 1 | (3 << (bits - 2))
        if (one - 1) % EXPONENT and all(one % small for small in SMALL_PRIMES) and _is_prime(one, stream):
            return one


def _is_prime(number: int, stream: _Stream) -> bool:
    odd, twos = number - 1, 0
    while odd % 2 == 0:
        odd, twos = odd // 2, twos + 1
    return all(_passes(pow(stream.number(64) + 2, odd, number), twos, number) for _ in range(ROUNDS))


def _passes(power: int, twos: int, number: int) -> bool:
    if power == 1:
        return True
    for _ in range(twos):
        if power == number - 1:
            return True
        power = power * power % number
    return False
