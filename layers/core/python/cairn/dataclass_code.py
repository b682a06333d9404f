"""The methods of dataclasses, compiled when the bundle was made: a fifth of the CPU of a cold start without it.

`dataclasses` writes the methods of each class as the text of one function, compiles it and runs it: 0.6 ms a class,
for 150 classes. The bundle has these functions in its archive (infra/cloud/bundle/compiled).
"""

import dataclasses
import inspect
from collections import defaultdict
from collections.abc import Callable, Mapping
from functools import cache
from hashlib import sha256
from types import CodeType, SimpleNamespace
from typing import Any


def name_of(module: str) -> str:
    """The name of what the archive has for a module: bytecode by the key of its text."""
    return f"dataclasses of {module}"


def key_of(text: str) -> str:
    return sha256(text.encode()).hexdigest()[:24]


def use(find: Callable[[str], Mapping[str, CodeType] | None]) -> None:
    """Take the methods of dataclasses that are defined from now on from there, those of a module at once.

    A text that is not found is compiled as ever, for example where another version of Python writes another one.
    A class without a docstring gets its name as one: `dataclasses` makes one up of its signature, for 0.2 ms each.
    """

    @cache
    def compiled(module: str) -> Mapping[str, CodeType]:
        return find(name_of(module)) or {}

    def define(text: str, names: dict[str, Any], defined: dict[str, Any]) -> None:
        exec(compiled(names.get("__name__", "")).get(key_of(text), text), names, defined)  # noqa: S102  as dataclasses does

    vars(dataclasses)["exec"] = define
    vars(dataclasses)["inspect"] = SimpleNamespace(**{**vars(inspect), "signature": lambda _: ""})


def note() -> Mapping[str, set[str]]:
    """Gets the text of each class that is defined from now on, by module."""
    noted = defaultdict[str, set[str]](set)

    def define(text: str, names: dict[str, Any], defined: dict[str, Any]) -> None:
        noted[names.get("__name__", "")].add(text)
        exec(text, names, defined)  # noqa: S102  as dataclasses does

    vars(dataclasses)["exec"] = define
    return noted
