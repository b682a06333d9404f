"""Customers: found by one Query where the strongest identifier is known, committed in one transaction.

`customer_state`, `contact_items` and `customer_items` have the items.
"""

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from functools import partial
from typing import NoReturn

from pynamodb.exceptions import PutError, TransactWriteError
from pynamodb.expressions.condition import Condition

from cairn.adapters.aws import THROTTLED_REASONS
from cairn.adapters.dynamodb.atomic_write import MAX_ITEMS, AtomicWrite, CancelledWriteError, Key
from cairn.adapters.dynamodb.contact_items import contact_from_item, contact_item, is_as_read, next_contact_item
from cairn.adapters.dynamodb.customer_items import (
    entered_key,
    erased_state_item,
    event_item,
    older_item,
    pending_erasure_item,
    tombstone,
)
from cairn.adapters.dynamodb.customer_state import (
    Outboxes,
    StateWrites,
    TornReadError,
    alone,
    as_read,
    changed_enrollments,
    concerned_in,
    customer_in,
    gathered,
    is_apart,
    is_part_as_read,
    is_read,
    pages_gathered,
    parts_apart,
    placed,
    sort_keys_of,
    state_writes,
    stays_after_its_end,
)
from cairn.adapters.dynamodb.entry_caps import EntryCaps
from cairn.adapters.dynamodb.items import (
    CONDITION_FAILED,
    CONTACT,
    ENROLLED,
    EVENT,
    LAST_CHARACTER,
    MAX_MERGES,
    MERGED,
    OPEN,
    STATE,
    SUPPRESSED,
    CustomerItem,
    RecordItem,
    SuppressionItem,
    code_of,
    suppressed_key,
)
from cairn.adapters.dynamodb.outbox import outbox_of_loser, outboxes_of
from cairn.adapters.dynamodb.table import first_items, read_all
from cairn.application.events.relay_effects import enrollment_of
from cairn.application.values.customers import Commit, FoundCustomers
from cairn.domain.consent.changes import ConsentChange
from cairn.domain.consent.suppression import SuppressionChange
from cairn.domain.customer.state import DEDUPE_WINDOW, OLDER_ENTRIES, OLDER_MERGES, Concerns, Customer
from cairn.domain.effects import Fact
from cairn.domain.event import Event
from cairn.domain.identity.identifiers import Identifier, customer_id_for
from cairn.domain.identity.identity_key import CustomerIdKey, IdentityKeys
from cairn.domain.identity.trust import TYPED
from cairn.domain.journey.definition import Admission
from cairn.domain.profile.profile import Profile
from cairn.domain.shared.errors import (
    ConflictError,
    DuplicateEventError,
    ErasedCustomerError,
    ServiceBusyError,
    ServiceRefusedError,
    UnknownCustomerError,
)
from cairn.domain.shared.instants import instant_from_wire, instant_to_wire

LONG_AGO = datetime(1, 1, 1, tzinfo=UTC)
"""In the place of an erasure whose tombstone has expired."""

MAX_GENERATIONS = 16
"""Customers who began with the same identifier and lost it, one after the other."""

MAX_MERGED = 50
MAX_ENTERED = 50
"""Merged ids, and entries with a key, in the customer's state; older ones have items of their own."""

MAX_MOVED = 10
"""Of each, how many one commit moves into items of their own, as soon as there are so many: most commits move none."""

FEW = 20
"""Enrollments with items of their own that are left when others have moved into the head."""

GATHERED_AT_ONCE = 95
"""Enrollments that one transaction moves into the head."""

SPARE_AT_ONCE = 24
"""Items that nothing refers to any more, of which a commit deletes so many at most."""

MOST_STAYING = 800
"""Enrollments beyond which none stays after its end for a message that is on its way."""

MOST_PAGES = 50
"""Pages that a commit writes or deletes at most, so that there is room for the other items of its transaction."""

PAGES_GATHERED_AT_ONCE = 95

MOST_ABSORBED = 30
"""Enrollments with items of their own that a merge takes over at once, of all absorbed customers together."""

AT_FIRST = 32
"""Items that are read first: of most customers all. Of one with more, the other enrollments are read only where they
matter."""

MOST_ASKED = 24
"""Enrollments that are read one by one. Of more, reading all is no dearer."""

