"""Finds a customer in a document of any shape, so that erasing the customer also removes their dead letters."""

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from cairn.domain.identity.identifiers import EMAIL, EXTERNAL, PHONE, USER_ID, Identifier
from cairn.domain.shared.instants import instant_from_wire

MIN_LENGTH = 6
"""Length of the shortest id that is searched for: a shorter one occurs by chance."""

MIN_NATIONAL = 9
"""Digits of the shortest national phone number: a shorter one may be an order's number."""

ADDRESS = re.compile(r"[^\s<>\"'(),:;\[\]\\]+@[^\s<>\"'(),:;\[\]\\]+")
NUMBER = re.compile(r"\+?\(?\d[\d\s().-]{5,20}\d")


@dataclass(frozen=True, slots=True)
class Traces:
    """Everything that identifies a customer in a dead letter."""

    ids: frozenset[str]
    """The customer's id, and those of merged profiles."""
    identifiers: tuple[Identifier, ...]
    erased_at: datetime
    """A later event belongs to the customer's new profile."""

    def in_document(self, document: Any) -> bool:
        """Whether the document is an event of the customer, or contains one of their identifiers."""
        if not isinstance(document, Mapping):
            return self._mentions(document)
        customer = document.get("customer")
        if isinstance(customer, Mapping) and "occurred_at" in document:
            return self._is_about(customer) and not self._later(document["occurred_at"])
        return self._mentions(document)

    def _is_about(self, customer: Mapping[str, Any]) -> bool:
        external = customer.get("external_ids")
        given = {kind: customer.get(kind) for kind in (USER_ID, EMAIL, PHONE)}
        if isinstance(external, Mapping):
            given |= {EXTERNAL + system: value for system, value in external.items()}
        own = {name.key for name in self.identifiers}
        return any(f"{kind}:{value}" in own for kind, value in given.items()) or self._mentions(customer)

    def _later(self, occurred_at: Any) -> bool:
        try:
            return instant_from_wire(str(occurred_at)) > self.erased_at
        except ValueError:
            return False

    def _mentions(self, document: Any) -> bool:
        return any(self._text_mentions(text) for text in texts(document))

    def _text_mentions(self, text: str) -> bool:
        values = {
            name.value for name in self.identifiers if name.kind not in {EMAIL, PHONE} and len(name.value) >= MIN_LENGTH
        }
        if text in values or any(id_ in text for id_ in self.ids):
            return True
        mails = {name.value for name in self.identifiers if name.kind == EMAIL}
        if mails and any(mail.strip(".").lower() in mails for mail in ADDRESS.findall(text)):
            return True
        numbers = tuple(_digits(name.value) for name in self.identifiers if name.kind == PHONE)
        return any(_same_number(_digits(number), numbers) for number in NUMBER.findall(text)) if numbers else False


def texts(document: Any) -> Iterator[str]:
    """Every text and number in a document, and in the JSON texts inside it."""
    if isinstance(document, Mapping):
        for name, value in document.items():
            yield str(name)
            yield from texts(value)
    elif isinstance(document, list | tuple):
        for value in document:
            yield from texts(value)
    elif isinstance(document, str):
        inner = embedded_document(document)
        yield from [document] if inner is None else texts(inner)
    elif isinstance(document, int | float) and not isinstance(document, bool):
        yield str(document)


def embedded_document(text: str) -> Any:
    """The JSON object or list that a text contains, or None."""
    if text[:1] not in {"{", "["}:
        return None
    try:
        document = json.loads(text)
    except ValueError:
        return None
    return document if isinstance(document, dict | list) else None


def _digits(text: str) -> str:
    return re.sub(r"\D", "", text)


def _same_number(digits: str, numbers: tuple[str, ...]) -> bool:
    """Compares with the country's code, and without it."""
    national = digits.lstrip("0")
    return any(digits == number or (len(national) >= MIN_NATIONAL and number.endswith(national)) for number in numbers)
