"""What people may ask for of what is known about them: a copy of it, and that it is forgotten (GDPR Art. 15 and 17).

Who is forgotten is sealed first: in one commit nothing leads to them any more, nothing is decided for them and nothing
is sent. What was under way then comes to rest, and only after that everything is erased, so that nothing is left behind
by a write that was late.
"""

import json
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from cairn.domain.consent.suppression import Cause, Mark, SuppressionChange
from cairn.domain.effects import EraseCustomer, OpenTask
from cairn.domain.event import Event
from cairn.domain.identity.identifiers import EMAIL, EXTERNAL, PHONE, USER_ID, Identifier
from cairn.domain.identity.trust import OPERATORS_SOURCE
from cairn.domain.shared.channels import Channel, Purpose
from cairn.domain.shared.hashing import short_hash
from cairn.domain.shared.instants import instant_from_wire, instant_to_wire

ERASURE_REQUESTED = "customer.erasure_requested"
DATA_REQUESTED = "customer.data_requested"
SHOP_ERASURE_REQUESTED = "shop.erasure_requested"

ERASURE_SOURCES = (OPERATORS_SOURCE, "hubspot", "shopify")
"""The sources whose word is enough to erase somebody: our own people, and vendors who sign a privacy webhook for it."""

QUEUE = "privacy"
"""Where people find what must be answered."""

ANSWER_WITHIN = timedelta(days=30)
"""The month of GDPR Art. 12(3), and the 30 days that Shopify gives (shopify.dev, privacy law compliance)."""

TASKS = {
    DATA_REQUESTED: ("Send a customer a copy of their data", "cairn export {customer}"),
    ERASURE_REQUESTED: (
        "Somebody asks that a customer be erased, whose word alone is not enough",
        "Make sure that the customer wants it, then: cairn erase {customer}",
    ),
    SHOP_ERASURE_REQUESTED: (
        "Erase the customers of a shop that was left",
        "Nothing lists customers by shop. For each customer of the shop's own list: cairn erase CUSTOMER",
    ),
}
"""What is asked for and a person must do: title and script."""

CHANNELS = {EMAIL: (Channel.EMAIL,), PHONE: (Channel.SMS, Channel.WHATSAPP)}
"""What can be reached at an identifier."""

MIN_LENGTH = 6
"""Shortest id that is looked for in a document of unknown shape: a shorter one is in every document by chance."""

MIN_NATIONAL = 9
"""Digits of a phone number without its country's code that tell it from an order's number."""

ADDRESS = re.compile(r"[^\s<>\"'(),:;\[\]\\]+@[^\s<>\"'(),:;\[\]\\]+")
NUMBER = re.compile(r"\+?\(?\d[\d\s().-]{5,20}\d")


def may_order_erasure(source: str) -> bool:
    """Whether a source is one of ORDERING, or another of its kind (`shopify-eu`)."""
    return any(source == one or source.startswith(f"{one}-") for one in ERASURE_SOURCES)


def is_erasure_order(event: Event) -> bool:
    return event.type == ERASURE_REQUESTED and may_order_erasure(event.source)


def erasure_order(customer_id: str, event: Event) -> EraseCustomer:
    """The order to erase whom the event is about; its id is the receipt's."""
    actor = event.properties.get("actor")
    by = actor if event.source == OPERATORS_SOURCE and isinstance(actor, str) and actor else event.source
    return EraseCustomer(short_hash("erase", customer_id, event.key), by, event.occurred_at)


def erasure_suppressions(names: Iterable[Identifier], at: datetime) -> tuple[SuppressionChange, ...]:
    """Nobody who was forgotten gets marketing because an old list is imported once more (GDPR Art. 21(3))."""
    return tuple(
        SuppressionChange(channel, erasure_mark(at), one.value)
        for one in names
        for channel in CHANNELS.get(one.kind, ())
    )


def erasure_mark(at: datetime) -> Mark:
    return Mark(Cause.ERASURE, at, Purpose.MARKETING)


