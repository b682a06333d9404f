"""What a reply answers to the question that was asked."""

from datetime import UTC, date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from babel import Locale
from hypothesis import given
from hypothesis import strategies as st

from cairn.domain.consent.plain_words import plain_text
from cairn.domain.replies.answers import Answer, Speaker, answer_in
from cairn.domain.replies.question import Asked, Question, question_from_document
from cairn.domain.replies.words import DAYS, LANGUAGES, MONTHS, known_languages
from cairn.domain.shared.instants import to_instant

THURSDAY = datetime(2026, 3, 5, 15, tzinfo=UTC)
MADRID = ZoneInfo("Europe/Madrid")
NEW_YORK = ZoneInfo("America/New_York")

CHOICE = question_from_document([["morning", "mañana", "am"], ["evening", "tarde"]])

SAID = (
    "yes no ok tomorrow friday 5 17:30 6/3 06.03.2026 at in three days not or next morning 1 2 -5 1.500 ? but "
    "mañana lunes el a las ja nein morgen um uhr कल हाँ march 30 feb pm"
)
TEXTS = st.text(max_size=80) | st.lists(st.sampled_from(SAID.split()), max_size=8).map(" ".join)
QUESTIONS = st.sampled_from([*(Question(one) for one in Asked if one is not Asked.CHOICE), CHOICE])
SPEAKERS = st.builds(
    lambda locale, zone: Speaker(known_languages([locale[:2]]), locale, ZoneInfo(zone)),
    st.sampled_from(["en-US", "en-GB", "en", "de", "es-MX", "fr", "hi", "it", "nl", "pt-BR", "zz"]),
    st.sampled_from(["UTC", "Europe/Madrid", "America/New_York", "Asia/Kolkata", "Pacific/Apia"]),
)
INSTANTS = st.datetimes(datetime(2000, 1, 1), datetime(2100, 1, 1), timezones=st.just(UTC))  # noqa: DTZ001  a bound


def answer_to(asks: Any, text: str, locale: str = "en", zone: ZoneInfo = MADRID) -> Any:
    question = question_from_document(asks)
    assert question is not None
    found = answer_in(text, question, Speaker(known_languages([locale[:2]]), locale, zone), THURSDAY)
    return found.value if found is not None else None


@pytest.mark.parametrize(
    ("text", "locale"),
    [
        ("yes", "en"),
        ("Yes please!", "en"),
        ("\U0001f44d\U0001f3fd", "en"),
        ("Yes, see you then", "en"),
        ("Ja, passt", "de"),
        ("¡Sí!", "es-MX"),
        ("oui merci", "fr"),
        ("haan ji", "hi"),
        ("जी हाँ", "hi"),
        ("va bene", "it"),
        ("graag", "nl"),
        ("pode ser", "pt-BR"),
        ("OK", "de"),
    ],
)
def test_a_yes_is_heard(text: str, locale: str) -> None:
    assert answer_to("yes_no", text, locale) == "yes"


@pytest.mark.parametrize(
    ("text", "locale"),
    [("No", "en"), ("No, I can't", "en"), ("nein danke", "de"), ("no puedo", "es"), ("não", "pt"), ("नहीं", "hi")],
)
def test_a_no_is_heard(text: str, locale: str) -> None:
    assert answer_to("yes_no", text, locale) == "no"


@pytest.mark.parametrize(
    "text",
    ["yes but later", "Is it ok if I come late?", "No problem", "yes no", "maybe", "not ok", "only if yes", "", "1"],
)
def test_what_is_neither_a_yes_nor_a_no_is_left_to_a_person(text: str) -> None:
    assert answer_to("yes_no", text) is None


@pytest.mark.parametrize(
    ("text", "locale", "number"),
    [
        ("3", "en", 3),
        ("three people", "en", 3),
        ("1,500", "en", 1500),
        ("1.500", "de", 1500),
        ("1.5", "en", 1.5),
        ("2,5", "fr", 2.5),
        ("1.234,56", "es", 1234.56),
        ("1,234.56", "en", 1234.56),
        ("-5", "en", -5),
        ("\u096b", "hi", 5),
        ("zwei bitte", "de", 2),
    ],
)
def test_a_number_has_the_separators_of_its_language(text: str, locale: str, number: float) -> None:
    assert answer_to("number", text, locale) == number


@pytest.mark.parametrize("text", ["2 or 3", "5-6", "a few", "1,2,3", "12345678901234567", "17:30", "not 5"])
def test_what_is_not_one_number_is_left_to_a_person(text: str) -> None:
    assert answer_to("number", text) is None


