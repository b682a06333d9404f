"""Reasons for the audit. They are kept for good, so they name nobody: an erasure could not remove the name."""

import re
from collections.abc import Iterator
from datetime import UTC, datetime

from cairn.domain.identity.addresses import ReadPhone
from cairn.domain.identity.emails import canonical_email
from cairn.domain.identity.identifiers import CUSTOMER_ID, EMAIL, PHONE, Identifier
from cairn.domain.privacy.traces import Traces
from cairn.domain.shared.text import without_controls

SHORTEST_NAME = 3
"""Characters. A shorter id (`7`) stands in a reason by chance, and shows a reader nobody."""

LOCAL_NUMBER = 7
"""Digits by which a number is known in its own town, or in a small country: those behind the codes."""

NUMBER = re.compile(r"\+?[\d(][\d\s().\-/]*")

LONG_AGO = datetime(1970, 1, 1, tzinfo=UTC)


def names(why: str, name: str, read_phone: ReadPhone) -> bool:
    """Whether a reason contains the name that a command was given: an address in any spelling, any other id as a word.

    A canonical id is no name: the audit has it as the target, and it says nothing once its customer is erased.
    """
    name = name.strip()
    if len(name) < SHORTEST_NAME or CUSTOMER_ID.fullmatch(name):
        return False
    why = without_controls(why)
    addresses = tuple(_addresses(name, read_phone))
    if addresses:
        return Traces(frozenset(), addresses, LONG_AGO).in_document(why) or any(
            _is_number(address.value, why, read_phone) for address in addresses if address.kind == PHONE
        )
    external = name.partition(":")[2]
    return any(_is_word(one, why) for one in {name, external} if len(one) >= SHORTEST_NAME)


def _addresses(name: str, read_phone: ReadPhone) -> Iterator[Identifier]:
    email, phone = canonical_email(name), read_phone(name)
    if email:
        yield Identifier(EMAIL, email)
    if phone:
        yield Identifier(PHONE, phone)


def _is_number(phone: str, why: str, read_phone: ReadPhone) -> bool:
    """Whether the number stands in a reason, be it without its country's or its area's code."""
    runs = [found[0] for found in NUMBER.finditer(why)]
    digits = ("".join(filter(str.isdecimal, run)) for run in runs)
    local = any(len(end) >= LOCAL_NUMBER and phone.endswith(end) for end in digits)
    return local or any(read_phone(run) == phone for run in runs)


def _is_word(name: str, why: str) -> bool:
    return re.search(rf"(?<!\w){re.escape(name.casefold())}(?!\w)", why.casefold()) is not None
