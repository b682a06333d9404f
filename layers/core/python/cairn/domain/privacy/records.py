"""What belongs to one source's record of a customer, and the customer without it.

The record is: its ids, the events that its source reported, the consents that it granted, and the attributes whose
latest value it reported. Addresses stay, because others may know the customer by them; so do denials, because the
erasure of a record must never let a message out. docs/privacy.md says the same.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any, Self

from cairn.domain.consent.changes import ConsentStatus
from cairn.domain.consent.contact import Contact
from cairn.domain.event import Event
from cairn.domain.identity.identifiers import EMAIL, PHONE, Identifier, identifier_of_key
from cairn.domain.profile.attributes import TAGS
from cairn.domain.profile.profile import TAG, Profile
from cairn.domain.profile.stamped import Stamped
from cairn.domain.shared.instants import instant_from_wire, instant_to_wire

Json = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class SourceRecord:
    """What one source has of a customer."""

    source: str
    ids: tuple[Identifier, ...] = ()
    attributes: Mapping[str, datetime] = field(default_factory=dict)
    """The instant of the value that the source reported. A later value is another's."""

    @classmethod
    def in_task(cls, context: Json, profile: Profile, timeline: Iterable[Json]) -> Self:
        """The record that a task is about, with what the timeline says that its source reported."""
        ids = tuple(identifier_of_key(key) for key in context.get("record", {}).get("ids", ()))
        source = str(context.get("source", ""))
        return cls(source, ids, attributes_of(source, profile, timeline))

    @classmethod
    def in_event(cls, event: Event) -> Self:
        """The inverse of `to_properties`."""
        given = event.properties
        attributes = {name: instant_from_wire(at) for name, at in given.get("attributes", {}).items()}
        return cls(str(given["source"]), tuple(identifier_of_key(key) for key in given.get("ids", ())), attributes)

    def to_properties(self) -> dict[str, Any]:
        return {
            "source": self.source,
            "ids": [name.key for name in self.ids],
            "attributes": {name: instant_to_wire(at) for name, at in self.attributes.items()},
        }


def attributes_of(source: str, profile: Profile, timeline: Iterable[Json]) -> dict[str, datetime]:
    """The attributes whose value stands in an event of this source, and of no other source at the same instant."""
    reporters: dict[tuple[str, str], set[str]] = {}
    for entry in timeline:
        for name in entry.get("attributes", ()) if entry.get("kind") == "event" else ():
            reporters.setdefault((name, str(entry.get("at"))), set()).add(str(entry.get("source")))
    return {
        name: stamped.at
        for name, stamped in profile.attributes.items()
        if name not in {EMAIL, PHONE} and reporters.get((_given_as(name), instant_to_wire(stamped.at))) == {source}
    }


def profile_without(profile: Profile, record: SourceRecord, at: datetime) -> Profile:
    """The profile without the record. An attribute that changed since is another's, and stays."""
    attributes = dict(profile.attributes)
    for name, reported in record.attributes.items():
        if name in attributes and attributes[name].at == reported:
            attributes[name] = Stamped(False if name.startswith(TAG) else None, at)
    return replace(
        profile.without_identifiers(record.ids),
        attributes=attributes,
        sources={source: first for source, first in profile.sources.items() if source != record.source},
    )


def contact_without(contact: Contact, record: SourceRecord) -> Contact:
    """The contact without what the record granted. What it denied, or asked to confirm, stays."""
    left = {
        key: change
        for key, change in contact.consents.items()
        if change.source != record.source or change.status is not ConsentStatus.GRANTED
    }
    return replace(contact, consents=left) if len(left) < len(contact.consents) else contact


def exported_part(document: Json, record: SourceRecord) -> dict[str, Any]:
    """Of an exported document, what belongs to the record."""
    person: Json = document["customer"]
    ids = {name.key for name in record.ids}
    return {
        "record": {"source": record.source, "ids": sorted(ids)},
        "customer": {
            "id": person["id"],
            "identifiers": [one for one in person["identifiers"] if f"{one['kind']}:{one['value']}" in ids],
            "attributes": {name: value for name, value in person["attributes"].items() if name in record.attributes},
        },
        "consent": [one for one in document["consent"] if one.get("source") == record.source],
        "events": [one for one in document["events"] if (one["body"] or {}).get("source") == record.source],
        "consent_history": [
            one for one in document["consent_history"] if (one["body"] or {}).get("told_by") == record.source
        ],
    }


def _given_as(name: str) -> str:
    return TAGS if name.startswith(TAG) else name
