"""Signature schemes over the body: each verifies a vendor's signature, and signs as the vendor would.

Rules for all, also for those of `url_signatures`: the raw bytes are signed; a missing signature differs from
a wrong one; any of several secrets may have signed (rotation); comparison takes constant time; a timestamp, where
the scheme has one, must be fresh both ways.
"""

import hashlib
import hmac
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import ClassVar, Protocol, runtime_checkable

from cairn.adapters.http.standard_webhooks import mac, problem_of_key
from cairn.adapters.sources.signed_text import (
    BODY,
    ENCODINGS,
    TIMESTAMP,
    TOLERANCE,
    Freshness,
    InvalidSourceError,
    SignedText,
    as_written,
    default_text,
    encoded,
    to_bytes,
)
from cairn.application.events.accept_webhook import Request
from cairn.domain.shared.errors import SignatureInvalidError, SignatureMissingError

ALGORITHMS = {"sha1": hashlib.sha1, "sha256": hashlib.sha256, "sha512": hashlib.sha512}
FAMILY = ("id", "timestamp", "signature")
"""The headers of Standard Webhooks, after their prefix."""


@dataclass(frozen=True, slots=True)
class Covered:
    """The parts of a genuine request that its signature covers. Nothing else decides what the request means."""

    content: bytes
    """The same for every delivery of one request: without the instant that a retry signs anew."""
    headers: Mapping[str, str] = field(default_factory=dict)
    as_form: bool | None = None
    """Whether the fields of a form are signed (True) or the body's bytes (False); None where both are the same."""


class Scheme(Protocol):
    @property
    def header(self) -> str:
        """The header with the vendor's signature."""

    @property
    def signed_headers(self) -> Sequence[str]:
        """The headers that the signature may cover, in lower case. No other may decide anything."""

    @property
    def signs_url(self) -> bool:
        """Whether the signature covers the query parameters."""

    @property
    def signs_body(self) -> bool:
        """Whether the signature is another for another body. A token says nothing about the body that it comes with."""

    def covered(self, request: Request) -> Covered:
        """What the signature of this request covers. Only for a request that `verify` has accepted.

        Raises MalformedBodyError where the signed bytes have two meanings.
        """

    def verify(self, request: Request, secrets: Sequence[str], now: datetime) -> None:
        """Raises SignatureMissingError or SignatureInvalidError."""

    def sign(self, request: Request, secret: str, now: datetime, message_id: str) -> dict[str, str]:
        """The headers that the vendor would add to this request."""


@runtime_checkable
class ChecksSecrets(Protocol):
    """A scheme whose secrets are of a form of their own."""

    def problem_of_secret(self, secret: str) -> str:
        """Why a stored secret is none, as the end of a sentence; empty where it is one."""


@dataclass(frozen=True, slots=True)
class StandardWebhooks:
    """https://www.standardwebhooks.com: `v1,` base64 HMAC-SHA256 over `id.timestamp.body`; Svix writes `svix-`."""

    prefixes: Sequence[str] = ("webhook-",)
    signs_url: ClassVar[bool] = False
    signs_body: ClassVar[bool] = True

    @property
    def header(self) -> str:
        return f"{self.prefixes[0]}signature"

    @property
    def signed_headers(self) -> Sequence[str]:
        return [prefix + name for prefix in self.prefixes for name in ("id", "timestamp")]

    def covered(self, request: Request) -> Covered:
        """Of two families of headers only the verified one: the other may hold anything."""
        family = self._family(request)
        prefix = self.prefixes[0] if family is None else family
        return Covered(request.body, headers_of(request, [prefix + name for name in ("id", "timestamp")]))

    def _family(self, request: Request) -> str | None:
        """The first prefix whose three headers are all there."""
        return next((one for one in self.prefixes if all(request.headers.get(one + name) for name in FAMILY)), None)

    def verify(self, request: Request, secrets: Sequence[str], now: datetime) -> None:
        prefix = self._family(request)
        if prefix is None:
            names = ", ".join(f"{self.prefixes[0]}{name}" for name in FAMILY)
            raise SignatureMissingError(f"sign the request as Standard Webhooks has it: headers {names}")
        message_id, timestamp, signature = (request.headers[prefix + name] for name in FAMILY)
        Freshness().require(timestamp, now)
        expected = {
            mac(message_id, timestamp, request.body, secret) for secret in secrets if not problem_of_key(secret)
        }
        given = [one.removeprefix("v1,") for one in signature.split(" ") if one.startswith("v1,")]
        require_any(given, expected)

    def sign(self, request: Request, secret: str, now: datetime, message_id: str) -> dict[str, str]:
        prefix, timestamp = self.prefixes[0], str(int(now.timestamp()))
        return {
            f"{prefix}id": message_id,
            f"{prefix}timestamp": timestamp,
            f"{prefix}signature": "v1," + mac(message_id, timestamp, request.body, secret),
        }


