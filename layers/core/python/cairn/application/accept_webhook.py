"""Accept a webhook: limit, then signature, then parse; acknowledged only once it is durably queued."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from cairn.application.ports import Inbox, Secrets
from cairn.domain.errors import BodyTooLargeError, UnknownSourceError
from cairn.domain.event import Event
from cairn.settings import MAX_BODY_BYTES


@dataclass(frozen=True, slots=True)
class Request:
    """An HTTP request as it came: header names in lower case, the body's bytes untouched."""

    url: str
    headers: Mapping[str, str]
    body: bytes


class Source(Protocol):
    """A system that posts webhooks to us."""

    @property
    def name(self) -> str: ...

    def verify(self, request: Request, secrets: Sequence[str], now: datetime) -> None:
        """Raises SignatureMissingError or SignatureInvalidError unless one of the secrets signed these very bytes."""

    def read(self, request: Request, now: datetime) -> list[Event]:
        """The canonical events in a genuine request. Raises MalformedBodyError or InvalidEventError."""


@dataclass(frozen=True, slots=True)
class AcceptWebhook:
    sources: Mapping[str, Source]
    secrets: Secrets
    inbox: Inbox

    def __call__(self, source_name: str, request: Request, now: datetime) -> list[Event]:
        """The events now durably stored. Raises a CairnError for anything that must not be acknowledged."""
        if len(request.body) > MAX_BODY_BYTES:
            raise BodyTooLargeError(f"the body has {len(request.body)} bytes; at most {MAX_BODY_BYTES} are taken")
        source = self.sources.get(source_name)
        if source is None:
            raise UnknownSourceError(
                f"no source is called {source_name!r}; known are {', '.join(sorted(self.sources))}"
            )
        source.verify(request, self.secrets.of(source_name), now)
        events = source.read(request, now)
        self.inbox.put(events)
        return events
