"""Customers: found by one Query where the strongest identifier is known, committed at once or not at all."""

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any

from pynamodb.connection import Connection
from pynamodb.exceptions import PutError, TransactWriteError
from pynamodb.transactions import TransactWrite

from cairn.adapters.dynamodb import codec
from cairn.adapters.dynamodb.effect_codec import effect_to_wire
from cairn.adapters.dynamodb.items import (
    CONDITION_FAILED,
    CONTACT,
    EVENT,
    OPEN,
    PENDING_ERASURE,
    STATE,
    SUPPRESSED,
    CustomerItem,
    RecordItem,
    SuppressionItem,
    suppressed_key,
)
from cairn.application.ports import Commit, FoundCustomers
from cairn.domain.consent.contact import Contact
from cairn.domain.consent.suppression import SuppressionChange
from cairn.domain.customer.customer import DEDUPE_WINDOW, Customer
from cairn.domain.event import Event, consent_to_wire
from cairn.domain.identity.identifiers import Identifier, customer_id_for
from cairn.domain.shared.errors import (
    ConflictError,
    DuplicateEventError,
    ErasedCustomerError,
    ServiceRefusedError,
    UnknownCustomerError,
)
from cairn.domain.shared.instants import instant_from_wire, instant_to_wire
from cairn.settings import TIMELINE_RETENTION

MAX_HOPS = 8
"""Merges followed from an old id; each merge shortens the way, so two are usual."""

MAX_SEALED_AT_ONCE = 60
"""Names and merged ids that are sealed with a customer; the eraser does the rest of them (100 items a transaction)."""

NOBODY_LIVES_THERE = CustomerItem.pk.does_not_exist() | (
    CustomerItem.erased.exists() & CustomerItem.alias_of.does_not_exist()
)
"""A name that is free: it was never given, or who had it was erased and nobody has taken it since."""

MAX_MARKED_AT_ONCE = 24
"""Addresses of which something is told in a commit; of somebody erased who has more, the eraser tells the rest."""

CANCELLED_BY_CONDITION = "ConditionalCheckFailed"

TOO_LARGE = frozenset({"ValidationException", "ValidationError"})
"""An item of more than 400 KB (DynamoDB quota), as a call's own error and as a reason in a transaction's."""


