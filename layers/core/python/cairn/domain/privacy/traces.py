"""Finds a customer in a document of any shape, so that erasing the customer also removes their dead letters.

The time grows with the length of the document, and with nothing else. Addresses and ids are looked for as they are
known, instead of everything that looks like one: a body without blanks, a picture in base64, is one long word.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from functools import cached_property
from typing import Any, Literal
from unicodedata import decimal, normalize

from cairn.domain.identity.addresses import written_forms
from cairn.domain.identity.identifiers import EMAIL, EXTERNAL, PHONE, USER_ID, Identifier, identifier
from cairn.domain.privacy.encodings import (
    MAX_DEPTH,
    SEPARATOR,
    Budget,
    BudgetSpentError,
    Decoder,
    embedded_document,
    texts,
)
from cairn.domain.shared.instants import instant_from_wire

MIN_LENGTH = 6
"""Length of the shortest id that is searched for, as a whole text: a shorter one occurs by chance."""

MIN_LENGTH_IN_TEXT = 9
"""Length of the shortest id that is searched for inside a longer text, such as JSON that was cut short."""

MIN_NATIONAL = 9
"""Digits of the shortest national phone number: a shorter one may be an order's number."""

MAX_NUMBER = 17
"""Digits of the longest phone number: 15 (E.164), after 00."""

DIGITS = re.compile(r"[0-9][0-9\s().\-/]*")
"""Digits, and what people write between them."""

FORMS: tuple[Literal["NFC"], Literal["NFD"]] = ("NFC", "NFD")
"""An accent is part of its letter, or stands behind it. Both forms of the known address are tried: to bring a foreign
text into one form takes a time that grows with the square of the accents on a letter.
"""

NO_DIGITS = re.compile(r"[^0-9]+")


class Sighting(StrEnum):
    """Whether a document is about the customer."""

    ABOUT = "about"
    NOT_ABOUT = "not_about"
    UNREADABLE = "unreadable"
    """Nothing was found, but not everything could be read: it is compressed and broken, nested too deep or too long."""


@dataclass(frozen=True)
class Traces:
    """Everything that identifies a customer in a dead letter."""

    ids: frozenset[str]
    """The customer's id, and those of merged profiles."""
    identifiers: tuple[Identifier, ...]
    erased_at: datetime
    """A later event belongs to the customer's new profile."""

    def in_document(self, document: Any) -> bool:
        """Whether the document is an event of the customer, or contains one of their identifiers."""
        return self.search(document) is Sighting.ABOUT

    def search(self, document: Any, budget: Budget | None = None) -> Sighting:
        """Look at a document, or at the bytes or the text of one, and into everything that is encoded in it."""
        decoder = Decoder(budget or Budget())
        if isinstance(document, bytes):
            document = decoder.text_of_body(document)
        if isinstance(document, str):
            inner = embedded_document(document)
            document = document if inner is None else inner
        if isinstance(document, Mapping):
            customer = document.get("customer")
            if isinstance(customer, Mapping) and "occurred_at" in document:
                if self._later(document["occurred_at"]):
                    return Sighting.NOT_ABOUT
                return Sighting.ABOUT if self._is_named(customer) else self._look(customer, decoder)
        return self._look(document, decoder)

    def _is_named(self, customer: Mapping[str, Any]) -> bool:
        external = customer.get("external_ids")
        given = {kind: customer.get(kind) for kind in (USER_ID, EMAIL, PHONE)}
        if isinstance(external, Mapping):
            given |= {EXTERNAL + str(system): value for system, value in external.items()}
        own = {name.key for name in self.identifiers}
        return any(isinstance(value, str) and identifier(kind, value).key in own for kind, value in given.items())

    def _later(self, occurred_at: Any) -> bool:
        try:
            return instant_from_wire(str(occurred_at)) > self.erased_at
        except ValueError:
            return False

    def _look(self, document: Any, decoder: Decoder) -> Sighting:
        """Search the document, then what was encoded in it, level by level."""
        level: list[Any] = [document]
        try:
            for _ in range(MAX_DEPTH + 1):
                leaves = list(texts(level))
                decoder.budget.spend(leaves)
                if self._mentioned(leaves):
                    return Sighting.ABOUT
                level, binary = decoder.decoded(leaves)
                decoder.budget.spend(binary)
                if self._mentioned([*binary, *(piece.replace("\0", "") for piece in binary if "\0" in piece)]):
                    return Sighting.ABOUT
                if not level:
                    return Sighting.UNREADABLE if decoder.opaque else Sighting.NOT_ABOUT
        except BudgetSpentError:
            pass
        return Sighting.UNREADABLE

    def _mentioned(self, leaves: list[str]) -> bool:
        if not leaves:
            return False
        if not self._whole.isdisjoint(leaves):
            return True
        text = SEPARATOR.join(leaves)
        if any(id_ in text for id_ in self.ids) or any(_stands_alone(value, text) for value in self._long):
            return True
        lowered = text.lower()
        if any(_is_address_in(mail, lowered) for mail in self._mails):
            return True
        return bool(self._numbers) and _names_a_number(self._numbers, text)

    @cached_property
    def _whole(self) -> frozenset[str]:
        """Ids that are compared with a whole text."""
        kinds = {EMAIL, PHONE}
        return frozenset(
            one.value for one in self.identifiers if one.kind not in kinds and len(one.value) >= MIN_LENGTH
        )

    @cached_property
    def _long(self) -> tuple[str, ...]:
        return tuple(sorted(value for value in self._whole if len(value) >= MIN_LENGTH_IN_TEXT))

    @cached_property
    def _mails(self) -> frozenset[str]:
        """The addresses in each spelling of the same letters, and of the same domain."""
        return frozenset(
            form for one in self.identifiers if one.kind == EMAIL for form in _spellings(one.value.lower())
        )

    @cached_property
    def _numbers(self) -> frozenset[str]:
        """The last digits of each form of a phone number, by which it is known with and without its country's code."""
        phones = (form for one in self.identifiers if one.kind == PHONE for form in written_forms(PHONE, one.value))
        numbers = ("".join(filter(str.isdigit, form)) for form in phones)
        return frozenset(number[-MIN_NATIONAL:] for number in numbers if number)


