"""Properties of the engine, for journeys of any shape and any sequence of events."""

import re
from collections import Counter
from dataclasses import replace
from datetime import datetime, timedelta
from itertools import pairwise
from typing import Any

from hypothesis import assume, given
from hypothesis import strategies as st

from cairn.domain.effects import WakeAt
from cairn.domain.event import Event
from cairn.domain.journey import engine
from cairn.domain.journey.definition import ENTRY, Journey
from cairn.domain.journey.engine import Decision, Entered, Happened, TimerFired, Trigger, advance
from cairn.domain.journey.enrollment import COMPLETED, EXIT_ON, Enrollment, Status
from cairn.domain.journey.moves import BEFORE_STEPS, Move, moves_of
from cairn.domain.profile.profile import Profile
from cairn.domain.shared.instants import moved
from tests.unit.makers import MONDAY, journey
from tests.unit.strategies import EVENTS, chains, durations, events, journeys, payloads, profiles

NAME_OF_A_SCHEDULE = re.compile(r"[a-z0-9-]{1,64}")


def start_of(walked: Journey, profile: Profile, properties: dict[str, Any]) -> Enrollment:
    signup = Event("1", "track", "trial.signup", MONDAY, properties=properties)
    key = engine.entry_key(walked, profile, signup, MONDAY)
    assume(isinstance(key, str))
    return engine.new_enrollment(walked, profile, signup, str(key), MONDAY)


def due(enrollment: Enrollment, fallback: datetime) -> datetime:
    return enrollment.due_at or fallback


Moves = list[tuple[Trigger, datetime, Decision]]


@st.composite
def histories(draw: st.DrawFn, holdout: float = 0.0) -> tuple[Journey, Moves]:
    """A journey and one enrollment in it: events and timers in any order, timers sometimes early."""
    walked = draw(journeys(holdout=holdout))
    profile = draw(profiles)
    enrollment = start_of(walked, profile, draw(payloads))
    decision = advance(walked, enrollment, profile, Entered(), MONDAY)
    return walked, [(Entered(), MONDAY, decision), *draw(further_moves(walked, decision, MONDAY))]


@st.composite
def further_moves(draw: st.DrawFn, walked: Journey, decision: Decision, now: datetime) -> Moves:
    """What follows on a decision."""
    history: Moves = []
    for kind in draw(st.lists(st.sampled_from(["event", "event", "event", "timer", "early"]), min_size=1, max_size=6)):
        enrollment = decision.enrollment
        trigger: Trigger = TimerFired(enrollment.sequence)
        match kind:
            case "event":
                later = st.timedeltas(timedelta(), timedelta(hours=5))
                happened = draw(events(when=later.map(now.__add__)))
                now = happened.occurred_at
                trigger = Happened(happened)
                decision = advance(walked, enrollment, decision.profile.after(happened), trigger, now)
            case "timer":
                now = max(now, due(enrollment, now))
                decision = advance(walked, enrollment, decision.profile, trigger, now)
            case _:
                now = max(now, due(enrollment, now) - timedelta(seconds=1))
                decision = advance(walked, enrollment, decision.profile, trigger, now)
        history.append((trigger, now, decision))
    return history


def run_out(walked: Journey, decision: Decision, now: datetime) -> tuple[Decision, datetime]:
    """Fire every timer when it is due, until the enrollment ends."""
    for _ in range(len(walked.steps) + 1):
        enrollment = decision.enrollment
        if not enrollment.open:
            break
        assert enrollment.due_at is not None
        now = max(now, enrollment.due_at)
        decision = advance(walked, enrollment, decision.profile, TimerFired(enrollment.sequence), now)
    return decision, now


@given(histories())
def test_an_enrollment_ends_once_every_timer_has_fired(history: tuple[Journey, list[Any]]) -> None:
    walked, moves = history
    _, now, last = moves[-1]

    ended, then = run_out(walked, last, now)

    assert ended.enrollment.status is Status.ENDED
    assert ended.enrollment.outcome
    assert ended.enrollment.ended_at == (then if last.enrollment.open else last.enrollment.ended_at)


@given(histories())
def test_what_is_to_be_done_at_the_end_is_done_once_and_not_before(history: tuple[Journey, list[Any]]) -> None:
    walked, moves = history
    _, now, last = moves[-1]

    for _, _, decision in [*moves, ("", now, run_out(walked, last, now)[0])]:
        has_ended = decision.enrollment.status is Status.ENDED
        assert (decision.profile.get("ended") is True) == (has_ended and bool(walked.at_end))
    facts = [fact for _, _, decision in moves for fact in decision.facts if fact.step == "end"]
    assert len(facts) <= 1


