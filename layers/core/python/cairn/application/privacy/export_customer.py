"""Export a customer: everything that is kept about them, as one JSON document (GDPR Art. 15 and 20)."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from cairn.application.ports import CustomerExport
from cairn.domain.shared.instants import instant_to_wire

VERSION = 1
"""Of the document's shape, which docs/privacy.md describes."""


@dataclass(frozen=True, slots=True)
class ExportCustomer:
    everything: CustomerExport

    def __call__(self, customer_id: str, now: datetime) -> dict[str, Any]:
        """The document. Raises UnknownCustomerError, or ErasedCustomerError where nothing is left to tell."""
        told = {"version": VERSION, "exported_at": instant_to_wire(now)}
        return told | self.everything.about(customer_id)
