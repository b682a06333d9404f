"""Customers: found by one Query where the strongest identifier is known, committed in one transaction.

`customer_items` and `contact_items` have the fields of the items.
"""

from collections.abc import Iterable, Sequence
from datetime import UTC, datetime

from pynamodb.exceptions import PutError, TransactWriteError, UpdateError
from pynamodb.transactions import TransactWrite

from cairn.adapters.dynamodb.contact_items import contact_changes, contact_item
from cairn.adapters.dynamodb.customer_items import (
    customer_from_items,
    erased_state_item,
    event_item,
    pending_erasure_item,
    released_item,
    state_item,
    tombstone,
)
from cairn.adapters.dynamodb.items import (
    CONDITION_FAILED,
    CONTACT,
    EVENT,
    MAX_MERGES,
    OPEN,
    STATE,
    SUPPRESSED,
    CustomerItem,
    RecordItem,
    SuppressionItem,
    suppressed_key,
)
from cairn.adapters.dynamodb.table import transaction
from cairn.application.ports import Commit, FoundCustomers
from cairn.domain.consent.changes import ConsentChange
from cairn.domain.consent.suppression import SuppressionChange
from cairn.domain.customer.customer import DEDUPE_WINDOW, Customer
from cairn.domain.identity.identifiers import Identifier, customer_id_for
from cairn.domain.identity.identity_key import CustomerIdKey, IdentityKeys
from cairn.domain.shared.errors import (
    ConflictError,
    DuplicateEventError,
    ErasedCustomerError,
    ServiceRefusedError,
    UnknownCustomerError,
)
from cairn.domain.shared.instants import instant_from_wire, instant_to_wire

LONG_AGO = datetime(1, 1, 1, tzinfo=UTC)
"""In the place of an erasure whose tombstone has expired."""

MAX_GENERATIONS = 16
"""Customers who began with the same identifier and lost it, one after the other."""

MAX_TOMBSTONES_AT_ONCE = 60
"""Tombstones that one commit writes; erase_customer writes the others (DynamoDB quota: 100 items a transaction)."""

ID_IS_FREE = CustomerItem.pk.does_not_exist() | (CustomerItem.erased.exists() & CustomerItem.alias_of.does_not_exist())
"""The id was never used, or its customer was erased and no other customer has it since."""

MAX_SUPPRESSIONS_AT_ONCE = 24
"""Addresses whose suppressions one commit writes; erase_customer writes the others of an erased customer."""

CANCELLED_BY_CONDITION = "ConditionalCheckFailed"

TOO_LARGE = frozenset({"ValidationException", "ValidationError"})
"""An item of more than 400 KB (DynamoDB quota): the error of a single call, and the reason in a transaction."""


