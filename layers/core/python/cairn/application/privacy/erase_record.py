"""Erase one source's record of a customer from the history and the dead letters; the commit has done the rest."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from cairn.application.ports import Audit, RecordErasureStore, Tasks
from cairn.application.privacy.erase_customer import Outcome
from cairn.application.values.erasure import DeadLettersRemoved
from cairn.domain.effects import EraseRecord as Order
from cairn.domain.identity.identifiers import identifier_of_key
from cairn.domain.operations.audit import AuditEntry
from cairn.domain.privacy.requests import dead_letters_task
from cairn.domain.privacy.traces import Traces
from cairn.domain.shared.instants import instant_to_wire

ERASE_RECORD = "erase_record"
"""The action in the audit."""

REASON = "a person chose to erase what one source reported"


@dataclass(frozen=True, slots=True)
class EraseRecord:
    store: RecordErasureStore
    remove_dead_letters: Callable[[Traces], DeadLettersRemoved]
    """Raises ServiceBusyError while an operator views dead letters."""
    tasks: Tasks
    audit: Audit

    def __call__(self, customer_id: str, order: Order, now: datetime) -> Outcome:
        """Every step may be done twice; the receipt is last, and the same each time but for its numbers."""
        ids = tuple(identifier_of_key(key) for key in order.ids)
        found = self.remove_dead_letters(Traces(frozenset(), ids, order.at)) if ids else DeadLettersRemoved(0)
        removed = {"letters": found.removed, "items": self.store.remove_record(customer_id, order.source, order.at)}
        if found.unread:
            unread = [f"{one.queue} {one.id}: {one.why}".replace(" :", ":") for one in found.unread]
            self.tasks.open(customer_id, "", dead_letters_task(order, unread), now)
        detail = {
            "receipt": order.id,
            "source": order.source,
            "requested_at": instant_to_wire(order.at),
            "removed": removed,
            "dead_letters_left": len(found.unread),
        }
        self.audit.write(AuditEntry(now, order.by, ERASE_RECORD, customer_id, REASON, detail))
        return Outcome.RECORD_ERASED
