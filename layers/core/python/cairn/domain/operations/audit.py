"""The audit log: who changed what, when and why. Written with the change, and never edited."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from cairn.domain.shared.hashing import short_hash
from cairn.domain.shared.instants import instant_to_wire


@dataclass(frozen=True, slots=True)
class AuditEntry:
    """One action of a person, or of an automatic operator, on a deployment."""

    at: datetime
    actor: str
    """The signed-in person, or the name of the automatic operator."""
    action: str
    """`stop`, `start`, `pause`, `resume` …"""
    target: str
    reason: str
    detail: Mapping[str, Any] = field(default_factory=dict)

    @property
    def id(self) -> str:
        """Sorts by time; the same action reported twice is one entry."""
        at = instant_to_wire(self.at)
        return f"{at}#{short_hash(at, self.actor, self.action, self.target, self.reason, length=10)}"
