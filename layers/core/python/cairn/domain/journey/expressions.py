"""Problems that the text of a JMESPath expression shows. At run time such an expression would silently be null."""

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from difflib import get_close_matches
from typing import Any

from jmespath.exceptions import JMESPathError
from jmespath.functions import Functions

from cairn.domain.event import EVENT_TYPE_SHAPE
from cairn.domain.journey import habits
from cairn.domain.journey.conditions import FUNCTION_NAMES, compiled

MessageAndFix = tuple[str, str]
"""A message and a fix."""

EVENT_FIELDS = ("id", "source", "type", "occurred_at", "properties")
ENROLLMENT_FIELDS = ("id", "key", "entered_at", "since", "values")
FIELDS = {"event": EVENT_FIELDS, "enrollment": ENROLLMENT_FIELDS}
"""The fields of the roots that we define ourselves (Event.view, Enrollment.view)."""

OWN_ARGUMENTS = {"seen": 1, "seen_since": 2, "count": 1, "days_since": 1, "hours_until": 1}
TAKES_EVENT_TYPE = frozenset({"seen", "seen_since", "count"})

ORDERS = frozenset({"lt", "lte", "gt", "gte"})
NUMBER = re.compile(r"-?[0-9]+(\.[0-9]+)?")
TAGS = ("profile", "tags")
CONSTANTS = {"true": "true", "false": "false", "null": "null", "none": "null", "nil": "null", "undefined": "null"}
SIMILAR = 0.65
"""Of names of functions: `lower` is no misspelling of `floor`."""

QUOTING = "Text stands in 'single quotes', numbers, true, false and null in `backticks`"


@dataclass(frozen=True, slots=True)
class NamesInScope:
    """The roots that an expression may use, and the most likely root of a name that has none."""

    roots: tuple[str, ...]
    default_root: str


ENTRY = NamesInScope(("event", "data", "profile"), "event.properties")
MATCH = NamesInScope(("event", "data", "profile", "enrollment"), "event.properties")
KEY = NamesInScope(("event",), "event.properties")
ANSWER = NamesInScope(("answer",), "answer")
PROFILE = NamesInScope(("profile",), "profile")
STEP = NamesInScope(("event", "data", "profile", "enrollment"), "data")


def problems_of(expression: str, scope: NamesInScope) -> list[MessageAndFix]:
    """Every problem of an expression in its scope."""
    unquoted = list(_unquoted(expression))
    if unquoted:
        return unquoted
    try:
        tree = compiled(expression).parsed
    except JMESPathError as error:
        fix = habits.of_expression(expression) or f"{QUOTING}: event.properties.amount > `5`."
        return [(f"not JMESPath: {_syntax_problem(error)}", fix)]
    return list(dict.fromkeys(_tree_problems(tree, scope)))


def _unquoted(expression: str) -> Iterator[MessageAndFix]:
    """Literals in backticks that are no JSON. JMESPath still takes them for texts, and warns."""
    for found in habits.LITERAL.findall(expression):
        inside = found[1:-1].strip()
        try:
            json.loads(inside.replace("\\`", "`") if found[0] == "`" else "null")
        except ValueError:
            constant = CONSTANTS.get(inside.lower())
            fix = f"Write `{constant}`." if constant else f"Text stands in single quotes: '{inside}'."
            yield f"{found} is neither a number nor true, false or null", fix


def _syntax_problem(error: JMESPathError) -> str:
    token, position = getattr(error, "token_value", None), getattr(error, "lex_position", None)
    if not token or position is None:
        return "it ends too soon"
    if str(getattr(error, "token_type", "")).startswith("UNCLOSED"):
        return f"the {token[0]} at column {position + 1} is not closed"
    return f"it cannot go on with {token} at column {position + 1}"


def attributes_of(expression: Any) -> set[str]:
    """The attributes of the profile that an expression names; none of a text that is not an expression."""
    paths = paths_of(tree_of(expression))
    return {str(path[1]) for path in paths if len(path) > 1 and path[0] == "profile"}


def tree_of(expression: Any) -> Any:
    """The parsed expression; None for what is none."""
    if not isinstance(expression, str) or any(_unquoted(expression)):
        return None
    try:
        return compiled(expression).parsed
    except JMESPathError:
        return None


def uses_root(expression: Any, root: str, *, with_alternative: bool = True) -> bool:
    """Whether an expression uses a root. With `with_alternative=False`, a `root.… || something` does not count.

    False for text that is not an expression.
    """
    tree = tree_of(expression)
    return any(path[0] == root for path in paths_of(tree if with_alternative else _without_alternatives(tree)))


def _without_alternatives(node: Any) -> Any:
    """The expression that remains when the left sides of `||` are null."""
    if not isinstance(node, dict):
        return node
    if node["type"] == "or_expression":
        return _without_alternatives(node["children"][-1])
    return {**node, "children": [_without_alternatives(child) for child in node["children"]]}


