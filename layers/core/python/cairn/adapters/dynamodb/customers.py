"""Customers: found by one Query where the strongest identifier is known, committed at once or not at all."""

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any

from pynamodb.connection import Connection
from pynamodb.exceptions import PutError, TransactWriteError
from pynamodb.transactions import TransactWrite

from cairn.adapters.dynamodb import codec
from cairn.adapters.dynamodb.items import CONDITION_FAILED, CONTACT, EVENT, OPEN, STATE, Entry, Open
from cairn.application.ports import Commit, Found
from cairn.domain.contact import Contact
from cairn.domain.customer import DEDUPE_WINDOW, Customer
from cairn.domain.errors import ConflictError, DuplicateEventError, ServiceRefusedError, UnknownCustomerError
from cairn.domain.event import Event, consent_to_wire, instant_to_wire
from cairn.domain.identity import Identifier, home_of
from cairn.settings import TIMELINE_RETENTION

MAX_HOPS = 8
"""Merges followed from an old id; each merge shortens the way, so two are usual."""

CANCELLED_BY_CONDITION = "ConditionalCheckFailed"

TOO_LARGE = frozenset({"ValidationException", "ValidationError"})
"""An item of more than 400 KB (DynamoDB quota), as a call's own error and as a reason in a transaction's."""


class DynamoCustomers:
    """Implements the port Customers."""

    def __init__(self, salt: str) -> None:
        self._salt = salt

    def find(self, identifiers: Sequence[Identifier]) -> Found:
        found: dict[str, Customer] = {}
        unclaimed: list[Identifier] = []
        strongest, others = identifiers[0], identifiers[1:]
        first = self._follow(home_of(strongest, self._salt))
        if first is None:
            unclaimed.append(strongest)
        else:
            found[first.id] = first
            others = [one for one in others if one not in first.profile.identifiers]
        homes = {home_of(one, self._salt): one for one in others}
        leads = self._leads(homes)
        unclaimed += [one for home, one in homes.items() if home not in leads]
        for lead in sorted(set(leads.values()) - set(found)):
            customer = self._follow(lead)
            if customer is not None:
                found[customer.id] = customer
        return Found(tuple(found.values()), tuple(unclaimed))

    def load(self, customer_id: str) -> Customer:
        customer = self._follow(customer_id)
        if customer is None:
            raise UnknownCustomerError("no such customer; it was erased, or belongs to another deployment")
        return customer

    def commit(self, commit: Commit) -> None:
        after = commit.reaction.customer
        before = next((one for one in commit.before if one.id == after.id), None)
        absorbed = [one for one in commit.before if one.id != after.id]
        nobody_was_faster = Open.rev == before.revision if before else Open.pk.does_not_exist()
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
            not_seen_before = Entry.pk.does_not_exist()
            for old_id in elsewhere:
                write.condition_check(Entry, old_id, EVENT + commit.event.key, condition=not_seen_before)
            write.save(_event_item(after.id, commit.event, commit.at), condition=not_seen_before)
        write.save(state, condition=nobody_was_faster)
        if before is None:
            write.save(_contact_item(after.id, after.contact))
        elif before.contact != after.contact:
            _update_contact(write, after.id, before.contact, after.contact)
        homes = {home_of(one, self._salt) for one in commit.claimed} - {after.id}
        for home in sorted(homes):
            write.save(Open(home, STATE, alias_of=after.id), condition=Open.pk.does_not_exist())
        for other in absorbed:
            self._absorb(write, after, other)
        try:
            with write:
                pass
        except TransactWriteError as error:
            # PynamoDB sends condition checks, then deletes, then puts; the event is the first put.
            claims = {*range(len(elsewhere)), len(elsewhere) + len(absorbed)} if commit.event else set()
            raise _as_reason(error, claims) from error

    def _absorb(self, write: TransactWrite, survivor: Customer, other: Customer) -> None:
        """The absorbed customer's place becomes a pointer, and so does every identifier that led to it."""
        unchanged = Open.rev == other.revision
        write.save(Open(other.id, STATE, alias_of=survivor.id), condition=unchanged)
        no_sender_was_faster = Open.claims == _claims_to_wire(other.contact)
        write.delete(Open(other.id, CONTACT), condition=no_sender_was_faster)
        for home in sorted({home_of(one, self._salt) for one in other.profile.identifiers} - {other.id}):
            write.save(Open(home, STATE, alias_of=survivor.id))

    def _leads(self, homes: Iterable[str]) -> dict[str, str]:
        """For each home that is taken, the customer who lives there or whom it points to."""
        keys = [(home, STATE) for home in homes]
        if not keys:
            return {}
        return {item.pk: item.alias_of or item.pk for item in Open.batch_get(keys, consistent_read=True)}

    def _follow(self, customer_id: str) -> Customer | None:
        for _ in range(MAX_HOPS):
            items = {item.sk: item for item in Open.query(customer_id, Open.sk.startswith(OPEN), consistent_read=True)}
            state = items.get(STATE)
            if state is None:
                return None
            if not state.alias_of:
                return _customer(state, items.get(CONTACT))
            customer_id = state.alias_of
        raise UnknownCustomerError(f"more than {MAX_HOPS} merges in a row; the table has a loop")


