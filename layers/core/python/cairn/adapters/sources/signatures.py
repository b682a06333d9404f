"""Signature schemes: each verifies what a vendor signs, and signs as the vendor would (for `cairn send` and tests).

Rules for all: the raw bytes are what is signed; a missing signature differs from a wrong one; any of several
secrets may have signed (rotation); comparison takes constant time; a timestamp must be fresh both ways.
"""

import base64
import binascii
import hashlib
import hmac
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Protocol

from cairn.domain.errors import SignatureInvalidError, SignatureMissingError

TOLERANCE = timedelta(minutes=5)
"""Standard Webhooks 1.0.0 and Stripe's default; both ways, which Stripe's own libraries leave open to the future."""


class Scheme(Protocol):
    def verify(self, headers: Mapping[str, str], body: bytes, secrets: Sequence[str], now: datetime) -> None:
        """Raises SignatureMissingError or SignatureInvalidError."""

    def sign(self, body: bytes, secret: str, now: datetime, message_id: str) -> dict[str, str]:
        """The headers that the vendor would send with this body."""


@dataclass(frozen=True, slots=True)
class StandardWebhooks:
    """https://www.standardwebhooks.com: `v1,` base64 HMAC-SHA256 over `id.timestamp.body`."""

    prefix: str = "webhook-"

    def verify(self, headers: Mapping[str, str], body: bytes, secrets: Sequence[str], now: datetime) -> None:
        message_id = headers.get(f"{self.prefix}id", "")
        timestamp = headers.get(f"{self.prefix}timestamp", "")
        signature = headers.get(f"{self.prefix}signature", "")
        if not (message_id and timestamp and signature):
            names = ", ".join(f"{self.prefix}{name}" for name in ("id", "timestamp", "signature"))
            raise SignatureMissingError(f"sign the request as Standard Webhooks has it: headers {names}")
        _require_fresh(timestamp, now)
        expected = {self._mac(body, secret, timestamp, message_id) for secret in secrets}
        given = [one.removeprefix("v1,") for one in signature.split(" ") if one.startswith("v1,")]
        _require_any(given, expected)

    def sign(self, body: bytes, secret: str, now: datetime, message_id: str) -> dict[str, str]:
        timestamp = str(int(now.timestamp()))
        return {
            f"{self.prefix}id": message_id,
            f"{self.prefix}timestamp": timestamp,
            f"{self.prefix}signature": "v1," + self._mac(body, secret, timestamp, message_id),
        }

    @staticmethod
    def _mac(body: bytes, secret: str, timestamp: str, message_id: str) -> str:
        content = b".".join((message_id.encode(), timestamp.encode(), body))
        try:
            key = base64.b64decode(secret.removeprefix("whsec_"), validate=True)
        except binascii.Error:
            raise SignatureInvalidError("the stored secret is not base64 after whsec_; store it again") from None
        return base64.b64encode(hmac.new(key, content, hashlib.sha256).digest()).decode()


@dataclass(frozen=True, slots=True)
class TimestampedHmac:
    """`t=<seconds>,v1=<hex HMAC-SHA256 of "t.body">`, as Stripe and Calendly sign. Unknown schemes are ignored."""

    header: str

    def verify(self, headers: Mapping[str, str], body: bytes, secrets: Sequence[str], now: datetime) -> None:
        value = headers.get(self.header.lower(), "")
        parts = [part.strip().partition("=")[::2] for part in value.split(",")]
        timestamp = next((text for name, text in parts if name == "t"), "")
        given = [text for name, text in parts if name == "v1" and text]
        if not (timestamp and given):
            raise SignatureMissingError(f"the header {self.header} needs t=… and v1=…")
        _require_fresh(timestamp, now)
        _require_any(given, {self._mac(body, secret, timestamp) for secret in secrets})

    def sign(self, body: bytes, secret: str, now: datetime, message_id: str) -> dict[str, str]:  # noqa: ARG002
        timestamp = str(int(now.timestamp()))
        return {self.header: f"t={timestamp},v1={self._mac(body, secret, timestamp)}"}

    @staticmethod
    def _mac(body: bytes, secret: str, timestamp: str) -> str:
        return hmac.new(secret.encode(), timestamp.encode() + b"." + body, hashlib.sha256).hexdigest()


def _require_fresh(timestamp: str, now: datetime) -> None:
    if not re.fullmatch(r"\d{1,12}", timestamp, re.ASCII) or abs(now.timestamp() - int(timestamp)) > TOLERANCE.seconds:
        raise SignatureInvalidError("the signed timestamp is more than five minutes off; sign again, with a set clock")


def _require_any(given: Sequence[str], expected: set[str]) -> None:
    matches = [hmac.compare_digest(one.encode(), other.encode()) for one in given for other in expected]
    if not any(matches):
        raise SignatureInvalidError(
            "no signature matches; check the secret, and that the body is sent as it was signed"
        )
