"""Requests for a copy of a customer's data, and for erasure (GDPR Art. 15 and 17).

An erasure first makes the customer pending erasure, in one commit: no identifier leads to them, nothing is decided and
nothing is sent. Work in progress then finishes, and only then everything is erased, so that a late write leaves nothing
behind.
"""

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta

from cairn.domain.consent.suppression import Cause, Mark, SuppressionChange
from cairn.domain.effects import EraseCustomer, OpenTask
from cairn.domain.event import Event
from cairn.domain.identity.identifiers import Identifier
from cairn.domain.identity.identity_key import TombstoneKey
from cairn.domain.identity.trust import OPERATORS_SOURCE
from cairn.domain.shared.channels import Purpose, channels_at
from cairn.domain.shared.hashing import base32, short_hash
from cairn.domain.shared.instants import instant_to_wire

ERASURE_REQUESTED = "customer.erasure_requested"
DATA_REQUESTED = "customer.data_requested"
SHOP_ERASURE_REQUESTED = "shop.erasure_requested"

ERASURE_SOURCES = (OPERATORS_SOURCE, "hubspot", "shopify")
"""The sources that may order an erasure: operators, and vendors with a signed privacy webhook."""

QUEUE = "privacy"
"""The queue of the tasks that answer these requests."""

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
"""Requests that an operator answers: title and script of the task."""


def may_order_erasure(source: str) -> bool:
    """Whether a source is one of ERASURE_SOURCES, or another one of the same vendor (`shopify-eu`)."""
    return any(source == vendor or source.startswith(f"{vendor}-") for vendor in ERASURE_SOURCES)


def is_erasure_order(event: Event) -> bool:
    return event.type == ERASURE_REQUESTED and may_order_erasure(event.source)


def erasure_order(customer_id: str, event: Event) -> EraseCustomer:
    """The order to erase the event's customer. Its id is also the receipt's."""
    actor = event.properties.get("actor")
    by = actor if event.source == OPERATORS_SOURCE and isinstance(actor, str) and actor else event.source
    return EraseCustomer(short_hash("erase", customer_id, event.key), by, event.occurred_at)


def erasure_suppressions(names: Iterable[Identifier], at: datetime) -> tuple[SuppressionChange, ...]:
    """No marketing to an erased customer after an old list is imported again (GDPR Art. 21(3))."""
    return tuple(
        SuppressionChange(channel, erasure_mark(at), name.value) for name in names for channel in channels_at(name.kind)
    )


def erasure_mark(at: datetime) -> Mark:
    return Mark(Cause.ERASURE, at, Purpose.MARKETING)


def id_after_erasure(customer_id: str, erased: datetime, key: TombstoneKey) -> str:
    """The new id of an erased customer who comes back: nothing old can refer to them, and nobody can compute it."""
    return "c_" + base32(key.mac(f"{customer_id} {instant_to_wire(erased)}"))[:26]


def privacy_task(customer_id: str, event: Event) -> OpenTask | None:
    """The task for an operator that an event asks for, or None."""
    if event.type not in TASKS or is_erasure_order(event):
        return None
    title, script = TASKS[event.type]
    details = {name: event.properties.get(name) for name in ("shop", "request_id", "orders")}
    return OpenTask(
        id=short_hash("privacy", event.key),
        enrollment="",
        step="",
        queue=QUEUE,
        title=title,
        due_at=event.occurred_at + ANSWER_WITHIN,
        context={"source": event.source} | {name: value for name, value in details.items() if value is not None},
        script=script.format(customer=customer_id),
    )


MAX_DEAD_LETTERS_NAMED = 20
"""Dead letters that one task names; the receipt has their number."""


def dead_letters_task(order: EraseCustomer, unread: Sequence[str]) -> OpenTask:
    """The task to look at dead letters that the search could not read. The same order opens the same task."""
    return OpenTask(
        id=short_hash("dead letters", order.id),
        enrollment="",
        step="",
        queue=QUEUE,
        title="Dead letters could not be read while a customer was erased: look whether they are about the customer",
        due_at=order.at + ANSWER_WITHIN,
        context={"receipt": order.id, "count": len(unread), "unread": list(unread[:MAX_DEAD_LETTERS_NAMED])},
        script="cairn dlq show QUEUE --reveal; delete what is about the customer, send back the rest",
    )
