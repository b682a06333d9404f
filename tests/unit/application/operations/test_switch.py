"""Stop, start, pause and resume: their changes, their audit, and two at once."""

import re
from collections.abc import Collection
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import pytest

from cairn.application.conflicts import ATTEMPTS
from cairn.application.operations.switch import Switch
from cairn.domain.operations.audit import AuditEntry
from cairn.domain.operations.pauses import Pause, PausePolicy
from cairn.domain.operations.switches import (
    LONGEST_MESSAGE_WAIT,
    LONGEST_TIMER_WAIT,
    MAX_PAUSES,
    MAX_WINDOW,
    SwitchState,
)
from cairn.domain.shared.errors import AlreadySwitchedError, ConflictError, InvalidSwitchError, UnknownTargetError
from tests.unit.fakes import Attempts, SwitchBoard
from tests.unit.makers import MONDAY

DAY = timedelta(days=1)
BY: dict[str, Any] = {"by": "ada@example.com", "why": "wrong price in it", "now": MONDAY}


@pytest.fixture
def board() -> SwitchBoard:
    return SwitchBoard()


@pytest.fixture
def switch(board: SwitchBoard) -> Switch:
    return Switch(board)


def test_a_stop_records_who_when_and_why(switch: Switch, board: SwitchBoard) -> None:
    after = switch.stop(" template:visit/offer", **BY)

    (target,) = after.stopped
    note = after.stopped[target]
    assert target == "template:visit/offer"
    assert (note.by, note.at, note.why) == ("ada@example.com", MONDAY, "wrong price in it")
    assert board.audit == [AuditEntry(MONDAY, "ada@example.com", "stop", target, "wrong price in it")]


def test_a_start_ends_a_stop(switch: Switch, board: SwitchBoard) -> None:
    switch.stop("all", **BY)
    switch.stop("channel:sms", **BY)

    assert switch.start("all", **BY).stopped.keys() == {"channel:sms"}
    assert [one.action for one in board.audit] == ["stop", "stop", "start"]


def test_what_is_stopped_or_paused_already_is_said_with_who_and_since_when(switch: Switch, board: SwitchBoard) -> None:
    switch.stop("all", **BY)
    before = switch.pause("journey:visit", **BY)
    bob: dict[str, Any] = {"by": "bob", "why": "me too", "now": MONDAY + DAY}

    with pytest.raises(AlreadySwitchedError, match=r"all is stopped already, since 2026-03-02T\S+ by ada@example\.com"):
        switch.stop("all", **bob)
    with pytest.raises(AlreadySwitchedError, match=r"journey:visit is paused already, since 2026-03-02T\S+ by ada@"):
        switch.pause("journey:visit", **bob)

    assert board.board() == before
    assert len(board.audit) == 2


def test_an_order_whose_answer_was_lost_is_carried_out_once(switch: Switch, board: SwitchBoard) -> None:
    for order in (switch.stop, switch.pause):
        first = order("all", **BY)  # type: ignore[operator]
        assert order("all", **BY) == first  # type: ignore[operator]

    assert [one.action for one in board.audit] == ["stop", "pause"]


@dataclass(frozen=True)
class Targets:
    """Two journeys are deployed; customers are still in a third one."""

    def exists(self, target: str) -> bool:
        return target in {*self.deployed(), "journey:last-year"}

    def deployed(self) -> Collection[str]:
        return ["all", "journey:fitness-trial-to-paid", "journey:welcome"]


@pytest.mark.parametrize(
    ("target", "says"),
    [
        ("journey:fitness-trial-to-pai", "does not exist; did you mean journey:fitness-trial-to-paid?"),
        ("journey:zzz", "does not exist; there is journey:fitness-trial-to-paid, journey:welcome"),
        ("template:zzz/yyy", "does not exist; there is none"),
    ],
)
def test_what_does_not_exist_is_neither_stopped_nor_paused(board: SwitchBoard, target: str, says: str) -> None:
    switch = Switch(board, Targets())

    for order in (switch.stop, switch.pause):
        with pytest.raises(UnknownTargetError, match=re.escape(f"{target} {says}")):
            order(target, **BY)  # type: ignore[operator]
    assert board.audit == []


def test_a_journey_that_is_no_longer_deployed_is_still_switched(board: SwitchBoard) -> None:
    Switch(board).pause("journey:gone", **BY)
    switch = Switch(board, Targets())

    switch.pause("journey:last-year", **BY)
    switch.stop("journey:gone", **BY)
    switch.start("journey:gone", **BY)
    after = switch.resume("journey:gone", **(BY | {"now": MONDAY + DAY}))

    assert [one.pause.target for one in after.pauses if one.pause.until is None] == ["journey:last-year"]


