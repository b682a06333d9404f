"""Promise 8: pausing loses nobody, and whoever resumes says what becomes of those who waited."""

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
"""Within this time after a resume everybody is looked at; a schedule may take a minute more."""

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
    """The story of a course, and somebody who pauses and resumes it."""

    story: Any

    def joins(self, number: int) -> None:
        self.story.signs_up(number)

    def until(self, length: str) -> None:
        """Let time pass until so long after the start."""
        self.story.deployment.advance_to(START + duration(length))

    def pause(self, target: str = "journey:course", **more: Any) -> None:
        Switch(DynamoSwitches()).pause(target, by="ada", why="a wrong price", now=self.story.deployment.now(), **more)
        self.story.deployment.settle()

    def resume(self, target: str = "journey:course", **more: Any) -> None:
        Switch(DynamoSwitches()).resume(target, by="ada", why="mended", now=self.story.deployment.now(), **more)
        self.story.deployment.settle()

    def got(self, number: int) -> dict[str, timedelta]:
        """What a member got, and how long after the start."""
        told = [line for line in self.story.timeline("message", of=f"member-{number}") if line["status"] == "sent"]
        return {line["step"]: datetime.fromisoformat(line["at"]) - START for line in told}

    def sent(self) -> Counter[tuple[str, str]]:
        """What providers took, by address and first word; each is to be there once."""
        return Counter((one.address, one.text.split()[0]) for one in self.story.sent())

    def ended(self) -> dict[str, str]:
        return {line["customer"]: line["outcome"] for line in self.story.timeline("ended")}

    def parked(self, target: str = "journey:course") -> int:
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


# Nine days. The first joined before and is due in the pause, the second joins and is due in it, the third joins in it.

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


