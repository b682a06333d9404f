"""The consent record: what was said about writing to a customer, kept as it was told. It only grows."""

from dataclasses import dataclass
from datetime import datetime

from cairn.domain.consent.changes import ConsentChange
from cairn.domain.consent.suppression import SuppressionChange


@dataclass(frozen=True, slots=True)
class ConsentRecord:
    """One word on it, and who brought it to us. The customer's consents are what all of them together say."""

    told_by: str
    """The source of the event; who collected it may be somebody else (`said.source`)."""
    said: ConsentChange | SuppressionChange

    @property
    def at(self) -> datetime:
        return self.said.at if isinstance(self.said, ConsentChange) else self.said.mark.at
