"""From what pydantic finds to sentences about the file: one problem for each thing that is wrong."""

import json
from collections.abc import Iterator, Mapping
from difflib import get_close_matches
from typing import Any

from pydantic import ValidationError
from pydantic_core import ErrorDetails

from authoring.journeys.expressions import Found
from authoring.journeys.models import BY_PLACE, NO_VERB, Wire, keys_of, verbs_of
from authoring.journeys.problems import Problem
from authoring.journeys.source import STEP_LISTS, Loc, Source
from authoring.journeys.values import OURS
from cairn.adapters.documents.journey import VERBS

EXPECTED = {
    "string_type": ("text", "Write text, such as {example}; in quotes where it looks like a number or true."),
    "int_type": ("a whole number", "Write a whole number, such as 3."),
    "list_type": ("a list", "Write each item on a line of its own, after a hyphen."),
    "dict_type": ("a mapping", "Write `name: value` lines, indented below this one."),
    "model_type": ("a mapping", "Write `name: value` lines, indented below this one."),
}
SHOWN = 60
"""Characters of a wrong value that a message repeats."""

KEY_OF_MAPPING = "[key]"
"""What pydantic adds to the place of a mapping's entry where it is about the key."""

NO_VALUE = ("it has no value", "Give it one, or leave the key out.")


def shape_problems(source: Source, model: type[Wire]) -> Iterator[Problem]:
    """Where the document is not what the model says."""
    try:
        model.model_validate(source.data)
    except ValidationError as error:
        for detail in error.errors(include_url=False):
            loc = _without_tags(source.data, detail["loc"])
            for message, fix in _said(detail, loc, model):
                yield source.problem(loc, message, fix)


def _without_tags(value: Any, loc: Loc) -> Loc:
    """The place in the document: pydantic names the member of a union as if it were one more key."""
    place: list[str | int] = []
    for part in loc:
        if isinstance(value, Mapping) and part in value:
            value = value[str(part)]
        elif isinstance(value, list) and isinstance(part, int):
            value = value[part]
        elif ":" in str(part) or part == KEY_OF_MAPPING:
            continue
        place.append(part)
    return tuple(place)


def _said(detail: ErrorDetails, loc: Loc, model: type[Wire]) -> list[Found]:
    kind, given, context = detail["type"], detail["input"], detail.get("ctx", {})
    name = str(loc[-1]) if loc else ""
    known = keys_of(_model_at(detail["loc"], model))
    example = known.get(name, "…")
    match kind:
        case "missing":
            said = "it is missing", f"Add `{name}: {example}`."
        case "extra_forbidden":
            said = _unknown_key(name, known)
        case "literal_error":
            said = f"{_shown(given)} is not one of {context['expected']}", "Write one of them."
        case "too_short":
            said = "it is empty", "Add at least one."
        case "greater_than_equal" | "less_than_equal":
            said = f"{given} is out of range", f"Write a number such as {example}."
        case _ if kind == NO_VERB:
            said = _no_verb(given)
        case _ if given is None:
            said = NO_VALUE
        case _ if kind == OURS:
            return context.get("found") or [(context["message"], context["fix"])]
        case _ if kind in EXPECTED:
            expected, fix = EXPECTED[kind]
            said = f"{_shown(given)} is not {expected}", fix.format(example=example)
        case _:
            said = detail["msg"].rstrip("."), "docs/journeys.md says what may stand here."
    return [said]


def _no_verb(step: Any) -> tuple[str, str]:
    if not isinstance(step, Mapping):
        return f"{_shown(step)} is not a step", "Write `- id: confirm`, and below the id its verb, such as `wait: 30m`."
    found = verbs_of(step)
    if found:
        return f"a step does one thing; this one has {' and '.join(found)}", "Give each a step of its own."
    fix = f"Add one of {', '.join(VERBS)}."
    for name in step:
        close = get_close_matches(name, VERBS, n=1)
        if close and name != "id":
            return f"there is no step {name!r}".replace("'", '"'), f"Did you mean {close[0]}?"
    return "this step says not what to do", fix


def _unknown_key(name: str, known: Mapping[str, str]) -> tuple[str, str]:
    close = get_close_matches(name, known, n=1)
    if close:
        return "there is no such key", f"Did you mean {close[0]}?"
    if not known:
        return "no front matter belongs here", "Remove it: this message is its text alone."
    return "there is no such key", f"Known here: {', '.join(known)}."


def _model_at(loc: Loc, outermost: type[Wire]) -> type[Wire]:
    """The model that the last part of a place belongs to."""
    for part in reversed(loc[:-1]):
        if part in STEP_LISTS:
            break
        if part in BY_PLACE:
            return BY_PLACE[str(part)]
    return outermost


def _shown(value: Any) -> str:
    text = json.dumps(value, ensure_ascii=False, default=str)
    return text if len(text) <= SHOWN else f"{text[:SHOWN]}…"
