"""Regular expressions, compiled when the bundle was made: a tenth of the CPU of a cold start without it.

Python compiles a pattern to a list of numbers and makes its own form of them, which nothing can store. The list can be
stored: the bundle has those of the 150 patterns of a start, most of them of libraries, in its archive
(infra/cloud/bundle/compiled).
"""

import re
from collections.abc import Callable
from typing import Any

NAME = "regular expressions"
"""Of what the archive has: the version of the lists, and what `_sre.compile` is given by pattern and flags."""

_compiler: Any = vars(re)["_compiler"]


def use(find: Callable[[str], Any]) -> None:
    """Take patterns that are compiled from now on from there. One that is not found is compiled as ever.

    So are all where another version of Python made the lists.
    """
    found: tuple[int, dict[tuple[Any, int], tuple[Any, ...]]] = find(NAME) or (0, {})
    of_version, known = found
    if of_version != version():
        return
    really = _compiler.compile

    def compile_pattern(pattern: Any, flags: int = 0) -> re.Pattern[Any]:
        given = known.get((pattern, flags)) if type(pattern) in {str, bytes} else None
        made: re.Pattern[Any] = _compiler._sre.compile(pattern, *given) if given else really(pattern, flags)  # noqa: SLF001
        return made

    _compiler.compile = compile_pattern


def version() -> int:
    """Of the lists. Python changes it with what it makes of a pattern."""
    return int(_compiler.MAGIC)


def note() -> dict[tuple[Any, int], tuple[Any, ...]]:
    """Gets what `use` takes, of each pattern that is compiled from now on."""
    noted: dict[tuple[Any, int], tuple[Any, ...]] = {}
    really = _compiler.compile

    def compile_pattern(pattern: Any, flags: int = 0) -> re.Pattern[Any]:
        if type(pattern) in {str, bytes}:
            parsed = _compiler._parser.parse(pattern, flags)  # noqa: SLF001
            state = parsed.state
            names = {number: name for name, number in state.groupdict.items()}
            of_group = tuple(names.get(number) for number in range(state.groups))
            code = [int(one) for one in _compiler._code(parsed, flags)]  # noqa: SLF001
            noted[pattern, int(flags)] = (
                int(flags | state.flags),
                code,
                state.groups - 1,
                dict(state.groupdict),
                of_group,
            )
        made: re.Pattern[Any] = really(pattern, flags)
        return made

    _compiler.compile = compile_pattern
    return noted