class DynamoCustomers:
    """Implements the port Customers."""

    def __init__(self, salt: str) -> None:
        self._salt = salt

    def find(self, identifiers: Sequence[Identifier]) -> FoundCustomers:
        found: dict[str, Customer] = {}
        unclaimed: list[Identifier] = []
        erased: dict[Identifier, datetime] = {}
        strongest, others = identifiers[0], identifiers[1:]
        first = self._follow(customer_id_for(strongest, self._salt), by_name=True)
        if isinstance(first, Customer):
            found[first.id] = first
            others = [one for one in others if one not in first.profile.identifiers]
        else:
            unclaimed.append(strongest)
            erased |= {strongest: first} if first else {}
        homes = {customer_id_for(one, self._salt): one for one in others}
        taken = self._taken(homes)
        unclaimed += [one for home, one in homes.items() if not _is_taken(taken.get(home))]
        erased |= {homes[home]: instant_from_wire(item.erased) for home, item in taken.items() if not _is_taken(item)}
        leads = {item.alias_of or home for home, item in taken.items() if _is_taken(item)}
        for lead in sorted(leads - set(found)):
            customer = self._follow(lead)
            if isinstance(customer, datetime):
                raise ConflictError("the customer is being erased; what leads to it goes next")
            if customer is not None:
                found[customer.id] = customer
        return FoundCustomers(tuple(found.values()), tuple(unclaimed), erased)

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
        nobody_was_faster = CustomerItem.version == before.version if before else CustomerItem.pk.does_not_exist()
        state = _state_item(commit)
        if commit.event is None and before is not None and before.contact == after.contact and not absorbed:
            try:
                state.save(condition=nobody_was_faster)
            except PutError as error:
                raise _as_conflict(error) from error
            return
        write = TransactWrite(connection=_connection())
        elsewhere = _recently_absorbed(after, commit.at) if commit.event else []
        if commit.event is not None:
            not_seen_before = RecordItem.pk.does_not_exist()
            for old_id in elsewhere:
                write.condition_check(RecordItem, old_id, EVENT + commit.event.key, condition=not_seen_before)
            write.save(_event_item(after.id, commit.event, commit.at), condition=not_seen_before)
        if after.erasure_pending_since is not None:
            self._seal(write, commit, after.erasure_pending_since)
        else:
            write.save(state, condition=nobody_was_faster)
            self._settle(write, commit, before, absorbed)
        for key, marks in list(self._marks(commit.reaction.suppression_changes).items())[:MAX_MARKED_AT_ONCE]:
            write.update(SuppressionItem(key, SUPPRESSED), actions=[SuppressionItem.marks.add(marks)])
        try:
            with write:
                pass
        except TransactWriteError as error:
            # PynamoDB sends condition checks, then deletes, then puts; the event is the first put.
            deleted = len(absorbed if after.erasure_pending_since is None else commit.before)
            claims = {*range(len(elsewhere)), len(elsewhere) + deleted} if commit.event else set()
            raise _as_reason(error, claims) from error

    def record_suppressions(self, told: Sequence[SuppressionChange]) -> None:
        for key, marks in self._marks(told).items():
            SuppressionItem(key, SUPPRESSED).update([SuppressionItem.marks.add(marks)])

    def _marks(self, told: Sequence[SuppressionChange]) -> dict[str, set[str]]:
        """What is added to each item of an address: a set only grows, so there is nothing to lose to anybody."""
        marks: dict[str, set[str]] = {}
        for one in told:
            marks.setdefault(suppressed_key(one.key_with(self._salt)), set()).add(one.mark.to_wire())
        return marks

    def _settle(
        self, write: TransactWrite, commit: Commit, before: Customer | None, absorbed: Sequence[Customer]
    ) -> None:
        """What stands beside the customer's root item: the contact, and all that leads there."""
        after = commit.reaction.customer
        if before is None:
            write.save(_contact_item(after.id, after.contact))
        elif (
            before.contact != after.contact or commit.reaction.suppression_changes
        ):  # a new turn: what was decided before is not sent
            _update_contact(write, after.id, before.contact, after.contact)
        for home, pointer in sorted(self._pointers(after, commit.claimed).items()):
            if home != after.id:
                write.save(pointer, condition=NOBODY_LIVES_THERE)
        for other in absorbed:
            self._absorb(write, after, other)

    def _absorb(self, write: TransactWrite, survivor: Customer, other: Customer) -> None:
        """The absorbed customer's place becomes a pointer, and so does every identifier that led to it."""
        unchanged = CustomerItem.version == other.version
        write.save(CustomerItem(other.id, STATE, alias_of=survivor.id), condition=unchanged)
        no_sender_was_faster = CustomerItem.contact_version == other.contact.version
        write.delete(CustomerItem(other.id, CONTACT), condition=no_sender_was_faster)
        pointers = {old: CustomerItem(old, STATE, alias_of=survivor.id) for old in other.profile.merged}
        for place, pointer in sorted((pointers | self._pointers(survivor, other.profile.identifiers)).items()):
            if place != other.id:
                write.save(pointer)

    def _pointers(self, customer: Customer, names: Iterable[Identifier]) -> dict[str, CustomerItem]:
        """What stands at the homes of names, to lead to the customer; with when an earlier owner was erased."""
        pointers = {}
        for one in names:
            home, erased = customer_id_for(one, self._salt), customer.erased.get(one.key)
            told = instant_to_wire(erased) if erased else None
            pointers[home] = CustomerItem(home, STATE, alias_of=customer.id, erased=told)
        return pointers

    def _seal(self, write: TransactWrite, commit: Commit, at: datetime) -> None:
        """From now on nothing leads to the customer, not even to its merged ids; nothing is sent and nothing committed.

        What leads to the rest of it is put where only the eraser looks, together with the order to come.
        """
        after = commit.reaction.customer
        theirs = {one.id: CustomerItem.version == one.version for one in commit.before}
        theirs.setdefault(after.id, NOBODY_LIVES_THERE)
        for place, unchanged in sorted(theirs.items()):
            write.save(_sealed_item(commit, at) if place == after.id else tombstone(place, at), condition=unchanged)
        for one in commit.before:
            write.delete(CustomerItem(one.id, CONTACT))
        claimed = {customer_id_for(one, self._salt) for one in commit.claimed} - theirs.keys()
        for home in sorted(claimed):
            write.save(tombstone(home, at), condition=NOBODY_LIVES_THERE)
        others = customer_ids_of(after, self._salt) - theirs.keys() - claimed
        for home in sorted(others)[:MAX_SEALED_AT_ONCE]:
            write.save(tombstone(home, at))
        write.save(_erasing_item(after, at))

    def _taken(self, homes: Iterable[str]) -> dict[str, CustomerItem]:
        """What stands at each of these homes, where anything does."""
        keys = [(home, STATE) for home in homes]
        return {item.pk: item for item in CustomerItem.batch_get(keys, consistent_read=True)} if keys else {}

    def _follow(self, customer_id: str, *, by_name: bool = False) -> Customer | datetime | None:
        """Whoever lives there, or is pointed to; or when they were erased.

        A name may lead to somebody new since then; the id of who was erased never does.
        """
        for hop in range(MAX_HOPS):
            items = {
                item.sk: item
                for item in CustomerItem.query(customer_id, CustomerItem.sk.startswith(OPEN), consistent_read=True)
            }
            state = items.get(STATE)
            if state is None:
                return None
            if state.erased and not (by_name and hop == 0 and state.alias_of):
                if by_name and hop:
                    raise ConflictError("the customer is being erased; what leads to it goes next")
                return instant_from_wire(state.erased)
            if not state.alias_of:
                return _customer(state, items.get(CONTACT))
            customer_id = state.alias_of
        raise UnknownCustomerError(f"more than {MAX_HOPS} merges in a row; the table has a loop")


