"""A task for a person, and its life: opened, assigned, claimed, reminded of, passed on, done or withdrawn."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any, Self

from cairn.domain.shared.hashing import short_hash

DONE_EVENT, WITHDRAWN_EVENT, OVERDUE_EVENT = "task.done", "task.withdrawn", "task.overdue"
"""The types of the events of a customer that a task makes."""

COMES_BACK = frozenset({"again", "called_back"})
"""Entries of the history by which a task comes back to its owner. Their `why` is the outcome."""

IN_WORDS: Mapping[str, str] = {"again": "comes back later", "called_back": "comes back when the customer chose"}
"""For people, the entries of the history whose names do not say it."""

CONVERSATION = "cairn.conversation"
"""The reason of the task about a customer's conversation: no reason of a journey has a dot."""


def id_of(customer: str, reason: str) -> str:
    """The id of the one task about a customer that has this reason."""
    return f"{customer}-{short_hash(reason)}"


class TaskKind(StrEnum):
    CALL = "call"
    VISIT = "visit"
    REVIEW = "review"
    APPROVE = "approve"
    TICKET = "ticket"
    TODO = "todo"


class Priority(StrEnum):
    URGENT = "urgent"
    NORMAL = "normal"
    LOW = "low"


class TaskStatus(StrEnum):
    """As it is stored."""

    OPEN = "open"
    DONE = "done"
    WITHDRAWN = "withdrawn"


@dataclass(frozen=True, slots=True)
class Wanted:
    """By what a task finds its member: what was known of the customer when it was opened."""

    owner: str = ""
    """The id of the member who looks after the customer."""
    language: str = ""
    skills: frozenset[str] = frozenset()
    country: str = ""
    region: str = ""
    postal_code: str = ""
    latitude: float | None = None
    longitude: float | None = None
    member: str = ""
    """The only member who may have it: a registered deal's partner."""
    deals: tuple[str, ...] = ()
    """The hashes of the keys by which a deal may be registered (routing.deal_hash), the most important first."""
    source: str = ""
    """Where the customer came from: for the measures of a team."""
    at_work: str = ""
    """The id of the member who had an open task about the customer when this one was opened."""


@dataclass(frozen=True, slots=True)
class Entry:
    """A line of a task's history, its audit: who did what, when, and why."""

    at: datetime
    by: str
    """A member's id, an operator, or `cairn`."""
    what: str
    """`opened`, `assigned`, `claimed`, `reminded`, `reassigned`, `escalated`, `called_back`, `noted`, `done`, …"""
    owner: str = ""
    """The member who has the task since."""
    why: str = ""


@dataclass(frozen=True, slots=True)
class Task:
    id: str
    customer: str
    queue: str
    title: str
    opened_at: datetime
    due_at: datetime
    kind: TaskKind = TaskKind.TODO
    priority: Priority = Priority.NORMAL
    status: TaskStatus = TaskStatus.OPEN
    owner: str = ""
    """The id of the member who has it; empty: nobody yet, which its history explains."""
    claimed_at: datetime | None = None
    """When its owner began to work on it."""
    journey: str = ""
    enrollment: str = ""
    step: str = ""
    reason: str = ""
    """Of two tasks with one reason about one customer, the second is not opened while the first is open."""
    script: str = ""
    time_zone: str = ""
    """That of its journey, for a customer whose own is not known; empty: UTC."""
    context: Mapping[str, Any] = field(default_factory=dict)
    wanted: Wanted = field(default_factory=Wanted)
    due: timedelta | None = None
    """The time allowed, in working hours."""
    sequence: int = 0
    """The number of its timers; one with another number is stale."""
    remind_at: datetime | None = None
    """When its owner is reminded: before it is due, or when it comes back."""
    next_at: datetime | None = None
    """When it is passed on, if nobody has done it by then."""
    passed: int = 0
    """How often its time has run out since it was last due."""
    reassigned: int = 0
    """How often it went to another member of the same queue."""
    escalated: int = 0
    """How often it went up."""
    asked: str = ""
    """The queue that it was opened for, where it lies in another one now. Its outcomes are those of this queue."""
    tries: int = 0
    """How often it came back, because nobody answered or a callback was wished."""
    enrollments: tuple[str, ...] = ()
    """Further enrollments that asked for it, for the same reason, each with its step: `<id>/<step>`."""
    outcome: str = ""
    done_by: str = ""
    done_at: datetime | None = None
    answers: Mapping[str, Any] = field(default_factory=dict)
    """What a script's walk has brought."""
    notes: tuple[Entry, ...] = ()
    history: tuple[Entry, ...] = ()
    version: int = 0
    """How often it was written. Only the store counts."""
    listed_as: str = ""
    """Its name in its owner's list, which a merge of customers does not change. Only the store gives it."""

    @property
    def is_open(self) -> bool:
        return self.status is TaskStatus.OPEN

    @property
    def opened_for(self) -> str:
        """The queue that it was opened for, wherever it lies now."""
        return self.asked or self.queue

    def in_queue(self, queue: str) -> Self:
        """The task in this queue: a branch, a fallback, or the next one in the chain."""
        asked = "" if queue == self.opened_for else self.opened_for
        return self if (queue, asked) == (self.queue, self.asked) else replace(self, queue=queue, asked=asked)
