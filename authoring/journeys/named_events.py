"""Compares what a journey and its templates say of events with what is declared of them."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from jinja2 import TemplateSyntaxError, nodes

from authoring.journeys.events import Declarations, Names
from authoring.journeys.expansion import Expansion
from authoring.journeys.source import Source
from authoring.journeys.steps import kinds_of, model_of
from authoring.journeys.templates import Part
from authoring.problems import Loc, Problem
from authoring.shape import MessageAndFix
from cairn.adapters.templates.language import environment
from cairn.domain.event import EVENT_TYPE_SHAPE
from cairn.domain.journey.definition import ANY_KEY
from cairn.domain.journey.expressions import calls_of, paths_of, tree_of

DATA, PROPERTIES = ("data",), ("event", "properties")
"""Where expressions see the properties of events."""

BY_THE_PROFILE: Mapping[str, Mapping[str, str]] = {"date": {"date": "date"}, "when": {}}
"""Entries that no event begins, by their key, and what they put into `data`."""

NAMED_BY_PEOPLE = frozenset({"set", "set_from", "context", "properties", "body", "answer"})
"""Below these keys stand names of the user's, which may be `event`."""

ABOUT_TYPES = frozenset({"seen", "seen_since", "count", "days_since"})
ABOUT_DATES = frozenset({"days_since", "hours_until"})
NO_DATES = frozenset({"text", "number", "amount", "boolean", "list", "object"})

ORDERED = {"lt": "<", "lte": "<=", "gt": ">", "gte": ">="}
EQUAL = {"eq": "==", "ne": "!="}
COMPARABLE = {"text": "text", "number": "number", "amount": "number", "boolean": "boolean"}
"""What a value is compared as. A date may be a text or a number."""

RETURNS = {
    **dict.fromkeys(("count", "length", "days_since", "hours_until", "to_number", "sum", "avg", "abs"), "number"),
    **dict.fromkeys(("to_string", "join", "type"), "text"),
    **dict.fromkeys(("seen", "seen_since", "contains", "starts_with", "ends_with"), "boolean"),
}

MONEY = frozenset({"money", "amount"})
"""The filters that write an amount with its currency."""


@dataclass(frozen=True, slots=True)
class _Seen:
    """The properties that an expression sees, by the path to them."""

    by_root: Mapping[tuple[str, ...], Names]

    def type_of(self, node: Any) -> str:
        """The declared type of what a node of an expression gives; empty where nothing says it."""
        match node["type"]:
            case "literal":
                return _type_of_literal(node["value"])
            case "function_expression":
                return RETURNS.get(node["value"], "")
            case "field" | "subexpression":
                return self.type_at(_path(node))
            case _:
                return ""

    def type_at(self, path: tuple[str, ...]) -> str:
        """The type of a property itself; of what lies inside it, nothing is declared."""
        names = self.by_root.get(path[:-1])
        return names.types.get(path[-1], "") if names else ""


@dataclass
class _Check:
    declared: Declarations
    undeclared: set[str] = field(default_factory=set)
    """Types that nothing declares, and that are like no declared one."""

    def type_problems(self, type_: Any) -> Iterator[MessageAndFix]:
        problem = self.declared.type_problem(type_)
        if problem is not None:
            yield problem
        elif isinstance(type_, str) and EVENT_TYPE_SHAPE.fullmatch(type_) and not self.declared.knows(type_):
            self.undeclared.add(type_)

    def problems(self, expression: Any, seen: _Seen, *, is_date: bool = False) -> Iterator[MessageAndFix]:
        """The problems of an expression, given the properties of its events."""
        tree = None if expression == ANY_KEY else tree_of(expression)
        if tree is None:
            return
        for path in paths_of(tree):
            root = next((one for one in seen.by_root if path[: len(one)] == one and len(path) > len(one)), ())
            if root:
                yield from self.property_problems(seen.by_root[root], root, path[len(root)])
        for call in calls_of(tree):
            yield from self.call_problems(call["value"], call["children"], seen)
        for node in _comparisons(tree):
            yield from _comparison_problems(node, seen)
        if is_date:
            yield from _no_date(tree, seen)

    def property_problems(self, names: Names, root: tuple[str, ...], name: str) -> Iterator[MessageAndFix]:
        near = names.mistake(name)
        if near is not None:
            fix = f"Did you mean {'.'.join((*root, near))}? " if near else ""
            yield f"{names.from_} has no {name}", f"{fix}{names.mend}"

    def call_problems(self, name: str, arguments: list[Any], seen: _Seen) -> Iterator[MessageAndFix]:
        if not arguments:
            return
        first, *others = arguments
        if name in ABOUT_TYPES and first["type"] == "literal":
            yield from self.type_problems(first["value"])
        dates = others[:1] if name == "seen_since" else [first] if name in ABOUT_DATES else []
        for one in dates:
            yield from _no_date(one, seen)


