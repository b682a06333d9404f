"""Phone numbers in E.164: what people type, and no stranger's number."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cairn.adapters.phone.numbers import to_e164

E164 = re.compile(r"\+[1-9]\d{4,14}")


@pytest.mark.parametrize(
    ("typed", "region", "number"),
    [
        ("(201) 555-0123", "US", "+12015550123"),
        ("201.555.0123", "US", "+12015550123"),
        ("1-201-555-0123", "US", "+12015550123"),
        ("+1 201 555 0123", "FR", "+12015550123"),
        (" +44 20 7946 0018 ", "US", "+442079460018"),
        ("06 12 34 56 78", "FR", "+33612345678"),
        ("0033 6 12 34 56 78", "FR", "+33612345678"),
        ("tel:+12015550123", "US", "+12015550123"),
        ("(201) 555-0123 ext. 7", "US", "+12015550123"),
        ("\uff0b1 201 555 0123", "US", "+12015550123"),
        ("00 44 20 7946 0018", "US", "+442079460018"),
    ],
)
def test_typed_numbers_become_e164(typed: str, region: str, number: str) -> None:
    assert to_e164(typed, region) == number


@pytest.mark.parametrize(
    "typed",
    [
        "", "ask me", "12", "+", "+0", "00000", "+1 201 555 01234567890", "ada@example.com", "\ud800",
        "+1 999 555 0123",  # possible, but no area has it
        "1-800-FLOWERS", "+US.1000000000000001", "201 555 0123 / 201 555 0124", "2015550123 (DE)",
    ],
)  # fmt: skip
def test_text_that_is_no_number_gives_none(typed: str) -> None:
    assert to_e164(typed, "US") is None


def test_a_number_that_only_neighbours_can_dial_is_not_one() -> None:
    """It lacks the area: two people in two towns would become one customer, and neither would be reached."""
    assert to_e164("555-0123", "US") is None


@given(st.text(max_size=20) | st.text("+0123456789 ()-", max_size=20), st.sampled_from(["US", "GB", "FR", "JP"]))
def test_a_number_is_normal_once_and_for_all(typed: str, region: str) -> None:
    number = to_e164(typed, region)

    assert number is None or E164.fullmatch(number)
    assert number is None or to_e164(number, "US") == to_e164(number, region)
