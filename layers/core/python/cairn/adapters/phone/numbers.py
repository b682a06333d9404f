"""Phone numbers in canonical E.164, by Google's numbering plan data."""

import re
from collections.abc import Callable
from collections.abc import Set as AbstractSet

import phonenumbers

from cairn.domain.identity.addresses import is_whatsapp_user
from cairn.domain.identity.phones import bare_number, current_form


def to_e164(text: str, region: str) -> str | None:
    """`+14155550123` from typed text; national numbers are those of `region`, and without one there are none.

    Only a valid number is an address: one that is merely possible may be another's with a digit mistyped. A number
    without its area code is none, since people of many towns have the same one.
    """
    bare = bare_number(text)
    if bare is None:
        return None
    written = current_form("+" + re.sub(r"\D", "", bare)) if bare.startswith("+") else bare
    try:
        number = phonenumbers.parse(written, region.strip().upper() or None)
        current = current_form(phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164))
        valid = phonenumbers.is_valid_number(number if written == current else phonenumbers.parse(current))
    except phonenumbers.NumberParseException:
        return None
    return current if valid else None


def phones_of(region: str) -> Callable[..., str | None]:
    """Reads numbers: a national one belongs to the country beside it, else to the deployment's region, if any."""

    def read(text: str, country: str | None = None) -> str | None:
        return to_e164(text, country if country and is_country(country) else region)

    return read


def is_country(code: str) -> bool:
    """Whether it is the code of a country (ISO 3166-1) that has phone numbers."""
    return code.strip().upper() in phonenumbers.SUPPORTED_REGIONS


def countries() -> AbstractSet[str]:
    """The codes of all countries (ISO 3166-1) that have phone numbers."""
    return frozenset(phonenumbers.SUPPORTED_REGIONS)


def country_of(address: str) -> str:
    """The country (ISO 3166-1) of a number in E.164, or of an id of WhatsApp; empty where it belongs to none.

    An unknown or toll-free number of a shared calling code counts for its first country: +1 for the United States.
    """
    if is_whatsapp_user(address):
        return address[:2]
    try:
        parsed = phonenumbers.parse(address)
    except phonenumbers.NumberParseException:
        return ""
    country = phonenumbers.region_code_for_number(parsed)
    country = country or phonenumbers.region_code_for_country_code(parsed.country_code or 0)
    return country if country.isalpha() and country != phonenumbers.UNKNOWN_REGION else ""
