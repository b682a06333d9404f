"""Members of audiences, page by page, and when an audience was filled."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from datetime import datetime

    from cairn.domain.profile.profile import Profile


@dataclass(frozen=True, slots=True)
class Member:
    """A member of an audience, and where it stands in order."""

    customer: str
    position: str
    until: str = ""


@dataclass(frozen=True, slots=True)
class MemberPage:
    members: tuple[Member, ...]
    following: str | None
    """What gives the next page; None after the last one."""


@dataclass(frozen=True, slots=True)
class MemberCount:
    count: int
    """Of what was counted at once."""
    following: str | None


@dataclass(frozen=True, slots=True)
class FilledAudience:
    """When a version of an audience was filled with the customers that there were."""

    version: str
    at: datetime
    members: int
    """It found so many."""


@dataclass(frozen=True, slots=True)
class DrawnCustomers:
    profiles: tuple[Profile, ...]
    share: float
    """Of all customers, as the hash of their ids divides them; 1 for all of them, 0 where nothing could be read."""
