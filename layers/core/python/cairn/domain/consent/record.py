"""The consent records of a customer: every change of consent or of its proof. None is ever changed or removed.

A statement that only repeats the one in force, word for word, is no further record.
"""

from dataclasses import dataclass
from datetime import datetime

from cairn.domain.consent.changes import ConsentChange
from cairn.domain.consent.suppression import SuppressionChange


@dataclass(frozen=True, slots=True)
class ConsentRecord:
    """One change, and the source that reported it. All records together give the customer's consent."""

    reported_by: str
    """The source of the event; another system may have collected the consent (`change.source`)."""
    change: ConsentChange | SuppressionChange

    @property
    def at(self) -> datetime:
        return self.change.at if isinstance(self.change, ConsentChange) else self.change.mark.at