def contact_from_item(item: CustomerItem | None) -> Contact:
    if item is None:
        return Contact()
    claims: dict[str, str] = item.claims.as_dict() if item.claims else {}
    holds: dict[str, str] = item.deferrals.as_dict() if item.deferrals else {}
    return Contact(
        consents=codec.consents_from_wire(item.consents or []),
        claims={message: codec.claim_from_wire(claim) for message, claim in claims.items()},
        deferrals={message: codec.deferral_from_wire(hold) for message, hold in holds.items()},
        last_inbound=codec.last_inbound_from_wire(item.last_inbound or {}),
        version=int(item.contact_version or 0),
    )


def customer_ids_of(customer: Customer, salt: str) -> set[str]:
    """Every place from where anything has ever led to the customer."""
    names = {customer_id_for(one, salt) for one in customer.profile.identifiers}
    return names | {customer.id, *customer.profile.merged}


def tombstone(place: str, at: datetime) -> CustomerItem:
    """What is left where somebody lived, for as long as anything said of them may still be under way."""
    return CustomerItem(place, STATE, erased=instant_to_wire(at), expires_at=int((at + DEDUPE_WINDOW).timestamp()))


def _sealed_item(commit: Commit, at: datetime) -> CustomerItem:
    customer = commit.reaction.customer
    item = tombstone(customer.id, at)
    item.version, item.outbox = customer.version + 1, _outbox_of(commit)
    return item


def _erasing_item(customer: Customer, at: datetime) -> CustomerItem:
    return CustomerItem(
        customer.id,
        PENDING_ERASURE,
        erased=instant_to_wire(at),
        profile=codec.profile_to_wire(customer.profile),
        enrollments={key: codec.enrollment_to_wire(one) for key, one in customer.enrollments.items()},
    )


def _is_taken(item: CustomerItem | None) -> bool:
    return item is not None and (not item.erased or bool(item.alias_of))


def _customer(state: CustomerItem, contact: CustomerItem | None) -> Customer:
    memory = state.memory or {}
    return Customer(
        profile=codec.profile_from_wire(state.pk, state.profile),
        contact=contact_from_item(contact),
        enrollments=codec.enrollments_from_wire(state.enrollments or {}),
        entered=codec.instants_from_wire(memory.get("entered", {})),
        early_exits=codec.instants_from_wire(memory.get("closed", {})),
        early_refreshes=codec.stamped_from_wire(memory.get("changed", {})),
        erased=codec.instants_from_wire(memory.get("erased", {})),
        version=int(state.version or 0),
    )


