"""Signature schemes with a key pair: the vendor signs with a key of its own, and shows the other one.

There is no secret to leak. A laptop has a pair of its own (`key_pairs`), whose public key it stores in the place of the
vendor's: a PEM among the secrets of a source counts instead of every key that would be fetched.
"""

import re
from abc import abstractmethod
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, ClassVar

from cairn.adapters.sources.signatures import Covered, headers_of, needed
from cairn.adapters.sources.signed_text import (
    BODY,
    CRC32,
    ENCODINGS,
    HEADER,
    SECRET,
    TIMESTAMP,
    TOLERANCE,
    Freshness,
    InvalidSourceError,
    SignedText,
    decoded,
    default_text,
    encoded,
)
from cairn.adapters.sources.vendor_keys import FetchedKeys, is_key, key_in
from cairn.application.events.accept_webhook import Request
from cairn.domain.shared.errors import SignatureInvalidError, SignatureMissingError

ALGORITHMS = ("rsa-sha256", "rsa-sha512", "ecdsa-sha256", "ed25519")
BEGINNING = re.compile(r"https://[a-z0-9-]+(\.[a-z0-9-]+)+/([\w./-]*/)?", re.ASCII)
"""Of the addresses where a vendor's keys lie: a host and a folder. What else the host serves may be of others."""

FILE = re.compile(r"\w[\w.-]*", re.ASCII)
"""Follows it in an address that the request names: one file, and no query."""


@dataclass(frozen=True, slots=True)
class PublicKeyScheme:
    """What the schemes have in common; each finds its keys in another place."""

    header: str
    algorithm: str
    encoding: str = "base64"
    prefix: str = ""
    timestamp_header: str = ""
    timestamp_format: str = "seconds"
    signed: str = ""
    tolerance: int = TOLERANCE.seconds
    signs_url: ClassVar[bool] = False
    signs_body: ClassVar[bool] = True

    def __post_init__(self) -> None:
        if self.algorithm not in ALGORITHMS or self.encoding not in ENCODINGS:
            known = f"algorithm: {', '.join(ALGORITHMS)}; encoding: {', '.join(ENCODINGS)}"
            raise InvalidSourceError(f"{self.header}: {known}; not {self.algorithm} and {self.encoding}")
        self._freshness.require_known(self.header)
        parts = (BODY, TIMESTAMP, SECRET, CRC32, HEADER)
        self._text.require(self.header, parts, timestamp=bool(self.timestamp_header))

    @abstractmethod
    def problem_of_secret(self, secret: str) -> str:
        """Why a stored secret is none, as the end of a sentence; empty where it is one."""

    @abstractmethod
    def fetched(self, request: Request, secrets: Sequence[str], now: datetime) -> Iterator[Any]:
        """The keys that the vendor shows elsewhere. Raises ServiceBusyError, SignatureMissingError or …InvalidError."""

    def own_headers(self) -> dict[str, str]:
        """The headers by which a vendor names its key."""
        return {}

    @property
    def signed_headers(self) -> Sequence[str]:
        return [*([self.timestamp_header.lower()] if self.timestamp_header else []), *self._text.headers]

    def covered(self, request: Request) -> Covered:
        return Covered(request.body, headers_of(request, self.signed_headers))

    def verify(self, request: Request, secrets: Sequence[str], now: datetime) -> None:
        """Raises ServiceBusyError too, where the vendor's key cannot be fetched: the vendor tries again."""
        given = request.headers.get(self.header.lower(), "").strip().removeprefix(self.prefix)
        if not given or not all(request.headers.get(name) for name in self.signed_headers):
            raise SignatureMissingError(needed(self.header, *self.signed_headers))
        timestamp = request.headers[self.timestamp_header.lower()] if self.timestamp_header else ""
        if self.timestamp_header:
            self._freshness.require(timestamp, now)
        try:
            signature = decoded(given, self.encoding)
        except ValueError:
            raise SignatureInvalidError(f"the signature is not written in {self.encoding}") from None
        texts = self._texts(request, secrets, timestamp)
        stored = [key_in(one) for one in secrets if is_key(one) and not problem_of_key(one, self.algorithm)]
        for key in stored or (self.fetched(request, secrets, now) if texts and any(secrets) else ()):
            if any(has_signed(key, self.algorithm, signature, text) for text in texts):
                return
        raise SignatureInvalidError(
            "no key of the vendor has made the signature; check that the body is sent as it was"
        )

    def sign(self, request: Request, secret: str, now: datetime, message_id: str) -> dict[str, str]:
        """With the private key in the secret, or one that is derived from it. Raises UnsignableError."""
        from cairn.adapters.sources.key_pairs import private_key, signature_of  # noqa: PLC0415  only laptops sign

        timestamp = self._freshness.written(now)
        headers = {name: request.headers.get(name) or message_id for name in self._text.headers}
        headers |= {self.timestamp_header.lower(): timestamp} if self.timestamp_header else {}
        signed = Request(request.url, headers, request.body)
        [text] = self._texts(signed, [secret], timestamp)
        signature = signature_of(private_key(secret, self.algorithm), self.algorithm, text)
        return {**self.own_headers(), **headers, self.header: self.prefix + encoded(signature, self.encoding)}

    def _texts(self, request: Request, secrets: Sequence[str], timestamp: str) -> list[bytes]:
        """The texts that may be signed: where a secret is a part of it, one for each."""
        values = {f"header.{name}": request.headers[name] for name in self._text.headers} | {TIMESTAMP: timestamp}
        chosen = [one for one in secrets if one and not is_key(one)] if SECRET in self._text.parts else [""]
        return [self._text.of(request.body, {**values, SECRET: one}) for one in chosen]

    @property
    def _freshness(self) -> Freshness:
        return Freshness(self.timestamp_format, self.tolerance)

    @property
    def _text(self) -> SignedText:
        return SignedText(self.signed or default_text(self.timestamp_header))


