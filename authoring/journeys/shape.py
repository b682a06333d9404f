"""Sentences about a journey's file where it does not match its model."""

import json
from collections.abc import Iterator, Mapping
from difflib import get_close_matches
from typing import Any

from pydantic import BaseModel
from pydantic_core import ErrorDetails

from authoring.journeys import habits
from authoring.journeys.models import MODELS, EntryMatch
from authoring.journeys.source import STEP_LISTS, Source
from authoring.journeys.steps import NOT_ONE_KIND, WRITTEN_KINDS, kinds_of
from authoring.journeys.steps.base import Wire
from authoring.problems import Loc, Problem
from authoring.shape import MessageAndFix, Notation, findings
from cairn.domain.event import EVENT_TYPE_SHAPE

MAPPING = ("a mapping", "Write `name: value` lines, indented below this one.")
EXPECTED = {
    "string_type": ("text", "Write text, such as {example}; in quotes where it looks like a number or true."),
    "int_type": ("a whole number", "Write a whole number, such as 3."),
    "list_type": ("a list", "Write each item on a line of its own, after a hyphen."),
    "dict_type": MAPPING,
    "model_type": MAPPING,
}
NEARLY = 0.8
"""How similar a key is to the one that it is a misspelling of."""
SHOWN = 60
"""Characters of a wrong value that a message repeats."""


def shape_problems(source: Source, model: type[Wire]) -> Iterator[Problem]:
    """Where the document is not what the model says."""
    for loc, message, fix in findings(source.data, model, NOTATION):
        yield source.problem(loc, message, fix)


def _special(detail: ErrorDetails, keys: Mapping[str, str]) -> MessageAndFix | None:
    kind, given, name = detail["type"], detail["input"], str(detail["loc"][-1]) if detail["loc"] else ""
    if kind == "extra_forbidden" and not keys:
        return "no front matter belongs here", "Remove it: this message is its text alone."
    if kind == "extra_forbidden" and (fix := habits.of_key(name, keys) or _of_update(name, keys)):
        return "there is no such key", fix
    if kind == "model_type" and isinstance(given, str) and EVENT_TYPE_SHAPE.fullmatch(given):
        return f"{_shown(given)} is not a mapping", f"Write `event: {given}`."
    if kind == "string_type" and name == "event" and isinstance(given, list):
        return (
            f"{_shown(given)} is not one event",
            "Write a match for each: `any` of an entry and a wait_for, else a list.",
        )
    return _not_one_kind(given) if kind == NOT_ONE_KIND else None


def _of_update(name: str, keys: Mapping[str, str]) -> str:
    """Attributes that stand in an update itself."""
    if "set_from" not in keys or get_close_matches(name, keys, n=1, cutoff=NEARLY):
        return ""
    return f"Attributes stand under `set`: `set: {{{name}: …}}`."


def _not_one_kind(step: Any) -> MessageAndFix:
    if not isinstance(step, Mapping):
        return f"{_shown(step)} is not a step", "Write `- id: confirm`, and below the id its verb, such as `wait: 30m`."
    found = kinds_of(step)
    if found:
        return f"a step does one thing; this one has {' and '.join(found)}", "Give each a step of its own."
    fix = f"Add one of {', '.join(WRITTEN_KINDS)}."
    for name in step:
        if instead := habits.of_key(name, dict.fromkeys(WRITTEN_KINDS, "")):
            return f'there is no step "{name}"', instead
        close = get_close_matches(name, WRITTEN_KINDS, n=1)
        if close and name != "id":
            return f"there is no step {name!r}".replace("'", '"'), f"Did you mean {close[0]}?"
    return "this step says not what to do", fix


def _model_at(loc: Loc, outermost: type[BaseModel]) -> type[BaseModel]:
    for part in reversed(loc[:-1]):
        if part in STEP_LISTS:
            break
        if part == "any" and "entry:any" in loc:
            return EntryMatch
        if part in MODELS:
            return MODELS[str(part)]
    return outermost


def _shown(value: Any) -> str:
    text = json.dumps(value, ensure_ascii=False, default=str)
    return text if len(text) <= SHOWN else f"{text[:SHOWN]}…"


def _written(name: str, example: str, _loc: Loc) -> str:
    return f"`{name}: {example}`"


NOTATION = Notation("docs/journeys.md", EXPECTED, _shown, _written, _model_at, _special)
