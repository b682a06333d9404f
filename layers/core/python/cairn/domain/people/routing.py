"""How a task finds its owner: one pure choice, and why it was made."""

from dataclasses import dataclass

from cairn.domain.people.members import Work
from cairn.domain.shared.hashing import short_hash


@dataclass(frozen=True, slots=True)
class Assignment:
    """Who gets a task. With no owner, `why` says what kept each member from it."""

    owner: str
    why: str
    queue: str
    """Where the task is now: a branch or a fallback of the queue that was asked for."""
    work: Work | None = None
    """The owner's work, as the choice was made."""
    share: int = 0
    """The owner's share of the queue's work, with this task."""


def deal_hash(key: str, value: str) -> str:
    """The name under which a deal is stored: the value itself is the customer's."""
    return short_hash("deal", key, value.strip().casefold(), length=24)
