"""What messages and work cost, as the policy was compiled with."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from cairn.domain.shared.channels import Channel


@dataclass(frozen=True, slots=True)
class Prices:
    """In USD, for each."""

    email: float
    push: float
    whatsapp: float
    sms: Mapping[str, float]
    """Of one part, by country; a country that is missing costs as much as the dearest."""
    minute: float = 0.0
    """Of a member's work."""

    def of_messages(self, rows: Iterable[Mapping[str, Any]]) -> float:
        return sum(self._of(row) for row in rows)

    def _of(self, row: Mapping[str, Any]) -> float:
        if row["channel"] == Channel.SMS:
            dearest = max(self.sms.values(), default=0.0)
            return float(max(row["parts"] or 0, row["messages"]) * self.sms.get(row["country"], dearest))
        each = {Channel.EMAIL: self.email, Channel.PUSH: self.push, Channel.WHATSAPP: self.whatsapp}.get(
            row["channel"], 0.0
        )
        return float(row["messages"] * each)
