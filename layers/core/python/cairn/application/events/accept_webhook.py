"""Accept a webhook: check size and signature, parse, and queue durably before the acknowledgement."""

import hmac
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from functools import partial
from typing import TYPE_CHECKING, Any, Protocol
from urllib.parse import parse_qsl, urlsplit

from cairn.application.ports import Inbox, Secrets
from cairn.domain.event import Event
from cairn.domain.shared.errors import (
    BodyTooLargeError,
    SecretMissingError,
    SignatureInvalidError,
    SignatureMissingError,
    UnknownSourceError,
    UnsupportedEncodingError,
)
from cairn.settings import MAX_BODY_BYTES

if TYPE_CHECKING:
    from cairn.domain.operations.seen import Seen

ENCODINGS = ("gzip", "deflate")
"""The compressions that sources read, by their names in RFC 9110."""

PLAIN = ("", "identity", "x-gzip")
"""Other values of Content-Encoding that need nothing more; the last is an old name of gzip."""


@dataclass(frozen=True, slots=True)
class Request:
    """An HTTP request as it came: header names in lower case, the body's bytes untouched."""

    url: str
    headers: Mapping[str, str]
    body: bytes
    method: str = "POST"


@dataclass(frozen=True, slots=True)
class Answer:
    """The response that a vendor expects. Without a body here, the response lists the accepted events as JSON."""

    status: int = 202
    content_type: str = "application/json"
    body: str | None = None


@dataclass(frozen=True, slots=True)
class Handshake:
    """The query parameters of the GET by which a vendor verifies that the endpoint is ours.

    The token is the secret `<source>-verify`. The response is the challenge.
    """

    token: str
    challenge: str


class PostHandshake(Protocol):
    """The POST by which a vendor verifies that the endpoint is ours. It is no event."""

    @property
    def signed(self) -> bool:
        """Whether the vendor signs it as it signs its events."""

    def answer(self, request: Request, secret: Callable[[], str]) -> Answer | None:
        """The response; None for any other request. `secret` gives the one that has signed this request."""


@dataclass(frozen=True, slots=True)
class Reading:
    """The content of a genuine request."""

    events: tuple[Event, ...] = ()
    ignored: bool = False
    """No event follows from it, or it names no customer."""
    problems: tuple[str, ...] = ()
    """The problems of an unusable body or of a part of it. The whole body goes to the dead letters."""
    pending: int = 0
    """The parts that point to something which the vendor does not give now. The request must not be acknowledged: the
    vendor posts it again, and what is known of it by then is a duplicate."""
    refused: int = 0
    """The parts that come from an account of the vendor that is not ours (`only` in docs/sources.md)."""
    answer: Answer | None = None
    """The response to a handshake, in place of the source's own."""
    alarms: tuple[Mapping[str, Any], ...] = ()
    """What the vendor says about our own account, such as a template that it has paused; nothing about a customer."""
    seen: "tuple[Seen, ...]" = field(default=(), compare=False)
    """The types of parts that name nobody or have no rule, each once with its count. They change nothing that follows
    from the request, so they are not compared.
    """


Fetch = Callable[[str], Any]
"""The document at a vendor's address; None where the deployment fetches nothing of this source.

Raises ServiceBusyError, or ServiceRefusedError where the vendor does not give it to this token.
"""


def fetch_nothing(_: str) -> None:
    """A Fetch without a token."""


class Source(Protocol):
    """A system that posts webhooks to us."""

    @property
    def name(self) -> str: ...

    @property
    def answer(self) -> Answer: ...

    @property
    def handshake(self) -> Handshake | None: ...

    @property
    def post_handshake(self) -> PostHandshake | None: ...

    def verify(self, request: Request, secrets: Sequence[str], now: datetime) -> None:
        """Raises SignatureMissingError or SignatureInvalidError unless one of the secrets signed these very bytes."""

    def read(self, request: Request, now: datetime, fetch: Fetch) -> Reading:
        """Read a genuine request. Raises MalformedBodyError or InvalidEventError: the sender gets an error."""


@dataclass(frozen=True, slots=True)
class AcceptWebhook:
    sources: Mapping[str, Source]
    secrets: Secrets
    inbox: Inbox
    document_at: Callable[[str, str], Any] = lambda _url, _token: None
    """The document at a vendor's address, asked for with a token."""

    def __call__(self, source_name: str, request: Request, now: datetime) -> Reading:
        """Store the request durably. Raises a CairnError where it must not be acknowledged; see also `pending`."""
        if len(request.body) > MAX_BODY_BYTES:
            raise BodyTooLargeError(f"the body has {len(request.body)} bytes; at most {MAX_BODY_BYTES} are taken")
        _require_known_encoding(request)
        source = self.sources.get(source_name)
        if source is None:
            raise UnknownSourceError(
                f"no source is called {source_name!r}; known are {', '.join(sorted(self.sources))}"
            )
        handshake = source.post_handshake
        if handshake and not handshake.signed and (answer := handshake.answer(request, str)):
            return Reading(answer=answer)
        secrets = self.secrets.of(source_name)
        source.verify(request, secrets, now)
        signer = partial(_signer, source, request, secrets, now)
        if handshake and handshake.signed and (answer := handshake.answer(request, signer)):
            return Reading(answer=answer)
        reading = source.read(request, now, partial(self._fetch, source_name))
        if reading.problems and not reading.pending:  # once, with the last posting
            self.inbox.put_unreadable(source_name, request.body, reading.problems)
        self.inbox.put(reading.events)
        return reading

    def _fetch(self, source_name: str, url: str) -> Any:
        """As `Fetch` promises. The token is the secret `<source>-token`; a source without it is asked for nothing."""
        try:
            tokens = self.secrets.of(f"{source_name}-token")
        except SecretMissingError:
            return None
        return self.document_at(url, tokens[0])

    def challenge(self, source_name: str, request: Request) -> str | None:
        """The response to a vendor's handshake; None where the source has none.

        Raises SignatureMissingError or SignatureInvalidError unless the request has the right token.
        """
        source = self.sources.get(source_name)
        if source is None or source.handshake is None:
            return None
        query = dict(parse_qsl(urlsplit(request.url).query))
        given, challenge = query.get(source.handshake.token), query.get(source.handshake.challenge)
        if not given or not challenge:
            names = f"{source.handshake.token} and {source.handshake.challenge}"
            raise SignatureMissingError(f"the request needs the query parameters {names}")
        tokens = [one for one in self.secrets.of(f"{source_name}-verify") if one]
        matches = [hmac.compare_digest(given.encode(), one.encode()) for one in tokens]
        if not any(matches):
            raise SignatureInvalidError("the verify token is another; compare it with the vendor's settings")
        return challenge

    def answer_of(self, source_name: str) -> Answer:
        return self.sources[source_name].answer


def _signer(source: Source, request: Request, secrets: Sequence[str], now: datetime) -> str:
    """The secret that has signed a request; empty where one alone has not."""
    for secret in secrets:
        try:
            source.verify(request, [secret], now)
        except (SignatureInvalidError, SignatureMissingError):
            continue
        return secret
    return ""


def _require_known_encoding(request: Request) -> None:
    """Raises UnsupportedEncodingError. The header can do no more than refuse: the body says how it is compressed."""
    named = [one.strip().lower() for one in request.headers.get("content-encoding", "").split(",")]
    if not {*ENCODINGS, *PLAIN}.issuperset(named):
        raise UnsupportedEncodingError(f"send the body as it is, or compressed with {' or '.join(ENCODINGS)}")
