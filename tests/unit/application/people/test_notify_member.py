"""Notifications of members: once, later at night, not at all where it no longer holds, together where wished."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from cairn.application.people.notify_member import NotifyMember, NotifyOutcome
from cairn.application.values.webhooks import Reply
from cairn.domain.people.members import Member, NotifyBy, People, Queue, WebhookForm
from cairn.domain.people.notification import MemberNotification, NotificationKind
from cairn.domain.people.task import Priority, Task, TaskStatus
from cairn.domain.policy import WebhookEndpoint
from cairn.domain.shared.errors import WebhookEndpointError, WebhookUnreachableError

NOON = datetime(2026, 11, 27, 12, tzinfo=UTC)
NIGHT = datetime(2026, 11, 27, 23, tzinfo=UTC)
MORNING = datetime(2026, 11, 28, 7, tzinfo=UTC)


def member(**changes: Any) -> Member:
    return replace(
        Member("ana", "Ana", email="ana@n.example", phone="+12015550123", notify_by=NotifyBy.EMAIL), **changes
    )


@dataclass
class Fakes:
    """A member and tasks, and what was sent."""

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

    def notify(self, one: MemberNotification, now: datetime) -> NotifyOutcome:
        own: Any = self
        notify = NotifyMember(
            people=People({"sales": Queue("sales", "Sales")}, {"ana": self.ana}),
            tasks=own,
            notified=own,
            channels=own,
            webhooks=own,
            endpoints={"slack": WebhookEndpoint(name="slack", url="https://h.example", secret="slack")},
            link=lambda task, who, _: f"https://l.example/{task.id}/{who}",
            later=lambda one, at, _: self.queued.append((one, at)),
        )
        return notify(one, now)


def task(name: str = "t", owner: str = "ana") -> Task:
    return Task(name, "c_1", "sales", f"Call {name}", NOON, NOON + timedelta(hours=4), owner=owner)


def text(
    at: datetime = NOON, *, kind: NotificationKind = NotificationKind.ASSIGNED, of: str = "t"
) -> MemberNotification:
    return MemberNotification(f"{of}-n", kind, "ana", of, "c_1", at)


def test_by_day_at_once() -> None:
    fakes = Fakes(tasks=[task()])
    assert fakes.notify(text(), NOON) is NotifyOutcome.SENT
    assert fakes.sent == [("ana@n.example", "A task for you: Call t")]


def test_at_night_in_the_morning_however_urgent() -> None:
    fakes = Fakes(tasks=[replace(task(), priority=Priority.URGENT)])
    assert fakes.notify(text(NIGHT), NIGHT) is NotifyOutcome.LATER
    assert fakes.queued == [(text(NIGHT), MORNING)]
    assert fakes.notify(text(NIGHT), MORNING) is NotifyOutcome.SENT


@pytest.mark.parametrize(
    "present",
    [
        [],
        [task(owner="ben")],
        [replace(task(), status=TaskStatus.DONE)],
        [replace(task(), status=TaskStatus.WITHDRAWN)],
    ],
)
def test_nothing_that_is_no_longer_so(present: list[Task]) -> None:
    fakes = Fakes(tasks=present)
    assert fakes.notify(text(), NOON) is NotifyOutcome.STALE
    assert fakes.sent == []


def test_that_nobody_works_concerns_people_who_do_not_have_it() -> None:
    fakes = Fakes(tasks=[task(owner="")])
    assert fakes.notify(text(kind=NotificationKind.UNSTAFFED), NOON) is NotifyOutcome.SENT


@pytest.mark.parametrize("ana", [member(notify_by=None), Member("ben", "Ben")])
def test_no_notification_for_members_who_want_none_or_are_not_there(ana: Member) -> None:
    fakes = Fakes(ana=ana, tasks=[task()])
    assert fakes.notify(replace(text(), member="ana" if ana.id == "ana" else "carl"), NOON) is NotifyOutcome.NOBODY


def test_all_of_a_period_once_also_where_each_is_delivered_twice() -> None:
    fakes = Fakes(ana=member(notify_every=timedelta(hours=1)), tasks=[task("a"), task("b"), task("c")])
    at, ends = NOON + timedelta(minutes=10), NOON + timedelta(hours=1)
    several = [text(at, of=name) for name in "abc"]
    assert {fakes.notify(one, at) for one in several} == {NotifyOutcome.LATER}
    assert {when for _, when in fakes.queued} == {ends}
    outcomes = [fakes.notify(one, ends) for one in several]
    assert outcomes == [NotifyOutcome.SENT, NotifyOutcome.TOGETHER, NotifyOutcome.TOGETHER]
    assert fakes.sent == [("ana@n.example", "3 tasks for you")]
    assert fakes.notify(several[1], ends) is NotifyOutcome.TOGETHER


def test_by_text() -> None:
    fakes = Fakes(ana=member(notify_by=NotifyBy.SMS), tasks=[task()])
    fakes.notify(text(), NOON)
    assert fakes.sent[0][1].splitlines()[-1] == "https://l.example/t/ana"


@pytest.mark.parametrize(
    ("status", "error"),
    [(200, None), (404, WebhookEndpointError), (429, WebhookUnreachableError), (503, WebhookUnreachableError)],
)
def test_by_webhook(status: int, error: type[Exception] | None) -> None:
    ana = member(notify_by=NotifyBy.WEBHOOK, webhook="slack", webhook_form=WebhookForm.SLACK)
    fakes = Fakes(ana=ana, tasks=[task()], status=status)
    if error:
        with pytest.raises(error, match="slack answered"):
            fakes.notify(text(), NOON)
    else:
        assert fakes.notify(text(), NOON) is NotifyOutcome.SENT
    assert "Call t" in fakes.posted[0]["text"]


def test_an_endpoint_that_is_not_there_is_named() -> None:
    fakes = Fakes(ana=member(notify_by=NotifyBy.WEBHOOK, webhook="teams"), tasks=[task()])
    with pytest.raises(WebhookEndpointError, match="no webhook endpoint teams"):
        fakes.notify(text(), NOON)
