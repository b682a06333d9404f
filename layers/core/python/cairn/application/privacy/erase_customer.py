"""Erase a customer: remove the data everywhere, once no work for the customer is under way.

The order is a commit like any other (`domain/customer/customer`). After it nothing is decided, sent or written for the
customer. `adapters/dynamodb/erasure` removes the data from the table. Work that began earlier ends in time: an
invocation by its timeout, a queue's message by its last delivery. The stream is read in order, so earlier effects are
carried out before this one.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from cairn.application.ports import Erasures, ErasureStore, Tasks
from cairn.application.values.erasure import DeadLettersRemoved
from cairn.domain.effects import EraseCustomer as Order
from cairn.domain.operations.audit import AuditEntry
from cairn.domain.privacy.requests import dead_letters_task
from cairn.domain.privacy.traces import Traces
from cairn.domain.shared.instants import instant_to_wire
from cairn.settings import ERASURE_REST, SQS_MAX_DELAY

ERASE = "erase"
"""The action in the audit."""

REASON = "the customer asked to be forgotten"


class Outcome(StrEnum):
    ERASED = "erased"
    RECORD_ERASED = "record_erased"
    TOO_EARLY = "too_early"  # the order is queued again, until all earlier work has ended
    NOTHING_LEFT = "nothing_left"


@dataclass(frozen=True, slots=True)
class EraseCustomer:
    store: ErasureStore
    cancel_schedules: Callable[[Iterable[str], Iterable[str]], int]
    """Remove the schedules of these enrollments and those with these names; returns the number removed."""
    remove_dead_letters: Callable[[Traces], DeadLettersRemoved]
    """Remove all dead letters about a customer, with their bodies. One that cannot be read stays, and is named.

    Raises ServiceBusyError while an operator views dead letters.
    """
    erasures: Erasures
    tasks: Tasks

    def __call__(self, customer_id: str, order: Order, now: datetime) -> Outcome:
        """Every step may be done twice. The pending erasure is removed last.

        Raises ServiceBusyError while an operator looks at dead letters: the queue delivers the order again.
        """
        pending = self.store.pending(customer_id)
        if pending is None:
            return Outcome.NOTHING_LEFT
        remaining = pending.at + ERASURE_REST - now
        if remaining.total_seconds() > 0:
            self.erasures.put(customer_id, order, min(remaining, SQS_MAX_DELAY))
            return Outcome.TOO_EARLY
        schedules = self.cancel_schedules(pending.enrollments, pending.timers)
        found = self.remove_dead_letters(pending.traces)
        removed = {"schedules": schedules, "letters": found.removed, "items": self.store.remove(pending)}
        if found.unread:  # after the items, among which it would be removed
            unread = [f"{one.queue} {one.id}: {one.why}".replace(" :", ":") for one in found.unread]
            self.tasks.open(customer_id, "", dead_letters_task(order, unread), now)
        detail = {
            "receipt": order.id,
            "requested_at": instant_to_wire(order.at),
            "sealed_at": instant_to_wire(pending.at),
            "removed": removed,
            "dead_letters_left": len(found.unread),
        }
        self.store.complete(pending, AuditEntry(now, order.by, ERASE, customer_id, REASON, detail))
        return Outcome.ERASED
