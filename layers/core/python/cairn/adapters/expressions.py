"""The expressions of a mapping: JMESPath with functions of ours.

Nothing that a body lacks voids an expression: a function that gets null, or a value of a type that it does not take,
gives null, and the rest of the expression goes on. So a vendor may leave out any field.
"""

import json
import re
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from functools import lru_cache
from typing import Any

import jmespath
from jmespath import functions
from jmespath.exceptions import JMESPathError, JMESPathTypeError

from cairn.domain.identity.addresses import is_whatsapp_user, whatsapp_number
from cairn.domain.shared.instants import at_local, instant_to_wire, moved, since_1970, to_instant

ANY: dict[str, list[str]] = {"types": []}
TEXT = {"types": ["string"]}
LIST = {"types": ["array"]}
AMOUNT = {"types": ["number", "string"]}
"""A number, or one as text, as vendors write amounts and ids."""

UNITS = {"s": 1, "ms": 10**3, "us": 10**6, "ns": 10**9}
"""How many of a unit make a second."""

TRUE = frozenset(("true", "yes", "y", "on", "1"))
FALSE = frozenset(("false", "no", "n", "off", "0"))


def _known(country: str) -> bool:
    from cairn.adapters.phone.numbers import is_country  # noqa: PLC0415  few mappings need phonenumbers

    return is_country(country)


