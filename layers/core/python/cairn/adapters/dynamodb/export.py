"""All data about a customer as JSON. docs/privacy.md describes the document."""

from collections.abc import Mapping
from typing import Any

from cairn.adapters.dynamodb import codec
from cairn.adapters.dynamodb.contact_items import contact_from_item
from cairn.adapters.dynamodb.customer_state import customer_in
from cairn.adapters.dynamodb.items import (
    AUDIENCE,
    CONSENT,
    CONTACT,
    EVENT,
    FACTS,
    IN_APP,
    MAX_MERGES,
    MESSAGE,
    OPEN,
    STATE,
    SUPPRESSED,
    TASK,
    CustomerItem,
    RecordItem,
    suppressed_key,
)
from cairn.adapters.dynamodb.table import read_all, read_partition
from cairn.adapters.dynamodb.timeline import with_merged
from cairn.domain.consent.suppression import Mark, Suppression, current_suppressions, suppression_key
from cairn.domain.customer.state import Customer
from cairn.domain.identity.identifiers import name_tag
from cairn.domain.identity.identity_key import IdentityKeys
from cairn.domain.profile.addresses import addresses_of
from cairn.domain.profile.lead import NO_LEAD
from cairn.domain.profile.profile import Profile
from cairn.domain.shared.channels import channels_at
from cairn.domain.shared.errors import ErasedCustomerError, UnknownCustomerError
from cairn.domain.shared.instants import instant_to_wire

Json = dict[str, Any]


class DynamoCustomerExport:
    """All stored data of a customer: one Query, and one read of the suppressions of its addresses."""

    def __init__(self, keys: IdentityKeys) -> None:
        self._keys = keys

    def about(self, customer_id: str) -> Json:
        items = read_partition(customer_id)
        for _ in range(MAX_MERGES):
            state = items.get(STATE)
            if state is None:
                raise UnknownCustomerError("no such customer; it was erased long ago, or belongs to another deployment")
            if state.erased:
                raise ErasedCustomerError("the customer was erased")
            if not state.alias_of:
                break
            customer_id = state.alias_of
            items = read_partition(customer_id)
        else:
            raise UnknownCustomerError(f"more than {MAX_MERGES} merges in a row; the table has a loop")
        customer = customer_in({sk: item for sk, item in items.items() if sk.startswith(OPEN)}, to_commit=False)
        profile = customer.profile
        items = with_merged(items)
        entries = [item for sk, item in sorted(items.items()) if not sk.startswith(OPEN)]
        sections: Json = {name: [] for name in (*SECTIONS.values(), "other")}
        for entry in entries:
            prefix = entry.sk.partition("#")[0] + "#"
            sections[SECTIONS.get(prefix, "other")].append(_entry(entry, prefix))
        return {
            "customer": _person(profile, self._keys),
            "journeys": _journeys(customer),
            "consent": _consent(items.get(CONTACT)),
            "sending": _sending(items.get(CONTACT)),
            "suppressed": self._suppressed(profile),
            **sections,
        }

    def _suppressed(self, profile: Profile) -> list[Json]:
        """The suppressions of each address, which are stored under a hash and not in the customer's partition."""
        addresses = set(addresses_of(profile.view()).items())
        addresses |= {(channel, one.value) for one in profile.identifiers for channel in channels_at(one.kind)}
        keys = {one: suppressed_key(suppression_key(*one, self._keys.suppressions)) for one in addresses}
        found = read_all((key, SUPPRESSED) for key in keys.values())
        suppressed = []
        for (channel, address), key in sorted(keys.items()):
            marks = sorted(found[key, SUPPRESSED].marks or ()) if (key, SUPPRESSED) in found else []
            if marks:
                current = [_suppression(one) for one in current_suppressions(map(Mark.from_wire, marks))]
                suppressed.append({"channel": channel.value, "address": address, "holds": current, "marks": marks})
        return suppressed


SECTIONS: Mapping[str, str] = {
    EVENT: "events",
    FACTS: "decisions",
    MESSAGE: "messages",
    TASK: "tasks",
    CONSENT: "consent_history",
    AUDIENCE: "audiences",
    IN_APP: "in_app",
}
"""The section of each kind of item; any other item is shown unchanged under `other`."""


def _person(profile: Profile, keys: IdentityKeys) -> Json:
    return {
        "id": profile.id,
        "created_at": instant_to_wire(profile.created_at),
        "identifiers": [
            {
                "kind": one.kind,
                "value": one.value,
                "vouched": one.key not in profile.typed,
                "named": name_tag(one, keys.customer_ids),
            }
            for one in profile.identifiers
        ],
        "attributes": {
            name: {"value": one.value, "told_at": instant_to_wire(one.at)}
            for name, one in sorted(profile.attributes.items())
        },
        "tags": list(profile.tags),
        "activity": {
            name: {"count": one.count, "first": instant_to_wire(one.first), "last": instant_to_wire(one.last)}
            for name, one in sorted(profile.activity.items())
        },
        "merged": codec.instants_to_wire(profile.merged),
        "sources": codec.instants_to_wire(profile.sources),
        **({} if profile.lead == NO_LEAD else {"lead": codec.lead_to_wire(profile.lead)}),
    }


def _suppression(one: Suppression) -> Json:
    return {
        "cause": one.cause.value,
        "purpose": one.purpose.value if one.purpose else None,
        "since": instant_to_wire(one.at),
    }


def _journeys(customer: Customer) -> Json:
    memory: Json = {
        "entered": codec.instants_to_wire(customer.entered),
        "closed": codec.instants_to_wire(customer.early_exits),
        "refreshed": codec.stamped_to_wire(customer.early_refreshes),
        "early": [codec.early_event_to_wire(one) for one in customer.early_events],
        "erased": codec.instants_to_wire(customer.erased),
        "elsewhere": sorted(customer.elsewhere),
    }
    enrollments = sorted(customer.enrollments.items())
    return {
        "enrollments": [{"id": name, **codec.enrollment_to_wire(one)} for name, one in enrollments],
        **{name: one for name, one in memory.items() if one},
    }


def _consent(item: CustomerItem | None) -> list[Json]:
    return codec.consents_to_wire(contact_from_item(item).consents)


def _sending(item: CustomerItem | None) -> Json:
    contact = contact_from_item(item)
    return {
        "claims": {name: codec.claim_to_wire(one) for name, one in sorted(contact.claims.items())},
        "holds": {name: codec.deferral_to_wire(one) for name, one in sorted(contact.deferrals.items())},
        "heard": {channel.value: instant_to_wire(at) for channel, at in contact.last_inbound.items()},
    }


OMITTED = frozenset({"pk", "sk", "at", "body", "rank", "gsi1pk", "gsi1sk", "gsi2pk", "gsi2sk", "expires_at"})
"""Attributes of an item that the document shows under another name, or that concern no person."""

PUBLISHED = {"deferred_message": "held"}
"""Attributes that have another name in the document."""


def _entry(item: RecordItem, prefix: str) -> Json:
    shown = {
        PUBLISHED.get(name, name): value
        for name, value in item.attribute_values.items()
        if name not in OMITTED and value is not None
    }
    expires = {"expires_at": int(item.expires_at)} if item.expires_at else {}
    if prefix == AUDIENCE:
        return {"audience": item.sk.removeprefix(prefix), "member": item.gsi1pk is not None}
    return {"key": item.sk.removeprefix(prefix), "at": item.at, **shown, **expires, "body": item.body}
