"""Writes YAML in the style of the house: a step is a block, what it does stands on one line if it fits."""

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import yaml

PLAIN = re.compile(r"[A-Za-z_](?:[\w ().'|&=<>!*/`@+-]*[\w)'`])?|([0-9]+[smhdw])+", re.ASCII)
"""Texts that need no quotes, also between braces."""
PLAIN_ALONE = re.compile(r"[A-Za-z](?:[\w ().,'|&=<>!*/`+\"-]*[\w).'`])?", re.ASCII)
"""Texts that need none on a line of their own."""
WORDS = frozenset({"true", "false", "null", "yes", "no", "on", "off", "y", "n"})
WIDTH = 110
BLOCKS = frozenset({"then", "else", "branch", "arms", "split", "any", "steps"})
"""Keys whose values are written as blocks."""


def document(pairs: Mapping[str, Any]) -> str:
    """A mapping, each key on lines of its own."""
    return "\n".join(_lines(pairs)) + "\n"


def scalar(value: Any, *, alone: bool = False) -> str:
    """A value; `alone` on its line, where fewer texts need quotes."""
    if isinstance(value, str):
        is_plain = PLAIN.fullmatch(value) or (alone and PLAIN_ALONE.fullmatch(value))
        if is_plain and value.lower() not in WORDS:
            return value
        return str(yaml.dump(value, default_style='"', allow_unicode=True, width=float("inf"))).rstrip("\n")
    return str(value).lower()


def flow(value: Any) -> str:
    """A value on one line."""
    if isinstance(value, Mapping):
        return "{" + ", ".join(f"{scalar(key)}: {flow(one)}" for key, one in value.items()) + "}"
    if isinstance(value, Sequence) and not isinstance(value, str):
        return "[" + ", ".join(map(flow, value)) + "]"
    return scalar(value)


def _lines(pairs: Mapping[str, Any]) -> Iterator[str]:
    for key, value in pairs.items():
        if _fits(key, value):
            yield f"{scalar(key)}: {scalar(value, alone=True) if isinstance(value, str) else flow(value)}"
        else:
            yield f"{scalar(key)}:"
            yield from (f"  {line}" for line in (_items(value) if isinstance(value, list) else _lines(value)))


def _items(values: Sequence[Any]) -> Iterator[str]:
    for value in values:
        lines = _lines(value) if isinstance(value, Mapping) and not _is_short(value) else iter([flow(value)])
        yield f"- {next(lines)}"
        yield from (f"  {line}" for line in lines)


def _is_short(value: Mapping[str, Any]) -> bool:
    """A match, or a consent: steps and arms are blocks."""
    return not {"id", "arm"} & value.keys() and all(_fits(key, one) for key, one in value.items()) and _fits("", value)


def _fits(key: str, value: Any) -> bool:
    if not isinstance(value, Mapping | list) or not value:
        return True
    if key in BLOCKS or (isinstance(value, Mapping) and BLOCKS & value.keys()):
        return False
    return len(flow(value)) <= WIDTH
