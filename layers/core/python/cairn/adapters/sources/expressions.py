"""The expressions of a mapping: JMESPath with functions of ours. An expression that cannot be evaluated is null."""

from collections.abc import Mapping
from functools import lru_cache
from typing import Any

import jmespath
from jmespath import functions
from jmespath.exceptions import JMESPathError

from cairn.domain.shared.instants import instant_from_wire


class _Functions(functions.Functions):  # type: ignore[misc]
    """Documented in docs/sources.md."""

    @functions.signature({"types": ["array"]})  # type: ignore[untyped-decorator]
    def _func_from_items(self, pairs: list[Any]) -> dict[str, Any]:
        """The object of a list of `[name, value]`; pairs without a name are left out."""
        named = [pair for pair in pairs if isinstance(pair, list) and len(pair) == 2 and isinstance(pair[0], str)]  # noqa: PLR2004
        return {name: value for name, value in named if name}

    @functions.signature({"types": ["string"]}, {"types": ["string"]})  # type: ignore[untyped-decorator]
    def _func_without_prefix(self, text: str, prefix: str) -> str:
        return text.removeprefix(prefix)

    @functions.signature({"types": ["string"]}, {"types": ["string"]})  # type: ignore[untyped-decorator]
    def _func_seconds_between(self, one: str, other: str) -> float:
        """Whichever comes first. Raises ValueError, so is null, where one is no instant."""
        return abs((instant_from_wire(one) - instant_from_wire(other)).total_seconds())


_OPTIONS = jmespath.Options(custom_functions=_Functions())


def pick(expression: str, scope: Mapping[str, Any]) -> Any:
    """The expression's value. Raises JMESPathError only for invalid syntax."""
    parsed = compiled(expression)
    try:
        return parsed.search(scope, options=_OPTIONS)
    except (JMESPathError, TypeError, ValueError, OverflowError):
        return None


def is_true(expression: str, scope: Mapping[str, Any]) -> bool:
    """Whether JMESPath takes the value as true: not null, false, or empty."""
    value = pick(expression, scope)
    return value is not None and value is not False and value not in ("", [], {})


@lru_cache(maxsize=2048)
def compiled(expression: str) -> Any:
    return jmespath.compile(expression)
