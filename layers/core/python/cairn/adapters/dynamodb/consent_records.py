"""The consent record in the customer's partition: items that are added, never changed, and do not expire."""

import json
from collections.abc import Iterable
from typing import Any

from pynamodb.exceptions import PutError

from cairn.adapters.dynamodb import codec
from cairn.adapters.dynamodb.customer_state import profile_of
from cairn.adapters.dynamodb.items import CONDITION_FAILED, CONSENT, MAX_MERGES, STATE, RecordItem, code_of
from cairn.adapters.dynamodb.table import read_all
from cairn.domain.consent.changes import ConsentChange
from cairn.domain.consent.record import ConsentRecord
from cairn.domain.event import consent_to_wire
from cairn.domain.profile.profile import Profile
from cairn.domain.shared.hashing import short_hash
from cairn.domain.shared.instants import instant_to_wire

Wire = dict[str, Any]

HASH_LENGTH = 26


class DynamoConsentRecords:
    """Implements the port ConsentRecords. A record is named after its content, so adding it twice is adding it once."""

    def add(self, customer_id: str, effect_id: str, records: Iterable[ConsentRecord]) -> list[str]:
        return [name for record in records if (name := self._add(customer_id, effect_id, record))]

    def knows(self, customer_id: str) -> bool:
        state = read_all([(customer_id, STATE)]).get((customer_id, STATE))
        return state is not None and not state.erased

    def find(self, customer_id: str, name: str) -> tuple[Profile, ConsentRecord] | None:
        """A merge first leaves a pointer and then moves the record: looked for on the way, it is found somewhere."""
        body: Wire | None = None
        for _ in range(MAX_MERGES):
            found = read_all([(customer_id, CONSENT + name), (customer_id, STATE)])
            entry, state = found.get((customer_id, CONSENT + name)), found.get((customer_id, STATE))
            body = entry.body if entry is not None else body
            if state is None or state.erased:
                return None
            if not state.alias_of:
                profile = profile_of(state)
                return (profile, record_from_wire(body)) if body else None
            customer_id = state.alias_of
        return None

    @staticmethod
    def _add(customer_id: str, effect_id: str, record: ConsentRecord) -> str:
        """The record's name; none where another event had brought it before."""
        body, at = record_to_wire(record), instant_to_wire(record.at)
        name = f"{at}#{short_hash(json.dumps(body, sort_keys=True), length=HASH_LENGTH)}"
        nobody_else_brought_it = RecordItem.pk.does_not_exist() | (RecordItem.added_by == effect_id)
        try:
            RecordItem(customer_id, CONSENT + name, at=at, body=body, added_by=effect_id).save(
                condition=nobody_else_brought_it
            )
        except PutError as error:
            if code_of(error) != CONDITION_FAILED:
                raise
            return ""
        return name


def record_to_wire(record: ConsentRecord) -> Wire:
    said = record.change
    if isinstance(said, ConsentChange):
        return {"told_by": record.reported_by, "consent": consent_to_wire(said)}
    return {"told_by": record.reported_by, "address": codec.suppression_change_to_wire(said)}


def record_from_wire(wire: Wire) -> ConsentRecord:
    if "consent" in wire:
        (change,) = codec.consents_from_wire([wire["consent"]]).values()
        return ConsentRecord(wire["told_by"], change)
    return ConsentRecord(wire["told_by"], codec.suppression_change_from_wire(wire["address"]))
