"""Schemes without a signature: the vendor shows a secret, in a header or in the URL.

A token says who posts, and TLS alone says that the body is the vendor's. It is weaker than a signature: a person who
once sees a request (in a proxy, in a log of URLs) can send any body with its token. So the id that deduplicates an
event must come from the body, and nothing here is logged.
"""

import base64
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import ClassVar
from urllib.parse import parse_qsl, urlencode, urlsplit, urlunsplit

from cairn.adapters.sources.signatures import Covered, needed, require_any
from cairn.adapters.sources.signed_text import InvalidSourceError
from cairn.application.events.accept_webhook import Request
from cairn.domain.shared.errors import SignatureInvalidError, SignatureMissingError

BASIC = "Basic "
LOCAL_USER = "cairn"
"""The user of a secret that is a password alone, as a laptop's is."""


@dataclass(frozen=True, slots=True)
class StaticToken:
    """A header whose value is the secret, after a prefix such as `Bearer `."""

    header: str
    prefix: str = ""
    signed_headers: ClassVar[Sequence[str]] = ()
    signs_url: ClassVar[bool] = False
    signs_body: ClassVar[bool] = False

    def covered(self, request: Request) -> Covered:
        return Covered(request.body)

    def verify(self, request: Request, secrets: Sequence[str], now: datetime) -> None:  # noqa: ARG002
        given = _after(self.prefix, request.headers.get(self.header.lower(), ""))
        if not given:
            raise SignatureMissingError(needed(self.header))
        _require_token(given, secrets)

    def sign(self, request: Request, secret: str, now: datetime, message_id: str) -> dict[str, str]:  # noqa: ARG002
        return {self.header: self.prefix + secret}


@dataclass(frozen=True, slots=True)
class BasicAuth:
    """HTTP's basic authentication (RFC 7617): the secret is `user:password`, or the password of the user `cairn`."""

    header: str = "Authorization"
    signed_headers: ClassVar[Sequence[str]] = ()
    signs_url: ClassVar[bool] = False
    signs_body: ClassVar[bool] = False

    def covered(self, request: Request) -> Covered:
        return Covered(request.body)

    def verify(self, request: Request, secrets: Sequence[str], now: datetime) -> None:  # noqa: ARG002
        given = _after(BASIC, request.headers.get(self.header.lower(), ""))
        if not given:
            raise SignatureMissingError(f"{needed(self.header)} with user and password")
        _require_token(given, [_credentials(secret) for secret in secrets if secret])

    def sign(self, request: Request, secret: str, now: datetime, message_id: str) -> dict[str, str]:  # noqa: ARG002
        return {self.header: BASIC + _credentials(secret)}


@dataclass(frozen=True, slots=True)
class QueryToken:
    """A parameter of the URL whose value is the secret, where a vendor offers nothing but a URL of one's own."""

    parameter: str
    signed_headers: ClassVar[Sequence[str]] = ()
    signs_url: ClassVar[bool] = False
    signs_body: ClassVar[bool] = False

    def __post_init__(self) -> None:
        if not self.parameter:
            raise InvalidSourceError("query-token: parameter: the name of the URL's parameter with the token")

    @property
    def header(self) -> str:
        return f"none: the parameter {self.parameter} of the URL"

    def covered(self, request: Request) -> Covered:
        return Covered(request.body)

    def verify(self, request: Request, secrets: Sequence[str], now: datetime) -> None:  # noqa: ARG002
        given = [value for name, value in _query(request.url) if name == self.parameter]
        if not any(given):
            raise SignatureMissingError(f"the URL needs the parameter {self.parameter}")
        if len(given) > 1:
            raise SignatureInvalidError(f"the URL has the parameter {self.parameter} twice")
        _require_token(given[0], secrets)

    def sign(self, request: Request, secret: str, now: datetime, message_id: str) -> dict[str, str]:  # noqa: ARG002
        """Nothing: the token is in the URL (`url_with`)."""
        return {}

    def url_with(self, url: str, secret: str) -> str:
        """The URL as it is given to the vendor."""
        parts = urlsplit(url)
        others = [(name, value) for name, value in _query(url) if name != self.parameter]
        return urlunsplit(parts._replace(query=urlencode([*others, (self.parameter, secret)])))


def _require_token(given: str, secrets: Sequence[str]) -> None:
    try:
        require_any([given], [secret for secret in secrets if secret])
    except SignatureInvalidError:
        raise SignatureInvalidError("the token is another than the stored secret") from None


def _after(prefix: str, value: str) -> str:
    """The value without its prefix, which may be in any case as RFC 9110 has it; empty where it is another."""
    value = value.strip()
    return value[len(prefix) :].strip() if value[: len(prefix)].lower() == prefix.lower() else ""


def _credentials(secret: str) -> str:
    text = secret if ":" in secret else f"{LOCAL_USER}:{secret}"
    return base64.b64encode(text.encode()).decode()


def _query(url: str) -> list[tuple[str, str]]:
    return parse_qsl(urlsplit(url).query, keep_blank_values=True)
