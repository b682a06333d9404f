"""When and in which words a member hears about tasks: never at night, together where wished, and without personal data.

The words name the task and link to its page: titles are written in journeys, and nothing of a customer stands in them.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta
from zoneinfo import ZoneInfo

from cairn.domain.people.members import Member
from cairn.domain.people.notification import MemberNotification, NotificationKind
from cairn.domain.people.task import Priority, Task
from cairn.domain.shared.instants import at_local

MORNING, NIGHT = time(7), time(21)
"""On the member's clock. Whatever comes between waits until the morning."""

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)

MOST_TOGETHER = 20
"""Tasks that one text lists; of more it says how many."""

INTRODUCED = {
    NotificationKind.ASSIGNED: "A task for you",
    NotificationKind.REMINDER: "Due soon",
    NotificationKind.OVERDUE: "Overdue",
    NotificationKind.ESCALATED: "Overdue, and yours now",
    NotificationKind.REASSIGNED: "Yours now",
    NotificationKind.UNSTAFFED: "Nobody works before it is due",
}

ABOUT_THE_OWNER = frozenset(NotificationKind) - {NotificationKind.UNSTAFFED}
"""What its owner hears, and nobody else any more once another one has the task."""


@dataclass(frozen=True, slots=True)
class Listed:
    """A task with the member's own link to its page."""

    task: Task
    url: str


@dataclass(frozen=True, slots=True)
class NotificationText:
    """As it is sent."""

    subject: str
    text: str


def when_to_send(member: Member, one: MemberNotification, priority: Priority, zone: ZoneInfo) -> datetime:
    """When a notification goes out: at once; at the end of the member's own period; never at night."""
    at = one.at if priority is Priority.URGENT else batch_of(member, one.at)
    local = at.astimezone(zone)
    if MORNING <= local.time() < NIGHT:
        return at
    day = local.date() if local.time() < MORNING else local.date() + timedelta(days=1)
    return at_local(day, MORNING, zone)


def batch_of(member: Member, at: datetime) -> datetime:
    """The end of the period in which the member hears of everything at once; the instant itself where there is none."""
    if not member.notify_every:
        return at
    return EPOCH + -(-(at - EPOCH) // member.notify_every) * member.notify_every


def text_of(kind: NotificationKind, one: Listed, queue: str, zone: ZoneInfo) -> NotificationText:
    """About one task."""
    subject = f"{INTRODUCED[kind]}: {one.task.title}"
    due = f"{queue}, due {_local(one.task.due_at, zone)}."
    return NotificationText(subject, f"{subject}\n{due}\n{one.url}")


def text_of_many(listed: Sequence[Listed], zone: ZoneInfo) -> NotificationText:
    """About all open tasks of a member, as they are."""
    number = len(listed)
    subject = f"{number} task{'s' * (number != 1)} for you"
    lines = [f"{one.task.title}, due {_local(one.task.due_at, zone)}\n{one.url}" for one in listed[:MOST_TOGETHER]]
    rest = [f"and {number - MOST_TOGETHER} more"] if number > MOST_TOGETHER else []
    return NotificationText(subject, "\n\n".join([subject, *lines, *rest]))


def _local(at: datetime, zone: ZoneInfo) -> str:
    return f"{at.astimezone(zone):%a %d %b, %H:%M}"
