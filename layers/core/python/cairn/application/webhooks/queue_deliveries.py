"""Queue webhook deliveries of a consent change: store the record first, then queue a delivery for each endpoint."""

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
    """The names of all endpoints: each gets every change."""

    def __call__(self, customer_id: str, effect: RecordConsent) -> None:
        """May be done twice: the record and the delivery ids stay the same."""
        names = self.records.add(customer_id, effect.id, _records(effect))
        deliveries = [one for name in names for one in deliveries_for(customer_id, name, effect.source, self.endpoints)]
        if deliveries:
            self.queue.put(deliveries)


def _records(effect: RecordConsent) -> Iterator[ConsentRecord]:
    for change in effect.changes:
        yield ConsentRecord(effect.source, change)
    for suppression in effect.suppression_changes:
        yield ConsentRecord(effect.source, suppression)
