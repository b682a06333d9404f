"""Filters for dates, amounts, numbers and plurals in the language of a text.

What they know of the language is compiled into the variant of the template (authoring/journeys/languages.py), from
Unicode's CLDR. A variant without it, such as one of an older version, is in English.
"""

import re
from collections.abc import Mapping, Sequence
from datetime import datetime
from decimal import Decimal
from typing import Any

from jinja2 import pass_context
from jinja2.runtime import Context, Undefined
from jinja2.sandbox import ImmutableSandboxedEnvironment

from cairn.adapters.templates.values import Full, Sandbox, number_text
from cairn.domain.shared.currencies import decimals_of
from cairn.domain.shared.errors import TemplateError
from cairn.domain.shared.instants import to_instant, zone_named

LANGUAGE = "language of the text"
"""The variable with the variant's data. No template can set it: the name has blanks."""

FORMS = ("short", "medium", "long", "full", "day", "time")
"""The formats of `local` that have a name: dates as long as CLDR has them, a day without its year, a time of day."""

DIRECTIVE = re.compile(r"%([-_0^#]*)([A-Za-z%])")
"""One directive of strftime: flags and a character."""

DAYS_OF_MONTH = frozenset("de")
ALONE = "O"
"""Before a directive: the month without a day beside it, which is another word in Slavic languages (glibc's `%OB`)."""

SYMBOL, NUMBER = "¤", "0"
"""In a pattern of money."""

ENGLISH = {"decimal": ".", "group": ",", "groups": [3, 3], "money": ["0 ¤", "-0 ¤"], "symbols": {}}
ENGLISH_PLURAL = {"one": [[["i", 0, True, [[1, 1]]], ["v", 0, True, [[0, 0]]]]]}

OTHER = "other"

Plural = Mapping[str, Sequence[Sequence[tuple[str, int, bool, Sequence[tuple[int, int]]]]]]
"""CLDR's rule of each form: any of several lists, all of whose relations hold. A relation is an operand, what it is
divided by for its remainder (or 0), whether it is in the ranges or not, and the ranges."""

AMOUNT = re.compile(r"[+-]?[0-9]{1,20}(?:\.[0-9]{1,20})?")


@pass_context
def local(context: Context, value: Any, format_: str) -> Full:
    """An instant on the customer's clock: one of the forms, or a format of strftime."""
    zone = zone_named(context.get("time_zone"), "UTC")
    instant = to_instant(value, zone)
    if isinstance(value, Undefined):
        str(value)  # raises, and names what is missing
    if instant is None:
        raise TemplateError("the local filter needs an instant in ISO 8601 or seconds since 1970")
    language = _language(context)
    pattern = language.get("forms", {}).get(format_, format_)
    return Full(_in_words(instant.astimezone(zone), pattern, language.get("names", {})))


@pass_context
def money(context: Context, minor_units: Any, currency: str = "USD") -> Full:
    """`$49.00` from 4900: an integer in minor units, with the decimals that the currency has."""
    given = _decimal(minor_units)
    if given != int(given):
        raise TemplateError("the money filter takes minor units, an integer; amount takes 49.50")
    code = _code(currency)
    return _priced(context, given.scaleb(-decimals_of(code)), code)


@pass_context
def amount(context: Context, major_units: Any, currency: str) -> Full:
    """`$49.00` from `49`, `49.00` or `"49.00"`: major units, as most sources write them."""
    return _priced(context, _decimal(major_units), _code(currency))


@pass_context
def number(context: Context, value: Any) -> Full:
    """`1,234.5` from 1234.5."""
    return Full(_grouped(_digits(_decimal(value)), _language(context).get("numbers", ENGLISH)))


@pass_context
def plural(context: Context, value: Any, *, other: Any, **forms: Any) -> Any:
    """The form that goes with a number: `one`, `few` … `other`, by the language's own rule."""
    rule: Plural = _language(context).get("plural", ENGLISH_PLURAL)
    return forms.get(plural_form(_digits(_decimal(value)), rule), other)


FILTERS = {"local": local, "money": money, "amount": amount, "number": number, "plural": plural}


