"""A member hears of tasks at a decent hour, together where wished, and nothing of a customer leaves with it."""

from datetime import UTC, datetime, time, timedelta
from zoneinfo import ZoneInfo

from hypothesis import given
from hypothesis import strategies as st

from cairn.domain.people.members import Member, NotifyBy, WebhookForm
from cairn.domain.people.notification import MemberNotification, NotificationKind
from cairn.domain.people.notification_texts import (
    MORNING,
    MOST_TOGETHER,
    NIGHT,
    Listed,
    batch_of,
    text_of,
    text_of_many,
    when_to_send,
)
from cairn.domain.people.task import Priority, Task
from cairn.domain.people.webhook_form import document_of

FIRST = datetime(2026, 1, 1)  # noqa: DTZ001  hypothesis adds the zone
INSTANTS = st.datetimes(FIRST, FIRST.replace(year=2028), timezones=st.just(UTC))
ZONES = st.sampled_from(["UTC", "America/New_York", "Europe/Madrid", "Asia/Kolkata", "Australia/Lord_Howe"])
PERIODS = st.sampled_from([None, timedelta(minutes=15), timedelta(hours=1), timedelta(hours=5), timedelta(days=1)])


def one(at: datetime, kind: NotificationKind = NotificationKind.ASSIGNED) -> MemberNotification:
    return MemberNotification("n", kind, "ana", "t", "c_1", at)


def task(title: str = "Call a new lead", due: datetime = datetime(2026, 11, 30, 16, tzinfo=UTC)) -> Task:
    return Task("t", "c_1", "sales", title, due - timedelta(hours=2), due)


@given(INSTANTS, ZONES, PERIODS, st.sampled_from(Priority))
def test_never_at_night_and_within_a_period_and_a_night(
    at: datetime, zone: str, every: timedelta | None, priority: Priority
) -> None:
    member = Member("ana", "Ana", notify_by=NotifyBy.EMAIL, notify_every=every)
    sent = when_to_send(member, one(at), priority, ZoneInfo(zone))
    assert MORNING <= sent.astimezone(ZoneInfo(zone)).time() < NIGHT
    assert at <= sent <= at + (every or timedelta()) + timedelta(hours=11)  # ten of the night, one of a clock
    if priority is Priority.URGENT and MORNING <= at.astimezone(ZoneInfo(zone)).time() < NIGHT:
        assert sent == at


@given(INSTANTS, INSTANTS, st.sampled_from([timedelta(minutes=15), timedelta(hours=1)]))
def test_all_of_one_period_come_at_its_end(first: datetime, second: datetime, every: timedelta) -> None:
    member = Member("ana", "Ana", notify_every=every)
    ends = batch_of(member, first)
    assert first <= ends < first + every
    if ends - every < second <= ends:
        assert batch_of(member, second) == ends


def test_the_night_of_a_change_of_clocks_ends_at_seven() -> None:
    member, madrid = Member("ana", "Ana"), ZoneInfo("Europe/Madrid")
    sent = when_to_send(member, one(datetime(2026, 10, 24, 22, tzinfo=UTC)), Priority.NORMAL, madrid)
    assert sent.astimezone(madrid).replace(tzinfo=None) == datetime(2026, 10, 25, 7)  # noqa: DTZ001  local
    assert time(7) == MORNING


def test_a_text_names_task_queue_due_time_and_link() -> None:
    listed = Listed(task(), "https://cairn.example/tasks/x")
    sent = text_of(NotificationKind.REMINDER, listed, "Sales", ZoneInfo("Europe/Madrid"))
    assert sent.subject == "Due soon: Call a new lead"
    assert sent.text.splitlines() == [sent.subject, "Sales, due Mon 30 Nov, 17:00.", "https://cairn.example/tasks/x"]


@given(st.integers(0, 60))
def test_a_list_says_how_many_it_leaves_out(number: int) -> None:
    listed = [Listed(task(f"Task {nth}"), f"https://cairn.example/{nth}") for nth in range(number)]
    sent = text_of_many(listed, ZoneInfo("UTC"))
    assert sent.text.count("https://") == min(number, MOST_TOGETHER)
    assert ("more" in sent.text) == (number > MOST_TOGETHER)


def test_webhooks_for_slack_and_teams() -> None:
    sent = text_of(
        NotificationKind.ASSIGNED, Listed(task("Call <b>A & B</b>"), "https://x.example"), "Sales", ZoneInfo("UTC")
    )
    slack = document_of(WebhookForm.SLACK, one(task().due_at), sent)
    assert slack == {
        "text": "A task for you: Call &lt;b&gt;A &amp; B&lt;/b&gt;\nSales, due Mon 30 Nov, 16:00.\nhttps://x.example"
    }
    (card,) = document_of(WebhookForm.TEAMS, one(task().due_at), sent)["attachments"]
    assert [block["text"] for block in card["content"]["body"]] == sent.text.splitlines()
    event = document_of(WebhookForm.EVENT, one(task().due_at), sent)
    assert (event["type"], event["data"]["task"]) == ("task.notification", "t")
