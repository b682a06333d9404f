"""Dates, amounts, numbers and plurals in the language of the text: compiled from CLDR, they are those of Babel."""

import json
import re
import unicodedata
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from babel import Locale
from babel.dates import format_date, format_time
from babel.localedata import locale_identifiers
from babel.numbers import format_currency, format_decimal, get_currency_precision
from hypothesis import given
from hypothesis import strategies as st

from authoring.journeys import check, compile_catalogue
from authoring.journeys.languages import language_of
from authoring.journeys.templates import NAME
from cairn.adapters.templates.renderer import JinjaRenderer
from cairn.domain.journey.definition import EntryRule, Journey, Match
from cairn.domain.message.sms import parts_of
from cairn.domain.shared.channels import Channel
from cairn.domain.shared.currencies import decimals_of
from cairn.domain.shared.errors import TemplateError
from tests.unit.makers import message

WRITTEN = sorted(
    one.replace("_", "-") for one in locale_identifiers() if NAME.fullmatch(f"a.{one.replace('_', '-')}.sms.txt")
)
"""Every language of CLDR that a template's name can have."""

LANGUAGES = st.sampled_from(WRITTEN)
COMMON = ["ar", "cs", "de", "de-AT", "en", "en-GB", "en-IN", "es", "es-MX", "fr", "he", "hi", "hu", "it", "ja", "ko"]
COMMON += ["nl", "pl", "pt", "pt-PT", "ru", "sv", "tr", "uk", "zh", "zh-Hant"]
CURRENCIES = ("BHD", "CHF", "EUR", "INR", "JPY", "KWD", "MXN", "PLN", "USD", "XCG", "XAF", "ZZZ")
INSTANTS = st.datetimes(datetime(1900, 1, 1), datetime(2199, 12, 31)).map(lambda one: one.replace(tzinfo=UTC))  # noqa: DTZ001


class OneVariant:
    """A catalogue with one variant."""

    def __init__(self, parts: dict[str, Any]) -> None:
        self._parts = parts

    def version(self, name: str, version: str) -> Journey:
        return Journey(name, version, EntryRule((Match("trial.signup"),)), {}, None)

    def template(self, name: str, version: str, template: str, channel: str, locale: str = "") -> dict[str, Any]:  # noqa: ARG002
        return self._parts


def said(text: str, locale: str, channel: Channel = Channel.SMS, **data: Any) -> str:
    """The text as a reader gets it, after the way that its data goes: through JSON."""
    compiled = json.loads(json.dumps(language_of([text], locale, channel)))
    one = JinjaRenderer(OneVariant({"text": text, "max_parts": 20, "language": compiled}))
    variables = {"profile": {}, "data": data, "customer": "c_ada", "journey": "visit"}
    return one.render(message(variables=variables), channel, "+12015550123").text


def plain(text: str) -> str:
    """Without invisible marks, and with all blanks alike."""
    shown = "".join(one for one in text if unicodedata.category(one) != "Cf")
    return " ".join(shown.split())


def babel(locale: str) -> Locale:
    return Locale.parse(locale, sep="-")


@given(LANGUAGES, INSTANTS, st.sampled_from(["short", "medium", "long", "full"]))
def test_a_date_is_written_as_the_language_writes_it(locale: str, at: datetime, length: Any) -> None:
    expected = format_date(at, length, locale=babel(locale))
    era = {name for names in babel(locale).eras.values() for name in names.values()}

    shown = said(f"{{{{ data.at | local('{length}') }}}}", locale, at=at.isoformat())

    for name in sorted(era, key=len, reverse=True):
        expected = expected.replace(name, "")
    assert re.sub(r"\W", "", shown) == re.sub(r"\W", "", plain(expected)) or babel(locale).language in {"lrc", "mzn"}


@given(LANGUAGES, INSTANTS)
def test_a_time_of_day_is_written_as_the_language_writes_it(locale: str, at: datetime) -> None:
    expected = format_time(at, "short", locale=babel(locale))
    pattern = babel(locale).time_formats["short"].pattern

    if "B" not in pattern:  # parts of the day, of which we have two
        assert said("{{ data.at | local('time') }}", locale, at=at.isoformat()) == plain(expected)


@pytest.mark.parametrize(
    ("locale", "shown"),
    [
        ("en", "Tuesday, March 3"),
        ("en-GB", "Tuesday 3 March"),
        ("de", "Dienstag, 3. März"),
        ("es", "martes, 3 de marzo"),
        ("fr", "mardi 3 mars"),
        ("pt-BR", "terça-feira, 3 de março"),
        ("pl", "wtorek, 3 marca"),
        ("hu", "március 3., kedd"),
        ("ja", "3月3日(火曜日)"),
    ],
)
def test_a_day_is_written_with_its_weekday_and_without_its_year(locale: str, shown: str) -> None:
    assert said("{{ data.at | local('day') }}", locale, at="2026-03-03T18:30:00Z") == shown


