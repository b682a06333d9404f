"""replies.toml: checked with the journeys that ask for its intents, and compiled to what the functions read."""

import tomllib
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

from authoring.compiled import write_or_remove
from authoring.policy.source import Source, read_toml
from authoring.problems import InvalidFilesError, Loc, Problem, ProblemOfStep, did_you_mean, no_step
from authoring.replies.models import NOTATION, Replies
from authoring.shape import findings
from cairn.domain.consent.plain_words import plain_text
from cairn.domain.journey.expressions import tree_of
from cairn.domain.replies.rules import OWN_INTENTS

FILE = "replies.toml"
"""Beside policy.toml; a deployment without the file reads no intents."""

PEOPLE = "people.toml"

INTENT = ("event", "properties", "intent")
"""Where a condition sees the intent of a reply."""

Row = Mapping[str, Any]
Finding = tuple[Loc, str, str]


class InvalidRepliesError(InvalidFilesError):
    """The rules for replies cannot be compiled."""


def check_replies(file: Path, journeys: Iterable[Row] | None = None, at: ProblemOfStep = no_step) -> list[Problem]:
    """Every problem of the file, in order, and of compiled `journeys` with its intents. None without the file."""
    try:
        compile_replies(file, journeys, at)
    except InvalidRepliesError as error:
        return list(error.problems)
    return []


def write_replies(file: Path, target: Path, journeys: Iterable[Row] | None = None) -> None:
    """Compile to a JSON file, or remove it where there is no file. Raises InvalidRepliesError, and writes nothing."""
    write_or_remove(compile_replies(file, journeys), target)


def compile_replies(
    file: Path, journeys: Iterable[Row] | None = None, at: ProblemOfStep = no_step
) -> dict[str, Any] | None:
    """The document of `cairn.adapters.documents.replies`; None without the file. Raises InvalidRepliesError."""
    if not file.exists():
        unread = [_unread(file, *one, at) for one in _asked(journeys or ())]
        if unread:
            raise InvalidRepliesError(set(unread))
        return None
    source = read_toml(file)
    if isinstance(source, Problem):
        raise InvalidRepliesError([source])
    found = list(findings(source.data, Replies, NOTATION))
    problems = set[Problem]()
    if not found:
        found = [*_twice(source), *_unknown_queue(source)]
        problems |= set(_unknown_intents(source, journeys or (), at))
    problems |= {source.problem(*one) for one in found}
    if problems:
        raise InvalidRepliesError(problems)
    return {**source.data, "intents": {name: _plain(row) for name, row in source.data.get("intents", {}).items()}}


def _plain(row: Row) -> Row:
    words = {
        language: sorted({plain_text(text) for text in listed}) for language, listed in row.get("words", {}).items()
    }
    return {**row, "words": words}


def _twice(source: Source) -> Iterator[Finding]:
    """Words of two intents in one language: a customer who says them may mean either, so no journey would hear."""
    seen: dict[tuple[str, str], str] = {}
    for name, row in source.data.get("intents", {}).items():
        for language, listed in row.get("words", {}).items():
            for text in listed:
                other = seen.setdefault((language, plain_text(text)), name)
                if other != name:
                    message = f'"{text}" stands under {other} too, so it is never clear which is meant'
                    yield ("intents", name, "words", language), message, "Leave it to one of them."


def _unknown_queue(source: Source) -> Iterator[Finding]:
    """With people.toml, the queue is one of its queues; a problem of that file is said by its own check."""
    people = source.file.with_name(PEOPLE)
    try:
        queues = tomllib.loads(people.read_text(encoding="utf-8")).get("queues", {})
    except (OSError, ValueError):
        return
    queue = source.data["queue"]
    if isinstance(queues, Mapping) and queue not in queues:
        fix = did_you_mean(queue, queues, f"Add [queues.{queue}] to {people}.")
        yield ("queue",), f'{PEOPLE} has no queue "{queue}"', fix


def _unknown_intents(source: Source, journeys: Iterable[Row], at: ProblemOfStep) -> Iterator[Problem]:
    """Intents that conditions of journeys name: with a misspelt one, nothing would ever happen."""
    known = (*source.data.get("intents", {}), *OWN_INTENTS)
    for where, name in _asked(journeys):
        if name not in known:
            fix = did_you_mean(name, known, f"Add [intents.{name}].")
            yield _at_step(at, where, f'{FILE} has no intent "{name}"', fix) or source.problem(
                ("intents",), f'{where} asks for the intent "{name}", and there is none', fix
            )


def _at_step(at: ProblemOfStep, where: str, message: str, fix: str) -> Problem | None:
    """The problem at the step that asks, where that is known."""
    journey, _, step = where.partition("/")
    return at(journey, step, (), message, fix) if step else None


def _unread(file: Path, where: str, name: str, at: ProblemOfStep) -> Problem:
    found = _at_step(at, where, f'no intent "{name}" is read without {FILE}', f"Write {FILE}; docs/people.md.")
    return found or Problem(
        file, 1, "", "intents", f'{where} asks for the intent "{name}"', f"Write {FILE}; docs/people.md."
    )


def _asked(journeys: Iterable[Row]) -> Iterator[tuple[str, str]]:
    """The intents that compiled journeys compare a reply's with: where, and the name."""
    for one in journeys:
        for step, text in _texts(one["document"], ""):
            if "intent" in text and (tree := tree_of(text)) is not None:
                yield from ((f"{one['journey']}{step and f'/{step}'}", name) for name in _names_in(tree))


def _texts(value: Any, step: str) -> Iterator[tuple[str, str]]:
    """Every text of a document, with the step around it. A text that is no expression has no tree."""
    if isinstance(value, str):
        yield step, value
    elif isinstance(value, Mapping):
        inside = value["id"] if isinstance(value.get("id"), str) else step
        for inner in value.values():
            yield from _texts(inner, inside)
    elif isinstance(value, list):
        for inner in value:
            yield from _texts(inner, step)


def _names_in(node: Any) -> Iterator[str]:
    """Literals beside `event.properties.intent`: in `==` and `!=`, and in contains()."""
    if not isinstance(node, Mapping):
        return
    children = node["children"]
    compares = node["type"] == "comparator" or (node["type"] == "function_expression" and node["value"] == "contains")
    if compares and any(_path(child) == INTENT for child in children):
        values = [child["value"] for child in children if child["type"] == "literal"]
        values += [
            one["value"] for child in children if child["type"] == "multi_select_list" for one in child["children"]
        ]
        for value in values:
            yield from (str(one) for one in (value if isinstance(value, list) else [value]))
    for child in children:
        yield from _names_in(child)


def _path(node: Any) -> tuple[str, ...]:
    if node["type"] == "field":
        return (node["value"],)
    if node["type"] != "subexpression":
        return ()
    return tuple(name for child in node["children"] for name in _path(child))
