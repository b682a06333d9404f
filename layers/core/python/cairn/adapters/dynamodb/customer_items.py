"""The customer's state as items: profile, enrollments and outbox, the event of a commit, and tombstones."""

from dataclasses import replace
from datetime import datetime
from typing import Any

from cairn.adapters.dynamodb import codec
from cairn.adapters.dynamodb.contact_items import contact_from_item
from cairn.adapters.dynamodb.due_times import due_keys
from cairn.adapters.dynamodb.effect_codec import effect_to_wire
from cairn.adapters.dynamodb.items import ENTERED, EVENT, PENDING_ERASURE, STATE, CustomerItem, RecordItem
from cairn.application.ports import Commit
from cairn.domain.customer.customer import DEDUPE_WINDOW, Customer
from cairn.domain.customer.overdue import next_timer
from cairn.domain.effects import EraseCustomer, Fact
from cairn.domain.event import Event, consent_to_wire
from cairn.domain.identity.identifiers import name_tag
from cairn.domain.identity.identity_key import CustomerIdKey
from cairn.domain.identity.trust import TYPED
from cairn.domain.profile.profile import Stamped
from cairn.domain.shared.hashing import short_hash
from cairn.domain.shared.instants import instant_to_wire
from cairn.settings import ERASURE_REST, TIMELINE_RETENTION


def tombstone(customer_id: str, at: datetime, *, lasting: bool = False) -> CustomerItem:
    """The mark of an erased customer, for as long as late events about them may arrive; or for ever."""
    expires_at = None if lasting else int((at + DEDUPE_WINDOW).timestamp())
    return CustomerItem(customer_id, STATE, erased=instant_to_wire(at), expires_at=expires_at)


def erased_state_item(commit: Commit, item: CustomerItem) -> CustomerItem:
    """The tombstone of the customer's id, with the outbox of the order."""
    customer = commit.reaction.customer
    item.version, item.outbox = customer.version + 1, _outbox_of(commit)
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


def customer_from_items(state: CustomerItem, contact: CustomerItem | None) -> Customer:
    memory = state.memory or {}
    return Customer(
        profile=codec.profile_from_wire(state.pk, state.profile),
        contact=contact_from_item(contact),
        enrollments=codec.enrollments_from_wire(state.enrollments or {}),
        entered=codec.instants_from_wire(memory.get("entered", {})),
        early_exits=codec.instants_from_wire(memory.get("closed", {})),
        early_refreshes=_early_refreshes(memory),
        early_events=tuple(codec.early_event_from_wire(one) for one in memory.get("early", ())),
        erased=codec.instants_from_wire(memory.get("erased", {})),
        elsewhere=frozenset(memory.get("elsewhere", ())),
        version=int(state.version or 0),
    )


def _early_refreshes(memory: dict[str, Any]) -> dict[str, Stamped]:
    """Stored until version 0.2 as `changed`, with the data alone."""
    older = codec.stamped_from_wire(memory.get("changed", {}))
    return {
        **{name: Stamped({"data": one.value}, one.at) for name, one in older.items()},
        **codec.stamped_from_wire(memory.get("refreshed", {})),
    }


def state_item(commit: Commit) -> CustomerItem:
    return _state_item(commit.reaction.customer, _outbox_of(commit))


def released_item(customer: Customer, at: datetime) -> CustomerItem:
    """A customer who has lost a name to another one."""
    fact = Fact("dropped", detail={"field": "customer", "reason": TYPED})
    return _state_item(customer, {"at": instant_to_wire(at), "effects": [], "facts": [codec.fact_to_wire(fact)]})


def _state_item(after: Customer, outbox: dict[str, Any]) -> CustomerItem:
    memory = {
        "entered": codec.instants_to_wire(after.entered),
        "closed": codec.instants_to_wire(after.early_exits),
        "refreshed": codec.stamped_to_wire(after.early_refreshes),
        "early": [codec.early_event_to_wire(one) for one in after.early_events],
        "erased": codec.instants_to_wire(after.erased),
        "elsewhere": sorted(after.elsewhere),
    }
    return CustomerItem(
        after.id,
        STATE,
        version=after.version + 1,
        profile=codec.profile_to_wire(after.profile),
        enrollments={key: codec.enrollment_to_wire(one) for key, one in after.enrollments.items()},
        memory={name: one for name, one in memory.items() if one},
        outbox=outbox,
        **due_keys(after.id, next_timer(after.enrollments.values())),
    )


def _outbox_of(commit: Commit) -> dict[str, Any]:
    return {
        "at": instant_to_wire(commit.at),
        "effects": [effect_to_wire(effect) for effect in commit.reaction.effects],
        "facts": [_fact_to_wire(fact, commit.reaction.customer) for fact in commit.reaction.facts],
    }


def _fact_to_wire(fact: Fact, customer: Customer) -> dict[str, Any]:
    """Without the journey where the enrollment beside it names it: every kilobyte costs a write unit."""
    enrollment = customer.enrollments.get(fact.enrollment)
    known = enrollment is not None and enrollment.journey == fact.journey and customer.erasure_pending_since is None
    return codec.fact_to_wire(replace(fact, journey="") if known else fact)


def event_item(customer_id: str, event: Event, at: datetime, key: CustomerIdKey) -> RecordItem:
    """`named`: the identifiers by which the event named its customer, so that a wrong merge can be understood."""
    body: dict[str, Any] = {"id": event.id, "source": event.source, "type": event.type}
    body |= {"named": [name_tag(name, key) for name in event.identifiers]} if event.identifiers else {}
    body |= {"properties": event.properties} if event.properties else {}
    body |= {"attributes": sorted(event.attributes)} if event.attributes else {}
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
