"""Calendar invites: an entry of the customer's calendar, which an e-mail makes, and later ones move or cancel."""

from dataclasses import dataclass
from datetime import UTC, datetime

from cairn.domain.shared.hashing import short_hash
from cairn.domain.shared.instants import instant_to_wire

FIRST_SEQUENCE = datetime(2025, 1, 1, tzinfo=UTC)
LAST_SEQUENCE = 2**31 - 1
"""The largest INTEGER of iCalendar (RFC 5545, 3.3.8); `sequence_at` reaches it in 2059."""


@dataclass(frozen=True, slots=True)
class Invite:
    uid: str
    """Names the entry, always the same one."""
    sequence: int
    """Of two invites for one entry, calendars follow the one with more, whichever comes first."""
    starts: datetime | None
    """None only where it cancels the entry and the date is not known."""
    ends: datetime | None
    cancels: bool = False
    title: str = ""
    location: str = ""
    description: str = ""
    """The texts come from the e-mail's template: until it is rendered, there are none."""


def shown(invite: Invite) -> dict[str, str]:
    """What the timeline and a person see of it."""
    about = {
        "method": "cancel" if invite.cancels else "request",
        "title": invite.title,
        "starts": instant_to_wire(invite.starts) if invite.starts else "",
        "ends": instant_to_wire(invite.ends) if invite.ends else "",
        "location": invite.location,
    }
    return {name: text for name, text in about.items() if text}


def uid_of(journey: str, appointment: str, typed_by: str) -> str:
    """The same in every enrollment for an appointment, also after a merge of customers."""
    return short_hash("invite", journey, appointment, typed_by, length=32)


def sequence_at(as_of: datetime, *, cancels: bool) -> int:
    """The sequence of what was known at an instant: later knowledge has more, and so has a cancellation of that second.

    It comes from the data and not from the sending, so that calendars end up right in whatever order webhooks arrive.
    """
    seconds = int((as_of - FIRST_SEQUENCE).total_seconds())
    return min(max(2 * seconds + cancels, 0), LAST_SEQUENCE)
