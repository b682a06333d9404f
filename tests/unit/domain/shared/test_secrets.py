"""Secrets: what is too short, blank or no text is none."""

import base64
import string
import sys
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cairn.domain.shared.secrets import BLANKS, MIN_SECRET_BYTES, STANDARD_WEBHOOKS, problem_of_secret, usable

INVISIBLE = sorted(
    BLANKS
    | {one for one in map(chr, range(sys.maxunicode + 1)) if not one.isprintable()} - set(map(chr, range(0xD800)))
)
visible = st.text(string.hexdigits + string.punctuation)
nothing = st.text(
    st.sampled_from([*BLANKS, "\t", "\n", "\x00", "\u00a0", "\u00ad", "\u200b", "\u2003", "\u2060", "\ufeff"])
)


@given(visible.filter(lambda text: not text.startswith(STANDARD_WEBHOOKS)))
def test_a_text_is_a_secret_from_sixteen_bytes_on(text: str) -> None:
    assert bool(problem_of_secret(text)) == (len(text) < MIN_SECRET_BYTES)


@given(st.binary(max_size=32))
def test_behind_whsec_the_bytes_of_the_key_count(key: bytes) -> None:
    secret = STANDARD_WEBHOOKS + base64.b64encode(key).decode()

    assert bool(problem_of_secret(secret)) == (len(key) < MIN_SECRET_BYTES)
    assert bool(problem_of_secret(secret.rstrip("="))) == (len(key) < MIN_SECRET_BYTES)


@given(nothing, nothing, st.text(string.hexdigits, max_size=MIN_SECRET_BYTES - 1))
def test_blanks_make_no_secret_longer(before: str, after: str, text: str) -> None:
    assert problem_of_secret(before + text + after)


@pytest.mark.parametrize("blank", INVISIBLE[:: max(1, len(INVISIBLE) // 200)])
def test_a_secret_of_one_blank_character_is_none(blank: str) -> None:
    assert problem_of_secret(blank * 40) == "is blank"


@pytest.mark.parametrize(
    ("value", "problem"),
    [
        ("", "is empty"),
        (" ", "is blank"),
        ("whsec_", "has 0 bytes; it needs 16 or more"),
        ("whsec_c2hvcnQ=", "has 5 bytes; it needs 16 or more"),
        ("whsec_good", "has 3 bytes; it needs 16 or more"),
        ("whsec_ not base64", "has 9 bytes; it needs 16 or more"),
        ("fifteen-letters", "has 15 bytes; it needs 16 or more"),
        (None, "is no text, but null"),
        (1234567890123456, "is no text, but a number"),
        (1.5, "is no text, but a number"),
        (True, "is no text, but true or false"),
        ({"secret": "a-secret-of-a-source"}, "is no text, but an object"),
        (["a-secret-of-a-source"], "is no text, but a list"),
    ],
)
def test_the_problem_is_named_and_the_secret_is_not(value: Any, problem: str) -> None:
    assert problem_of_secret(value) == problem


@given(st.lists(st.text(max_size=24)))
def test_only_what_has_no_problem_is_usable_and_in_its_order(secrets: list[str]) -> None:
    found = usable(secrets)

    assert list(found) == [one for one in secrets if not problem_of_secret(one)]