@given(LANGUAGES)
def test_a_day_has_its_day_month_and_weekday_in_every_language(locale: str) -> None:
    shown = said("{{ data.at | local('day') }}", locale, at="2026-03-03T18:30:00Z")

    assert "3" in shown
    assert "2026" not in shown
    assert re.sub(r"\W", "", babel(locale).days["format"]["wide"][1]) in re.sub(r"\W", "", shown)


@given(LANGUAGES, INSTANTS)
def test_a_format_of_strftime_has_the_names_of_the_language(locale: str, at: datetime) -> None:
    known = babel(locale)
    shown = said("{{ data.at | local('%A|%a|%-d %B|%d %b') }}", locale, at=at.isoformat())

    assert shown == "|".join(
        plain(one)
        for one in (
            known.days["format"]["wide"][at.weekday()],
            known.days["format"]["abbreviated"][at.weekday()],
            f"{at.day} {known.months['format']['wide'][at.month]}",
            f"{at.day:02} {known.months['format']['abbreviated'][at.month]}",
        )
    )


def test_a_month_alone_is_another_word_than_with_a_day() -> None:
    assert said("{{ data.at | local('%B') }}", "ru", at="2026-03-03") == "март"
    assert said("{{ data.at | local('%-d %B') }}", "ru", at="2026-03-03") == "3 марта"
    assert said("{{ data.at | local('%^B, %h') }}", "pl", at="2026-03-03") == "MARZEC, mar"


def test_a_percent_sign_stays_and_a_halved_day_speaks_the_language() -> None:
    assert said("{{ data.at | local('%%A %-I:%M %p') }}", "en-GB", at="2026-03-03T18:30:00") == "%A 6:30 pm"


def test_a_form_may_be_a_value() -> None:
    text = "{% for one in data.forms %}{{ data.at | local(one) }};{% endfor %}"

    assert said(text, "de", at="2026-03-03T18:30:00", forms=["long", "%a"]) == "3. März 2026;Di.;"
    assert said("{{ data.days | map('local', '%A') | join(', ') }}", "de", days=["2026-03-03"]) == "Dienstag"


def test_a_long_date_is_not_shortened() -> None:
    shown = said("{{ data.at | local('full') }}", "es", at="2026-09-23")

    assert shown == "miércoles, 23 de septiembre de 2026"


def decimals(first: int, last: int, digits: int) -> st.SearchStrategy[Decimal]:
    return st.integers(first * 10**digits, last * 10**digits).map(lambda one: Decimal(one).scaleb(-digits))


AMOUNTS = decimals(-(10**12), 10**12, 3)


@given(LANGUAGES, AMOUNTS, st.sampled_from(CURRENCIES))
def test_an_amount_is_written_as_the_language_writes_it(locale: str, value: Decimal, code: str) -> None:
    symbol = babel(locale).currency_symbols.get(code, code)
    rounded = round(value, decimals_of(code)) or Decimal(0)  # never "-0.00"
    expected = format_currency(rounded, code, locale=babel(locale)).replace(symbol, "¤")

    for channel in (Channel.SMS, Channel.EMAIL):
        shown = said("{{ data.x | amount(data.code) }}", locale, channel, x=str(value), code=code.lower())
        written = (
            plain(shown).replace(plain(symbol) if channel is Channel.EMAIL else code, "¤").replace(plain(symbol), "¤")
        )
        assert get_currency_precision(code) == decimals_of(code)
        assert re.sub(r"\s", "", written) == re.sub(r"\s", "", plain(expected))


@given(LANGUAGES, st.integers(-(10**12), 10**12), st.sampled_from(CURRENCIES))
def test_minor_and_major_units_are_one_amount(locale: str, minor: int, code: str) -> None:
    major = str(Decimal(minor).scaleb(-decimals_of(code)))

    assert said("{{ data.x | money(data.c) }}", locale, x=minor, c=code) == said(
        "{{ data.x | amount(data.c) }}", locale, x=major, c=code
    )


