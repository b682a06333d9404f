"""Changes of a customer's consent, for each channel and purpose, with their evidence."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any

from cairn.domain.shared.channels import Channel, Purpose
from cairn.domain.shared.instants import instant_from_wire


class ConsentStatus(StrEnum):
    GRANTED = "granted"
    DENIED = "denied"
    PENDING = "pending"  # the customer was asked to confirm (double opt-in); this allows no message yet
    IN_DOUBT = "in_doubt"  # a reply may be a STOP; a person decides (domain/privacy/opt_outs)


QUESTIONS = frozenset({ConsentStatus.PENDING, ConsentStatus.IN_DOUBT})
"""Neither consent nor denial: each has a key of its own, beside the answer's."""

STATED = frozenset(ConsentStatus) - {ConsentStatus.IN_DOUBT}
"""What a source may report."""


class Method(StrEnum):
    """How the customer made the change: `method` in its evidence."""

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
"""Only the owner of an address can do these: they count as confirmed where policy asks for a double opt-in."""


@dataclass(frozen=True, slots=True)
class ConsentChange:
    """A customer's choice for one channel and purpose, with the proof (GDPR Art. 7(1)) in `evidence`.

    Evidence is what the source sent. Known names are `method`, `wording`, `wording_version`, `locale`, `actor`, `url`
    and `ip`.
    """

    channel: Channel
    purpose: Purpose
    status: ConsentStatus
    at: datetime
    source: str
    evidence: Mapping[str, Any] = field(default_factory=dict)

    @property
    def key(self) -> str:
        """A change replaces an older one with the same key. Questions and answers have two keys, so they may swap."""
        asked = f":{self.status}" if self.status in QUESTIONS else ""
        return f"{self.channel}:{self.purpose}{asked}"

    def repeats(self, other: "ConsentChange") -> bool:
        """Whether it says the same with the same proof: status, source, and all the evidence, such as the wording."""
        return (self.key, self.status, self.source) == (other.key, other.status, other.source) and (
            dict(self.evidence) == dict(other.evidence)
        )

    @property
    def until(self) -> datetime | None:
        """Of a reply that may be a STOP: when it counts as one without a decision. None where it was decided."""
        until = self.evidence.get("until")
        return instant_from_wire(until) if self.status is ConsentStatus.IN_DOUBT and until else None

    @property
    def confirmed(self) -> bool:
        return self.evidence.get("method") in CONFIRMED


def latest(left: ConsentChange | None, right: ConsentChange) -> ConsentChange:
    """The later change; at the same instant the denial, then the decision about a doubt, then the doubt.

    Of two alike, always the same one.
    """
    if left is None:
        return right
    return max(left, right, key=_weight)


def _weight(change: ConsentChange) -> tuple[datetime, int, str, str]:
    proof = json.dumps(change.evidence, sort_keys=True, default=str)
    if change.status is ConsentStatus.IN_DOUBT:
        return change.at, 1 if change.until else 2, change.source, proof
    return change.at, 3 if change.status is ConsentStatus.DENIED else 0, change.source, proof
