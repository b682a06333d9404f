"""Where a customer may be: by its profile, else everywhere that its number can be."""

from typing import Any
from zoneinfo import ZoneInfo, available_timezones

import phonenumbers
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cairn.adapters.phone.jurisdiction import canonical_zone, jurisdiction_of, zones_by_country
from cairn.adapters.phone.numbers import country_of
from cairn.domain.message.message import Jurisdiction
from cairn.domain.shared.channels import Channel
from tests.unit.makers import message
from tests.unit.strategies import json_values

NEW_YORK = "America/New_York"
MOBILE = "+12015550123"


def found(phone: str = MOBILE, **profile: Any) -> Jurisdiction:
    addresses = {Channel.EMAIL: "ada@example.com"} | ({Channel.SMS: phone, Channel.WHATSAPP: phone} if phone else {})
    return jurisdiction_of(message(addresses=addresses, variables={"profile": profile, "data": {}}))


def test_the_profile_s_own_zone_is_the_only_one() -> None:
    assert found(time_zone=NEW_YORK).zones == (NEW_YORK,)
    assert found(time_zone="Europe/Paris").zones == ("Europe/Paris",)


@pytest.mark.parametrize(
    ("name", "zone"),
    [
        ("US/Eastern", NEW_YORK),
        ("America/Fort_Wayne", "America/Indiana/Indianapolis"),
        ("Asia/Calcutta", "Asia/Kolkata"),
        ("Europe/Kiev", "Europe/Kyiv"),
        ("Europe/Oslo", "Europe/Oslo"),
    ],
)
def test_an_alias_of_a_zone_leads_to_its_canonical_name(name: str, zone: str) -> None:
    assert canonical_zone(name) == zone


@pytest.mark.parametrize("name", ["UTC", "Etc/GMT+5", "EST", "EST5EDT", "GMT", "Nowhere/Land", "", None, 5, "../etc"])
def test_a_zone_without_a_location_gives_no_jurisdiction(name: Any) -> None:
    assert canonical_zone(name) == ""
    assert found(time_zone=name).zones == zones_by_country()["US"]


def test_a_number_may_be_anywhere_in_its_country_whatever_its_area_code() -> None:
    zones = found().zones

    assert {NEW_YORK, "America/Los_Angeles", "America/Phoenix", "America/Adak", "Pacific/Honolulu"} <= set(zones)
    assert found("+18005550123").zones == zones  # toll-free
    assert found("+919812345678").zones == ("Asia/Kolkata",)
    assert found("+61491570006").zones == zones_by_country()["AU"]


@pytest.mark.parametrize(
    ("number", "country"),
    [
        (MOBILE, "US"),
        ("+16135550123", "CA"),
        ("+17875550123", "PR"),
        ("+447400123456", "GB"),
        ("+919812345678", "IN"),
        ("+18885550123", "US"),  # toll-free
        ("+19990000000", "US"),  # not given out yet
        ("+80012345678", ""),  # international freephone: of no country
        ("nobody", ""),
    ],
)
def test_the_country_of_a_number(number: str, country: str) -> None:
    assert country_of(number) == country


def test_each_channel_has_the_country_of_its_address() -> None:
    moved = found(country="CA")

    assert moved.countries == {
        Channel.SMS: "US",
        Channel.WHATSAPP: "US",
        Channel.EMAIL: "CA",
        Channel.PUSH: "CA",
        Channel.IN_APP: "CA",
    }
    assert found().countries == dict.fromkeys(Channel, "US")
    assert found(phone="").countries == dict.fromkeys(Channel, "")


def test_a_customer_of_two_countries_may_be_in_either() -> None:
    moved = found(country="CA")

    assert set(moved.zones) == {*zones_by_country()["US"], *zones_by_country()["CA"]}


def test_a_customer_without_a_number_is_in_the_country_of_the_profile() -> None:
    assert found(phone="", country="in").zones == ("Asia/Kolkata",)
    assert found(phone="").zones == ()