READS = 3
"""Attempts to read a customer while commits come in between."""

LOST = Fact("dropped", detail={"field": "customer", "reason": TYPED})
"""What the timeline of a customer says who has lost a name to another one."""

ID_IS_UNUSED = CustomerItem.pk.does_not_exist()

ID_IS_FREE = ID_IS_UNUSED | (CustomerItem.erased.exists() & CustomerItem.alias_of.does_not_exist())
"""The id was never used, or its customer was erased and no other customer has it since."""

CANCELLED_BY_CONDITION = "ConditionalCheckFailed"

TOO_LARGE = frozenset({"ValidationException", "ValidationError"})
"""An item of more than 400 KB (DynamoDB quota): the error of a single call, and the reason in a transaction."""


class DynamoCustomers:
    """Implements the port Customers."""

    def __init__(self, keys: IdentityKeys) -> None:
        self._keys = keys
        self._caps = EntryCaps()

    def is_full(self, admission: Admission) -> bool:
        return self._caps.is_full(admission)

    def find(
        self,
        identifiers: Sequence[Identifier],
        otherwise: Sequence[Identifier] = (),
        concerns: Concerns | None = None,
    ) -> FoundCustomers:
        found: dict[str, Customer] = {}
        unclaimed: list[Identifier] = []
        lost: list[Identifier] = []
        erased: dict[Identifier, datetime] = {}
        strongest, others = identifiers[0], identifiers[1:]
        first = self._follow(customer_id_for(strongest, self._keys.customer_ids), by_identifier=True, concerns=concerns)
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

    def load(self, customer_id: str, enrollment: str = "", *, may_lag: bool = False) -> Customer:
        customer = self._follow(customer_id, enrollment=enrollment, consistent=not may_lag)
        if isinstance(customer, Customer):
            return customer
        if customer is None:
            raise UnknownCustomerError("no such customer; it was erased long ago, or belongs to another deployment")
        raise ErasedCustomerError("the customer was erased")

    def commit(self, commit: Commit) -> None:
        commit, older = _with_room(_with_those_that_stay(commit))
        after = commit.reaction.customer
        before = next((one for one in commit.before if one.id == after.id), None)
        absorbed = [one for one in commit.before if one.id != after.id]
        is_a_wake_up = commit.event is None and before is not None and before.contact == after.contact and not absorbed
        if is_a_wake_up and self._committed_alone(commit):
            return
        if commit.event is not None:
            self._check_not_committed(after, commit.event, commit.at)
        write = AtomicWrite()
        counters = {
            self._caps.add(write, admission, after.id, commit.at): admission for admission in commit.reaction.admissions
        }
        self._add_writes(write, commit, before, absorbed, older)
        try:
            _commit(write, (after.id, EVENT + commit.event.key) if commit.event else None)
        except ConflictError as error:
            self._learn_what_is_full(counters, error)
            raise

    def _learn_what_is_full(self, counters: Mapping[Key, Admission], error: ConflictError) -> None:
        """The next attempt takes another counter, or enters nobody."""
        reasons = error.__cause__.reasons if isinstance(error.__cause__, CancelledWriteError) else {}
        for key, admission in counters.items():
            if reasons.get(key) == CANCELLED_BY_CONDITION:
                self._caps.learn(admission, key)

    @classmethod
    def rewrite(cls, customer_id: str) -> bool:
        """Store a customer in parts who is in the head still: from version 0.2, or after many enrollments changed.

        Nothing else changes, and nothing is decided: the version grows, and there is no outbox. False where there is
        nothing to do: the id is nobody's, or leads to another customer, or it is done. Raises ConflictError where a
        commit came in between; all that was moved by then stays moved.
        """
        written = False
        while (customer := _stored(customer_id)) is not None and not is_apart(customer):
            write = AtomicWrite()
            cls._add_state(write, customer, CustomerItem.version == customer.version, lambda _: {})
            _commit(write)
            written = True
        return written

    @staticmethod
    def _committed_alone(commit: Commit) -> bool:
        """Whether a commit that is about one enrollment was written to its item, and to no other.

        What it decided by the profile holds only while that is as it was read.
        """
        after, reaction, (before,) = commit.reaction.customer, commit.reaction, commit.before
        about = {*changed_enrollments(after), *map(enrollment_of, reaction.effects)}
        if len(about) != 1 or not about <= after.enrollments.keys() or after.profile is not before.profile:
            return False
        (id_,) = about
        if after.entered is not before.entered or after.enrollments[id_].version != before.enrollments[id_].version:
            return False  # the head says who has entered, and which versions are in use
        outboxes = outboxes_of(commit, frozenset({id_}))
        item = alone(after, after.enrollments[id_], outboxes.get(id_)) if "" not in outboxes else None
        if item is None:
            return False
        is_as_it_was = is_part_as_read(as_read(after).parts[id_])
        if reaction.by_profile:
            write = AtomicWrite()
            write.check(CustomerItem(after.id, STATE), CustomerItem.version == before.version)
            write.put(item, is_as_it_was)
            _commit(write)
            return True
        try:
            item.save(condition=is_as_it_was)
        except PutError as error:
            raise _as_conflict(error) from error
        return True

    def _add_writes(
        self,
        write: AtomicWrite,
        commit: Commit,
        before: Customer | None,
        absorbed: Sequence[Customer],
        older: Iterable[RecordItem],
    ) -> None:
        """The writes of a commit. Those that may be left out come last: only as many as there is room for."""
        after = commit.reaction.customer
        if commit.event is not None:
            event = event_item(after.id, commit.event, commit.at, self._keys.customer_ids)
            write.put(event, condition=RecordItem.pk.does_not_exist())
        if after.erasure_pending_since is not None:
            self._add_erasure(write, commit, after.erasure_pending_since)
            self._add_suppressions(write, commit)
            return
        self._check_few_go(absorbed)
        for other in absorbed:
            write.put(CustomerItem(other.id, STATE, alias_of=after.id), CustomerItem.version == other.version)
            write.delete(CustomerItem(other.id, CONTACT), condition=is_as_read(other.contact))
            self._add_enrollments_that_go(write, other)
        for pointer in self._pointers(after, commit.claimed):
            if pointer not in write:
                write.put(pointer, condition=ID_IS_FREE)
        self._add_references(write, commit)
        for item in older:
            write.put(item)
        self._add_contact(write, commit, before)
        self._add_suppressions(write, commit)
        for loser in commit.released:
            follows = commit.follows.get(loser.id, ())
            outbox = partial(outbox_of_loser, commit.at, LOST, follows)
            self._add_state(write, loser, CustomerItem.version == loser.version, outbox)
        is_as_it_was = CustomerItem.version == before.version if before else ID_IS_UNUSED
        self._add_state(write, after, is_as_it_was, partial(outboxes_of, commit))
        for other in absorbed:
            self._redirect(write, after, other)

    @classmethod
    def _add_state(
        cls,
        write: AtomicWrite,
        after: Customer,
        is_as_it_was: Condition,
        outboxes: Callable[[frozenset[str]], Outboxes],
    ) -> None:
        """The parts of a customer's state that change, at most as many as there is room for."""
        pages = placed(after)
        if len(pages[1]) > MOST_PAGES:
            cls._gather_pages(after)
        apart = parts_apart(after, write.room - 1 - len(pages[1]))
        if apart is None:
            cls._gather(after)
        writes = state_writes(after, pages, apart, outboxes(apart))
        writes.delete_spare(min(write.room - len(writes), SPARE_AT_ONCE))
        _write_before(writes)
        write.put(writes.head, is_as_it_was)
        _add_parts(write, writes)

    @staticmethod
    def _add_references(write: AtomicWrite, commit: Commit) -> None:
        """Lead new references to the customer, and those that it has no more nowhere. The last customer has it."""
        after = commit.reaction.customer
        before = {id_ for one in commit.before for id_ in one.profile.references}
        for id_ in sorted(after.profile.references.keys() - before):
            write.put(CustomerItem(id_, STATE, alias_of=after.id))
        for id_ in sorted(before - after.profile.references.keys()):
            write.delete(CustomerItem(id_, STATE))

    def _check_few_go(self, absorbed: Sequence[Customer]) -> None:
        """Raises ConflictError after those of one customer have moved into the head, where they are too many."""
        if sum(len(as_read(one).parts) for one in absorbed) > MOST_ABSORBED:
            self._gather(max(absorbed, key=lambda one: len(as_read(one).parts)), left=0)

    @staticmethod
    def _add_enrollments_that_go(write: AtomicWrite, absorbed: Customer) -> None:
        """No wake-up may move an enrollment where it was, once it is the survivor's.

        Pages and data go with the history (`DynamoTimeline.absorb`); nothing reads them until then.
        """
        for id_, part in as_read(absorbed).parts.items():
            write.delete(CustomerItem(absorbed.id, ENROLLED + id_), is_part_as_read(part))

    @staticmethod
    def _gather(customer: Customer, left: int = FEW) -> NoReturn:
        """Move enrollments into the head, so many that a transaction has room for what is to be done with the others.

        Raises ConflictError: the decision is made anew.
        """
        if len(as_read(customer).parts) <= left:
            left = 0  # there was no room even beside these few
        while len(as_read(customer).parts) > left:
            version = customer.version
            writes, customer = gathered(customer, GATHERED_AT_ONCE)
            _commit_state(writes, version)
        raise ConflictError("the customer's enrollments were moved first")

    @staticmethod
    def _gather_pages(customer: Customer) -> NoReturn:
        """Move all pages into the head: only what removes many entries at once touches so many.

        Raises ConflictError: the decision is made anew. Later commits move what is left into pages again.
        """
        while as_read(customer).pages:
            version = customer.version
            writes, customer = pages_gathered(customer, PAGES_GATHERED_AT_ONCE)
            _commit_state(writes, version)
        raise ConflictError("the customer's pages were moved first")

    def _check_not_committed(self, customer: Customer, event: Event, now: datetime) -> None:
        """Raises DuplicateEventError where the event was committed for a profile that was merged since.

        Nothing more is committed under an absorbed id, so a read before the commit is as good as a condition on it.
        A record that moves from there to the survivor meanwhile is found by the condition on the event's own item.
        """
        merged = customer.profile.merged
        if OLDER_MERGES in customer.elsewhere and all(now - at < DEDUPE_WINDOW for at in merged.values()):
            merged = merged_profiles(customer.profile)
        elsewhere = [(old, EVENT + event.key) for old, at in merged.items() if now - at < DEDUPE_WINDOW]
        if elsewhere and read_all(elsewhere):
            raise DuplicateEventError("the event was committed before")

    def record_suppressions(self, changes: Sequence[SuppressionChange]) -> None:
        for key, marks in self._marks(changes).items():
            SuppressionItem(key, SUPPRESSED).update([SuppressionItem.marks.add(marks)])

    def record_denials(self, before: Customer, denials: Sequence[ConsentChange]) -> None:
        item = next_contact_item(before.id, before.contact, before.contact.after(denials))
        try:
            item.save(condition=is_as_read(before.contact))
        except PutError as error:
            raise _as_conflict(error) from error

    def entered(self, customer: Customer, names: Collection[str]) -> dict[str, datetime]:
        ids = merged_profiles(customer.profile).keys() | {customer.id}
        keys = {(id_, entered_key(name)): name for id_ in ids for name in names}
        found: dict[str, datetime] = {}
        for key, item in read_all(keys).items():
            at = instant_from_wire(item.at)
            found[keys[key]] = max(at, found.get(keys[key], at))
        return found

    def _marks(self, changes: Sequence[SuppressionChange]) -> dict[str, set[str]]:
        """The marks to add to the item of each address. Marks are only ever added, so no concurrent write is lost."""
        marks: dict[str, set[str]] = {}
        for one in changes:
            marks.setdefault(suppressed_key(one.key_with(self._keys.suppressions)), set()).add(one.mark.to_wire())
        return marks

    def _add_contact(self, write: AtomicWrite, commit: Commit, before: Customer | None) -> None:
        """The contact, where it changed."""
        after = commit.reaction.customer
        if before is None:
            write.put(contact_item(after.id, after.contact))
        elif before.contact != after.contact or commit.reaction.suppression_changes:
            # The new version stops a sender that decided on the old contact.
            item = next_contact_item(after.id, before.contact, after.contact)
            write.put(item, condition=is_as_read(before.contact))

    def _add_suppressions(self, write: AtomicWrite, commit: Commit) -> None:
        """As many as there is room for: only an erasure has more, and erase_customer writes the others."""
        for key, marks in self._marks(commit.reaction.suppression_changes).items():
            if write.room:
                write.update(SuppressionItem(key, SUPPRESSED), actions=[SuppressionItem.marks.add(marks)])

    def _redirect(self, write: AtomicWrite, survivor: Customer, other: Customer) -> None:
        """Lead what led to an absorbed customer straight to the survivor, as far as there is room.

        Other pointers lead there by the absorbed customer's own id: one step more.
        """
        latest_first = sorted(other.profile.merged, key=lambda old: other.profile.merged[old], reverse=True)
        older = (CustomerItem(old, STATE, alias_of=survivor.id) for old in latest_first)
        for pointer in (*self._pointers(survivor, other.profile.identifiers), *older):
            if write.room and pointer not in write:
                write.put(pointer)

    def _pointers(self, customer: Customer, identifiers: Iterable[Identifier]) -> list[CustomerItem]:
        """The items that lead from identifiers to the customer, with the time at which an earlier owner was erased."""
        pointers = {}
        for one in identifiers:
            id_ = customer.profile.pointers.get(one.key) or customer_id_for(one, self._keys.customer_ids)
            erased = customer.erased.get(one.key)
            erased_at = instant_to_wire(erased) if erased else None
            pointers[id_] = CustomerItem(id_, STATE, alias_of=customer.id, erased=erased_at)
        return [pointers[id_] for id_ in sorted(pointers) if id_ != customer.id]

    def _add_erasure(self, write: AtomicWrite, commit: Commit, at: datetime) -> None:
        """From now on no identifier and no merged id leads to the customer: nothing is sent or committed any more.

        The pending erasure stores what erase_customer needs to find the customer's other items; it also writes the
        tombstones for which there is no room here.
        """
        after = commit.reaction.customer
        customers = {one.id: CustomerItem.version == one.version for one in commit.before}
        customers.setdefault(after.id, ID_IS_FREE)
        for id_, unchanged in sorted(customers.items()):
            marked = tombstone_for(id_, at, after, self._keys.customer_ids)
            write.put(erased_state_item(commit, marked) if id_ == after.id else marked, condition=unchanged)
        for one in commit.before:
            write.delete(CustomerItem(one.id, CONTACT))
        write.put(pending_erasure_item(commit, at))
        for pointer in self._pointers(after, commit.claimed):
            if pointer.pk not in customers:
                write.put(tombstone(pointer.pk, at), condition=ID_IS_FREE)
        suppressions = len(self._marks(commit.reaction.suppression_changes))
        for id_ in sorted(customer_ids_of(after, self._keys.customer_ids)):
            marked = tombstone_for(id_, at, after, self._keys.customer_ids)
            if marked not in write and len(write) + suppressions < MAX_ITEMS:
                write.put(marked)

    def _states(self, ids: Iterable[str]) -> dict[str, CustomerItem]:
        """The states of these ids, where there are any."""
        return {pk: item for (pk, _), item in read_all((id_, STATE) for id_ in ids).items()}

    def _follow(
        self,
        customer_id: str,
        *,
        by_identifier: bool = False,
        concerns: Concerns | None = None,
        enrollment: str = "",
        consistent: bool = True,
    ) -> Customer | datetime | None:
        """The customer with this id, or the one that it points to; else the time of their erasure; None where none was.

        An identifier of an erased customer may lead to a new customer; the id of an erased customer never does.
        """
        for hop in range(MAX_MERGES):
            items = _first_items(customer_id, consistent) if concerns or enrollment else _items_of(customer_id)
            state = items.get(STATE)
            if state is None:
                return LONG_AGO if hop else None
            if state.erased and not (by_identifier and hop == 0 and state.alias_of):
                return instant_from_wire(state.erased)
            if not state.alias_of:
                return _read(customer_id, items, concerns, enrollment)
            customer_id = state.alias_of
        raise UnknownCustomerError(f"more than {MAX_MERGES} merges in a row; the table has a loop")