@dataclass(frozen=True, slots=True)
class TimestampedHmac:
    """`t=<seconds>,v1=<hex HMAC-SHA256 of "t.body">`, as Stripe and Calendly sign. Unknown parts are ignored.

    Other vendors have other names and signs between them, such as Paddle: `ts=…;h1=…` of `ts:body`.
    """

    header: str
    timestamp: str = "t"
    """The name of the part with the instant."""
    signature: str = "v1"
    """The name of the part with the signature, which may be there several times."""
    separator: str = ","
    signed: str = "{timestamp}.{body}"
    timestamp_format: str = "seconds"
    algorithm: str = "sha256"
    encoding: str = "hex"
    tolerance: int = TOLERANCE.seconds
    signed_headers: ClassVar[Sequence[str]] = ()
    signs_url: ClassVar[bool] = False
    signs_body: ClassVar[bool] = True

    def __post_init__(self) -> None:
        require_known(self.header, self.algorithm, self.encoding)
        self._freshness.require_known(self.header)
        SignedText(self.signed).require(self.header, (BODY, TIMESTAMP), timestamp=True)
        if not (self.timestamp and self.signature and self.separator.strip()) or self.timestamp == self.signature:
            raise InvalidSourceError(f"{self.header}: timestamp, signature: two names; separator: one sign or more")

    def covered(self, request: Request) -> Covered:
        return Covered(request.body)

    def verify(self, request: Request, secrets: Sequence[str], now: datetime) -> None:
        value = request.headers.get(self.header.lower(), "")
        parts = [part.strip().partition("=")[::2] for part in value.split(self.separator)]
        timestamp = next((text for name, text in parts if name == self.timestamp), "")
        given = [text for name, text in parts if name == self.signature and text]
        if not (timestamp and given):
            raise SignatureMissingError(f"the header {self.header} needs {self.timestamp}=… and {self.signature}=…")
        self._freshness.require(timestamp, now)
        require_any(given, {self._mac(request.body, secret, timestamp) for secret in secrets if secret})

    def sign(self, request: Request, secret: str, now: datetime, message_id: str) -> dict[str, str]:  # noqa: ARG002
        timestamp = self._freshness.written(now)
        signature = self._mac(request.body, secret, timestamp)
        return {self.header: f"{self.timestamp}={timestamp}{self.separator}{self.signature}={signature}"}

    @property
    def _freshness(self) -> Freshness:
        return Freshness(self.timestamp_format, self.tolerance)

    def _mac(self, body: bytes, secret: str, timestamp: str) -> str:
        content = SignedText(self.signed).of(body, {TIMESTAMP: timestamp})
        return encoded(digest_of(content, secret, self.algorithm), self.encoding)


