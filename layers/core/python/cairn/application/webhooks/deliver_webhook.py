"""Deliver a webhook, with the retries that Standard Webhooks advises; after the last it goes to the dead letters."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from email.utils import parsedate_to_datetime
from enum import StrEnum
from hashlib import sha256
from http import HTTPStatus

from cairn.application.ports import ConsentRecords, Reply, WebhookEndpoints
from cairn.domain.policy import WebhookEndpoint
from cairn.domain.shared.errors import WebhookEndpointError, WebhookUnreachableError
from cairn.domain.webhook_delivery import WebhookDelivery, payload

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


class Outcome(StrEnum):
    """The outcome of an attempt."""

    DELIVERED = "delivered"
    PUT_OFF = "put_off"
    ERASED = "erased"
    """The customer was erased, and the record with it."""


class GivenUpError(WebhookEndpointError):
    """An endpoint did not accept a delivery, at the last attempt or for good."""


@dataclass(frozen=True, slots=True)
class DeliverWebhook:
    endpoints: Mapping[str, WebhookEndpoint]
    records: ConsentRecords
    client: WebhookEndpoints
    retry_at: Callable[[WebhookDelivery, datetime, datetime], None]
    """Queue a delivery again at an instant. Arguments: delivery, instant, now."""
    _backing_off: dict[str, datetime] = field(default_factory=dict)
    """Endpoint to the time of its next attempt, in this process."""

    def __call__(self, delivery: WebhookDelivery, now: datetime) -> Outcome:
        """One attempt. Raises WebhookEndpointError where no further one follows: it is dead-lettered."""
        endpoint = self.endpoints.get(delivery.endpoint)
        if endpoint is None:
            raise WebhookEndpointError(f"policy.toml has no subscriber {delivery.endpoint} any more")
        if now < self._backing_off.get(endpoint.name, now):
            return self._retry(delivery, "is out of order", self._backing_off[endpoint.name] - now, now)
        found = self.records.find(delivery.customer, delivery.record)
        if found is None:
            return Outcome.ERASED
        profile, record = found
        try:
            reply = self.client.post(endpoint, delivery.id, payload(record, profile), now)
        except WebhookUnreachableError as error:
            self._backing_off[endpoint.name] = now + BACK_OFF
            return self._retry(delivery, str(error), timedelta(), now)
        return self._on_reply(delivery, reply, now)

    def _on_reply(self, delivery: WebhookDelivery, reply: Reply, now: datetime) -> Outcome:
        if HTTPStatus.OK <= reply.status < HTTPStatus.MULTIPLE_CHOICES:
            self._backing_off.pop(delivery.endpoint, None)
            return Outcome.DELIVERED
        if reply.status == HTTPStatus.GONE:
            raise GivenUpError(f"{delivery.endpoint} answered 410: remove it from policy.toml, or correct its URL")
        asked = _retry_after(reply, now)
        if reply.status in BACK_OFF_STATUSES:
            self._backing_off[delivery.endpoint] = now + max(asked, BACK_OFF)
        return self._retry(delivery, f"answered {reply.status}", asked, now)

    def _retry(self, delivery: WebhookDelivery, why: str, at_least: timedelta, now: datetime) -> Outcome:
        failed = delivery.failed()
        if failed.attempt >= ATTEMPTS:
            raise GivenUpError(f"{delivery.endpoint} {why}, at the last of {ATTEMPTS} attempts")
        self.retry_at(failed, now + wait_before(failed, at_least), now)
        return Outcome.PUT_OFF


def wait_before(delivery: WebhookDelivery, at_least: timedelta = timedelta()) -> timedelta:
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
