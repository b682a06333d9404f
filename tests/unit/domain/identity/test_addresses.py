"""One address has one key: every spelling of the table leads to it, and no two people's addresses share one."""

import tomllib
import unicodedata
from pathlib import Path
from typing import Any

import idna
import phonenumbers
import pytest
from hypothesis import assume, example, given
from hypothesis import strategies as st

from cairn.adapters.phone.numbers import phones_of
from cairn.domain.consent.suppression import suppression_key
from cairn.domain.identity.addresses import (
    canonical_address,
    is_whatsapp_user,
    whatsapp_number,
    written_forms,
)
from cairn.domain.identity.characters import MAX_LENGTH, is_unseen, trimmed
from cairn.domain.identity.emails import MAX_ADDRESS, ascii_email, canonical_email
from cairn.domain.identity.identifiers import EMAIL, PHONE, identifier
from cairn.domain.identity.phones import current_form, international, other_forms, why_no_customer
from cairn.domain.identity.placeholders import is_placeholder
from cairn.domain.shared.channels import Channel
from tests.unit.fakes import KEYS

TABLE = tomllib.loads((Path(__file__).parent / "addresses.toml").read_text(encoding="utf-8"))
SHEETS = {"phones": Channel.SMS, "whatsapp": Channel.WHATSAPP, "emails": Channel.EMAIL}
ROWS = [
    pytest.param(
        channel, row, id=f"{sheet}-{row['written'].encode('unicode_escape').decode()}-{row.get('country', '')}"
    )
    for sheet, channel in SHEETS.items()
    for row in TABLE[sheet]["rows"]
]

read_phone = phones_of("")


def canonical(channel: Channel, row: dict[str, Any]) -> str | None:
    return canonical_address(channel, row["written"], lambda text: read_phone(text, row.get("country")))


KEYS_OF = {
    row["is"]: canonical(channel, row)
    for sheet, channel in SHEETS.items()
    for row in reversed(TABLE[sheet]["rows"])
    if "is" in row
}
"""The key of each address, by its first row."""


def test_the_table_is_large_and_every_row_has_its_source() -> None:
    sources = [row.values[1]["source"] for row in ROWS]

    assert len(ROWS) >= 120
    assert set(sources) == set(TABLE["sources"])


@pytest.mark.parametrize(("channel", "row"), ROWS)
def test_a_spelling_leads_to_the_key_of_its_address_and_to_no_other(channel: Channel, row: dict[str, Any]) -> None:
    address = canonical(channel, row)

    assert {name for name, key in KEYS_OF.items() if key == address} == ({row["is"]} if "is" in row else set())


@pytest.mark.parametrize(("channel", "row"), ROWS)
def test_the_canonical_form_is_its_own_and_has_nothing_unseen(channel: Channel, row: dict[str, Any]) -> None:
    address = canonical(channel, row)

    if address is not None:
        assert canonical_address(channel, address) == address
        assert not any(map(is_unseen, address))
        assert unicodedata.is_normalized("NFC", address)


@pytest.mark.parametrize(("channel", "row"), ROWS)
def test_a_suppression_of_any_form_that_others_write_is_one_of_the_address(
    channel: Channel, row: dict[str, Any]
) -> None:
    address = canonical(channel, row)
    if address is None:
        return
    kind = EMAIL if channel is Channel.EMAIL else PHONE

    forms = written_forms(kind, address)
    assert {suppression_key(channel, form, KEYS.suppressions) for form in forms} == {
        suppression_key(channel, address, KEYS.suppressions)
    }


MAILS = st.one_of(
    st.text(max_size=30),
    st.builds("{}@{}.{}".format, st.text(min_size=1, max_size=8), st.text(min_size=1, max_size=8), st.text(min_size=1)),
    st.builds("{}@xn--{}.example".format, st.text("ab0-", min_size=1), st.text("abz0-", min_size=1)),
    st.emails(),
)
DIGITS = st.text("0123456789", min_size=6, max_size=13)
COUNTRIES = st.sampled_from(["MX", "AR", "BR", "BJ", "US", "DE", "IT", "GB", "FR", "RU", "JP"])
NUMBERS = st.one_of(
    st.builds("+{}".format, DIGITS),
    st.builds("+{}{}".format, st.sampled_from(["52", "521", "54", "549", "55", "229", "1", "49", "39", "44"]), DIGITS),
    st.text("+0123456789 ().-/x", max_size=20),
)


@pytest.mark.parametrize("text", ["ada@example.com", "+12015550123", "undefined"])
def test_a_text_longer_than_any_address_is_not_even_normalised(text: str) -> None:
    """Foreign text may have thousands of accents on a letter, which take a time that grows with their square."""
    long = " " * MAX_LENGTH + text

    assert (canonical_email(long), international(long), read_phone(long)) == (None, None, None)
    assert not is_placeholder(long)


@given(MAILS)
@example("a@xn--\u0130-.example")
@example("\u0130@\u0130.com")
@example("a@\u0345\u03a9.example")
@example("a@\u13a0.example")
@example("a@xn--kz9a.example")
def test_the_canonical_form_of_an_email_is_stable_and_clean(text: str) -> None:
    address = canonical_email(text)

    if address is not None:
        assert canonical_email(address) == address
        assert canonical_email(ascii_email(address)) == address
        assert not any(map(is_unseen, address))
        assert address == address.lower() == unicodedata.normalize("NFC", address)
        assert len(ascii_email(address).encode()) <= MAX_ADDRESS
        assert ascii_email(address).rpartition("@")[2].isascii()


