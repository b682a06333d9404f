"""Webhooks to other systems: changes of consent, and what journeys post (docs/webhooks-out.md).

`application/webhooks/deliver_webhook` sends and retries them.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum
from typing import Any, Self

from cairn.domain.consent.changes import ConsentChange
from cairn.domain.consent.record import ConsentRecord
from cairn.domain.consent.suppression import ALL, SuppressionChange
from cairn.domain.identity.identifiers import EMAIL, PHONE, USER_ID
from cairn.domain.profile.profile import Profile
from cairn.domain.shared.announced import AnnouncedType
from cairn.domain.shared.hashing import short_hash
from cairn.domain.shared.instants import instant_to_wire

Json = dict[str, Any]


class WebhookType(StrEnum):
    CONSENT_CHANGED = "consent.changed"
    ADDRESS_SUPPRESSED = "address.suppressed"
    ADDRESS_RELEASED = "address.released"


class _Attempted:
    """Whatever is posted, and tried again."""

    __slots__ = ()
    attempt: int
    """Failed attempts."""

    def failed(self) -> Self:
        return self._at(self.attempt + 1)

    def restarted(self) -> Self:
        return self._at(0)

    def _at(self, attempt: int) -> Self:
        return replace(self, attempt=attempt)  # type: ignore[type-var]  # each is a dataclass


@dataclass(frozen=True, slots=True)
class WebhookDelivery(_Attempted):
    """A delivery to one endpoint. It has only ids, so that no queue stores personal data."""

    id: str
    """The `webhook-id`: the same for every endpoint and every attempt."""
    endpoint: str
    customer: str
    record: str
    attempt: int = 0


@dataclass(frozen=True, slots=True)
class WebhookCall(_Attempted):
    """What a journey posts to one endpoint, whose answer it waits for."""

    id: str
    endpoint: str
    customer: str
    enrollment: str
    step: str
    type: str
    at: datetime
    until: datetime
    body: Mapping[str, Any]
    attempt: int = 0

    def payload(self) -> Json:
        return {"type": self.type, "timestamp": instant_to_wire(self.at), "data": dict(self.body)}


@dataclass(frozen=True, slots=True)
class Announcement(_Attempted):
    """An announcement, for one endpoint. It has no personal data but ids."""

    id: str
    """The `webhook-id`, as of a delivery."""
    endpoint: str
    type: AnnouncedType
    at: datetime
    data: Mapping[str, Any]
    attempt: int = 0

    def payload(self) -> Json:
        return {"type": self.type.value, "timestamp": instant_to_wire(self.at), "data": dict(self.data)}


Webhook = WebhookDelivery | WebhookCall | Announcement


def webhook_id(*about: str) -> str:
    """The same for what is about the same."""
    return "ntc_" + short_hash(*about, length=26)


def deliveries_for(customer: str, record: str, reported_by: str, endpoints: Iterable[str]) -> list[WebhookDelivery]:
    """A delivery for each endpoint, except that of the system that reported the change."""
    id_ = webhook_id(customer, record)
    return [WebhookDelivery(id_, name, customer, record) for name in endpoints if name != reported_by]


def payload(record: ConsentRecord, profile: Profile) -> Json:
    """The body. Every webhook has the same fields, and null where a field does not apply."""
    about = (
        _of_consent(record.change) if isinstance(record.change, ConsentChange) else _of_address(record.change, record)
    )
    at = instant_to_wire(record.at)
    return {
        "type": type_of(record).value,
        "timestamp": at,
        "data": {"customer": _customer(profile), **about, "at": at},
    }


def type_of(record: ConsentRecord) -> WebhookType:
    if isinstance(record.change, ConsentChange):
        return WebhookType.CONSENT_CHANGED
    return WebhookType.ADDRESS_RELEASED if record.change.mark.lifted else WebhookType.ADDRESS_SUPPRESSED


def _of_consent(change: ConsentChange) -> Json:
    return {
        "channel": change.channel.value,
        "purpose": change.purpose.value,
        "status": change.status.value,
        "method": change.evidence.get("method"),
        "cause": None,
        "address": None,
        "source": change.source,
    }


def _of_address(suppression: SuppressionChange, record: ConsentRecord) -> Json:
    return {
        "channel": suppression.channel.value,
        "purpose": suppression.mark.purpose.value if suppression.mark.purpose else ALL,
        "status": None,
        "method": None,
        "cause": suppression.mark.cause.value,
        "address": suppression.address or None,
        "source": record.reported_by,
    }


def _customer(profile: Profile) -> Json:
    view = profile.view()
    named = {name: value if isinstance(value := view.get(name), str) else None for name in (USER_ID, EMAIL, PHONE)}
    return {"cairn_id": profile.id, **named, "external_ids": view["external_ids"]}
