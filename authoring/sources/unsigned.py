"""Finds what a mapping reads that its vendor has not signed. There it would be null: the receiver hides it."""

from collections.abc import Iterator, Mapping
from typing import Any

from jmespath.exceptions import JMESPathError

from cairn.adapters.expressions import compiled
from cairn.adapters.sources.signatures import Scheme

GIVEN = ("account", "body", "digest", "fetched", "headers", "part", "query", "unsigned")
"""The names that every expression may read beside those of `[each]`; `unsigned` only a hint."""

FIRST_CHILD_ONLY = {
    *("subexpression", "index_expression", "projection", "value_projection", "filter_projection", "flatten", "pipe"),
}
"""The nodes of a JMESPath expression whose later parts read from the first, not from the scope."""


NO_EXPRESSIONS = {"title", "setup", "body", "sample_instant", "signature", "answer", "handshake", "account_in_ids"}
"""The keys of a mapping file that hold no expression."""

NAMES = {"type", "of", "channel", "purpose"}
"""The keys of rules and consent that hold no expression."""

ADDRESS = {"fetch.below", "fetch.query"}
"""What of an address is no expression."""


def unsigned_problems(mapping: Mapping[str, Any], scheme: Scheme) -> Iterator[str]:
    """Each begins with its path in the file."""
    each, hints = set(mapping.get("each", {})), set(mapping.get("hints", {}))
    for name in sorted((each | hints) & set(GIVEN)) + sorted(each & hints):
        yield f"{name}: this name has a meaning already; choose another"
    for where, expression in _signed_expressions(mapping):
        for name, _ in reads(expression):
            if name in hints or name == "unsigned":
                yield f"{where}: {name} is signed by nobody: only a rule's `hint` and the file's `only` may read it"
    for where, expression in expressions_of(mapping):
        yield from (f"{where}: {problem}" for problem in _problems(expression, scheme))
    for number, rule in enumerate(mapping.get("events", ())):
        if "hint" in rule and not {name for name, _ in reads(rule.get("when", ""))} & {"body", *each}:
            yield f"events[{number}].when: nobody signs the hint, so say here what the body must be"
    if "only" in mapping and not reads(mapping["only"]):
        yield "only: it reads nothing of the request; compare the vendor's account with yours"


def reads(expression: Any) -> set[tuple[str, str]]:
    """The names that an expression reads from its scope, each with the field after it: (`headers`, `webhook-id`)."""
    try:
        return set(_reads(compiled(expression).parsed))
    except (JMESPathError, TypeError):
        return set()


def _reads(node: Any) -> Iterator[tuple[str, str]]:
    children = [one for one in node["children"] if isinstance(one, Mapping)]
    if node["type"] == "field":
        yield node["value"], ""
    elif node["type"] in FIRST_CHILD_ONLY:
        after = children[1]["value"] if len(children) > 1 and children[1]["type"] == "field" else ""
        yield from ((name, field or after) for name, field in _reads(children[0]))
    elif node["type"] != "expref":
        for one in children:
            yield from _reads(one)


def _problems(expression: Any, scheme: Scheme) -> Iterator[str]:
    for name, field in sorted(reads(expression)):
        if name == "headers" and field and field not in scheme.signed_headers:
            known = ", ".join(scheme.signed_headers) or "none"
            yield f"headers.{field} is signed by nobody; signed are {known}; others are in unsigned.headers, for a hint"
        if name == "query" and not scheme.signs_url:
            yield "the vendor does not sign its URL; the parameters are in unsigned.query, for a hint"
    if _negates_a_name_alone(expression):
        yield "JMESPath reads !a.b as (!a).b, which is null; write !(a.b)"


def _negates_a_name_alone(expression: Any) -> bool:
    try:
        nodes = [compiled(expression).parsed]
    except (JMESPathError, TypeError):
        return False
    while nodes:
        node = nodes.pop()
        children = [one for one in node["children"] if isinstance(one, Mapping)]
        if node["type"] == "subexpression" and children[0]["type"] == "not_expression":
            return True
        nodes += children
    return False


def _signed_expressions(mapping: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """All but those that may read what nobody has signed."""
    for where, expression in expressions_of(mapping):
        if where != "only" and not where.startswith("hints.") and not where.endswith(".hint"):
            yield where, expression


def expressions_of(mapping: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """Every expression of a mapping, with its path in the file."""
    return _expressions(mapping, "")


def _expressions(value: Any, where: str) -> Iterator[tuple[str, str]]:
    if isinstance(value, Mapping):
        for name, one in value.items():
            if where or name not in NO_EXPRESSIONS:
                yield from _expressions(one, f"{where}.{name}" if where else name)
    elif isinstance(value, list):
        for number, one in enumerate(value):
            yield from _expressions(one, f"{where}[{number}]")
    elif isinstance(value, str) and where not in ADDRESS and where.rpartition(".")[2].partition("[")[0] not in NAMES:
        yield where, value
