"""What people may ask for of what is known about them: a copy of it, and that it is forgotten (GDPR Art. 15 and 17).

Who is forgotten is sealed first: in one commit nothing leads to them any more, nothing is decided for them and nothing
is sent. What was under way then comes to rest, and only after that everything is erased, so that nothing is left behind
by a write that was late.
"""

from collections.abc import Iterable
from datetime import datetime, timedelta

from cairn.domain.consent.suppression import Cause, Mark, SuppressionChange
from cairn.domain.effects import EraseCustomer, OpenTask
from cairn.domain.event import Event
from cairn.domain.identity.identifiers import Identifier
from cairn.domain.identity.trust import OPERATORS_SOURCE
from cairn.domain.shared.channels import Purpose, channels_at
from cairn.domain.shared.hashing import short_hash
from cairn.domain.shared.instants import instant_to_wire

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
        SuppressionChange(channel, erasure_mark(at), one.value) for one in names for channel in channels_at(one.kind)
    )


def erasure_mark(at: datetime) -> Mark:
    return Mark(Cause.ERASURE, at, Purpose.MARKETING)


def id_after_erasure(customer_id: str, erased: datetime) -> str:
    """The id of whoever comes back to a place that was erased: another one, so that nothing old can mean them."""
    return "c_" + short_hash(customer_id, instant_to_wire(erased), length=26)


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
