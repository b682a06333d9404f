"""The consent record: what was said about writing to a customer, kept as it was told. It only grows."""

from dataclasses import dataclass
from datetime import datetime

from cairn.domain.consent.changes import ConsentChange
from cairn.domain.consent.suppression import SuppressionChange


@dataclass(frozen=True, slots=True)
class ConsentRecord:
    """One word on it, and who brought it to us. The customer's consents are what all of them together say."""

    reported_by: str
    """The source of the event; who collected it may be somebody else (`said.source`)."""
    change: ConsentChange | SuppressionChange

    @property
    def at(self) -> datetime:
        return self.change.at if isinstance(self.change, ConsentChange) else self.change.mark.at
