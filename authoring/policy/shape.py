"""From what pydantic finds to sentences about the file: one problem for each thing that is wrong."""

from collections.abc import Mapping
from difflib import get_close_matches
from typing import Any

from pydantic import ValidationError
from pydantic_core import ErrorDetails

from authoring.journeys.values import OURS
from authoring.policy.models import BY_TABLE, Table, keys_of
from authoring.policy.problems import Problem
from authoring.policy.source import Loc, Source

EXPECTED = {
    "string_type": "a text, in quotes",
    "int_type": "a whole number",
    "int_from_float": "a whole number",
    "float_type": "a number",
    "bool_type": "true or false",
    "list_type": "a list, in [brackets]",
    "dict_type": "a table",
    "model_type": "a table",
}
KEY_OF_MAPPING = "[key]"
"""What pydantic adds to the place of a mapping's entry where it is about the key."""


def shape_problems(source: Source, model: type[Table]) -> tuple[list[Problem], frozenset[Loc]]:
    """Where the document is not what the model says, and which of its tables and rows that leaves broken."""
    problems, broken = [], set()
    try:
        model.model_validate(source.data)
    except ValidationError as error:
        for detail in error.errors(include_url=False):
            loc = tuple(part for part in detail["loc"] if part != KEY_OF_MAPPING)
            broken.add(loc[:2])
            for message, fix in _said(detail, loc, keys_of(_model_at(loc, model))):
                problems.append(source.problem(loc, message, fix))
    return problems, frozenset(broken)


def _said(detail: ErrorDetails, loc: Loc, known: Mapping[str, str]) -> list[tuple[str, str]]:
    kind, given, context = detail["type"], detail["input"], detail.get("ctx", {})
    name = str(loc[-1]) if loc else ""
    example = known.get(name, "…")
    match kind:
        case _ if kind == OURS:
            found: list[tuple[str, str]] = context["found"]
            return found
        case "missing":
            said = "it is missing", f"Add {_written(name, example, loc)}."
        case "extra_forbidden":
            close = get_close_matches(name, known, n=1)
            fix = f"Did you mean {close[0]}?" if close else f"Known here: {', '.join(known)}."
            said = "there is no such key", fix
        case "literal_error":
            said = f"{_shown(given)} is not one of {context['expected']}", "Write one of them."
        case "greater_than" | "greater_than_equal":
            said = f"{given} is out of range", f"Write a number such as {example}."
        case _ if kind in EXPECTED:
            said = f"{_shown(given)} is not {EXPECTED[kind]}", f"Write {_written(name, example, loc)}."
        case _:
            said = detail["msg"].rstrip("."), "docs/policy.md says what may stand here."
    return [said]


def _written(name: str, example: str, loc: Loc) -> str:
    """How a key is written down: with its value, or as the table that it is."""
    if name in BY_TABLE and len(loc) == 1:
        return f"[{name}]" if example == "…" else f"[[{name}]]"
    return f"{name} = {example}" if isinstance(loc[-1], str) else example


def _model_at(loc: Loc, outermost: type[Table]) -> type[Table]:
    """The model that the last part of a place belongs to."""
    return next((BY_TABLE[str(part)] for part in loc[:-1] if part in BY_TABLE), outermost)


def _shown(value: Any) -> str:
    return f'"{value}"' if isinstance(value, str) else str(value).lower() if isinstance(value, bool) else str(value)
