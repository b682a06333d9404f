"""Requests for a copy of a customer's data, and for erasure (GDPR Art. 15 and 17).

An erasure first makes the customer pending erasure, in one commit: no identifier leads to them, nothing is decided and
nothing is sent. Work in progress then finishes, and only then everything is erased, so that a late write leaves nothing
behind.
"""

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any

from cairn.domain.consent.suppression import Cause, Mark, SuppressionChange
from cairn.domain.effects import Effect, EraseCustomer, EraseRecord, OpenTask
from cairn.domain.event import Event
from cairn.domain.identity.identifiers import EMAIL, EXTERNAL, PHONE, Identifier
from cairn.domain.identity.identity_key import TombstoneKey
from cairn.domain.identity.trust import OPERATORS_SOURCE, PRIVACY, RESERVED_SOURCES, TRACK_SOURCE, is_provider
from cairn.domain.profile.profile import UNRECORDED, Profile
from cairn.domain.shared.channels import Purpose, channels_at
from cairn.domain.shared.hashing import base32, short_hash
from cairn.domain.shared.instants import instant_to_wire

ERASURE_REQUESTED = "customer.erasure_requested"
DATA_REQUESTED = "customer.data_requested"
SHOP_ERASURE_REQUESTED = "shop.erasure_requested"

ERASURE_SOURCES = (OPERATORS_SOURCE, "hubspot", "shopify")
"""The sources that may order an erasure: operators, and vendors with a signed privacy webhook."""

RECORD_ERASURE_REQUESTED = "customer.record_erasure_requested"
"""An operator's choice: what one source gave is erased, and the customer stays (domain/privacy/records)."""

REQUESTS = frozenset({ERASURE_REQUESTED, DATA_REQUESTED, SHOP_ERASURE_REQUESTED})

VENDORS = (OPERATORS_SOURCE, "hubspot", "shopify")
"""The sources with a signed privacy webhook, and operators."""

QUEUE = "privacy"
"""The queue of the tasks that answer these requests."""

ANSWER_WITHIN = timedelta(days=30)
"""The month of GDPR Art. 12(3), and the 30 days that Shopify gives (shopify.dev, privacy law compliance)."""


ADDRESSES = frozenset({EMAIL, PHONE})


class Choice(StrEnum):
    """What a person decides about a request."""

    PART = "part"
    """Erase or export what belongs to the record that the request names."""
    ALL = "all"
    """Erase or export the whole customer."""
    REFUSE = "refuse"
    DONE = "done"
    """The person did by hand what the task says."""
    STOP = "stop"
    """The reply means STOP."""
    CONTINUE = "continue"
    """The reply means something else: marketing goes on."""


class Doubt(StrEnum):
    """Why a vendor's order waits for a person. The value is the text in the task."""

    NOT_VOUCHED = "the source does not vouch for privacy orders"
    BY_ADDRESS = "the order names the customer by an address only, which somebody may have typed"
    OTHER_IDS = "the customer has ids of other records"
    OTHER_SOURCES = "other sources reported something about the customer"
    TOO_MANY = "more orders came within an hour than the policy allows"


TITLES = {
    DATA_REQUESTED: "Send a customer a copy of their data",
    ERASURE_REQUESTED: "Erase a customer, or only what {source} reported, or refuse",
    SHOP_ERASURE_REQUESTED: "Erase the customers of a shop that was left",
}
SHOP_SCRIPT = "Nothing lists customers by shop. For each customer of the shop's own list: cairn erase CUSTOMER"
SCRIPT = "cairn privacy choose {task} --customer {customer} --do {choices} --why REASON"


def may_order_erasure(source: str) -> bool:
    """Whether a source is named after one of VENDORS (`shopify-eu`). No other may have such a name."""
    return any(source == vendor or source.startswith(f"{vendor}-") for vendor in VENDORS)


def is_operators_order(event: Event) -> bool:
    """An operator has looked already, so the order is carried out at once."""
    return event.type == ERASURE_REQUESTED and event.source == OPERATORS_SOURCE


def is_vendors_order(event: Event) -> bool:
    """An order from outside, which the policy limits to some an hour."""
    ours = event.source in {*RESERVED_SOURCES, TRACK_SOURCE} or is_provider(event.source)
    return event.type == ERASURE_REQUESTED and not ours and event.vouches(PRIVACY)


def is_request(event: Event) -> bool:
    """Whether an event asks for something about a record, and reports nothing about the customer."""
    return event.type in REQUESTS and event.source != OPERATORS_SOURCE


def record_ids(event: Event) -> tuple[Identifier, ...]:
    """The ids of the record that a request names. An address is none: people share addresses, and type others'."""
    return tuple(name for name in event.vouched_identifiers if name.kind not in ADDRESSES)


def record_owner(candidates: Sequence[Profile], event: Event) -> Profile:
    """The customer whose record the request names; else the first one that its addresses lead to."""
    ids = set(record_ids(event))
    return next((one for one in candidates if ids & set(one.identifiers)), candidates[0])


def doubt_about(profile: Profile, event: Event) -> Doubt | None:
    """Why an order does not act at once, or None where everything about the customer belongs to the named record.

    That is so where the source vouches for privacy orders, names the customer by an id of its own, nobody else has
    reported anything, and the customer has no id of another record. All addresses are then this source's.
    """
    ids = set(record_ids(event))
    if is_operators_order(event):
        return None
    if not is_vendors_order(event):
        return Doubt.NOT_VOUCHED
    if not ids & set(profile.identifiers):
        return Doubt.BY_ADDRESS
    if any(name not in ids and name.kind not in ADDRESSES for name in profile.identifiers):
        return Doubt.OTHER_IDS
    if profile.sources.keys() - {event.source}:
        return Doubt.OTHER_SOURCES
    return None


