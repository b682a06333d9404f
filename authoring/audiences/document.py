"""audiences.toml: checked, and compiled to the document that the functions read. A deployment may have none."""

import json
import tomllib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from authoring.audiences.models import BY_TABLE, AudiencesFile
from authoring.compiled import texts_in
from authoring.policy.shape import notation_of, shape_problems
from authoring.policy.source import Source, read_toml
from authoring.problems import InvalidFilesError, Loc, Problem, did_you_mean
from cairn.domain.audience.writing import change_with_time, problems_by_leads, watched
from cairn.domain.effects import AUDIENCE_JOINED, AUDIENCE_LEFT
from cairn.domain.journey import expressions
from cairn.domain.profile.lead import LEAD_NAMES
from cairn.domain.shared.hashing import short_hash

Row = Mapping[str, Any]
Finding = tuple[Loc, str, str]

FILE = "audiences.toml"
"""Beside policy.toml and leads.toml."""

LEADS = "leads.toml"

PAGE = "docs/audiences.md"
NOTATION = notation_of(PAGE, BY_TABLE)

EXPRESSIONS = ("when", "partition", "sort", "until")
EVENTS = (AUDIENCE_JOINED, AUDIENCE_LEFT)

VERSION_LENGTH = 8

PATH_OF_AUDIENCE = ("event", "properties", "audience")


class InvalidAudiencesError(InvalidFilesError):
    """audiences.toml cannot be compiled."""


def check_audiences(file: Path, journeys: Iterable[Row] | None = None) -> list[Problem]:
    """Every problem of the file, in order, and of compiled `journeys` that ask for its audiences."""
    try:
        compile_audiences(file, journeys)
    except InvalidAudiencesError as error:
        return list(error.problems)
    return []


def write_audiences(file: Path, target: Path, journeys: Iterable[Row] | None = None) -> None:
    """Compile to a JSON file, or remove it where there is no file. Raises InvalidAudiencesError, and writes nothing."""
    document = compile_audiences(file, journeys)
    if document is None:
        target.unlink(missing_ok=True)
        return
    target.write_text(json.dumps(document, sort_keys=True, ensure_ascii=False) + "\n", encoding="utf-8")


def compile_audiences(file: Path, journeys: Iterable[Row] | None = None) -> dict[str, Any] | None:
    """The document of `cairn.adapters.documents.audiences`; None without the file. Raises InvalidAudiencesError."""
    asked = list(_asked(journeys or ()))
    if not file.exists():
        fix = f"Write {FILE}; {PAGE} says how."
        problems = [
            Problem(file, 1, "", "audiences", f'{where} asks for the audience "{one}"', fix) for where, one in asked
        ]
        if problems:
            raise InvalidAudiencesError(set(problems))
        return None
    source = read_toml(file, PAGE)
    if isinstance(source, Problem):
        raise InvalidAudiencesError([source])
    problems, broken = shape_problems(source, AudiencesFile, NOTATION)
    source = replace(source, broken=broken)
    leads = _leads_beside(file)
    problems += [source.problem(*finding) for finding in (*_findings(source, leads), *_unknown(source, asked))]
    if problems:
        raise InvalidAudiencesError(set(problems))
    says = _listened_to(journeys or ())
    return {"audiences": [_compiled(row, leads, says) for row in source.data["audiences"]]}


def _compiled(row: Row, leads: Row, says: Iterable[str]) -> dict[str, Any]:
    """With what its expressions read, and the hash of all that decides who is a member."""
    reads = set[str]().union(*(watched(row.get(one)) for one in EXPRESSIONS))
    rules = json.dumps(leads, sort_keys=True, default=str) if reads & LEAD_NAMES else ""
    content = {name: value for name, value in row.items() if name != "audience"}
    version = short_hash(json.dumps(content, sort_keys=True), rules, length=VERSION_LENGTH)
    return {**row, "watches": sorted(reads), "version": version, "says": sorted(says)}


def _findings(source: Source, leads: Row) -> Iterator[Finding]:
    names: set[str] = set()
    timed = change_with_time(leads)
    for loc, row in source.rows("audiences"):
        if row["audience"] in names:
            yield (*loc, "audience"), f"{row['audience']} is there already", "Give each a name of its own."
        names.add(row["audience"])
        for key in EXPRESSIONS:
            for message, fix in problems_by_leads(row.get(key), timed):
                yield (*loc, key), message, fix


def _leads_beside(file: Path) -> Row:
    """The rules of leads; their own problems are said by their own check."""
    try:
        return tomllib.loads(file.with_name(LEADS).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}


def _unknown(source: Source, asked: Iterable[tuple[str, str]]) -> Iterator[Finding]:
    """Audiences that journeys name: with a misspelt one, nothing would ever happen."""
    rows = source.data.get("audiences", ())
    known = [row["audience"] for row in rows if isinstance(row, Mapping) and isinstance(row.get("audience"), str)]
    for where, name in asked:
        if name not in known:
            fix = did_you_mean(name, known, f'Add [[audiences]] with audience = "{name}".')
            yield (), f'{where} asks for the audience "{name}", and there is none', fix


def _asked(journeys: Iterable[Row]) -> Iterator[tuple[str, str]]:
    """The audiences that compiled journeys compare an event's with: where, and the name."""
    for one in journeys:
        for text in texts_in(one["document"]):
            if "audience" in text:
                for node in expressions.nodes_of(expressions.tree_of(text)):
                    if node["type"] == "comparator":
                        paths = [path for side in node["children"] for path in expressions.paths_of(side)]
                        names = [side["value"] for side in node["children"] if side["type"] == "literal"]
                        yield from ((one["journey"], str(name)) for name in names if PATH_OF_AUDIENCE in paths)


def _listened_to(journeys: Iterable[Row]) -> list[str]:
    """Which events about members any deployed journey names."""
    texts = {text for one in journeys for text in texts_in(one["document"])}
    return [one for one in EVENTS if one in texts]
