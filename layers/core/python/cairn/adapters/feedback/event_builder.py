"""Shared by the readers of all providers: events and instants."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from cairn.domain.event import LONE_SURROGATE, MAX_ID_LENGTH, Event, event_from_wire
from cairn.domain.identity.trust import FEEDBACK_SOURCE
from cairn.domain.shared.errors import InvalidEventError
from cairn.domain.shared.hashing import short_hash
from cairn.domain.shared.instants import instant_to_wire

Report = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Origin:
    """How a report reached us."""

    now: datetime
    id: str = ""
    """The envelope's id, used where the report has none."""
    at: datetime | None = None
    """When it was posted."""


def build_event(  # noqa: PLR0913  one argument for each part of an event
    type_: str,
    origin: Origin,
    *,
    id: Sequence[Any],  # noqa: A002  the field's name
    at: datetime | None,
    customer: Report,
    properties: Report,
    consent: Sequence[Report] = (),
) -> list[Event]:
    """The event; none without a customer. Raises InvalidEventError where process_event would refuse it."""
    named = {name: value for name, value in customer.items() if value}
    if not named:
        return []
    document = {
        "id": event_id(*id),
        "type": type_,
        "occurred_at": instant_to_wire(at or origin.at or origin.now),
        "customer": named,
        "properties": {name: _whole(value) for name, value in properties.items() if value not in (None, "")},
        "consent": consent,
    }
    return [event_from_wire(document, source=FEEDBACK_SOURCE, received_at=origin.now)]


def event_id(*parts: Any) -> str:
    """The provider's id and the report's own fields; hashed where longer than an id may be."""
    if not isinstance(parts[0], str) or not parts[0]:
        raise InvalidEventError(["the provider gives no id, by which a second delivery would be known"])
    text = "/".join(str(part) for part in parts if part not in (None, ""))
    return text if len(text) <= MAX_ID_LENGTH else short_hash(text, length=26)


def from_epoch(value: Any, a_second: int = 1) -> datetime:
    """The instant of a number since 1970; `a_second` is how many of its units make a second. Raises ValueError."""
    try:
        return datetime.fromtimestamp(float(value) / a_second, UTC)
    except (OverflowError, OSError):
        raise ValueError("an instant lies between the years 1 and 9999") from None


def _whole(value: Any) -> Any:
    """Text without lone surrogates, which JSON allows and DynamoDB does not."""
    return LONE_SURROGATE.sub("\ufffd", value) if isinstance(value, str) else value
