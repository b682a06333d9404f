"""leads.toml: checked, and compiled to the document that the functions read. A deployment may have none."""

import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from difflib import get_close_matches
from pathlib import Path
from typing import Any

from authoring.compiled import texts_in, write_or_remove
from authoring.journeys.events import Declarations
from authoring.journeys.named_events import types_asked_for
from authoring.leads.models import BY_TABLE, LeadsFile, watched
from authoring.policy.shape import notation_of, shape_problems
from authoring.policy.source import Source, read_toml
from authoring.problems import InvalidFilesError, Loc, Problem, did_you_mean
from cairn.domain.journey import expressions
from cairn.domain.lead.rules import OWN_EVENTS
from cairn.domain.profile.lead import LEAD_NAMES, LIFETIME_VALUE, STAGE, STAGES

Row = Mapping[str, Any]
Finding = tuple[Loc, str, str]

PAGE = "docs/people.md"
PEOPLE = "people.toml"
NOTATION = notation_of(PAGE, BY_TABLE)
NAMED_BY = {"groups": "group", "points": "rule", "categories": "category", "pipelines": "pipeline"}
"""The key that names a row, of which there is one of each name."""

CONDITIONAL = ("points", "tags")


class InvalidLeadsError(InvalidFilesError):
    """leads.toml cannot be compiled."""


def leads_of(policy: Path) -> Path:
    """Where leads.toml lies, if there is one: beside the policy."""
    return policy.with_name("leads.toml")


def check_leads(
    file: Path, journeys: Iterable[Row] | None = None, declared: Declarations | None = None
) -> list[Problem]:
    """Every problem of the file, in order; none where there is no file. The compiled `journeys` fit to it.

    It names only events that are `declared`, and queues of the people.toml beside it, where there is one.
    """
    try:
        compile_leads(file, journeys, declared)
    except InvalidLeadsError as error:
        return list(error.problems)
    return []


def write_leads(file: Path, target: Path, journeys: Iterable[Row] | None = None) -> None:
    """Compile to a JSON file that the functions read; without the file there is none. Raises InvalidLeadsError."""
    write_or_remove(compile_leads(file, journeys), target)


def compile_leads(
    file: Path, journeys: Iterable[Row] | None = None, declared: Declarations | None = None
) -> dict[str, Any] | None:
    """The document of `cairn.adapters.documents.leads`; None where there is no file. Raises InvalidLeadsError."""
    if not file.exists():
        return None
    source = read_toml(file, PAGE)
    if isinstance(source, Problem):
        raise InvalidLeadsError([source])
    journeys = None if journeys is None else list(journeys)
    problems, broken = shape_problems(source, LeadsFile, NOTATION)
    source = replace(source, broken=broken)
    found = [*_findings(source, journeys or []), *_undeclared(source, declared), *_unknown_queues(source)]
    problems += [source.problem(*finding) for finding in found]
    if problems:
        raise InvalidLeadsError(set(problems))
    document: dict[str, Any] = json.loads(json.dumps(source.data))
    stages = [stage for row in document.get("pipelines", ()) for stage in row["stages"]]
    for row in (*(row for table in CONDITIONAL for row in document.get(table, ())), *stages):
        if "event" not in row:
            row["watches"] = sorted(watched(row["when"]))
    if journeys is not None:
        named = {text for one in journeys for text in texts_in(one["document"])}
        document["says"] = sorted(OWN_EVENTS & named)
    return document


def _findings(source: Source, journeys: list[Row]) -> Iterator[Finding]:
    yield from _twice(source)
    groups = [row["group"] for _, row in source.rows("groups")]
    for loc, row in source.rows("points"):
        if row["group"] not in groups:
            fix = did_you_mean(row["group"], groups, f'Add [[groups]] with group = "{row["group"]}".')
            yield (*loc, "group"), f"there is no group {row['group']}", fix
    for loc, row in source.rows("pipelines"):
        yield from _stages(loc, row)
    for one in journeys:
        yield from _journey(source, one)


def _undeclared(source: Source, declared: Declarations | None) -> Iterator[Finding]:
    """Events that the rules name and nothing declares, where that is a mistake."""
    for loc, row in _rules(source) if declared is not None else ():
        for key in ("event", "goal"):
            named = row.get(key)
            for type_ in named if isinstance(named, list) else [named]:
                if declared is not None and (problem := declared.type_problem(type_)) is not None:
                    yield (*loc, key), *problem
        for problem in types_asked_for(row.get("when"), declared) if declared is not None and "when" in row else ():
            yield (*loc, "when"), *problem


def _rules(source: Source) -> Iterator[tuple[Loc, Row]]:
    """All rows that name events or conditions, the stages of the pipelines among them."""
    for table in BY_TABLE:
        for loc, row in source.rows(table) if isinstance(source.data.get(table), list) else ():
            yield loc, row
            for index, stage in enumerate(row.get("stages", ()) if table == "pipelines" else ()):
                yield (*loc, "stages", index), stage


