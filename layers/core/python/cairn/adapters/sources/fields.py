"""The parts of a canonical event, read from a vendor's request."""

import re
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC
from typing import Any

from cairn.adapters.expressions import is_true, pick
from cairn.domain.event import EVENT_TYPE_SHAPE
from cairn.domain.shared.hashing import short_hash
from cairn.domain.shared.instants import instant_to_wire, to_instant

Scope = Mapping[str, Any]

NO_INSTANT = "not an instant"
"""Refused by the reader of events, which names the field."""

ID_LENGTH = 32

STATUSES = ("denied", "granted", "pending")
"""The statuses of a consent; where several are true, the first counts."""

MAX_TYPE_LENGTH = 100


def event_id(expressions: str | Sequence[str], scope: Scope) -> str:
    """The id that deduplicates the event: a hash of several expressions, or of the body where all are empty."""
    if isinstance(expressions, str):
        return _text(pick(expressions, scope)) or scope["digest"]
    parts = [_text(pick(one, scope)) for one in expressions]
    return short_hash(*parts, length=ID_LENGTH) if any(parts) else scope["digest"]


def customer(fields: Mapping[str, str], scope: Scope) -> dict[str, Any]:
    """The customer's identifiers; may be empty."""
    found: dict[str, Any] = {}
    external: dict[str, str | list[str]] = {}
    for name, expression in fields.items():
        value = pick(expression, scope)
        kind, _, system = name.partition(".")
        if name == "external_ids" and isinstance(value, Mapping):
            external |= {str(system): text for system, one in value.items() if (text := _text(one))}
        elif system and isinstance(value, list):  # ids of one person, by the vendor's word
            external |= {system: texts} if (texts := [text for one in value if (text := _text(one))]) else {}
        elif text := _text(value):
            external.update({system: text}) if system else found.update({kind: text})
    return found | ({"external_ids": external} if external else {})


def references(fields: Mapping[str, str], scope: Scope) -> dict[str, list[str]]:
    """The ids of what the event is about, by kind, with the vendor's account in front where it names one."""
    account = _text(scope["account"])
    found = {}
    for kind, expression in fields.items():
        value = pick(expression, scope)
        texts = [text for one in (value if isinstance(value, list) else [value]) if (text := _text(one))]
        found[kind] = [f"{account}:{text}" if account else text for text in texts]
    return {kind: texts for kind, texts in found.items() if texts}


def with_account(customer: Mapping[str, Any], account: Any) -> dict[str, Any]:
    """With the vendor's account in front of each external id: two accounts may both have a customer 501."""
    external = customer.get("external_ids")
    if not external or not (text := _text(account)):
        return dict(customer)
    return {
        **customer,
        "external_ids": {
            system: [f"{text}:{one}" for one in ids] if isinstance(ids, list) else f"{text}:{ids}"
            for system, ids in external.items()
        },
    }


def values(fields: str | Mapping[str, str], scope: Scope) -> dict[str, Any]:
    """Properties or attributes: one expression for each name, or one expression for all of them."""
    if isinstance(fields, str):
        found = pick(fields, scope)
        return dict(found) if isinstance(found, Mapping) else {}
    return {name: pick(expression, scope) for name, expression in fields.items()}


def known_values(fields: str | Mapping[str, str], scope: Scope) -> dict[str, Any]:
    return {name: value for name, value in values(fields, scope).items() if value is not None}


def consent(changes: str | Sequence[Mapping[str, Any]], scope: Scope) -> Any:
    """The consent changes that are true, or the value of one expression in the canonical event's shape."""
    return pick(changes, scope) if isinstance(changes, str) else list(_changes(changes, scope))


def _changes(changes: Sequence[Mapping[str, Any]], scope: Scope) -> Iterator[dict[str, Any]]:
    for one in changes:
        status = next((status for status in STATUSES if status in one and is_true(one[status], scope)), None)
        if status is None:
            continue
        change = known_values(one.get("evidence", {}), scope)
        change |= {"channel": one["channel"], "purpose": one["purpose"], "status": status}
        at = instant(pick(one["at"], scope)) if "at" in one else None
        yield change | ({"at": at} if at else {})


def vouched(fields: Mapping[str, Any], scope: Scope) -> frozenset[str]:
    """The fields that the vendor vouches for in this event: those that are true, and the named parts of others."""
    found = {
        name for name, value in fields.items() if value is True or (isinstance(value, str) and is_true(value, scope))
    }
    parts = {f"{name}.{part}" for name, value in fields.items() if isinstance(value, list) for part in value}
    return frozenset(found | parts)


def instant(value: Any) -> str | None:
    """The instant as ISO 8601; None where the vendor gives none, and NO_INSTANT where it cannot be read."""
    if value is None or isinstance(value, bool | list | dict) or (isinstance(value, str) and not value.strip()):
        return None
    found = to_instant(value, UTC)
    return instant_to_wire(found) if found else NO_INSTANT


def own_type(source: str, vendors_type: Any) -> str | None:
    """`<source>.<the vendor's type>` in the shape of our types; None where the vendor gives no type."""
    words = _words(source)
    found = _words(vendors_type) if isinstance(vendors_type, str) else []
    return ".".join([*words, *found])[:MAX_TYPE_LENGTH].rstrip("._") if found else None


def canonical_type(value: Any) -> str | None:
    """A type that is already in the shape of ours."""
    return value if isinstance(value, str) and EVENT_TYPE_SHAPE.fullmatch(value) else None


def _words(text: str) -> list[str]:
    """`contact.propertyChange` and `orders/create` become [contact, property_change] and [orders, create]."""
    snake = re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", text).lower()
    words = [re.sub(r"[^a-z0-9]+", "_", one).strip("_") for one in re.split(r"[./:]+", snake)]
    return [one if one[0].isalpha() else f"n{one}" for one in words if one]


def _text(value: Any) -> str:
    """A name or id as text; long numbers digit by digit. Anything else is empty."""
    if isinstance(value, bool) or not isinstance(value, str | int):
        return ""
    return str(value).strip()
