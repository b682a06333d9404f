"""Show a customer as a lead to an operator."""

from dataclasses import dataclass
from datetime import datetime

from cairn.application.customer.find_customer import FindCustomer
from cairn.application.ports import Audit
from cairn.domain.customer.state import Customer
from cairn.domain.explain.leads import LeadExplanation, explain_lead
from cairn.domain.lead.leads import Leads
from cairn.domain.operations.audit import AuditEntry
from cairn.domain.shared.errors import NoLeadsError

SHOW_LEAD = "show_lead"
"""The action in the audit."""

NO_LEADS = "this deployment has no leads.toml, so nobody has a stage or a score (docs/people.md)"


@dataclass(frozen=True, slots=True)
class ShowLead:
    """It follows an entry in the audit: what cannot be audited is not shown."""

    find: FindCustomer
    audit: Audit
    leads: Leads | None = None

    def __call__(self, name: str, *, by: str, why: str, now: datetime) -> tuple[Customer, LeadExplanation]:
        """Raises the errors of FindCustomer, and NoLeadsError."""
        if self.leads is None:
            raise NoLeadsError(NO_LEADS)
        customer = self.find(name)
        self.audit.write(AuditEntry(now, by, SHOW_LEAD, customer.id, why))
        return customer, explain_lead(self.leads.rules, customer.profile, now)
