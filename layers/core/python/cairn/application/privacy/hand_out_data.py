"""Hand out data: a copy of everything about a customer, and a line in the audit that says who took it."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from cairn.application.customer.find_customer import FindCustomer
from cairn.application.ports import Audit
from cairn.application.privacy.export_customer import ExportCustomer
from cairn.domain.operations.audit import AuditEntry


@dataclass(frozen=True, slots=True)
class HandOutData:
    find: FindCustomer
    export: ExportCustomer
    audit: Audit

    def __call__(self, name: str, *, by: str, why: str, now: datetime) -> dict[str, Any]:
        """Raises as FindCustomer does."""
        customer = self.find(name)
        self.audit.write(AuditEntry(now, by, "export", customer.id, why))
        return self.export(customer.id, now)
