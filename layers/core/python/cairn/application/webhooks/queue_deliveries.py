"""Queue webhook deliveries: of a consent change, whose record is stored first; what journeys post; announcements."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime

from cairn.application.ports import ConsentRecords, WebhookQueue
from cairn.domain.consent.record import ConsentRecord
from cairn.domain.effects import Announce, CallWebhook, RecordConsent
from cairn.domain.shared.announced import AnnouncedType
from cairn.domain.webhook_delivery import Announcement, WebhookCall, deliveries_for


@dataclass(frozen=True, slots=True)
class QueueWebhookDeliveries:
    records: ConsentRecords
    queue: WebhookQueue
    endpoints: tuple[str, ...] = ()
    """The names of the endpoints that get every change."""
    announced_to: Mapping[AnnouncedType, tuple[str, ...]] = field(default_factory=dict)
    """The names of the endpoints that hear of what happens here."""

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

    def announce(self, effect: Announce) -> None:
        """May be done twice: its id stays the same."""
        about = (effect.type, effect.at, effect.data)
        announcements = [Announcement(effect.id, name, *about) for name in self.announced_to.get(effect.type, ())]
        if announcements:
            self.queue.put(announcements)


def _records(effect: RecordConsent) -> Iterator[ConsentRecord]:
    for change in effect.changes:
        yield ConsentRecord(effect.source, change)
    for suppression in effect.suppression_changes:
        yield ConsentRecord(effect.source, suppression)
