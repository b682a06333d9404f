"""What a template's filters know of its language: Unicode's CLDR, compiled into the variant as far as it is used.

So the functions need no library for it, and a version prints the same for ever.
"""

import re
from collections.abc import Iterable, Iterator, Mapping
from functools import cache
from typing import Any

import smsutil
from babel import Locale, UnknownLocaleError
from babel.core import get_global
from babel.numbers import list_currencies
from jinja2 import TemplateSyntaxError, nodes

from authoring.problems import did_you_mean
from cairn.adapters.templates.language import ALONE, DIRECTIVE, FILTERS, FORMS, OTHER, environment, plural_form
from cairn.domain.shared.channels import Channel

ENGLISH = "en"

DIRECTIVES: Mapping[str, str] = {
    "d": "%-d",
    "dd": "%d",
    "M": "%-m",
    "MM": "%m",
    "MMM": "%b",
    "MMMM": "%B",
    "LLLL": "%B",
    "y": "%Y",
    "yy": "%y",
    "E": "%a",
    "EEE": "%a",
    "EEEE": "%A",
    "cccc": "%A",
    "H": "%-H",
    "HH": "%H",
    "h": "%-I",
    "hh": "%I",
    "m": "%M",
    "mm": "%M",
    "a": "%p",
    "B": "%p",
}
"""CLDR's fields of a date as directives of strftime. CLDR's parts of a day (`B`) are the two halves here."""

BESIDE = ("format", "stand-alone")
"""CLDR's contexts of a word: beside other fields of a date, and alone."""

FIELDS = re.compile(r"'([^']*)'|([A-Za-z])\2*|[^A-Za-z']+")

DAYS = ("MMMMEEEEd", "MMMMEd", "MMMEd")
"""CLDR's patterns of a day with its weekday and without its year; the first that a language has."""

WIDER = {"E": "EEEE", "ccc": "EEEE", "MMM": "MMMM", "LLL": "MMMM"}
"""A field, and the same in full: CLDR widens a pattern so where a language has none of its own."""

IN_ENGLISH: dict[str, list[str]] = {
    "A": ["Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday"],
    "B": [
        *("January", "February", "March", "April", "May", "June", "July"),
        *("August", "September", "October", "November", "December"),
    ],
    "p": ["AM", "PM"],
}
IN_ENGLISH |= {"a": [day[:3] for day in IN_ENGLISH["A"]], "b": [month[:3] for month in IN_ENGLISH["B"]]}
"""What strftime itself prints: these names need not be compiled in."""

RELATION = re.compile(r"(?P<operand>\w)(?: mod (?P<divisor>\d+))?(?P<outside> not)? (?:in|within) (?P<ranges>[\d.,]+)")

WHOLE_NUMBERS = range(1000)
"""The whole numbers that show which forms a text needs. A million has one of its own in some; `other` does."""

Found = tuple[int, str, str]
"""Line, message and fix."""


def language_of(texts: Iterable[str], locale: str, channel: Channel) -> dict[str, Any]:
    """The data for the filters that these texts use; nothing where they use none, or strftime's English will do."""
    calls = [call for text in texts for call in _calls(text)]
    used = {call.name for call in calls}
    if not used:
        return {}
    known = _locale(locale)
    data: dict[str, Any] = {}
    if "local" in used:
        data |= _dates(known, [_format(call) for call in calls if call.name == "local"])
    if used & {"money", "amount", "number"}:
        codes = [_currency(call) for call in calls if call.name in {"money", "amount"}]
        data["numbers"] = _numbers(known, codes, channel)
    if "plural" in used:
        data["plural"] = _plural(known)
    return data


