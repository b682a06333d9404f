"""What a run keeps of each item of an export: of events no properties, of messages no texts."""

import json
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from authoring.exports.spool import Raw
from authoring.quality.counting import Copied, Report
from cairn.adapters.dynamodb.codec import suppression_change_from_wire
from cairn.adapters.dynamodb.customer_state import profile_in
from cairn.adapters.dynamodb.items import (
    AUDIENCE,
    CONSENT,
    DISTINCT,
    ENTRIES,
    EVENT,
    MESSAGE,
    STATE,
    CustomerItem,
)
from cairn.domain.identity.identifiers import CUSTOMER_ID, VALUE_TAG
from cairn.domain.identity.trust import RESERVED_SOURCES
from cairn.domain.message.message import ARRIVED
from cairn.domain.shared.instants import instant_from_wire

GRACE = timedelta(days=3)
"""DynamoDB deletes what has expired "within a few days" (Developer Guide, Time to Live)."""


@dataclass(frozen=True, slots=True)
class Needed:
    pk: str
    sk: str
    text: str


def needed(item: Raw) -> Needed | None:
    """None for an item that no count needs, or that cannot be read."""
    try:
        pk, sk = item["pk"]["S"], item["sk"]["S"]
        if not CUSTOMER_ID.fullmatch(pk):
            return None
        short = _short(sk, item)
    except (AttributeError, KeyError, TypeError, ValueError):
        return None
    return None if short is None else Needed(pk, sk, json.dumps(short))


def overdue(item: Raw, at: datetime) -> tuple[str, str, str, int] | None:
    """Keys, kind and expiry, in seconds since 1970, of an item that should have been deleted."""
    try:
        expired = int(item["expires_at"]["N"])
        pk, sk = item["pk"]["S"], item["sk"]["S"]
    except (AttributeError, KeyError, TypeError, ValueError):
        return None
    kind = (sk if CUSTOMER_ID.fullmatch(pk) else pk).partition("#")[0]
    return (pk, sk, kind, expired) if expired < (at - GRACE).timestamp() else None


def _short(sk: str, item: Raw) -> Any:
    if sk == STATE or sk.startswith(ENTRIES):
        return item
    if sk.startswith((AUDIENCE, DISTINCT)):
        return "" if sk.startswith(DISTINCT) or "gsi1pk" in item else None
    if not sk.startswith((EVENT, MESSAGE, CONSENT)):
        return None
    body = json.loads(item["body"]["S"])
    if sk.startswith(EVENT):
        known = body["source"] not in RESERVED_SOURCES and "values" in body
        return [item["at"]["S"], body["source"], body["attributes"], body["values"]] if known else None
    if sk.startswith(CONSENT):
        return body.get("address")
    return [item["at"]["S"], body["channel"]] if item["status"]["S"] in set(ARRIVED) else None


@dataclass(slots=True)
class Partition:
    """A partition, folded item after item: however many events a customer has, they take no memory."""

    copied: Copied | None
    """The customer; None where the id is nobody's any more."""
    alias_of: str
    """The customer who has the id since a merge."""
    apart_from: list[str]
    """Customers who are not this one, as a person has found."""


def partition_of(items: Iterable[Needed]) -> Partition:
    """A record that cannot be read is left out. A profile that cannot be read raises whatever its reading raises."""
    state: dict[str, Raw] = {}
    copied = Copied(None)  # type: ignore[arg-type]  # the profile comes last
    apart: list[str] = []
    for one in items:
        value = json.loads(one.text)
        if one.sk == STATE or one.sk.startswith(ENTRIES):
            state[one.sk] = value
        elif one.sk.startswith(DISTINCT):
            apart.append(one.sk.removeprefix(DISTINCT))
        else:
            try:
                _fold(copied, one.sk, value)
            except (AttributeError, KeyError, TypeError, ValueError):
                continue
    head = state.get(STATE, {})
    alias = head.get("alias_of", {}).get("S", "") if "erased" not in head else ""
    there = bool(head) and "alias_of" not in head and "erased" not in head
    if there:
        copied.profile = profile_in({sk: CustomerItem.from_raw_data(dict(one)) for sk, one in state.items()})
    return Partition(copied if there else None, alias, apart)


def _fold(copied: Copied, sk: str, value: Any) -> None:
    if sk.startswith(AUDIENCE):
        copied.audiences.append(sk.removeprefix(AUDIENCE))
    elif sk.startswith(EVENT):
        at, source, names, values = value
        when = instant_from_wire(at)
        for number, name in enumerate(names):
            report = Report(when, values[number * VALUE_TAG : (number + 1) * VALUE_TAG])
            by_source = copied.reported.setdefault(name, {})
            by_source[source] = max(report, by_source.get(source, report))
    elif sk.startswith(CONSENT):
        change = suppression_change_from_wire(value)
        copied.marks.setdefault(change.channel.value, []).append(change.mark)
    else:
        at, channel = value
        when = instant_from_wire(at)
        copied.arrived[channel] = max(when, copied.arrived.get(channel, when))