def _spellings(mail: str) -> Iterator[str]:
    for written in written_forms(EMAIL, mail):
        local, _, domain = written.rpartition("@")
        yield from (f"{normalize(left, local)}@{normalize(right, domain)}" for left in FORMS for right in FORMS)


def _is_address_in(mail: str, text: str) -> bool:
    """Whether the address stands in a text as one, and not as a part of a longer one."""
    return any(_begins_here(text, at) and _ends_here(text, at + len(mail)) for at in _occurrences(mail, text))


def _begins_here(text: str, at: int) -> bool:
    """`jo+mia@…` and `jo.mia@…` are other people than `mia@…`; `.mia@…` at the start of a word is not."""
    while at and text[at - 1] == ".":
        at -= 1
    return not at or not (text[at - 1].isalnum() or text[at - 1] in "_%+-")


def _ends_here(text: str, at: int) -> bool:
    """`…@example.com.au` is another domain than `…@example.com`; a full stop that ends a sentence is none."""
    while at < len(text) and text[at] == ".":
        at += 1
    return at == len(text) or not (text[at].isalnum() or text[at] in "-_")


def _stands_alone(value: str, text: str) -> bool:
    return any(
        not (at and _of_an_id(text[at - 1])) and not _of_an_id(text[at + len(value) : at + len(value) + 1])
        for at in _occurrences(value, text)
    )


def _of_an_id(character: str) -> bool:
    return character.isalnum() or character in {"-", "_"}


def _names_a_number(tails: frozenset[str], text: str) -> bool:
    if not text.isascii():
        others = {ord(one): str(decimal(one)) for one in set(text) if one.isdecimal() and not one.isascii()}
        text = text.translate(others)
    digits = NO_DIGITS.sub("", text)
    if not any(tail in digits for tail in tails):
        return False  # most documents: nothing is looked at twice
    return any(_calls(tails, run[0]) for run in DIGITS.finditer(text))


def _calls(tails: frozenset[str], run: str) -> bool:
    """Whether one of the numbers stands in digits with blanks, dots and hyphens: to the end of a group of digits.

    What stands before it in its own group is a country's code, or zeros. A longer group is another number.
    """
    groups = run.translate(NO_SEPARATORS).split()
    digits = "".join(groups)
    if not any(tail in digits for tail in tails):
        return False
    ends, end = {}, 0
    for group in groups:
        end += len(group)
        ends[end] = end - len(group)
    return any(
        at + len(tail) in ends and at - _start_of_group(ends, at) <= MAX_NUMBER - len(tail)
        for tail in tails
        for at in _occurrences(tail, digits)
    )


NO_SEPARATORS = dict.fromkeys(map(ord, "().-/"), " ")


def _start_of_group(ends: Mapping[int, int], at: int) -> int:
    """Where the group of digits begins in which the place lies; only as far as a number may reach."""
    for end in range(at + 1, at + MAX_NUMBER + 1):
        if end in ends:
            return ends[end]
    return at - MAX_NUMBER


def _occurrences(part: str, text: str) -> Iterator[int]:
    at = text.find(part)
    while at >= 0:
        yield at
        at = text.find(part, at + 1)
