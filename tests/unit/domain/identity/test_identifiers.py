"""Identifiers: their normal form, customer ids, and which customers may not be merged."""

import re
import string

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from cairn.domain.identity.identifiers import (
    EMAIL,
    EXTERNAL,
    PHONE,
    USER_ID,
    Identifier,
    customer_id_for,
    identifier,
    may_be_same_person,
    strongest_first,
)
from cairn.domain.identity.identity_key import IdentityKeys
from cairn.domain.shared.hashing import short_hash
from tests.unit.fakes import KEYS
from tests.unit.makers import name
from tests.unit.strategies import identifiers

CUSTOMER_ID = re.compile(r"c_[a-z2-7]{26}")
MOVED = IdentityKeys.derive("a-key-of-tests-with-32-bytes-or-more", "salt")
OTHERS = IdentityKeys.derive("another-key-of-tests-with-32-bytes-or-more")
texts = st.text(min_size=1, max_size=20)


@given(st.sampled_from([USER_ID, EMAIL, PHONE, EXTERNAL + "crm"]), texts)
def test_a_customer_id_has_one_form_and_depends_on_the_deployment(kind: str, value: str) -> None:
    customer_id = customer_id_for(identifier(kind, value), KEYS.customer_ids)

    assert CUSTOMER_ID.fullmatch(customer_id)
    assert customer_id == customer_id_for(identifier(kind, value), KEYS.customer_ids)
    assert customer_id != customer_id_for(identifier(kind, value), OTHERS.customer_ids)
    assert customer_id != customer_id_for(identifier(kind, value + "x"), KEYS.customer_ids)


def test_a_customer_id_never_changes() -> None:
    """The values are fixed: new ones would make every customer a new one. The second is of before the identity key."""
    ada = identifier(EMAIL, "Ada@Example.com ")

    assert customer_id_for(ada, KEYS.customer_ids) == "c_3fu44yuu5enemyir66ej5jefcp"
    assert customer_id_for(ada, MOVED.customer_ids) == "c_4636klx2vushrzs4me3vkp5jeu"


@given(st.lists(texts, min_size=1, max_size=4), st.integers(8, 40))
def test_a_short_hash_is_safe_in_every_name(parts: list[str], length: int) -> None:
    made = short_hash(*parts, length=length)

    assert len(made) == length
    assert set(made) <= set(string.ascii_lowercase + "234567")
    assert made != short_hash(*parts, "", length=length)


def test_text_that_utf8_cannot_encode_still_has_a_hash() -> None:
    assert short_hash("\ud800") != short_hash("\ud801")


@given(texts)
def test_normalising_twice_changes_nothing(value: str) -> None:
    assume(value.strip())
    for kind in (USER_ID, EMAIL, PHONE):
        once = identifier(kind, value)

        assert identifier(kind, once.value) == once


def test_addresses_are_compared_without_case_and_ids_are_not() -> None:
    assert identifier(EMAIL, " Ada@Example.COM ") == Identifier(EMAIL, "ada@example.com")
    assert identifier(USER_ID, "Ada") != identifier(USER_ID, "ada")


def test_similar_characters_of_unicode_stay_different() -> None:
    assert identifier(EMAIL, "info@straße.example") != identifier(EMAIL, "info@strasse.example")


def test_the_strongest_identifier_comes_first_and_none_twice() -> None:
    who = name(user_id="ada", email="ada@example.com", phone="+14155550123", external={"crm": "7"})

    assert [one.kind for one in who] == [USER_ID, "external:crm", EMAIL, PHONE]
    assert strongest_first((*reversed(who), *who)) == who


@pytest.mark.parametrize(
    ("left", "right", "one"),
    [
        (name(user_id="ada"), name(user_id="ada"), True),
        (name(user_id="ada"), name(user_id="eve"), False),
        (name(user_id="ada", email="family@example.com"), name(user_id="eve", email="family@example.com"), False),
        (name(user_id="ada"), name(email="ada@example.com"), True),
        (name(external={"crm": "1"}), name(external={"crm": "2"}), False),
        (name(external={"crm": "1"}), name(external={"shop": "2"}), True),
        (name(external={"facebook_lead": "1"}), name(external={"facebook_lead": "2"}), True),
        ((), name(user_id="ada"), True),
    ],
)
def test_people_share_addresses_and_not_accounts(
    left: tuple[Identifier, ...],
    right: tuple[Identifier, ...],
    one: bool,  # noqa: FBT001
) -> None:
    assert may_be_same_person(left, right) is one


@given(identifiers, identifiers)
def test_may_be_same_person_is_symmetric(left: tuple[Identifier, ...], right: tuple[Identifier, ...]) -> None:
    assert may_be_same_person(left, right) == may_be_same_person(right, left)
