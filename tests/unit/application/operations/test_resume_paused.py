"""The sweep: who waits for what has been resumed is set going, once nobody can park it by an old reading."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace
from typing import Any

import pytest

from cairn.application.operations.resume_paused import ResumePaused
from cairn.application.operations.switch import Switch
from cairn.application.ports import PausedEnrollment, PausedMessage
from cairn.domain.shared.channels import Purpose
from cairn.domain.shared.errors import ServiceBusyError
from cairn.settings import SWITCH_TTL
from functions.sweep import handler
from functions.sweep.handler import ENOUGH_MS
from tests.unit.fakes import MessageQueue, PausedWorkStore, SwitchBoard, Wakes
from tests.unit.makers import MONDAY

HOUR = timedelta(hours=1)
TELLS: dict[str, Any] = {"by": "ada", "why": "a reason"}
KNOWN_TO_ALL = MONDAY + HOUR + SWITCH_TTL

ADA = PausedEnrollment("c_ada", "enr-1", 3, "parked#enr-1#4")
BOB = PausedEnrollment("c_bob", "enr-2", 1, "parked#enr-2#2")
NOTE = PausedMessage("c_ada", "enr-1-hello-1", Purpose.MARKETING, "2026-03-02T10:00:00Z")


@pytest.fixture
def board() -> SwitchBoard:
    """The journey was paused for an hour."""
    board = SwitchBoard()
    Switch(board).pause("journey:visit", **TELLS, now=MONDAY)
    Switch(board).resume("journey:visit", **TELLS, now=MONDAY + HOUR)
    return board


@pytest.fixture
def room() -> PausedWorkStore:
    return PausedWorkStore({"journey:visit": [ADA, NOTE, BOB]})


@pytest.fixture
def wakes() -> Wakes:
    return Wakes()


@pytest.fixture
def outbox() -> MessageQueue:
    return MessageQueue()


@pytest.fixture
def sweep(board: SwitchBoard, room: PausedWorkStore, wakes: Wakes, outbox: MessageQueue) -> ResumePaused:
    return ResumePaused(board, room, wakes.extend, outbox)


def sweeps(sweep: ResumePaused, now: datetime = KNOWN_TO_ALL, *, for_pages: int = 100) -> int:
    left = iter([True] * for_pages)
    return sweep(now, lambda: next(left, False))


def test_timers_and_messages_are_set_going_and_wait_no_longer(
    sweep: ResumePaused, room: PausedWorkStore, wakes: Wakes, outbox: MessageQueue
) -> None:
    assert sweeps(sweep) == 3

    assert wakes == [ADA, BOB]
    assert outbox.deferred == [("c_ada", "enr-1-hello-1", Purpose.MARKETING)]
    assert room == {"journey:visit": []}
    assert sweeps(sweep) == 0


def test_nobody_is_set_going_while_somebody_may_still_park_by_what_was_read_before(
    sweep: ResumePaused, wakes: Wakes
) -> None:
    assert sweeps(sweep, KNOWN_TO_ALL - timedelta(seconds=1)) == 0
    assert wakes == []


def test_what_is_paused_again_goes_on_waiting(sweep: ResumePaused, board: SwitchBoard, wakes: Wakes) -> None:
    Switch(board).pause("journey:visit", **TELLS, now=MONDAY + 2 * HOUR)

    assert sweeps(sweep, MONDAY + 3 * HOUR) == 0
    assert wakes == []


def test_whoever_was_parked_after_the_resume_is_found_later(
    sweep: ResumePaused, room: PausedWorkStore, wakes: Wakes
) -> None:
    room["journey:visit"] = []
    assert sweeps(sweep) == 0
    room["journey:visit"] = [BOB]

    assert sweeps(sweep, MONDAY + 20 * 24 * HOUR) == 1
    assert wakes == [BOB]


def test_a_crash_sets_going_twice_and_loses_nobody(
    sweep: ResumePaused, room: PausedWorkStore, wakes: Wakes, outbox: MessageQueue
) -> None:
    outbox.failure = ServiceBusyError("sqs is busy")
    with pytest.raises(ServiceBusyError):
        sweeps(sweep)
    assert room == {"journey:visit": [ADA, NOTE, BOB]}

    outbox.failure = None
    sweeps(sweep)

    assert wakes == [ADA, BOB, ADA, BOB]
    assert room == {"journey:visit": []}


def test_a_sweep_ends_in_time_and_the_next_one_goes_on(
    sweep: ResumePaused, room: PausedWorkStore, wakes: Wakes
) -> None:
    room.page = 1

    assert sweeps(sweep, for_pages=1) == 1
    assert wakes == [ADA]
    assert sweeps(sweep) == 2
    assert wakes == [ADA, BOB]


@pytest.mark.parametrize(("left_ms", "goes_on"), [(ENOUGH_MS + 1, True), (ENOUGH_MS, False)])
def test_the_function_begins_nothing_that_it_may_have_no_time_for(
    monkeypatch: pytest.MonkeyPatch, left_ms: int, *, goes_on: bool
) -> None:
    asked = []

    def sweep(now: datetime, has_time: Callable[[], bool]) -> int:
        asked.append((now.tzinfo, has_time()))
        return 0

    monkeypatch.setattr(handler, "resume_paused", lambda: sweep)

    handler.handler({}, SimpleNamespace(get_remaining_time_in_millis=lambda: left_ms))

    assert asked == [(UTC, goes_on)]
