"""The sentence about the future says what the engine would do if nothing happened."""

from datetime import timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from cairn.domain.explain.upcoming import Upcoming, upcoming
from cairn.domain.journey import engine
from cairn.domain.journey.arms import NO_ARMS
from cairn.domain.journey.enrollment import Status
from cairn.domain.operations.pauses import Pause
from cairn.domain.shared.channels import Channel
from tests.unit.makers import MONDAY, entered, journey, profile, send, wait, wait_for

UTC = ZoneInfo("UTC")
HOLDOUT = {"holdout": 1}


def next_of(*steps: dict[str, Any], reachable: tuple[Channel, ...] = (Channel.EMAIL,), **more: Any) -> Upcoming:
    pauses = more.pop("pauses", ())
    walked = journey(*steps, **more)
    decision = entered(walked)
    return upcoming(
        walked,
        decision.enrollment,
        decision.profile,
        pauses=pauses,
        arms=NO_ARMS,
        reachable=reachable,
        now=MONDAY,
        zone=UTC,
    )


def test_the_next_message_is_said_with_its_time() -> None:
    found = next_of(wait("pause", "2d"), send("hello", "email"))

    assert found.waits_for == "a time"
    assert found.at == MONDAY + timedelta(days=2)
    assert found.text == "If nothing happens: an e-mail (hello) at 10:00 on Wednesday 4 March 2026 in UTC."


def test_of_several_channels_it_is_the_first_that_reaches_the_customer() -> None:
    offer = {"channel": ["push", "sms"], "template": "t", "purpose": "marketing"}
    steps = wait("pause", "1h"), {"id": "a", "send": offer}

    assert "a text (t)" in next_of(*steps, reachable=(Channel.SMS,)).text
    assert "a push notification (t)" in next_of(*steps, reachable=()).text


def test_waits_behind_waits_are_looked_through() -> None:
    found = next_of(wait("one", "1d"), wait("two", "1d"), send("hello"))

    assert found.at == MONDAY + timedelta(days=1), "its own timer"
    assert found.text.endswith("at 10:00 on Wednesday 4 March 2026 in UTC.")


def test_a_wait_for_events_names_them_and_what_comes_without_them() -> None:
    found = next_of(wait_for("reply", "visit.booked", otherwise=(send("reminder"),)))

    assert found.waits_for == "visit.booked"
    assert "an e-mail (reminder)" in found.text


def test_the_end_is_said_where_nothing_else_comes() -> None:
    assert next_of(wait("pause", "1d")).text == (
        "If nothing happens: the journey ends at 10:00 on Tuesday 3 March 2026 in UTC."
    )


@pytest.mark.parametrize("target", ["all", "journey:visit"])
def test_nothing_comes_before_a_pause_is_over(target: str) -> None:
    paused = (Pause(target, MONDAY),)

    assert next_of(wait("pause", "1d"), send("hello"), pauses=paused).text == f"Nothing until {target} is resumed."


def test_the_holdout_gets_nothing() -> None:
    walked = journey(wait("pause", "1d"), send("hello"), **HOLDOUT)
    decision = entered(walked)
    assert decision.enrollment.status is Status.HELD_OUT

    found = next_of(wait("pause", "1d"), send("hello"), **HOLDOUT)

    assert found.text == "Gets nothing of this journey: is in its holdout."


def test_nobody_is_moved_by_the_question() -> None:
    walked = journey(wait("pause", "1d"), send("hello"))
    before = entered(walked).enrollment

    next_of(wait("pause", "1d"), send("hello"))

    fired = engine.advance(walked, before, profile(), engine.TimerFired(before.sequence), MONDAY + timedelta(days=1))
    assert [one.step for one in fired.effects] == ["hello"]
