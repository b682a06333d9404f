"""What sources send that reaches no customer, or for which no mapping has a rule: counted by source and type.

Of a body, its shape is stored: the names of fields and their JSON types. No value is, so no personal data.
"""

import re
from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

MAX_SHAPE = 2_048
"""Bytes of a shape as JSON. The fields that lie deepest are left out first."""

PER_FIELD, PER_OBJECT = 16, 32
"""Bytes that a field takes beside its name: quotes, brackets and its type; and an object, with what it leaves out."""

MORE = "…"
"""The name under which an object says how many fields are left out."""

ANY_NAME = "*"
"""Stands for a name that may be a person's data, or one of very many: an address, a number, an id, a sentence."""

FIELD_NAME = re.compile(r"[A-Za-z_$][\w$.:-]{0,63}", re.ASCII)
VENDORS_TYPE = re.compile(r"[A-Za-z][\w./:-]{0,99}", re.ASCII)

MAX_DIGITS = 3
"""Digits in the name of a field (`address_line_2`); one with more is an id."""


class SeenBecause(StrEnum):
    """Why something is listed."""

    NO_CUSTOMER = "no_customer"
    """It names nobody, so that no event follows from it."""
    NO_RULE = "no_rule"
    """No rule of the mapping is true of it. Where it names a customer, it is an event with what the vendor sent."""
    UNKNOWN_REFERENCE = "unknown_reference"
    """It has only ids of orders and the like, and no customer was seen with them in time."""


@dataclass(frozen=True, slots=True)
class Seen:
    source: str
    type: str
    """Of the event that it is, or would be; empty where the vendor gives no type."""
    because: SeenBecause
    shape: Any = None
    """Of the part of the body. None: unknown."""
    vendors_type: str = ""
    """In the vendor's own words, where no rule applies."""
    count: int = 1


@dataclass(frozen=True, slots=True)
class SeenType:
    """All that was counted of a type of one source."""

    source: str
    type: str
    counts: Mapping[SeenBecause, int]
    first_at: datetime
    last_at: datetime
    shape: Any = None
    """Of the latest that had one."""
    vendors_type: str = ""


def vendors_type_of(value: Any) -> str:
    """A vendor's type as it may be stored; empty for what does not look like one."""
    named = isinstance(value, str) and VENDORS_TYPE.fullmatch(value) and _digits(value) <= MAX_DIGITS
    return value if named else ""


def shape_of(document: Any) -> Any:
    """`{"id": "number", "buyer": {"email": "string"}, "items": [{"sku": "string"}]}`; of a list, its first item."""
    holder: dict[str, Any] = {}
    left = MAX_SHAPE - PER_OBJECT
    waiting: deque[tuple[Any, Any, Any]] = deque([(document, holder, "")])
    while waiting:
        value, parent, key = waiting.popleft()
        if isinstance(value, Mapping) and left >= PER_OBJECT:
            left -= PER_OBJECT
            inner: dict[str, Any] = {}
            parent[key] = inner
            for number, (name, one) in enumerate(value.items()):
                shown = _shown(name)
                left -= len(shown) + PER_FIELD
                if left < 0:
                    inner[MORE] = f"{len(value) - number} more"
                    left = 0
                    break
                inner[shown] = _kind(one)  # in the order of the body; replaced below where there is room
                waiting.append((one, inner, shown))
        elif isinstance(value, list) and left >= PER_OBJECT:
            left -= PER_OBJECT
            parent[key] = [_kind(value[0])] if value else []
            waiting.extend((one, parent[key], 0) for one in value[:1])
        else:
            parent[key] = _kind(value)
    return holder[""]


def _shown(name: str) -> str:
    return name if FIELD_NAME.fullmatch(name) and _digits(name) <= MAX_DIGITS else ANY_NAME


def _digits(text: str) -> int:
    return sum(one.isdigit() for one in text)


def _kind(value: Any) -> str:
    match value:
        case None:
            return "null"
        case bool():
            return "boolean"
        case str():
            return "string"
        case Mapping():
            return "object"
        case list():
            return "array"
        case _:
            return "number"
