"""What a member hears about a task. How it gets there is the sender's matter."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum


class NotificationKind(StrEnum):
    """As it is stored and queued."""

    ASSIGNED = "assigned"
    REMINDER = "reminder"
    OVERDUE = "overdue"
    ESCALATED = "escalated"
    REASSIGNED = "reassigned"
    UNSTAFFED = "unstaffed"
    """Nobody works in the queue before the task is due."""


@dataclass(frozen=True, slots=True)
class MemberNotification:
    """Ids alone: no queue stores personal data. The sender reads the rest when it writes the text."""

    id: str
    """The same however often it is queued."""
    kind: NotificationKind
    member: str
    """A member's id."""
    task: str
    customer: str
    at: datetime
