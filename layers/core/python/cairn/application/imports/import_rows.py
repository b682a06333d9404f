"""Import rows: each becomes an event, which is processed at once, as events of the queue are.

Rows are independent of one another. What time may mend raises, and the whole batch is done again: that is harmless,
since a row that was written is a duplicate then. What no time mends refuses its row alone.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Protocol

from cairn.application.events.identify_customer import IdentifyCustomer
from cairn.application.events.process_event import ProcessEvent
from cairn.application.ports import ImportedCustomers
from cairn.domain.consent.suppression import Cause, Mark, SuppressionChange, suppression_key
from cairn.domain.customer.state import Reaction
from cairn.domain.event import Event
from cairn.domain.identity.identity_key import IdentityKeys
from cairn.domain.imports.rows import Import, Kind, Outcome, Reason, Refusal, Row, RowRefusedError
from cairn.domain.profile.addresses import identifier_at
from cairn.domain.shared.channels import Channel, Purpose
from cairn.domain.shared.errors import (
    ConflictError,
    ErasedCustomerError,
    InvalidEventError,
    ServiceRefusedError,
    UnknownCustomerError,
)


class RowReader(Protocol):
    def event_of(self, row: Row) -> Event:
        """The canonical event of a row. Raises RowRefusedError."""


WithKey = Callable[[Event, str], Event]


@dataclass(frozen=True, slots=True)
class BatchResult:
    counts: dict[Outcome, int] = field(default_factory=dict)
    refused: list[Refusal] = field(default_factory=list)

    def add(self, outcome: Outcome) -> None:
        self.counts[outcome] = self.counts.get(outcome, 0) + 1


@dataclass(frozen=True, slots=True)
class ImportRows:
    process: ProcessEvent
    customers: ImportedCustomers
    keys: IdentityKeys
    with_key: WithKey
    is_transient: Callable[[BaseException], bool]
    note_failure: Callable[[Refusal, Exception], None] = lambda _refusal, _error: None

    def __call__(self, rows: Sequence[Row], reader: RowReader, of: Import, now: datetime) -> BatchResult:
        """Raises what time may mend; the batch is done again then."""
        result = BatchResult()
        events: list[tuple[Row, Event]] = []
        for row in rows:
            try:
                events.append((row, _not_later(reader.event_of(row), now)))
            except RowRefusedError as error:
                result.refused.append(Refusal.of(row.line, error))
        self.customers.expect([name for _, event in events for name in event.identifiers])
        for row, event in events:
            self._import(row, event, of, now, result)
        return result

    def _import(self, row: Row, event: Event, of: Import, now: datetime, result: BatchResult) -> None:
        try:
            result.add(self._outcome(event, of, now))
        except RowRefusedError as error:
            result.refused.append(Refusal.of(row.line, error))
        except Exception as error:
            if self.is_transient(error) and not isinstance(error, ConflictError):
                raise
            refusal = Refusal.of(row.line, _refused(error))
            if refusal.reason is Reason.FAILED:
                self.note_failure(refusal, error)
            result.refused.append(refusal)

    def _outcome(self, event: Event, of: Import, now: datetime) -> Outcome:
        if of.kind is Kind.SUPPRESSIONS:
            return self._suppress(event, now, dry_run=of.dry_run)
        if of.dry_run:
            return self._preview(event, now)
        reaction = self.process(event, now)
        if reaction is not None:
            return _outcome_of(reaction)
        if of.finds_duplicates and of.kind is Kind.CUSTOMERS:
            self._check_same_row(event)
        return Outcome.REPEATED

    def _check_same_row(self, event: Event) -> None:
        """Raises RowRefusedError where another row about the customer was written before."""
        line = self.customers.imported_line(event)
        if line not in {None, event.properties["line"]}:
            raise RowRefusedError(Reason.DUPLICATE, "customer", f"row {line} is about the same customer")

    def _preview(self, event: Event, now: datetime) -> Outcome:
        """What would become of an event, by reads alone."""
        identified = IdentifyCustomer(self.customers, self.keys, self.process.policy)(event, now, lambda _: ())
        if not identified.before:
            return Outcome.CREATED
        return Outcome.MERGED if len(identified.before) > 1 else Outcome.UPDATED

    def _suppress(self, event: Event, now: datetime, *, dry_run: bool) -> Outcome:
        about = event.properties
        channel, address = Channel(about.get("channel", Channel.EMAIL)), about.get("address")
        key = about["key"] if address is None else suppression_key(channel, address, self.keys.suppressions)
        owner = None if address is None else self._owner(channel, address)
        if dry_run:
            return Outcome.SUPPRESSED if owner is None else Outcome.UPDATED
        if owner is not None:
            event = self.with_key(event, key)
            reaction = self.process(replace(event, customer_id=owner), now)
            return Outcome.REPEATED if reaction is None else Outcome.UPDATED
        purpose = about.get("purpose")
        mark = Mark(Cause(about["cause"]), event.occurred_at, Purpose(purpose) if purpose else None)
        self.customers.record_suppressions([SuppressionChange(channel, mark, key=key)])
        return Outcome.SUPPRESSED

    def _owner(self, channel: Channel, address: str) -> str | None:
        name = identifier_at(channel, address)
        owners = self.customers.find([name]).customers if name is not None else ()
        return owners[0].id if owners else None


def _not_later(event: Event, now: datetime) -> Event:
    """Nothing has happened after now, whatever a row says, and newer values must be able to replace it."""
    if event.occurred_at <= now and all(one.at <= now for one in event.consent):
        return event
    consent = tuple(replace(one, at=min(one.at, now)) for one in event.consent)
    return replace(event, occurred_at=min(event.occurred_at, now), consent=consent)


def _outcome_of(reaction: Reaction) -> Outcome:
    if any(fact.kind == "merged" for fact in reaction.facts):
        return Outcome.MERGED
    return Outcome.CREATED if reaction.customer.version == 0 else Outcome.UPDATED


def _refused(error: Exception) -> RowRefusedError:
    match error:
        case ErasedCustomerError():
            return RowRefusedError(Reason.ERASED, "customer", "erased after the instant of the row")
        case UnknownCustomerError() | ConflictError():
            return RowRefusedError(Reason.CONFLICT, "customer", str(error))
        case ServiceRefusedError():
            return RowRefusedError(Reason.TOO_LARGE, "", str(error))
        case InvalidEventError():
            return RowRefusedError(Reason.FAILED, "", str(error))
        case _:
            return RowRefusedError(Reason.FAILED, "", type(error).__name__)
