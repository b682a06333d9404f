"""A message in the inbox that the business's own app or site shows: it waits there until its reader comes."""

import re
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

SHOWN_FOR = "30d"
"""How long a message is shown where its template does not say."""

LONGEST_SHOWN = timedelta(days=365)

SAFE_LINK = re.compile(r"https://[^\s\\<>\"'`]+|/(?![/\\])[^\s\\<>\"'`]*")
"""Where a button may lead: a web address, or a path of the business's own site."""


class InAppStatus(StrEnum):
    """What its reader did. It only moves forward, by rank: what comes late, or twice, changes nothing."""

    NEW = "new"
    SEEN = "seen"
    """Its title was in a list that the reader looked at; it counts as unread no more."""
    OPENED = "opened"
    CLICKED = "clicked"
    DISMISSED = "dismissed"
    """It is shown no more."""

    @property
    def rank(self) -> int:
        return list(InAppStatus).index(self)

    @property
    def is_reported(self) -> bool:
        """Whether it becomes an event of the customer: `message.opened`. That a list was looked at says little."""
        return self.rank > InAppStatus.SEEN.rank


@dataclass(frozen=True, slots=True)
class InAppMessage:
    id: str
    """In the inbox. The ids of one inbox sort by the time at which their messages were decided."""
    message: str
    """The id of the message itself."""
    customer: str
    sent_at: datetime
    expires_at: datetime
    title: str
    text: str
    link: str = ""
    button: str = ""
    status: InAppStatus = InAppStatus.NEW

    def is_shown(self, now: datetime) -> bool:
        return now < self.expires_at and self.status is not InAppStatus.DISMISSED


def inbox_id(message: str, decided_at: datetime) -> str:
    """The same for each attempt to send the message, so that it is stored once."""
    return f"{int(decided_at.timestamp() * 1000):013d}-{message}"
