"""Finds every problem of a mapping file at once. It never ships: the receiver trusts its mappings."""

import re
from collections.abc import Iterator, Mapping
from difflib import get_close_matches
from typing import Any

from jmespath.exceptions import JMESPathError

from authoring.sources.unsigned import expressions_of, reads, unsigned_problems
from cairn.adapters.expressions import FUNCTIONS, compiled
from cairn.adapters.sources.fields import STATUSES
from cairn.adapters.sources.mapped import MappedSource
from cairn.adapters.sources.signed_text import InvalidSourceError
from cairn.domain.event import EVENT_TYPE_SHAPE, OWN_TYPES
from cairn.domain.identity.trust import FIELDS as VOUCHED_FIELDS
from cairn.domain.shared.channels import Channel, Purpose

TEXTS = {"title", "setup", "body", "sample_instant"}
TABLES = {"signature", "answer", "handshake", "fetch"}
EXPRESSIONS = {
    "id",
    "occurred_at",
    "other",
    "data",
    "each",
    "customer",
    "references",
    "attributes",
    "only",
    "account",
    "hints",
}
FILE = TEXTS | TABLES | EXPRESSIONS | {"alarms", "events", "consent", "vouched", "account_in_ids"}
ALARM = {"when", "about"}
FETCH = {"when", "below", "path", "query"}
FETCH_EXPRESSIONS = {"when", "path"}
BEFORE_IT_IS_FETCHED = {"fetch", "only", "account", "each", "hints", "id", "occurred_at"}
HANDSHAKE = {"token", "challenge", "when", "answer", "hmac", "signed", "body"}
RULE_EXPRESSIONS = {
    "hint",
    "when",
    "type_from",
    "id",
    "occurred_at",
    "customer",
    "references",
    "properties",
    "attributes",
}
RULE = RULE_EXPRESSIONS | {"type", "of", "consent", "vouched"}
CONSENT_EXPRESSIONS = {*STATUSES, "at", "evidence"}
CONSENT = CONSENT_EXPRESSIONS | {"channel", "purpose"}


def problems(name: str, mapping: Mapping[str, Any]) -> list[str]:
    """Each begins with its path in the file. Without any, the file can be deployed."""
    found = [f"{one}: required" for one in ("signature", "id", "occurred_at") if one not in mapping]
    if not found:
        try:
            source = MappedSource.made_from(name, mapping)
            found += unsigned_problems(mapping, source.scheme)
        except InvalidSourceError as error:
            found.append(f"signature: {error}")
    found += _unknown(mapping, FILE, "")
    for one in EXPRESSIONS & set(mapping):
        found += expression_problems(mapping[one], one)
    found += _handshake(mapping.get("handshake", {}))
    found += _fetch(mapping)
    found += _consent(mapping.get("consent", ()), "consent")
    found += _vouched(mapping.get("vouched", {}), "vouched")
    for number, alarm in enumerate(mapping.get("alarms", ())):
        found += _alarm(alarm, f"alarms[{number}]")
    for number, rule in enumerate(mapping.get("events", ())):
        found += _rule(rule, f"events[{number}]")
    return found


def _handshake(table: Mapping[str, Any]) -> Iterator[str]:
    yield from _unknown(table, HANDSHAKE, "handshake.")
    for one in {"when", "answer", "hmac"} & set(table):
        yield from expression_problems(table[one], f"handshake.{one}")
        for expression in table[one].values() if isinstance(table[one], Mapping) else [table[one]]:
            for name in sorted({name for name, _ in reads(expression)} - {"body"}):
                yield f"handshake.{one}: {name} is unknown: a challenge is read from the body alone"


def _fetch(mapping: Mapping[str, Any]) -> Iterator[str]:
    """`fetched` is there once the file's own keys have said which part is whose, and when it happened."""
    table = mapping.get("fetch", {})
    yield from _unknown(table, FETCH, "fetch.")
    for one in FETCH_EXPRESSIONS & set(table):
        yield from expression_problems(table[one], f"fetch.{one}")
    readers = [where for where, one in expressions_of(mapping) if "fetched" in {name for name, _ in reads(one)}]
    for where in readers:
        if re.split(r"[.\[]", where)[0] in BEFORE_IT_IS_FETCHED:
            yield f"{where}: fetched is not there yet: read it from the body"
    if readers and not table:
        yield "fetch: required: rules read fetched"


