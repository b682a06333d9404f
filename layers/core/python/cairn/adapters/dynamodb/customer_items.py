"""The items of a commit beside the customer's state: its event, what is older, tombstones."""

from datetime import datetime
from typing import Any

from cairn.adapters.dynamodb import codec
from cairn.adapters.dynamodb.due_times import due_keys
from cairn.adapters.dynamodb.effect_codec import effect_to_wire
from cairn.adapters.dynamodb.items import ENTERED, EVENT, PENDING_ERASURE, STATE, CustomerItem, RecordItem
from cairn.adapters.dynamodb.outbox import outboxes_of
from cairn.application.values.customers import Commit
from cairn.domain.customer.state import DEDUPE_WINDOW
from cairn.domain.effects import EraseCustomer
from cairn.domain.event import Event, consent_to_wire
from cairn.domain.identity.identifiers import name_tag, value_tag
from cairn.domain.identity.identity_key import CustomerIdKey
from cairn.domain.shared.hashing import short_hash
from cairn.domain.shared.instants import instant_to_wire
from cairn.settings import ERASURE_REST, TIMELINE_RETENTION


def tombstone(customer_id: str, at: datetime, *, lasting: bool = False) -> CustomerItem:
    """The mark of an erased customer, for as long as late events about them may arrive; or for ever."""
    expires_at = None if lasting else int((at + DEDUPE_WINDOW).timestamp())
    return CustomerItem(customer_id, STATE, erased=instant_to_wire(at), expires_at=expires_at)


def erased_state_item(commit: Commit, item: CustomerItem) -> CustomerItem:
    """The tombstone of the customer's id, with the outbox of the order."""
    item.version = commit.reaction.customer.version + 1
    item.outbox = outboxes_of(commit, frozenset()).get("")
    return item


def pending_erasure_item(commit: Commit, at: datetime) -> CustomerItem:
    """With the order, by which the erasure is ordered again where the queue's message was lost."""
    customer = commit.reaction.customer
    orders = [effect_to_wire(effect) for effect in commit.reaction.effects if isinstance(effect, EraseCustomer)]
    return CustomerItem(
        customer.id,
        PENDING_ERASURE,
        erased=instant_to_wire(at),
        profile=codec.profile_to_wire(customer.profile),
        enrollments={key: {} for key in customer.enrollments},  # their ids are all that is needed
        outbox={"effects": orders},
        **due_keys(customer.id, at + ERASURE_REST),
    )


def entered_key(name: str) -> str:
    """The sort key of an entry into a journey, from `journey:key`; hashed, since a key may be of any length."""
    return ENTERED + short_hash(name, length=26)


def older_item(customer_id: str, sort_key: str, at: datetime) -> RecordItem:
    """A part of the customer's memory that has its own item."""
    return RecordItem(customer_id, sort_key, at=instant_to_wire(at))


def event_item(customer_id: str, event: Event, at: datetime, key: CustomerIdKey) -> RecordItem:
    """The event in the timeline.

    `named`: the identifiers by which the event named its customer, so that a wrong merge can be understood. `values`:
    a tag of each attribute's value, in the order of the names, so that sources can be compared (docs/quality.md).
    """
    body: dict[str, Any] = {"id": event.id, "source": event.source, "type": event.type}
    body |= {"named": [name_tag(name, key) for name in event.identifiers]} if event.identifiers else {}
    body |= {"properties": event.properties} if event.properties else {}
    if names := sorted(event.attributes):
        body |= {"attributes": names, "values": "".join(value_tag(event.attributes[name], key) for name in names)}
    body |= {"consent": [consent_to_wire(change) for change in event.consent]} if event.consent else {}
    body |= {"backfill": True} if event.backfill else {}
    body |= {"received_at": instant_to_wire(at)} if at != event.occurred_at else {}
    return RecordItem(
        customer_id,
        EVENT + event.key,
        at=instant_to_wire(event.occurred_at),
        body=body,
        expires_at=int((at + TIMELINE_RETENTION).timestamp()),
    )