def _stored(customer_id: str) -> Customer | None:
    """The customer who is stored under this very id; None where it leads on, or to nobody."""
    items = _items_of(customer_id)
    head = items.get(STATE)
    return None if head is None or head.erased or head.alias_of else _read(customer_id, items, None, "")


class _Items(dict[str, CustomerItem]):
    """Items of a customer by sort key, in order: the contact, the head, its pages, the enrollments."""

    is_whole = True


def _items_of(customer_id: str, after: str = OPEN) -> _Items:
    query = CustomerItem.query(customer_id, CustomerItem.sk.between(after, OPEN + LAST_CHARACTER), consistent_read=True)
    return _Items((item.sk, item) for item in query)


def _first_items(customer_id: str, consistent: bool) -> _Items:  # noqa: FBT001  as DynamoDB calls it
    """All items of most customers; of one with many enrollments, all but most of those."""
    items = _Items()
    for page, may_have_more in first_items(customer_id, OPEN, AT_FIRST, may_lag=not consistent):
        items.update((raw["sk"]["S"], CustomerItem.from_raw_data(dict(raw))) for raw in page)
        if may_have_more and next(reversed(items)) > ENROLLED:
            items.is_whole = False
            break
    return items


def _read(customer_id: str, items: _Items, concerns: Concerns | None, enrollment: str) -> Customer:
    """The customer with contact. Where a commit came into the read, it is read again."""
    for _ in range(READS):
        head = items.get(STATE)
        if head is None or head.alias_of or head.erased:
            raise ConflictError("the customer was merged or erased while it was read")
        try:
            if not items.is_whole:
                asked = concerned_in(items, concerns) if concerns else [enrollment]
                some = None if asked is None or len(asked) > MOST_ASKED else _with_only(customer_id, items, asked)
                items = some or _Items(items | _items_of(customer_id, after=next(reversed(items))))
            customer = customer_in(items, is_whole=items.is_whole)
            return replace(customer, contact=contact_from_item(items.get(CONTACT)))
        except TornReadError:
            items = _items_of(customer_id)
    raise ConflictError("the customer changed while it was read")


