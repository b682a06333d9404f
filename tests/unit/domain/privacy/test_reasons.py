"""A reason names nobody: the name that the command was given is found in any spelling, and other people's is not."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cairn.adapters.phone.numbers import phones_of
from cairn.domain.identity.identifiers import customer_id_for, identifier
from cairn.domain.privacy.reasons import names
from tests.unit.fakes import KEYS

PHONE = phones_of("US")


@pytest.mark.parametrize(
    ("name", "why"),
    [
        ("mia@example.com", "mia@example.com asked"),
        (" MIA@Example.com ", "by letter of Mia@EXAMPLE.COM."),
        ("mia@example.com", "<mia@example.com>, on the phone"),
        ("mia@example.com", "mailto:mia@example.com"),
        ("mia@example.com", "mia%40example.com asked"),
        ("mia@example.com", "mia@\u200bexample.com asked"),
        ("mia@bücher.example", "mia@xn--bcher-kva.example asked"),
        ("mia@xn--bcher-kva.example", "mia@bücher.example asked"),
        ("(201) 555-0123", "+1 201 555 0123 rang"),
        ("+12015550123", "2015550123 rang"),
        ("+12015550123", "(201) 555-0123"),
        ("+12015550123", "555-0123 rang"),
        ("+5215512345678", "+52 55 1234 5678 rang"),
        ("+3545812345", "581 2345 rang"),
        ("mia", "Mia rang"),
        ("mia", "a call (mia)"),
        ("shop:s-4711", "shop:s-4711 asked"),
        ("shop:s-4711", "asked by S-4711"),
        ("arn:aws:sns:us-east-1:1:endpoint/APNS/app/mia", "arn:aws:sns:us-east-1:1:endpoint/APNS/app/mia"),
    ],
)
def test_a_name_is_found_in_any_spelling(name: str, why: str) -> None:
    assert names(why, name, PHONE)


@pytest.mark.parametrize(
    ("name", "why"),
    [
        ("mia@example.com", "ticket 4711"),
        ("mia@example.com", "jo.mia@example.com asked"),
        ("mia@example.com", "mia@example.com.au asked"),
        ("+12015550123", "ticket 2015550199"),
        ("+12015550123", "order 0123 of 2026-11-27"),
        ("mia", "a miasma"),
        ("7", "within 7 days"),
        ("shop:7", "within 7 days"),
        (customer_id_for(identifier("user_id", "mia"), KEYS.customer_ids), "merged by mistake"),
        ("mia", ""),
    ],
)
def test_a_reason_without_the_name_is_none(name: str, why: str) -> None:
    assert not names(why, name, PHONE)


def test_a_canonical_id_is_no_name() -> None:
    id_ = customer_id_for(identifier("user_id", "mia"), KEYS.customer_ids)

    assert not names(f"{id_} asked", id_, PHONE)


WORDS = st.from_regex(r"[a-z]{0,8}( [a-z]{1,8}){0,3}", fullmatch=True)
LOCAL = st.from_regex(r"[a-z][a-z0-9]{0,10}(\.[a-z0-9]{1,5})?", fullmatch=True)


@given(LOCAL, WORDS, WORDS, st.sampled_from([str, str.upper, str.title]), st.sampled_from([" ", "<", "(", '"']))
def test_no_address_stands_in_a_reason_unseen(local: str, before: str, after: str, spelled: object, mark: str) -> None:
    address = f"{local}@example.com"
    assert callable(spelled)

    assert names(f"{before} {mark}{spelled(address)} {after}", address, PHONE)
