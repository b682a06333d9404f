"""The reason of a dead letter has no address and no number."""

import re

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from cairn.sqs_records import MASK, without_personal_data

AS_ONE_PATTERN = re.compile(r"[^\s:;,]+@\S+|\+?(?:\d[ ().-]*){9,}")
"""The mask as one pattern; it takes the square of a long word's length."""

WORDS = st.sampled_from(["mia", "@", "example.com", ":", ";", ",", " ", "x", "+", "4155550123", "(", ")", "1", "\n"])


@pytest.mark.parametrize(
    ("reason", "shown"),
    [
        ("customer.email: mia@example.com is taken", f"customer.email: {MASK} is taken"),
        ("email:mia@example.com", f"email:{MASK}"),
        ("phone +1 (415) 555-0123 again", f"phone {MASK}again"),
        (":@:mia@example.com", f":@:{MASK}"),
        ("12345678 is an order", "12345678 is an order"),
    ],
)
def test_addresses_and_numbers_are_masked(reason: str, shown: str) -> None:
    assert without_personal_data(reason) == shown


@given(st.lists(WORDS, max_size=12).map("".join))
@settings(max_examples=500)
@example("mia4155550123 @mia")
def test_every_address_that_the_slow_pattern_finds_is_masked(reason: str) -> None:
    shown = without_personal_data(reason)

    assert not any(map(AS_ONE_PATTERN.search, shown.split(MASK)))
