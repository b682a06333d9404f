"""The expressions of a mapping: JMESPath with functions of ours. An expression that cannot be evaluated is null."""

from collections.abc import Mapping
from functools import lru_cache
from typing import Any

import jmespath
from jmespath import functions
from jmespath.exceptions import JMESPathError

from cairn.domain.identity.addresses import is_whatsapp_user, whatsapp_number
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

    @functions.signature({"types": ["string", "number", "null"]}, {"types": ["string", "null"]})  # type: ignore[untyped-decorator]
    def _func_e164(self, text: str | float | None, country: str | None) -> str | None:
        """The number in E.164. Without a country the text as written: process_event knows the deployment's.

        A number that is not valid in its country keeps the country beside it, so that no other country is tried.
        """
        written = "" if text is None else str(text).strip()
        if not written or not country:
            return written or None
        from cairn.adapters.phone.numbers import is_country, to_e164  # noqa: PLC0415  few mappings need phonenumbers

        if not is_country(country):
            return written
        return to_e164(written, country) or f"{written} ({country})"

    @functions.signature({"types": ["string", "number", "boolean", "null"]})  # type: ignore[untyped-decorator]
    def _func_whatsapp_number(self, text: Any) -> str | None:
        return whatsapp_number(text) if isinstance(text, str) else None

    @functions.signature({"types": ["string", "number", "boolean", "null"]})  # type: ignore[untyped-decorator]
    def _func_whatsapp_user(self, text: Any) -> str | None:
        return text if isinstance(text, str) and is_whatsapp_user(text) else None


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
