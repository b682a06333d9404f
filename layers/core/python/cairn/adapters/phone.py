"""Phone numbers in E.164, by Google's numbering plan data."""

import phonenumbers


def to_e164(text: str, region: str) -> str | None:
    """`+14155550123` from what people type; national numbers are those of `region`. None where it is no number.

    A number that is merely possible is kept: new ranges open before the metadata knows them. One that lacks its
    area is not: it would be the same for people of many towns.
    """
    try:
        number = phonenumbers.parse(text, region)
    except phonenumbers.NumberParseException:
        return None
    if phonenumbers.is_possible_number_with_reason(number) != phonenumbers.ValidationResult.IS_POSSIBLE:
        return None
    return phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)
