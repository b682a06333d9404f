"""Public keys of vendors: read from a secret, or fetched from the vendor once and cached.

`cryptography` is imported where it is used: 40 ms of a cold start that only sources with such a scheme pay.
"""

import base64
import binascii
import json
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from cairn.adapters.sources.fetching import public_content
from cairn.domain.shared.errors import SignatureInvalidError

PEM = "-----BEGIN "
PRIVATE = "PRIVATE KEY-----"
SHORTEST_RSA = 2048
"""Bits. NIST SP 800-131A Rev. 2, section 3, allows no shorter key since 2013."""

MAX_KEYS = 50
"""Keys of one set that are read."""

MAX_CACHED = 16
"""Addresses in the cache; a vendor has one or two."""

CACHED_FOR = timedelta(hours=1)
FETCHED_AGAIN_AFTER = timedelta(minutes=5)
"""How old a key set must be to be fetched again because a request is signed by none of its keys."""

Fetch = Callable[[str], bytes]


def is_key(text: str) -> bool:
    """Whether a secret is meant as a key, and not as a token or an address."""
    return text.lstrip().startswith(PEM)


def key_in(text: str) -> Any:
    """The public key in a text: PEM of a key or a certificate, the base64 in it alone, or the hex of an Ed25519 key.

    Raises ValueError.
    """
    from cryptography.exceptions import UnsupportedAlgorithm  # noqa: PLC0415
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey  # noqa: PLC0415
    from cryptography.hazmat.primitives.serialization import (  # noqa: PLC0415
        load_der_public_key,
        load_pem_public_key,
    )
    from cryptography.x509 import load_pem_x509_certificate  # noqa: PLC0415

    text = text.strip()
    if PRIVATE in text:
        raise ValueError("is a private key; store the vendor's public one")
    try:
        if text.startswith(f"{PEM}CERTIFICATE"):
            return _long_enough(load_pem_x509_certificate(text.encode()).public_key())
        if text.startswith(PEM):
            return _long_enough(load_pem_public_key(text.encode()))
        if re.fullmatch(r"[0-9a-fA-F]{64}", text):
            return Ed25519PublicKey.from_public_bytes(bytes.fromhex(text))
        return _long_enough(load_der_public_key(base64.b64decode(text, validate=True)))
    except (binascii.Error, UnicodeEncodeError, UnsupportedAlgorithm) as error:
        raise ValueError("is no public key") from error


def _long_enough(key: Any) -> Any:
    size = getattr(key, "key_size", SHORTEST_RSA)
    if hasattr(key, "public_numbers") and hasattr(key.public_numbers(), "n") and size < SHORTEST_RSA:
        raise ValueError(f"is an RSA key of {size} bits; it needs {SHORTEST_RSA}")
    return key


def keys_in_set(content: bytes) -> Iterator[tuple[str, Any]]:
    """The keys of a JSON Web Key Set (RFC 7517) that a scheme can use, with their ids. Raises ValueError."""
    try:
        listed = json.loads(content)["keys"]
    except (LookupError, RecursionError, TypeError):
        raise ValueError("is no key set") from None
    for one in listed[:MAX_KEYS] if isinstance(listed, list) else ():
        if isinstance(one, Mapping) and one.get("use", "sig") == "sig":
            try:
                yield str(one.get("kid", "")), _long_enough(_key_of(one))
            except (LookupError, TypeError, ValueError):
                continue


def _key_of(one: Mapping[str, Any]) -> Any:
    """A key of RFC 7518, section 6, or RFC 8037. Raises LookupError, TypeError or ValueError."""
    from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa  # noqa: PLC0415

    curves: dict[str, ec.EllipticCurve] = {"P-256": ec.SECP256R1(), "P-384": ec.SECP384R1(), "P-521": ec.SECP521R1()}
    match one["kty"]:
        case "RSA":
            return rsa.RSAPublicNumbers(_number(one["e"]), _number(one["n"])).public_key()
        case "EC":
            numbers = ec.EllipticCurvePublicNumbers(_number(one["x"]), _number(one["y"]), curves[one["crv"]])
            return numbers.public_key()
        case "OKP" if one["crv"] == "Ed25519":
            return ed25519.Ed25519PublicKey.from_public_bytes(_bytes(one["x"]))
    raise ValueError("a kind of key that no scheme uses")


def _number(text: str) -> int:
    return int.from_bytes(_bytes(text), "big")


def _bytes(text: str) -> bytes:
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))


def certified_key(content: bytes, now: datetime) -> Any:
    """The key of a certificate that is valid now. Raises ValueError."""
    from cryptography.x509 import load_pem_x509_certificate  # noqa: PLC0415

    certificate = load_pem_x509_certificate(content)
    if not certificate.not_valid_before_utc <= now <= certificate.not_valid_after_utc:
        raise ValueError("is not valid now")
    return _long_enough(certificate.public_key())


def fetch(url: str) -> bytes:
    """Raises ServiceBusyError: the vendor posts again, and its key is asked for again."""
    return public_content(url, what="the vendor's key")


@dataclass(slots=True)
class FetchedKeys:
    """The vendor's keys by their address."""

    fetch: Fetch = fetch
    _found: dict[str, tuple[datetime, Sequence[tuple[str, Any]]]] = field(default_factory=dict)

    def of_set(self, url: str, key_id: str, now: datetime) -> Iterator[Any]:
        """The keys of a set, of all or of one id; once more from the vendor, where all were tried and may be old."""
        read = keys_in_set
        yield from _named(self._at(url, now, CACHED_FOR, read), key_id)
        if now - self._found[url][0] >= FETCHED_AGAIN_AFTER:
            yield from _named(self._at(url, now, FETCHED_AGAIN_AFTER, read), key_id)

    def of_certificate(self, url: str, now: datetime) -> Any:
        """Raises SignatureInvalidError where no valid certificate lies there."""
        [(_, key)] = self._at(url, now, CACHED_FOR, lambda content: [("", certified_key(content, now))])
        return key

    def _at(self, url: str, now: datetime, age: timedelta, read: Callable[[bytes], Any]) -> Sequence[tuple[str, Any]]:
        at, keys = self._found.get(url, (None, ()))
        if at is not None and abs(now - at) < age:
            return keys
        content = self.fetch(url)
        try:
            keys = list(read(content))
        except ValueError:
            raise SignatureInvalidError("what lies where the vendor's key should be is none") from None
        if len(self._found) >= MAX_CACHED:
            self._found.clear()
        self._found[url] = (now, keys)
        return keys


def _named(keys: Sequence[tuple[str, Any]], key_id: str) -> Iterator[Any]:
    return (key for name, key in keys if not key_id or name == key_id)
