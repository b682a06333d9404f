"""`POST /events`: our own API. One canonical event or a list, signed as Standard Webhooks."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime

from cairn.adapters.sources.bodies import json_of, unpacked
from cairn.adapters.sources.signatures import Scheme, StandardWebhooks
from cairn.application.events.accept_webhook import (
    Answer,
    Fetch,
    Handshake,
    PostHandshake,
    Reading,
    Request,
    fetch_nothing,
)
from cairn.domain.event import Event, event_from_wire
from cairn.domain.shared.errors import InvalidEventError

MAX_EVENTS = 500
"""Events in one request. So many are queued well within the ten seconds that senders wait."""


@dataclass(frozen=True, slots=True)
class TrackSource:
    name: str = "track"
    scheme: Scheme = field(default_factory=StandardWebhooks)
    answer: Answer = field(default_factory=Answer)
    handshake: Handshake | None = None
    post_handshake: PostHandshake | None = None

    def verify(self, request: Request, secrets: Sequence[str], now: datetime) -> None:
        self.scheme.verify(request, secrets, now)

    def read(self, request: Request, now: datetime, fetch: Fetch = fetch_nothing) -> Reading:  # noqa: ARG002
        """All of the events or none; `id` defaults to the request's own, which its retries repeat.

        Raises MalformedBodyError or InvalidEventError, since a sender to this API can correct its requests.
        """
        document = json_of(unpacked(request.body))
        documents = document if isinstance(document, list) else [document]
        if not 1 <= len(documents) <= MAX_EVENTS:
            raise InvalidEventError([f"send 1 to {MAX_EVENTS} events in one request, not {len(documents)}"])
        request_id = self.scheme.covered(request).headers.get("webhook-id")
        events: list[Event] = []
        problems: list[str] = []
        for number, one in enumerate(documents):
            default_id = request_id if len(documents) == 1 else f"{request_id}/{number}"
            try:
                events.append(
                    event_from_wire(
                        one, source=self.name, received_at=now, default_id=default_id, consent_is_claimed=True
                    )
                )
            except InvalidEventError as error:
                where = f"[{number}]." if isinstance(document, list) else ""
                problems += [where + problem for problem in error.problems]
        if problems:
            raise InvalidEventError(problems)
        return Reading(tuple(events))
