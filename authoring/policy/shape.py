"""Sentences about policy.toml and law.toml where they do not match their models."""

from collections.abc import Mapping
from typing import Any

from pydantic import BaseModel

from authoring.policy.models import BY_TABLE, Table
from authoring.policy.source import Source
from authoring.problems import Loc, Problem
from authoring.shape import NO_EXAMPLE, Notation, findings

WRITE = "Write {written}."
EXPECTED = {
    "string_type": ("a text, in quotes", WRITE),
    "int_type": ("a whole number", WRITE),
    "int_from_float": ("a whole number", WRITE),
    "float_type": ("a number", WRITE),
    "bool_type": ("true or false", WRITE),
    "list_type": ("a list, in [brackets]", WRITE),
    "dict_type": ("a table", WRITE),
    "model_type": ("a table", WRITE),
}


def shape_problems(
    source: Source, model: type[Table], notation: Notation | None = None
) -> tuple[list[Problem], frozenset[Loc]]:
    """Where the document is not what the model says, and which of its tables and rows that leaves broken."""
    found = list(findings(source.data, model, notation or NOTATION))
    return [source.problem(*finding) for finding in found], frozenset(loc[:2] for loc, _, _ in found)


def notation_of(page: str, by_table: Mapping[str, type[Table]]) -> Notation:
    """How a TOML file of these tables is written."""

    def written(name: str, example: str, loc: Loc) -> str:
        """A key with its value, or the header of the table that it is."""
        if name in by_table and len(loc) == 1:
            return f"[{name}]" if example == NO_EXAMPLE else f"[[{name}]]"
        return f"{name} = {example}" if isinstance(loc[-1], str) else example

    def model_at(loc: Loc, outermost: type[BaseModel]) -> type[BaseModel]:
        return next((by_table[str(part)] for part in reversed(loc[:-1]) if part in by_table), outermost)

    return Notation(page, EXPECTED, shown, written, model_at)


def shown(value: Any) -> str:
    return f'"{value}"' if isinstance(value, str) else str(value).lower() if isinstance(value, bool) else str(value)


NOTATION = notation_of("docs/policy.md", BY_TABLE)