@given(histories())
def test_all_that_has_gone_into_a_step_has_left_it_or_stands_there(history: tuple[Journey, list[Any]]) -> None:
    walked, moves = history
    decisions = [decision for _, _, decision in moves]
    last = decisions[-1].enrollment

    facts = [fact for decision in decisions for fact in decision.facts]
    said = (Move(one.kind, one.step, one.detail.get("via", "")) for one in facts if one.kind in {"waiting", "ended"})
    counted = moves_of(said)

    first = walked.steps[ENTRY].successors[0] if walked.start == ENTRY else walked.start
    into, out = Counter[str | None](), Counter[str | None](counted.ended)
    for (step, way), count in counted.along.items():
        into[first if step == BEFORE_STEPS else walked.steps[step].successors[way]] += count
        out[step] += count
    has_entered = any(one.kind == "entered" for one in facts)
    assert out[BEFORE_STEPS] == has_entered
    assert into[None] == (last.outcome == COMPLETED and has_entered)
    for step in walked.steps.keys() - {ENTRY}:
        assert into[step] - out[step] == (last.open and last.step == step), step


@given(histories())
def test_the_same_arguments_give_the_same_decision(history: tuple[Journey, list[Any]]) -> None:
    walked, moves = history

    for (_, _, before), (trigger, now, after) in pairwise(moves):
        profile = before.profile.after(trigger.event) if isinstance(trigger, Happened) else before.profile
        again = advance(walked, before.enrollment, profile, trigger, now)

        assert repr(again) == repr(after)  # NaN is not equal to itself, but is written the same


@given(histories(), st.integers(-3, 3).filter(bool))
def test_a_wake_up_with_another_number_changes_nothing(history: tuple[Journey, list[Any]], off: int) -> None:
    walked, moves = history
    _, now, last = moves[-1]
    long_after = moved(now, timedelta(days=99))

    stale = TimerFired(last.enrollment.sequence + off)
    decision = advance(walked, last.enrollment, last.profile, stale, long_after)

    assert decision == Decision(last.enrollment, last.profile)


@given(histories(), events(when=st.timedeltas(timedelta(microseconds=1), timedelta(days=99)).map(MONDAY.__sub__)))
def test_an_event_from_before_the_enrollment_changes_nothing(
    history: tuple[Journey, list[Any]], happened: Event
) -> None:
    walked, moves = history
    _, now, last = moves[-1]

    decision = advance(walked, last.enrollment, last.profile, Happened(happened), now)

    assert decision == Decision(last.enrollment, last.profile)


@given(histories(), events(when=st.timedeltas(timedelta(), timedelta(days=99)).map(MONDAY.__add__)))
def test_an_event_that_the_journey_does_not_listen_to_changes_nothing(
    history: tuple[Journey, list[Any]], happened: Event
) -> None:
    walked, moves = history

    for event_type in {*EVENTS, "trial.signup", "booking.cancelled"} - walked.listens_to:
        other = replace(happened, type=event_type)
        for _, now, one in moves:
            unmoved = Decision(one.enrollment, one.profile)
            assert advance(walked, one.enrollment, one.profile, Happened(other), now) == unmoved
            assert engine.entry_key(walked, one.profile, other, now) is None
            assert engine.keys_of(walked, (*walked.exit_on, *walked.refresh_on), one.profile, other, now) == []
        assert not engine.may_end_what_starts_later(walked, other)


def test_a_journey_listens_to_its_goal() -> None:
    walked = journey(goal={"event": "invoice.paid"})

    assert "invoice.paid" in walked.listens_to


@given(histories(), st.integers(0, 99), events())
def test_an_ended_enrollment_does_not_move(history: tuple[Journey, list[Any]], sequence: int, happened: Event) -> None:
    walked, moves = history
    _, now, last = moves[-1]
    over, now = run_out(walked, last, now)

    for trigger in (Entered(), TimerFired(sequence), TimerFired(over.enrollment.sequence), Happened(happened)):
        decision = advance(walked, over.enrollment, over.profile, trigger, now)

        assert decision.effects == ()
        assert decision.profile == over.profile
        expected = over.enrollment
        if decision.enrollment.outcome == EXIT_ON != over.enrollment.outcome:  # messages that wait are unwanted now
            assert isinstance(trigger, Happened)
            assert trigger.event.type in {rule.event for rule in walked.exit_on}
            expected = expected.ending(EXIT_ON, now)
        assert replace(decision.enrollment, goal_at=None) == replace(expected, goal_at=None)


