"""Foreign text is shown without what would deceive its reader."""

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cairn.domain.shared.text import one_line, shortened, without_controls

ODD = st.text(
    st.characters(codec="utf-8")
    | st.sampled_from("\u202e\u2066\u200b\u200d\ufe0f\x1b\x07\r\n\u2028\u2029\x85\u3164\U000e0041👩🚀🏽🇩🇪é\u0301")
)


@pytest.mark.parametrize(
    ("typed", "shown"),
    [
        ("Mia", "Mia"),
        ("Mia\n\nYour bank: call 1-900", "Mia Your bank: call 1-900"),
        ("a\u2028b\u2029c\x85d\x0be", "a b c d e"),
        ("\u202eMia", "Mia"),
        ("M\u200bi\u2060a\ufeff", "Mia"),
        ("\x1b[31mMia\x07", "[31mMia"),
        ("\ud83dMia", "Mia"),
        ("M\u3164ia", "Mia"),
        ("Zoë Ayşe Øyvind 李小龍", "Zoë Ayşe Øyvind 李小龍"),
        ("Noor 🎉", "Noor 🎉"),
        ("👩\u200d🚀 👩🏽\u200d🚀", "👩\u200d🚀 👩🏽\u200d🚀"),
        ("❤\ufe0f\u200d🔥", "❤\ufe0f\u200d🔥"),
        ("a\u200db", "ab"),
        ("e\ufe0fv", "ev"),
    ],
)
def test_a_text_becomes_one_line_of_what_can_be_seen(typed: str, shown: str) -> None:
    assert one_line(typed) == shown


@given(ODD)
def test_one_line_has_no_control_and_no_direction(typed: str) -> None:
    line = one_line(typed)

    assert one_line(line) == line == " ".join(line.split())
    for at, one in enumerate(line):
        kind = unicodedata.category(one)
        assert kind not in {"Cc", "Cs", "Co", "Zl", "Zp"}
        assert kind != "Cf" or (one == "\u200d" and 0 < at < len(line) - 1)


@given(ODD)
def test_a_body_keeps_its_lines_and_nothing_else_of_the_kind(typed: str) -> None:
    left = without_controls(typed)

    assert {one for one in left if unicodedata.category(one) == "Cc"} <= {"\n", "\t"}
    assert left.count("\n") == typed.replace("\r\n", "\n").replace("\r", "\n").count("\n")


@given(ODD, st.integers(min_value=4, max_value=80))
def test_a_shortened_text_has_at_most_the_limit(typed: str, limit: int) -> None:
    short = shortened(typed, limit)

    assert len(short) <= limit
    assert short == typed if len(typed) <= limit else short.endswith("...")


@pytest.mark.parametrize(
    ("text", "short"),
    [
        ("Hubert Blaine Wolfeschlegelsteinhausenbergerdorff", "Hubert Blaine..."),
        ("A" * 30, "A" * 17 + "..."),
        ("A" * 16 + "👩🏽\u200d🚀" + "B" * 9, "A" * 16 + "..."),
        ("A" * 16 + "e\u0301" + "B" * 9, "A" * 16 + "..."),
        ("A" * 16 + "🇩🇪" + "B" * 9, "A" * 16 + "..."),
    ],
)
def test_a_cut_is_between_words_or_between_characters(text: str, short: str) -> None:
    assert shortened(text, 20) == short
