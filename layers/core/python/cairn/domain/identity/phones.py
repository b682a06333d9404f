"""Phone numbers as text: what people and providers write around them, and numbers that have more than one form.

This module needs no table of numbering plans, so it reads only numbers with a country code. `adapters/phone` adds
the national ones, and checks that a number is valid.
"""

import re
import unicodedata
from functools import lru_cache

from cairn.domain.identity.characters import MAX_LENGTH, is_unseen, trimmed

E164_SHAPE = re.compile(r"\+[1-9]\d{6,14}")
"""ITU-T E.164: at most 15 digits; no country has numbers of less than 7 with its code."""

SCHEME = re.compile(r"(?:(?:whatsapp|rcs|sms|tel):(?://)?\s*)+", re.IGNORECASE)
"""Twilio writes `whatsapp:` and `rcs:` before a number, RFC 3966 and RFC 5724 write `tel:` and `sms:`."""

EXTENSION = re.compile(r"(?:;ext=|;|,|#|\s*(?:extension|extn|ext|x)\.?:?)\s*\d{1,7}#?", re.IGNORECASE)
"""An extension leads on from a switchboard: no message arrives there, so it is no part of the address."""

NUMBER = re.compile(r"\+?[\d\s().\-/\u2010-\u2015\u2212\u30fc]+")
TRUNK_ZERO = re.compile(r"\(\s*0")
"""`+44 (0)20 …`: whether the zero is dialled depends on the country (not in Britain, but in Italy)."""

SHORT_CODE = re.compile(r"\d{3,8}")
"""A short code of a carrier, written without a plus."""

CURRENT_FORMS = (
    # Mexico dropped the 1 for mobiles, and 01, 044, 045, on 2019-08-03 (IFT, Plan Técnico Fundamental de Numeración).
    # WhatsApp's ids still have the 1 (WhatsApp FAQ, "About international phone number format").
    (re.compile(r"\+52(?:1|01|044|045)(\d{10})"), r"+52\1"),
    # Argentina: calls from abroad to a mobile need 9 before the area code; without it or with 15, WhatsApp means the
    # same person (the same FAQ). Area codes begin with 1, 2 or 3 (ENACOM), so no other service is touched.
    (re.compile(r"\+54([123]\d{9})"), r"+549\1"),
    # Brazil put a 9 before its mobiles, which began with 6 to 9, from 2012 to 2016 (ANATEL, Resolução 553/2010).
    # WhatsApp's ids of older accounts have no 9 (Cloud API, "Phone number formats").
    (re.compile(r"\+55([1-9]\d)([6-9]\d{7})"), r"+55\g<1>9\2"),
    # Benin put 01 before all its numbers on 2024-11-30 (ARCEP Bénin; libphonenumber's metadata has the new form only).
    (re.compile(r"\+229([2-9]\d{7})"), r"+22901\1"),
)
"""Numbers that have an older or another form, and the form that is canonical."""

OTHER_FORMS = (
    (re.compile(r"\+52(\d{10})"), (r"+521\1",)),
    (re.compile(r"\+549([123]\d{9})"), (r"+54\1",)),
    (re.compile(r"\+55([1-9]\d)9([6-9]\d{7})"), (r"+55\1\2",)),
    (re.compile(r"\+22901([2-9]\d{7})"), (r"+229\1",)),
)
"""The other forms of a canonical number, as WhatsApp and older systems write them."""


def bare_number(text: str) -> str | None:
    """`+49 (0)151 2345` from `tel:+49 (0)151 2345;ext=3`: digits and what stands between them, or None."""
    if len(text) > MAX_LENGTH:
        return None
    text = "".join(char for char in unicodedata.normalize("NFKC", trimmed(text)) if unicodedata.category(char) != "Cf")
    text = "".join(str(unicodedata.decimal(char, char)) for char in text)
    scheme = SCHEME.match(text)
    text = text[scheme.end() :] if scheme else text
    number = NUMBER.match(text)
    if number is None or any(map(is_unseen, number.group())):
        return None
    rest = text[number.end() :]
    found = number.group().strip()
    if rest and not EXTENSION.fullmatch(rest):
        return None
    return "+" + found[2:].lstrip() if found.startswith("00") else found


@lru_cache(maxsize=256)  # an event compares the same few numbers many times
def international(text: str) -> str | None:
    """The canonical E.164 of a number that is written with its country code; None for any other text."""
    found = bare_number(text)
    if found is None or not found.startswith("+") or TRUNK_ZERO.search(found):
        return None
    number = current_form("+" + re.sub(r"\D", "", found))
    return number if E164_SHAPE.fullmatch(number) else None


def current_form(number: str) -> str:
    """The canonical form of a number in E.164: one for all the forms in which WhatsApp and older systems write it."""
    for old, new in CURRENT_FORMS:
        if old.fullmatch(number):
            return old.sub(new, number)
    return number


def other_forms(number: str) -> tuple[str, ...]:
    """The other forms of a canonical number; empty for most."""
    for current, others in OTHER_FORMS:
        if match := current.fullmatch(number):
            return tuple(match.expand(other) for other in others)
    return ()


def why_no_customer(text: str) -> str | None:
    """Why a sender that a provider names is no customer: a carrier's short code, or the name of a business."""
    bare = SCHEME.sub("", trimmed(text))
    if SHORT_CODE.fullmatch(re.sub(r"[\s-]", "", bare)):
        return "short_code"
    return "sender_name" if any(char.isalpha() for char in bare) else None
