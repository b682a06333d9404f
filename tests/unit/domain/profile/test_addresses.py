"""A customer's addresses by channel, and the form of each that its channel delivers to."""

import pytest

from cairn.domain.identity.identifiers import PHONE, USER_ID, WHATSAPP, Identifier
from cairn.domain.profile.addresses import addresses_of, addresses_to_send_to, identifier_at, sending_form
from cairn.domain.profile.profile import Profile
from cairn.domain.shared.channels import Channel, channels_at
from tests.unit.makers import profile

ADA_AT_META = Identifier(WHATSAPP, "US.1000")
MEXICAN = Identifier(PHONE, "+525512345678")


def mexican(wa_id: object) -> Profile:
    return profile(who=(MEXICAN,), phone=MEXICAN.value, whatsapp_id=wa_id)


def test_somebody_without_a_number_is_reached_on_whatsapp_alone() -> None:
    assert addresses_to_send_to(profile(who=(ADA_AT_META,))) == {Channel.WHATSAPP: "US.1000"}


def test_a_number_goes_before_the_id() -> None:
    known = profile(who=(ADA_AT_META, MEXICAN), phone=MEXICAN.value)

    assert addresses_to_send_to(known)[Channel.WHATSAPP] == MEXICAN.value


def test_an_external_id_that_is_none_of_meta_s_is_no_address() -> None:
    assert addresses_of(profile(who=(Identifier(WHATSAPP, "4711"),)).view()) == {}


def test_whatsapp_gets_the_form_that_it_uses_and_texts_the_canonical_one() -> None:
    assert addresses_to_send_to(mexican("5215512345678")) == {
        Channel.SMS: MEXICAN.value,
        Channel.WHATSAPP: "+5215512345678",
    }


@pytest.mark.parametrize("wa_id", [None, "5215512345679", "US.1000", "", 5215512345678])
def test_another_number_s_form_is_not_used(wa_id: object) -> None:
    assert sending_form(mexican(wa_id), Channel.WHATSAPP, MEXICAN.value) == MEXICAN.value


def test_an_attribute_in_another_spelling_is_the_same_address() -> None:
    view = {"phone": "whatsapp:+5215512345678", "email": "Info@xn--bcher-kva.example"}

    assert addresses_of(view) == {
        Channel.SMS: MEXICAN.value,
        Channel.WHATSAPP: MEXICAN.value,
        Channel.EMAIL: "info@b\u00fccher.example",
    }


def test_the_identifier_of_an_address() -> None:
    assert identifier_at(Channel.WHATSAPP, "US.1000") == ADA_AT_META
    assert identifier_at(Channel.WHATSAPP, "+5215512345678") == MEXICAN
    assert identifier_at(Channel.PUSH, "arn:aws:sns:x") is None
    assert channels_at(WHATSAPP) == (Channel.WHATSAPP,)
    assert channels_at(USER_ID) == (Channel.IN_APP,)
