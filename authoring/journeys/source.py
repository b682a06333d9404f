"""Reads YAML: every value with its line, and without the surprises of YAML 1.1.

`10:00` stays text (YAML 1.1 reads 600), as do dates, `on`, `no` and `yes`. A repeated key is a problem.
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import yaml

from authoring.problems import Loc, Problem, dotted

try:
    from yaml import CSafeLoader as _BaseLoader
except ImportError:  # PyYAML without libyaml: the same, ten times slower
    from yaml import SafeLoader as _BaseLoader  # type: ignore[assignment]

TEXT, NULL = "tag:yaml.org,2002:str", "tag:yaml.org,2002:null"
BOOL, INT, FLOAT = "tag:yaml.org,2002:bool", "tag:yaml.org,2002:int", "tag:yaml.org,2002:float"
SEQUENCE, MAPPING = "tag:yaml.org,2002:seq", "tag:yaml.org,2002:map"

SCALARS: Mapping[str, Callable[[str], Any]] = {
    TEXT: str,
    NULL: lambda _: None,
    BOOL: lambda text: text.lower() == "true",
    INT: int,
    FLOAT: float,
}

MERGE = "<<"
STEP_LISTS = frozenset({"steps", "then", "else", "finally"})

QUOTES = (
    "Mend the indentation here, or put the value in quotes: it needs them where it begins with one of "
    "! & * [ { % @ ` or holds a colon and a space"
)


class _Loader(_BaseLoader):
    """Resolves plain scalars as the core schema of YAML 1.2 does, with decimal numbers only."""


_Loader.yaml_implicit_resolvers = {}
for _tag, _shape, _first in (
    (NULL, r"~|null|Null|NULL|", ["~", "n", "N", ""]),
    (BOOL, r"true|True|TRUE|false|False|FALSE", list("tTfF")),
    (INT, r"[-+]?[0-9]+", list("-+0123456789")),
    (FLOAT, r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?", list("-+.0123456789")),
):
    _Loader.add_implicit_resolver(_tag, re.compile(f"^(?:{_shape})$"), _first)


@dataclass(frozen=True)
class Source:
    """The content of a file, or of its front matter."""

    file: Path
    data: Any
    node: yaml.Node | None
    first_line: int
    problems: tuple[Problem, ...]

    def problem(self, loc: Loc, message: str, fix: str) -> Problem:
        """A problem at a path: its line, the innermost step around it, and the field within that step."""
        step, rest = "", loc
        value = self.data
        for depth, part in enumerate(loc):
            value = _child(value, part)
            in_list = depth and (loc[depth - 1] in STEP_LISTS or loc[: depth - 1] == ("paths",))
            if isinstance(part, int) and in_list and isinstance(value, dict):
                named = isinstance(value.get("id"), str)
                step, rest = (value["id"], loc[depth + 1 :]) if named else ("", loc)
        return Problem(self.file, self.line(loc), step, dotted(rest), message, fix)

    def line(self, loc: Loc) -> int:
        """The line of the key or item at a path, or of the last part of the path that exists."""
        node, line = self.node, self.node.start_mark.line if self.node else 0
        for part in loc:
            if isinstance(node, yaml.MappingNode):
                found = [(key, value) for key, value in node.value if key.value == part]
                if not found:
                    break
                key, node = found[-1]
                line = key.start_mark.line
            elif isinstance(node, yaml.SequenceNode) and isinstance(part, int) and part < len(node.value):
                node = node.value[part]
                line = node.start_mark.line
            else:
                break
        return self.first_line + line


def read_yaml(text: str, file: Path, first_line: int = 1, *, merges: bool = False) -> Source:
    """Read one YAML document. If it cannot be read, that is a problem, and the data is None.

    With `merges`, `<<: *name` adds the keys of a mapping that the file has elsewhere.
    """
    try:
        node = yaml.compose(text, Loader=_Loader)
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        line = mark.line if mark else text.count("\n", 0, getattr(error, "position", 0) or 0)
        said = getattr(error, "problem", None) or getattr(error, "reason", None) or "it cannot be read"
        return Source(
            file,
            None,
            None,
            first_line,
            (Problem(file, first_line + line, "", "", f"not YAML: {said}", _yaml_fix(said, text, line)),),
        )
    builder = _Builder(merges=merges)
    data = None if node is None else builder.build(node, (), ())
    source = Source(file, data, node, first_line, ())
    return replace(source, problems=tuple(source.problem(*finding) for finding in builder.findings))


def _yaml_fix(said: str, text: str, line: int) -> str:
    if "tab" in said or "\\t" in said:
        return "Write spaces instead of the tab."
    if "{{" in "".join(text.splitlines()[line : line + 1]):
        return "Put the whole value in quotes: '{{ … }}'."
    return f"{QUOTES}."


class _Builder:
    """Builds plain Python values from nodes, and reports what YAML allows but we do not."""

    def __init__(self, *, merges: bool = False) -> None:
        self.findings: list[tuple[Loc, str, str]] = []
        self._merges = merges

    def build(self, node: yaml.Node, loc: Loc, above: tuple[int, ...]) -> Any:
        if id(node) in above:
            self.findings.append((loc, "this alias stands for something that contains it", "Write the value out."))
            return None
        inside = (*above, id(node))
        if isinstance(node, yaml.SequenceNode) and node.tag == SEQUENCE:
            return [self.build(one, (*loc, index), inside) for index, one in enumerate(node.value)]
        if isinstance(node, yaml.MappingNode) and node.tag == MAPPING:
            return self.mapping(node, loc, inside)
        return self.scalar(node, loc)

    def mapping(self, node: yaml.MappingNode, loc: Loc, above: tuple[int, ...]) -> dict[str, Any]:
        built: dict[str, Any] = {}
        merged: dict[str, Any] = {}
        for key, value in node.value:
            if isinstance(key, yaml.MappingNode):
                message = "{{ begins a mapping of YAML here, and no template"
                self.findings.append((loc, message, "Put the whole value in quotes: '{{ … }}'."))
                continue
            if not isinstance(key, yaml.ScalarNode):
                self.findings.append((loc, "a key that is not a text", "Write a name before the colon."))
                continue
            here = (*loc, key.value)
            if self._merges and key.value == MERGE:
                merged |= self.merged(value, here, above)
                continue
            if key.value in built:
                self.findings.append((here, "this key is there twice", "Keep one of them: the other is lost."))
            built[key.value] = self.build(value, here, above)
        return merged | built

    def merged(self, node: yaml.Node, loc: Loc, above: tuple[int, ...]) -> dict[str, Any]:
        """The keys of `<<`; its own keys count before them."""
        value = self.build(node, loc, above)
        if isinstance(value, dict):
            return value
        self.findings.append((loc, "this is no mapping", "Write `<<: *name`, where `&name` stands before a mapping."))
        return {}

    def scalar(self, node: yaml.Node, loc: Loc) -> Any:
        convert = SCALARS.get(node.tag)
        if convert is None:
            message = f"{node.tag} is a YAML tag, and none is known"
            self.findings.append((loc, message, "Put a text that begins with ! in quotes."))
            return None
        try:
            return convert(node.value)
        except ValueError:  # an explicit tag on something else, or thousands of digits
            message = "this is not a number"
            self.findings.append((loc, message, "Write a decimal number, or put a text in quotes."))
            return None


def _child(value: Any, part: str | int) -> Any:
    if isinstance(value, dict):
        return value.get(str(part))
    if isinstance(value, list) and isinstance(part, int) and part < len(value):
        return value[part]
    return None
