"""A table as version 0.2 left it: the head of a customer's state had all of it, with the outbox of the last commit."""

from collections.abc import Mapping
from typing import Any

from cairn.adapters.dynamodb import codec
from cairn.adapters.dynamodb.customer_state import customer_in
from cairn.adapters.dynamodb.due_times import due_keys
from cairn.adapters.dynamodb.effect_codec import effect_to_wire
from cairn.adapters.dynamodb.items import ENROLLED, ENTRIES, STATE, CustomerItem
from cairn.adapters.dynamodb.outbox import committed_in
from cairn.domain.customer.overdue import next_timer
from cairn.domain.customer.state import Customer
from cairn.domain.shared.instants import instant_to_wire


def older_head(customer: Customer, outbox: Mapping[str, Any] | None = None) -> CustomerItem:
    """The one item of a customer's state, as version 0.2 wrote it."""
    memory = {
        "entered": codec.instants_to_wire(customer.entered),
        "closed": codec.instants_to_wire(customer.early_exits),
        "refreshed": codec.stamped_to_wire(customer.early_refreshes),
        "early": [codec.early_event_to_wire(one) for one in customer.early_events],
        "erased": codec.instants_to_wire(customer.erased),
        "elsewhere": sorted(customer.elsewhere),
    }
    return CustomerItem(
        customer.id,
        STATE,
        version=customer.version,
        profile=codec.profile_to_wire(customer.profile),
        enrollments={key: codec.enrollment_to_wire(one) for key, one in customer.enrollments.items()},
        memory={name: one for name, one in memory.items() if one},
        outbox=dict(outbox or {"at": instant_to_wire(customer.profile.created_at), "effects": [], "facts": []}),
        **due_keys(customer.id, next_timer(customer.enrollments.values())),
    )


def as_version_0_2_left_it(customer_id: str, *, relayed: bool = False) -> bool:
    """Put a customer's state into the layout of version 0.2, in the bound table. False where it leads on, or to nobody.

    Nothing is decided by that: the version is the same, and the outbox has what was decided last; or nothing, where
    all was `relayed` and a later event decided nothing.
    """
    read = CustomerItem.query(customer_id, CustomerItem.sk.startswith(STATE), consistent_read=True)
    items = {item.sk: item for item in read}
    head = items.get(STATE)
    if head is None or head.erased or head.alias_of:
        return False
    older_head(customer_in(items), None if relayed else _outbox_in(items)).save()
    for sk, item in items.items():
        if sk.startswith((ENTRIES, ENROLLED)):
            item.delete()
    return True


def _outbox_in(items: Mapping[str, CustomerItem]) -> dict[str, Any]:
    """What the parts decided last, in one outbox as version 0.2 wrote it, with every effect and fact in full."""
    keys = {sk: {"pk": {"S": item.pk}, "sk": {"S": sk}} for sk, item in items.items()}
    records = ({"dynamodb": {"Keys": keys[sk], "NewImage": item.serialize()}} for sk, item in items.items())
    found = [one for one in map(committed_in, records) if one is not None]
    return (
        {
            "at": instant_to_wire(max(one.at for one in found)),
            "effects": [effect_to_wire(effect) for one in found for effect in one.effects],
            "facts": [codec.fact_to_wire(fact) for one in found for fact in one.facts],
        }
        if found
        else {}
    )
