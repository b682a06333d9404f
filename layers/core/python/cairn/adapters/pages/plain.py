"""Values and names of fields, as a person reads them."""

from collections.abc import Mapping
from typing import Any


def capitalised(text: str) -> str:
    """Its first letter only, unlike `str.capitalize`: names in it stay as they are."""
    return text[:1].upper() + text[1:]


def sentence(text: str) -> str:
    return f"{capitalised(text).rstrip('.')}."


def label(name: object) -> str:
    """`trial_ends-at` → Trial ends at."""
    return capitalised(str(name).replace("_", " ").replace("-", " ").strip())


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
