"""Sentences about people.toml where it does not match its models."""

from pydantic import BaseModel

from authoring.people.models import TABLES, WITHIN, PeopleFile
from authoring.policy.shape import EXPECTED, shown
from authoring.policy.source import Source
from authoring.problems import Loc, Problem
from authoring.shape import NO_EXAMPLE, Notation, findings

ENTRY = 2
"""The length of an entry's path: its table and its name."""


def shape_problems(source: Source) -> tuple[list[Problem], frozenset[Loc]]:
    """Where the document is not what the model says, and which of its tables and entries that leaves broken."""
    found = list(findings(source.data, PeopleFile, NOTATION))
    return [source.problem(*finding) for finding in found], frozenset(loc[:ENTRY] for loc, _, _ in found)


def _written(name: str, example: str, loc: Loc) -> str:
    if example == NO_EXAMPLE and all(isinstance(part, str) for part in loc):
        return f"[{'.'.join(map(str, loc))}]"
    return f"{name} = {example}" if isinstance(loc[-1], str) else example


def _model_at(loc: Loc, outermost: type[BaseModel]) -> type[BaseModel]:
    table = TABLES.get(str(loc[0])) if len(loc) > ENTRY else None
    within = WITHIN.get(str(loc[ENTRY])) if len(loc) > ENTRY + 1 else None
    return within or table or outermost


NOTATION = Notation("docs/people.md", EXPECTED, shown, _written, _model_at)
