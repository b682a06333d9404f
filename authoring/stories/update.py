"""Writes into a story the expectations that hold today. All else in the file stays as it is, comments and order too."""

import json
import re
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

import yaml

from authoring.journeys.source import read_yaml
from authoring.stories.comparison import Comparison, TimelineEntry, compare
from authoring.stories.document import read
from authoring.stories.models import Expectation, Scenario
from cairn.domain.shared.errors import CairnError
from cairn.domain.shared.instants import duration_text, instant_from_wire, instant_to_wire

WRITTEN = ("step", "channel", "type", "reason", "until", "outcome", "arm", "queue", "subject")
"""What a new expectation says, of the fields that the entry has; customer and journey too, where there are several."""

WHO = ("kind", "customer", "journey", "step")
"""An expectation that is no longer met becomes that of an entry which agrees in these."""

PLAIN = re.compile(r"[A-Za-z][\w.@/-]*(?: [\w.@/-]+)*")
"""A text that needs no quotes."""

LONGEST_TEXT = 80
"""Characters of a message's text that an expectation repeats."""


WRITE_OUT = "write the items of `expect` out, without anchors and aliases, and try again"


class CannotUpdateError(CairnError):
    """The expectations of a story cannot be changed where they stand."""


def updated(path: Path, text: str, comparison: Comparison, known: Collection[str]) -> str:
    """The text of the story at `path`, with expectations that hold; `known` are the sources that may post.

    Raises CannotUpdateError.
    """
    if not comparison.difference:
        return text
    source = read_yaml(text, path, merges=True)
    key, value = _expect_in(source.node)
    changes = _changes(comparison)
    if value is None:
        new = text.rstrip("\n") + "\nexpect:\n" + _lines("  ", changes.added_after(None))
    elif value.flow_style or not value.value:
        new = _with_block(text, key, value, changes)
    else:
        new = _in_block(path, text, key, value, changes)
    if compare(read(path, new, known), comparison.happened).difference:
        raise CannotUpdateError(f"{path}:{comparison.line}: {WRITE_OUT}")
    return new


@dataclass(frozen=True, slots=True)
class _Changes:
    """The fate of each expectation, by its position in the file."""

    scenario: Scenario
    moved: Mapping[int, TimelineEntry]
    """Those that another entry meets, but for some values."""
    dropped: frozenset[int]
    added: Mapping[int | None, list[str]] = field(default_factory=dict)
    """New ones, by the position behind which they belong; None: before the first."""

    def added_after(self, position: int | None) -> list[str]:
        return self.added.get(position, [])


def _changes(comparison: Comparison) -> _Changes:
    scenario, left = comparison.scenario, list(comparison.unexpected)
    unmet = {id(one) for one in comparison.unmet}
    positions = {id(one): position for position, one in enumerate(scenario.expect)}
    moved: dict[int, TimelineEntry] = {}
    for expected in comparison.unmet:
        alike = [entry for entry in left if _is_about(expected, entry)]
        if alike:
            nearest = min(alike, key=lambda entry: abs(instant_from_wire(entry["at"]) - scenario.instant(expected.at)))
            moved[positions[id(expected)]] = nearest
            left = [entry for entry in left if entry is not nearest]
    dropped = frozenset(positions[one] for one in unmet) - moved.keys()
    instants = [
        instant_from_wire(moved[position]["at"]) if position in moved else scenario.instant(one.at)
        for position, one in enumerate(scenario.expect)
    ]
    several = {
        name for name in ("customer", "journey") if len({one[name] for one in comparison.happened if one.get(name)}) > 1
    }
    added: dict[int | None, list[str]] = {}
    for entry in left:
        at = instant_from_wire(entry["at"])
        behind = [position for position, instant in enumerate(instants) if instant <= at]
        added.setdefault(max(behind, default=None), []).append(_new(entry, scenario, several))
    return _Changes(scenario, moved, dropped, added)


def _is_about(expected: Expectation, entry: TimelineEntry) -> bool:
    return all(str(entry.get(name)) == value for name, value in expected.fields.items() if name in WHO)


def _new(entry: TimelineEntry, scenario: Scenario, several: set[str]) -> str:
    names = [name for name in ("customer", "journey") if name in several] + list(WRITTEN)
    if entry["kind"] == "message":
        names.remove("reason")
    said = {"at": _at(entry, scenario), "kind": entry["kind"]} | {
        name: entry[name] for name in names if entry.get(name)
    }
    return "{" + ", ".join(f"{name}: {_scalar(value)}" for name, value in said.items()) + "}"


def _at(entry: TimelineEntry, scenario: Scenario) -> str:
    at = instant_from_wire(entry["at"]).replace(microsecond=0)
    return duration_text(at - scenario.starts) if at >= scenario.starts else instant_to_wire(at)


