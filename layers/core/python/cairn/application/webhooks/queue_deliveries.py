"""Tell subscribers what was said about writing to a customer: recorded for good first, then queued for each."""

from collections.abc import Iterator
from dataclasses import dataclass

from cairn.application.ports import ConsentRecords, WebhookQueue
from cairn.domain.consent.record import ConsentRecord
from cairn.domain.effects import RecordConsent
from cairn.domain.webhook_delivery import deliveries_for


@dataclass(frozen=True, slots=True)
class QueueWebhookDeliveries:
    records: ConsentRecords
    queue: WebhookQueue
    endpoints: tuple[str, ...] = ()
    """The names of those who are told of every change."""

    def __call__(self, customer_id: str, effect: RecordConsent) -> None:
        """May be done twice: a record is the same record, and a notice has the id that it had before."""
        names = self.records.add(customer_id, effect.id, _records(effect))
        told = [one for name in names for one in deliveries_for(customer_id, name, effect.source, self.endpoints)]
        if told:
            self.queue.put(told)


def _records(effect: RecordConsent) -> Iterator[ConsentRecord]:
    for change in effect.changes:
        yield ConsentRecord(effect.source, change)
    for told in effect.suppression_changes:
        yield ConsentRecord(effect.source, told)