def types_asked_for(expression: Any, declared: Declarations) -> Iterator[MessageAndFix]:
    """The problems of the types that an expression asks for: `seen('visit.booked')`."""
    yield from _Check(declared).problems(expression, _Seen({}))


def event_problems(source: Source, written: Expansion, parts: Iterable[Part], declared: Declarations) -> list[Problem]:
    """Every problem of a journey with its events; of a document as far as it has the right shape."""
    return _checked(source, written, parts, declared)[0]


def undeclared_types(source: Source, written: Expansion, declared: Declarations) -> set[str]:
    """The types that a journey names, and that are neither declared nor like a declared one."""
    return _checked(source, written, (), declared)[1]


def _checked(
    source: Source, written: Expansion, parts: Iterable[Part], declared: Declarations
) -> tuple[list[Problem], set[str]]:
    document = written.document
    if not isinstance(document, Mapping):
        return [], set()
    check = _Check(declared)
    matches = list(_matches(document))
    entries = [one["event"] for loc, one in matches if loc[0] == "entry"]
    refreshing = [one["event"] for loc, one in matches if loc[0] == "refresh_on"]
    entry = document.get("entry")
    silent = entry.get("none_of") if isinstance(entry, Mapping) else None
    silent = silent if isinstance(silent, list) else []
    data = _data(entry, [*entries, *silent], refreshing, declared)
    waited = declared.names(one["event"] for loc, one in matches if "wait_for" in {loc[-1], *loc[-3:-2]})
    found: list[tuple[Loc, MessageAndFix]] = []
    for loc, match in matches:
        found += [((*loc, "event"), one) for one in check.type_problems(match["event"])]
        properties = declared.names([match["event"]])
        emitted = match.get("properties") if loc[-1] == "emit" else None
        for name in emitted if isinstance(emitted, Mapping) else ():
            found += [((*loc, *PROPERTIES[1:], name), one) for one in check.property_problems(properties, (), name)]
        own = _Seen({DATA: properties if loc[0] == "entry" else data, PROPERTIES: properties})
        found += [((*loc, key), one) for key in ("where", "key") for one in check.problems(match.get(key), own)]
    for index, type_ in enumerate(silent):
        found += [(("entry", "none_of", index), one) for one in check.type_problems(type_)]
    for loc, expression in _expressions(document):
        seen = _Seen({DATA: data, PROPERTIES: waited})
        found += [(loc, one) for one in check.problems(expression, seen, is_date=loc[-1] == "until")]
    problems = [
        source.problem(loc, *one) for loc, one in dict.fromkeys((written.written_at(loc), one) for loc, one in found)
    ]
    return [*problems, *(one for part in parts for one in _template_problems(part, check, data))], check.undeclared


def _data(entry: Any, beginning: Iterable[Any], refreshing: list[str], declared: Declarations) -> Names:
    """What `data` holds: the properties of the events that begin a journey and refresh it. A date has a day alone."""
    types = [one for one in beginning if isinstance(one, str)]
    if types or not isinstance(entry, Mapping) or entry.keys().isdisjoint(BY_THE_PROFILE):
        return declared.names([*types, *refreshing] if types else [])
    by = next(key for key in BY_THE_PROFILE if key in entry)
    refreshed = declared.names(refreshing)
    return Names(
        {**refreshed.types, **BY_THE_PROFILE[by]},
        refreshed.closed or not refreshing,
        " or ".join([f"an entry by `{by}`", *filter(None, [refreshed.from_])]),
        refreshed.mend if refreshing else "Read it from the profile: no event begins this journey.",
    )


def _template_problems(part: Part, check: _Check, data: Names) -> Iterator[Problem]:
    jinja = environment(escape=True)
    for text in part.texts:
        try:
            tree = jinja.parse(text)
        except TemplateSyntaxError:
            continue
        in_body = text == part.body
        for line, name, problem in _lookups(tree, check, data):
            if in_body:
                yield Problem(part.file, part.body_line + line - 1, "", "", *problem)
            else:
                yield Problem(part.file, _line_of(part, name), "", "", *problem)


def _lookups(tree: nodes.Template, check: _Check, data: Names) -> Iterator[tuple[int, str, MessageAndFix]]:
    for node in tree.find_all((nodes.Getattr, nodes.Getitem)):
        name = _property(node)
        if name:
            yield from ((node.lineno, name, one) for one in check.property_problems(data, DATA, name))
    for output in tree.find_all(nodes.Output):
        for node in output.nodes:
            yield from _amounts(node, data)


