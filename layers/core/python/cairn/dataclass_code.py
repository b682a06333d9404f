"""The methods of dataclasses, compiled when the bundle was made: a fifth of the CPU of a cold start without it.

`dataclasses` writes the methods of each class as the text of one function, compiles it and runs it: 0.6 ms a class,
for 150 classes. The bundle has these functions in its archive (infra/cloud/bundle/compiled).
"""

import dataclasses
import inspect
from collections.abc import Callable
from hashlib import sha256
from types import CodeType, SimpleNamespace
from typing import Any


def name_of(text: str) -> str:
    """The name of the text's bytecode."""
    return sha256(text.encode()).hexdigest()[:24]


def use(compiled: Callable[[str], CodeType | None]) -> None:
    """Take the methods of dataclasses that are defined from now on from there, by name.

    A text that is not found is compiled as ever, for example where another version of Python writes another one.
    A class without a docstring gets its name as one: `dataclasses` makes one up of its signature, for 0.2 ms each.
    """

    def define(text: str, names: dict[str, Any], defined: dict[str, Any]) -> None:
        exec(compiled(name_of(text)) or text, names, defined)  # noqa: S102  as dataclasses does

    vars(dataclasses)["exec"] = define
    vars(dataclasses)["inspect"] = SimpleNamespace(**{**vars(inspect), "signature": lambda _: ""})


def note() -> set[str]:
    """Gets the text of each class that is defined from now on."""
    noted = set[str]()

    def define(text: str, names: dict[str, Any], defined: dict[str, Any]) -> None:
        noted.add(text)
        exec(text, names, defined)  # noqa: S102  as dataclasses does

    vars(dataclasses)["exec"] = define
    return noted
