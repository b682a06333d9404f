"""Promise 8: a pause loses no customer, and the resume decides how paused customers continue."""

from collections import Counter
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import count, pairwise
from pathlib import Path
from typing import Any

import pytest

from bench.calls import Call, watched
from cairn.adapters.dynamodb.items import AUDIT, MESSAGE, PAUSED, RecordItem
from cairn.adapters.dynamodb.paused_work import DynamoPausedWork
from cairn.adapters.dynamodb.switches import DynamoSwitches
from cairn.application.operations.switch import Switch
from cairn.domain.effects import PauseEnrollment
from cairn.domain.operations.pauses import PausePolicy
from cairn.domain.shared.instants import duration
from cairn.settings import RESUME_EVERY, SWITCH_TTL

KEEP, ACTIVE_TIME, RESTART, SKIP_IF_LATE, SPREAD = PausePolicy
DAY = timedelta(days=1)
HOUR = timedelta(hours=1)
START = datetime.fromisoformat("2026-03-02T14:00:00+00:00")
SOON = RESUME_EVERY + SWITCH_TTL + timedelta(minutes=1)
"""Within this time after a resume all paused work is resumed; a schedule may take a minute more."""

COURSE = """
journey: course
description: A text at once, an e-mail after three days, another text a day later.
time_zone: America/New_York
entry: {event: trial.signup, again: never}
steps:
  - id: hello
    send: {channel: sms, template: hello, purpose: transactional}
  - id: three-days
    wait: WAIT
  - id: tips
    send: {channel: email, template: tips, purpose: transactional}
  - id: a-day
    wait_for: {event: visit.attended, timeout: 1d, then: [{id: came, exit: came}]}
  - id: offer
    send: {channel: sms, template: offer, purpose: transactional}
"""
TEXTS = {
    "hello.sms.txt": "Hello {{ profile.first_name }}",
    "offer.sms.txt": "An offer",
    "tips.email.html": "---\nsubject: Three tips\n---\n<p>Tips</p>",
}


@dataclass(frozen=True)
class Course:
    """The story of a course, and of an operator who pauses and resumes it."""

    story: Any

    def joins(self, number: int) -> None:
        self.story.signs_up(number)

    def until(self, length: str) -> None:
        """Let time pass until this long after the start."""
        self.story.deployment.advance_to(START + duration(length))

    def pause(self, target: str = "journey:course", **more: Any) -> None:
        Switch(DynamoSwitches()).pause(target, by="ada", why="a wrong price", now=self.story.deployment.now(), **more)
        self.story.deployment.settle()

    def resume(self, target: str = "journey:course", **more: Any) -> None:
        Switch(DynamoSwitches()).resume(target, by="ada", why="mended", now=self.story.deployment.now(), **more)
        self.story.deployment.settle()

    def got(self, number: int) -> dict[str, timedelta]:
        """The steps whose messages a member got, and how long after the start."""
        lines = [line for line in self.story.timeline("message", of=f"member-{number}") if line["status"] == "sent"]
        return {line["step"]: datetime.fromisoformat(line["at"]) - START for line in lines}

    def sent(self) -> Counter[tuple[str, str]]:
        """The messages that providers accepted, by address and first word; each must be there once."""
        return Counter((one.address, one.text.split()[0]) for one in self.story.sent())

    def ended(self) -> dict[str, str]:
        return {line["customer"]: line["outcome"] for line in self.story.timeline("ended")}

    def paused_items(self, target: str = "journey:course") -> int:
        return len(list(RecordItem.by_index.query(PAUSED + target)))


@pytest.fixture
def begins(a_story: Any, tmp_path: Path) -> Any:
    def begin(wait: str = "3d") -> Course:
        folder = tmp_path / "journeys" / "course"
        (folder / "templates").mkdir(parents=True)
        (folder / "journey.yaml").write_text(COURSE.replace("WAIT", wait))
        for name, text in TEXTS.items():
            (folder / "templates" / name).write_text(text)
        return Course(a_story(folder.parent, at=START))

    return begin


@pytest.fixture
def course(begins: Any) -> Course:
    return begins()  # type: ignore[no-any-return]


# A pause of nine days. EARLY joined before it and is due during it; MEANWHILE joins and is due during it; LATE joins
# during it.

EARLY, MEANWHILE, LATE = 1, 2, 3


