"""Refusals in customers' own words: each row of the tables, and what no spelling may change."""

import unicodedata
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cairn.domain.consent import refusals
from cairn.domain.consent.keywords import WORDS, YES, Intent, intent_of, may_mean_stop
from cairn.domain.consent.plain_words import MAX_TEXT, plain_text
from tests.unit.domain.consent.refusal_tables import (
    NONE,
    POSSIBLE,
    SECOND,
    STOP,
    THIRD,
    WRITTEN_WITH,
    Figures,
    Reply,
    heard_as,
    replies,
)

REPLIES = tuple(replies(WRITTEN_WITH))
REFUSALS = tuple(reply for reply in REPLIES if reply.heard_as == STOP)
INVISIBLE = "\u200b\u200c\u200d\u2060\ufeff\u00ad\ufe0f\u202a"
AROUND = [
    ".",
    "!",
    "?!",
    "...",
    "\U0001f64f",
    "\u2764\ufe0f",
    "\U0001f44d\U0001f3fd",
    '"',
    "*",
    " ",
    "\n",
    "~",
    "\u2026",
    "-",
]
BEFORE_AND_AFTER = (
    ["please", "Please,", "pls", "kindly", "plz"],
    ["please", "thanks", "Thank you!", "thx", ", thank you"],
)


@pytest.mark.parametrize("reply", REPLIES, ids=str)
def test_each_reply_of_the_table_is_heard(reply: Reply) -> None:
    assert heard_as(reply.text, reply.language) == reply.heard_as


def test_the_table_has_enough_replies_of_each_kind_and_language() -> None:
    assert len({reply.text for reply in REPLIES}) >= 600
    for heard in (STOP, POSSIBLE, NONE):
        assert {reply.language for reply in REPLIES if reply.heard_as == heard} == set(WORDS)


@pytest.mark.parametrize("table", [SECOND, THIRD], ids=lambda file: file.stem)
def test_few_replies_from_elsewhere_are_misheard(table: Path) -> None:
    figures = Figures.of(table)

    assert figures.found.total() >= 200
    assert figures.found[NONE, STOP] == 0
    assert figures.precision >= 0.99
    assert figures.recall >= 0.97
    assert figures.recall_with_doubt >= 0.99


@given(st.sampled_from(REPLIES), st.data())
def test_case_and_invisible_characters_change_nothing(reply: Reply, data: st.DataObject) -> None:
    shown = [one.upper() if data.draw(st.booleans()) else one.lower() for one in reply.text]
    written = "".join(one + data.draw(st.sampled_from(["", "", "", *INVISIBLE])) for one in shown)

    assert heard_as(written, reply.language) == reply.heard_as


@given(
    st.sampled_from(REPLIES),
    st.lists(st.sampled_from(AROUND), max_size=3),
    st.lists(st.sampled_from(AROUND), max_size=3),
)
def test_punctuation_and_emoji_around_a_reply_change_nothing(reply: Reply, before: list[str], after: list[str]) -> None:
    assert heard_as("".join(before) + reply.text + "".join(after), reply.language) == reply.heard_as


@given(st.sampled_from(REPLIES))
def test_the_normal_form_changes_nothing(reply: Reply) -> None:
    for form in ("NFC", "NFD", "NFKD"):
        assert heard_as(unicodedata.normalize(form, reply.text), reply.language) == reply.heard_as


@given(st.sampled_from(REFUSALS), st.sampled_from(BEFORE_AND_AFTER[0]), st.sampled_from(BEFORE_AND_AFTER[1]))
def test_courtesy_changes_no_stop(reply: Reply, before: str, after: str) -> None:
    assert heard_as(f"{before} {reply.text}", reply.language) == STOP
    assert heard_as(f"{reply.text} {after}", reply.language) == STOP
    assert heard_as(f"{before} {reply.text} {after}", reply.language) == STOP


@given(st.text(max_size=400))
def test_any_text_is_read(text: str) -> None:
    assert heard_as(text, "en") in {STOP, POSSIBLE, NONE}


def test_a_phrase_in_a_long_text_is_doubtful() -> None:
    story = (
        "I came in last week with my daughter and we had a lovely time, the pool was warm and the staff was kind. " * 3
    )

    assert (
        heard_as(f"{story} My neighbour laughed and said stop texting me, I am there every day anyway. {story}", "en")
        == POSSIBLE
    )
    assert heard_as(f"{story} Please take me off your list.", "en") == STOP
    assert heard_as(f"{story} She waited at the bus stop.", "en") == NONE


def test_the_message_that_is_answered_is_not_read() -> None:
    quoted = "Great offer!\n\nOn 2 March at 09:00, Northside <hi@example.com> wrote:\n> Reply STOP, or unsubscribe"

    assert heard_as(quoted, "en") == NONE
    assert heard_as(quoted.replace("Great offer!", "Please take me off your list"), "en") == STOP


def test_a_question_about_a_keyword_is_for_a_person() -> None:
    assert intent_of("how do I unsubscribe?") is None
    assert may_mean_stop("how do I unsubscribe?")


@pytest.mark.parametrize("text", ["START", "unstop", "help", "INFO", "yes", "Anmelden", "reprendre", "shuru karo"])
def test_other_keywords_are_no_possible_stop(text: str) -> None:
    assert not may_mean_stop(text, ("de", "fr", "hi"))
    assert intent_of(text, ("de", "fr", "hi")) is not Intent.STOP


def test_the_words_of_each_language_are_plain() -> None:
    words = [word for table in WORDS.values() for texts in table.values() for word in texts]
    words += [word for texts in YES.values() for word in texts]

    assert [word for word in words if plain_text(word) != word] == []


@pytest.mark.parametrize(
    "unit", ["stop ", "dont ", "no more ", "stop. ", "i want to ", "take my phone ", "a", "\u0301", "\n", "the "]
)
def test_reading_a_long_text_takes_steps_in_proportion(unit: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """No time is measured: what is read is bounded, and so is the number of comparisons for each word of it."""
    steps = 0
    end = refusals.Pattern.end

    def counted(self: refusals.Pattern, *arguments: int) -> int:
        nonlocal steps
        steps += 1
        return end(self, *arguments)  # type: ignore[arg-type]

    monkeypatch.setattr(refusals.Pattern, "end", counted)
    text = unit * (10_000 // len(unit))

    assert refusals.score(text) == refusals.score(text[:MAX_TEXT])
    assert steps <= 2 * 300 * MAX_TEXT / len(unit)
