"""Who turned what, when and why: written down in the same moment, and never changed."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from cairn.domain.shared.hashing import short_hash
from cairn.domain.shared.instants import instant_to_wire


@dataclass(frozen=True, slots=True)
class AuditEntry:
    """One thing that a person, or what acts for people, did to a deployment."""

    at: datetime
    actor: str
    """Whoever is signed in; for what acts by itself, its name."""
    action: str
    """`stop`, `start`, `pause`, `resume` …"""
    target: str
    reason: str
    detail: Mapping[str, Any] = field(default_factory=dict)

    @property
    def id(self) -> str:
        """Sorts by time; the same thing told twice is one entry."""
        at = instant_to_wire(self.at)
        return f"{at}#{short_hash(at, self.actor, self.action, self.target, self.reason, length=10)}"