class _Functions(functions.Functions):  # type: ignore[misc]
    """Documented in docs/sources.md. Where one raises, its value is null."""

    def call_function(self, name: str, arguments: list[Any]) -> Any:
        """Null where the arguments are not what the function takes; nulls in a list of texts or numbers are left out.

        Raises for an unknown function and a wrong number of arguments: that is a mistake in the mapping file.
        """
        signature = self.FUNCTION_TABLE.get(name, {}).get("signature", ())
        given = [_without_nulls(one, rule) for one, rule in zip(arguments, signature, strict=False)]
        try:
            return super().call_function(name, given + arguments[len(given) :])
        except (JMESPathTypeError, ArithmeticError, AttributeError, LookupError, OSError, TypeError, ValueError):
            return None

    @functions.signature(LIST)  # type: ignore[untyped-decorator]
    def _func_from_items(self, pairs: list[Any]) -> dict[str, Any]:
        """The object of a list of `[name, value]`; pairs without a name are left out."""
        named = [pair for pair in pairs if isinstance(pair, list) and len(pair) == 2 and isinstance(pair[0], str)]  # noqa: PLR2004
        return {name: value for name, value in named if name}

    @functions.signature({"types": ["object"]})  # type: ignore[untyped-decorator]
    def _func_items(self, value: dict[str, Any]) -> list[Any]:
        """The list of `[name, value]` of an object, whose names an expression cannot know."""
        return [[name, one] for name, one in value.items()]

    @functions.signature({"types": ["object"]}, TEXT)  # type: ignore[untyped-decorator]
    def _func_map_values(self, items: dict[str, Any], path: str) -> dict[str, Any]:
        """The same object with what `path` gives of each value: `{"plan": {"value": "gold"}}` by `value`."""
        return {name: pick(path, one) for name, one in items.items()}

    @functions.signature(TEXT)  # type: ignore[untyped-decorator]
    def _func_from_json(self, text: str) -> Any:
        """The value of a text that is JSON itself."""
        return json.loads(text)

    @functions.signature(LIST, TEXT, ANY)  # type: ignore[untyped-decorator]
    def _func_first_with(self, items: list[Any], path: str, value: Any) -> Any:
        """The first item whose `path` has this value, which may come from anywhere; a filter sees only the item."""
        return next((one for one in items if value is not None and pick(path, one) == value), None)

    @functions.signature(TEXT, TEXT)  # type: ignore[untyped-decorator]
    def _func_without_prefix(self, text: str, prefix: str) -> str:
        return text.removeprefix(prefix)

    @functions.signature(TEXT)  # type: ignore[untyped-decorator]
    def _func_lower(self, text: str) -> str:
        return text.lower()

    @functions.signature(TEXT)  # type: ignore[untyped-decorator]
    def _func_upper(self, text: str) -> str:
        return text.upper()

    @functions.signature(TEXT)  # type: ignore[untyped-decorator]
    def _func_trim(self, text: str) -> str:
        return text.strip()

    @functions.signature(TEXT, TEXT)  # type: ignore[untyped-decorator]
    def _func_split(self, text: str, separator: str) -> list[str]:
        """The parts, trimmed, without empty ones."""
        return [part for one in text.split(separator) if (part := one.strip())]

    @functions.signature(TEXT, TEXT, TEXT)  # type: ignore[untyped-decorator]
    def _func_replace(self, text: str, old: str, new: str) -> str:
        return text.replace(old, new)

    @functions.signature(TEXT)  # type: ignore[untyped-decorator]
    def _func_first_name(self, name: str) -> str | None:
        """`Ada` of `Ada King Lovelace`, and of `Lovelace, Ada King`."""
        _, comma, after = name.partition(",")
        words = (after if comma else name).split()
        return words[0] if words else None

    @functions.signature(TEXT)  # type: ignore[untyped-decorator]
    def _func_last_name(self, name: str) -> str | None:
        """`King Lovelace` of `Ada King Lovelace`; null of one word."""
        before, comma, _ = name.partition(",")
        return " ".join(before.split() if comma else name.split()[1:]) or None

    @functions.signature(AMOUNT, AMOUNT)  # type: ignore[untyped-decorator]
    def _func_add(self, one: Any, other: Any) -> Any:
        return _number(_decimal(one) + _decimal(other))

    @functions.signature(AMOUNT, AMOUNT)  # type: ignore[untyped-decorator]
    def _func_subtract(self, one: Any, other: Any) -> Any:
        return _number(_decimal(one) - _decimal(other))

    @functions.signature(AMOUNT, AMOUNT)  # type: ignore[untyped-decorator]
    def _func_multiply(self, one: Any, other: Any) -> Any:
        return _number(_decimal(one) * _decimal(other))

    @functions.signature(AMOUNT, AMOUNT)  # type: ignore[untyped-decorator]
    def _func_divide(self, one: Any, other: Any) -> Any:
        """Null by zero."""
        return _number(_decimal(one) / _decimal(other))

    @functions.signature(AMOUNT, TEXT, {"types": ["number"]})  # type: ignore[untyped-decorator]
    def _func_minor_units(self, amount: Any, currency: str, decimals: float) -> int:
        """An amount as the filter `money` takes it, of which the vendor leaves out so many decimals.

        `19.99 USD` is 1999 by `0`; of a vendor who sends 1999, by `2`. Vendors have tables of their own for some
        currencies (docs.stripe.com/currencies#special-cases).
        """
        from cairn.domain.shared.currencies import decimals_of  # noqa: PLC0415  few mappings have amounts

        return int(_decimal(amount).scaleb(decimals_of(currency) - int(decimals)).to_integral_value())

    @functions.signature({"types": ["string", "boolean", "number"]})  # type: ignore[untyped-decorator]
    def _func_boolean(self, value: Any) -> bool | None:
        """True or false of what vendors write for it, such as `"TRUE"`, `"no"`, `1`; null of anything else."""
        text = str(value).strip().lower()
        return True if text in TRUE else False if text in FALSE else None

    @functions.signature(AMOUNT, TEXT)  # type: ignore[untyped-decorator]
    def _func_from_unix(self, value: Any, unit: str) -> str | None:
        """The instant, in ISO 8601, of a number since 1970 in `s`, `ms`, `us` or `ns`."""
        return instant_to_wire(since_1970(_decimal(value), UNITS[unit])) if unit in UNITS else None

    @functions.signature(TEXT, TEXT, TEXT)  # type: ignore[untyped-decorator]
    def _func_local_time(self, text: str, form: str, zone: str) -> str:
        """The instant, in ISO 8601, of a local time in the format of Python's strptime (`%d/%m/%Y %H:%M`)."""
        from zoneinfo import ZoneInfo  # noqa: PLC0415  few mappings have local times

        local = datetime.strptime(text.strip(), form)  # noqa: DTZ007  the zone follows
        if local.tzinfo is not None:
            return instant_to_wire(local)
        return instant_to_wire(at_local(local.date(), local.time(), ZoneInfo(zone)))

    @functions.signature(TEXT, TEXT)  # type: ignore[untyped-decorator]
    def _func_seconds_between(self, one: str, other: str) -> float | None:
        """Whichever comes first."""
        first, second = to_instant(one, UTC), to_instant(other, UTC)
        return abs((first - second).total_seconds()) if first and second else None

    @functions.signature(TEXT, AMOUNT)  # type: ignore[untyped-decorator]
    def _func_seconds_after(self, instant: str, seconds: Any) -> str | None:
        """The instant, in ISO 8601, so many seconds later."""
        start = to_instant(instant, UTC)
        return instant_to_wire(moved(start, timedelta(seconds=float(_decimal(seconds))))) if start else None

    @functions.signature({"types": ["string", "number", "null"]}, {"types": ["string", "null"]})  # type: ignore[untyped-decorator]
    def _func_e164(self, text: str | float | None, country: str | None) -> str | None:
        """The number in E.164. Without a country the text as written: process_event knows the deployment's.

        A number that is not valid in its country keeps the country beside it, so that no other country is tried.
        """
        written = "" if text is None else str(text).strip()
        if not written or not country:
            return written or None
        from cairn.adapters.phone.numbers import to_e164  # noqa: PLC0415  few mappings need phonenumbers

        if not _known(country):
            return written
        return to_e164(written, country) or f"{written} ({country})"

    @functions.signature(ANY)  # type: ignore[untyped-decorator]
    def _func_whatsapp_number(self, text: Any) -> str | None:
        return whatsapp_number(text) if isinstance(text, str) else None

    @functions.signature(ANY)  # type: ignore[untyped-decorator]
    def _func_whatsapp_user(self, text: Any) -> str | None:
        return text if isinstance(text, str) and is_whatsapp_user(text) else None


FUNCTIONS: Mapping[str, Mapping[str, Any]] = _Functions.FUNCTION_TABLE
"""JMESPath's and ours, by name, each with its `signature`."""

_OPTIONS = jmespath.Options(custom_functions=_Functions())


def pick(expression: str, scope: Any) -> Any:
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


def _without_nulls(argument: Any, rule: Mapping[str, Any]) -> Any:
    """A list of texts or of numbers without its nulls, for a function that takes such a list."""
    plain = isinstance(argument, list) and any(str(one).startswith("array-") for one in rule["types"])
    return [one for one in argument if one is not None] if plain else argument


def _decimal(value: Any) -> Decimal:
    """Raises ValueError for a text that is no number, or none of a size that amounts have."""
    if not re.fullmatch(r"[+-]?\d{1,30}(\.\d{1,30})?([eE][+-]?\d{1,2})?", str(value).strip(), re.ASCII):
        raise ValueError("no number")
    return Decimal(str(value).strip())


def _number(value: Decimal) -> int | float:
    """Whole numbers stay exact."""
    return int(value) if value == value.to_integral_value() else float(value)
