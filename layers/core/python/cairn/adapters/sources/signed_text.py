"""What signature schemes have in common: the text that is signed, its timestamp, and how a signature is written."""

import base64
import re
import zlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from cairn.domain.shared.errors import CairnError, SignatureInvalidError
from cairn.domain.shared.instants import instant_from_wire, instant_to_wire

TOLERANCE = timedelta(minutes=5)
"""Standard Webhooks 1.0.0, HubSpot's, and Stripe's default; into the future too, which vendors' libraries allow."""

MAX_TOLERANCE = 35 * 24 * 3600
"""Seconds: as long as a second delivery of an event is found out (DEDUPE_WINDOW of the domain)."""

A_SECOND = {"seconds": 1, "milliseconds": 1000}
"""How many of a timestamp's units make a second."""

ISO_8601 = "iso8601"
TIMESTAMP_FORMATS = (*A_SECOND, ISO_8601)
ENCODINGS = ("hex", "base64")

PART = re.compile(r"\{([^{}]*)\}")
HEADER_PART = re.compile(r"header\.([a-z0-9-]+)")
BODY, TIMESTAMP, URL, SECRET, CRC32 = "body", "timestamp", "url", "secret", "crc32"


class InvalidSourceError(CairnError):
    """A mapping file or sources.toml has a value that no scheme or mapping knows; the message names it."""


def default_text(timestamp_header: str) -> str:
    """The template of a scheme that names none: the body, after the timestamp where a header has one."""
    return "{timestamp}.{body}" if timestamp_header else "{body}"


@dataclass(frozen=True, slots=True)
class SignedText:
    """The text that a vendor signs, with its parts in braces: `{timestamp}.{body}`."""

    template: str

    @property
    def parts(self) -> Sequence[str]:
        return PART.findall(self.template)

    @property
    def headers(self) -> Sequence[str]:
        """The headers that it contains, in lower case."""
        return [found[1] for one in self.parts if (found := HEADER_PART.fullmatch(one))]

    def of(self, body: bytes, others: Mapping[str, str]) -> bytes:
        """The bytes that are signed; `others` has every part but those that the body gives."""
        pieces = PART.split(self.template)
        return b"".join(
            self._part(piece, body, others) if number % 2 else piece.encode() for number, piece in enumerate(pieces)
        )

    @staticmethod
    def _part(name: str, body: bytes, others: Mapping[str, str]) -> bytes:
        if name == BODY:
            return body
        return str(zlib.crc32(body)).encode() if name == CRC32 else to_bytes(others[name])

    def require(self, owner: str, known: Sequence[str], *, timestamp: bool) -> None:
        """Raises InvalidSourceError unless it signs the body, and an instant exactly where the scheme has one."""
        unknown = [
            one for one in self.parts if one not in known and not (HEADER in known and HEADER_PART.fullmatch(one))
        ]
        if unknown:
            names = ", ".join(f"{{{one}}}" for one in known)
            raise InvalidSourceError(f"{owner}: `signed` has no part {{{unknown[0]}}}; parts are {names}")
        if not {BODY, CRC32} & set(self.parts) or timestamp != (TIMESTAMP in self.parts):
            raise InvalidSourceError(
                f"{owner}: `signed` holds {{body}}, and {{timestamp}} exactly where there is a timestamp_header"
            )


HEADER = "header.…"
"""Stands in a list of known parts for a header by its name: `{header.x-request-id}`."""


@dataclass(frozen=True, slots=True)
class Freshness:
    """How a signed instant is written, and how many seconds it may be off, either way."""

    form: str = "seconds"
    tolerance: int = TOLERANCE.seconds

    def require_known(self, owner: str) -> None:
        """Raises InvalidSourceError."""
        if self.form not in TIMESTAMP_FORMATS:
            known = ", ".join(TIMESTAMP_FORMATS)
            raise InvalidSourceError(f"{owner}: timestamp_format: one of {known}; not {self.form!r}")
        if isinstance(self.tolerance, bool) or not isinstance(self.tolerance, int):
            raise InvalidSourceError(f"{owner}: tolerance: whole seconds")
        if not 0 < self.tolerance <= MAX_TOLERANCE:
            raise InvalidSourceError(f"{owner}: tolerance: 1 to {MAX_TOLERANCE} seconds; not {self.tolerance}")

    def written(self, now: datetime) -> str:
        if self.form == ISO_8601:
            return instant_to_wire(now.replace(microsecond=0))
        return str(int(now.timestamp() * A_SECOND[self.form]))

    def require(self, timestamp: str, now: datetime) -> None:
        """Raises SignatureInvalidError."""
        at = self._seconds(timestamp)
        if at is None or abs(now.timestamp() - at) > self.tolerance:
            off = "five minutes" if self.tolerance == TOLERANCE.seconds else str(timedelta(seconds=self.tolerance))
            raise SignatureInvalidError(f"the signed timestamp is more than {off} off; sign again, with a set clock")

    def _seconds(self, timestamp: str) -> float | None:
        """Since 1970; None where it is no timestamp of this form."""
        if self.form != ISO_8601:
            return int(timestamp) / A_SECOND[self.form] if re.fullmatch(r"\d{1,15}", timestamp, re.ASCII) else None
        try:
            return instant_from_wire(timestamp).timestamp() if timestamp.isascii() else None
        except ValueError:
            return None


def encoded(signature: bytes, encoding: str) -> str:
    return signature.hex() if encoding == "hex" else base64.b64encode(signature).decode()


def decoded(text: str, encoding: str) -> bytes:
    """Raises ValueError."""
    return bytes.fromhex(text) if encoding == "hex" else base64.b64decode(to_bytes(text), validate=True)


def as_written(text: str, encoding: str) -> str:
    """A signature as we write it: hex may come in either case."""
    return text.lower() if encoding == "hex" else text


def to_bytes(text: str) -> bytes:
    """UTF-8 of any header, lone surrogates included."""
    return text.encode("utf-8", "surrogatepass")
