"""Queue webhook deliveries of a consent change, whose record is stored first; and what journeys post."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

from cairn.application.ports import ConsentRecords, WebhookQueue
from cairn.domain.consent.record import ConsentRecord
from cairn.domain.effects import CallWebhook, RecordConsent
from cairn.domain.webhook_delivery import WebhookCall, deliveries_for


@dataclass(frozen=True, slots=True)
class QueueWebhookDeliveries:
    records: ConsentRecords
    queue: WebhookQueue
    endpoints: tuple[str, ...] = ()
    """The names of the endpoints that get every change."""

    def __call__(self, customer_id: str, effect: RecordConsent) -> None:
        """May be done twice: the record and the delivery ids stay the same."""
        names = self.records.add(customer_id, effect.id, _records(effect))
        deliveries = [one for name in names for one in deliveries_for(customer_id, name, effect.source, self.endpoints)]
        if deliveries:
            self.queue.put(deliveries)

    def call(self, customer_id: str, effect: CallWebhook, at: datetime) -> None:
        """What a journey posts; may be done twice: its id stays the same."""
        about = (effect.enrollment, effect.step, effect.type, at, effect.until, effect.body)
        self.queue.put([WebhookCall(effect.id, effect.endpoint, customer_id, *about)])


def _records(effect: RecordConsent) -> Iterator[ConsentRecord]:
    for change in effect.changes:
        yield ConsentRecord(effect.source, change)
    for suppression in effect.suppression_changes:
        yield ConsentRecord(effect.source, suppression)