@dataclass(frozen=True, slots=True)
class StoredKey(PublicKeyScheme):
    """The secret is the vendor's public key or certificate, as the vendor shows it."""

    def problem_of_secret(self, secret: str) -> str:
        return problem_of_key(secret, self.algorithm)

    def fetched(self, request: Request, secrets: Sequence[str], now: datetime) -> Iterator[Any]:  # noqa: ARG002
        """None: in this scheme a secret without PEM's first line is a key too."""
        return (key_in(one) for one in secrets if one and not problem_of_key(one, self.algorithm))


@dataclass(frozen=True, slots=True)
class KeySet(PublicKeyScheme):
    """The secret is the address of the vendor's JSON Web Key Set, below one of `urls`."""

    urls: Sequence[str] = ()
    key_id_header: str = ""
    keys: FetchedKeys = field(default_factory=FetchedKeys, init=False, compare=False)

    def __post_init__(self) -> None:
        PublicKeyScheme.__post_init__(self)
        require_beginnings(self.header, self.urls)

    def problem_of_secret(self, secret: str) -> str:
        if is_key(secret):
            return problem_of_key(secret, self.algorithm)
        return "" if self._is_address(secret) else f"is no address below {' or '.join(self.urls)}"

    def fetched(self, request: Request, secrets: Sequence[str], now: datetime) -> Iterator[Any]:
        key_id = request.headers.get(self.key_id_header.lower(), "") if self.key_id_header else ""
        if self.key_id_header and not key_id:
            raise SignatureMissingError(needed(self.header, self.key_id_header))
        for url in secrets:
            if self._is_address(url):
                yield from self.keys.of_set(url, key_id, now)

    def own_headers(self) -> dict[str, str]:
        return {self.key_id_header: "laptop"} if self.key_id_header else {}

    def _is_address(self, text: str) -> bool:
        return text.startswith(tuple(self.urls)) and re.fullmatch("[!-~]+", text) is not None


