"""Values and names of fields, as a person reads them."""

from collections.abc import Mapping
from typing import Any


def label(name: object) -> str:
    """`trial_ends-at` → Trial ends at."""
    text = str(name).replace("_", " ").replace("-", " ").strip()
    return text[:1].upper() + text[1:]


def plain(value: Any) -> str:
    """Without the marks of any programming language."""
    if value is None:
        return "not known"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, list | tuple):
        return ", ".join(map(plain, value))
    if isinstance(value, Mapping):
        return ", ".join(f"{label(name)}: {plain(one)}" for name, one in value.items())
    return str(value)