@pytest.mark.parametrize(
    ("locale", "code", "shown"),
    [
        ("en", "USD", "$1,234.50"),
        ("en", "CHF", "CHF 1,234.50"),
        ("en", "JPY", "¥123,450"),
        ("en", "BHD", "BHD 123.450"),
        ("en-IN", "USD", "$1,234.50"),
        ("de", "EUR", "1.234,50 €"),
        ("fr", "EUR", "1 234,50 €"),
        ("es-MX", "MXN", "$1,234.50"),
        ("pl", "PLN", "1 234,50 PLN"),  # ł is not GSM-7
        ("hi", "INR", "INR 1,234.50"),  # nor is the rupee's sign
    ],
)
def test_a_text_has_the_symbols_that_cost_nothing(locale: str, code: str, shown: str) -> None:
    text = said(f"{{{{ data.x | money('{code}') }}}}" + "a" * 140, locale, x=123450)

    assert text.removesuffix("a" * 140) == shown
    assert parts_of(text) == 1


def test_digits_are_grouped_as_in_india() -> None:
    assert (
        said("{{ data.x | amount('USD') }} {{ data.x | number }}", "en-IN", x=12345678) == "$1,23,45,678.00 1,23,45,678"
    )


def test_other_channels_have_every_symbol() -> None:
    assert said("{{ data.x | money('INR') }}", "hi", Channel.WHATSAPP, x=123450) == "₹1,234.50"


@pytest.mark.parametrize("value", [None, True, "", "49,00", "1e5", "free", "NaN", float("inf"), [1], 10**40])
@pytest.mark.parametrize("call", ["amount('USD')", "money('USD')", "number", "plural(other='x')"])
def test_what_is_no_number_is_an_error(call: str, value: Any) -> None:
    with pytest.raises(TemplateError):
        said(f"{{{{ data.x | {call} }}}}", "de", x=value)


@pytest.mark.parametrize("code", [None, "", " ", 5])
def test_an_amount_has_a_currency(code: Any) -> None:
    with pytest.raises(TemplateError):
        said("{{ data.x | amount(data.c) }}", "de", x=1, c=code)


def test_minor_units_are_whole() -> None:
    with pytest.raises(TemplateError, match="amount takes"):
        said("{{ data.x | money('USD') }}", "en", x="49.50")
    assert said("{{ data.x | money('USD') }}", "en", x=4900.0) == "$49.00"
    assert said("{{ data.x | amount('USD') }}", "en", x=-0.001) == "$0.00"


@given(LANGUAGES, decimals(-(10**9), 10**9, 2))
def test_a_number_is_written_as_the_language_writes_it(locale: str, value: Decimal) -> None:
    expected = format_decimal(value, locale=babel(locale), decimal_quantization=False)

    shown = said("{{ data.x | number }}", locale, x=str(value.normalize() if value % 1 else int(value)))

    assert shown == plain(expected)


NUMBERS = st.integers(0, 3_000_000) | st.integers(0, 130) | decimals(0, 200, 2)


@given(LANGUAGES, NUMBERS)
def test_a_plural_has_the_form_of_the_language(locale: str, value: int | Decimal) -> None:
    forms = ", ".join(f"{one}='{one}'" for one in ("zero", "one", "two", "few", "many", "other"))

    shown = said(f"{{{{ data.x | plural({forms}) }}}}", locale, x=str(value))

    assert shown == babel(locale).plural_form(value)


def test_a_form_that_is_not_given_is_other() -> None:
    assert said("{{ data.n | plural(one='Gast', other='Gäste') }}", "de", n=0) == "Gäste"
    assert said("{{ data.n | plural(one='Gast', other='Gäste') }}", "de", n=1.0) == "Gast"
    assert said("{{ data.n | plural(one='a', few='b', other='c') }}", "pl", n=5) == "c"


def test_the_table_of_the_docs_is_what_a_reader_gets() -> None:
    docs = (Path(__file__).parents[4] / "docs" / "journeys.md").read_text(encoding="utf-8")
    (head, table) = re.findall(r"^\| \|((?: `[\w-]+` \|)+)\n\|[-|]+\n((?:\| `\w+\(.*\n)+)", docs, re.MULTILINE)[0]
    locales = re.findall(r"`([\w-]+)`", head)

    for row in table.splitlines():
        call, *shown = (cell.strip() for cell in row.strip("|").split("|"))
        value: Any = 123450 if "money" in call else "2026-03-03T18:30:00Z"
        assert [
            plain(said(f"{{{{ data.x | {call.strip('`')} }}}}", one, Channel.EMAIL, x=value)) for one in locales
        ] == [one.replace("\u00a0", " ") for one in shown]


# The data that is compiled in.

MEND = "Mend what stands in its brackets."
NOT_IN_CLDR = "Name a language of Unicode's CLDR, or write dates in figures and amounts without a filter."


