"""Timers that fire while a journey is paused, and after it is resumed."""

from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import pytest

from cairn.domain.customer.customer import on_wake
from cairn.domain.customer.state import Customer
from cairn.domain.effects import PauseEnrollment, WakeAt
from cairn.domain.journey import engine
from cairn.domain.journey.definition import Journey
from cairn.domain.journey.engine import Decision, Happened, TimerFired
from cairn.domain.operations.pauses import Pause, PausePolicy
from tests.unit.makers import (
    MONDAY,
    Deployed,
    at,
    entered,
    event,
    journey,
    kinds,
    profile,
    send,
    sent,
    timers,
    wait,
    wait_for,
)

HOUR = timedelta(hours=1)
DAY = timedelta(days=1)
TARGET = "journey:visit"
WELCOME = journey(wait("a-day", "1d"), send("tips"), wait("another", "1d"), send("offer"))


def paused(policy: PausePolicy = PausePolicy.KEEP, *, until: datetime | None = None) -> Pause:
    """From twelve hours after the start."""
    return Pause(TARGET, MONDAY + 12 * HOUR, until, policy)


def on_timer(walked: Journey, before: Decision, now: datetime, *pauses: Pause) -> Decision:
    enrollment = before.enrollment
    return engine.advance(walked, enrollment, before.profile, TimerFired(enrollment.sequence, pauses), now)


def test_while_its_journey_is_paused_an_enrollment_stays_at_its_step() -> None:
    waiting = entered(WELCOME)

    decision = on_timer(WELCOME, waiting, MONDAY + DAY, paused())

    enrollment = waiting.enrollment
    assert decision.enrollment == replace(enrollment, paused_by=decision.enrollment.paused_by)
    assert decision.effects == (
        PauseEnrollment(f"{enrollment.id}-a-day-paused-1", enrollment.id, enrollment.sequence, TARGET),
    )
    assert kinds(decision) == ["paused"]
    assert decision.facts[0].detail == {"target": TARGET}


def test_the_same_wake_up_again_adds_nothing_to_a_pause_and_a_later_pause_has_its_own() -> None:
    first = paused()
    waited = on_timer(WELCOME, entered(WELCOME), MONDAY + DAY, first)

    again = on_timer(WELCOME, waited, MONDAY + DAY + HOUR, first)
    ended = replace(first, until=MONDAY + 2 * DAY)
    later = replace(first, since=MONDAY + 3 * DAY)
    by_another = on_timer(WELCOME, waited, MONDAY + 4 * DAY, ended, later)

    assert again == Decision(waited.enrollment, waited.profile)
    assert kinds(by_another) == ["paused"]


def test_a_paused_enrollment_goes_on_by_the_same_wake_up() -> None:
    waiting = entered(WELCOME)
    waited = on_timer(WELCOME, waiting, MONDAY + DAY, paused())

    resumed = on_timer(WELCOME, waited, MONDAY + 9 * DAY, paused(until=MONDAY + 9 * DAY))

    assert sent(resumed) == ["tips"]
    assert timers(resumed)[0].at == MONDAY + 10 * DAY


def test_a_moved_wait_is_computed_from_its_first_due_time() -> None:
    pause = paused(PausePolicy.ACTIVE_TIME, until=MONDAY + 9 * DAY)
    waiting = entered(WELCOME)

    moved = on_timer(WELCOME, waiting, MONDAY + 9 * DAY, pause)

    goes_on = MONDAY + 9 * DAY + 12 * HOUR
    assert sent(moved) == []
    (timer,) = timers(moved)
    assert (timer.at, timer.sequence) == (goes_on, waiting.enrollment.sequence + 1)
    assert moved.enrollment.due_at == waiting.enrollment.due_at
    assert moved.facts[0].detail == {"until": "2026-03-11T22:00:00Z", "resumed": TARGET}
    assert sent(on_timer(WELCOME, moved, goes_on, pause)) == ["tips"], "and not moved on once more"


def test_a_moved_time_of_day_stays_the_customers_own() -> None:
    evening = journey(wait("evening", {"at": "18:30", "at_from": "profile.best_hour"}), send("tips"))
    pause = Pause(TARGET, MONDAY + HOUR, MONDAY + 9 * DAY, PausePolicy.ACTIVE_TIME)

    moved = on_timer(evening, entered(evening, who=profile(best_hour="20:15")), MONDAY + 9 * DAY, pause)

    assert [timer.at for timer in timers(moved)] == [at("2026-03-11 20:15")]


