"""A text that stands where a name is missing names nobody; a name that only looks unusual does."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cairn.domain.identity.placeholders import WORDS, is_placeholder, word_of

WRITTEN = [
    "undefined", "Undefined", " null ", "NULL", "None", "nil", "NaN", "N/A", "n/a", "n.a.", "#N/A", "(null)", "<null>",
    "[object Object]", "'undefined'", '"null"', "0", "00", "000-000-0000", "0.0", "-1", "-", "--", "?", "…",
    "00000000-0000-0000-0000-000000000000", "11111", "9999999999", "+1111111111", "(999) 999-9999", "test@test",
    "Test@Test.com", "none@none.com", "noemail@noemail.com", "undefined@shop.example", "not available", "Anonymous",
    "unknown", "guest", "{{ user.id }}", "${userId}", "<%= id %>", "*|EMAIL|*", "%%email%%", "{user_id}", "\uff10",
    "\u200bundefined\ufeff", "user_id", "true",
]  # fmt: skip

NAMES = [
    "7", "77", "1111", "1001", "u-1", "cus_0001", "nulla", "nan@example.com", "None-1", "ada@example.com",
    "test@example.com", "test@acme.com", "info@test.com", "+12015550123", "+447777777777", "US.1000000000000001",
    "0a", "na-12", "undefined-7", "10000", "100",
]  # fmt: skip


@pytest.mark.parametrize("text", WRITTEN)
def test_a_placeholder_names_nobody(text: str) -> None:
    assert is_placeholder(text)


@pytest.mark.parametrize("text", NAMES)
def test_a_name_is_no_placeholder(text: str) -> None:
    assert not is_placeholder(text)


@given(
    st.sampled_from(sorted(WORDS)), st.sampled_from(["{}", " {}\n", "[{}]", "'{}'", "({})", "\u200b{}"]), st.booleans()
)
def test_brackets_quotes_blanks_and_case_make_no_name_of_it(word: str, around: str, upper: bool) -> None:  # noqa: FBT001
    assert is_placeholder(around.format(word.upper() if upper else word))


@given(st.text(min_size=1))
def test_a_word_of_the_policy_counts_in_every_spelling(text: str) -> None:
    further = frozenset({word_of(text)})

    assert is_placeholder(text, further)
    assert is_placeholder(f" {text}\t", further)
