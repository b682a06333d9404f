"""The codes of the gate's reasons, which are stored with every message. reasons.py has the fields of each."""

from collections.abc import Mapping
from enum import StrEnum
from typing import Any


class Reason(StrEnum):
    """Why a message goes out, waits or is dropped. The list is closed, and every decision has exactly one of these."""

    # Sent
    GRANTED = "granted"
    IMPLIED = "implied"
    ANSWER = "answer"

    # Deferred
    PAUSED = "paused"
    IN_DOUBT = "in_doubt"
    REVIEW = "review"
    ORDER = "order"
    QUIET_HOURS = "quiet_hours"
    CLOSED_DAY = "closed_day"
    PREFERRED_HOUR = "preferred_hour"
    CAP = "cap"
    COOLDOWN = "cooldown"
    RATE = "rate"

    # Dropped
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
"""The wire form of a reason, in JSON: no address and no name, so that it can be stored and shown."""
