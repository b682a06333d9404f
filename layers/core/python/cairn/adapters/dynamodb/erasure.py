"""What is left of a customer who was sealed: all that leads to it, and its removal."""

from collections.abc import Iterator

from pynamodb.exceptions import DoesNotExist, PutError, TransactWriteError
from pynamodb.transactions import TransactWrite

from cairn.adapters.dynamodb import codec
from cairn.adapters.dynamodb.customers import DynamoCustomers, customer_ids_of, tombstone
from cairn.adapters.dynamodb.items import (
    CONDITION_FAILED,
    MESSAGE,
    PENDING_ERASURE,
    STATE,
    CustomerItem,
    RecordItem,
    read_all,
)
from cairn.adapters.dynamodb.switches import audit_item
from cairn.adapters.scheduler.timers import deferral_schedule
from cairn.application.ports import PendingErasure
from cairn.domain.consent.suppression import SuppressionChange
from cairn.domain.customer.customer import Customer
from cairn.domain.identity.identifiers import Identifier, customer_id_for, identifier
from cairn.domain.operations.audit import AuditEntry
from cairn.domain.privacy.requests import erasure_mark, erasure_suppressions
from cairn.domain.privacy.traces import Traces
from cairn.domain.profile.addresses import addresses_of
from cairn.domain.profile.profile import Profile
from cairn.domain.shared.channels import CHANNELS, Channel
from cairn.domain.shared.instants import instant_from_wire


class DynamoErasureStore:
    """Implements the port Remains."""

    def __init__(self, salt: str) -> None:
        self._salt = salt

    def pending(self, customer_id: str) -> PendingErasure | None:
        try:
            item = CustomerItem.get(customer_id, PENDING_ERASURE, consistent_read=True)
        except DoesNotExist:
            return None
        at = instant_from_wire(item.erased or "")
        profile = codec.profile_from_wire(customer_id, item.profile)
        ids = frozenset({customer_id, *profile.merged})
        entries = [entry for id_ in ids for entry in RecordItem.query(id_, consistent_read=True)]
        further = (name for _, _, name in self._further_addresses(profile) if name is not None)
        return PendingErasure(
            customer_id,
            at,
            Traces(ids, (*profile.identifiers, *further), at),
            frozenset({*(item.enrollments or {}), *(name for entry in entries for name in _enrollments(entry))}),
            frozenset(name for entry in entries for name in _timers(entry)),
        )

    def remove(self, sealed: PendingErasure) -> int:
        profile = codec.profile_from_wire(
            sealed.id, CustomerItem.get(sealed.id, PENDING_ERASURE, consistent_read=True).profile
        )
        told = [
            SuppressionChange(channel, erasure_mark(sealed.at), address)
            for channel, address, _ in self._further_addresses(profile)
        ]
        DynamoCustomers(self._salt).record_suppressions([*told, *erasure_suppressions(profile.identifiers, sealed.at)])
        self._close_homes(profile, sealed)
        removed = 0
        for id_ in sorted(sealed.traces.ids):
            kept = {STATE, PENDING_ERASURE} if id_ == sealed.id else {STATE}
            with RecordItem.batch_write() as batch:
                for entry in RecordItem.query(id_, consistent_read=True):
                    if entry.sk not in kept:
                        batch.delete(entry)
                        removed += 1
        return removed

    def complete(self, sealed: PendingErasure, receipt: AuditEntry) -> None:
        write = TransactWrite(connection=CustomerItem._get_connection().connection)  # noqa: SLF001  the models' own
        write.save(audit_item(receipt))
        write.delete(CustomerItem(sealed.id, PENDING_ERASURE), condition=CustomerItem.pk.exists())
        try:
            with write:
                pass
        except TransactWriteError as error:
            if "ConditionalCheckFailed" not in {one.code for one in error.cancellation_reasons if one}:
                raise
            # Somebody else, at the same time, has just done all this and written the receipt.

    def _further_addresses(self, profile: Profile) -> Iterator[tuple[Channel, str, Identifier | None]]:
        """Addresses that were never names of the customer, unless they are somebody else's; names were sealed."""
        for channel, address in addresses_of(profile.view()).items():
            kind = CHANNELS[channel].address
            name = identifier(kind.value, address) if kind.identifies else None
            if name is None or (name not in profile.identifiers and self._is_free(customer_id_for(name, self._salt))):
                yield channel, address, name

    @staticmethod
    def _is_free(home: str) -> bool:
        found = read_all([(home, STATE)]).get((home, STATE))
        return found is None or bool(found.erased and not found.alias_of)

    def _close_homes(self, profile: Profile, sealed: PendingErasure) -> None:
        """Those names and merged ids that were too many to be sealed with the customer."""
        homes = customer_ids_of(Customer(profile), self._salt)
        found = read_all((home, STATE) for home in homes)
        for (home, _), item in found.items():
            if item.alias_of in sealed.traces.ids and not item.erased:
                try:
                    tombstone(home, sealed.at).save(condition=CustomerItem.alias_of == item.alias_of)
                except PutError as error:
                    if error.cause_response_code != CONDITION_FAILED:
                        raise


def _enrollments(entry: RecordItem) -> Iterator[str]:
    body = entry.body if isinstance(entry.body, dict) else {}
    for told in (body, *(body.get("facts") or ())):
        if told.get("enrollment"):
            yield told["enrollment"]


def _timers(entry: RecordItem) -> Iterator[str]:
    """The schedules that were to bring a held message, one for each time that it had to wait."""
    if entry.sk.startswith(MESSAGE):
        for decision in entry.decisions or ():
            if decision.get("until"):
                yield deferral_schedule(entry.sk.removeprefix(MESSAGE), instant_from_wire(decision["until"]))