@given(histories())
def test_the_same_trigger_again_changes_nothing(history: tuple[Journey, list[Any]]) -> None:
    walked, moves = history

    for trigger, now, after in moves:
        again = advance(walked, after.enrollment, after.profile, trigger, now)

        assert replace(again, by_profile=False) == Decision(after.enrollment, after.profile)


@st.composite
def races(draw: st.DrawFn) -> Journey:
    """A journey that begins with a wait for a payment."""
    timeout = draw(durations.filter(lambda length: length != "0s") | st.just({"at": "09:00", "day": 3}))
    rule = {"event": "invoice.paid", "key": "any", "timeout": timeout}
    rule |= {"then": draw(chains("t", 1)), "else": draw(chains("e", 1))}
    return journey({"id": "paid", "wait_for": rule}, *draw(chains("s", 1)))


@given(races(), profiles, payloads, st.timedeltas(timedelta(), timedelta(days=20)))
def test_either_the_event_or_the_timeout_wins_a_wait(
    race: Journey, who: Profile, properties: dict[str, Any], later: timedelta
) -> None:
    waiting = advance(race, start_of(race, who, properties), who, Entered(), MONDAY)
    now = due(waiting.enrollment, MONDAY) + later
    paid = Happened(Event("2", "track", "invoice.paid", now - later / 2, properties=properties))
    timeout = TimerFired(waiting.enrollment.sequence)

    event_won = advance(race, waiting.enrollment, who, paid, now)
    timeout_lost = advance(race, event_won.enrollment, event_won.profile, timeout, now)
    timeout_won = advance(race, waiting.enrollment, who, timeout, now)
    event_lost = advance(race, timeout_won.enrollment, timeout_won.profile, paid, now)

    assert ("happened", "paid") in steps(event_won)
    assert timeout_lost == Decision(event_won.enrollment, event_won.profile)
    assert ("timed_out", "paid") in steps(timeout_won)
    assert ("happened", "paid") not in steps(event_lost)


def steps(decision: Decision) -> list[tuple[str, str]]:
    return [(fact.kind, fact.step) for fact in decision.facts]


@given(histories())
def test_the_effects_of_an_enrollment_have_different_ids(history: tuple[Journey, list[Any]]) -> None:
    _, moves = history

    ids = [effect.id for _, _, decision in moves for effect in decision.effects]

    assert len(ids) == len(set(ids))
    assert all(NAME_OF_A_SCHEDULE.fullmatch(one) for one in ids)


@given(histories())
def test_a_waiting_enrollment_always_has_a_live_timer(history: tuple[Journey, list[Any]]) -> None:
    _, moves = history

    timer: WakeAt | None = None
    for _, now, decision in moves:
        enrollment = decision.enrollment
        timer = next((one for one in reversed(decision.effects) if isinstance(one, WakeAt)), timer)

        if enrollment.open:
            assert timer is not None
            assert (timer.sequence, timer.at) == (enrollment.sequence, enrollment.due_at)
            assert timer.enrollment == enrollment.id
            assert timer.at > now or timer not in decision.effects
        else:
            assert (enrollment.step, enrollment.due_at) == (None, None)


@given(histories(holdout=1.0))
def test_a_customer_of_the_holdout_never_gets_anything(history: tuple[Journey, list[Any]]) -> None:
    _, moves = history

    for _, _, decision in moves:
        waits_for_its_beginning = decision.enrollment.step == ENTRY
        assert all(isinstance(one, WakeAt) and waits_for_its_beginning for one in decision.effects)
        assert decision.enrollment.step in {None, ENTRY}


@given(histories())
def test_no_payload_makes_the_engine_raise(history: tuple[Journey, list[Any]]) -> None:
    _, moves = history

    assert moves


@given(histories())
def test_an_enrollment_ends_once_and_what_stops_its_messages_later_is_no_further_end(
    history: tuple[Journey, list[Any]],
) -> None:
    _, moves = history
    said = [fact.kind for _, _, decision in moves for fact in decision.facts if fact.kind in {"ended", "stopped"}]

    assert said in [[], ["ended"], ["ended", "stopped"]]
    assert ("stopped" not in said) or moves[-1][2].enrollment.outcome == EXIT_ON
