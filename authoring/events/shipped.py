"""Declares the events of vendors from their mappings and from what their samples become."""

import json
import re
import tomllib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC
from pathlib import Path
from typing import Any

from authoring.journeys.events import SHIPPED, EventsFile
from authoring.journeys.schema import DIALECT, Untitled
from authoring.sources.check import EXPECTED, vendors
from cairn.adapters.expressions import compiled
from cairn.adapters.sources import MAPPING, RULES, VENDORS
from cairn.domain.event import EVENT_TYPE_SHAPE, MESSAGE_EVENTS
from cairn.domain.profile.moved_appointments import FIRST, ID
from cairn.domain.shared.instants import to_instant

LONGEST_EXAMPLE = 60
"""Characters of an example, as JSON."""

WRITTEN_DATE = re.compile(r"\d{4}-\d\d-\d\d")
LITERAL = re.compile(r"'([^']+)'")

RETURNS = {
    **dict.fromkeys(("from_unix", "local_time", "seconds_after"), "date"),
    **dict.fromkeys(
        ("add", "subtract", "multiply", "divide", "seconds_between", "to_number", "sum", "length"), "number"
    ),
    **dict.fromkeys(("lower", "upper", "trim", "replace", "join", "to_string", "first_name", "last_name"), "text"),
    **dict.fromkeys(("boolean", "contains", "starts_with", "ends_with"), "boolean"),
    **dict.fromkeys(("split", "items", "keys", "values", "map", "sort", "sort_by"), "list"),
    **dict.fromkeys(("from_items", "map_values", "merge"), "object"),
    "minor_units": "amount",
}
"""What a function of a mapping gives."""

NODES = {
    "comparator": "boolean",
    "not_expression": "boolean",
    "multi_select_list": "list",
    "multi_select_dict": "object",
}


@dataclass(frozen=True, slots=True)
class Found:
    """One property of one vendor's events."""

    vendor: str
    type: str
    example: Any = None


Events = dict[str, dict[str, Any]]

BEGIN, END = "<!-- events: `python -m authoring.events` makes this table -->", "<!-- end of events -->"
MADE = "# Made by `python -m authoring.events` from the mappings and samples of the shipped sources.\n"


def documents(root: Path) -> dict[Path, str]:
    """Every file of a repository that is made of the declarations, with its content."""
    events, page = declared(), root / "docs" / "events.md"
    before, _, rest = page.read_text(encoding="utf-8").partition(BEGIN)
    schema = EventsFile.model_json_schema(schema_generator=Untitled)
    return {
        root / "authoring" / "events" / SHIPPED.name: MADE + yaml_of(events),
        root / "docs" / "events.schema.json": json.dumps({"$schema": DIALECT, **schema}, indent=2) + "\n",
        page: f"{before}{BEGIN}\n{_table(events)}\n{END}{rest.partition(END)[2]}",
    }


def _table(events: Events) -> str:
    rows = (f"| `{type_}` | {', '.join(one['sources'])} | {_with(one)} |" for type_, one in events.items())
    return "\n".join(["| event | sources | properties |", "|---|---|---|", *rows])


def _with(event: Mapping[str, Any]) -> str:
    names = [f"`{name}` {one['type']}" for name, one in event["properties"].items()]
    return ", ".join([*names, "what was sent"] if event.get("open") else names)


def declared(folder: Path = VENDORS) -> Events:
    """By type: the vendors, whether there may be other properties, and each property. Of messages Cairn says more."""
    found: dict[str, dict[str, list[Found]]] = {}
    sources: dict[str, set[str]] = {}
    open_: set[str] = set()
    for vendor in vendors(folder):
        mapping = tomllib.loads((folder / vendor / MAPPING).read_text(encoding="utf-8"))
        events = _events_of_samples(folder / vendor / EXPECTED)
        for rule in mapping.get(RULES, ()):
            for type_ in _types(rule, events):
                sources.setdefault(type_, set()).add(vendor)
                table = rule.get("properties", {})
                if isinstance(table, str):
                    open_.add(type_)
                    continue
                for name, expression in table.items():
                    values = [one["properties"].get(name) for one in events if one["type"] == type_]
                    one = _found(vendor, name, expression, values)
                    found.setdefault(type_, {}).setdefault(name, []).append(one)
        if "other" in mapping:
            own = f"{vendor.replace('-', '_')}.*"
            sources.setdefault(own, set()).add(vendor)
            open_.add(own)
    alike = _by_name(found)
    ours = sorted(type_ for type_ in sources if not type_.startswith(MESSAGE_EVENTS))
    return {type_: _declaration(sources[type_], found.get(type_, {}), alike, is_open=type_ in open_) for type_ in ours}


def _by_name(found: Mapping[str, Mapping[str, list[Found]]]) -> dict[tuple[str, str], list[Found]]:
    """What samples of other types say of a vendor's property of that name."""
    alike: dict[tuple[str, str], list[Found]] = {}
    for properties in found.values():
        for name, each in properties.items():
            for one in each:
                alike.setdefault((one.vendor, name), []).append(one)
    return alike