@dataclass(frozen=True, slots=True)
class BodyHmac:
    """An HMAC of the body in one header, as Shopify, Typeform, Meta, GitHub and most in-house webhooks use it.

    With `timestamp_header` the instant is signed too, in the format of `signed`, such as Slack's
    `v0:{timestamp}:{body}`.
    """

    header: str
    algorithm: str = "sha256"
    encoding: str = "hex"
    prefix: str = ""
    timestamp_header: str = ""
    timestamp_format: str = "seconds"
    signed: str = ""
    tolerance: int = TOLERANCE.seconds
    signs_url: ClassVar[bool] = False
    signs_body: ClassVar[bool] = True

    @property
    def signed_headers(self) -> Sequence[str]:
        return [self.timestamp_header.lower()] if self.timestamp_header else []

    def covered(self, request: Request) -> Covered:
        return Covered(request.body, headers_of(request, self.signed_headers))

    def __post_init__(self) -> None:
        require_known(self.header, self.algorithm, self.encoding)
        self._freshness.require_known(self.header)
        self._text.require(self.header, (BODY, TIMESTAMP), timestamp=bool(self.timestamp_header))

    def verify(self, request: Request, secrets: Sequence[str], now: datetime) -> None:
        given = given_in(request, self.header, self.prefix, self.encoding)
        timestamp = request.headers.get(self.timestamp_header.lower(), "") if self.timestamp_header else ""
        if not given or (self.timestamp_header and not timestamp):
            raise SignatureMissingError(needed(self.header, self.timestamp_header))
        if self.timestamp_header:
            self._freshness.require(timestamp, now)
        require_any([given], {self._mac(request.body, secret, timestamp) for secret in secrets if secret})

    def sign(self, request: Request, secret: str, now: datetime, message_id: str) -> dict[str, str]:  # noqa: ARG002
        if not self.timestamp_header:
            return {self.header: self._mac(request.body, secret, "")}
        timestamp = self._freshness.written(now)
        return {self.timestamp_header: timestamp, self.header: self._mac(request.body, secret, timestamp)}

    def _mac(self, body: bytes, secret: str, timestamp: str) -> str:
        content = self._text.of(body, {TIMESTAMP: timestamp})
        return self.prefix + encoded(digest_of(content, secret, self.algorithm), self.encoding)

    @property
    def _freshness(self) -> Freshness:
        return Freshness(self.timestamp_format, self.tolerance)

    @property
    def _text(self) -> SignedText:
        return SignedText(self.signed or default_text(self.timestamp_header))


def headers_of(request: Request, names: Sequence[str]) -> dict[str, str]:
    return {name: request.headers[name] for name in names if name in request.headers}


def given_in(request: Request, header: str, prefix: str, encoding: str) -> str:
    """The signature in a header, with its prefix and as we write it. Empty where there is none, or its prefix alone."""
    given = request.headers.get(header.lower(), "").strip()
    if given.startswith(prefix):
        given = given.removeprefix(prefix)
        return prefix + as_written(given, encoding) if given else ""
    return given


def needed(*headers: str) -> str:
    return f"the request needs the header {' and '.join(name for name in headers if name)}"


def require_known(header: str, algorithm: str, encoding: str) -> None:
    """Raises InvalidSourceError."""
    if algorithm not in ALGORITHMS or encoding not in ENCODINGS:
        known = f"algorithm: {', '.join(ALGORITHMS)}; encoding: {', '.join(ENCODINGS)}"
        raise InvalidSourceError(f"{header}: {known}; not {algorithm} and {encoding}")


def digest_of(content: bytes, secret: str, algorithm: str) -> bytes:
    return hmac.new(secret.encode(), content, ALGORITHMS[algorithm]).digest()


def require_any(given: Iterable[str], expected: Iterable[str]) -> None:
    matches = [hmac.compare_digest(to_bytes(one), to_bytes(other)) for one in given for other in expected]
    if not any(matches):
        raise SignatureInvalidError(
            "no signature matches; check the secret, and that the body is sent as it was signed"
        )
