"""The data of a customer whose erasure is pending, and its removal."""

from collections.abc import Iterator
from datetime import datetime

from pynamodb.exceptions import DoesNotExist, PutError, TransactWriteError

from cairn.adapters.dynamodb import codec
from cairn.adapters.dynamodb.customers import DynamoCustomers, customer_ids_of, merged_profiles, tombstone_for
from cairn.adapters.dynamodb.items import (
    CONDITION_FAILED,
    CONSENT,
    EVENT,
    MESSAGE,
    PENDING_ERASURE,
    STATE,
    TASK,
    CustomerItem,
    RecordItem,
    code_of,
)
from cairn.adapters.dynamodb.switches import NEW_ENTRY, audit_item
from cairn.adapters.dynamodb.table import read_all, read_partition, transaction, write_all
from cairn.adapters.dynamodb.tasks import DynamoTasks, task_from_item
from cairn.adapters.dynamodb.timeline import merged_ids
from cairn.adapters.scheduler.timers import deferral_schedule, task_schedules
from cairn.application.values.erasure import PendingErasure
from cairn.domain.consent.changes import ConsentStatus
from cairn.domain.consent.suppression import SuppressionChange
from cairn.domain.customer.state import Customer
from cairn.domain.identity.identifiers import Identifier, customer_id_for
from cairn.domain.identity.identity_key import IdentityKeys
from cairn.domain.operations.audit import AuditEntry
from cairn.domain.privacy.requests import erasure_mark, erasure_suppressions
from cairn.domain.privacy.traces import Traces
from cairn.domain.profile.addresses import addresses_of, identifier_at
from cairn.domain.profile.profile import Profile
from cairn.domain.shared.channels import Channel
from cairn.domain.shared.errors import UnknownCustomerError
from cairn.domain.shared.instants import instant_from_wire, instant_to_wire

ERASED_EVENT = "event.erased"
"""The type of an event whose record was erased; nothing else of it is left but its source and instant."""


