"""Promise 14: nobody waits without a live timer. A customer who has lost it is found, goes on once, and is counted."""

import json
from collections import Counter
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import ClientError

from bench.calls import Call, watched
from cairn import telemetry
from cairn.adapters.dynamodb.items import CONTACT, ENROLLED, PENDING_ERASURE, STATE, CustomerItem, RecordItem
from cairn.adapters.dynamodb.switches import DynamoSwitches
from cairn.adapters.sqs import backlog
from cairn.application.operations.switch import Switch
from cairn.domain.operations.pauses import PausePolicy
from cairn.settings import RESUME_EVERY
from functions.sweep import handler as sweep
from infra.local.faults.fault import is_read

EVENING = datetime(2026, 3, 3, 1, tzinfo=UTC)
"""20:00 in New York: a marketing e-mail may go out, a marketing text only in the morning."""

QUEUES = ("wakes", "messages", "marketing", "erasures", "notices", "feedback")

SOON = "3h"
"""Within this time of its due time everything that is stuck is found: the hour that is full, grace, and a run."""


@dataclass(frozen=True)
class Losses:
    """A story whose timers and queues can be lost, and what `sweep` reports."""

    story: Any
    reported: Counter[str] = field(default_factory=Counter)

    def passes(self, length: str) -> None:
        self.story.passes(length)

    def loses_timers(self) -> int:
        """All schedules are deleted; returns their number."""
        cloud = self.story.deployment.cloud
        names = list(cloud.schedules())
        for name in names:
            cloud.client("scheduler").delete_schedule(Name=name, GroupName=cloud.group)
        return len(names)

    def loses_queue(self, *queues: str) -> int:
        """All messages of these queues are gone, also those in delivery; returns their number."""
        from moto.sqs.models import sqs_backends

        from infra.local.shapes import ACCOUNT, REGION

        lost = 0
        for name in queues or QUEUES:
            queue = sqs_backends[ACCOUNT][REGION].queues[f"cairn-{name}"]
            lost += len(queue._messages)  # noqa: SLF001  SQS itself loses nothing before its retention
            queue._messages.clear()  # noqa: SLF001
            queue.pending_messages.clear()
        return lost

    def stops(self, *functions: str) -> None:
        for function in functions:
            self.story.deployment.stop(function)

    def starts(self, *functions: str) -> None:
        for function in functions:
            self.story.deployment.start(function)

    def texts(self) -> Counter[tuple[str, str]]:
        return Counter((one.address, one.text) for one in self.story.sent())

    def outcomes(self) -> dict[str, str]:
        return {line["customer"]: line["outcome"] for line in self.story.timeline("ended")}

    def pauses(self, target: str) -> None:
        Switch(DynamoSwitches()).pause(target, by="ada", why="a wrong price", now=self.story.deployment.now())

    def resumes(self, target: str) -> None:
        Switch(DynamoSwitches()).resume(target, by="ada", why="mended", now=self.story.deployment.now())

    def waiting(self) -> list[tuple[str, str]]:
        """The items that are listed by their due time."""
        return [(item.pk, item.sk) for n in range(16) for item in RecordItem.by_due_time.query(f"due#{n}")]


@pytest.fixture
def begins(a_story: Any, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Losses]:
    def begin(*given: Any, **more: Any) -> Losses:
        losses = Losses(a_story(*given, **more))

        def count(name: str, number: int = 1, **dimensions: str) -> None:
            losses.reported[dimensions.get("kind", name)] += number

        for module in (sweep, telemetry):
            monkeypatch.setattr(module, "count", count)
        return losses

    return begin


@pytest.fixture
def losses(begins: Any) -> Losses:
    return begins()  # type: ignore[no-any-return]


def test_who_has_lost_a_timer_goes_on_and_gets_nothing_twice(losses: Losses) -> None:
    losses.story.signs_up()
    losses.loses_timers()

    losses.passes("2h")
    assert losses.outcomes() == {}
    losses.passes(SOON)

    assert losses.outcomes() == {"member-1": "completed"}
    assert set(losses.texts().values()) == {1}
    assert len(losses.story.sent()) == 2
    assert losses.reported["enrollment"] == losses.reported["Stuck"] == 1


