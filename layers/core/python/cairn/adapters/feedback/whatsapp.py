"""WhatsApp through End User Messaging Social: Meta's webhook entry as a text in AWS's own document.

The entry is Meta's own, so the mapping of Meta's webhooks (adapters/sources/whatsapp) says what it means: a reply is a
reply on both ways. Of ours are the id of the message, which Meta returns, and the ids of the events.

https://docs.aws.amazon.com/social-messaging/latest/userguide/managing-event-destination-dlrs.html
"""

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime
from functools import cache
from typing import TYPE_CHECKING, Any

from cairn.adapters.feedback.event_builder import Origin, Report, build_event
from cairn.domain.consent.keywords import keyword_of
from cairn.domain.event import Event, event_to_wire
from cairn.domain.shared.errors import InvalidEventError
from cairn.domain.shared.instants import instant_from_wire

if TYPE_CHECKING:
    from cairn.adapters.sources.mapped import MappedSource
    from cairn.application.events.accept_webhook import Reading

LISTS = ("statuses", "messages", "user_preferences")
"""The lists of Meta's documents, in the order of their events."""

CALLBACK = re.compile(r"(c_\w+)/([\w.-]+)")
"""`<customer>/<message>`, set by end_user_messaging.py; Meta returns it with each status."""


def read(report: Report, origin: Origin) -> list[Event]:
    """Statuses, messages and preferences, in the order of the report."""
    posted = instant_from_wire(report["message_timestamp"]) if report.get("message_timestamp") else origin.at
    origin = Origin(origin.now, report.get("messageId") or origin.id, posted)
    return [event for item, change in _items(_changes(report)) for event in _event(item, change, origin)]


def account_alarms(report: Report) -> list[Mapping[str, Any]]:
    """What Meta says about the account, its numbers and templates: the `alarms` of the mapping."""
    news = [change for change in _changes(report) if not any(change["value"].get(name) for name in LISTS)]
    return list(_reading(news, datetime.now(UTC)).alarms) if news else []


def _changes(report: Report) -> list[Report]:
    entry = report["whatsAppWebhookEntry"]
    entry = json.loads(entry) if isinstance(entry, str) else entry
    changes: list[Report] = entry["changes"]
    return changes


def _items(changes: Sequence[Report]) -> Iterator[tuple[Report, Report]]:
    """Each item with the change in which it stands alone, so that its events are known by it."""
    for change in changes:
        around = {name: value for name, value in change["value"].items() if name not in LISTS}
        for name in LISTS:
            for item in change["value"].get(name) or ():
                yield item, {**change, "value": {**around, name: [item]}}


def _event(item: Report, change: Report, origin: Origin) -> list[Event]:
    """As the mapping reads the item, with our ids. Raises InvalidEventError, and KeyError for an item without an id."""
    own = () if "category" in item else (item["id"], item.get("status"))
    reading = _reading([change], origin.now)
    if reading.problems:
        raise InvalidEventError(list(reading.problems))
    callback = CALLBACK.fullmatch(str(item.get("biz_opaque_callback_data")))
    customer, message = callback.groups() if callback else ("", "")
    return [
        ours
        for event in reading.events
        for ours in build_event(
            event.type,
            origin,
            id=own or _id_of_preference(item, event, origin),
            at=event.occurred_at if item.get("timestamp") else None,
            customer={"cairn_id": customer} if customer else event_to_wire(event)["customer"],
            properties={"message_id": message, **event.properties, "keyword": _keyword(event)},
            consent=[{**one, "source": None} for one in event_to_wire(event)["consent"]],
        )
    ]


def _id_of_preference(item: Report, event: Event, origin: Origin) -> tuple[Any, ...]:
    """Meta gives it none."""
    return (event.properties["address"], item["category"], item.get("value"), item.get("timestamp") or origin.id)


def _keyword(event: Event) -> str | None:
    return keyword_of(str(event.properties.get("text") or "")) if event.type == "message.replied" else None


def _reading(changes: Sequence[Report], now: datetime) -> "Reading":
    from cairn.application.events.accept_webhook import Request  # noqa: PLC0415  as below

    body = json.dumps({"entry": [{"changes": changes}]}).encode()
    return _mapping().read(Request("", {}, body), now)


@cache
def _mapping() -> "MappedSource":
    """As it ships: sources.toml configures what Meta itself posts."""
    from cairn.adapters.sources import sources  # noqa: PLC0415  few deployments have WhatsApp
    from cairn.adapters.sources.mapped import MappedSource  # noqa: PLC0415

    source = sources()["whatsapp"]
    assert isinstance(source, MappedSource)  # noqa: S101  for mypy
    return source