@pytest.fixture
def paused_for_nine_days(course: Course) -> Course:
    course.joins(EARLY)
    course.until("2d")
    course.pause()
    course.until("5d")
    course.joins(MEANWHILE)
    course.until("10d")
    course.joins(LATE)
    course.until("11d")
    return course


def test_during_a_pause_nobody_gets_a_message_and_nobody_is_lost(paused_for_nine_days: Course) -> None:
    course = paused_for_nine_days

    assert course.sent() == {("+12015550001", "Hello"): 1}
    assert course.ended() == {}
    assert course.paused_items() == 4, "two timers that were due, two texts of those who joined"
    deferred = [(line["customer"], line["step"], line["reason"]) for line in course.story.timeline("deferred")]
    assert deferred == [("member-2", "hello", "paused"), ("member-3", "hello", "paused")]


RESUMED, LATER_BY_A_DAY = 11 * DAY, 12 * DAY


@pytest.mark.parametrize(
    ("policy", "early", "meanwhile", "late"),
    [
        (
            KEEP,
            {"hello": 0 * DAY, "tips": RESUMED, "offer": RESUMED + DAY},
            {"hello": RESUMED, "tips": RESUMED, "offer": RESUMED + DAY},
            {"hello": RESUMED, "tips": 13 * DAY, "offer": 14 * DAY},
        ),
        (
            ACTIVE_TIME,
            {"hello": 0 * DAY, "tips": 12 * DAY, "offer": 13 * DAY},
            {"hello": RESUMED, "tips": 14 * DAY, "offer": 15 * DAY},
            {"hello": RESUMED, "tips": 14 * DAY, "offer": 15 * DAY},
        ),
        (
            RESTART,
            {"hello": 0 * DAY, "tips": 14 * DAY, "offer": 15 * DAY},
            {"hello": RESUMED, "tips": 14 * DAY, "offer": 15 * DAY},
            {"hello": RESUMED, "tips": 14 * DAY, "offer": 15 * DAY},
        ),
        (
            SKIP_IF_LATE,
            {"hello": 0 * DAY, "offer": RESUMED + DAY},
            {"offer": RESUMED + DAY},
            {"tips": 13 * DAY, "offer": 14 * DAY},
        ),
    ],
)
def test_after_a_resume_everybody_continues_as_the_policy_says(
    paused_for_nine_days: Course,
    policy: PausePolicy,
    early: dict[str, timedelta],
    meanwhile: dict[str, timedelta],
    late: dict[str, timedelta],
) -> None:
    course = paused_for_nine_days
    course.resume(policy=policy)
    course.until("30d")

    for number, wanted in ((EARLY, early), (MEANWHILE, meanwhile), (LATE, late)):
        got = course.got(number)
        assert list(got) == list(wanted), "all expected messages, in the journey's order"
        for step, at in wanted.items():
            assert at <= got[step] <= at + 2 * SOON, step
    assert set(course.sent().values()) == {1}
    assert course.ended() == dict.fromkeys(["member-1", "member-2", "member-3"], "completed")
    assert course.paused_items() == 0
    assert course.story.dead_letters("wakes") == course.story.dead_letters("messages") == []


def test_late_messages_and_waits_are_recorded_as_late(paused_for_nine_days: Course) -> None:
    paused_for_nine_days.resume(policy=SKIP_IF_LATE)
    paused_for_nine_days.until("12d")

    story = paused_for_nine_days.story
    assert {(one["customer"], one["step"], one["reason"]) for one in story.timeline("suppressed")} == {
        ("member-2", "hello", "late"),
        ("member-3", "hello", "late"),
    }
    assert {(one["customer"], one["step"]) for one in story.timeline("passed_over")} == {
        ("member-1", "three-days"),
        ("member-2", "three-days"),
    }


def test_many_customers_are_spread_over_the_window(course: Course) -> None:
    crowd = range(1, 9)
    for number in crowd:
        course.joins(number)
    course.until("2d")
    course.pause()
    course.until("11d")

    course.resume(policy=SPREAD, window=6 * HOUR)
    course.until("11d30m")
    at_first = sum("tips" in course.got(number) for number in crowd)
    course.until("15d")

    instants = sorted(course.got(number)["tips"] for number in crowd)
    assert at_first <= 2, "half an hour is a twelfth of the window"
    assert instants[0] >= RESUMED
    assert instants[-1] <= RESUMED + 6 * HOUR + SOON
    assert instants[-1] - instants[0] > 3 * HOUR
    assert max(after - before for before, after in pairwise(instants)) < 3 * HOUR
    assert course.sent() == Counter(
        {(where, what): 1 for n in crowd for where, what in zip(_addresses(n), ("Hello", "Three", "An"), strict=True)}
    )