def _unknown_queues(source: Source) -> Iterator[Finding]:
    """Queues of stages that the people.toml beside this file does not have."""
    people = read_toml(source.file.with_name(PEOPLE)) if source.file.with_name(PEOPLE).is_file() else None
    queues = people.data.get("queues", {}) if isinstance(people, Source) else None
    for loc, stage in _rules(source) if isinstance(queues, Mapping) else ():
        queue = stage.get("queue")
        if isinstance(queue, str) and queue not in (queues or ()):
            fix = did_you_mean(queue, queues or (), f"Add [queues.{queue}] to {PEOPLE}.")
            yield (*loc, "queue"), f'{PEOPLE} has no queue "{queue}"', fix


def _twice(source: Source) -> Iterator[Finding]:
    for table, key in NAMED_BY.items():
        seen = set()
        for loc, row in source.rows(table):
            if row[key] in seen:
                yield (*loc, key), f"{row[key]} is there already", "Give each a name of its own."
            seen.add(row[key])


def _stages(loc: Loc, row: Row) -> Iterator[Finding]:
    names = [stage["stage"] for stage in row["stages"]]
    for index, name in enumerate(names):
        if name in names[:index]:
            yield (*loc, "stages", index, "stage"), f"{name} is there already", "Give each stage a name of its own."
    for index, move in enumerate(row.get("moves", ())):
        here = (*loc, "moves", index)
        unknown = [(key, move[key]) for key in ("from", "to") if move[key] not in names]
        for key, name in unknown:
            yield (
                (*here, key),
                f"{row['pipeline']} has no stage {name}",
                did_you_mean(name, names, f"It has {', '.join(names)}."),
            )
        if not unknown and names.index(move["from"]) <= names.index(move["to"]):
            yield here, "a move forward is always allowed", "Name moves back alone, or remove this one."


def _journey(source: Source, one: Row) -> Iterator[Finding]:
    """What a journey does with the fields that the rules give: it reads them, and sets none."""
    given = _given(source)
    stages = {stage["stage"] for _, row in source.rows("pipelines") for stage in row["stages"]}
    for update in _each(one["document"], "update"):
        changed = {**(update.get("set") or {}), **(update.get("set_from") or {})}
        for name in sorted(changed.keys() & given):
            if name != STAGE or changed[name] in stages:
                message = f"journey {one['journey']} sets profile.{name}, which follows from the rules here"
                yield (), message, "Emit an event that a rule hears, or set another attribute."
    for text in _texts(one["document"]):
        for name, found in _compared(text):
            if name == LIFETIME_VALUE and not isinstance(found, str) and source.data.get("value"):
                message = f"journey {one['journey']} compares profile.{name} with {found}: it is by currency"
                yield (), message, f"Write profile.{name}.USD in the journey."
            near = get_close_matches(str(found), sorted(stages), n=1, cutoff=0.75)
            if name == STAGE and isinstance(found, str) and found not in stages and near:
                message = f"journey {one['journey']} asks for a stage {found}, and no pipeline has it"
                yield (), message, f"Did you mean {near[0]}?"


def _given(source: Source) -> set[str]:
    """The fields that the rules of this file give."""
    by_table = {"pipelines": {STAGE, STAGES}, "points": {"score", "hot"}, "categories": {"category"}}
    given = {name for table, names in by_table.items() if source.data.get(table) for name in names}
    if source.data.get("value"):
        given |= {LIFETIME_VALUE, "orders", "refunds", "rfm", "first_order_at", "last_order_at"}
    return given & LEAD_NAMES


def _compared(text: str) -> Iterator[tuple[str, Any]]:
    """Fields of the profile that an expression compares with a literal, each with that."""
    for node in expressions.nodes_of(expressions.tree_of(text)):
        if node["type"] == "comparator":
            paths = [path for side in node["children"] for path in expressions.paths_of(side)]
            literals = [side["value"] for side in node["children"] if side["type"] == "literal"]
            for path in paths:
                if path[0] == "profile" and len(path) == len(("profile", STAGE)) and literals:
                    yield path[1], literals[0]


def _each(value: Any, kind: str) -> Iterator[Row]:
    """Every value of a key, at any depth."""
    if isinstance(value, Mapping):
        for key, inner in value.items():
            if key == kind and isinstance(inner, Mapping):
                yield inner
            yield from _each(inner, kind)
    elif isinstance(value, list):
        for inner in value:
            yield from _each(inner, kind)


def _texts(value: Any) -> Iterator[str]:
    """Every text that names the profile, at any depth."""
    if isinstance(value, str):
        if "profile." in value:
            yield value
    elif isinstance(value, Mapping | list):
        for inner in value.values() if isinstance(value, Mapping) else value:
            yield from _texts(inner)