def _scalar(value: Any) -> str:
    text = str(value)
    plain = PLAIN.fullmatch(text) and text.lower() not in {"true", "false", "null"}
    return text if plain or re.fullmatch(r"(\d+[smhdw])+", text) else json.dumps(text, ensure_ascii=False)


def _expect_in(node: yaml.Node | None) -> tuple[Any, Any]:
    pairs = node.value if isinstance(node, yaml.MappingNode) else []
    return next(((key, value) for key, value in pairs if key.value == "expect"), (None, None))


def _lines(indent: str, items: Sequence[str]) -> str:
    return "".join(f"{indent}- {item}\n" for item in items)


def _with_block(text: str, key: yaml.Node, value: yaml.Node, changes: _Changes) -> str:
    """A list in brackets, written as one item a line."""
    items = changes.added_after(None)
    for position, node in enumerate(value.value):
        if position not in changes.dropped:
            items = [*items, _changed(text[: node.end_mark.index], node, changes, position)]
        items = [*items, *changes.added_after(position)]
    before, after = text[: key.end_mark.index], text[value.end_mark.index :]
    return before + (":\n" + _lines("  ", items)).rstrip("\n") + after


def _in_block(path: Path, text: str, key: yaml.Node, value: yaml.Node, changes: _Changes) -> str:
    """One item a line or more: each stays where it is, with the comments before it."""
    starts = [text.rfind("-", 0, node.start_mark.index + 1) for node in value.value]
    if starts != sorted(set(starts)) or min(starts) < key.end_mark.index:
        raise CannotUpdateError(f"{path}:{key.start_mark.line + 1}: {WRITE_OUT}")
    indent = text[text.rfind("\n", 0, starts[0]) + 1 : starts[0]]
    begins = [text.rfind("\n", 0, start) + 1 for start in starts]
    written = [text[: begins[0]], _lines(indent, changes.added_after(None))]
    ends = [*begins[1:], value.end_mark.index]
    for position, (node, begin, end) in enumerate(zip(value.value, begins, ends, strict=True)):
        content = begin + len(_without_comments(text[begin:end]))
        if position in changes.dropped:
            stays = ""
        else:
            last = min(node.end_mark.index, content)
            changed = _changed(text[:last], node, changes, position)
            stays = text[begin : node.start_mark.index] + changed + text[last:content]
            stays = stays if stays.endswith("\n") else stays + "\n"
        written += [stays, _lines(indent, changes.added_after(position)), text[content:end]]
    new = "".join([*written, text[value.end_mark.index :]])
    is_empty = len(changes.dropped) == len(value.value) and not changes.added
    colon = key.end_mark.index + 1
    return f"{new[:colon]} []{new[colon:]}" if is_empty else new


def _without_comments(block: str) -> str:
    """An item without the blank lines and comments behind it: they belong to the next one."""
    lines = block.splitlines(keepends=True)
    while len(lines) > 1 and (not lines[-1].strip() or lines[-1].lstrip().startswith("#")):
        lines.pop()
    return "".join(lines)


def _changed(text: str, node: yaml.Node, changes: _Changes, position: int) -> str:
    """The text of an expectation, with which `text` ends, with the values of the entry that meets it now."""
    begin = node.start_mark.index
    written = text[begin:]
    entry = changes.moved.get(position)
    if entry is None:
        return written
    for value, new in reversed(list(_values(node, changes.scenario, changes.scenario.expect[position], entry))):
        first, last = value.start_mark.index - begin, value.end_mark.index - begin
        written = written[:first] + new + written[last:]
    return written


def _values(
    node: yaml.Node, scenario: Scenario, expected: Expectation, entry: TimelineEntry
) -> Iterator[tuple[yaml.Node, str]]:
    """The values that change, in order of the file, and what they become."""
    message = f"{entry.get('subject', '')}\n{entry.get('body', '')}"
    for key, value in node.value:
        match key.value:
            case "at":
                at = instant_from_wire(entry["at"]).replace(microsecond=0)
                if at != scenario.instant(expected.at):
                    yield value, json.dumps(instant_to_wire(at)) if _is_instant(expected) else _at(entry, scenario)
            case "contains":
                if not all(part in message for part in expected.texts):
                    there = [part for part in expected.texts if part in message]
                    first = next(line.strip() for line in message.splitlines() if line.strip())[:LONGEST_TEXT]
                    yield value, "[" + ", ".join(map(_scalar, dict.fromkeys([*there, first]))) + "]"
            case name if str(entry.get(name)) != expected.fields.get(name):
                yield value, _scalar(entry.get(name))
            case _:
                pass


def _is_instant(expected: Expectation) -> bool:
    return isinstance(expected.at, datetime)