def _addresses(number: int) -> tuple[str, str, str]:
    phone = f"+1201555{number:04d}"
    return phone, f"mia.{number}@example.com", phone


def test_spread_messages_keep_the_order_of_the_journey(paused_for_nine_days: Course) -> None:
    paused_for_nine_days.resume(policy=SPREAD, window=6 * HOUR)
    paused_for_nine_days.until("30d")

    got = paused_for_nine_days.got(MEANWHILE)
    assert list(got) == ["hello", "tips", "offer"]
    assert RESUMED <= got["hello"] <= got["tips"] <= RESUMED + 6 * HOUR + 2 * SOON


def test_the_policy_of_the_pause_applies_when_the_resume_names_none(course: Course) -> None:
    course.joins(1)
    course.until("2d")
    course.pause(policy=ACTIVE_TIME)
    course.until("11d")
    course.resume()
    course.until("30d")

    assert 12 * DAY <= course.got(1)["tips"] <= 12 * DAY + SOON


def test_a_wait_until_a_time_of_day_still_ends_at_that_time(begins: Any) -> None:
    course = begins("{at: '09:30', day: 3}")
    course.joins(1)
    course.until("2d")
    course.pause(policy=ACTIVE_TIME)
    course.until("11d1h")
    course.resume()
    course.until("30d")

    (tips,) = [line for line in course.story.timeline("message") if line["step"] == "tips"]
    assert tips["at"][:16] == "2026-03-15T13:30", "half past nine in New York, where summer time began meanwhile"


def test_events_during_a_pause_count(paused_for_nine_days: Course) -> None:
    course = paused_for_nine_days
    course.resume()
    course.until("11d1h")
    course.pause()
    course.story.happens("visit.attended", customer={"user_id": "member-1"})
    course.until("20d")

    assert course.ended() == {"member-1": "came"}, "events end an enrollment during a pause too"
    course.resume()
    course.until("30d")
    assert course.ended() == {"member-1": "came", "member-2": "completed", "member-3": "completed"}


def test_a_paused_channel_pauses_only_its_messages(course: Course) -> None:
    course.pause("channel:sms")
    course.joins(1)
    course.until("5d")
    assert course.story.sent() == [], "the tips wait behind the earlier text"

    course.resume("channel:sms")
    course.until("30d")

    assert list(course.got(1)) == ["hello", "tips", "offer"]
    assert course.ended() == {"member-1": "completed"}


def test_a_customer_under_two_pauses_waits_for_both(course: Course) -> None:
    course.joins(1)
    course.until("2d")
    course.pause()
    course.pause("all")
    course.until("5d")
    course.resume("all")
    course.until("6d")
    assert list(course.got(1)) == ["hello"]

    course.resume()
    course.until("6d1h")

    assert list(course.got(1)) == ["hello", "tips"]


def test_work_paused_after_the_resume_by_a_process_with_old_switches_continues_too(begins: Any) -> None:
    course = begins("10m")
    course.joins(1)
    course.story.passes("20s")
    course.joins(2)
    course.until("5m")
    course.pause()

    course.until("10m10s")  # the first timer came: process_event has read the pause
    course.resume()
    course.until("10m21s")  # the second timer came: process_event still uses the switches that it read
    assert course.paused_items() == 2
    course.until("1h")

    assert [list(course.got(number)) for number in (1, 2)] == [["hello", "tips"]] * 2
    assert course.paused_items() == 0


def test_work_that_the_relay_pauses_after_the_resume_continues_too(course: Course) -> None:
    course.joins(1)
    course.until("2d")
    course.pause()
    course.story.deployment.stop("relay_effects")
    course.until("4d")
    course.resume()
    course.until("5d")
    assert course.paused_items() == 0
    assert list(course.got(1)) == ["hello"]

    course.story.deployment.start("relay_effects")
    course.story.passes("10m")

    assert list(course.got(1)) == ["hello", "tips"]


class Crash(BaseException):
    """The process dies: no `except Exception` catches this."""