def contact_from_item(item: Open | None) -> Contact:
    if item is None:
        return Contact()
    claims: dict[str, str] = item.claims.as_dict() if item.claims else {}
    return Contact(
        consents=codec.consents_from_wire(item.consents or []),
        suppressed=codec.suppressed_from_wire(item.suppressed or {}),
        claims={message: codec.claim_from_wire(claim) for message, claim in claims.items()},
    )


def _customer(state: Open, contact: Open | None) -> Customer:
    memory = state.memory or {}
    return Customer(
        profile=codec.profile_from_wire(state.pk, state.profile),
        contact=contact_from_item(contact),
        enrollments=codec.enrollments_from_wire(state.enrollments or {}),
        entered=codec.instants_from_wire(memory.get("entered", {})),
        closed=codec.instants_from_wire(memory.get("closed", {})),
        changed=codec.stamped_from_wire(memory.get("changed", {})),
        revision=int(state.rev or 0),
    )


def _state_item(commit: Commit) -> Open:
    after = commit.reaction.customer
    return Open(
        after.id,
        STATE,
        rev=after.revision + 1,
        profile=codec.profile_to_wire(after.profile),
        enrollments={key: codec.enrollment_to_wire(one) for key, one in after.enrollments.items()},
        memory={
            "entered": codec.instants_to_wire(after.entered),
            "closed": codec.instants_to_wire(after.closed),
            "changed": codec.stamped_to_wire(after.changed),
        },
        outbox={
            "at": instant_to_wire(commit.at),
            "effects": [codec.effect_to_wire(effect) for effect in commit.reaction.effects],
            "facts": [codec.fact_to_wire(fact) for fact in commit.reaction.facts],
        },
    )


def _event_item(customer_id: str, event: Event, at: datetime) -> Entry:
    body: dict[str, Any] = {"id": event.id, "source": event.source, "type": event.type}
    body |= {"properties": event.properties} if event.properties else {}
    body |= {"attributes": sorted(event.attributes)} if event.attributes else {}
    body |= {"consent": [consent_to_wire(change) for change in event.consent]} if event.consent else {}
    body |= {"backfill": True} if event.backfill else {}
    body |= {"received_at": instant_to_wire(at)} if at != event.occurred_at else {}
    return Entry(
        customer_id,
        EVENT + event.key,
        at=instant_to_wire(event.occurred_at),
        body=body,
        expires_at=int((at + TIMELINE_RETENTION).timestamp()),
    )


def _contact_item(customer_id: str, contact: Contact) -> Open:
    return Open(
        customer_id,
        CONTACT,
        consents=codec.consents_to_wire(contact.consents),
        suppressed=codec.suppressed_to_wire(contact.suppressed),
        claims=_claims_to_wire(contact),
    )


def _claims_to_wire(contact: Contact) -> dict[str, str]:
    return {message: codec.claim_to_wire(claim) for message, claim in contact.claims.items()}


def _update_contact(write: TransactWrite, customer_id: str, before: Contact, after: Contact) -> None:
    """Writes what changed and leaves the sender's claims alone, but for those that are added or dropped here."""
    gained = {key: claim for key, claim in after.claims.items() if key not in before.claims}
    dropped = [key for key in before.claims if key not in after.claims]
    actions = [
        Open.consents.set(codec.consents_to_wire(after.consents)),
        Open.suppressed.set(codec.suppressed_to_wire(after.suppressed)),
        *(Open.claims[key].set(codec.claim_to_wire(claim)) for key, claim in gained.items()),
        *(Open.claims[key].remove() for key in dropped),
    ]
    write.update(Open(customer_id, CONTACT), actions=actions)


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
    return Open._get_connection().connection  # noqa: SLF001  the connection that the models already use
