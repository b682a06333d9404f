"""Where a customer may be: from the profile, else every place that the phone number allows.

An area code shows where a number was issued, not where its owner lives, so only its country counts.
"""

import re
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any

from cairn.domain.message.message import Jurisdiction, Message
from cairn.domain.profile.attributes import COUNTRY, REGION, TIME_ZONE
from cairn.domain.shared.channels import AddressKind, Channel, channels_at

PHONES = channels_at(AddressKind.PHONE)
SAINT_HELENA = ("Atlantic/St_Helena",)

BESIDE_THE_TABLE: Mapping[str, tuple[str, ...]] = {
    "AC": SAINT_HELENA,
    "TA": SAINT_HELENA,
    "XK": ("Europe/Belgrade",),
}
"""Regions with numbers of their own that are no countries of ISO 3166-1, and so are not in the IANA database's table:
Ascension and Tristan da Cunha (parts of SH there), and Kosovo. The zones are those of their calling codes in
libphonenumber (resources/timezones: 247, 290, 383).
"""

REGION_CODE = re.compile(r"[A-Z0-9]{1,3}")
"""The second part of an ISO 3166-2 code."""


def jurisdiction_of(message: Message) -> Jurisdiction:
    """From the profile's `time_zone`, `country` and `region` (`NY`, `US-NY`), and from the message's phone numbers.

    A region counts only where nothing else names another country: a wrong region would lift its law. A number that
    belongs to no country counts for the one of the profile, else of its zone; without either it may be anywhere.
    """
    profile = message.variables.get("profile")
    profile = profile if isinstance(profile, Mapping) else {}
    prefix, _, region = _text(profile.get(REGION)).rpartition("-")
    stated = [code for code in (_text(profile.get(COUNTRY)), prefix) if code in zones_by_country()]
    numbers = {channel: _country_of(message.addresses[channel]) for channel in PHONES if channel in message.addresses}
    named = list(dict.fromkeys([*stated, *filter(None, numbers.values())]))
    own = canonical_zone(profile.get(TIME_ZONE))
    zones = (own,) if own else tuple(zone for country in named for zone in zones_by_country().get(country, ()))
    there = next((country for country, found in zones_by_country().items() if own in found), "")
    return Jurisdiction(
        zones=zones,
        countries={
            channel: numbers.get(channel) or next(iter(named), there if channel in numbers else "")
            for channel in Channel
        },
        region=region if len(named) == 1 and prefix in {"", *named} and REGION_CODE.fullmatch(region) else "",
        anywhere=frozenset() if zones else frozenset(numbers),
    )


def canonical_zone(name: Any) -> str:
    """The canonical name of a zone that has a location; empty for any other text, such as UTC, EST or a misspelling.

    Aliases (`US/Eastern`) are followed to the name that tables of law use.
    """
    if not isinstance(name, str) or "/" not in name:
        return ""
    known = _located()
    return name if name in known else next((one for one in (_links().get(name, ""),) if one in known), "")


@cache
def zones_by_country() -> Mapping[str, tuple[str, ...]]:
    """Every zone of each country, by the IANA database's own table and BESIDE_THE_TABLE."""
    zones: dict[str, list[str]] = {}
    for line in _lines("zone.tab"):
        if not line.startswith("#"):
            country, _, zone, *_ = line.split("\t")
            zones.setdefault(country, []).append(zone)
    return {**{country: tuple(found) for country, found in zones.items()}, **BESIDE_THE_TABLE}


@cache
def _located() -> frozenset[str]:
    return frozenset(zone for zones in zones_by_country().values() for zone in zones)


@cache
def _links() -> Mapping[str, str]:
    """Aliases of zones. Read only for a profile that uses one."""
    links = (line.split() for line in _lines("tzdata.zi") if line.startswith("L "))
    return {name: target for _, target, name in links}


def _lines(file: str) -> list[str]:
    import tzdata  # noqa: PLC0415  its files are read where a message needs them, not at every cold start

    folder = Path(tzdata.__file__).parent / "zoneinfo"
    return (folder / file).read_text(encoding="utf-8").splitlines()


def _country_of(number: str) -> str:
    from cairn.adapters.phone.numbers import country_of  # noqa: PLC0415  phonenumbers: only where a message has a number

    return country_of(number)


def _text(value: Any) -> str:
    return value.strip().upper() if isinstance(value, str) else ""
