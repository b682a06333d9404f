"""Before anything compares them, an event's addresses are canonical, and what names nobody is dropped and said so."""

from typing import Any

import pytest

from cairn.adapters.phone.numbers import phones_of
from cairn.application.events.canonical_addresses import CanonicalAddresses
from cairn.domain.event import Event
from cairn.domain.identity.identifiers import EMAIL, PHONE, USER_ID, WHATSAPP, Identifier
from cairn.domain.shared.errors import InvalidEventError, NotACustomerError
from tests.unit.makers import event

AT_HOME = CanonicalAddresses(phones_of("US"))
ABROAD = CanonicalAddresses(phones_of(""))
ADA = Identifier(USER_ID, "ada")


def read(*who: Identifier, addresses: CanonicalAddresses = AT_HOME, **more: Any) -> Event:
    return addresses.of(event("page.seen", who=who, **more))


def phone(text: str) -> Identifier:
    return Identifier(PHONE, text)


@pytest.mark.parametrize(
    ("written", "country", "number"),
    [
        ("(201) 555-0123", None, "+12015550123"),
        ("0151 23456789", "DE", "+4915123456789"),
        ("0151 23456789", "de", "+4915123456789"),
        ("+5215512345678", None, "+525512345678"),
        ("(201) 555-0123", "Germany", "+12015550123"),  # no country's code, so the deployment's counts
    ],
)
def test_a_number_is_of_the_country_that_its_event_names(written: str, country: str | None, number: str) -> None:
    attributes = {"country": country} if country else {}

    assert read(phone(written), attributes=attributes).identifiers == (phone(number),)


def test_a_number_that_is_none_in_its_country_is_not_tried_in_another() -> None:
    read_ = read(ADA, phone("(201) 555-0123"), attributes={"country": "FR"})

    assert read_.identifiers == (ADA,)
    assert read_.dropped == {"phone": "not_a_number"}


def test_a_deployment_without_a_region_reads_international_numbers_only() -> None:
    assert read(ADA, phone("(201) 555-0123"), addresses=ABROAD).dropped == {"phone": "not_a_number"}
    assert read(phone("+1 201 555 0123"), addresses=ABROAD).identifiers == (phone("+12015550123"),)


def test_a_placeholder_of_the_policy_is_dropped_and_said_so() -> None:
    addresses = CanonicalAddresses(phones_of("US"), frozenset({"walk-in", "counter@example.com"}))
    who = (Identifier(USER_ID, "Walk-In"), Identifier(EMAIL, "counter@example.com"), Identifier("external:crm", "7"))

    known = read(*who, addresses=addresses)

    assert known.identifiers == (Identifier("external:crm", "7"),)
    assert known.dropped == {"user_id": "placeholder", "email": "placeholder"}


def test_where_no_name_is_left_each_field_is_named_with_its_mend() -> None:
    with pytest.raises(InvalidEventError) as refused:
        read(Identifier(USER_ID, "undefined"), phone("+1 999 555 0123"))

    assert [problem.partition(":")[0] for problem in refused.value.problems] == ["customer.user_id", "customer.phone"]


def test_an_attribute_that_is_no_address_leaves_the_one_before_alone() -> None:
    known = read(ADA, attributes={"phone": "555-0123", "email": "Ada <ada@example.com>", "plan": "gold"})

    assert known.attributes == {"plan": "gold"}
    assert known.dropped == {"attributes.phone": "not_a_number", "attributes.email": "not_an_address"}


def test_an_attribute_becomes_canonical_as_a_name_does() -> None:
    known = read(ADA, attributes={"phone": "whatsapp:+5215512345678", "email": "Info@XN--BCHER-KVA.example"})

    assert known.attributes == {"phone": "+525512345678", "email": "info@b\u00fccher.example"}


def test_an_attribute_that_removes_an_address_still_does() -> None:
    assert read(ADA, attributes={"phone": None}).attributes == {"phone": None}


@pytest.mark.parametrize(
    ("sender", "reason"), [("22000", "short_code"), ("AMAZON", "sender_name"), ("rcs:acme_agent", "sender_name")]
)
def test_a_sender_that_a_provider_names_and_that_is_no_customer_has_its_reason(sender: str, reason: str) -> None:
    with pytest.raises(NotACustomerError) as refused:
        read(phone(sender), source="twilio")

    assert refused.value.reason == reason


def test_a_short_code_in_a_form_is_a_wrong_number_and_not_a_sender() -> None:
    with pytest.raises(InvalidEventError):
        read(phone("22000"), source="hmac")


def test_a_number_that_has_written_to_us_need_not_be_known_as_valid() -> None:
    """Numbering plans grow before libphonenumber's tables do, and a STOP must count."""
    known = read(phone("+19995550123"), source="twilio", properties={"channel": "sms", "address": "+1 999 555 0123"})

    assert known.identifiers == (phone("+19995550123"),)
    assert known.properties["address"] == "+19995550123"


def test_a_provider_s_national_number_is_not_read_by_the_deployment_s_region() -> None:
    with pytest.raises(InvalidEventError):
        read(phone("2015550123"), source="twilio")


def test_an_id_of_whatsapp_never_becomes_a_number() -> None:
    known = read(phone("US.1000"), source="twilio", properties={"channel": "whatsapp", "address": "US.1000"})

    assert known.identifiers == (Identifier(WHATSAPP, "US.1000"),)
    assert known.properties["address"] == "US.1000"


@pytest.mark.parametrize(
    ("written", "wa_id"),
    [("+5215512345678", "5215512345678"), ("+525512345678", "525512345678"), ("+12015550123", None)],
)
def test_whatsapp_s_own_form_is_stored_where_a_number_has_several(written: str, wa_id: str | None) -> None:
    known = read(phone(written), source="whatsapp", properties={"channel": "whatsapp", "address": written})

    assert known.attributes.get("whatsapp_id") == wa_id
    assert known.vouches("attributes.whatsapp_id")


def test_an_address_among_the_properties_of_another_source_is_its_own_business() -> None:
    properties = {"channel": "sms", "address": "1 River Road"}

    assert read(ADA, source="track", properties=properties).properties == properties