@pytest.mark.parametrize(
    ("profile", "region"),
    [
        ({"region": "NY"}, "NY"),
        ({"region": " us-ny "}, "NY"),
        ({"region": "NY", "country": "US"}, "NY"),
        ({"region": "New York"}, ""),
        ({"region": "ON", "country": "CA"}, ""),  # with a number of the United States: which of the two?
        ({"region": "CA-ON"}, ""),
        ({"region": "XX-NY"}, ""),
        ({"region": 5}, ""),
        ({}, ""),
    ],
)
def test_a_region_is_believed_where_nothing_speaks_against_it(profile: dict[str, Any], region: str) -> None:
    assert found(**profile).region == region


def test_a_message_without_a_profile_is_nowhere() -> None:
    assert jurisdiction_of(message()) == Jurisdiction((), dict.fromkeys(Channel, ""), "")
    assert jurisdiction_of(message(variables={"profile": None})).zones == ()


def test_every_zone_of_the_table_has_a_clock() -> None:
    zones = {zone for found in zones_by_country().values() for zone in found}

    assert zones <= available_timezones()
    assert all(canonical_zone(zone) == zone for zone in zones)


@given(st.dictionaries(st.sampled_from(["time_zone", "country", "region"]), json_values))
def test_the_zones_of_any_profile_exist(profile: dict[str, Any]) -> None:
    jurisdiction = found(**profile)

    assert all(ZoneInfo(zone) for zone in jurisdiction.zones)
    assert jurisdiction.zones


NOWHERE = {800, 808, 870, 878, 881, 882, 883, 888, 979}
"""Calling codes that belong to no country: freephone, shared cost, satellites, networks, relief, premium rate."""


def examples(code: int) -> list[str]:
    """A number of each region of a calling code."""
    numbers = [
        phonenumbers.example_number_for_non_geo_entity(code)
        if region == phonenumbers.REGION_CODE_FOR_NON_GEO_ENTITY
        else phonenumbers.example_number(region)
        for region in phonenumbers.COUNTRY_CODE_TO_REGION_CODE[code]
    ]
    return [phonenumbers.format_number(one, phonenumbers.PhoneNumberFormat.E164) for one in numbers if one]


@pytest.mark.parametrize("code", sorted(phonenumbers.COUNTRY_CODE_TO_REGION_CODE))
def test_a_number_of_every_calling_code_has_zones_or_may_be_anywhere(code: int) -> None:
    assert examples(code)
    for number in examples(code):
        where = found(number)

        assert bool(where.zones) is (code not in NOWHERE)
        assert where.anywhere == (frozenset() if where.zones else {Channel.SMS, Channel.WHATSAPP})


@pytest.mark.parametrize("number", ["+999123456", "+0", "", "nonsense", "ZZ.1234567890"])
def test_a_number_that_nobody_knows_may_be_anywhere(number: str) -> None:
    addresses = {Channel.SMS: number, Channel.EMAIL: "ada@example.com"}

    assert jurisdiction_of(message(addresses=addresses)).anywhere == {Channel.SMS}


SATELLITE = "+870773111632"


def test_the_profile_s_zone_or_country_says_where_a_satellite_phone_is() -> None:
    by_zone, by_country = found(SATELLITE, time_zone="America/Denver"), found(SATELLITE, country="US")

    assert (by_zone.zones, by_zone.anywhere) == (("America/Denver",), frozenset())
    assert by_zone.countries[Channel.SMS] == by_country.countries[Channel.SMS] == "US"
    assert by_country.zones == zones_by_country()["US"]


@pytest.mark.parametrize(
    ("number", "zone"),
    [
        ("+38344123456", "Europe/Belgrade"),
        ("+2908123", "Atlantic/St_Helena"),
        ("+24740123", "Atlantic/St_Helena"),
    ],
)
def test_a_region_that_is_no_country_has_its_own_clock(number: str, zone: str) -> None:
    assert found(number).zones == (zone,)