def test_while_it_lasts_nobody_gets_anything_and_everybody_is_still_there(paused_for_nine_days: Course) -> None:
    course = paused_for_nine_days

    assert course.sent() == {("+12015550001", "Hello"): 1}
    assert course.ended() == {}
    assert course.parked() == 4, "two timers that were due, two texts of those who joined"
    held = [(line["customer"], line["step"], line["reason"]) for line in course.story.timeline("deferred")]
    assert held == [("member-2", "hello", "paused"), ("member-3", "hello", "paused")]


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
def test_on_resuming_everybody_goes_on_as_the_policy_says(
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
        assert list(got) == list(wanted), "all that is wanted, in the journey's order"
        for step, at in wanted.items():
            assert at <= got[step] <= at + 2 * SOON, step
    assert set(course.sent().values()) == {1}
    assert course.ended() == dict.fromkeys(["member-1", "member-2", "member-3"], "completed")
    assert course.parked() == 0
    assert course.story.dead_letters("wakes") == course.story.dead_letters("messages") == []


def test_what_is_late_says_so(paused_for_nine_days: Course) -> None:
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


def test_a_crowd_comes_back_over_the_window_and_not_at_once(course: Course) -> None:
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
    assert at_first <= 2, "it is a twelfth of the window"
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


def test_what_is_spread_keeps_the_order_of_a_journey(paused_for_nine_days: Course) -> None:
    paused_for_nine_days.resume(policy=SPREAD, window=6 * HOUR)
    paused_for_nine_days.until("30d")

    got = paused_for_nine_days.got(MEANWHILE)
    assert list(got) == ["hello", "tips", "offer"]
    assert RESUMED <= got["hello"] <= got["tips"] <= RESUMED + 6 * HOUR + 2 * SOON


def test_a_policy_of_the_pause_counts_where_none_is_given_on_resuming(course: Course) -> None:
    course.joins(1)
    course.until("2d")
    course.pause(policy=ACTIVE_TIME)
    course.until("11d")
    course.resume()
    course.until("30d")

    assert 12 * DAY <= course.got(1)["tips"] <= 12 * DAY + SOON


def test_a_time_of_day_stays_one(begins: Any) -> None:
    course = begins("{at: '09:30', day: 3}")
    course.joins(1)
    course.until("2d")
    course.pause(policy=ACTIVE_TIME)
    course.until("11d1h")
    course.resume()
    course.until("30d")

    (tips,) = [line for line in course.story.timeline("message") if line["step"] == "tips"]
    assert tips["at"][:16] == "2026-03-15T13:30", "half past nine in New York, where summer time began meanwhile"


def test_what_happens_meanwhile_counts(paused_for_nine_days: Course) -> None:
    course = paused_for_nine_days
    course.resume()
    course.until("11d1h")
    course.pause()
    course.story.happens("visit.attended", customer={"user_id": "member-1"})
    course.until("20d")

    assert course.ended() == {"member-1": "came"}, "paused or not"
    course.resume()
    course.until("30d")
    assert course.ended() == {"member-1": "came", "member-2": "completed", "member-3": "completed"}


def test_a_paused_channel_holds_its_messages_and_nothing_else(course: Course) -> None:
    course.pause("channel:sms")
    course.joins(1)
    course.until("5d")
    assert course.story.sent() == [], "the tips wait behind the text that was to come first"

    course.resume("channel:sms")
    course.until("30d")

    assert list(course.got(1)) == ["hello", "tips", "offer"]
    assert course.ended() == {"member-1": "completed"}


def test_whoever_waits_for_two_pauses_waits_for_both(course: Course) -> None:
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


def test_who_is_parked_after_the_resume_by_one_who_had_not_heard_of_it_goes_on_as_well(begins: Any) -> None:
    course = begins("10m")
    course.joins(1)
    course.story.passes("20s")
    course.joins(2)
    course.until("5m")
    course.pause()

    course.until("10m10s")  # the first one's timer came: process_event knows of the pause
    course.resume()
    course.until("10m21s")  # the second one's came: it still goes by what it read
    assert course.parked() == 2
    course.until("1h")

    assert [list(course.got(number)) for number in (1, 2)] == [["hello", "tips"]] * 2
    assert course.parked() == 0


def test_whose_parking_was_carried_out_after_the_resume_goes_on_as_well(course: Course) -> None:
    course.joins(1)
    course.until("2d")
    course.pause()
    course.story.deployment.stop("relay_effects")
    course.until("4d")
    course.resume()
    course.until("5d")
    assert course.parked() == 0
    assert list(course.got(1)) == ["hello"]

    course.story.deployment.start("relay_effects")
    course.story.passes("10m")

    assert list(course.got(1)) == ["hello", "tips"]


class Crash(BaseException):
    """The process dies: no `except Exception` of anybody gets to see it."""


def _dying(deployment: Any, place: int, *, answered: bool) -> Any:
    """A sweep's process dies before or after the call of that number; without one, it lives. Gives its calls."""
    sweep, left = deployment.handlers["sweep"], count(place, -1)

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


def test_a_crash_of_the_sweep_anywhere_forgets_nobody(course: Course) -> None:
    deployment = course.story.deployment
    course.pause()
    course.resume()
    course.until("1h")
    deployment.stop("process_event")  # what is set going stays in its queue, to be counted
    deployment.stop("deliver_message")

    def sweeps(place: int, *, answered: bool = False) -> list[Call]:
        DynamoPausedWork().add("c_a", place, PauseEnrollment("id", "enr", 1, "journey:course"), deployment.now())
        held = {"body": {"purpose": "marketing"}, "gsi1pk": f"{PAUSED}journey:course", "gsi1sk": str(place)}
        RecordItem("c_a", f"{MESSAGE}m", **held).save()
        with _dying(deployment, place, answered=answered) as calls:
            deployment.handlers["sweep"]({}, None)
        return [call for call in calls if call.function == "sweep"]

    def set_going() -> set[str]:
        found = [(queue, one) for queue in ("wakes", "marketing") for one in deployment.cloud.receive(queue, 10)]
        for queue, one in found:
            deployment.cloud.delete(queue, [one])
        return {one["Body"] for _, one in found}

    calls = sweeps(1_000)
    whole = set_going()
    assert len(whole) == 2

    for place in range(len(calls)):
        for answered in (False, True):
            sweeps(place, answered=answered)
            deployment.handlers["sweep"]({}, None)

            assert course.parked() == 0
            assert set_going() == whole, (calls[place], answered)


def test_whoever_is_set_going_twice_gets_everything_once(paused_for_nine_days: Course) -> None:
    course = paused_for_nine_days
    course.resume()
    with _dying(course.story.deployment, 5, answered=False) as calls:  # all are on their way, none is dismissed
        course.until("11d4m")
        course.until("11d6m")
    assert [call.operation for call in calls if call.function == "sweep"][:6] == [
        *("GetItem", "Query", "SendMessageBatch", "SendMessage", "SendMessage", "BatchWriteItem")
    ]
    course.until("30d")

    assert course.ended() == dict.fromkeys(["member-1", "member-2", "member-3"], "completed")
    assert set(course.sent().values()) == {1}


def test_whoever_paused_and_resumed_is_on_record(course: Course) -> None:
    course.pause(policy=RESTART)
    course.until("1d")
    course.resume(policy=SPREAD, window=2 * HOUR)

    told = [(item.at, item.body) for item in RecordItem.query(AUDIT)]
    who = {"who": "ada", "target": "journey:course"}
    assert told == [
        ("2026-03-02T14:00:00Z", who | {"what": "pause", "why": "a wrong price", "policy": "restart"}),
        ("2026-03-03T14:00:00Z", who | {"what": "resume", "why": "mended", "policy": "spread", "window": "2:00:00"}),
    ]


def test_a_timer_of_a_paused_journey_costs_no_more_than_any_other(course: Course) -> None:
    course.joins(1)
    course.until("2d")
    course.pause()
    with watched(course.story.deployment) as calls:
        course.until("4d")

    asked = [(call.function, call.operation) for call in calls]
    assert asked == [
        ("process_event", "Query"),
        ("process_event", "GetItem"),  # the switches, once in half a minute
        ("process_event", "PutItem"),
        ("relay_effects", "PutItem"),  # what was decided, and who waits
        ("relay_effects", "PutItem"),
    ]


def test_a_sweep_that_finds_nobody_is_none(course: Course) -> None:
    """A laptop's sixty days take no longer for the 17,000 sweeps of a deployment."""
    course.joins(1)
    with watched(course.story.deployment) as calls:
        course.until("30d")

    assert not [call for call in calls if call.function == "sweep"]