def _state_item(commit: Commit) -> CustomerItem:
    after = commit.reaction.customer
    return CustomerItem(
        after.id,
        STATE,
        version=after.version + 1,
        profile=codec.profile_to_wire(after.profile),
        enrollments={key: codec.enrollment_to_wire(one) for key, one in after.enrollments.items()},
        memory={
            "entered": codec.instants_to_wire(after.entered),
            "closed": codec.instants_to_wire(after.early_exits),
            "changed": codec.stamped_to_wire(after.early_refreshes),
            **({"erased": codec.instants_to_wire(after.erased)} if after.erased else {}),
        },
        outbox=_outbox_of(commit),
    )


def _outbox_of(commit: Commit) -> dict[str, Any]:
    return {
        "at": instant_to_wire(commit.at),
        "effects": [effect_to_wire(effect) for effect in commit.reaction.effects],
        "facts": [codec.fact_to_wire(fact) for fact in commit.reaction.facts],
    }


def _event_item(customer_id: str, event: Event, at: datetime) -> RecordItem:
    body: dict[str, Any] = {"id": event.id, "source": event.source, "type": event.type}
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


def _contact_item(customer_id: str, contact: Contact) -> CustomerItem:
    return CustomerItem(
        customer_id,
        CONTACT,
        consents=codec.consents_to_wire(contact.consents),
        last_inbound=codec.last_inbound_to_wire(contact.last_inbound),
        claims={message: codec.claim_to_wire(claim) for message, claim in contact.claims.items()},
        deferrals={message: codec.deferral_to_wire(hold) for message, hold in contact.deferrals.items()},
        contact_version=contact.version,
    )


def _update_contact(write: TransactWrite, customer_id: str, before: Contact, after: Contact) -> None:
    """Writes what changed and leaves the sender's claims and holds alone, but for those added or dropped here."""
    gained = {key: claim for key, claim in after.claims.items() if key not in before.claims}
    dropped = [key for key in before.claims if key not in after.claims]
    held = {key: hold for key, hold in after.deferrals.items() if key not in before.deferrals}
    actions = [
        CustomerItem.consents.set(codec.consents_to_wire(after.consents)),
        CustomerItem.last_inbound.set(codec.last_inbound_to_wire(after.last_inbound)),
        CustomerItem.contact_version.set(CustomerItem.contact_version + 1),
        *(CustomerItem.claims[key].set(codec.claim_to_wire(claim)) for key, claim in gained.items()),
        *(CustomerItem.claims[key].remove() for key in dropped),
        *(CustomerItem.deferrals[key].set(codec.deferral_to_wire(hold)) for key, hold in held.items()),
    ]
    write.update(CustomerItem(customer_id, CONTACT), actions=actions)


def _recently_absorbed(customer: Customer, now: datetime) -> list[str]:
    """Where an event may have been recorded before its customer became this one."""
    return sorted(old for old, at in customer.profile.merged.items() if now - at < DEDUPE_WINDOW)


def _as_conflict(error: PutError) -> Exception:
    if error.cause_response_code in {CONDITION_FAILED, "TransactionConflictException"}:
        return ConflictError("the customer changed in between")
    return _as_refusal(error, error.cause_response_code)


def _as_reason(error: TransactWriteError, claims: set[int]) -> Exception:
    """A failed claim of the event means a duplicate; any other condition, that somebody was faster."""
    failed = {place: reason.code for place, reason in enumerate(error.cancellation_reasons) if reason}
    if not failed:
        return _as_refusal(error, error.cause_response_code)
    if TOO_LARGE & set(failed.values()):
        return _as_refusal(error, *failed.values())
    if any(failed.get(place) == CANCELLED_BY_CONDITION for place in claims):
        return DuplicateEventError("the event was committed before")
    return ConflictError("the customer changed in between")


def _as_refusal(error: Exception, *codes: str | None) -> Exception:
    """What no retry makes smaller is parked at once, so that it does not keep the customer's next events waiting."""
    found = next((code for code in codes if code in TOO_LARGE), None)
    return ServiceRefusedError("dynamodb", found) if found else error


def _connection() -> Connection:
    return CustomerItem._get_connection().connection  # noqa: SLF001  the connection that the models already use
