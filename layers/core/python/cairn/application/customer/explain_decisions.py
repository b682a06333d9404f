"""Explain decisions: the state of a customer, or the history of one message, in plain sentences."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from cairn.application.customer.find_customer import FindCustomer
from cairn.application.ports import Audit, History, Suppressions
from cairn.domain.customer.state import Customer
from cairn.domain.explain.explanations import (
    CustomerExplanation,
    MessageExplanation,
    ZoneOfJourney,
    explain_customer,
    explain_message,
    last_journey,
    no_zone,
)
from cairn.domain.explain.leads import explain_lead
from cairn.domain.lead.leads import Leads
from cairn.domain.operations.audit import AuditEntry
from cairn.domain.profile.addresses import addresses_of
from cairn.domain.shared.errors import UnknownMessageError

EXPLAIN = "explain"
"""The action in the audit."""


@dataclass(frozen=True, slots=True)
class ExplainDecisions:
    """Each explanation follows an entry in the audit: what cannot be audited is not shown."""

    find: FindCustomer
    history: History
    suppressions: Suppressions
    audit: Audit
    leads: Leads | None = None
    zone_of_journey: ZoneOfJourney = no_zone

    def of_customer(self, name: str, *, by: str, why: str, now: datetime, time_zone: str = "") -> CustomerExplanation:
        """On the customer's own clock, else in this zone, else in that of the journey that did something last.

        Raises the errors of FindCustomer.
        """
        customer = self.find(name)
        entries = self.history.entries(customer.id)
        return self.of(customer, entries, by=by, why=why, now=now, time_zone=time_zone)

    def of(  # noqa: PLR0913  what `of_customer` takes, and what was loaded
        self,
        customer: Customer,
        entries: Sequence[Mapping[str, Any]],
        *,
        by: str,
        why: str,
        now: datetime,
        time_zone: str = "",
    ) -> CustomerExplanation:
        """A customer who was loaded, with the entries of the timeline."""
        self.audit.write(AuditEntry(now, by, EXPLAIN, customer.id, why))
        suppressed = self.suppressions.current(addresses_of(customer.profile.view()))
        lead = explain_lead(self.leads.rules, customer.profile, now) if self.leads else None
        zone = time_zone or self.zone_of_journey(last_journey(entries))
        return explain_customer(customer, suppressed, entries, lead=lead, time_zone=zone)

    def of_message(self, message: str, name: str = "", *, by: str, why: str, now: datetime) -> MessageExplanation:
        """By the message's id, or the audit id of one of its decisions. Raises the errors of FindCustomer."""
        message_id, _, _ = message.strip().partition(".")
        customer = self.find.of_message(message_id, name)
        explained = explain_message(message_id, customer, self.history.entries(customer.id), self.zone_of_journey)
        if explained is None:
            raise UnknownMessageError("nothing was decided on that message yet, or its record has expired")
        self.audit.write(AuditEntry(now, by, EXPLAIN, message_id, why, {"customer": customer.id}))
        return explained
