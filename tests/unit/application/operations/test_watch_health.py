"""Watch health: counting, pausing, and one alert per trip."""

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import pytest

from cairn.application.operations.switch import Switch
from cairn.application.operations.watch_health import OPERATIONS, WatchHealth
from cairn.domain.operations.breaker import BUCKET, Counts, Trip, bucket_of
from cairn.domain.policy import Breaker
from cairn.domain.shared.errors import ServiceBusyError
from tests.unit.fakes import Alert, DeliveryCounters, SwitchBoard, Tasks
from tests.unit.makers import MONDAY

RECORD = {"journey": "visit", "channel": "email", "step": "hello", "body": "Dear Ada"}


class Watch:
    """The outside world, and the watch."""

    def __init__(self) -> None:
        self.counters, self.board, self.tasks, self.alert = DeliveryCounters(), SwitchBoard(), Tasks(), Alert()
        self.trips: list[Trip] = []
        self.watch = WatchHealth(
            self.counters,
            self.board,
            self.tasks,
            self.alert.send,
            Breaker(minimum=3),
            on_trip=self.trips.append,
        )

    def hears(self, status: str, times: int = 1, at: datetime = MONDAY, **record: Any) -> None:
        for _ in range(times):
            self.watch.count({**RECORD, **record}, status, at, at)

    def paused(self, now: datetime = MONDAY) -> dict[str, str]:
        return {one.pause.target: one.record.why for one in self.board.board().pauses if one.pause.is_active(now)}


@pytest.fixture
def watch() -> Watch:
    return Watch()


def test_an_outcome_counts_for_the_journey_and_for_the_channel(watch: Watch) -> None:
    watch.hears("delivered", 2)
    watch.hears("failed", channel="sms")

    assert watch.counters == {
        ("journey:visit", bucket_of(MONDAY)): Counts(delivered=2, failed=1),
        ("channel:email", bucket_of(MONDAY)): Counts(delivered=2),
        ("channel:sms", bucket_of(MONDAY)): Counts(failed=1),
    }


@pytest.mark.parametrize("status", ["sent", "opened", "clicked", "held", "suppressed"])
def test_opens_and_clicks_do_not_count(watch: Watch, status: str) -> None:
    watch.hears(status)

    assert watch.counters == {}


def test_an_unrecorded_message_is_not_counted(watch: Watch) -> None:
    watch.watch.count({}, "bounced", MONDAY, MONDAY)
    watch.hears("bounced", journey="")  # an answer to a STOP

    assert {target for target, _ in watch.counters} == {"channel:email"}


def test_a_report_from_the_future_counts_now(watch: Watch) -> None:
    watch.watch.count(RECORD, "bounced", MONDAY + timedelta(days=1), MONDAY)

    assert {at for _, at in watch.counters} == {bucket_of(MONDAY)}


def test_too_many_failures_pause_the_target_and_alert_once(watch: Watch) -> None:
    watch.hears("complained", 3)

    why = "complaints 100 % of 3 messages in 30 minutes, above 0.08 %"
    assert watch.paused() == {"journey:visit": why, "channel:email": why}
    assert [(one.actor, one.action, one.reason) for one in watch.board.audit] == [("breaker", "pause", why)] * 2
    assert watch.trips == [Trip("journey:visit", why), Trip("channel:email", why)]
    assert [subject for subject, _ in watch.alert] == [
        "Cairn has paused journey:visit",
        "Cairn has paused channel:email",
    ]
    assert all(why in text for _, text in watch.alert)
    tasks = [task for _, task in watch.tasks.values()]
    assert {(task.queue, task.context["target"]) for task in tasks} == {
        (OPERATIONS, "journey:visit"),
        (OPERATIONS, "channel:email"),
    }


def test_a_paused_target_is_counted_but_not_evaluated(watch: Watch, monkeypatch: pytest.MonkeyPatch) -> None:
    watch.hears("complained", 3)
    monkeypatch.delattr(DeliveryCounters, "between")
    watch.hears("complained", 5)

    assert (len(watch.board.audit), len(watch.alert), len(watch.trips), len(watch.tasks)) == (2, 2, 2, 2)
    assert watch.counters["journey:visit", bucket_of(MONDAY)].complained == 8


def _another_pauses(watch: Watch) -> Callable[[], Any]:
    return lambda: Switch(watch.board).pause("journey:visit", by="breaker", why="the same", now=MONDAY)


def test_only_the_process_that_paused_sends_the_alert(watch: Watch) -> None:
    watch.hears("complained", 2, channel="")
    watch.board.meanwhile = _another_pauses(watch)

    watch.hears("complained", channel="")

    assert watch.paused() == {"journey:visit": "the same"}
    assert watch.alert == []
    assert watch.trips == []


def test_a_failed_alert_keeps_the_pause_and_the_count(watch: Watch) -> None:
    def busy(*_: str) -> None:
        raise ServiceBusyError("sns is busy")

    watch.watch = replace(watch.watch, alert=busy)
    watch.hears("complained", 2, channel="")

    with pytest.raises(ServiceBusyError):
        watch.hears("complained", channel="")

    assert watch.paused().keys() == {"journey:visit"}
    assert len(watch.trips) == 1


def test_after_a_resume_earlier_counts_do_not_trip(watch: Watch) -> None:
    watch.hears("complained", 3, channel="")
    soon, later = MONDAY + timedelta(minutes=1), MONDAY + 2 * BUCKET
    Switch(watch.board).resume("journey:visit", by="ada", why="mended", now=soon)

    watch.hears("complained", at=soon, channel="")
    watch.hears("complained", 2, at=later, channel="")
    assert watch.paused(later) == {}

    watch.hears("complained", at=later, channel="")
    assert watch.paused(later) == {"journey:visit": "complaints 100 % of 3 messages in 30 minutes, above 0.08 %"}
