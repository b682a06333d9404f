"""Keywords in customers' replies."""

import pytest

from cairn.domain.consent.keywords import Intent, intent_of, keyword_of


@pytest.mark.parametrize(
    "text",
    [
        "STOP",
        " stop. ",
        "Stop!!!",
        "UNSUBSCRIBE",
        "opt-out",
        "Opt Out",
        "OPTOUT",
        "revoke",
        "END",
        "quit",
        "cancel",
        "stop texting me",
        "Please stop",
        "don\u2019t text me again",
        "remove me from your list",
        "leave me alone",
    ],
)
def test_a_stop_is_recognised(text: str) -> None:
    assert intent_of(text) is Intent.STOP


@pytest.mark.parametrize(
    "text",
    [
        "cancel my appointment on Friday",
        "I can't stop smiling",
        "what does it cost in the end",
        "yes",
        "SLIDES",
        "non-stop flights?",
        "help yourself to the rest",
        "",
        "\U0001f44d",
    ],
)
def test_an_ordinary_reply_is_no_keyword(text: str) -> None:
    assert intent_of(text) is None


def test_a_configured_language_is_understood() -> None:
    assert intent_of("Arr\u00eat", ("fr",)) is Intent.STOP
    assert intent_of("ARRET", ("es", "fr")) is Intent.STOP
    assert intent_of("Arr\u00eat", ("de",)) is None
    assert intent_of("baja", ("es",)) is Intent.STOP
    assert intent_of("Hilfe", ("de",)) is Intent.HELP


def test_english_is_always_understood() -> None:
    assert intent_of("STOP", ("fr",)) is Intent.STOP
    assert intent_of("unknown language, known word: no", ("xx",)) is None


def test_help_and_start() -> None:
    assert intent_of("HELP") is Intent.HELP
    assert intent_of("info") is Intent.HELP
    assert intent_of("Start") is Intent.START
    assert intent_of("UNSTOP") is Intent.START


def test_a_keyword_is_the_first_word_in_capitals() -> None:
    assert keyword_of("  slides, please!") == "SLIDES"
    assert keyword_of("") == ""