def _dying_at(deployment: Any, call_number: int, *, answered: bool) -> Any:
    """Kill the resuming function before or after the call of that number. Gives the calls."""
    sweep, left = deployment.handlers["sweep"], count(call_number, -1)

    def die(call: Call) -> None:
        if call.function == "sweep" and next(left) == 0:
            raise Crash

    def run(event: Any, context: Any) -> Any:
        try:
            return sweep(event, context)
        except Crash:
            return None

    deployment.handlers = {**deployment.handlers, "sweep": run}
    return watched(deployment, **{"after" if answered else "before": die})


def test_a_crash_at_any_call_of_the_resuming_function_loses_nobody(course: Course) -> None:
    deployment = course.story.deployment
    course.pause()
    course.resume()
    course.until("1h")
    deployment.stop("process_event")  # resumed work stays in its queue, to be counted
    deployment.stop("deliver_message")

    def resume_paused(call_number: int, *, answered: bool = False) -> list[Call]:
        DynamoPausedWork().add("c_a", call_number, PauseEnrollment("id", "enr", 1, "journey:course"), deployment.now())
        deferred = {"body": {"purpose": "marketing"}, "gsi1pk": f"{PAUSED}journey:course", "gsi1sk": str(call_number)}
        RecordItem("c_a", f"{MESSAGE}m", **deferred).save()
        with _dying_at(deployment, call_number, answered=answered) as calls:
            deployment.handlers["sweep"]({}, None)
        return [call for call in calls if call.function == "sweep"]

    def resumed() -> set[str]:
        found = [(queue, one) for queue in ("wakes", "marketing") for one in deployment.cloud.receive(queue, 10)]
        for queue, one in found:
            deployment.cloud.delete(queue, [one])
        return {one["Body"] for _, one in found}

    calls = resume_paused(1_000)
    whole = resumed()
    assert len(whole) == 2

    for call_number in range(len(calls)):
        for answered in (False, True):
            resume_paused(call_number, answered=answered)
            deployment.handlers["sweep"]({}, None)

            assert course.paused_items() == 0
            assert resumed() == whole, (calls[call_number], answered)


def test_a_customer_resumed_twice_gets_every_message_once(paused_for_nine_days: Course) -> None:
    course = paused_for_nine_days
    course.resume()
    with _dying_at(course.story.deployment, 5, answered=False) as calls:  # all work is queued, none is deleted yet
        course.until("11d4m")
        course.until("11d6m")
    assert [call.operation for call in calls if call.function == "sweep"][:6] == [
        *("GetItem", "Query", "SendMessageBatch", "SendMessage", "SendMessage", "BatchWriteItem")
    ]
    course.until("30d")

    assert course.ended() == dict.fromkeys(["member-1", "member-2", "member-3"], "completed")
    assert set(course.sent().values()) == {1}


def test_a_pause_and_a_resume_are_audited(course: Course) -> None:
    course.pause(policy=RESTART)
    course.until("1d")
    course.resume(policy=SPREAD, window=2 * HOUR)

    lines = [(item.at, item.body) for item in RecordItem.query(AUDIT)]
    who = {"who": "ada", "target": "journey:course"}
    assert lines == [
        ("2026-03-02T14:00:00Z", who | {"what": "pause", "why": "a wrong price", "policy": "restart"}),
        ("2026-03-03T14:00:00Z", who | {"what": "resume", "why": "mended", "policy": "spread", "window": "2:00:00"}),
    ]


def test_a_timer_of_a_paused_journey_makes_no_more_calls_than_any_other(course: Course) -> None:
    course.joins(1)
    course.until("2d")
    course.pause()
    with watched(course.story.deployment) as calls:
        course.until("3d30m")  # before the first daily look at paused work

    asked = [(call.function, call.operation) for call in calls]
    assert asked == [
        ("process_event", "Query"),
        ("process_event", "GetItem"),  # the switches, read once in half a minute
        ("process_event", "PutItem"),
        ("relay_effects", "BatchGetItem"),  # who was erased or merged since, in one read for all customers of a batch
        ("relay_effects", "PutItem"),  # the decision, and the paused work
        ("relay_effects", "PutItem"),
    ]


def test_the_local_deployment_skips_resume_runs_without_work(course: Course) -> None:
    """Otherwise sixty days on a laptop would include 17,000 runs that do nothing."""
    course.joins(1)
    with watched(course.story.deployment) as calls:
        course.until("30d")

    assert not [call for call in calls if call.function == "sweep"]
