"""Consent, kept per channel and purpose. What is asked, by whom and how it was answered travels with each change."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any

from cairn.domain.shared.channels import Channel, Purpose


class ConsentStatus(StrEnum):
    GRANTED = "granted"
    DENIED = "denied"
    PENDING = "pending"  # asked to confirm (double opt-in); nobody is written to on the strength of it


class Method(StrEnum):
    """How a change came about: `method` in its evidence."""

    SINGLE_OPT_IN = "single_opt_in"
    DOUBLE_OPT_IN = "double_opt_in"
    IMPORT = "import"
    REPLY = "reply"
    STOP = "stop"
    START = "start"
    PREFERENCE_PAGE = "preference_page"
    ONE_CLICK = "one_click"
    API = "api"
    OPERATOR = "operator"


CONFIRMED = frozenset({Method.DOUBLE_OPT_IN, Method.PREFERENCE_PAGE, Method.REPLY, Method.START})
"""What only the owner of an address can have done: it counts as confirmed where a double opt-in is asked for."""


@dataclass(frozen=True, slots=True)
class ConsentChange:
    """A customer's word on one channel and purpose, with the proof of it (GDPR Art. 7(1)) in `evidence`.

    Evidence has what the source told, by these names where it tells them: `method`, `wording`, `wording_version`,
    `locale`, `actor`, `url`, `ip`.
    """

    channel: Channel
    purpose: Purpose
    status: ConsentStatus
    at: datetime
    source: str
    evidence: Mapping[str, Any] = field(default_factory=dict)

    @property
    def key(self) -> str:
        """What it supersedes. A question stands beside the answers, so that their order of arrival does not matter."""
        asked = f":{self.status}" if self.status is ConsentStatus.PENDING else ""
        return f"{self.channel}:{self.purpose}{asked}"

    @property
    def confirmed(self) -> bool:
        return self.evidence.get("method") in CONFIRMED


def latest(left: ConsentChange | None, right: ConsentChange) -> ConsentChange:
    """The later word counts; of two at the same instant, the denial does; of two alike, always the same one."""
    if left is None:
        return right
    return max(left, right, key=_weight)


def _weight(change: ConsentChange) -> tuple[datetime, bool, str, str]:
    proof = json.dumps(change.evidence, sort_keys=True, default=str)
    return change.at, change.status is ConsentStatus.DENIED, change.source, proof