def _tree_problems(tree: Any, scope: NamesInScope) -> Iterator[MessageAndFix]:
    for path in paths_of(tree):
        yield from _path_problems(path, scope)
    for node in nodes_of(tree):
        if node["type"] == "function_expression":
            yield from _call_problems(node["value"], node["children"])
        elif node["type"] == "comparator" and node["value"] in ORDERS:
            yield from _order_problems(node["children"])
        elif node["type"] == "subexpression" and node["children"][0]["type"] == "not_expression":
            yield "`!` belongs to the first name alone here, so this is never true", "Write !(profile.plan)."


def _path_problems(path: tuple[str, ...], scope: NamesInScope) -> Iterator[MessageAndFix]:
    root, *rest = path
    if root.lower() in CONSTANTS and not rest:
        yield f"{root} is read as the name of a field", f"Write `{CONSTANTS[root.lower()]}` in backticks."
    elif root == "now" and not rest:
        yield "an expression cannot see the time", "Write hours_until(data.visit_at) or days_since(data.created_at)."
    elif path[:2] == TAGS and len(path) > len(TAGS):
        yield "profile.tags is a list", f"Write contains(profile.tags, '{path[2]}')."
    elif root not in scope.roots:
        known = " or ".join(f"`{name}`" for name in scope.roots)
        begins = f"{root!r} is not in scope here: an expression looks at {known}".replace("'", "`")
        end = ".".join(rest if root in {"properties", "event", "data"} and rest else path)
        text = "" if rest else f", or '{root}' in single quotes if it is a text"
        yield begins, f"Write {scope.default_root}.{end}{text}."
    elif rest and root in FIELDS and rest[0] not in FIELDS[root]:
        inside = f"properties.{'.'.join(rest)}" if root == "event" else ", ".join(FIELDS[root])
        fix = f"Write event.{inside}." if root == "event" else f"It has {inside}."
        yield f"`{root}` has no {rest[0]}", fix


def _call_problems(name: str, arguments: list[Any]) -> Iterator[MessageAndFix]:
    if name not in FUNCTION_NAMES:
        close = get_close_matches(name, FUNCTION_NAMES, n=1, cutoff=SIMILAR)
        fix = f"Did you mean {close[0]}()?" if close else "docs/journeys.md lists the functions."
        yield f"there is no function {name}()", fix
        return
    least, most = _arity(name)
    if not least <= len(arguments) <= most:
        yield (
            f"{name}() takes {least} argument{'s' * (least != 1)}, not {len(arguments)}",
            "docs/journeys.md shows each one.",
        )
    elif name in TAKES_EVENT_TYPE and arguments[0]["type"] == "literal":
        given = arguments[0]["value"]
        if not (isinstance(given, str) and EVENT_TYPE_SHAPE.fullmatch(given)):
            yield (
                f"{name}() takes an event type, not {given!r}",
                "Write object.action in lower case, such as 'trial.signup'.",
            )


def _order_problems(sides: list[Any]) -> Iterator[MessageAndFix]:
    """A number and a text have no order: at run time such a comparison is null."""
    for side in sides:
        if side["type"] == "literal" and isinstance(side["value"], str) and NUMBER.fullmatch(side["value"]):
            yield f"'{side['value']}' is a text, and no number is more or less than it", f"Write `{side['value']}`."


def _arity(name: str) -> tuple[int, float]:
    if name in OWN_ARGUMENTS:
        return OWN_ARGUMENTS[name], OWN_ARGUMENTS[name]
    signature = Functions.FUNCTION_TABLE[name]["signature"]
    variadic = bool(signature) and signature[-1].get("variadic", False)
    return len(signature), float("inf") if variadic else len(signature)


def calls_of(node: Any) -> Iterator[Any]:
    """Every call of a function, at any depth."""
    return (one for one in nodes_of(node) if one["type"] == "function_expression")


def nodes_of(node: Any) -> Iterator[Any]:
    """Every node of a tree; none of None."""
    if not isinstance(node, dict):
        return
    yield node
    for child in node["children"]:
        yield from nodes_of(child)


def paths_of(node: Any) -> Iterator[tuple[str, ...]]:
    """The chains of fields that begin at a root, each as far as it consists of plain names."""
    if not isinstance(node, dict):
        return
    children = node["children"]
    match node["type"]:
        case "field":
            yield (node["value"],)
        case "subexpression" | "index_expression":
            names: list[str] = []
            for child in children:
                if child["type"] != "field":
                    break
                names.append(child["value"])
            if names:
                yield tuple(names)
            else:  # `a[0].b` is ((a[0]).b): the first part has the root
                yield from paths_of(children[0])
        case "projection" | "value_projection" | "filter_projection" | "pipe":
            yield from paths_of(children[0])  # the rest applies to the result of the first part
        case "expref":
            return
        case _:
            for child in children:
                yield from paths_of(child)