def _with_only(customer_id: str, items: _Items, enrollments: Collection[str]) -> _Items | None:
    """Of the enrollments that have items of their own these alone; None where one is not there: it may have moved."""
    left = _Items((sk, item) for sk, item in items.items() if not sk.startswith(ENROLLED))
    keys = [(customer_id, sk) for one in enrollments for sk in sort_keys_of(one, items[STATE])]
    left.update((sk, item) for (_, sk), item in (read_all(keys) if keys else {}).items())
    left.is_whole = False
    return left if all(is_read(one, left) for one in enrollments) else None


def merged_profiles(profile: Profile) -> dict[str, datetime]:
    """Every id that was merged into a customer's, and when: those of the profile, and the older ones.

    Older ones are in items of their own, under the id that the customer had then.
    """
    merged, unread = dict(profile.merged), [profile.id, *profile.merged]
    while unread:
        for item in RecordItem.query(unread.pop(), RecordItem.sk.startswith(MERGED), consistent_read=True):
            old = item.sk.removeprefix(MERGED)
            unread += [old] if old not in merged else []
            merged.setdefault(old, instant_from_wire(item.at))
    return merged


def customer_ids_of(customer: Customer, key: CustomerIdKey) -> set[str]:
    """Every id that has ever led to the customer."""
    pointers = customer.profile.pointers
    ids = {pointers.get(one.key) or customer_id_for(one, key) for one in customer.profile.identifiers}
    return ids | {customer.id, *customer.profile.merged, *customer.profile.references}


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
    names |= customer.profile.references.keys()
    return tombstone(id_, at, lasting=id_ not in names)


