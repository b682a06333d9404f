"""Export a customer: all stored data, as one JSON document (GDPR Art. 15 and 20)."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from cairn.application.customer.find_customer import FindCustomer
from cairn.application.ports import Audit
from cairn.domain.operations.audit import AuditEntry
from cairn.domain.shared.instants import instant_to_wire

EXPORT = "export"
"""The action in the audit."""

VERSION = 1
"""The version of the document's shape (docs/privacy.md)."""


@dataclass(frozen=True, slots=True)
class ExportCustomer:
    stored_data: Callable[[str], dict[str, Any]]
    """All stored data of a customer id, as JSON. Raises UnknownCustomerError or ErasedCustomerError."""

    def __call__(self, customer_id: str, now: datetime) -> dict[str, Any]:
        """The document. Raises UnknownCustomerError, or ErasedCustomerError where nothing is stored any more."""
        return {"version": VERSION, "exported_at": instant_to_wire(now)} | self.stored_data(customer_id)


@dataclass(frozen=True, slots=True)
class ExportForOperator:
    find: FindCustomer
    export: ExportCustomer
    audit: Audit

    def __call__(self, name: str, *, by: str, why: str, now: datetime) -> dict[str, Any]:
        """The document, after an entry in the audit. Raises the errors of FindCustomer."""
        customer = self.find(name)
        self.audit.write(AuditEntry(now, by, EXPORT, customer.id, why))
        return self.export(customer.id, now)