class DynamoCustomers:
    """Implements the port Customers."""

    def __init__(self, keys: IdentityKeys) -> None:
        self._keys = keys

    def find(self, identifiers: Sequence[Identifier], otherwise: Sequence[Identifier] = ()) -> FoundCustomers:
        found: dict[str, Customer] = {}
        unclaimed: list[Identifier] = []
        lost: list[Identifier] = []
        erased: dict[Identifier, datetime] = {}
        strongest, others = identifiers[0], identifiers[1:]
        first = self._follow(customer_id_for(strongest, self._keys.customer_ids), by_identifier=True)
        if isinstance(first, Customer) and strongest in first.profile.identifiers:
            found[first.id] = first
            others = [one for one in others if one not in first.profile.identifiers]
        else:
            (unclaimed if first is None else lost).append(strongest)
            erased |= _erased_from(first, strongest)
            others = [*others, *otherwise]
        by_id = {customer_id_for(one, self._keys.customer_ids): one for one in others}
        states = self._states(by_id)
        unclaimed += [one for id_, one in by_id.items() if id_ not in states]
        loaded: dict[str, Customer | datetime] = {}
        for id_, item in sorted(states.items(), key=lambda each: each[1].alias_of or each[0]):
            name, target = by_id[id_], item.alias_of or id_
            customer = loaded[target] if target in loaded else self._target(item)
            loaded[target] = customer
            if isinstance(customer, Customer) and name in customer.profile.identifiers:
                found[customer.id] = customer
            else:
                lost.append(name)
                erased |= _erased_from(customer, name)
        pointers: dict[Identifier, str] = {}
        for name in lost:
            holder = self._search(name)
            if isinstance(holder, Customer):
                found[holder.id] = holder
                erased.pop(name, None)
            else:
                id_, at = holder
                unclaimed.append(name)
                pointers |= {name: id_} if id_ != customer_id_for(name, self._keys.customer_ids) else {}
                erased |= {name: at} if at else {}
        return FoundCustomers(tuple(found.values()), tuple(unclaimed), erased, pointers)

    def pointer_without(self, name: Identifier, loser: Customer) -> str:
        holder = self._search(name, loser.id)
        if isinstance(holder, Customer):
            raise ConflictError("the identifier is another customer's by now")
        return holder[0]

    def _search(self, name: Identifier, loser: str = "") -> Customer | tuple[str, datetime | None]:
        """The customer who has an identifier that was lost by the one at its usual id.

        Else the id under which it can be claimed, and when that id's customer was erased. A customer who comes after
        an erased one may have it, so the search ends where there is nothing at all.
        """
        free: tuple[str, datetime | None] | None = None
        for generation in range(MAX_GENERATIONS):
            id_ = customer_id_for(name, self._keys.customer_ids, generation)
            item = self._states([id_]).get(id_)
            if item is None:
                return free or (id_, None)
            customer = self._target(item)
            if isinstance(customer, Customer):
                if name in customer.profile.identifiers and customer.id != loser:
                    return customer
            elif not item.alias_of and free is None:
                free = id_, customer
        raise UnknownCustomerError(f"more than {MAX_GENERATIONS} customers have lost one identifier, each to the next")

    def _target(self, item: CustomerItem) -> Customer | datetime:
        """The customer to whom an item leads; else when they were erased."""
        if item.erased and not item.alias_of:
            return instant_from_wire(item.erased)
        return self._follow(item.alias_of or item.pk) or LONG_AGO

    def load(self, customer_id: str) -> Customer:
        customer = self._follow(customer_id)
        if isinstance(customer, Customer):
            return customer
        if customer is None:
            raise UnknownCustomerError("no such customer; it was erased long ago, or belongs to another deployment")
        raise ErasedCustomerError("the customer was erased")

    def commit(self, commit: Commit) -> None:
        after = commit.reaction.customer
        before = next((one for one in commit.before if one.id == after.id), None)
        absorbed = [one for one in commit.before if one.id != after.id]
        unchanged_since_read = CustomerItem.version == before.version if before else CustomerItem.pk.does_not_exist()
        state = state_item(commit)
        if commit.event is None and before is not None and before.contact == after.contact and not absorbed:
            try:
                state.save(condition=unchanged_since_read)
            except PutError as error:
                raise _as_conflict(error) from error
            return
        write = transaction()
        elsewhere = _recently_absorbed(after, commit.at) if commit.event else []
        if commit.event is not None:
            not_seen_before = RecordItem.pk.does_not_exist()
            for old_id in elsewhere:
                write.condition_check(RecordItem, old_id, EVENT + commit.event.key, condition=not_seen_before)
            write.save(
                event_item(after.id, commit.event, commit.at, self._keys.customer_ids), condition=not_seen_before
            )
        if after.erasure_pending_since is not None:
            self._write_erasure(write, commit, after.erasure_pending_since)
        else:
            write.save(state, condition=unchanged_since_read)
            for loser in commit.released:
                write.save(released_item(loser, commit.at), condition=CustomerItem.version == loser.version)
            self._write_links(write, commit, before, absorbed)
        for key, marks in list(self._marks(commit.reaction.suppression_changes).items())[:MAX_SUPPRESSIONS_AT_ONCE]:
            write.update(SuppressionItem(key, SUPPRESSED), actions=[SuppressionItem.marks.add(marks)])
        try:
            with write:
                pass
        except TransactWriteError as error:
            # PynamoDB sends condition checks, then deletes, then puts; the event is the first put.
            deleted = len(absorbed if after.erasure_pending_since is None else commit.before)
            claims = {*range(len(elsewhere)), len(elsewhere) + deleted} if commit.event else set()
            raise _as_reason(error, claims) from error

    def record_suppressions(self, changes: Sequence[SuppressionChange]) -> None:
        for key, marks in self._marks(changes).items():
            SuppressionItem(key, SUPPRESSED).update([SuppressionItem.marks.add(marks)])

    def record_denials(self, before: Customer, denials: Sequence[ConsentChange]) -> None:
        as_read = CustomerItem.contact_version == before.contact.version
        item = CustomerItem(before.id, CONTACT)
        try:
            item.update(contact_changes(before.contact, before.contact.after(denials)), condition=as_read)
        except UpdateError as error:
            raise _as_conflict(error) from error

    def _marks(self, changes: Sequence[SuppressionChange]) -> dict[str, set[str]]:
        """The marks to add to the item of each address. Marks are only ever added, so no concurrent write is lost."""
        marks: dict[str, set[str]] = {}
        for one in changes:
            marks.setdefault(suppressed_key(one.key_with(self._keys.suppressions)), set()).add(one.mark.to_wire())
        return marks

    def _write_links(
        self, write: TransactWrite, commit: Commit, before: Customer | None, absorbed: Sequence[Customer]
    ) -> None:
        """Write the items beside the state: the contact, and the pointers from identifiers and merged ids."""
        after = commit.reaction.customer
        if before is None:
            write.save(contact_item(after.id, after.contact))
        elif before.contact != after.contact or commit.reaction.suppression_changes:
            # The new version stops a sender that decided on the old contact.
            write.update(CustomerItem(after.id, CONTACT), actions=contact_changes(before.contact, after.contact))
        for id_, pointer in sorted(self._pointers(after, commit.claimed).items()):
            if id_ != after.id:
                write.save(pointer, condition=ID_IS_FREE)
        for other in absorbed:
            self._absorb(write, after, other)

    def _absorb(self, write: TransactWrite, survivor: Customer, other: Customer) -> None:
        """The absorbed customer's state becomes a pointer, and so does every identifier that led to it."""
        unchanged = CustomerItem.version == other.version
        write.save(CustomerItem(other.id, STATE, alias_of=survivor.id), condition=unchanged)
        contact_is_unchanged = CustomerItem.contact_version == other.contact.version
        write.delete(CustomerItem(other.id, CONTACT), condition=contact_is_unchanged)
        pointers = {old: CustomerItem(old, STATE, alias_of=survivor.id) for old in other.profile.merged}
        for id_, pointer in sorted((pointers | self._pointers(survivor, other.profile.identifiers)).items()):
            if id_ != other.id:
                write.save(pointer)

    def _pointers(self, customer: Customer, identifiers: Iterable[Identifier]) -> dict[str, CustomerItem]:
        """The items that lead from identifiers to the customer, with the time at which an earlier owner was erased."""
        pointers = {}
        for one in identifiers:
            id_ = customer.profile.pointers.get(one.key) or customer_id_for(one, self._keys.customer_ids)
            erased = customer.erased.get(one.key)
            erased_at = instant_to_wire(erased) if erased else None
            pointers[id_] = CustomerItem(id_, STATE, alias_of=customer.id, erased=erased_at)
        return pointers

    def _write_erasure(self, write: TransactWrite, commit: Commit, at: datetime) -> None:
        """From now on no identifier and no merged id leads to the customer: nothing is sent or committed any more.

        The pending erasure stores what erase_customer needs to find the customer's other items.
        """
        after = commit.reaction.customer
        customers = {one.id: CustomerItem.version == one.version for one in commit.before}
        customers.setdefault(after.id, ID_IS_FREE)
        for id_, unchanged in sorted(customers.items()):
            marked = tombstone_for(id_, at, after, self._keys.customer_ids)
            item = erased_state_item(commit, marked) if id_ == after.id else marked
            write.save(item, condition=unchanged)
        for one in commit.before:
            write.delete(CustomerItem(one.id, CONTACT))
        claimed = set(self._pointers(after, commit.claimed)) - customers.keys()
        for id_ in sorted(claimed):
            write.save(tombstone(id_, at), condition=ID_IS_FREE)
        others = customer_ids_of(after, self._keys.customer_ids) - customers.keys() - claimed
        for id_ in sorted(others)[:MAX_TOMBSTONES_AT_ONCE]:
            write.save(tombstone_for(id_, at, after, self._keys.customer_ids))
        write.save(pending_erasure_item(after, at))

    def _states(self, ids: Iterable[str]) -> dict[str, CustomerItem]:
        """The states of these ids, where there are any."""
        keys = [(id_, STATE) for id_ in ids]
        return {item.pk: item for item in CustomerItem.batch_get(keys, consistent_read=True)} if keys else {}

    def _follow(self, customer_id: str, *, by_identifier: bool = False) -> Customer | datetime | None:
        """The customer with this id, or the one that it points to; else the time of their erasure; None where none was.

        An identifier of an erased customer may lead to a new customer; the id of an erased customer never does.
        """
        for hop in range(MAX_MERGES):
            items = {
                item.sk: item
                for item in CustomerItem.query(customer_id, CustomerItem.sk.startswith(OPEN), consistent_read=True)
            }
            state = items.get(STATE)
            if state is None:
                return LONG_AGO if hop else None
            if state.erased and not (by_identifier and hop == 0 and state.alias_of):
                return instant_from_wire(state.erased)
            if not state.alias_of:
                return customer_from_items(state, items.get(CONTACT))
            customer_id = state.alias_of
        raise UnknownCustomerError(f"more than {MAX_MERGES} merges in a row; the table has a loop")