def _amounts(node: nodes.Node, data: Names) -> Iterator[tuple[int, str, MessageAndFix]]:
    """An amount of money that is written without its currency."""
    filters: list[nodes.Filter] = []
    while isinstance(node, nodes.Filter) and node.node is not None:
        filters.append(node)
        node = node.node
    name = _property(node)
    if not name or data.types.get(name) != "amount":
        return
    by_money = [one for one in filters if one.name in MONEY]
    if any(one.args or one.kwargs for one in by_money):
        return
    currency = next((one for one in (f"{name}_currency", "currency") if one in data.types), "currency")
    what = "in US dollars, whatever its currency" if by_money else "in minor units, without its currency"
    fix = f"Write {{{{ data.{name} | money(data.{currency}) }}}}."
    yield node.lineno, name, (f"data.{name} is an amount of money, and is written {what}", fix)


def _property(node: nodes.Node) -> str | None:
    """The name of a property that a template looks up in `data`."""
    root = node.node if isinstance(node, nodes.Getattr | nodes.Getitem) else None
    if not isinstance(root, nodes.Name) or root.name != "data":
        return None
    if isinstance(node, nodes.Getattr):
        return node.attr
    key = node.arg if isinstance(node, nodes.Getitem) else None
    return key.value if isinstance(key, nodes.Const) and isinstance(key.value, str) else None


def _line_of(part: Part, name: str) -> int:
    """The line of the front matter that has this name."""
    lines = part.file.read_text(encoding="utf-8").split("\n")
    return next((number for number, line in enumerate(lines, start=1) if name in line), 1)


def _comparison_problems(node: Any, seen: _Seen) -> Iterator[MessageAndFix]:
    how, sides = node["value"], node["children"]
    types = [COMPARABLE.get(type_, type_) for type_ in map(seen.type_of, sides)]
    names = [_shown(side) for side in sides]
    if how in EQUAL and types[0] != types[1] and set(types) <= set(COMPARABLE.values()):
        always = "never" if how == "eq" else "always"
        fix = "Text stands in 'single quotes', numbers, true and false in `backticks`."
        yield f"{names[0]} is a {types[0]} and {names[1]} a {types[1]}: {EQUAL[how]} is {always} true", fix
    if how not in ORDERED:
        return
    for side, name, type_, other in zip(sides, names, types, reversed(types), strict=True):
        if type_ == "boolean" or (type_ == "text" and other == "number"):  # two texts have an order
            fix = f"Write to_number({name})." if _path(side) else "Write a number in `backticks`."
            yield f"{name} is a {type_}, and {ORDERED[how]} compares numbers: this is never true", fix
            return


def _shown(node: Any) -> str:
    """A side of a comparison as messages name it."""
    if node["type"] == "function_expression":
        return f"{node['value']}()"
    return ".".join(_path(node)) or repr(node.get("value"))


def _no_date(node: Any, seen: _Seen) -> Iterator[MessageAndFix]:
    path = _path(node)
    type_ = seen.type_at(path) if path else ""
    if type_ in NO_DATES:
        article = "an" if type_[0] in "ao" else "a"
        fix = "Name a property that is a date, or declare this one as `date` in events.yaml (docs/events.md)."
        yield f"{'.'.join(path)} is {article} {type_}, and no date", fix


def _comparisons(node: Any) -> Iterator[Any]:
    if not isinstance(node, dict):
        return
    if node["type"] == "comparator":
        yield node
    if node["type"] not in {"filter_projection", "expref"}:  # inside, names are those of an item
        for child in node["children"]:
            yield from _comparisons(child)


def _path(node: Any) -> tuple[str, ...]:
    """The names of a plain path, such as data.amount; empty for anything else."""
    if node["type"] == "field":
        return (node["value"],)
    if node["type"] != "subexpression":
        return ()
    parts = [_path(child) for child in node["children"]]
    return tuple(name for part in parts for name in part) if all(parts) else ()


def _type_of_literal(value: Any) -> str:
    match value:
        case bool():
            return "boolean"
        case int() | float():
            return "number"
        case str():
            return "text"
        case _:
            return ""


def _matches(document: Mapping[str, Any]) -> Iterator[tuple[Loc, Mapping[str, Any]]]:
    """Whatever names an event by its type."""
    for loc, one in _mappings(document, ()):
        if isinstance(one.get("event"), str) and loc and not NAMED_BY_PEOPLE.intersection(loc):
            yield loc, one


def _expressions(document: Mapping[str, Any]) -> Iterator[tuple[Loc, Any]]:
    for loc, one in _mappings(document, ()):
        for kind in kinds_of(one) if "id" in one else ():
            for rest, expression in model_of(kind).expressions(one[kind]):
                yield (*loc, kind, *rest), expression


def _mappings(value: Any, loc: Loc) -> Iterator[tuple[Loc, Mapping[str, Any]]]:
    if isinstance(value, Mapping):
        yield loc, value
    items = value.items() if isinstance(value, Mapping) else enumerate(value) if isinstance(value, list) else ()
    for key, one in items:
        yield from _mappings(one, (*loc, key))
