"""The methods of dataclasses, compiled when the bundle was made: a fifth of the CPU of a cold start without it.

`dataclasses` writes the methods of each class as the text of one function, compiles it and runs it: 0.6 ms a class,
for 150 classes. The bundle has these functions as a module (infra/cloud/bundle/dataclass_code).
"""

import dataclasses
from hashlib import sha256
from types import FunctionType, ModuleType
from typing import Any

MODULE = "cairn_dataclass_code"
"""The module of the bundle. On a laptop there is none, and nothing is different."""

FUNCTION = "__create_fn__"
"""What Python calls the function (dataclasses.py, Python 3.11 to 3.14)."""


def name_of(text: str) -> str:
    """The function's name in the module."""
    return "_" + sha256(text.encode()).hexdigest()[:24]


def use(module: ModuleType) -> None:
    """Take the functions of dataclasses that are defined from now on from the module.

    A text that it does not have is compiled as ever, for example where another version of Python writes another one.
    """

    def define(text: str, names: dict[str, Any], defined: dict[str, Any]) -> None:
        compiled: FunctionType | None = getattr(module, name_of(text), None)
        if compiled is None:
            exec(text, names, defined)  # noqa: S102  as dataclasses does
        else:
            defined[FUNCTION] = FunctionType(compiled.__code__, names)

    vars(dataclasses)["exec"] = define