@given(MAILS, st.sampled_from([" {}", "{}\t", "\u200b{}", "{}\ufeff", "\u2060{}\n"]))
def test_blanks_and_unseen_characters_around_an_email_leave_its_key_alone(text: str, around: str) -> None:
    assert canonical_email(around.format(text)) == canonical_email(text)


@given(st.emails(), st.data())
def test_the_case_of_an_email_leaves_its_key_alone(mail: str, data: Any) -> None:
    assume(canonical_email(mail))
    flips = data.draw(st.lists(st.booleans(), min_size=len(mail), max_size=len(mail)))

    changed = "".join(char.swapcase() if flip else char for char, flip in zip(mail, flips, strict=True))

    assert canonical_email(changed) == canonical_email(mail)


@given(st.text(st.characters(categories=["Ll", "Lu", "Lo", "Mn", "Nd"], max_codepoint=0xFFFF), min_size=1, max_size=10))
@example("\u13a0")
@example("\uab70")
def test_a_domain_has_the_punycode_that_the_package_idna_gives_it(label: str) -> None:
    """By UTS 46 without transition, then IDNA2008. The package refuses more than we do."""
    try:
        mapped = idna.uts46_remap(label + ".example", std3_rules=True, transitional=False)
        expected = idna.encode(mapped).decode()
    except idna.IDNAError:
        return
    address = canonical_email(f"ada@{label}.example")

    assert address is None or ascii_email(address) == f"ada@{expected}"


def in_use(country: str, last: str) -> str:
    """A mobile number like the one that libphonenumber gives for a country as an example."""
    found = phonenumbers.example_number_for_type(country, phonenumbers.PhoneNumberType.MOBILE)
    number = phonenumbers.format_number(found, phonenumbers.PhoneNumberFormat.E164) if found else "+12015550123"
    changed = number[:-3] + last
    return changed if read_phone(changed) else str(read_phone(number))


IN_USE = st.builds(
    in_use,
    st.sampled_from(["MX", "AR", "BR", "BJ"]) | st.sampled_from(sorted(phonenumbers.SUPPORTED_REGIONS)),
    st.text("0123456789", min_size=3, max_size=3),
)


@given(NUMBERS, COUNTRIES)
def test_the_canonical_form_of_a_number_is_stable(text: str, country: str) -> None:
    number = read_phone(text, country)

    if number is not None:
        assert read_phone(number) == read_phone(number, country) == number
        assert international(number) == number == current_form(number)
        assert identifier(PHONE, number).value == number


@given(
    NUMBERS,
    COUNTRIES,
    st.sampled_from(["whatsapp:{}", "tel:{}", "rcs:{}", "sms:{}", " {} ", "\u202a{}\u202c", "\u200b{}", "{};ext=12"]),
)
def test_decoration_leaves_the_key_of_a_number_alone(text: str, country: str, decoration: str) -> None:
    assume("x" not in text)

    assert read_phone(decoration.format(text), country) == read_phone(text, country)


@given(IN_USE, st.sampled_from(["whatsapp:{}", "tel:{}", "rcs:{}", "{} x5", "{}#12", " {}\t", "\u200b{}", "{};ext=12"]))
def test_decoration_leaves_the_key_of_a_number_in_use_alone(number: str, decoration: str) -> None:
    assert read_phone(decoration.format(number)) == international(decoration.format(number)) == number


@given(IN_USE)
def test_two_zeros_are_a_plus(number: str) -> None:
    assert read_phone("00" + number[1:]) == number


@given(IN_USE)
def test_the_other_forms_of_a_number_lead_back_to_it(number: str) -> None:
    for form in other_forms(number):
        assert form != number
        assert read_phone(form) == current_form(form) == number


@given(IN_USE | NUMBERS.filter(international), IN_USE)
def test_two_addresses_have_one_key_only_where_their_canonical_form_is_one(left: str, right: str) -> None:
    numbers = [international(text) for text in (left, right)]

    keys = {suppression_key(Channel.SMS, text, KEYS.suppressions) for text in (left, right)}

    assert (len(keys) == 1) == (numbers[0] == numbers[1])


@pytest.mark.parametrize("text", ["US.1", "US.ENT.1", "DE.abc9"])
def test_an_id_of_whatsapp_is_an_address_there_and_nowhere_else(text: str) -> None:
    assert is_whatsapp_user(text)
    assert canonical_address(Channel.WHATSAPP, text) == text
    assert [canonical_address(channel, text) for channel in (Channel.SMS, Channel.EMAIL)] == [None, None]


@given(st.text(max_size=30))
def test_no_id_with_an_alphabetic_character_becomes_a_number(text: str) -> None:
    assume(any(char.isalpha() for char in text))

    assert whatsapp_number(text) is None


@pytest.mark.parametrize(
    ("sender", "why"),
    [("22000", "short_code"), ("7234567", "short_code"), ("rcs:acme_agent", "sender_name"), ("AMAZON", "sender_name")],
)
def test_a_sender_that_is_no_customer_has_its_reason(sender: str, why: str) -> None:
    assert why_no_customer(sender) == why


def test_a_number_is_no_sender_of_that_kind() -> None:
    assert why_no_customer("+12015550123") is None


@given(st.text())
def test_trimming_takes_only_what_nobody_sees(text: str) -> None:
    rest = trimmed(text)

    assert rest in text
    assert trimmed(rest) == rest
    assert not any(not is_unseen(char) and not char.isspace() for char in text.replace(rest, "", 1) if rest)
