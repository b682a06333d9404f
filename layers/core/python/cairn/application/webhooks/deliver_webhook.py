"""Deliver a webhook, with the retries that Standard Webhooks advises; after the last it goes to the dead letters."""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from email.utils import parsedate_to_datetime
from enum import StrEnum
from hashlib import sha256
from http import HTTPStatus
from typing import Any

from cairn.application.ports import ConsentRecords, Inbox, WebhookEndpoints
from cairn.application.values.webhooks import Reply
from cairn.domain.effects import ANSWERED, REFUSED
from cairn.domain.event import Event
from cairn.domain.identity.trust import JOURNEYS_SOURCE
from cairn.domain.policy import WebhookEndpoint
from cairn.domain.shared.errors import WebhookEndpointError, WebhookUnreachableError
from cairn.domain.webhook_delivery import Announcement, Webhook, WebhookCall, payload

WAITS = (
    timedelta(seconds=5),
    timedelta(minutes=5),
    timedelta(minutes=30),
    timedelta(hours=2),
    timedelta(hours=5),
    timedelta(hours=10),
    timedelta(hours=14),
    timedelta(hours=20),
    timedelta(hours=24),
)
"""After each failed attempt. 75 hours in all, longer than a weekend (Standard Webhooks 1.0.0, "Deliverability and
reliability")."""

ATTEMPTS = len(WAITS) + 1

JITTER = 0.1
"""Share of each wait, so that deliveries which failed together are not retried together. Deterministic per attempt."""

BACK_OFF = timedelta(seconds=30)
"""Pause after an endpoint did not answer, so that it does not delay deliveries to the others."""

MAX_RETRY_AFTER = timedelta(days=1)
"""Upper bound of Retry-After."""

BACK_OFF_STATUSES = frozenset(
    {
        HTTPStatus.TOO_MANY_REQUESTS,
        HTTPStatus.BAD_GATEWAY,
        HTTPStatus.SERVICE_UNAVAILABLE,
        HTTPStatus.GATEWAY_TIMEOUT,
    },
)
"""Statuses after which the next request would fail too ("Delivery success and failure")."""


MAX_DOCUMENT = 16 * 1024
"""Bytes of an answer that a journey takes values from; a larger one counts as none."""

MAX_ANSWER = MAX_DOCUMENT + 1
"""Bytes that are read of it."""


class Outcome(StrEnum):
    """The outcome of an attempt."""

    DELIVERED = "delivered"
    PUT_OFF = "put_off"
    REFUSED = "refused"
    """A journey's call, in vain: the journey goes on by its `else`."""
    ERASED = "erased"
    """The customer was erased, and the record with it."""


class GivenUpError(WebhookEndpointError):
    """An endpoint did not accept a delivery, at the last attempt or for good."""


