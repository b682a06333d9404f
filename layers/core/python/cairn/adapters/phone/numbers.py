"""Phone numbers in E.164, by Google's numbering plan data."""

import phonenumbers


def to_e164(text: str, region: str) -> str | None:
    """`+14155550123` from typed text; national numbers are those of `region`. None where it is no number.

    A number that is only possible is accepted, since new ranges open before the metadata knows them. A number without
    its area code is not, since people of many towns have the same one.
    """
    try:
        number = phonenumbers.parse(text, region)
    except phonenumbers.NumberParseException:
        return None
    if phonenumbers.is_possible_number_with_reason(number) != phonenumbers.ValidationResult.IS_POSSIBLE:
        return None
    return phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)


def country_of(number: str) -> str:
    """The country (ISO 3166-1) that a number in E.164 belongs to; empty where it belongs to none.

    An unknown or toll-free number of a shared calling code counts for its first country: +1 for the United States.
    """
    try:
        parsed = phonenumbers.parse(number)
    except phonenumbers.NumberParseException:
        return ""
    country = phonenumbers.region_code_for_number(parsed)
    country = country or phonenumbers.region_code_for_country_code(parsed.country_code or 0)
    return country if country.isalpha() and country != phonenumbers.UNKNOWN_REGION else ""