@pytest.mark.parametrize(
    ("text", "locale", "compiled"),
    [
        ("Hello {{ profile.first_name | default('you') }}", "de", {}),
        ("{{ data.at | local('%d.%m. %H:%M') }}", "de", {}),
        ("{{ data.at | local('%A %B %p') }}", "en", {}),
        ("{{ data.at | local('long') }}", "en", {"forms": {"long": "%B %-d, %Y"}}),
        ("{{ data.at | local('%p') }}", "en-GB", {"names": {"p": ["am", "pm"]}}),
        ("{{ data.n | plural(other='x') }}", "ja", {"plural": {}}),
        (
            "{{ data.x | money('USD') }}",
            "en",
            {
                "numbers": {
                    "decimal": ".",
                    "group": ",",
                    "groups": [3, 3],
                    "money": ["¤0", "-¤0"],
                    "symbols": {"USD": "$"},
                }
            },
        ),
    ],
)
def test_no_more_is_compiled_in_than_is_used(text: str, locale: str, compiled: dict[str, Any]) -> None:
    assert language_of([text], locale, Channel.SMS) == compiled


def written(root: Path, files: dict[str, str], language: str = "") -> Path:
    """A journey that sends one SMS."""
    folder = root / "visit"
    (folder / "templates").mkdir(parents=True)
    more = f"language: {language}\n" if language else ""
    send = "{channel: sms, template: a, purpose: transactional}"
    (folder / "journey.yaml").write_text(
        f"journey: visit\n{more}entry: {{event: trial.signup}}\nsteps:\n  - id: a\n    send: {send}\n", encoding="utf-8"
    )
    for name, text in files.items():
        (folder / "templates" / name).write_text(text, encoding="utf-8")
    return root


def test_a_variant_has_its_own_language_and_the_others_that_of_the_journey(tmp_path: Path) -> None:
    text = "{{ data.at | local('%A') }}"
    (compiled,) = compile_catalogue(written(tmp_path, {"a.sms.txt": text, "a.fr.sms.txt": text}, "de"))

    assert compiled["templates"]["a.sms"]["language"]["names"]["A"][0] == "Montag"
    assert compiled["templates"]["a.fr.sms"]["language"]["names"]["A"][0] == "lundi"


@pytest.mark.parametrize(
    ("text", "language", "found"),
    [
        ("{{ data.x | local('long') }} {{ data.n | plural(one='x', other='y') }}", "de", []),
        ("\n{{ data.at | local('lnog') }}", "", ["2: local has no form lnog. Did you mean long?"]),
        (
            "{{ data.x | amount }}",
            "",
            [f"1: the filter amount takes other arguments: missing a required argument: 'currency'. {MEND}"],
        ),
        ("{{ data.x | money('EURO') }}", "", ['1: "EURO" is no currency. Did you mean EUR?']),
        (
            "{{ data.n | plural(one='x', other='y') }}",
            "pl",
            [
                "1: Polish has a form few, and plural has none for it. Add few='…'.",
                "1: Polish has a form many, and plural has none for it. Add many='…'.",
            ],
        ),
        (
            "{{ data.n | plural(zero='x', other='y', one='z') }}",
            "",
            ["1: English has no form zero. It has one, other: ask with if for others."],
        ),
        (
            "{{ data.n | plural(one='x') }}",
            "",
            [f"1: the filter plural takes other arguments: missing a required argument: 'other'. {MEND}"],
        ),
        (
            "{{ data.n | plural('x', one='y', other='z') }}",
            "",
            [f"1: the filter plural takes other arguments: too many positional arguments. {MEND}"],
        ),
        (
            "{{ data.x | number(digits=2) }}",
            "",
            [f"1: the filter number takes other arguments: got an unexpected keyword argument 'digits'. {MEND}"],
        ),
        (
            "{{ data.x | number }}",
            "xxx",
            [
                f"1: nothing is known about dates and numbers in xxx. {NOT_IN_CLDR}",
            ],
        ),
    ],
)
def test_what_a_text_asks_of_its_language_is_checked(
    tmp_path: Path, text: str, language: str, found: list[str]
) -> None:
    root = written(tmp_path, {"a.sms.txt": text}, language)

    assert [str(one).replace(f"{root}/visit/templates/a.sms.txt:", "") for one in check(root)] == found


def test_a_language_that_is_none_is_one_problem_of_the_journey(tmp_path: Path) -> None:
    (problem,) = check(written(tmp_path, {"a.sms.txt": "{{ data.x | number }}"}, "German"))

    assert (problem.line, problem.field) == (2, "language")


@pytest.mark.parametrize("locale", COMMON)
def test_every_form_of_a_common_language_is_small(locale: str) -> None:
    text = "{{ data.at | local(data.form) }} {{ data.x | money(data.c) }} {{ data.n | plural(other='x') }}"

    assert len(json.dumps(language_of([text], locale, Channel.EMAIL), ensure_ascii=False).encode()) < 3500