def language_problems(text: str, locale: str) -> Iterator[Found]:
    """What a text asks of its language, and the language does not have."""
    calls = list(_calls(text))
    try:
        known = _locale(locale) if calls else None
    except UnknownLocaleError:
        fix = "Name a language of Unicode's CLDR, or write dates in figures and amounts without a filter."
        yield calls[0].lineno, f"nothing is known about dates and numbers in {locale}", fix
        return
    for call in calls:
        if call.name == "local":
            yield from _wrong_form(call)
        elif call.name == "plural" and known is not None:
            yield from _wrong_plural(call, known)
        elif (code := _currency(call)) and code not in list_currencies():
            fix = did_you_mean(code, list_currencies(), "Write its code of ISO 4217, such as USD.")
            yield call.lineno, f'"{code}" is no currency', fix


def _calls(text: str) -> Iterator[Any]:
    """The calls of our filters. One that `map` makes is a call with unknown arguments."""
    try:
        tree = environment(escape=False).parse(text)
    except TemplateSyntaxError:  # a problem already
        return
    for call in tree.find_all(nodes.Filter):
        if call.name in FILTERS:
            yield call
        elif call.name == "map" and call.args and getattr(call.args[0], "value", "") in FILTERS:
            name = call.args[0].value  # type: ignore[attr-defined]
            yield nodes.Filter(None, name, [], [], None, nodes.Name("unknown", "load"), lineno=call.lineno)


def _argument(call: Any, name: str, default: str) -> str | None:
    """The first argument of a call where the template's own text says it; None where a value does."""
    if call.dyn_args is not None or call.dyn_kwargs is not None:
        return None
    given = [*call.args[:1], *(one.value for one in call.kwargs if one.key == name)]
    if not given:
        return default
    return given[0].value if isinstance(given[0], nodes.Const) and isinstance(given[0].value, str) else None


def _format(call: Any) -> str | None:
    return _argument(call, "format_", "")


def _currency(call: Any) -> str | None:
    found = _argument(call, "currency", "USD") if call.name in {"money", "amount"} else None
    return found and found.strip().upper()


def _wrong_form(call: Any) -> Iterator[Found]:
    written = _format(call)
    if written and written not in FORMS and "%" not in written:
        fix = did_you_mean(written, FORMS, f"Write one of {', '.join(FORMS)}, or a format such as %H:%M.")
        yield call.lineno, f"local has no form {written}", fix


def _wrong_plural(call: Any, locale: Locale) -> Iterator[Found]:
    given = {one.key for one in call.kwargs}
    if call.dyn_kwargs is not None or OTHER not in given:  # without `other` it is a problem already
        return
    language = locale.english_name
    has = {*locale.plural_form.tags, OTHER}
    needed = {plural_form(str(one), _plural(locale)) for one in WHOLE_NUMBERS}
    for name in sorted(given - has):
        yield call.lineno, f"{language} has no form {name}", f"It has {', '.join(sorted(has))}: ask with if for others."
    for name in sorted(needed - given):
        yield call.lineno, f"{language} has a form {name}, and plural has none for it", f"Add {name}='…'."


def _locale(locale: str) -> Locale:
    """Raises UnknownLocaleError."""
    return Locale.parse(locale, sep="-")


def _dates(locale: Locale, formats: list[str | None]) -> dict[str, Any]:
    forms = {name: pattern for name, pattern in _forms(locale).items() if name in formats or None in formats}
    patterns = [*forms.values(), *(one for one in formats if one)]
    directives = {"b" if found[2] == "h" else found[2] for one in patterns for found in DIRECTIVE.finditer(one)}
    wanted = directives if None not in formats else set(IN_ENGLISH)
    found = {"forms": forms, "names": _names(locale, wanted & set(IN_ENGLISH))}
    return {name: value for name, value in found.items() if value}


def _forms(locale: Locale) -> dict[str, str]:
    dates = {length: locale.date_formats[length].pattern for length in ("short", "medium", "long", "full")}
    skeletons = locale.datetime_skeletons
    day = next(skeletons[one].pattern for one in DAYS if one in skeletons)
    return {
        **{length: _strftime(pattern) for length, pattern in dates.items()},
        "day": _strftime(day, WIDER),
        "time": _strftime(locale.time_formats["short"].pattern),
    }


