"""Erase a customer: what was sealed is removed everywhere, once nothing is under way for them any more.

Sealing is a commit like any other (`domain/privacy`). From then on nobody decides, sends or writes anything for the
customer, but for those who had begun before. Those are over when their time is: an invocation by its timeout, a queue's
message by its last delivery, and what a commit decided before this order reached the stream's reader in its order.
"""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from cairn.application.ports import DeadLetterEraser, Erasures, ErasureStore, Schedules
from cairn.domain.effects import EraseCustomer as Order
from cairn.domain.operations.audit import AuditEntry
from cairn.domain.shared.instants import instant_to_wire
from cairn.settings import ERASURE_REST, SQS_MAX_DELAY

ERASE = "erase"
"""What the audit calls it."""

REASON = "the customer asked to be forgotten"


class Outcome(StrEnum):
    ERASED = "erased"
    TOO_EARLY = "too_early"  # asked for once more, for when all has come to rest
    NOTHING_LEFT = "nothing_left"


@dataclass(frozen=True, slots=True)
class EraseCustomer:
    store: ErasureStore
    schedules: Schedules
    dead_letters: DeadLetterEraser
    erasures: Erasures

    def __call__(self, customer_id: str, order: Order, now: datetime) -> Outcome:
        """Every step may be done twice; only when all are done is it forgotten what was to be erased.

        Raises ServiceBusyError where somebody is looking at dead letters: the order comes again.
        """
        sealed = self.store.pending(customer_id)
        if sealed is None:
            return Outcome.NOTHING_LEFT
        rest = sealed.at + ERASURE_REST - now
        if rest.total_seconds() > 0:
            self.erasures.put(customer_id, order, min(rest, SQS_MAX_DELAY))
            return Outcome.TOO_EARLY
        removed = {
            "schedules": self.schedules.cancel(sealed.enrollments, sealed.timers),
            "letters": self.dead_letters.remove(sealed.traces),
            "items": self.store.remove(sealed),
        }
        detail = {
            "receipt": order.id,
            "requested_at": instant_to_wire(order.at),
            "sealed_at": instant_to_wire(sealed.at),
            "removed": removed,
        }
        self.store.complete(sealed, AuditEntry(now, order.by, ERASE, customer_id, REASON, detail))
        return Outcome.ERASED
