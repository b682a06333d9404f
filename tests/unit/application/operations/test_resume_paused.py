"""Resume paused work: it goes on once no sender has stale switches."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace
from typing import Any

import pytest

from cairn.application.operations.find_stuck import Found
from cairn.application.operations.resume_paused import ResumePaused
from cairn.application.operations.switch import Switch
from cairn.application.values.paused import PausedEnrollment, PausedMessage
from cairn.domain.shared.channels import Purpose
from cairn.domain.shared.errors import ServiceBusyError
from cairn.settings import SWITCH_TTL
from functions.sweep import handler
from functions.sweep.handler import ENOUGH_MS
from tests.unit.fakes import MessageQueue, PausedWorkStore, SwitchBoard, Wakes
from tests.unit.makers import MONDAY

HOUR = timedelta(hours=1)
BY: dict[str, Any] = {"by": "ada", "why": "a reason"}
KNOWN_TO_ALL = MONDAY + HOUR + SWITCH_TTL

ADA = PausedEnrollment("c_ada", "enr-1", 3, "parked#enr-1#4")
BOB = PausedEnrollment("c_bob", "enr-2", 1, "parked#enr-2#2")
NOTE = PausedMessage("c_ada", "enr-1-hello-1", Purpose.MARKETING, "2026-03-02T10:00:00Z")


@pytest.fixture
def board() -> SwitchBoard:
    """The journey was paused for an hour."""
    board = SwitchBoard()
    Switch(board).pause("journey:visit", **BY, now=MONDAY)
    Switch(board).resume("journey:visit", **BY, now=MONDAY + HOUR)
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


def runs(sweep: ResumePaused, now: datetime = KNOWN_TO_ALL, *, for_pages: int = 100) -> int:
    left = iter([True] * for_pages)
    return sweep(now, lambda: next(left, False))


def test_paused_timers_and_messages_go_on_and_are_removed(
    sweep: ResumePaused, room: PausedWorkStore, wakes: Wakes, outbox: MessageQueue
) -> None:
    assert runs(sweep) == 3

    assert wakes == [ADA, BOB]
    assert outbox.deferred == [("c_ada", "enr-1-hello-1", Purpose.MARKETING)]
    assert room == {"journey:visit": []}
    assert runs(sweep) == 0


def test_nothing_goes_on_while_a_sender_may_still_have_stale_switches(sweep: ResumePaused, wakes: Wakes) -> None:
    assert runs(sweep, KNOWN_TO_ALL - timedelta(seconds=1)) == 0
    assert wakes == []


def test_work_that_is_paused_again_goes_on_waiting(sweep: ResumePaused, board: SwitchBoard, wakes: Wakes) -> None:
    Switch(board).pause("journey:visit", **BY, now=MONDAY + 2 * HOUR)

    assert runs(sweep, MONDAY + 3 * HOUR) == 0
    assert wakes == []


def test_work_that_was_paused_after_the_resume_is_found_later(
    sweep: ResumePaused, room: PausedWorkStore, wakes: Wakes
) -> None:
    room["journey:visit"] = []
    assert runs(sweep) == 0
    room["journey:visit"] = [BOB]

    assert runs(sweep, MONDAY + 20 * 24 * HOUR) == 1
    assert wakes == [BOB]


def test_a_crash_resumes_twice_and_loses_nothing(
    sweep: ResumePaused, room: PausedWorkStore, wakes: Wakes, outbox: MessageQueue
) -> None:
    outbox.failure = ServiceBusyError("sqs is busy")
    with pytest.raises(ServiceBusyError):
        runs(sweep)
    assert room == {"journey:visit": [ADA, NOTE, BOB]}

    outbox.failure = None
    runs(sweep)

    assert wakes == [ADA, BOB, ADA, BOB]
    assert room == {"journey:visit": []}


def test_a_run_ends_in_time_and_the_next_one_continues(
    sweep: ResumePaused, room: PausedWorkStore, wakes: Wakes
) -> None:
    room.page = 1

    assert runs(sweep, for_pages=1) == 1
    assert wakes == [ADA]
    assert runs(sweep) == 2
    assert wakes == [ADA, BOB]


@pytest.mark.parametrize(("left_ms", "goes_on"), [(ENOUGH_MS + 1, True), (ENOUGH_MS, False)])
def test_the_function_starts_no_page_without_enough_time(
    monkeypatch: pytest.MonkeyPatch, left_ms: int, *, goes_on: bool
) -> None:
    asked = []

    def resume(now: datetime, has_time: Callable[[], bool]) -> int:
        asked.append((now.tzinfo, has_time()))
        return 0

    def find(now: datetime, has_time: Callable[[], bool]) -> list[Found]:
        asked.append((now.tzinfo, has_time()))
        return []

    def pass_on(now: datetime, has_time: Callable[[], bool]) -> int:
        asked.append((now.tzinfo, has_time()))
        return 0

    monkeypatch.setattr(handler, "jobs", lambda: (resume, find, lambda _: [], lambda _: [], pass_on, lambda _: []))

    handler.handler({}, SimpleNamespace(get_remaining_time_in_millis=lambda: left_ms))

    assert asked == [(UTC, goes_on)] * 3