def environment(*, escape: bool) -> ImmutableSandboxedEnvironment:
    """The environment in which templates are checked and rendered."""
    made = Sandbox(escape=escape)
    made.filters |= FILTERS
    return made


def plural_form(digits: str, rule: Plural) -> str:
    """The form of a number as it is written, `1` or `1.50`."""
    integer, _, fraction = digits.lstrip("-").partition(".")
    shown = fraction.rstrip("0")
    operands: dict[str, int | float] = {
        "n": float(f"{integer}.{shown}") if shown else int(integer),
        "i": int(integer),
        "v": len(fraction),
        "w": len(shown),
        "f": int(fraction or 0),
        "t": int(shown or 0),
    }

    def is_true(relation: tuple[str, int, bool, Sequence[tuple[int, int]]]) -> bool:
        operand, divisor, inside, ranges = relation
        value = operands.get(operand, 0)
        rest = value % divisor if divisor else value
        return any(first <= rest <= last and rest == int(rest) for first, last in ranges) is inside

    found = (form for form, any_of in rule.items() if any(all(map(is_true, every)) for every in any_of))
    return next(found, OTHER)


def _language(context: Context) -> Mapping[str, Any]:
    found: Mapping[str, Any] = context.get(LANGUAGE) or {}
    return found


def _in_words(instant: datetime, pattern: str, names: Mapping[str, Sequence[str]]) -> str:
    """As strftime, with the names of days and months, and of the halves of a day, from the language."""
    has_day = any(found[2] in DAYS_OF_MONTH for found in DIRECTIVE.finditer(pattern))
    index = {"a": instant.weekday(), "b": instant.month - 1, "p": instant.hour // 12}

    def word(found: re.Match[str]) -> str:
        directive = "b" if found[2] == "h" else found[2]
        listed = names.get(directive if has_day else ALONE + directive, names.get(directive))
        if listed is None:
            return found[0]
        text = listed[index[directive.lower()]].replace("%", "%%")
        return text.upper() if "^" in found[1] else text

    return instant.strftime(DIRECTIVE.sub(word, pattern))


def _priced(context: Context, value: Decimal, code: str) -> Full:
    numbers = _language(context).get("numbers", ENGLISH)
    digits = _digits(value, decimals_of(code))
    symbol = numbers["symbols"].get(code, code)
    pattern = numbers["money"][digits.startswith("-")]
    return Full(_apart(pattern, symbol).replace(NUMBER, _grouped(digits.lstrip("-"), numbers)).replace(SYMBOL, symbol))


def _apart(pattern: str, symbol: str) -> str:
    """The pattern, with a blank between the digits and a symbol such as CHF (CLDR, currencySpacing)."""
    if symbol[-1:].isalpha():
        pattern = pattern.replace(SYMBOL + NUMBER, f"{SYMBOL}\u00a0{NUMBER}")
    return pattern.replace(NUMBER + SYMBOL, f"{NUMBER}\u00a0{SYMBOL}") if symbol[:1].isalpha() else pattern


def _grouped(digits: str, numbers: Mapping[str, Any]) -> str:
    sign = "-" if digits.startswith("-") else ""
    integer, dot, fraction = digits.removeprefix("-").partition(".")
    first, others = numbers["groups"]
    groups = [integer[-first:]]
    integer = integer[:-first]
    while integer:
        groups.insert(0, integer[-others:])
        integer = integer[:-others]
    grouped: str = numbers["group"].join(groups)
    return sign + grouped + (numbers["decimal"] + fraction if dot else "")


def _digits(value: Decimal, decimals: int | None = None) -> str:
    shown = f"{value if decimals is None else round(value, decimals):f}"
    return shown.lstrip("-") if not value or not shown.strip("-0.") else shown


def _decimal(value: Any) -> Decimal:
    """A number, or a text that is one. Raises TemplateError."""
    text = number_text(value) if isinstance(value, int | float) else str(value).strip()
    if not AMOUNT.fullmatch(text):
        raise TemplateError("a filter for numbers needs a number, or a text such as 49.00")
    return Decimal(text)


def _code(currency: Any) -> str:
    if not isinstance(currency, str) or not currency.strip():
        raise TemplateError("an amount needs its currency, such as USD")
    return currency.strip().upper()
