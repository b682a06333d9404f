"""What a mapping would need for what was seen of a source: a first rule in TOML, from field names alone."""

import json
import re
from collections import deque
from collections.abc import Iterator, Mapping
from typing import Any

from cairn.adapters.sources.fields import own_type
from cairn.domain.operations.seen import ANY_NAME, MORE, SeenBecause

SIMPLE = re.compile(r"[A-Za-z_][\w.]*", re.ASCII)
BARE = re.compile(r"[A-Za-z_]\w*", re.ASCII)

EMAIL = re.compile(r"(e?_?mail|email_?address|(receipt|customer|buyer|contact|billing)_?email)", re.IGNORECASE)
PHONE = re.compile(r"(phone|mobile|msisdn|(phone|mobile)_?number|(customer|buyer|contact)_?phone)", re.IGNORECASE)
PERSON = r"(customer|contact|user|client|member|buyer|subscriber|guest|patient)"
PERSON_ID = re.compile(rf"{PERSON}(_?(id|uuid|ref))?", re.IGNORECASE)
NOT_THE_CUSTOMER = re.compile(
    r"(merchant|seller|store|shop|agent|business|account|owner|vendor|organi[sz]er|sender|staff|host)s?", re.IGNORECASE
)
"""An object of this name has the address of a person at the vendor or at the shop."""

NOUN = (
    "appointment|booking|cart|charge|checkout|contract|dispute|invoice|order|payment_intent|payment|subscription"
    "|ticket|transaction"
)
REFERENCE = re.compile(rf"({NOUN})(_?id)?", re.IGNORECASE)

MAX_REFERENCES = 4

Found = tuple[str, tuple[str, ...]]


def suggestion(seen: Mapping[str, Any], mapping: Mapping[str, Any]) -> str:
    """The lines for sources.toml; comments alone where a rule cannot help. `seen` is as /manage/seen has it."""
    source, shape, counts = seen["source"], seen["shape"], seen["counts"]
    if not counts.keys() & {SeenBecause.NO_CUSTOMER, SeenBecause.NO_RULE}:
        return (
            "# Its ids are in [references], but no event that names a customer came with the same id within an hour.\n"
            "# List them in the mapping for the events that come with a customer, or switch those on at the vendor.\n"
        )
    if shape is None or not mapping:
        return "# Nothing is known of its fields: too many of its types are new, or it is not in this sources.toml.\n"
    customer = dict(_customer(shape, source)) if SeenBecause.NO_CUSTOMER in counts else {}
    references = dict(list(_references(shape))[:MAX_REFERENCES]) if SeenBecause.NO_CUSTOMER in counts else {}
    if _has_rule(seen):
        customer, references = _beside(mapping, "customer", customer), _beside(mapping, "references", references)
        return _tables(f"[{source}.", customer, references) or "# Its fields name neither a customer nor an order.\n"
    lines = [f"[[{source}.events]]", _condition(seen, mapping), f"type = {json.dumps(_type(seen))}"]
    lines.append(f"properties = {json.dumps(str(mapping.get('data', 'part')))}  # or a table of those that you need")
    return "\n".join(lines) + "\n" + _tables(f"[{source}.events.", customer, references)


def _has_rule(seen: Mapping[str, Any]) -> bool:
    """A type that is not the vendor's own was given by a rule, and needs no further one."""
    return bool(seen["type"]) and not seen["vendors_type"]


def _beside(mapping: Mapping[str, Any], table: str, found: Mapping[str, str]) -> dict[str, str]:
    """What the mapping reads for all of its events stays, and comes first."""
    there = mapping.get(table, {})
    return {name: f"({there[name]}) || {path}" if name in there else path for name, path in found.items()}


def _condition(seen: Mapping[str, Any], mapping: Mapping[str, Any]) -> str:
    other = str(mapping.get("other", ""))
    if seen["vendors_type"] and other:
        left = other if SIMPLE.fullmatch(other) else f"({other})"
        text = f"{left} == '{seen['vendors_type']}'"
        return f"when = {json.dumps(text)}"
    names = [_path((name,)) for name in seen["shape"] if name not in {ANY_NAME, MORE}][:2] if _is_object(seen) else []
    return f"when = {json.dumps(' && '.join(names) or 'part')}  # what tells it from all others?"


def _is_object(seen: Mapping[str, Any]) -> bool:
    return isinstance(seen["shape"], Mapping)


def _type(seen: Mapping[str, Any]) -> str:
    """The vendor's own words where they are `object.action` already."""
    prefix = (own_type(seen["source"], "x") or "").removesuffix("x")
    short = str(seen["type"]).removeprefix(prefix)
    return short if "." in short else str(seen["type"]) or f"{prefix}received"


def _tables(start: str, customer: Mapping[str, str], references: Mapping[str, str]) -> str:
    tables = {"customer": customer, "references": references}
    return "".join(
        "\n".join(
            [
                f"{start}{name}]",
                *(f"{json.dumps(key) if '.' in key else key} = {json.dumps(path)}" for key, path in one.items()),
            ]
        )
        + "\n"
        for name, one in tables.items()
        if one
    )


def _customer(shape: Any, source: str) -> Iterator[tuple[str, str]]:
    """The first field of each kind, of those that lie highest."""
    wanted = {"email": EMAIL, "phone": PHONE}
    for kind, pattern in wanted.items():
        found = next((path for path in _leaves(shape) if pattern.fullmatch(path[-1])), None)
        if found:
            yield kind, _path(found)
    for path in _leaves(shape):
        parent = path[-2] if len(path) > 1 else ""
        if PERSON_ID.fullmatch(path[-1]) or (path[-1] == "id" and PERSON_ID.fullmatch(parent)):
            yield f"external_ids.{source}", _path(path)
            return


def _references(shape: Any) -> Iterator[tuple[str, str]]:
    """Ids of orders and the like, each kind once."""
    seen: set[str] = set()
    for path in _leaves(shape):
        of = path[-2] if path[-1] == "id" and len(path) > 1 else path[-1]
        named = REFERENCE.fullmatch(of)
        if named and named[1].lower() not in seen:
            seen.add(named[1].lower())
            yield named[1].lower(), _path(path)


def _leaves(shape: Any) -> Iterator[tuple[str, ...]]:
    """The paths of texts and numbers, those that lie highest first; nothing of a list, or of the vendor's own side."""
    waiting: deque[tuple[tuple[str, ...], Any]] = deque([((), shape)])
    while waiting:
        path, value = waiting.popleft()
        if isinstance(value, Mapping):
            inner = [(name, one) for name, one in value.items() if name not in {ANY_NAME, MORE}]
            waiting.extend(((*path, name), one) for name, one in inner if not NOT_THE_CUSTOMER.fullmatch(name))
        elif path and value in ("string", "number"):  # no set: a list has no hash
            yield path


def _path(names: tuple[str, ...]) -> str:
    """JMESPath, from the part on."""
    return ".".join(["part", *(name if BARE.fullmatch(name) else json.dumps(name) for name in names)])
