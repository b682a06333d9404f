"""Telling a member: once, later at night, not at all where it no longer holds, together where wished."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from cairn.application.people.notify_member import NotifyMember, NotifyOutcome
from cairn.application.ports import Reply
from cairn.domain.people.members import Member, People, Queue, TellBy, WebhookForm
from cairn.domain.people.notification import MemberNotification, NotificationKind
from cairn.domain.people.task import Priority, Task, TaskStatus
from cairn.domain.policy import WebhookEndpoint
from cairn.domain.shared.errors import WebhookEndpointError, WebhookUnreachableError

NOON = datetime(2026, 11, 27, 12, tzinfo=UTC)
NIGHT = datetime(2026, 11, 27, 23, tzinfo=UTC)
MORNING = datetime(2026, 11, 28, 7, tzinfo=UTC)


def member(**changes: Any) -> Member:
    return replace(Member("ana", "Ana", email="ana@n.example", phone="+12015550123", tell_by=TellBy.EMAIL), **changes)


@dataclass
class World:
    """What is there, and what was sent."""

    ana: Member = field(default_factory=member)
    tasks: list[Task] = field(default_factory=list)
    sent: list[tuple[str, str]] = field(default_factory=list)
    posted: list[Any] = field(default_factory=list)
    status: int = 200
    queued: list[tuple[MemberNotification, datetime]] = field(default_factory=list)
    periods: dict[datetime, str] = field(default_factory=dict)

    def load(self, _customer: str, task_id: str) -> Task | None:
        return next((one for one in self.tasks if one.id == task_id), None)

    def of_member(self, member_id: str) -> Sequence[Task]:
        return [one for one in self.tasks if one.owner == member_id and one.is_open]

    def first(self, _member: str, period_ends: datetime, notification: str, _now: datetime) -> bool:
        return self.periods.setdefault(period_ends, notification) == notification

    def email(self, address: str, subject: str, _text: str) -> None:
        self.sent.append((address, subject))

    def sms(self, number: str, text: str) -> None:
        self.sent.append((number, text))

    def post(self, _endpoint: Any, _id: str, document: Any, _now: datetime, _read: int = 0) -> Reply:
        self.posted.append(document)
        return Reply(self.status, "")

    def tell(self, one: MemberNotification, now: datetime) -> NotifyOutcome:
        own: Any = self
        notify = NotifyMember(
            people=People({"sales": Queue("sales", "Sales")}, {"ana": self.ana}),
            tasks=own,
            told=own,
            channels=own,
            webhooks=own,
            endpoints={"slack": WebhookEndpoint(name="slack", url="https://h.example", secret="slack")},
            link=lambda task, who, _: f"https://l.example/{task.id}/{who}",
            later=lambda one, at, _: self.queued.append((one, at)),
        )
        return notify(one, now)


def task(name: str = "t", owner: str = "ana") -> Task:
    return Task(name, "c_1", "sales", f"Call {name}", NOON, NOON + timedelta(hours=4), owner=owner)


def told(
    at: datetime = NOON, *, kind: NotificationKind = NotificationKind.ASSIGNED, of: str = "t"
) -> MemberNotification:
    return MemberNotification(f"{of}-n", kind, "ana", of, "c_1", at)


def test_by_day_at_once() -> None:
    world = World(tasks=[task()])
    assert world.tell(told(), NOON) is NotifyOutcome.SENT
    assert world.sent == [("ana@n.example", "A task for you: Call t")]


def test_at_night_in_the_morning_however_urgent() -> None:
    world = World(tasks=[replace(task(), priority=Priority.URGENT)])
    assert world.tell(told(NIGHT), NIGHT) is NotifyOutcome.LATER
    assert world.queued == [(told(NIGHT), MORNING)]
    assert world.tell(told(NIGHT), MORNING) is NotifyOutcome.SENT


@pytest.mark.parametrize(
    "present",
    [
        [],
        [task(owner="ben")],
        [replace(task(), status=TaskStatus.DONE)],
        [replace(task(), status=TaskStatus.WITHDRAWN)],
    ],
)
def test_nothing_that_holds_no_longer(present: list[Task]) -> None:
    world = World(tasks=present)
    assert world.tell(told(), NOON) is NotifyOutcome.STALE
    assert world.sent == []


def test_that_nobody_works_concerns_people_who_do_not_have_it() -> None:
    world = World(tasks=[task(owner="")])
    assert world.tell(told(kind=NotificationKind.UNSTAFFED), NOON) is NotifyOutcome.SENT


@pytest.mark.parametrize("ana", [member(tell_by=None), Member("ben", "Ben")])
def test_nobody_is_told_who_does_not_want_it_or_is_not_there(ana: Member) -> None:
    world = World(ana=ana, tasks=[task()])
    assert world.tell(replace(told(), member="ana" if ana.id == "ana" else "carl"), NOON) is NotifyOutcome.NOBODY


def test_all_of_a_period_once_also_where_each_is_delivered_twice() -> None:
    world = World(ana=member(tell_every=timedelta(hours=1)), tasks=[task("a"), task("b"), task("c")])
    at, ends = NOON + timedelta(minutes=10), NOON + timedelta(hours=1)
    several = [told(at, of=name) for name in "abc"]
    assert {world.tell(one, at) for one in several} == {NotifyOutcome.LATER}
    assert {when for _, when in world.queued} == {ends}
    outcomes = [world.tell(one, ends) for one in several]
    assert outcomes == [NotifyOutcome.SENT, NotifyOutcome.TOGETHER, NotifyOutcome.TOGETHER]
    assert world.sent == [("ana@n.example", "3 tasks for you")]
    assert world.tell(several[1], ends) is NotifyOutcome.TOGETHER


def test_by_text() -> None:
    world = World(ana=member(tell_by=TellBy.SMS), tasks=[task()])
    world.tell(told(), NOON)
    assert world.sent[0][1].splitlines()[-1] == "https://l.example/t/ana"


@pytest.mark.parametrize(
    ("status", "error"),
    [(200, None), (404, WebhookEndpointError), (429, WebhookUnreachableError), (503, WebhookUnreachableError)],
)
def test_by_webhook(status: int, error: type[Exception] | None) -> None:
    ana = member(tell_by=TellBy.WEBHOOK, webhook="slack", webhook_form=WebhookForm.SLACK)
    world = World(ana=ana, tasks=[task()], status=status)
    if error:
        with pytest.raises(error, match="slack answered"):
            world.tell(told(), NOON)
    else:
        assert world.tell(told(), NOON) is NotifyOutcome.SENT
    assert "Call t" in world.posted[0]["text"]


def test_an_endpoint_that_is_not_there_is_named() -> None:
    world = World(ana=member(tell_by=TellBy.WEBHOOK, webhook="teams"), tasks=[task()])
    with pytest.raises(WebhookEndpointError, match="no webhook endpoint teams"):
        world.tell(told(), NOON)