def _with_those_that_stay(commit: Commit) -> Commit:
    """The commit with ended enrollments that it leaves out, while a message may be on its way that needs their data.

    The first event after that leaves them out.
    """
    before = [(one, as_read(one)) for one in commit.before]
    until = max((stored.ended_stay_until for _, stored in before), default=0)
    after = commit.reaction.customer
    if after.erasure_pending_since is not None:
        return commit
    all_stay = commit.at.timestamp() < until
    staying = [
        one
        for customer, stored in before
        for one in customer.enrollments.values()
        if not one.open
        and one.id not in after.enrollments
        and (all_stay or stays_after_its_end(one, stored, commit.at))
    ]
    if not until and not staying:
        return commit
    until = until if all_stay else 0
    room = max(0, MOST_STAYING - len(after.enrollments) - after.unread)
    after = replace(
        after,
        enrollments={**after.enrollments, **{one.id: one for one in staying[:room]}},
        as_read=replace(as_read(after), ended_stay_until=until),
    )
    return replace(commit, reaction=replace(commit.reaction, customer=after))


def _with_room(commit: Commit) -> tuple[Commit, list[RecordItem]]:
    """The commit with a customer whose memory is within its bounds; and items for what is older.

    Only an event adds to that memory; a few at a time move, so that they fit into its transaction.
    """
    customer = commit.reaction.customer
    if commit.event is None or customer.erasure_pending_since is not None:
        return commit, []
    merged = _oldest(customer.profile.merged, MAX_MERGED)
    keyed = {name: at for name, at in customer.entered.items() if not name.endswith(":")}
    entered = _oldest(keyed, MAX_ENTERED)
    if not merged and not entered:
        return commit, []
    elsewhere = {*customer.elsewhere, *([OLDER_MERGES] if merged else []), *([OLDER_ENTRIES] if entered else [])}
    left = {name: at for name, at in customer.profile.merged.items() if name not in merged}
    customer = replace(
        customer,
        profile=replace(customer.profile, merged=left),
        entered={name: at for name, at in customer.entered.items() if name not in entered},
        elsewhere=frozenset(elsewhere),
    )
    items = [older_item(customer.id, MERGED + old, at) for old, at in merged.items()]
    items += [older_item(customer.id, entered_key(name), at) for name, at in entered.items()]
    return replace(commit, reaction=replace(commit.reaction, customer=customer)), items


