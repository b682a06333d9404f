"""Turns the errors of pydantic into sentences about a file: one finding for each thing that is wrong."""

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails, PydanticCustomError

from authoring.problems import Loc, did_you_mean

OURS = "cairn"

MessageAndFix = tuple[str, str]
"""A message and a fix."""
"""The type of our own errors. They carry their sentences: `message` and `fix`, or several in `found`."""

KEY_OF_MAPPING = "[key]"
"""Pydantic adds this to the path of a mapping's entry when the error is about the key."""

NO_EXAMPLE = "…"


@dataclass(frozen=True, slots=True)
class Notation:
    """How one kind of file is written, and so how its problems are described."""

    page: str
    """The page that documents the file."""
    expected: Mapping[str, tuple[str, str]]
    """By the type of pydantic's error: what should be there, and how to write it. `{example}` and `{written}` are
    replaced."""
    shown: Callable[[Any], str]
    """A wrong value, as the message repeats it."""
    written: Callable[[str, str, Loc], str]
    """A key with its example, as the file has it."""
    model_at: Callable[[Loc, type[BaseModel]], type[BaseModel]]
    """The model that the last part of pydantic's path belongs to."""
    special: Callable[[ErrorDetails, Mapping[str, str]], MessageAndFix | None] = lambda _detail, _keys: None
    """Sentences that only this kind of file has."""


def wrong(message: str, fix: str) -> PydanticCustomError:
    return all_wrong([(message, fix)])


def all_wrong(found: list[MessageAndFix]) -> PydanticCustomError:
    return PydanticCustomError(OURS, OURS, {"found": found})


def findings(data: Any, model: type[BaseModel], notation: Notation) -> Iterator[tuple[Loc, str, str]]:
    """Where a document does not match its model: the path, the message and the fix."""
    try:
        model.model_validate(data)
    except ValidationError as error:
        for detail in error.errors(include_url=False):
            loc = _without_tags(data, detail["loc"])
            keys = keys_of(notation.model_at(detail["loc"], model))
            for message, fix in _sentences(detail, loc, keys, notation):
                yield loc, message, fix


def keys_of(model: type[BaseModel]) -> dict[str, str]:
    """A model's keys as they are written, each with an example."""
    return {
        field.alias or name: str(field.examples[0]) if field.examples else NO_EXAMPLE
        for name, field in model.model_fields.items()
    }


def _without_tags(value: Any, loc: Loc) -> Loc:
    """The path in the document. Pydantic adds the member of a union as if it were one more key."""
    path: list[str | int] = []
    for part in loc:
        if isinstance(value, Mapping) and part in value:
            value = value[str(part)]
        elif isinstance(value, list) and isinstance(part, int):
            value = value[part]
        elif ":" in str(part) or part == KEY_OF_MAPPING:
            continue
        path.append(part)
    return tuple(path)


def _sentences(detail: ErrorDetails, loc: Loc, keys: Mapping[str, str], notation: Notation) -> list[MessageAndFix]:
    kind, given, context = detail["type"], detail["input"], detail.get("ctx", {})
    special = notation.special(detail, keys)
    if special is not None:
        return [special]
    name = str(loc[-1]) if loc else ""
    example = keys.get(name, NO_EXAMPLE)
    match kind:
        case "missing":
            sentence = "it is missing", f"Add {notation.written(name, example, loc)}."
        case "extra_forbidden":
            sentence = "there is no such key", _known_key(name, keys)
        case "literal_error":
            sentence = (
                f"{notation.shown(given)} is not one of {context['expected']}",
                _known_value(given, context["expected"]),
            )
        case "too_short":
            sentence = "it is empty", "Add at least one."
        case "greater_than" | "greater_than_equal" | "less_than_equal":
            sentence = f"{given} is out of range", f"Write a number such as {example}."
        case _ if given is None:
            sentence = "it has no value", "Give it one, or leave the key out."
        case _ if kind == OURS:
            return context.get("found") or [(context["message"], context["fix"])]
        case _ if kind in notation.expected:
            expected, fix = notation.expected[kind]
            written = notation.written(name, example, loc)
            sentence = f"{notation.shown(given)} is not {expected}", fix.format(example=example, written=written)
        case _:
            sentence = detail["msg"].rstrip("."), f"{notation.page} says what may stand here."
    return [sentence]


def _known_value(given: Any, expected: str) -> str:
    return did_you_mean(str(given).lower(), re.findall(r"'([^']*)'", expected), "Write one of them.")


def _known_key(name: str, keys: Mapping[str, str]) -> str:
    return did_you_mean(name, keys, f"Known here: {', '.join(keys)}.")
