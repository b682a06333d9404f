"""Puts an enrollment's key into the properties of a made-up event, where the journey's expressions look for it."""

from collections.abc import Mapping
from typing import Any

import jmespath


def with_key(properties: dict[str, Any], expression: str | None, key: str) -> dict[str, Any]:
    """The properties, with the key where a plain path of the expression looks for it."""
    path = _path(expression or "")
    if path[:2] != ["event", "properties"] or not path[2:] or not key:
        return properties
    return _set(properties, path[2:], key)


def _set(properties: Mapping[str, Any], path: list[str], value: str) -> dict[str, Any]:
    name, *rest = path
    there = properties.get(name)
    if not rest:
        return dict(properties) | {name: there if str(there) == value else value}
    return dict(properties) | {name: _set(there if isinstance(there, Mapping) else {}, rest, value)}


def _path(expression: str) -> list[str]:
    """The names of `a.b.c`; none for any other expression."""
    return _names(jmespath.compile(expression).parsed) if expression else []


def _names(node: Mapping[str, Any]) -> list[str]:
    if node.get("type") == "field":
        return [str(node["value"])]
    if node.get("type") == "subexpression":
        parts = [_names(child) for child in node["children"]]
        return [name for part in parts for name in part] if all(parts) else []
    return []
