"""Watch the queues: dead letters are found in each, and a queue is late that has old work."""

from datetime import timedelta

import pytest

from cairn.application.operations.watch_queues import DeadLettersLie, QueueIsLate, QueueUnwatched, WatchQueues
from cairn.domain.shared.errors import ServiceBusyError
from cairn.settings import LATE, LATE_ERASURE, LATE_MARKETING
from tests.unit.fakes import QueueAges, QueueDepths
from tests.unit.makers import MONDAY

SECOND = timedelta(seconds=1)
BUSY = ServiceBusyError("sqs is busy")


def test_the_dead_letters_of_each_queue_are_found() -> None:
    dead_letters = QueueDepths(events=0, wakes=2, stream=1)

    found = WatchQueues(dead_letters, QueueDepths(), QueueAges())(MONDAY)

    assert found == [DeadLettersLie("wakes", 2), DeadLettersLie("stream", 1)]


@pytest.mark.parametrize(
    ("queue", "limit"), [("events", LATE), ("effects", LATE), ("erasures", LATE_ERASURE), ("marketing", LATE_MARKETING)]
)
def test_a_queue_is_late_above_its_limit(queue: str, limit: timedelta) -> None:
    ages = QueueAges({queue: limit})
    watch = WatchQueues(QueueDepths(), QueueDepths({queue: 1}), ages)

    assert watch(MONDAY) == []
    ages.ages[queue] = limit + SECOND
    assert watch(MONDAY) == [QueueIsLate(queue, limit + SECOND)]


def test_nobody_asks_for_the_age_of_an_empty_queue() -> None:
    """Each question costs something."""
    ages = QueueAges(dict.fromkeys(("events", "wakes"), 10 * LATE))

    assert WatchQueues(QueueDepths(), QueueDepths(events=0, wakes=0), ages)(MONDAY) == []
    assert ages.asked == []
    assert WatchQueues(QueueDepths(), QueueDepths(events=0, wakes=3), ages)(MONDAY) == [QueueIsLate("wakes", 10 * LATE)]
    assert ages.asked == ["wakes"]


def test_a_queue_whose_age_nobody_knows_is_not_late() -> None:
    assert WatchQueues(QueueDepths(), QueueDepths(events=1), QueueAges())(MONDAY) == []


def test_a_queue_that_cannot_be_asked_hides_no_other() -> None:
    dead_letters = QueueDepths(events=BUSY, wakes=1)
    work = QueueDepths(events=BUSY, wakes=1)

    found = WatchQueues(dead_letters, work, QueueAges({"wakes": 2 * LATE}))(MONDAY)

    assert found == [
        QueueUnwatched("events", BUSY),
        DeadLettersLie("wakes", 1),
        QueueUnwatched("events", BUSY),
        QueueIsLate("wakes", 2 * LATE),
    ]


def test_dead_letters_are_found_where_nobody_knows_how_old_work_is() -> None:
    watch = WatchQueues(QueueDepths(wakes=1), QueueDepths(events=1, effects=1), QueueAges(refuses=BUSY))

    assert watch(MONDAY) == [
        DeadLettersLie("wakes", 1),
        QueueUnwatched("events", BUSY),
        QueueUnwatched("effects", BUSY),
    ]
