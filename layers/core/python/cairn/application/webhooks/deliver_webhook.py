"""Notify a subscriber of one change, as often and for as long as Standard Webhooks advises; then it is parked."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from email.utils import parsedate_to_datetime
from enum import StrEnum
from hashlib import sha256
from http import HTTPStatus

from cairn.application.ports import ConsentRecords, Reply, Retries, WebhookEndpoints
from cairn.domain.policy import WebhookEndpoint
from cairn.domain.shared.errors import SubscriberError, SubscriberUnreachableError
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
"""After each attempt in vain; 75 hours in all, so that a weekend is survived (Standard Webhooks 1.0.0, "Deliverability
and reliability")."""

ATTEMPTS = len(WAITS) + 1

JITTER = 0.1
"""Of each wait, so that what failed together does not come back together; the same for the same attempt."""

REST = timedelta(seconds=30)
"""How long a subscriber that does not answer is left alone: what waits for it must not hold up the others' notices."""

MAX_RETRY_AFTER = timedelta(days=1)
"""A subscriber may ask for more; it is asked again by then."""

LEAVE_ME_ALONE = frozenset(
    {
        HTTPStatus.TOO_MANY_REQUESTS,
        HTTPStatus.BAD_GATEWAY,
        HTTPStatus.SERVICE_UNAVAILABLE,
        HTTPStatus.GATEWAY_TIMEOUT,
    },
)
"""What says that the next request would fare no better ("Delivery success and failure")."""


class Outcome(StrEnum):
    """What became of an attempt."""

    DELIVERED = "delivered"
    PUT_OFF = "put_off"
    ERASED = "erased"
    """The customer is gone, and with it what there was to tell."""


class GivenUpError(SubscriberError):
    """A subscriber has not taken a notice, at the last attempt or for good."""


@dataclass(frozen=True, slots=True)
class DeliverWebhook:
    subscribers: Mapping[str, WebhookEndpoint]
    records: ConsentRecords
    wire: WebhookEndpoints
    retries: Retries
    _resting: dict[str, datetime] = field(default_factory=dict)
    """Until when a subscriber is left alone, as far as this process knows."""

    def __call__(self, notice: WebhookDelivery, now: datetime) -> Outcome:
        """One attempt. Raises SubscriberError where there will be no further one: the notice is to be parked."""
        subscriber = self.subscribers.get(notice.subscriber)
        if subscriber is None:
            raise SubscriberError(f"policy.toml has no subscriber {notice.subscriber} any more")
        if now < self._resting.get(subscriber.name, now):
            return self._again(notice, "is out of order", self._resting[subscriber.name] - now, now)
        found = self.records.find(notice.customer, notice.record)
        if found is None:
            return Outcome.ERASED
        profile, record = found
        try:
            reply = self.wire.post(subscriber, notice.id, payload(record, profile), now)
        except SubscriberUnreachableError as error:
            self._resting[subscriber.name] = now + REST
            return self._again(notice, str(error), timedelta(), now)
        return self._heard(notice, reply, now)

    def _heard(self, notice: WebhookDelivery, reply: Reply, now: datetime) -> Outcome:
        if HTTPStatus.OK <= reply.status < HTTPStatus.MULTIPLE_CHOICES:
            self._resting.pop(notice.subscriber, None)
            return Outcome.DELIVERED
        if reply.status == HTTPStatus.GONE:
            raise GivenUpError(f"{notice.subscriber} answered 410: remove it from policy.toml, or correct its URL")
        asked = _asked_for(reply, now)
        if reply.status in LEAVE_ME_ALONE:
            self._resting[notice.subscriber] = now + max(asked, REST)
        return self._again(notice, f"answered {reply.status}", asked, now)

    def _again(self, notice: WebhookDelivery, why: str, at_least: timedelta, now: datetime) -> Outcome:
        failed = notice.failed()
        if failed.attempt >= ATTEMPTS:
            raise GivenUpError(f"{notice.subscriber} {why}, at the last of {ATTEMPTS} attempts")
        self.retries.retry_at(failed, now + wait_before(failed, at_least), now)
        return Outcome.PUT_OFF


def wait_before(notice: WebhookDelivery, at_least: timedelta = timedelta()) -> timedelta:
    """How long a notice that has failed is put off."""
    digest = sha256(f"{notice.id}/{notice.subscriber}/{notice.attempt}".encode()).digest()
    share = int.from_bytes(digest[:4], "big") / 2**32
    return max(WAITS[notice.attempt - 1], at_least) * (1 + JITTER * share)


def _asked_for(reply: Reply, now: datetime) -> timedelta:
    """Retry-After (RFC 9110, 10.2.3), in seconds or as a date; nothing where it says neither."""
    text = reply.retry_after.strip()
    try:
        asked = (
            timedelta(seconds=int(text)) if text.isascii() and text.isdecimal() else parsedate_to_datetime(text) - now
        )
    except (OverflowError, TypeError, ValueError):
        return timedelta()
    return min(max(asked, timedelta()), MAX_RETRY_AFTER)