def _strftime(pattern: str, wider: Mapping[str, str] | None = None) -> str:
    """A pattern of CLDR as a format of strftime."""

    def directive(found: re.Match[str]) -> str:
        if found[2] is None:
            return (found[1] if found[1] is not None else found[0]).replace("%", "%%")
        field = (wider or {}).get(found[0], found[0])
        return DIRECTIVES.get(field, "")  # the era, which nobody writes

    return re.sub(" +", " ", FIELDS.sub(directive, pattern)).strip()


def _names(locale: Locale, directives: set[str]) -> dict[str, list[str]]:
    widths = {"A": "wide", "a": "abbreviated", "B": "wide", "b": "abbreviated"}
    names: dict[str, list[str]] = {}
    for directive in sorted(directives - {"p"}):
        listed = locale.days if directive in "Aa" else locale.months
        order = range(7) if directive in "Aa" else range(1, 13)
        names[directive] = [listed[BESIDE[0]][widths[directive]][one] for one in order]
        alone = [listed[BESIDE[1]][widths[directive]][one] for one in order]
        if directive in "Bb" and alone != names[directive]:
            names[ALONE + directive] = alone
    if "p" in directives:
        names["p"] = _halves(locale)
    return {name: listed for name, listed in names.items() if listed != IN_ENGLISH.get(name)}


def _halves(locale: Locale) -> list[str]:
    """The words for the halves of a day; those beside a time, where a language has them."""
    found = [
        locale.day_periods[where].get(width, {}) for where in BESIDE for width in ("abbreviated", "wide", "narrow")
    ]
    return next([each["am"], each["pm"]] for each in [*found, {"am": "AM", "pm": "PM"}] if {"am", "pm"} <= set(each))


def _numbers(locale: Locale, currencies: list[str | None], channel: Channel) -> dict[str, Any]:
    symbols = locale.number_symbols["latn"]
    numbers = {
        "decimal": symbols["decimal"],
        "group": symbols["group"],
        "groups": list(locale.decimal_formats[None].grouping),
    }
    pattern = locale.currency_formats["standard"]
    names = {code: symbol for code, symbol in _symbols(locale, channel).items() if code in currencies}
    return numbers | {
        "money": [f"{pattern.prefix[index]}0{pattern.suffix[index]}" for index in range(2)],
        "symbols": _symbols(locale, channel) if None in currencies else names,
    }


def _symbols(locale: Locale, channel: Channel) -> dict[str, str]:
    """The symbols of today's currencies. An SMS has those of GSM-7 alone, since another one more than halves it."""
    found = {code: locale.currency_symbols.get(code, code) for code in sorted(_currencies())}
    fits = smsutil.is_valid_gsm if channel is Channel.SMS else bool
    return {code: symbol for code, symbol in found.items() if symbol != code and fits(symbol)}


@cache
def _currencies() -> frozenset[str]:
    listed = get_global("territory_currencies").values()
    return frozenset(code for each in listed for code, _, until, tender in each if tender and until is None)


def _plural(locale: Locale) -> dict[str, list[list[Any]]]:
    return {
        form: [_relations(every) for every in rule.split(" or ")] for form, rule in locale.plural_form.rules.items()
    }


def _relations(rule: str) -> list[list[Any]]:
    relations: list[list[Any]] = []
    for relation in rule.split(" and "):
        found = RELATION.fullmatch(relation.strip())
        if found is None:
            raise ValueError(f"CLDR has a plural rule of a new shape: {relation}")
        ranges = [[int(end) for end in (one.split("..") * 2)[:2]] for one in found["ranges"].split(",")]
        ordered = [[first, last] for first, last in ([one[0], one[-1]] for one in map(sorted, ranges))]
        relations.append([found["operand"], int(found["divisor"] or 0), found["outside"] is None, ordered])
    return relations