@dataclass(frozen=True, slots=True)
class CertificateUrl(PublicKeyScheme):
    """A header has the address of the vendor's certificate, which lies below one of `urls`.

    PayPal signs so: https://developer.paypal.com/api/rest/webhooks/rest/. The secret is what else is signed, there the
    id of the webhook.
    """

    url_header: str = ""
    urls: Sequence[str] = ()
    keys: FetchedKeys = field(default_factory=FetchedKeys, init=False, compare=False)

    def __post_init__(self) -> None:
        PublicKeyScheme.__post_init__(self)
        require_beginnings(self.header, self.urls)
        if not self.url_header:
            raise InvalidSourceError(f"{self.header}: url_header: the header with the certificate's address")

    def problem_of_secret(self, secret: str) -> str:
        return problem_of_key(secret, self.algorithm) if is_key(secret) else ""

    def fetched(self, request: Request, secrets: Sequence[str], now: datetime) -> Iterator[Any]:  # noqa: ARG002
        url = request.headers.get(self.url_header.lower(), "")
        if not url:
            raise SignatureMissingError(needed(self.header, self.url_header))
        if not any(url.startswith(one) and FILE.fullmatch(url.removeprefix(one)) for one in self.urls):
            raise SignatureInvalidError("the certificate does not lie with the vendor")
        yield self.keys.of_certificate(url, now)

    def own_headers(self) -> dict[str, str]:
        return {self.url_header: f"{self.urls[0]}laptop.pem"}


def has_signed(key: Any, algorithm: str, signature: bytes, content: bytes) -> bool:
    """Whether the key has signed the content. A key of another kind has not, whatever the request says."""
    from cryptography.exceptions import InvalidSignature  # noqa: PLC0415

    if not fits(key, algorithm):
        return False
    try:
        key.verify(signature, content, *arguments_of(algorithm))
    except InvalidSignature:
        return False
    return True


def arguments_of(algorithm: str) -> tuple[Any, ...]:
    """What `sign` and `verify` of a key need besides the content and the signature: padding and hash."""
    from cryptography.hazmat.primitives import hashes  # noqa: PLC0415
    from cryptography.hazmat.primitives.asymmetric.ec import ECDSA  # noqa: PLC0415
    from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15  # noqa: PLC0415

    arguments: dict[str, tuple[Any, ...]] = {
        "rsa-sha256": (PKCS1v15(), hashes.SHA256()),
        "rsa-sha512": (PKCS1v15(), hashes.SHA512()),
        "ecdsa-sha256": (ECDSA(hashes.SHA256()),),
        "ed25519": (),
    }
    return arguments[algorithm]


def fits(key: Any, algorithm: str) -> bool:
    """Whether the key is of the algorithm's kind."""
    from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePublicKey  # noqa: PLC0415
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey  # noqa: PLC0415
    from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey  # noqa: PLC0415

    kinds = {"rsa": RSAPublicKey, "ecdsa": EllipticCurvePublicKey, "ed25519": Ed25519PublicKey}
    return isinstance(key, kinds[algorithm.partition("-")[0]])


def problem_of_key(secret: str, algorithm: str) -> str:
    """Why this is no public key for the algorithm, as the end of a sentence; empty where it is one."""
    try:
        key = key_in(secret)
    except ValueError as error:
        ours = str(error).startswith("is ")
        return str(error) if ours else "is no public key: PEM, the base64 in it, or the hex of an Ed25519 key"
    return "" if fits(key, algorithm) else f"is no key for {algorithm}"


def require_beginnings(owner: str, urls: Sequence[str]) -> None:
    """Raises InvalidSourceError."""
    if isinstance(urls, str) or not urls or not all(BEGINNING.fullmatch(one) for one in urls):
        raise InvalidSourceError(f'{owner}: urls: a list such as ["https://keys.vendor.com/webhooks/"], each a folder')
