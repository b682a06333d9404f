"""Signature schemes over the body: each verifies a vendor's signature, and signs as the vendor would.

Rules for all, also for those of `url_signatures`: the raw bytes are signed; a missing signature differs from
a wrong one; any of several secrets may have signed (rotation); comparison takes constant time; a timestamp, where
the scheme has one, must be fresh both ways.
"""

import base64
import hashlib
import hmac
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import ClassVar, Protocol

from cairn.adapters.http.standard_webhooks import mac, problem_of_key
from cairn.application.events.accept_webhook import Request
from cairn.domain.shared.errors import CairnError, SignatureInvalidError, SignatureMissingError

TOLERANCE = timedelta(minutes=5)
"""Standard Webhooks 1.0.0, HubSpot's, and Stripe's default; into the future too, which vendors' libraries allow."""

ALGORITHMS = {"sha1": hashlib.sha1, "sha256": hashlib.sha256, "sha512": hashlib.sha512}
ENCODINGS = ("hex", "base64")
FAMILY = ("id", "timestamp", "signature")
"""The headers of Standard Webhooks, after their prefix."""


class InvalidSourceError(CairnError):
    """A mapping file or sources.toml has a value that no scheme or mapping knows; the message names it."""


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

    def covered(self, request: Request) -> Covered:
        """What the signature of this request covers. Only for a request that `verify` has accepted.

        Raises MalformedBodyError where the signed bytes have two meanings.
        """

    def verify(self, request: Request, secrets: Sequence[str], now: datetime) -> None:
        """Raises SignatureMissingError or SignatureInvalidError."""

    def sign(self, request: Request, secret: str, now: datetime, message_id: str) -> dict[str, str]:
        """The headers that the vendor would add to this request."""


@dataclass(frozen=True, slots=True)
class StandardWebhooks:
    """https://www.standardwebhooks.com: `v1,` base64 HMAC-SHA256 over `id.timestamp.body`; Svix writes `svix-`."""

    prefixes: Sequence[str] = ("webhook-",)
    signs_url: ClassVar[bool] = False

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
        return Covered(request.body, _headers(request, [prefix + name for name in ("id", "timestamp")]))

    def _family(self, request: Request) -> str | None:
        """The first prefix whose three headers are all there."""
        return next((one for one in self.prefixes if all(request.headers.get(one + name) for name in FAMILY)), None)

    def verify(self, request: Request, secrets: Sequence[str], now: datetime) -> None:
        prefix = self._family(request)
        if prefix is None:
            names = ", ".join(f"{self.prefixes[0]}{name}" for name in FAMILY)
            raise SignatureMissingError(f"sign the request as Standard Webhooks has it: headers {names}")
        message_id, timestamp, signature = (request.headers[prefix + name] for name in FAMILY)
        require_fresh(timestamp, now)
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
    """`t=<seconds>,v1=<hex HMAC-SHA256 of "t.body">`, as Stripe and Calendly sign. Unknown schemes are ignored."""

    header: str
    signed_headers: ClassVar[Sequence[str]] = ()
    signs_url: ClassVar[bool] = False

    def covered(self, request: Request) -> Covered:
        return Covered(request.body)

    def verify(self, request: Request, secrets: Sequence[str], now: datetime) -> None:
        value = request.headers.get(self.header.lower(), "")
        parts = [part.strip().partition("=")[::2] for part in value.split(",")]
        timestamp = next((text for name, text in parts if name == "t"), "")
        given = [text for name, text in parts if name == "v1" and text]
        if not (timestamp and given):
            raise SignatureMissingError(f"the header {self.header} needs t=… and v1=…")
        require_fresh(timestamp, now)
        require_any(given, {self._mac(request.body, secret, timestamp) for secret in secrets if secret})

    def sign(self, request: Request, secret: str, now: datetime, message_id: str) -> dict[str, str]:  # noqa: ARG002
        timestamp = str(int(now.timestamp()))
        return {self.header: f"t={timestamp},v1={self._mac(request.body, secret, timestamp)}"}

    @staticmethod
    def _mac(body: bytes, secret: str, timestamp: str) -> str:
        return hmac.new(secret.encode(), timestamp.encode() + b"." + body, hashlib.sha256).hexdigest()