def customer_ids_of(customer: Customer, key: CustomerIdKey) -> set[str]:
    """Every id that has ever led to the customer."""
    pointers = customer.profile.pointers
    ids = {pointers.get(one.key) or customer_id_for(one, key) for one in customer.profile.identifiers}
    return ids | {customer.id, *customer.profile.merged}


def _erased_from(holder: Customer | datetime | None, name: Identifier) -> dict[Identifier, datetime]:
    """When a name was erased, with its customer or with the record of a vendor; older events may still arrive."""
    at = holder.erased.get(name.key) if isinstance(holder, Customer) else holder
    return {name: at} if at and at > LONG_AGO else {}


def tombstone_for(id_: str, at: datetime, customer: Customer, key: CustomerIdKey) -> CustomerItem:
    """The tombstone at one of a customer's ids. Where the customer has lost the name of that id, it stays for ever.

    The search for the name's next customer begins at this id.
    """
    pointers = customer.profile.pointers
    names = {pointers.get(one.key) or customer_id_for(one, key) for one in customer.profile.identifiers}
    return tombstone(id_, at, lasting=id_ not in names)


def _is_used(item: CustomerItem | None) -> bool:
    return item is not None and (not item.erased or bool(item.alias_of))


def _recently_absorbed(customer: Customer, now: datetime) -> list[str]:
    """Merged ids under which the same event may have been recorded before."""
    return sorted(old for old, at in customer.profile.merged.items() if now - at < DEDUPE_WINDOW)


def _as_conflict(error: PutError | UpdateError) -> Exception:
    if error.cause_response_code in {CONDITION_FAILED, "TransactionConflictException"}:
        return ConflictError("the customer changed in between")
    return _as_refusal(error, error.cause_response_code)


def _as_reason(error: TransactWriteError, claims: set[int]) -> Exception:
    """A failed claim of the event means a duplicate; any other failed condition means a concurrent change."""
    failed = {index: reason.code for index, reason in enumerate(error.cancellation_reasons) if reason}
    if not failed:
        return _as_refusal(error, error.cause_response_code)
    if TOO_LARGE & set(failed.values()):
        return _as_refusal(error, *failed.values())
    if any(failed.get(index) == CANCELLED_BY_CONDITION for index in claims):
        return DuplicateEventError("the event was committed before")
    return ConflictError("the customer changed in between")


def _as_refusal(error: Exception, *codes: str | None) -> Exception:
    """An item that is too large is dead-lettered at once, so that the customer's next events need not wait."""
    found = next((code for code in codes if code in TOO_LARGE), None)
    return ServiceRefusedError("dynamodb", found) if found else error
