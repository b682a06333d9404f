"""Rows in the columns that `cairn import` reads, from the items of a table (docs/importing.md)."""

from collections.abc import Iterator, Mapping
from typing import Any

from authoring.exports.spool import Raw, Spool
from cairn.adapters.dynamodb.consent_records import record_from_wire
from cairn.adapters.dynamodb.customer_state import customer_in
from cairn.adapters.dynamodb.items import CONSENT, EVENT, OPEN, STATE, SUPPRESSED
from cairn.adapters.dynamodb.table import item_from
from cairn.adapters.imports.mapping import NOT_IMPORTED
from cairn.domain.consent.changes import ConsentChange, ConsentStatus
from cairn.domain.consent.suppression import Mark, current_suppressions
from cairn.domain.identity.trust import IMPORTS_SOURCE, field_of
from cairn.domain.imports.rows import Kind
from cairn.domain.profile.profile import TAG, Profile
from cairn.domain.shared.instants import instant_to_wire

Row = dict[str, Any]

EVIDENCE = ("method", "wording", "wording_version", "locale", "url", "ip", "actor")
"""Evidence that has a column of its own; the rest is JSON in `evidence`."""


def rows_of(kind: Kind, spool: Spool) -> Iterator[Row]:
    for pk, items in spool.partitions():
        if kind is Kind.SUPPRESSIONS:
            yield from _suppressions(pk, items)
            continue
        profile = _profile(items)
        if profile is None:
            continue
        match kind:
            case Kind.CUSTOMERS:
                yield _customer(profile)
            case Kind.CONSENTS:
                yield from _consents(profile, items)
            case Kind.EVENTS:
                yield from _events(profile, items)


def _profile(items: Mapping[str, Raw]) -> Profile | None:
    """The customer's; None where the partition is no customer's, or theirs no more."""
    head = items.get(STATE)
    if head is None or "alias_of" in head or "erased" in head:
        return None
    state = {sk: item_from(item) for sk, item in items.items() if sk.startswith(OPEN)}
    profile = customer_in(state, to_commit=False).profile
    return profile if profile.identifiers else None


def _named(profile: Profile) -> Row:
    """The columns that name a customer: one value, or a list; and which of them a visitor merely typed."""
    names: dict[str, list[str]] = {}
    for one in profile.identifiers:
        names.setdefault(field_of(one), []).append(one.value)
    external = {
        name.removeprefix("external_ids."): _one(values)
        for name, values in names.items()
        if name.startswith("external_ids.")
    }
    row: Row = {name: _one(values) for name, values in names.items() if not name.startswith("external_ids.")}
    typed = sorted({field_of(one) for one in profile.identifiers if one.key in profile.typed})
    return row | ({"external_ids": external} if external else {}) | ({"typed": typed} if typed else {})


def _one(values: list[str]) -> str | list[str]:
    return values[0] if len(values) == 1 else values


def _customer(profile: Profile) -> Row:
    attributes = {
        name: one.value
        for name, one in sorted(profile.attributes.items())
        if one.value is not None and not name.startswith(TAG)
    }
    newest = max((one.at for one in profile.attributes.values()), default=profile.created_at)
    return {
        "cairn_id": profile.id,
        **_named(profile),
        **({"attributes": attributes} if attributes else {}),
        **({"tags": list(profile.tags)} if profile.tags else {}),
        "created_at": instant_to_wire(profile.created_at),
        "at": instant_to_wire(newest),
    }


def _consents(profile: Profile, items: Mapping[str, Raw]) -> Iterator[Row]:
    """Every consent statement with its proof, in the order of their instants."""
    for sk, item in items.items():
        if not sk.startswith(CONSENT):
            continue
        change = record_from_wire(item_from(item).body).change
        if not isinstance(change, ConsentChange) or change.status is ConsentStatus.IN_DOUBT:
            continue
        evidence = dict(change.evidence)
        own = {name: evidence.pop(name) for name in EVIDENCE if isinstance(evidence.get(name), str)}
        yield {
            "cairn_id": profile.id,
            **_named(profile),
            "channel": change.channel.value,
            "purpose": change.purpose.value,
            "status": change.status.value,
            "at": instant_to_wire(change.at),
            "source": change.source,
            **own,
            **({"evidence": evidence} if evidence else {}),
        }


def _events(profile: Profile, items: Mapping[str, Raw]) -> Iterator[Row]:
    """What happened to a customer: no orders of operators, and no rows of imports."""
    found = [item_from(item) for sk, item in items.items() if sk.startswith(EVENT)]
    for item in sorted(found, key=lambda one: (one.at, one.sk)):
        body = item.body
        if body["type"] in NOT_IMPORTED or body["type"].startswith(f"{IMPORTS_SOURCE}."):
            continue
        yield {
            "id": f"{body['source']}/{body['id']}",
            "type": body["type"],
            "at": item.at,
            "cairn_id": profile.id,
            **_named(profile),
            "source": body["source"],
            **({"properties": body["properties"]} if body.get("properties") else {}),
        }


def _suppressions(pk: str, items: Mapping[str, Raw]) -> Iterator[Row]:
    """The suppressions in force, by the key of the address: the address itself is stored nowhere."""
    if not pk.startswith(f"{SUPPRESSED}#") or SUPPRESSED not in items:
        return
    marks = item_from(items[SUPPRESSED]).marks or ()
    for one in current_suppressions(map(Mark.from_wire, marks)):
        purpose = {"purpose": one.purpose.value} if one.purpose else {}
        at = instant_to_wire(one.at)
        yield {"key": pk.removeprefix(f"{SUPPRESSED}#"), "cause": one.cause.value, **purpose, "at": at}