@pytest.mark.parametrize(
    ("text", "locale", "said"),
    [
        ("tomorrow at 5", "en", "2026-03-06T17:00:00+01:00"),
        ("Freitag", "de", "2026-03-06"),
        ("am Freitag um 5", "de", "2026-03-06T17:00:00+01:00"),
        ("Freitag morgen", "de", "2026-03-06"),
        ("morgen früh um 5", "de", "2026-03-06T05:00:00+01:00"),
        ("el lunes", "es", "2026-03-09"),
        ("el 6 de marzo a las 17:30", "es", "2026-03-06T17:30:00+01:00"),
        ("mañana por la mañana a las 8", "es", "2026-03-06T08:00:00+01:00"),
        ("le 1er avril à 17h30", "fr", "2026-04-01T17:30:00+02:00"),
        ("domani alle 5", "it", "2026-03-06T17:00:00+01:00"),
        ("overmorgen", "nl", "2026-03-07"),
        ("segunda-feira", "pt", "2026-03-09"),
        ("kal 5 baje", "hi", "2026-03-06T17:00:00+01:00"),
        ("कल 5 बजे", "hi", "2026-03-06T17:00:00+01:00"),
        ("Yes, see you on Friday at 5", "en", "2026-03-06T17:00:00+01:00"),
        ("6th of March 2026 at 5 p.m.", "en", "2026-03-06T17:00:00+01:00"),
        ("5am tomorrow", "en", "2026-03-06T05:00:00+01:00"),
        ("in 3 days", "en", "2026-03-08"),
        ("in drei Tagen", "de", "2026-03-08"),
        ("3/6", "en-US", "2026-03-06"),
        ("3/6", "en-GB", "2026-06-03"),
        ("13.3.", "de", "2026-03-13"),
        ("06.03.2026 17 Uhr", "de", "2026-03-06T17:00:00+01:00"),
        ("2026-03-09", "en", "2026-03-09"),
        ("at noon tomorrow", "en", "2026-03-06T12:00:00+01:00"),
        ("1 March", "en", "2027-03-01"),
    ],
)
def test_a_day_or_a_moment_is_read_in_the_customers_words_and_zone(text: str, locale: str, said: str) -> None:
    assert answer_to("date", text, locale) == said


@pytest.mark.parametrize(
    "text",
    [
        "next Friday",  # this week's or the next one's
        "Thursday",  # today, or in a week
        "Friday or Saturday",
        "not Friday",
        "Friday 7 March",  # a Saturday
        "6/3",  # in English alone
        "30 Feb",
        "29 February",
        "half past six",
        "after 5 tomorrow",
        "6 people on friday",
        "yesterday",
        "2020-01-01",
        "in may",
        "3pm",  # it is four
    ],
)
def test_what_may_be_another_day_is_left_to_a_person(text: str) -> None:
    assert answer_to("date", text) is None


def test_a_time_that_the_clock_skips_moves_on() -> None:
    question, new_york = Question(Asked.DATE), Speaker(("en",), "en-US", NEW_YORK)

    found = answer_in("tomorrow at 02:30", question, new_york, datetime(2026, 3, 7, 12, tzinfo=UTC))

    assert found == Answer("2026-03-08T03:30:00-04:00", 0)


@pytest.mark.parametrize("text", ["1", "Morning please", "mañana", "the first one", "am"])
def test_a_choice_is_its_number_its_name_or_one_of_its_words(text: str) -> None:
    assert answer_to([["morning", "mañana", "am", "first"], ["evening"]], text, "es") == "morning"


@pytest.mark.parametrize("text", ["3", "morning or evening", "not the morning", "1 or 2", "none"])
def test_what_is_no_one_choice_is_left_to_a_person(text: str) -> None:
    assert answer_to(["morning", "evening"], text) is None


@given(TEXTS, QUESTIONS, SPEAKERS, INSTANTS)
def test_no_text_raises_and_each_answer_has_the_type_of_its_question(
    text: str, question: Question, speaker: Speaker, said_at: datetime
) -> None:
    found = answer_in(text, question, speaker, said_at)

    assert found == answer_in(text, question, speaker, said_at)
    if found is None:
        return
    assert found.rest >= 0
    match question.kind:
        case Asked.YES_NO:
            assert found.value in {"yes", "no"}
        case Asked.NUMBER:
            assert isinstance(found.value, int | float)
        case Asked.CHOICE:
            assert found.value in {"morning", "evening"}
        case Asked.DATE:
            instant = to_instant(found.value, speaker.zone)
            assert instant is not None
            today = said_at.astimezone(speaker.zone).date()
            assert today <= instant.astimezone(speaker.zone).date() <= today + timedelta(days=732)


@given(st.integers(-(10**9), 10**9), st.sampled_from(LANGUAGES))
def test_a_number_is_itself_however_its_groups_are_written(number: int, language: str) -> None:
    grouped = f"{number:,}" if language in {"en", "hi"} else f"{number:,}".replace(",", ".")

    assert answer_to("number", grouped, language) == number
    assert answer_to("number", str(number), language) == number


@given(st.dates(date(2026, 3, 6), date(2027, 3, 4)), st.sampled_from(LANGUAGES))
def test_a_day_of_the_year_is_that_day_in_every_language(day: date, language: str) -> None:
    months = MONTHS[language].split(", ")
    written = f"{day.day} {months[day.month - 1].split('|')[0]}"

    assert answer_to("date", written, language) == day.isoformat()
    assert answer_to("date", f"{day.day}.{day.month}.{day.year}", language) == day.isoformat()


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_names_of_days_and_months_are_those_of_the_unicode_consortium(language: str) -> None:
    cldr = Locale(language)

    for table, names in ((DAYS, cldr.days), (MONTHS, cldr.months)):
        first = min(names["format"]["wide"])
        known = [[plain_text(one) for one in entry.split("|")] for entry in table[language].split(", ")]
        for number, name in names["format"]["wide"].items():
            assert plain_text(name) in known[number - first]
