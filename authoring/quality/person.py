"""What of a customer is compared with others: names, addresses, birth date. Read from attributes of any shape.

Nothing that a profile holds can stop a run: a value that is no text counts as missing, and a long one is cut.
"""

import json
import re
import unicodedata
from collections.abc import Iterator
from dataclasses import astuple, dataclass
from datetime import date
from typing import Any, Self

from cairn.domain.identity.identifiers import EMAIL, PHONE
from cairn.domain.identity.placeholders import is_placeholder
from cairn.domain.profile.profile import Profile

GIVEN, FAMILY, WHOLE = ("first_name", "given_name"), ("last_name", "family_name", "surname"), ("name", "full_name")
BORN = ("birth_date", "date_of_birth", "birthdate", "birthday", "dob")
STREET = ("street", "address_line_1", "address1", "address", "street_address")
POSTCODE = ("postal_code", "postcode", "zip", "zip_code")
"""The attributes that are read, the first that has a value."""

LONGEST = 100
"""Characters of a value that are compared."""

MOST_ADDRESSES = 3
"""E-mail addresses, and numbers, of a customer that are compared: each is a key, and so bounds what is compared."""

WITHOUT_DECOMPOSITION = str.maketrans(
    {"ø": "o", "ł": "l", "đ": "d", "æ": "ae", "œ": "oe", "\u0131": "i", "ð": "d", "þ": "th"}
)
APOSTROPHES = "'\u2019"

NO_BIRTHS = frozenset({date(1900, 1, 1), date(1970, 1, 1), date(2000, 1, 1)})
"""What systems write where nobody gave a date."""

ISO = re.compile(r"(\d{4})-(\d{1,2})-(\d{1,2})")
DAY_FIRST = re.compile(r"(\d{1,2})[./-](\d{1,2})[./-](\d{4})")

ROLES = frozenset(
    ("info", "office", "contact", "admin", "sales", "mail", "hello", "support", "team", "service", "noreply")
)
"""Mailboxes of a function, which several people read."""

DOTLESS = frozenset({"gmail.com", "googlemail.com"})
"""Providers to which dots in a mailbox's name mean nothing (support.google.com/mail/answer/7436150)."""


@dataclass(frozen=True, slots=True)
class Person:
    """Texts are plain (`plain`); what is not known is empty."""

    id: str
    given: str = ""
    family: str = ""
    emails: tuple[str, ...] = ()
    phones: tuple[str, ...] = ()
    born: str = ""
    """ISO 8601."""
    street: str = ""
    postcode: str = ""
    accounts: tuple[tuple[str, str], ...] = ()
    """The vouched identifiers, by kind and value."""

    @classmethod
    def of(cls, profile: Profile) -> Self:
        given, family = _names(profile)
        names = profile.identifiers
        emails = {one.value for one in names if one.kind == EMAIL} | {_text(profile, EMAIL).lower()}
        phones = {one.value for one in names if one.kind == PHONE} | {_text(profile, PHONE)}
        return cls(
            profile.id,
            given,
            family,
            tuple(sorted(one for one in emails if "@" in one and not is_placeholder(one))[:MOST_ADDRESSES]),
            tuple(sorted(one for one in phones if one.startswith("+"))[:MOST_ADDRESSES]),
            birth(_first(profile, BORN)),
            plain(_first(profile, STREET)),
            plain(_first(profile, POSTCODE)).replace(" ", ""),
            tuple((one.kind, one.value) for one in profile.vouched_identifiers),
        )

    @property
    def name(self) -> str:
        return f"{self.given} {self.family}".strip()

    def to_text(self) -> str:
        return json.dumps(astuple(self), ensure_ascii=False)

    @classmethod
    def from_text(cls, text: str) -> Self:
        id_, given, family, emails, phones, born, street, postcode, accounts = json.loads(text)
        return cls(
            *(id_, given, family, tuple(emails), tuple(phones), born, street, postcode),
            tuple(map(tuple, accounts)),
        )


def keys_of(person: Person) -> Iterator[str]:
    """The keys of a person: only people who share one are compared. At most twelve.

    Each is blind to another error: a typing error in one name, swapped names, day and month swapped, a new address.
    """
    words = sorted(person.name.split())
    if words and len(person.name) > 1:
        yield f"name {words[0][:3]} {words[-1][:3]}"
    if person.given and person.family:
        yield f"family {person.family[:4]} {person.given[:1]}"
    if person.born:
        year, *month_and_day = person.born.split("-")
        yield f"born {year} {' '.join(sorted(month_and_day))}"
        if person.given:
            yield f"year {year} {person.given[:4]}"
    if person.postcode:
        yield from (f"place {person.postcode} {each[:3]}" for each in (person.given, person.family) if each)
    yield from (f"phone {one[-8:]}" for one in person.phones)
    yield from (f"mailbox {local}" for local in dict.fromkeys(map(local_part, person.emails)) if local not in ROLES)


def features_of(person: Person) -> Iterator[str]:
    """What says little about a person where many have it."""
    if person.name:
        yield f"name {person.name}"
    yield from (f"phone {one}" for one in person.phones)


def local_part(email: str) -> str:
    """The mailbox's name without what providers ignore: a tag behind +, and dots, which people add and leave out."""
    return email.rpartition("@")[0].partition("+")[0].replace(".", "").replace("_", "").replace("-", "")


def mailbox(email: str) -> str:
    """The address under which a provider delivers it."""
    local, _, domain = email.rpartition("@")
    local = local.partition("+")[0]
    return f"{local.replace('.', '') if domain in DOTLESS else local}@{'gmail.com' if domain in DOTLESS else domain}"


def plain(text: str) -> str:
    """Words in small letters without accents and punctuation."""
    folded = unicodedata.normalize("NFKD", text[:LONGEST].casefold()).translate(WITHOUT_DECOMPOSITION)
    written = "".join(
        one if one.isalnum() else "" if unicodedata.combining(one) or one in APOSTROPHES else " " for one in folded
    )
    return " ".join(written.split())


def birth(text: str) -> str:
    """A birth date in ISO 8601; empty for what is none, or is one that systems write where nobody gave any."""
    if found := ISO.match(text):
        year, month, day = map(int, found.groups())
    elif found := DAY_FIRST.match(text):
        day, month, year = map(int, found.groups())
        if month > 12:  # noqa: PLR2004  then it is the day
            day, month = month, day
    else:
        return ""
    try:
        born = date(year, month, day)
    except ValueError:
        return ""
    return "" if born in NO_BIRTHS or year < 1900 else born.isoformat()  # noqa: PLR2004


def _names(profile: Profile) -> tuple[str, str]:
    given, family = plain(_first(profile, GIVEN)), plain(_first(profile, FAMILY))
    if given or family:
        return given, family
    first, _, last = plain(_first(profile, WHOLE)).rpartition(" ")
    return first, last


def _first(profile: Profile, names: tuple[str, ...]) -> str:
    return next((text for name in names if (text := _text(profile, name))), "")


def _text(profile: Profile, name: str) -> str:
    value: Any = profile.get(name)
    if not isinstance(value, str) or is_placeholder(value):
        return ""
    return value[:LONGEST].strip()
