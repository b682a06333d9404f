"""Mapping files of imports: those that ship, and those of the operator, with every problem at once."""

import tomllib
from collections.abc import Collection, Iterator, Mapping
from difflib import get_close_matches
from functools import cache
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from authoring.sources.mapping import expression_problems
from authoring.sources.unsigned import reads
from cairn.adapters.imports.mapping import STATUSES, TYPES
from cairn.domain.identity.trust import FIELDS as VOUCHED
from cairn.domain.imports.rows import Kind
from cairn.domain.shared.channels import Channel, Purpose
from cairn.domain.shared.errors import CairnError

SHIPPED = Path(__file__).parent / "mappings"

NAMES = ("user_id", "email", "phone", "external_ids")
FILE = frozenset(
    {
        "title",
        "kind",
        "needs",
        "columns",
        "nested",
        "zone",
        "day_first",
        "rows_add_up",
        "set",
        "id",
        "at",
        "vouched",
        "typed",
    }
    | {"customer", "attributes", "types", "consent", "type", "properties", "suppression"}
)
CONSENT_TEXTS = frozenset({"channel", "purpose"})
CONSENT = CONSENT_TEXTS | {*STATUSES, "channel_from", "purpose_from", "status_from", "at", "source", "evidence"}
SUPPRESSION = frozenset({"channel", "address", "key", "cause", "purpose", "at"})
EXPRESSIONS = ("id", "at", "type", "typed", "attributes", "properties", "customer", "suppression")
TABLES = ("customer", "attributes", "types", "properties", "suppression", "set")

BELONGS: Mapping[Kind, tuple[frozenset[str], frozenset[str]]] = {
    Kind.CUSTOMERS: (frozenset({"customer"}), frozenset({"type", "properties", "suppression"})),
    Kind.CONSENTS: (frozenset({"customer", "consent"}), frozenset({"type", "properties", "suppression", "attributes"})),
    Kind.EVENTS: (frozenset({"customer", "type"}), frozenset({"suppression"})),
    Kind.SUPPRESSIONS: (frozenset({"suppression"}), frozenset({"customer", "consent", "attributes", "type"})),
}
"""For each kind, what a mapping must have and what it may not have."""


class MappingProblemsError(CairnError):
    """A mapping cannot be used; the message names every problem, one a line."""

    def __init__(self, name: str, problems: list[str]) -> None:
        self.problems = tuple(problems)
        super().__init__("\n".join(f"{name}: {one}" for one in problems))


@cache
def shipped() -> dict[str, dict[str, Any]]:
    """The mappings that come with Cairn, by name."""
    return {one.stem: tomllib.loads(one.read_text(encoding="utf-8")) for one in sorted(SHIPPED.glob("*.toml"))}


def mapping_named(named: str, kind: Kind) -> dict[str, Any]:
    """A mapping that ships, or a file; without a name, Cairn's own columns. Raises MappingProblemsError."""
    name = named or f"cairn-{kind.value}"
    found = shipped().get(name)
    if found is None:
        found = _read(Path(name))
    problems = list(problems_of(found, kind))
    if problems:
        raise MappingProblemsError(name, problems)
    return found


def _read(path: Path) -> dict[str, Any]:
    if not path.is_file():
        known = [one for one in shipped() if not one.startswith("cairn-")]
        near = get_close_matches(str(path), known, 1)
        fix = f"did you mean {near[0]}?" if near else f"there are {', '.join(known)}, or name a file"
        raise MappingProblemsError(str(path), [f"no mapping has this name: {fix}"])
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except (ValueError, OSError) as error:
        raise MappingProblemsError(str(path), [f"not TOML: {error}"]) from None


def problems_of(mapping: Mapping[str, Any], kind: Kind) -> Iterator[str]:
    """Each begins with its path in the file."""
    yield from _unknown(mapping, FILE, "")
    if mapping.get("kind") != kind.value:
        yield f"kind: write kind = {kind.value!r}, or import {mapping.get('kind', 'something else')} with it"
    required, foreign = BELONGS[kind]
    yield from (f"{one}: required in an import of {kind.value}" for one in sorted(required - mapping.keys()))
    yield from (f"{one}: an import of {kind.value} has none" for one in sorted(foreign & mapping.keys()))
    for one in TABLES:
        if not isinstance(mapping.get(one, {}), Mapping) and one not in {"attributes", "properties"}:
            yield f"{one}: a table"
            return
    yield from _customer(mapping.get("customer", {}))
    for one in EXPRESSIONS:
        if one in mapping:
            yield from expression_problems(mapping[one], one)
    yield from _types(mapping.get("types", {}))
    yield from _consent(mapping.get("consent", ()))
    yield from _suppression(mapping.get("suppression"))
    yield from _rest(mapping)


def _customer(table: Mapping[str, Any]) -> Iterator[str]:
    for name in table:
        kind, _, system = name.partition(".")
        if kind not in NAMES or (system and kind != "external_ids") or ":" in system:
            yield f"customer.{name}: unknown; {_near(name, [*NAMES[:3], 'external_ids.<system>'])}"