def yaml_of(events: Events) -> str:
    """A line for each property."""
    lines: list[str] = []
    for type_, event in events.items():
        lines += [f"{type_}:" if not type_.endswith("*") else f'"{type_}":']
        lines += [f"  sources: [{', '.join(event['sources'])}]"]
        lines += ["  open: true"] if event.get("open") else []
        lines += ["  properties:"] if event.get("properties") else []
        for name, one in event.get("properties", {}).items():
            written = {key: value for key, value in one.items() if value not in (None, [])}
            lines.append(f"    {name}: {{{', '.join(f'{key}: {_flow(value)}' for key, value in written.items())}}}")
    return "\n".join(lines) + "\n"


def _flow(value: Any) -> str:
    if isinstance(value, list) and all(isinstance(one, str) for one in value):
        return f"[{', '.join(value)}]" if all(re.fullmatch(r"[a-z-]+", one) for one in value) else json.dumps(value)
    plain = isinstance(value, str) and re.fullmatch(r"[a-z]+", value) and value not in {"true", "false", "null"}
    return value if plain else json.dumps(value, ensure_ascii=False)


def _events_of_samples(file: Path) -> list[dict[str, Any]]:
    samples = json.loads(file.read_text(encoding="utf-8")).values() if file.is_file() else ()
    return [{"type": one["type"], "properties": one.get("properties", {})} for each in samples for one in each]


def _types(rule: Mapping[str, Any], events: Iterable[Mapping[str, Any]]) -> list[str]:
    """The types of a rule's events: as it says, or as its condition, `of` and the samples do."""
    if "type" in rule:
        return [rule["type"]]
    if "type_from" not in rule:
        return []
    named = list(_results(compiled(rule["type_from"]).parsed))
    if None in named:  # a value of the body: one of those that the rule compares it with
        of = rule.get("of", ())
        texts = [one.replace("…", "*") for one in ([of] if isinstance(of, str) else of)]
        named += [*LITERAL.findall(rule["type_from"]), *LITERAL.findall(rule.get("when", "")), *texts]
        parts = {part for one in named if one and one.endswith(".*") for part in [one.removesuffix("*")]}
        named += [one["type"] for one in events if one["type"].startswith(tuple(parts))]
    shaped = (one for one in named if one and EVENT_TYPE_SHAPE.fullmatch(one.replace(".*", ".x")))
    return list(dict.fromkeys(shaped))


def _results(node: Mapping[str, Any]) -> Iterator[str | None]:
    """The texts that an expression may give; None for one that the body says."""
    match node["type"]:
        case "or_expression":
            for child in node["children"]:
                yield from _results(child)
        case "and_expression":
            yield from _results(node["children"][-1])
        case "literal":
            yield str(node["value"])
        case "function_expression" if node["value"] == "join":
            first = node["children"][1]["children"][0]
            yield f"{first['value']}.*" if first["type"] == "literal" else None
        case _:
            yield None


def _found(vendor: str, name: str, expression: str, values: list[Any]) -> Found:
    given = [value for value in values if value is not None]
    example = next((one for one in given if len(json.dumps(one)) <= LONGEST_EXAMPLE and one not in ([], {})), None)
    by_expression = _type_of(compiled(expression).parsed)
    by_values = {_type_of_value(one) for one in given}
    type_ = by_expression or (by_values.pop() if len(by_values) == 1 else "any" if by_values else "")
    return Found(vendor, type_ or ("date" if name.endswith("_at") else ""), example)


def _type_of(node: Mapping[str, Any]) -> str:
    """The type of an expression's value, by its outermost functions; empty where the body says."""
    match node["type"]:
        case "function_expression":
            return RETURNS.get(node["value"], "")
        case "and_expression":
            return _type_of(node["children"][-1])
        case "or_expression":
            left, right = (_type_of(child) for child in node["children"])
            return left if left == right or node["children"][1].get("value", "") is None else ""
        case "projection" | "filter_projection" | "flatten":
            return "list"
        case kind:
            return NODES.get(kind, "")


def _type_of_value(value: Any) -> str:
    match value:
        case bool():
            return "boolean"
        case int() | float():
            return "number"
        case str():
            is_date = WRITTEN_DATE.match(value) and to_instant(value, UTC) is not None
            return "date" if is_date else "text"
        case list():
            return "list"
        case _:
            return "object"


def _declaration(
    sources: set[str],
    properties: Mapping[str, list[Found]],
    alike: Mapping[tuple[str, str], list[Found]],
    *,
    is_open: bool,
) -> dict[str, Any]:
    declared = {}
    for name, found in sorted(properties.items()):
        said = [like for one in found for like in ([one] if one.type else alike[one.vendor, name])]
        shown = [*found, *(like for one in found for like in alike[one.vendor, name])]
        example = next((one.example for one in shown if one.example is not None), None)
        senders = sorted({one.vendor for one in found})
        declared[name] = {
            "type": _one_type(said),
            "example": example,
            "sources": senders if set(senders) != sources else [],
        }
    if ID in declared:  # Cairn adds it
        declared = dict(sorted({**declared, FIRST: {**declared[ID], "sources": []}}.items()))
    return {"sources": sorted(sources), **({"open": True} if is_open else {}), "properties": declared}


def _one_type(found: Iterable[Found]) -> str:
    """The type that all give; of money, a vendor that sends minor units needs no conversion."""
    types = {one.type for one in found} - {""}
    if types == {"amount", "number"} and all(isinstance(one.example, int | None) for one in found):
        return "amount"
    return types.pop() if len(types) == 1 else "any"