def _oldest(instants: Mapping[str, datetime], bound: int) -> dict[str, datetime]:
    """The oldest above the bound, MAX_MOVED of them at most."""
    if len(instants) - bound < MAX_MOVED:
        return {}
    return {name: instants[name] for name in sorted(instants, key=lambda one: (instants[one], one))[:MAX_MOVED]}


def _commit_state(writes: StateWrites, version: int) -> None:
    """Commit the parts of one customer's state, and nothing else, on condition that it still has the version."""
    write = AtomicWrite()
    _write_before(writes)
    write.put(writes.head, CustomerItem.version == version)
    _add_parts(write, writes)
    _commit(write)


def _write_before(writes: StateWrites) -> None:
    """The data to which the head is to refer. It stays unused where the commit then fails."""
    for item in writes.before:
        try:
            item.save()
        except PutError as error:
            raise _as_conflict(error) from error


def _add_parts(write: AtomicWrite, writes: StateWrites) -> None:
    for add, items in ((write.put, writes.puts), (write.delete, writes.deletes)):
        for item in items:
            part = writes.parts.get(item.sk)
            add(item, None if part is None else is_part_as_read(part))


def _commit(write: AtomicWrite, claim: Key | None = None) -> None:
    try:
        write.commit()
    except CancelledWriteError as error:
        raise _as_reason(error, claim) from error
    except TransactWriteError as error:
        raise _as_refusal(error, code_of(error)) from error


def _as_conflict(error: PutError) -> Exception:
    if code_of(error) in {CONDITION_FAILED, "TransactionConflictException"}:
        return ConflictError("the customer changed in between")
    return _as_refusal(error, code_of(error))


def _as_reason(error: CancelledWriteError, claim: Key | None) -> Exception:
    """A failed claim of the event means a duplicate; any other failed condition means a concurrent change.

    The codes are those of CancellationReasons in DynamoDB's API reference, TransactWriteItems.
    """
    codes = set(error.reasons.values())
    if TOO_LARGE & codes:
        return _as_refusal(error, *codes)
    if claim is not None and error.reasons.get(claim) == CANCELLED_BY_CONDITION:
        return DuplicateEventError("the event was committed before")
    if busy := THROTTLED_REASONS & codes:
        return ServiceBusyError(f"dynamodb is busy: {', '.join(sorted(busy))}")
    return ConflictError("the customer changed in between")


def _as_refusal(error: Exception, *codes: str | None) -> Exception:
    """An item that is too large is dead-lettered at once, so that the customer's next events need not wait."""
    found = next((code for code in codes if code in TOO_LARGE), None)
    return ServiceRefusedError("dynamodb", found) if found else error