def _alarm(alarm: Mapping[str, Any], where: str) -> Iterator[str]:
    yield from _unknown(alarm, ALARM, f"{where}.")
    yield from (f"{where}.{one}: required" for one in sorted(ALARM - set(alarm)))
    for one in ALARM & set(alarm):
        yield from expression_problems(alarm[one], f"{where}.{one}")


def _rule(rule: Mapping[str, Any], where: str) -> Iterator[str]:
    yield from _unknown(rule, RULE, f"{where}.")
    if "when" not in rule:
        yield f"{where}.when: required: which events the rule is for"
    if "type" in rule and not EVENT_TYPE_SHAPE.fullmatch(str(rule["type"])):
        yield f"{where}.type: use object.action in lower case, such as order.created"
    if rule.get("type") in OWN_TYPES:
        yield f"{where}.type: {rule['type']} is one of Cairn's own events; choose another name"
    for one in RULE_EXPRESSIONS & set(rule):
        yield from expression_problems(rule[one], f"{where}.{one}")
    yield from _consent(rule.get("consent", ()), f"{where}.consent")
    yield from _vouched(rule.get("vouched", {}), f"{where}.vouched")


def _vouched(table: Any, where: str) -> Iterator[str]:
    if not isinstance(table, Mapping):
        yield f"{where}: a table of what the vendor answers for, such as email = true"
        return
    for name, value in table.items():
        field, _, part = name.partition(".")
        if field not in VOUCHED_FIELDS or (part and field not in {"attributes", "external_ids"}):
            yield f"{where}.{name}: unknown; known are {', '.join(sorted(VOUCHED_FIELDS))}, external_ids.<system>"
        elif isinstance(value, list) and field in {"attributes", "external_ids"}:
            yield from (f"{where}.{name}: a list of names" for one in value if not isinstance(one, str))
        elif isinstance(value, str):
            yield from expression_problems(value, f"{where}.{name}")
        elif not isinstance(value, bool):
            yield f"{where}.{name}: true, false, an expression, or for attributes a list of their names"


def _consent(changes: Any, where: str) -> Iterator[str]:
    if isinstance(changes, str):
        yield from expression_problems(changes, where)
        return
    for number, change in enumerate(changes):
        path = f"{where}[{number}]"
        yield from _unknown(change, CONSENT, f"{path}.")
        for one, known in (("channel", Channel), ("purpose", Purpose)):
            if change.get(one) not in set(known):
                yield f"{path}.{one}: one of {', '.join(known)}"
        if not set(STATUSES) & set(change):
            yield f"{path}: {', '.join(STATUSES)}: at least one of them, when it is so"
        for one in CONSENT_EXPRESSIONS & set(change):
            yield from expression_problems(change[one], f"{path}.{one}")


def expression_problems(value: Any, where: str) -> Iterator[str]:
    """The problems of an expression, or of all of a table or a list."""
    if isinstance(value, Mapping):
        for name, one in value.items():
            yield from expression_problems(one, f"{where}.{name}")
    elif isinstance(value, list):
        for number, one in enumerate(value):
            yield from expression_problems(one, f"{where}[{number}]")
    else:
        try:
            parsed = compiled(value).parsed
        except (JMESPathError, TypeError) as error:
            yield f"{where}: not a JMESPath expression: {str(error).splitlines()[0]}"
            return
        yield from (f"{where}: {problem}" for problem in _calls(parsed))


def _calls(node: Mapping[str, Any]) -> Iterator[str]:
    """The functions that do not exist, and those that get too many or too few values: always null."""
    if node["type"] == "function_expression":
        name, given = node["value"], len(node["children"])
        signature = FUNCTIONS.get(name, {}).get("signature", ())
        variadic = bool(signature) and bool(signature[-1].get("variadic"))
        if name not in FUNCTIONS:
            near = get_close_matches(name, FUNCTIONS, 1)
            yield f"no function is called {name}" + (f"; did you mean {near[0]}?" if near else " (docs/sources.md)")
        elif given < len(signature) or (given > len(signature) and not variadic):
            yield f"{name} takes {len(signature)} values, not {given}"
    for child in node["children"]:
        if isinstance(child, Mapping):
            yield from _calls(child)


def _unknown(table: Mapping[str, Any], known: set[str], where: str) -> Iterator[str]:
    return (f"{where}{name}: unknown; known are {', '.join(sorted(known))}" for name in table if name not in known)