@dataclass(frozen=True, slots=True)
class DeliverWebhook:
    endpoints: Mapping[str, WebhookEndpoint]
    records: ConsentRecords
    client: WebhookEndpoints
    inbox: Inbox
    """For what journeys hear."""
    retry_at: Callable[[Webhook, datetime, datetime], None]
    """Queue a delivery again at an instant. Arguments: delivery, instant, now."""
    _backing_off: dict[str, datetime] = field(default_factory=dict)
    """Endpoint to the time of its next attempt, in this process."""

    def __call__(self, delivery: Webhook, now: datetime) -> Outcome:
        """One attempt. Raises WebhookEndpointError where no further one follows: it is dead-lettered.

        A journey waits for the answer to what it posts, and hears as well that there will be none.
        """
        try:
            return self._attempt(delivery, now)
        except WebhookEndpointError as error:
            if not isinstance(delivery, WebhookCall):
                raise
            self._say(delivery, REFUSED, now, because=str(error))
            return Outcome.REFUSED

    def _attempt(self, delivery: Webhook, now: datetime) -> Outcome:
        if isinstance(delivery, WebhookCall) and now >= delivery.until:
            raise GivenUpError(f"{delivery.endpoint} was not called in the time that its journey waits")
        endpoint = self.endpoints.get(delivery.endpoint)
        if endpoint is None:
            raise WebhookEndpointError(f"no webhook endpoint {delivery.endpoint} is known here")
        if now < self._backing_off.get(endpoint.name, now):
            return self._retry(delivery, "is out of order", self._backing_off[endpoint.name] - now, now)
        document = self._document(delivery)
        if document is None:
            return Outcome.ERASED
        try:
            reads = MAX_ANSWER if isinstance(delivery, WebhookCall) else 0
            reply = self.client.post(endpoint, delivery.id, document, now, reads)
        except WebhookUnreachableError as error:
            self._backing_off[endpoint.name] = now + BACK_OFF
            return self._retry(delivery, str(error), timedelta(), now)
        return self._on_reply(delivery, reply, now)

    def _document(self, delivery: Webhook) -> Mapping[str, Any] | None:
        """The body; None where the customer was erased."""
        if isinstance(delivery, Announcement):
            return delivery.payload()
        if isinstance(delivery, WebhookCall):
            return delivery.payload() if self.records.knows(delivery.customer) else None
        found = self.records.find(delivery.customer, delivery.record)
        return payload(found[1], found[0]) if found else None

    def _say(self, call: WebhookCall, type_: str, now: datetime, **more: Any) -> None:
        """The journey hears what has become of its call; more than once it is the same event."""
        properties = {"enrollment": call.enrollment, "step": call.step, **more}
        event = Event(call.id, JOURNEYS_SOURCE, type_, now, customer_id=call.customer, properties=properties)
        self.inbox.put([event])

    def _on_reply(self, delivery: Webhook, reply: Reply, now: datetime) -> Outcome:
        if HTTPStatus.OK <= reply.status < HTTPStatus.MULTIPLE_CHOICES:
            self._backing_off.pop(delivery.endpoint, None)
            if isinstance(delivery, WebhookCall):
                self._say(delivery, ANSWERED, now, status=reply.status, answer=_document_in(reply.body))
            return Outcome.DELIVERED
        if reply.status == HTTPStatus.GONE:
            raise GivenUpError(f"{delivery.endpoint} answered 410: remove it from policy.toml, or correct its URL")
        asked = _retry_after(reply, now)
        if reply.status in BACK_OFF_STATUSES:
            self._backing_off[delivery.endpoint] = now + max(asked, BACK_OFF)
        return self._retry(delivery, f"answered {reply.status}", asked, now)

    def _retry(self, delivery: Webhook, why: str, at_least: timedelta, now: datetime) -> Outcome:
        failed = delivery.failed()
        if failed.attempt >= ATTEMPTS:
            raise GivenUpError(f"{delivery.endpoint} {why}, at the last of {ATTEMPTS} attempts")
        again = now + wait_before(failed, at_least)
        if isinstance(failed, WebhookCall) and again >= failed.until:
            raise GivenUpError(f"{delivery.endpoint} {why}, at the last attempt that its journey waits for")
        self.retry_at(failed, again, now)
        return Outcome.PUT_OFF


def _document_in(body: bytes) -> Any:
    """The JSON that an endpoint has answered with; None for anything else."""
    try:
        return json.loads(body) if len(body) <= MAX_DOCUMENT else None
    except (ValueError, RecursionError):
        return None


def wait_before(delivery: Webhook, at_least: timedelta = timedelta()) -> timedelta:
    """The wait after a failed attempt."""
    digest = sha256(f"{delivery.id}/{delivery.endpoint}/{delivery.attempt}".encode()).digest()
    share = int.from_bytes(digest[:4], "big") / 2**32
    return max(WAITS[delivery.attempt - 1], at_least) * (1 + JITTER * share)


def _retry_after(reply: Reply, now: datetime) -> timedelta:
    """Retry-After (RFC 9110, 10.2.3), in seconds or as a date; zero where it is neither."""
    text = reply.retry_after.strip()
    try:
        asked = (
            timedelta(seconds=int(text)) if text.isascii() and text.isdecimal() else parsedate_to_datetime(text) - now
        )
    except (OverflowError, TypeError, ValueError):
        return timedelta()
    return min(max(asked, timedelta()), MAX_RETRY_AFTER)