def test_who_has_lost_a_wake_up_on_its_queue_goes_on(losses: Losses) -> None:
    losses.story.signs_up()
    losses.stops("process_event")
    losses.passes("2h30m")
    assert losses.loses_queue("wakes") == 1, "as SQS does after its retention"
    losses.starts("process_event")

    losses.passes(SOON)

    assert losses.outcomes() == {"member-1": "completed"}
    assert set(losses.texts().values()) == {1}


def test_a_wake_up_that_is_only_late_is_not_done_twice(losses: Losses) -> None:
    losses.story.signs_up()
    losses.stops("process_event")
    losses.passes("2d")
    losses.starts("process_event")
    losses.passes("1d")

    assert losses.outcomes() == {"member-1": "completed"}
    assert set(losses.texts().values()) == {1}
    assert losses.reported["enrollment"] <= 7, "the longer it is late, the less often it is tried"
    assert losses.story.dead_letters("wakes") == []


def test_no_wake_ups_are_added_to_a_queue_that_is_behind(losses: Losses, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(backlog, "MANY", 5)
    for number in range(5):
        losses.story.signs_up(number)
    losses.stops("process_event")

    losses.passes("1d")

    assert losses.loses_queue("wakes") == 5
    assert losses.reported["enrollment"] == 0
    losses.starts("process_event")
    losses.passes("2d")
    assert losses.outcomes() == dict.fromkeys([f"member-{n}" for n in range(5)], "completed")


OFFERS = """
journey: offers
description: A marketing text, which waits for the morning, and a second one behind it.
time_zone: America/New_York
entry: {event: trial.signup, again: never}
steps:
  - id: offer
    send: {channel: sms, template: offer, purpose: marketing}
  - id: later
    send: {channel: sms, template: later, purpose: marketing}
  - id: months
    wait: 90d
"""


@pytest.fixture
def at_night(begins: Any, tmp_path: Path) -> Losses:
    """A shop whose offers wait for the morning."""
    folder = tmp_path / "journeys" / "offers"
    (folder / "templates").mkdir(parents=True)
    (folder / "journey.yaml").write_text(OFFERS)
    for name in ("offer", "later"):
        (folder / "templates" / f"{name}.sms.txt").write_text(f"Northside: {name}. Reply STOP to stop.")
    return begins(folder.parent, at=EVENING + timedelta(hours=2))  # type: ignore[no-any-return]


def test_a_deferred_message_that_has_lost_its_timer_is_sent_once(at_night: Losses) -> None:
    at_night.story.signs_up()
    assert at_night.texts() == {}
    assert at_night.loses_timers() >= 2

    at_night.passes("2d")

    assert sorted(at_night.texts().values()) == [1, 1]
    assert at_night.reported["message"] >= 1


def test_deferred_messages_whose_queue_was_lost_are_sent_once(at_night: Losses) -> None:
    at_night.story.signs_up()
    at_night.stops("deliver_message")
    at_night.passes("13h")
    assert at_night.loses_queue("marketing") >= 1
    at_night.starts("deliver_message")

    at_night.passes("1d")

    assert sorted(at_night.texts().values()) == [1, 1]


BUSY = ClientError({"Error": {"Code": "ThrottlingException"}}, "Publish")


def test_deferred_messages_that_wait_until_their_provider_is_in_order_are_not_stuck(at_night: Losses) -> None:
    """Each is one message of its queue all the time: copies would multiply the attempts, and what they cost."""

    def out_of_order(call: Call) -> None:
        if call.operation == "Publish":
            raise BUSY

    at_night.story.signs_up()
    with watched(at_night.story.deployment, before=out_of_order) as calls:
        at_night.passes("18h")  # until the afternoon
    attempts = sum(call.operation == "ChangeMessageVisibilityBatch" for call in calls)
    assert at_night.loses_queue("marketing") == 1
    assert at_night.reported["message"] == 0
    assert 10 < attempts < 60, "every eleven minutes or so, for seven hours of the day"

    at_night.passes("3d")

    assert sorted(at_night.texts().values()) == [1, 1], "what is lost after an attempt is found all the same"


def test_a_deferral_without_its_message_ends_and_is_reported(at_night: Losses) -> None:
    """The sender died between its two writes, and the queue lost the message."""
    at_night.story.signs_up()
    (customer,) = at_night.story.deployment.customer_ids("member-1")
    for item in list(RecordItem.query(customer, RecordItem.sk.startswith("message#"))):
        item.delete()
    at_night.loses_timers()

    at_night.passes("3d")

    contact = CustomerItem.get(customer, CONTACT)
    assert contact.deferrals.as_dict() == {}
    assert contact.gsi2sk is None
    assert at_night.reported["lost_message"] == 2


def test_a_settled_message_leaves_no_due_time_behind(at_night: Losses) -> None:
    at_night.story.signs_up()
    at_night.story.happens("consent.changed", customer={"user_id": "member-1"}, consent=[DENIED])
    at_night.passes("1d")

    assert at_night.texts() == {}
    assert [sk.startswith(ENROLLED) for _, sk in at_night.waiting()] == [True]
    assert at_night.reported["Stuck"] == 0


DENIED = {"channel": "sms", "purpose": "marketing", "status": "denied", "source": "form"}


def erases(story: Any, number: int = 1) -> str:
    """An operator orders an erasure; returns the customer's id."""
    (customer,) = story.deployment.customer_ids(f"member-{number}")
    body = json.dumps({"customer": customer, "why": "they asked"}).encode()
    answer = story.deployment.manage("POST", "https://localhost/manage/erase", {}, body, actor="ada")
    assert answer["statusCode"] < 300, answer
    story.deployment.settle()
    return str(customer)


def test_an_erasure_whose_order_was_lost_is_carried_out(losses: Losses) -> None:
    losses.story.signs_up()
    losses.stops("erase_customer")
    customer = erases(losses.story)
    assert losses.loses_queue("erasures") == 1
    losses.starts("erase_customer")

    losses.passes(SOON)

    left = {item.sk for item in RecordItem.query(customer)}
    assert left == {STATE}, "the tombstone"
    assert losses.reported["erasure"] == 1
    receipts = [item.body["what"] for item in RecordItem.query("audit")]
    assert receipts == ["order_erasure", "erase"], "one receipt"
    assert losses.waiting() == []


def test_an_erasure_that_waits_for_its_hour_is_not_ordered_twice(losses: Losses) -> None:
    losses.story.signs_up()
    customer = erases(losses.story)

    losses.passes("1d")

    assert {item.sk for item in RecordItem.query(customer)} == {STATE}
    assert losses.reported["erasure"] == 0


def test_nobody_is_stranded_when_all_timers_and_queues_are_lost_at_once(losses: Losses) -> None:
    """Customers at every point of the journey, one paused, one to be erased."""
    members = range(1, 13)
    for number in members:
        losses.story.signs_up(number)
        losses.passes("17m")
    losses.stops("erase_customer")
    erases(losses.story, 12)

    losses.loses_timers()
    losses.loses_queue()
    losses.starts("erase_customer")
    losses.passes("3d")

    assert losses.outcomes() == dict.fromkeys([f"member-{n}" for n in members[:-1]], "completed")
    assert set(losses.texts().values()) == {1}
    assert losses.reported["erasure"] == 1
    assert [line["sk"] for line in _of_customers(losses) if line["sk"] == PENDING_ERASURE] == []


def _of_customers(losses: Losses) -> list[dict[str, str]]:
    return [{"pk": pk, "sk": sk} for pk, sk in losses.waiting()]


COURSE = """
journey: course
description: A wait, and a text.
time_zone: America/New_York
entry: {event: trial.signup, again: never}
steps:
  - id: a-while
    wait: 3h
  - id: hello
    send: {channel: sms, template: hello, purpose: transactional}
"""


@pytest.fixture
def course(begins: Any, tmp_path: Path) -> Losses:
    folder = tmp_path / "journeys" / "course"
    (folder / "templates").mkdir(parents=True)
    (folder / "journey.yaml").write_text(COURSE)
    (folder / "templates" / "hello.sms.txt").write_text("Hello {{ profile.first_name }}")
    return begins(folder.parent)  # type: ignore[no-any-return]


def test_paused_customers_are_looked_at_once_a_day_and_never_woken(course: Losses) -> None:
    course.story.signs_up()
    course.passes("1h")
    course.pauses("journey:course")
    course.passes("3h")

    with watched(course.story.deployment) as calls:
        course.passes("10d")

    written = [call for call in calls if call.function == "sweep" and call.operation == "UpdateItem"]
    assert 9 <= len(written) <= 11
    assert not [call for call in calls if call.function == "process_event"]
    assert course.reported["Stuck"] == 0
    course.resumes("journey:course")
    course.passes("10m")
    assert course.outcomes() == {"member-1": "completed"}


@pytest.mark.parametrize("queue", ["wakes", "messages"])
def test_paused_work_whose_resume_was_lost_goes_on(course: Losses, queue: str) -> None:
    course.story.signs_up()
    course.passes("1h")
    course.pauses("journey:course" if queue == "wakes" else "channel:sms")
    course.passes("2d")
    course.stops("process_event" if queue == "wakes" else "deliver_message")
    course.resumes("journey:course" if queue == "wakes" else "channel:sms")
    course.passes("10m")
    assert course.loses_queue(queue) >= 1
    course.starts("process_event", "deliver_message")

    course.passes("1d3h")

    assert course.outcomes() == {"member-1": "completed"}
    assert list(course.texts().values()) == [1]


def test_customers_whose_waits_a_resume_has_moved_are_not_woken_before(course: Losses) -> None:
    """Their due instants are past, and their timers are set for later."""
    for number in range(3):
        course.story.signs_up(number)
    course.passes("1h")
    course.pauses("journey:course")
    course.passes("2d")
    Switch(DynamoSwitches()).resume(
        "journey:course",
        by="ada",
        why="mended",
        now=course.story.deployment.now(),
        policy=PausePolicy.ACTIVE_TIME,
    )
    course.passes("30m")

    with watched(course.story.deployment) as calls:
        course.story.deployment.handlers["sweep"]({}, None)
        course.passes("1h")
        course.story.deployment.handlers["sweep"]({}, None)

    assert not [call for call in calls if call.function == "process_event"]
    assert course.reported["Stuck"] == 0
    course.loses_timers()
    course.passes("6h")
    assert course.outcomes() == dict.fromkeys([f"member-{n}" for n in range(3)], "completed")
    assert set(course.texts().values()) == {1}


def test_each_of_many_paused_customers_costs_one_write_a_day(course: Losses) -> None:
    number = 100
    course.pauses("journey:course")
    course.story.signs_up()
    (customer,) = course.story.deployment.customer_ids("member-1")
    (one,) = CustomerItem.query(customer, CustomerItem.sk.startswith(ENROLLED))
    course.stops("sweep")
    course.passes("4h")
    with CustomerItem.batch_write() as batch:
        for copy in range(number - 1):
            batch.save(
                CustomerItem(
                    f"c_{copy}",
                    one.sk,
                    version=1,
                    enrollment=one.enrollment,
                    gsi2pk=f"due#{copy % 16}",
                    gsi2sk=one.gsi2sk,
                )
            )

    with watched(course.story.deployment) as calls:
        for _ in range(3):
            course.story.deployment.handlers["sweep"]({}, None)

    by_operation = Counter(call.operation for call in calls)
    assert by_operation["UpdateItem"] == number
    assert by_operation["SendMessageBatch"] == 0
    assert by_operation["Query"] <= 3 * 17 + number // 50


def test_a_run_with_nothing_to_find_reads_seventeen_empty_queries(losses: Losses) -> None:
    for number in range(5):
        losses.story.signs_up(number)

    with watched(losses.story.deployment) as calls:
        losses.story.deployment.handlers["sweep"]({}, None)

    read = {"GetItem": 1, "Query": 17, "GetQueueAttributes": 16, "BatchGetItem": 1}
    assert Counter(call.operation for call in calls) == read, "with the switches, each queue, and who is a member"


def test_an_item_that_cannot_be_read_hides_nobody_and_is_reported(losses: Losses) -> None:
    for number in range(3):
        losses.story.signs_up(number)
    (broken,) = losses.story.deployment.customer_ids("member-1")
    (item,) = CustomerItem.query(broken, CustomerItem.sk.startswith(ENROLLED))
    client = losses.story.deployment.cloud.client("dynamodb")
    client.update_item(
        TableName=losses.story.deployment.cloud.table,
        Key={"pk": {"S": broken}, "sk": {"S": item.sk}},
        UpdateExpression="SET enrollment = :broken",
        ExpressionAttributeValues={":broken": {"S": "{"}},
    )
    losses.loses_timers()

    with watched(losses.story.deployment):
        losses.stops("sweep")
        losses.story.deployment.clock.move_to(losses.story.deployment.now() + timedelta(hours=6))
        losses.story.deployment.handlers["sweep"]({}, None)
        losses.story.deployment.handlers["sweep"]({}, None)

    assert losses.reported["enrollment"] == 2
    assert losses.reported["unreadable"] == 1


def test_a_task_that_nobody_has_done_is_reported_once_a_day(losses: Losses) -> None:
    losses.story.signs_up()

    for _ in range(10 * 24):
        losses.passes("1h")
        losses.story.deployment.handlers["sweep"]({}, None)

    assert losses.outcomes() == {"member-1": "completed"}
    (task,) = losses.story.timeline("task")
    at_the_top = [line["at"] for line in task["history"] if line["what"] == "overdue at the top"]
    assert len(at_the_top) >= 5
    assert losses.reported["TaskOverdue"] == len(at_the_top)
    assert losses.reported["Stuck"] == 0


def test_a_run_that_has_no_time_left_is_continued_by_the_next(losses: Losses) -> None:
    for number in range(8):
        losses.story.signs_up(number)
    losses.loses_timers()
    losses.stops("sweep")
    losses.story.deployment.clock.move_to(losses.story.deployment.now() + timedelta(hours=6))

    class Hurried:
        asked = 0

        def get_remaining_time_in_millis(self) -> int:
            self.asked += 1
            return 60_000 if self.asked < 4 else 0

    found = []
    for _ in range(40):
        losses.story.deployment.handlers["sweep"]({}, Hurried())
        found.append(losses.reported["enrollment"])
        losses.story.deployment.clock.move_to(losses.story.deployment.now() + RESUME_EVERY)
        if found[-1] == 8:
            break

    assert found[0] < 8
    assert found[-1] == 8


class Crash(BaseException):
    """The process dies."""


def test_a_crash_at_any_call_of_a_run_strands_nobody(course: Losses) -> None:
    """For each call and both sides of it another customer, found by a run that dies there, and by the next."""
    deployment = course.story.deployment
    course.stops("sweep")

    def finds(number: int, call_number: int | None, side: str) -> list[Call]:
        course.story.signs_up(number)
        course.loses_timers()
        deployment.clock.move_to(deployment.now() + timedelta(hours=6))
        left = [call_number]

        def die(_: Call) -> None:
            left[0] = None if left[0] is None else left[0] - 1
            if left[0] == -1:
                raise Crash

        with watched(deployment, **{side: die}) as calls, suppress(Crash):
            deployment.handlers["sweep"]({}, None)
        deployment.handlers["sweep"]({}, None)
        deployment.settle()
        return calls

    plan = finds(1, None, "after")
    points = [n for n, call in enumerate(plan) if call.operation != "Query"]
    points = points[:7]  # its own work, and the first look at the queues, which changes nothing
    assert all(is_read(call.operation) for call in plan[points[-1] :])
    crashes = [(point, side) for point in points for side in ("before", "after")]
    for number, (point, side) in enumerate(crashes, 2):
        finds(number, point, side)

    assert [plan[point].operation for point in points] == [
        *("GetItem", "BatchGetItem", "GetItem", "GetQueueAttributes", "SendMessageBatch", "UpdateItem"),
        "GetQueueAttributes",
    ]
    assert course.outcomes() == dict.fromkeys([f"member-{n}" for n in range(1, 2 + len(crashes))], "completed")
    assert set(course.texts().values()) == {1}