def test_the_timer_that_a_moved_wait_had_before_is_stale() -> None:
    pause = paused(PausePolicy.RESTART, until=MONDAY + 9 * DAY)
    waiting = entered(WELCOME)
    moved = on_timer(WELCOME, waiting, MONDAY + 9 * DAY, pause)

    again = engine.advance(WELCOME, moved.enrollment, moved.profile, TimerFired(1, (pause,)), MONDAY + 20 * DAY)

    assert again == replace(moved, effects=(), facts=())


def test_the_next_wait_is_not_moved_by_a_pause_that_was_over_before_it() -> None:
    pause = paused(PausePolicy.ACTIVE_TIME, until=MONDAY + 9 * DAY)
    late = MONDAY + 9 * DAY + 12 * HOUR
    went_on = on_timer(WELCOME, on_timer(WELCOME, entered(WELCOME), MONDAY + 9 * DAY, pause), late, pause)

    assert sent(on_timer(WELCOME, went_on, late + DAY, pause)) == ["offer"]


def test_a_late_step_is_skipped_and_the_rest_goes_on() -> None:
    pause = paused(PausePolicy.SKIP_IF_LATE, until=MONDAY + 9 * DAY)

    resumed = on_timer(WELCOME, entered(WELCOME), MONDAY + 9 * DAY, pause)

    assert sent(resumed) == []
    assert kinds(resumed) == ["passed_over", "waiting"]
    assert (resumed.enrollment.step, timers(resumed)[0].at) == ("another", MONDAY + 10 * DAY)
    assert resumed.facts[-1].detail["via"] == f"{first(WELCOME)} tips", "a skipped step lies on the way all the same"


def first(walked: Journey) -> str | None:
    """The step at which an enrollment first waits."""
    return entered(walked).enrollment.step


@pytest.fixture
def asking() -> Journey:
    return journey(
        wait_for("answer", "visit.booked", timeout="1d", then=(send("thanks"),), otherwise=(send("nudge"),)),
        send("later"),
    )


def test_an_event_wins_its_wait_while_the_journey_is_paused(asking: Journey) -> None:
    waiting = entered(asking)
    waited = on_timer(asking, waiting, MONDAY + DAY, paused())

    booked = Happened(event("visit.booked", MONDAY + 2 * DAY))
    won = engine.advance(asking, waited.enrollment, waited.profile, booked, MONDAY + 2 * DAY)

    assert sent(won) == ["thanks", "later"], "the gate defers them"
    resumed = engine.advance(
        asking, won.enrollment, won.profile, TimerFired(1, (paused(until=MONDAY + 9 * DAY),)), MONDAY + 9 * DAY
    )
    assert resumed.effects == ()


@pytest.mark.parametrize(
    ("policy", "templates"), [(PausePolicy.KEEP, ["nudge", "later"]), (PausePolicy.SKIP_IF_LATE, ["later"])]
)
def test_a_timeout_follows_the_policy(asking: Journey, policy: PausePolicy, templates: list[str]) -> None:
    resumed = on_timer(asking, entered(asking), MONDAY + 9 * DAY, paused(policy, until=MONDAY + 9 * DAY))

    assert sent(resumed) == templates


def test_an_early_timer_is_set_again_whatever_is_paused() -> None:
    waiting = entered(WELCOME)

    early = on_timer(WELCOME, waiting, MONDAY + 23 * HOUR, paused())

    assert [timer.at for timer in timers(early)] == [MONDAY + DAY]


def test_a_pause_changes_nothing_of_the_customer_but_what_it_notes() -> None:
    waiting = entered(WELCOME)
    customer = Customer(waiting.profile, enrollments={waiting.enrollment.id: waiting.enrollment})

    def wake(*pauses: Pause) -> Any:
        enrollment = waiting.enrollment
        journeys = Deployed(WELCOME)
        return on_wake(customer, enrollment.id, enrollment.sequence, journeys, MONDAY + DAY, pauses=pauses)

    noted = replace(waiting.enrollment, paused_by=f"{TARGET} 2026-03-02T22:00:00Z")
    assert wake(paused()).customer == replace(customer, enrollments={noted.id: noted})
    assert [type(effect) for effect in wake(paused()).effects] == [PauseEnrollment]
    assert sent(wake()) == ["tips"]
    assert [type(effect) for effect in wake(replace(paused(), target="journey:other")).effects if effect][-1] is WakeAt
