"""Watch health: what is counted, whom a trip pauses, who is told of it and how often."""

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
        self.tallies, self.board, self.tasks, self.alert = DeliveryCounters(), SwitchBoard(), Tasks(), Alert()
        self.trips: list[Trip] = []
        self.watch = WatchHealth(
            self.tallies,
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
        return {one.pause.target: one.note.why for one in self.board.board().pauses if one.pause.on(now)}


@pytest.fixture
def watch() -> Watch:
    return Watch()


def test_an_outcome_counts_for_the_journey_and_for_the_channel(watch: Watch) -> None:
    watch.hears("delivered", 2)
    watch.hears("failed", channel="sms")

    assert watch.tallies == {
        ("journey:visit", bucket_of(MONDAY)): Counts(delivered=2, failed=1),
        ("channel:email", bucket_of(MONDAY)): Counts(delivered=2),
        ("channel:sms", bucket_of(MONDAY)): Counts(failed=1),
    }


@pytest.mark.parametrize("status", ["sent", "opened", "clicked", "held", "suppressed"])
def test_what_says_nothing_of_harm_does_not_count(watch: Watch, status: str) -> None:
    watch.hears(status)

    assert watch.tallies == {}


def test_what_no_sender_recorded_belongs_to_nothing(watch: Watch) -> None:
    watch.watch.count({}, "bounced", MONDAY, MONDAY)
    watch.hears("bounced", journey="")  # an answer to a STOP

    assert {target for target, _ in watch.tallies} == {"channel:email"}


def test_a_provider_whose_clock_is_ahead_is_heard_now(watch: Watch) -> None:
    watch.watch.count(RECORD, "bounced", MONDAY + timedelta(days=1), MONDAY)

    assert {at for _, at in watch.tallies} == {bucket_of(MONDAY)}


def test_what_does_badly_pauses_and_people_are_told_once_by_every_way(watch: Watch) -> None:
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


def test_what_is_paused_already_is_counted_and_not_judged(watch: Watch, monkeypatch: pytest.MonkeyPatch) -> None:
    watch.hears("complained", 3)
    monkeypatch.delattr(DeliveryCounters, "between")
    watch.hears("complained", 5)

    assert (len(watch.board.audit), len(watch.alert), len(watch.trips), len(watch.tasks)) == (2, 2, 2, 2)
    assert watch.tallies["journey:visit", bucket_of(MONDAY)].complained == 8


def _another_pauses(watch: Watch) -> Callable[[], Any]:
    return lambda: Switch(watch.board).pause("journey:visit", by="breaker", why="the same", now=MONDAY)


def test_of_two_who_find_the_same_only_the_one_who_paused_tells(watch: Watch) -> None:
    watch.hears("complained", 2, channel="")
    watch.board.meanwhile = _another_pauses(watch)

    watch.hears("complained", channel="")

    assert watch.paused() == {"journey:visit": "the same"}
    assert watch.alert == []
    assert watch.trips == []


def test_it_is_paused_and_counted_where_nobody_can_be_told(watch: Watch) -> None:
    def busy(*_: str) -> None:
        raise ServiceBusyError("sns is busy")

    watch.watch = replace(watch.watch, alert=busy)
    watch.hears("complained", 2, channel="")

    with pytest.raises(ServiceBusyError):
        watch.hears("complained", channel="")

    assert watch.paused().keys() == {"journey:visit"}
    assert len(watch.trips) == 1


def test_once_resumed_it_does_not_trip_from_what_was_counted_before(watch: Watch) -> None:
    watch.hears("complained", 3, channel="")
    soon, later = MONDAY + timedelta(minutes=1), MONDAY + 2 * BUCKET
    Switch(watch.board).resume("journey:visit", by="ada", why="mended", now=soon)

    watch.hears("complained", at=soon, channel="")
    watch.hears("complained", 2, at=later, channel="")
    assert watch.paused(later) == {}

    watch.hears("complained", at=later, channel="")
    assert watch.paused(later) == {"journey:visit": "complaints 100 % of 3 messages in 30 minutes, above 0.08 %"}
