"""What the gate can say of a message, and every reason that it can give."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any

from cairn.domain.shared.channels import Channel


class Reason(StrEnum):
    """Why a message goes out, waits or is dropped. The list is closed, and every decision has exactly one of these."""

    # It goes out.
    GRANTED = "granted"
    IMPLIED = "implied"
    ANSWER = "answer"

    # It waits.
    PAUSED = "paused"
    REVIEW = "review"
    ORDER = "order"
    QUIET_HOURS = "quiet_hours"
    CLOSED_DAY = "closed_day"
    PREFERRED_HOUR = "preferred_hour"
    CAP = "cap"
    COOLDOWN = "cooldown"
    RATE = "rate"

    # It is dropped.
    KILL_SWITCH = "kill_switch"
    ENDED = "ended"
    NO_ADDRESS = "no_address"
    SUPPRESSED_ADDRESS = "suppressed_address"
    OPTED_OUT = "opted_out"
    NO_CONSENT = "no_consent"
    UNCONFIRMED = "unconfirmed"
    FORBIDDEN = "forbidden"
    SESSION_OVER = "session_over"
    UNREGISTERED = "unregistered"
    STALE = "stale"
    NO_LEGAL_HOUR = "no_legal_hour"
    REJECTED = "rejected"
    UNREVIEWED = "unreviewed"
    LATE = "late"


Why = Mapping[str, Any]
"""What the decision rests on, in JSON: no address and no name, so that it can be kept and shown."""


@dataclass(frozen=True, slots=True)
class Send:
    channel: Channel
    address: str
    reason: Reason
    why: Why = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Defer:
    """Not now. At `until` it is decided anew, on what holds then."""

    until: datetime | None
    """None: when somebody resumes what is paused."""
    reason: Reason
    why: Why = field(default_factory=dict)
    paused_target: str = ""
    """What is paused: the message is found again by it."""


@dataclass(frozen=True, slots=True)
class Suppress:
    reason: Reason
    why: Why = field(default_factory=dict)


Verdict = Send | Defer | Suppress