def _types(table: Mapping[str, Any]) -> Iterator[str]:
    for name, kind in table.items():
        if kind not in TYPES:
            yield f"types.{name}: {_near(str(kind), sorted(TYPES))}"


def _consent(changes: Any) -> Iterator[str]:
    if not isinstance(changes, list | tuple):
        yield "consent: a list of tables, [[consent]]"
        return
    for number, one in enumerate(changes):
        where = f"consent[{number}]"
        yield from _unknown(one, CONSENT, f"{where}.")
        for name, known in (("channel", Channel), ("purpose", Purpose)):
            if name in one and one[name] not in set(known):
                yield f"{where}.{name}: {_near(str(one[name]), [each.value for each in known])}"
            if name not in one and f"{name}_from" not in one:
                yield f"{where}.{name}: required; or {name}_from, an expression"
        if not {*STATUSES, "status_from"} & one.keys():
            yield f"{where}: {', '.join(STATUSES)} or status_from: at least one of them"
        if ("granted" in one or "status_from" in one) and not {"at", "source", "evidence"} <= one.keys():
            lacking = ", ".join(sorted({"at", "source", "evidence"} - one.keys()))
            yield f"{where}: a granted consent needs its proof: {lacking}"
        for name in (CONSENT - CONSENT_TEXTS) & one.keys():
            yield from expression_problems(one[name], f"{where}.{name}")


def _suppression(table: Any) -> Iterator[str]:
    if not isinstance(table, Mapping):
        return
    yield from _unknown(table, SUPPRESSION, "suppression.")
    if "cause" not in table:
        yield "suppression.cause: required"
    if "key" not in table and not {"channel", "address"} <= table.keys():
        yield "suppression: channel and address are required, or the key of an export"


def _rest(mapping: Mapping[str, Any]) -> Iterator[str]:
    for name in mapping.get("vouched", ()):
        if str(name).partition(".")[0] not in VOUCHED:
            yield f"vouched: {_near(str(name), sorted(VOUCHED))}"
    if "zone" in mapping:
        try:
            ZoneInfo(mapping["zone"])
        except (ValueError, OSError, KeyError, TypeError):
            yield "zone: not an IANA name, such as Europe/Madrid"
    if not isinstance(mapping.get("day_first", False), bool):
        yield "day_first: true where 03/04/2026 is 3 April, false where it is 4 March"


def _unknown(table: Mapping[str, Any], known: Collection[str], where: str) -> Iterator[str]:
    return (f"{where}{name}: unknown; {_near(name, sorted(known))}" for name in table if name not in known)


def _near(name: str, known: Collection[str]) -> str:
    near = get_close_matches(name, known, 1)
    return f"did you mean {near[0]}?" if near else f"known are {', '.join(known)}"


def columns_read(mapping: Mapping[str, Any]) -> set[str]:
    """The columns that the expressions of a mapping read."""
    return {column for text in _expressions(mapping) for name, column in reads(text) if name == "row" and column}


def _expressions(mapping: Mapping[str, Any]) -> Iterator[str]:
    for one in EXPRESSIONS:
        yield from _texts(mapping.get(one, ()))
    for change in mapping.get("consent", ()):
        for name, value in change.items():
            if name not in CONSENT_TEXTS:
                yield from _texts(value)


def _texts(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, Mapping):
        for one in value.values():
            yield from _texts(one)


def column_problems(
    mapping: Mapping[str, Any], columns: Collection[str] | None, kind: Kind
) -> tuple[list[str], list[str]]:
    """What keeps a file with these columns from being imported, and what its operator should know."""
    if columns is None:
        return [], []
    known = set(mapping.get("columns", ())) | columns_read(mapping)
    unused = [one for one in columns if not _is_known(one, known)]
    needs = [one for one in mapping.get("needs", ()) if one not in columns]
    problems = [f"the column {one!r} is missing; {_near_column(one, unused)}" for one in needs]
    if mapping.get("nested"):
        problems += [f"the column {one!r} is unknown; {_near(one, sorted(known))}" for one in unused]
        if problems and (vendor := recognised(columns, kind)):
            return [f"these are the columns of {shipped()[vendor]['title']}: add --mapping {vendor}"], []
        return problems, []
    return problems, [f"the column {one!r} is not imported{_meant(one, known, columns)}" for one in unused]


def recognised(columns: Collection[str], kind: Kind) -> str:
    """The mapping that ships for a file with these columns; empty where there is none."""
    for name, mapping in shipped().items():
        needs = mapping.get("needs")
        if mapping["kind"] == kind.value and needs and set(needs) <= set(columns):
            return name
    return ""


def _is_known(column: str, known: Collection[str]) -> bool:
    first, dot, _ = column.partition(".")
    return column in known or bool(dot and f"{first}.*" in known)


def _near_column(name: str, unused: list[str]) -> str:
    near = get_close_matches(name.lower(), [one.lower() for one in unused], 1)
    found = next((one for one in unused if near and one.lower() == near[0]), "")
    return f"did you mean {found!r}? Rename it" if found else "is this the right mapping?"


def _meant(name: str, known: Collection[str], columns: Collection[str]) -> str:
    near = get_close_matches(name, [one for one in known if one not in columns], 1)
    return f"; did you mean {near[0]!r}?" if near else ""