class DynamoErasureStore:
    """Implements the ports ErasureStore and RecordErasureStore."""

    def __init__(self, keys: IdentityKeys) -> None:
        self._keys = keys

    def pending(self, customer_id: str) -> PendingErasure | None:
        try:
            item = CustomerItem.get(customer_id, PENDING_ERASURE, consistent_read=True)
        except DoesNotExist:
            return None
        at = instant_from_wire(item.erased or "")
        profile = codec.profile_from_wire(customer_id, item.profile)
        ids = frozenset({customer_id, *merged_profiles(profile)})
        entries = [entry for id_ in ids for entry in RecordItem.query(id_, consistent_read=True)]
        further = (name for _, _, name in self._further_addresses(profile) if name is not None)
        return PendingErasure(
            customer_id,
            at,
            Traces(ids, (*profile.identifiers, *further), at),
            frozenset({*(item.enrollments or {}), *(name for entry in entries for name in _enrollments(entry))}),
            frozenset(name for entry in entries for name in _timers(entry)),
        )

    def remove(self, erasure: PendingErasure) -> int:
        try:
            item = CustomerItem.get(erasure.id, PENDING_ERASURE, consistent_read=True)
        except DoesNotExist:
            return 0  # a concurrent invocation has completed the erasure, and so has removed everything
        profile = codec.profile_from_wire(erasure.id, item.profile)
        suppressions = [
            SuppressionChange(channel, erasure_mark(erasure.at), address)
            for channel, address, _ in self._further_addresses(profile)
        ]
        DynamoCustomers(self._keys).record_suppressions(
            [*suppressions, *erasure_suppressions(profile.identifiers, erasure.at)]
        )
        self._write_tombstones(profile, erasure)
        removed, tasks = 0, DynamoTasks()
        for id_ in sorted(erasure.traces.ids):
            keys_to_keep = {STATE, PENDING_ERASURE} if id_ == erasure.id else {STATE}
            entries = [one for sk, one in read_partition(id_).items() if sk not in keys_to_keep]
            for task in (task_from_item(one) for one in entries if one.sk.startswith(TASK)):
                tasks.unlist(task)
            write_all(deletes=entries)
            removed += len(entries)
        return removed

    def remove_record(self, customer_id: str, source: str, until: datetime) -> int:
        """An event's item stays without its content: it also keeps the event from being handled a second time."""
        customer_id, removed = self._current(customer_id), 0
        own = read_partition(customer_id) if customer_id else {}
        partitions = (own, *(read_partition(id_) for id_ in merged_ids(own)))
        for entry in (one for items in partitions for sk, one in items.items() if sk.startswith((EVENT, CONSENT))):
            if _is_event_of(entry, source, until):
                entry.update([RecordItem.body.set({"source": source, "type": ERASED_EVENT})])
                removed += 1
            elif _is_grant_of(entry, source):
                entry.delete()
                removed += 1
        return removed

    def _current(self, customer_id: str) -> str:
        """The id that the customer has now; empty for a customer who was erased."""
        try:
            return DynamoCustomers(self._keys).load(customer_id).id
        except UnknownCustomerError:
            return ""

    def complete(self, erasure: PendingErasure, receipt: AuditEntry) -> None:
        write = transaction()
        write.save(audit_item(receipt), condition=NEW_ENTRY)
        write.delete(CustomerItem(erasure.id, PENDING_ERASURE), condition=CustomerItem.pk.exists())
        try:
            with write:
                pass
        except TransactWriteError as error:
            if "ConditionalCheckFailed" not in {one.code for one in error.cancellation_reasons if one}:
                raise
            # A concurrent invocation has completed the erasure and written the receipt.

    def _further_addresses(self, profile: Profile) -> Iterator[tuple[Channel, str, Identifier | None]]:
        """Addresses that were never identifiers of this customer, unless they are identifiers of another customer."""
        for channel, address in addresses_of(profile.view()).items():
            name = identifier_at(channel, address)
            if name is None or (
                name not in profile.identifiers and self._is_free(customer_id_for(name, self._keys.customer_ids))
            ):
                yield channel, address, name

    @staticmethod
    def _is_free(id_: str) -> bool:
        found = read_all([(id_, STATE)]).get((id_, STATE))
        return found is None or bool(found.erased and not found.alias_of)

    def _write_tombstones(self, profile: Profile, erasure: PendingErasure) -> None:
        """The tombstones that the commit of the erasure had no room for."""
        ids = customer_ids_of(Customer(profile), self._keys.customer_ids) | erasure.traces.ids
        found = read_all((id_, STATE) for id_ in ids)
        for (id_, _), item in found.items():
            if item.alias_of in erasure.traces.ids and not item.erased:
                try:
                    marked = tombstone_for(id_, erasure.at, Customer(profile), self._keys.customer_ids)
                    marked.save(condition=CustomerItem.alias_of == item.alias_of)
                except PutError as error:
                    if code_of(error) != CONDITION_FAILED:
                        raise


def _is_event_of(entry: RecordItem, source: str, until: datetime) -> bool:
    body = entry.body or {}
    known = entry.sk.startswith(EVENT) and body.get("source") == source and body.get("type") != ERASED_EVENT
    return known and (entry.at or "") <= instant_to_wire(until)


def _is_grant_of(entry: RecordItem, source: str) -> bool:
    if not entry.sk.startswith(CONSENT):
        return False
    body = entry.body or {}
    said = body.get("consent", {})  # a suppression has none
    return body.get("told_by") == source and said.get("status") == ConsentStatus.GRANTED.value


def _enrollments(entry: RecordItem) -> Iterator[str]:
    body = entry.body if isinstance(entry.body, dict) else {}
    for document in (body, *(body.get("facts") or ())):
        if document.get("enrollment"):
            yield document["enrollment"]


def _timers(entry: RecordItem) -> Iterator[str]:
    """The schedules of a deferred message, one for each time that it was deferred; and those of a task."""
    if entry.sk.startswith(TASK):
        yield from task_schedules(entry.sk.removeprefix(TASK), int((entry.body or {}).get("sequence", 0)))
    if entry.sk.startswith(MESSAGE):
        for decision in entry.decisions or ():
            if decision.get("until"):
                yield deferral_schedule(entry.sk.removeprefix(MESSAGE), instant_from_wire(decision["until"]))
