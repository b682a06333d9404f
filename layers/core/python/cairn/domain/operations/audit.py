"""The audit log: who changed or read what, when and why. Written with the change, before the reading; never edited."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from cairn.domain.operations.actor import identity_of
from cairn.domain.shared.hashing import short_hash
from cairn.domain.shared.instants import instant_to_wire


@dataclass(frozen=True, slots=True)
class AuditEntry:
    """One action of a person, or of an automatic operator, on a deployment."""

    at: datetime
    actor: str
    """The signed-in person, with their identity (an Actor), or the name of the automatic operator."""
    action: str
    """`stop`, `start`, `explain`, `export` …"""
    target: str
    reason: str
    detail: Mapping[str, Any] = field(default_factory=dict)
    stored_id: str = field(default="", compare=False)
    """The id under which it was found. That of an older entry was made of fewer parts."""

    @property
    def identity(self) -> Mapping[str, str]:
        """What AWS knows of the actor: account, role, session, user id."""
        return identity_of(self.actor)

    @property
    def id(self) -> str:
        """Sorts by time; the same action reported twice is one entry, and two that differ in anything are two."""
        at, detail = instant_to_wire(self.at), json.dumps([dict(self.identity), dict(self.detail)], sort_keys=True)
        parts = (self.actor, self.action, self.target, self.reason, detail)
        return self.stored_id or f"{at}#{short_hash(at, *parts, length=10)}"