@dataclass(frozen=True, slots=True)
class BodyHmac:
    """An HMAC of the body in one header, as Shopify, Typeform, Meta, GitHub and most in-house webhooks use it.

    With `timestamp_header` (seconds since 1970) the instant is signed too, in the format of `signed`, such as Slack's
    `v0:{timestamp}:{body}`.
    """

    header: str
    algorithm: str = "sha256"
    encoding: str = "hex"
    prefix: str = ""
    timestamp_header: str = ""
    signed: str = ""
    signs_url: ClassVar[bool] = False

    @property
    def signed_headers(self) -> Sequence[str]:
        return [self.timestamp_header.lower()] if self.timestamp_header else []

    def covered(self, request: Request) -> Covered:
        return Covered(request.body, _headers(request, self.signed_headers))

    def __post_init__(self) -> None:
        if self.algorithm not in ALGORITHMS or self.encoding not in ENCODINGS:
            known = f"algorithm: {', '.join(ALGORITHMS)}; encoding: {', '.join(ENCODINGS)}"
            raise InvalidSourceError(f"{self.header}: {known}; not {self.algorithm} and {self.encoding}")
        template = self.signed or self._default
        if "{body}" not in template or bool(self.timestamp_header) != ("{timestamp}" in template):
            raise InvalidSourceError(
                f"{self.header}: `signed` holds {{body}}, and {{timestamp}} exactly where there is a timestamp_header",
            )

    def verify(self, request: Request, secrets: Sequence[str], now: datetime) -> None:
        given = request.headers.get(self.header.lower(), "").strip()
        timestamp = request.headers.get(self.timestamp_header.lower(), "") if self.timestamp_header else ""
        if not given.removeprefix(self.prefix) or (self.timestamp_header and not timestamp):
            needed = " and ".join(name for name in (self.header, self.timestamp_header) if name)
            raise SignatureMissingError(f"the request needs the header {needed}")
        if self.timestamp_header:
            require_fresh(timestamp, now)
        if self.encoding == "hex":
            given = self.prefix + given.removeprefix(self.prefix).lower()
        require_any([given], {self._mac(request.body, secret, timestamp) for secret in secrets if secret})

    def sign(self, request: Request, secret: str, now: datetime, message_id: str) -> dict[str, str]:  # noqa: ARG002
        if not self.timestamp_header:
            return {self.header: self._mac(request.body, secret, "")}
        timestamp = str(int(now.timestamp()))
        return {self.timestamp_header: timestamp, self.header: self._mac(request.body, secret, timestamp)}

    def _mac(self, body: bytes, secret: str, timestamp: str) -> str:
        before, _, after = (self.signed or self._default).replace("{timestamp}", timestamp).partition("{body}")
        content = before.encode() + body + after.encode()
        digest = hmac.new(secret.encode(), content, ALGORITHMS[self.algorithm]).digest()
        return self.prefix + (digest.hex() if self.encoding == "hex" else base64.b64encode(digest).decode())

    @property
    def _default(self) -> str:
        return "{timestamp}.{body}" if self.timestamp_header else "{body}"


def _headers(request: Request, names: Sequence[str]) -> dict[str, str]:
    return {name: request.headers[name] for name in names if name in request.headers}


def require_fresh(timestamp: str, now: datetime, *, a_second: int = 1) -> None:
    """`a_second` is how many of the timestamp's units make a second."""
    odd = not re.fullmatch(r"\d{1,15}", timestamp, re.ASCII)
    if odd or abs(now.timestamp() - int(timestamp) / a_second) > TOLERANCE.seconds:
        raise SignatureInvalidError("the signed timestamp is more than five minutes off; sign again, with a set clock")


def require_any(given: Sequence[str], expected: set[str]) -> None:
    matches = [hmac.compare_digest(to_bytes(one), to_bytes(other)) for one in given for other in expected]
    if not any(matches):
        raise SignatureInvalidError(
            "no signature matches; check the secret, and that the body is sent as it was signed"
        )


def to_bytes(text: str) -> bytes:
    """UTF-8 of any header, lone surrogates included."""
    return text.encode("utf-8", "surrogatepass")
