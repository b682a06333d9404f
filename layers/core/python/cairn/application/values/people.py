"""Tasks, and the members who do them."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import datetime

    from cairn.domain.people.members import Deal, Override, Work
    from cairn.domain.people.task import Task


@dataclass(frozen=True, slots=True)
class Staff:
    """What an assignment needs to know of members, in one read."""

    work: Mapping[str, Work]
    """By member; one who never had a task is missing."""
    overrides: Mapping[str, Override]
    deals: Mapping[str, Deal] = field(default_factory=dict)
    """By hash, those that are registered, perhaps no longer valid."""
    task: Task | None = None
    """The task as it is stored already."""


@dataclass(frozen=True, slots=True)
class TaskPage:
    tasks: Sequence[Task]
    after: str = ""
    """What the next page is asked for with; empty where there is none."""


@dataclass(frozen=True, slots=True)
class MemberOverrides:
    """What operators say about members."""

    of: Mapping[str, Override] = field(default_factory=dict)
    """By member."""
    version: int = 0


@dataclass(frozen=True, slots=True)
class Roster:
    """The members whom people.toml had when it was last looked at."""

    members: frozenset[str] = frozenset()
    removed: Mapping[str, datetime] = field(default_factory=dict)
    """Since when a member of before is none any more; for as long as they are looked at."""
