"""Record providers' reports: as events of the customer, or at once in the message, where nobody hears them."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from cairn.application.operations.count_reports import count_report
from cairn.application.ports import DeliveryCounters, Inbox, ReportedMessages, StatusReports
from cairn.domain.event import MESSAGE_EVENTS, Event
from cairn.domain.message.message import STATUS_REPORTS, MessageStatus
from cairn.domain.operations.breaker import outcome_of


@dataclass(frozen=True, slots=True)
class RecordReports:
    """A delivery report usually moves the status of a message and nothing else: that needs no event and no commit.

    It is exactly what the event would have come to (application/events/relay_effects). A report that any journey may
    hear, or about a message that is not recorded as sent, becomes an event. A crash loses at most one report from the
    counts, as in WatchHealth.
    """

    inbox: Inbox
    messages: ReportedMessages
    counters: DeliveryCounters
    stored: StatusReports
    """Of the versions with enrollments."""
    deployed: frozenset[str]
    """The STATUS_REPORTS that a deployed journey may hear."""

    def __call__(self, events: Sequence[Event], now: datetime) -> Sequence[Event]:
        """The reports that became events. Raises where any of them is neither stored nor carried out."""
        unheard = self._unheard(events)
        stored = [event for event in events if event.type not in unheard or not self._is_done(event, now)]
        if stored:
            self.inbox.put(stored)
        return stored

    def _unheard(self, events: Sequence[Event]) -> frozenset[str]:
        asked = STATUS_REPORTS.intersection(event.type for event in events if _reports_status_only(event))
        return (asked - self.deployed) & self.stored.unheard() if asked - self.deployed else frozenset()

    def _is_done(self, event: Event, now: datetime) -> bool:
        if not _reports_status_only(event):
            return False
        status = MessageStatus(event.type.removeprefix(MESSAGE_EVENTS))
        customer, message = str(event.customer_id), str(event.properties["message_id"])
        about = self.messages.move_sent(customer, message, status, event.occurred_at)
        outcome = outcome_of(status)
        if about and outcome is not None:
            count_report(self.counters, about, outcome, min(event.occurred_at, now))  # a provider's clock
        return about is not None


def _reports_status_only(event: Event) -> bool:
    """Whether an event names its customer and its message, and says nothing else of the customer."""
    message = event.properties.get("message_id")
    names_both = bool(event.customer_id) and isinstance(message, str) and bool(message)
    says_more = event.identifiers or event.attributes or event.consent or event.dropped
    return event.type in STATUS_REPORTS and names_both and not says_more