def id_after_erasure(home: str, erased: datetime) -> str:
    """The id of whoever comes back to a place that was erased: another one, so that nothing old can mean them."""
    return "c_" + short_hash(home, instant_to_wire(erased), length=26)


def privacy_task(customer_id: str, event: Event) -> OpenTask | None:
    """What a person must do because of the event; None where it asks for nothing of the kind."""
    if event.type not in TASKS or is_erasure_order(event):
        return None
    title, script = TASKS[event.type]
    told = {name: event.properties.get(name) for name in ("shop", "request_id", "orders")}
    return OpenTask(
        id=short_hash("privacy", event.key),
        enrollment="",
        step="",
        queue=QUEUE,
        title=title,
        due_at=event.occurred_at + ANSWER_WITHIN,
        context={"source": event.source} | {name: value for name, value in told.items() if value is not None},
        script=script.format(customer=customer_id),
    )


@dataclass(frozen=True, slots=True)
class Traces:
    """What gives a customer away in a document that somebody parked, whatever its shape."""

    ids: frozenset[str]
    """The customer's own id, and those of the profiles that turned out to be it."""
    identifiers: tuple[Identifier, ...]
    until: datetime
    """What happened later is about a new life, if it is about them at all."""

    def in_document(self, document: Any) -> bool:
        """Whether it is about the customer, or names them."""
        if not isinstance(document, Mapping):
            return self._told(document)
        customer = document.get("customer")
        if isinstance(customer, Mapping) and "occurred_at" in document:
            return self._is_about(customer) and not self._later(document["occurred_at"])
        return self._told(document)

    def _is_about(self, customer: Mapping[str, Any]) -> bool:
        external = customer.get("external_ids")
        told = {EXTERNAL + system: value for system, value in external.items()} if isinstance(external, Mapping) else {}
        told |= {kind: customer.get(kind) for kind in (USER_ID, EMAIL, PHONE)}
        own = {one.key for one in self.identifiers}
        return any(f"{kind}:{value}" in own for kind, value in told.items()) or self._told(customer)

    def _later(self, occurred_at: Any) -> bool:
        try:
            return instant_from_wire(str(occurred_at)) > self.until
        except ValueError:
            return False

    def _told(self, document: Any) -> bool:
        return any(self._tells(text) for text in texts(document))

    def _tells(self, text: str) -> bool:
        values = {one.value for one in self.identifiers if one.kind not in CHANNELS and len(one.value) >= MIN_LENGTH}
        if text in values or any(one in text for one in self.ids):
            return True
        mails = {one.value for one in self.identifiers if one.kind == EMAIL}
        if mails and any(found.strip(".").lower() in mails for found in ADDRESS.findall(text)):
            return True
        numbers = tuple(_digits(one.value) for one in self.identifiers if one.kind == PHONE)
        return any(_same_number(_digits(found), numbers) for found in NUMBER.findall(text)) if numbers else False


def texts(document: Any) -> Iterator[str]:
    """Every text and number in a document, and in the documents that are quoted in it."""
    if isinstance(document, Mapping):
        for name, value in document.items():
            yield str(name)
            yield from texts(value)
    elif isinstance(document, list | tuple):
        for value in document:
            yield from texts(value)
    elif isinstance(document, str):
        inner = quoted(document)
        yield from [document] if inner is None else texts(inner)
    elif isinstance(document, int | float) and not isinstance(document, bool):
        yield str(document)


def quoted(text: str) -> Any:
    """The object or list that a text is; None where it is none."""
    if text[:1] not in {"{", "["}:
        return None
    try:
        found = json.loads(text)
    except ValueError:
        return None
    return found if isinstance(found, dict | list) else None


def _digits(text: str) -> str:
    return re.sub(r"\D", "", text)


def _same_number(found: str, ours: tuple[str, ...]) -> bool:
    """With its country's code, or as it is dialled within it."""
    national = found.lstrip("0")
    return any(found == one or (len(national) >= MIN_NATIONAL and one.endswith(national)) for one in ours)