def test_a_pause_lasts_until_it_is_resumed_and_then_says_by_which_policy(switch: Switch, board: SwitchBoard) -> None:
    switch.pause("journey:visit", **BY, policy=PausePolicy.RESTART)
    stored = switch.resume("journey:visit", **(BY | {"now": MONDAY + DAY}))
    switch.pause("journey:visit", **(BY | {"now": MONDAY + 2 * DAY}))
    chosen = switch.resume(
        "journey:visit", **(BY | {"now": MONDAY + 3 * DAY}), policy=PausePolicy.SPREAD, window=MAX_WINDOW
    )

    assert stored.pauses[0].pause == Pause("journey:visit", MONDAY, MONDAY + DAY, PausePolicy.RESTART)
    assert [one.pause for one in chosen.pauses][1:] == [
        Pause("journey:visit", MONDAY + 2 * DAY, MONDAY + 3 * DAY, PausePolicy.SPREAD, MAX_WINDOW)
    ]
    assert [(one.action, one.detail) for one in board.audit] == [
        ("pause", {"policy": "restart"}),
        ("resume", {}),
        ("pause", {"policy": "keep"}),
        ("resume", {"policy": "spread", "window": "7 days, 0:00:00"}),
    ]


def test_an_error_for_a_target_that_is_not_stopped_lists_those_that_are(switch: Switch, board: SwitchBoard) -> None:
    with pytest.raises(InvalidSwitchError, match="nothing is stopped"):
        switch.start("all", **BY)
    switch.stop("channel:sms", **BY)
    switch.pause("all", **BY)

    with pytest.raises(InvalidSwitchError, match="stopped is channel:sms"):
        switch.start("all", **BY)
    with pytest.raises(InvalidSwitchError, match="paused is all"):
        switch.resume("journey:visit", **BY)
    assert len(board.audit) == 2


@pytest.mark.parametrize(
    ("target", "change", "says"),
    [
        ("everything", {}, "template:<journey>/<template>"),
        ("all", {"why": "  "}, "say why"),
        ("all", {"by": ""}, "say who"),
        ("all", {"why": "x" * 501}, "at most 500"),
    ],
)
def test_an_unclear_command_is_refused(
    switch: Switch, board: SwitchBoard, target: str, change: dict[str, str], says: str
) -> None:
    for order in (switch.stop, switch.start, switch.pause, switch.resume):
        with pytest.raises(InvalidSwitchError, match=says):
            order(target, **(BY | change))  # type: ignore[operator]
    assert board.audit == []


@pytest.mark.parametrize("window", [timedelta(), -DAY, MAX_WINDOW + timedelta(seconds=1)])
def test_a_window_has_a_sensible_length(switch: Switch, window: timedelta) -> None:
    for order in (switch.pause, switch.resume):
        with pytest.raises(InvalidSwitchError, match="window"):
            order("all", **BY, policy=PausePolicy.SPREAD, window=window)  # type: ignore[operator]


def test_of_two_changes_at_once_none_is_lost(switch: Switch, board: SwitchBoard) -> None:
    board.meanwhile = lambda: Switch(board).stop("channel:sms", **BY)

    after = switch.pause("journey:visit", **BY)

    assert after.stopped.keys() == {"channel:sms"}
    assert [one.pause.target for one in after.pauses] == ["journey:visit"]
    assert [one.action for one in board.audit] == ["stop", "pause"]
    assert board.board() == after


def test_other_operators_get_time_between_the_attempts(board: SwitchBoard) -> None:
    attempts = Attempts()
    board.conflicts = 3

    Switch(board, attempts=attempts).stop("all", **BY)

    assert attempts.pauses == [1, 2, 3]


def test_after_too_many_conflicts_there_is_an_error(switch: Switch, board: SwitchBoard) -> None:
    board.conflicts = ATTEMPTS

    with pytest.raises(ConflictError):
        switch.stop("all", **BY)
    assert board.board() == SwitchState()


def test_ended_pauses_are_removed_once_no_work_can_wait_for_them(switch: Switch) -> None:
    for target, policy in (("all", PausePolicy.KEEP), ("journey:visit", PausePolicy.ACTIVE_TIME)):
        switch.pause(target, **BY, policy=policy)
        switch.resume(target, **BY)
    switch.pause("channel:sms", **BY)

    def known(later: timedelta) -> list[str]:
        after = switch.stop(f"journey:j{later.days}", **(BY | {"now": MONDAY + later}))
        return [one.pause.target for one in after.pauses]

    assert known(LONGEST_MESSAGE_WAIT - DAY) == ["all", "journey:visit", "channel:sms"]
    assert known(LONGEST_MESSAGE_WAIT) == ["journey:visit", "channel:sms"]
    assert known(LONGEST_TIMER_WAIT) == ["channel:sms"], "what is paused stays so"


def test_the_switches_stay_small_after_many_changes(switch: Switch) -> None:
    board = SwitchState()
    for number in range(MAX_PAUSES + 10):
        now = MONDAY + timedelta(minutes=number)
        switch.pause("all", **(BY | {"now": now}))
        board = switch.resume("all", **(BY | {"now": now + timedelta(seconds=1)}))

    assert len(board.pauses) == MAX_PAUSES
    assert board.pauses[-1].pause.since == MONDAY + timedelta(minutes=MAX_PAUSES + 9)
