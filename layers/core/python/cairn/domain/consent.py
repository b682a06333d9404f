"""Consent, kept per channel and purpose. What is asked, by whom and how it was answered travels with each change."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any


class Channel(StrEnum):
    SMS = "sms"
    EMAIL = "email"
    WHATSAPP = "whatsapp"
    PUSH = "push"


class Purpose(StrEnum):
    """Transactional: what the customer asked for (a ticket, a receipt). Marketing: everything else."""

    TRANSACTIONAL = "transactional"
    MARKETING = "marketing"


class ConsentStatus(StrEnum):
    GRANTED = "granted"
    DENIED = "denied"


@dataclass(frozen=True, slots=True)
class ConsentChange:
    """A customer's word on one channel and purpose, with the proof of it (GDPR Art. 7(1)) in `evidence`."""

    channel: Channel
    purpose: Purpose
    status: ConsentStatus
    at: datetime
    source: str
    evidence: Mapping[str, Any] = field(default_factory=dict)

    @property
    def key(self) -> str:
        return f"{self.channel}:{self.purpose}"


def latest(left: ConsentChange | None, right: ConsentChange) -> ConsentChange:
    """The later word counts; of two at the same instant, the denial does; of two alike, always the same one."""
    if left is None:
        return right
    return max(left, right, key=_weight)


def _weight(change: ConsentChange) -> tuple[datetime, bool, str, str]:
    proof = json.dumps(change.evidence, sort_keys=True, default=str)
    return change.at, change.status is ConsentStatus.DENIED, change.source, proof