def erasure_order(customer_id: str, event: Event) -> EraseCustomer:
    """The order to erase the event's customer. Its id is also the receipt's."""
    actor = event.properties.get("actor")
    by = actor if event.source == OPERATORS_SOURCE and isinstance(actor, str) and actor else event.source
    return EraseCustomer(short_hash("erase", customer_id, event.key), by, event.occurred_at)


def record_erasure_order(customer_id: str, event: Event, source: str, ids: Iterable[Identifier]) -> EraseRecord:
    """The order to erase one source's record of the event's customer. Its id is also the receipt's."""
    order = erasure_order(customer_id, event)
    return EraseRecord(order.id, order.by, order.at, source, tuple(name.key for name in ids))


def erasure_suppressions(names: Iterable[Identifier], at: datetime) -> tuple[SuppressionChange, ...]:
    """No marketing to an erased customer after an old list is imported again (GDPR Art. 21(3))."""
    return tuple(
        SuppressionChange(channel, erasure_mark(at), name.value) for name in names for channel in channels_at(name.kind)
    )


def erasure_mark(at: datetime) -> Mark:
    return Mark(Cause.ERASURE, at, Purpose.MARKETING)


def id_after_erasure(customer_id: str, erased: datetime, key: TombstoneKey) -> str:
    """The new id of an erased customer who comes back: nothing old can refer to them, and nobody can compute it."""
    return "c_" + base32(key.mac(f"{customer_id} {instant_to_wire(erased)}"), 26)


def privacy_task(profile: Profile, event: Event, consents: int = 0, doubt: Doubt | None = None) -> OpenTask | None:
    """The task for a person that a request asks for, or None. The same request again is the same task."""
    if not is_request(event):
        return None
    ids = record_ids(event)
    named = sorted(name.key for name in ids or event.identifiers)
    task, choices = short_hash("privacy", profile.id, event.type, event.source, *named), choices_for(profile, event)
    details = {name: event.properties.get(name) for name in ("shop", "request_id", "orders")}
    script = SHOP_SCRIPT if event.type == SHOP_ERASURE_REQUESTED else SCRIPT
    return OpenTask(
        id=task,
        enrollment="",
        step="",
        queue=QUEUE,
        title=TITLES[event.type].format(source=event.source),
        due_at=event.occurred_at + ANSWER_WITHIN,
        customer=profile.id,
        context={
            "source": event.source,
            "request": event.type,
            **({"because": doubt.value} if doubt else {}),
            "record": _record(profile, event),
            "rest": _rest(profile, event, consents),
            "choices": [choice.value for choice in choices],
            **{name: value for name, value in details.items() if value is not None},
        },
        script=script.format(task=task, customer=profile.id, choices="|".join(choices)),
    )


def is_above_limit(effect: Effect) -> bool:
    """Whether an effect is the task of an order that came after too many others."""
    return isinstance(effect, OpenTask) and effect.queue == QUEUE and effect.context.get("because") == Doubt.TOO_MANY


def choices_for(profile: Profile, event: Event) -> tuple[Choice, ...]:
    """The choices of a person. A part cannot be distinguished where the customer has a second record of the vendor."""
    if event.type == SHOP_ERASURE_REQUESTED:
        return (Choice.DONE, Choice.REFUSE)
    ids = record_ids(event)
    kinds = {name.kind for name in ids} or {f"{EXTERNAL}{event.source}"}
    second = any(name.kind in kinds and name not in ids for name in profile.identifiers)
    reported = profile.sources.keys() & {event.source, UNRECORDED}
    return (Choice.PART, Choice.ALL, Choice.REFUSE) if reported and not second else (Choice.ALL, Choice.REFUSE)


def _record(profile: Profile, event: Event) -> dict[str, Any]:
    """What the request names, and since when its source has reported."""
    first = profile.sources.get(event.source)
    known = [name for name in record_ids(event) if name in profile.identifiers]
    return {
        "ids": [name.key for name in record_ids(event)],
        "known": bool(known),
        "addresses": [masked(name) for name in event.identifiers if name.kind in ADDRESSES],
        "since": instant_to_wire(first) if first else None,
    }


def _rest(profile: Profile, event: Event, consents: int) -> dict[str, Any]:
    """What else is known of the customer: names without their values, other sources, how many consents."""
    ids = record_ids(event)
    return {
        "names": [masked(name) for name in profile.identifiers if name not in ids],
        "sources": {
            source: instant_to_wire(at) for source, at in sorted(profile.sources.items()) if source != event.source
        },
        "consents": consents,
    }


def masked(name: Identifier) -> str:
    """A name that a person recognises who knows it: its kind, its first character, and the domain of an e-mail."""
    _, at, domain = name.value.rpartition("@") if name.kind == EMAIL else ("", "", "")
    return f"{name.kind} {name.value[:1]}…{at}{domain}"


MAX_DEAD_LETTERS_NAMED = 20
"""Dead letters that one task names; the receipt has their number."""


def dead_letters_task(order: EraseCustomer | EraseRecord, unread: Sequence[str]) -> OpenTask:
    """The task to look at dead letters that the search could not read. The same order opens the same task."""
    return OpenTask(
        id=short_hash("dead letters", order.id),
        enrollment="",
        step="",
        queue=QUEUE,
        title="Dead letters could not be read while a customer was erased: look whether they are about the customer",
        due_at=order.at + ANSWER_WITHIN,
        context={
            "receipt": order.id,
            "choices": [Choice.DONE.value],
            "count": len(unread),
            "unread": list(unread[:MAX_DEAD_LETTERS_NAMED]),
        },
        script="cairn dlq show QUEUE --reveal; delete what is about the customer, send back the rest",
    )
