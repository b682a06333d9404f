"""Which step an enrollment has after it was moved to another version of its journey, and who is not moved."""

from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import pytest

from cairn.domain.effects import WakeAt
from cairn.domain.journey import engine
from cairn.domain.journey.definition import Journey
from cairn.domain.journey.engine import Decision, Happened, TimerFired, advance
from cairn.domain.journey.enrollment import Enrollment, Status
from cairn.domain.journey.migration import Because, Migrated, ReportRow, Stays, Timer, migrate, row_of
from cairn.domain.operations.pauses import Pause
from tests.unit.makers import MONDAY, at, entered, event, journey, kinds, profile, send, sent, timers, wait, wait_for

HOUR, DAY = timedelta(hours=1), timedelta(days=1)


def new(*steps: dict[str, Any], **document: Any) -> Journey:
    return journey(*steps, version="v2", **document)


def moved(
    enrollment: Enrollment, old: Journey, to: Journey, now: datetime = MONDAY + HOUR, **attributes: Any
) -> Decision:
    outcome = migrate(enrollment, old, to, profile(**attributes), now)
    assert isinstance(outcome, Migrated), outcome
    return outcome.decision


def refused(enrollment: Enrollment, old: Journey, to: Journey, now: datetime = MONDAY + HOUR) -> Because:
    outcome = migrate(enrollment, old, to, profile(), now)
    assert isinstance(outcome, Stays), outcome
    return outcome.because


def fired(walked: Journey, decision: Decision, pauses: tuple[Pause, ...] = ()) -> Decision:
    """The decision's timer fires when it is due."""
    enrollment = decision.enrollment
    assert enrollment.due_at is not None
    timer = TimerFired(enrollment.sequence, pauses)
    return advance(walked, enrollment, decision.profile, timer, enrollment.due_at)


OLD = journey(send("hello"), wait("pause", "7d"), send("offer"), wait("rest", "1d"), send("bye"))
WAITING = entered(OLD).enrollment


def test_an_unchanged_wait_keeps_its_timer() -> None:
    to = new(send("hello"), wait("pause", "7d"), send("another-offer"))

    decision = moved(WAITING, OLD, to)

    assert decision.enrollment == replace(WAITING, version="v2")
    assert (decision.effects, kinds(decision)) == ((), ["migrated"])
    assert sent(fired(to, decision)) == ["another-offer"]


def test_a_shortened_wait_counts_from_when_it_was_reached() -> None:
    to = new(send("hello"), wait("pause", "3d"), send("offer"))

    decision = moved(WAITING, OLD, to, MONDAY + DAY)

    assert decision.enrollment.due_at == MONDAY + 3 * DAY
    assert [(one.at, one.sequence) for one in timers(decision)] == [(MONDAY + 3 * DAY, WAITING.sequence + 1)]
    assert sent(fired(to, decision)) == ["offer"]


def test_a_shortened_wait_that_is_over_is_due_at_once() -> None:
    to = new(send("hello"), wait("pause", "3d"), send("offer"))

    decision = moved(WAITING, OLD, to, MONDAY + 5 * DAY)

    assert decision.enrollment.step == "pause"
    assert [one.at for one in timers(decision)] == [MONDAY + 5 * DAY]
    assert sent(decision) == []
    assert sent(fired(to, decision)) == ["offer"]


def test_a_lengthened_wait_lasts_until_its_new_end() -> None:
    to = new(send("hello"), wait("pause", "9d"), send("offer"))

    decision = moved(WAITING, OLD, to, MONDAY + 6 * DAY)

    assert decision.enrollment.due_at == MONDAY + 9 * DAY
    stale = TimerFired(WAITING.sequence)
    assert advance(to, decision.enrollment, decision.profile, stale, MONDAY + 7 * DAY) == Decision(
        decision.enrollment, decision.profile
    )


def test_a_timeout_is_a_wait_like_any_other() -> None:
    old = journey(wait_for("answer", "visit.attended", timeout="4d", otherwise=(send("reminder"),)))
    to = new(wait_for("answer", "visit.attended", timeout="1d", otherwise=(send("reminder"),)))

    decision = moved(entered(old).enrollment, old, to, MONDAY + 2 * DAY)

    assert sent(fired(to, decision)) == ["reminder"]


def test_another_time_zone_of_the_journey_moves_a_time_of_day() -> None:
    steps = (wait("morning", {"at": "10:00", "day": 1}), send("offer"))
    old, to = journey(*steps, time_zone="UTC"), new(*steps, time_zone="America/New_York")

    decision = moved(entered(old).enrollment, old, to)

    assert decision.enrollment.due_at == at("2026-03-03 15:00")


@pytest.mark.parametrize(("if_past", "then"), [("continue", ["offer"]), ("skip", ["bye"]), ("exit", [])])
def test_a_date_that_is_past_by_the_new_version_is_answered_by_if_past(if_past: str, then: list[str]) -> None:
    old = journey(wait("before", {"until": "data.at", "offset": "-1d"}), send("offer"), send("bye"))
    changed = {"until": "data.at", "offset": "-3d", "if_past": if_past}
    to = new(wait("before", changed), send("offer"), wait("after", "1h"), send("bye"))
    waiting = entered(old, at="2026-03-05T10:00:00Z").enrollment

    decision = moved(waiting, old, to, MONDAY + HOUR)

    if if_past == "exit":
        assert decision.enrollment.outcome == "moment_past"
    elif if_past == "skip":
        assert decision.enrollment.step == "after"
        assert decision.enrollment.due_at == MONDAY + 2 * HOUR
        assert sent(fired(to, decision)) == then
    else:
        assert sent(fired(to, decision)) == then


def test_a_removed_step_moves_on_to_its_successor_when_its_timer_fires() -> None:
    to = new(send("hello"), send("offer"), wait("rest", "1d"))

    decision = moved(WAITING, OLD, to)

    assert (decision.enrollment.step, decision.enrollment.due_at) == ("offer", MONDAY + HOUR)
    assert sent(decision) == []
    assert sent(fired(to, decision)) == ["offer"]


def test_a_removed_step_before_a_webhook_posts_it_once() -> None:
    post = {"id": "post", "webhook": {"endpoint": "crm", "else": [send("sorry")]}}
    old, to = journey(wait("pause", "7d"), post, send("offer")), new(post, send("offer"))
    behind = journey(post, wait("pause", "7d"))

    decision = moved(entered(old).enrollment, old, to)

    assert [effect.KIND for effect in decision.effects] == ["call", "wake"]
    assert decision.enrollment.step == "post"
    assert sent(fired(to, decision)) == ["sorry", "offer"]
    waiting = replace(entered(behind).enrollment, step="pause")
    assert refused(waiting, behind, new(wait("pause", "7d"), post)) is Because.DONE_BEFORE


def test_a_removed_step_before_a_wait_begins_that_wait() -> None:
    to = new(send("hello"), wait("rest", "1d"), send("bye"))

    decision = moved(WAITING, OLD, to)

    assert (decision.enrollment.step, decision.enrollment.due_at) == ("rest", MONDAY + HOUR + DAY)


def test_an_enrollment_whose_further_steps_are_all_removed_ends() -> None:
    to = new(send("hello"))

    decision = moved(WAITING, OLD, to)

    assert (decision.enrollment.status, decision.enrollment.outcome) == (Status.ENDED, "completed")
    assert decision.effects == ()


def test_a_step_of_another_kind_is_another_step() -> None:
    to = new(send("hello"), wait_for("pause", "visit.attended", timeout="7d"), send("offer"))

    assert moved(WAITING, OLD, to).enrollment.step == "offer"


def test_of_a_removed_question_the_answers_are_removed_with_it() -> None:
    old = journey(
        wait_for("answer", "visit.attended", then=(send("thanks"),), otherwise=(send("reminder"),)), send("offer")
    )

    assert moved(entered(old).enrollment, old, new(send("offer"))).enrollment.step == "offer"


def test_of_a_removed_question_whose_answers_are_left_nobody_knows_the_way() -> None:
    old = journey(
        wait_for("answer", "visit.attended", then=(send("thanks"),), otherwise=(send("reminder"),)), send("offer")
    )
    to = new(send("thanks"), send("offer"))

    assert refused(entered(old).enrollment, old, to) is Because.SEVERAL_WAYS


def test_a_way_that_only_led_to_an_exit_does_not_count() -> None:
    gone = {"id": "gone", "branch": [{"if": "data.a", "then": [{"id": "enough", "exit": "x"}]}, {"else": []}]}
    old = journey(wait("pause", "1d"), gone, send("offer"))

    assert moved(entered(old).enrollment, old, new(send("offer"))).enrollment.step == "offer"


def test_a_message_that_lies_behind_does_not_come_again() -> None:
    to = new(wait("pause", "7d"), send("hello"), send("offer"))

    assert refused(WAITING, OLD, to) is Because.DONE_BEFORE


def test_a_message_that_lies_behind_does_not_come_again_by_way_of_a_version_without_it() -> None:
    between = journey(wait("pause", "7d"), send("offer"), version="v2")
    to = journey(wait("pause", "7d"), send("hello"), version="v3")

    without = moved(WAITING, OLD, between)

    assert refused(without.enrollment, between, to) is Because.DONE_BEFORE
    assert moved(without.enrollment, between, OLD).enrollment == WAITING


def test_a_message_that_was_never_sent_may_come_later() -> None:
    """It was added before the step, and is moved behind it."""
    before = journey(send("hello"), send("added"), wait("pause", "7d"), version="v2")
    behind = journey(send("hello"), wait("pause", "7d"), send("added"), version="v3")

    there = moved(WAITING, OLD, before)
    further = moved(there.enrollment, before, behind)

    assert sent(fired(behind, further)) == ["added"]


def test_what_came_since_does_not_come_again_either() -> None:
    second = journey(wait("pause", "7d"), send("offer"), wait("rest", "1d"), version="v2")
    third = journey(wait("rest", "1d"), send("offer"), version="v3")

    there = fired(second, moved(WAITING, OLD, second))

    assert there.enrollment.step == "rest"
    assert refused(there.enrollment, second, third) is Because.DONE_BEFORE


def test_a_wait_or_a_branch_may_be_put_elsewhere() -> None:
    old = journey(wait("first", "1h"), wait("second", "2h"), send("offer"))
    to = new(wait("second", "2h"), wait("first", "1h"), send("offer"))

    second = fired(old, entered(old))

    assert moved(second.enrollment, old, to).enrollment.step == "second"


def split(*arms: tuple[str, list[dict[str, Any]]]) -> dict[str, Any]:
    return {"id": "test", "split": {"arms": [{"arm": name, "weight": 1, "then": steps} for name, steps in arms]}}


def in_arm(walked: Journey, step: str) -> Enrollment:
    """An enrollment that waits at this step of an arm, whichever the customer would draw."""
    drawn = entered(walked).enrollment
    return replace(drawn, step=step, due_at=MONDAY + DAY, reached_at=MONDAY)


TWO_ARMS = journey(
    split(("short", [wait("short-wait", "1d")]), ("long", [wait("long-wait", "7d"), send("more")])), send("offer")
)


def test_who_is_in_a_removed_arm_finishes_there() -> None:
    only_long = [wait("long-wait", "7d"), send("more")]
    to = new(split(("long", only_long), ("other", [])), send("offer"))

    assert refused(in_arm(TWO_ARMS, "short-wait"), TWO_ARMS, to) is Because.REMOVED_ARM
    assert moved(in_arm(TWO_ARMS, "long-wait"), TWO_ARMS, to).enrollment.step == "long-wait"
    winner = new(*only_long, send("offer"))
    assert refused(in_arm(TWO_ARMS, "long-wait"), TWO_ARMS, winner) is Because.REMOVED_ARM


def test_nobody_gets_into_an_arm_without_drawing_it() -> None:
    swapped = new(split(("short", [wait("long-wait", "7d")]), ("long", [wait("short-wait", "1d")])), send("offer"))
    around = new(send("hello"), split(("a", [wait("pause", "7d")]), ("b", [])), send("offer"))

    assert refused(in_arm(TWO_ARMS, "short-wait"), TWO_ARMS, swapped) is Because.OTHER_ARM
    assert refused(WAITING, OLD, around) is Because.OTHER_ARM


def test_a_step_removed_from_an_arm_moves_on_within_it() -> None:
    to = new(split(("short", [wait("short-wait", "1d")]), ("long", [send("more")])), send("offer"))

    assert moved(in_arm(TWO_ARMS, "long-wait"), TWO_ARMS, to).enrollment.step == "more"


def test_another_key_of_the_entry_would_lose_the_enrollment() -> None:
    to = new(*(wait("pause", "7d"),), entry={"event": "trial.signup", "key": "event.properties.key"})

    assert refused(WAITING, OLD, to) is Because.OTHER_KEY


def test_a_goal_stays_one_goal_for_both_sides_of_a_holdout() -> None:
    goal = {"goal": {"event": "invoice.paid"}}
    to = new(wait("pause", "7d"), **goal)

    assert moved(WAITING, OLD, to).enrollment.version == "v2"
    assert refused(WAITING, OLD, new(wait("pause", "7d"), **goal, holdout="10%")) is Because.OTHER_GOAL


def test_the_holdout_stays() -> None:
    old = journey(wait("pause", "7d"), holdout=1)

    assert refused(entered(old).enrollment, old, new(wait("pause", "7d"), holdout=1)) is Because.HELD_OUT


SILENT = {"none_of": ["app.opened"], "for": "30d"}


def test_a_silence_that_is_shorter_now_is_asked_for_again_when_its_timer_fires() -> None:
    old, to = journey(send("hello"), entry=SILENT), new(send("hello"), entry=SILENT | {"for": "5d"})
    begun = entered(old, who=profile()).enrollment
    assert begun.step == "entry"

    decision = moved(begun, old, to, MONDAY + 10 * DAY)

    assert (decision.enrollment.step, decision.enrollment.due_at) == ("entry", MONDAY + 10 * DAY)
    assert kinds(decision) == ["migrated", "waiting"]
    assert sent(fired(to, decision)) == ["hello"]


def test_what_has_not_begun_does_not_begin_in_another_way() -> None:
    old = journey(send("hello"), entry=SILENT)
    dated = new(send("hello"), entry={"date": "profile.birthday"})

    for to in (dated, new(send("hello"))):
        assert refused(entered(old).enrollment, old, to) is Because.OTHER_BEGINNING


def both(*types: str) -> dict[str, Any]:
    rule = {"all": [{"event": one, "key": "any"} for one in types], "timeout": "2d"}
    return {"id": "both", "wait_for": rule | {"then": [send("thanks")], "else": []}}


def half(walked: Journey) -> Enrollment:
    """One of both events has happened."""
    begun = entered(walked)
    happened = Happened(event("invoice.paid", MONDAY))
    return advance(walked, begun.enrollment, begun.profile, happened, MONDAY).enrollment


def test_what_has_happened_counts_in_the_new_version() -> None:
    old = journey(both("invoice.paid", "visit.attended"))
    to = new(both("visit.attended", "form.filled", "invoice.paid"))

    assert half(old).met == (0,)
    assert moved(half(old), old, to).enrollment.met == (2,)
    assert refused(half(old), old, new(both("visit.attended", "form.filled"))) is Because.HEARD_IN_VAIN


def test_if_nothing_more_is_to_happen_the_wait_is_over() -> None:
    old, to = journey(both("invoice.paid", "visit.attended")), new(both("invoice.paid", "invoice.paid"))

    decision = moved(half(old), old, to)

    assert sent(fired(to, decision)) == ["thanks"]


def test_in_a_paused_journey_a_moved_enrollment_waits_for_the_resume() -> None:
    paused = (Pause("journey:visit", MONDAY),)
    for to in (new(send("hello"), wait("pause", "1m"), send("offer")), new(send("hello"), send("offer"))):
        decision = fired(to, moved(WAITING, OLD, to), paused)

        assert sent(decision) == []
        assert kinds(decision) == ["paused"]


def test_after_a_pause_with_skip_if_late_the_step_that_it_stood_before_is_passed_over() -> None:
    from cairn.domain.operations.pauses import PausePolicy

    to = new(send("hello"), send("offer"), wait("rest", "1d"), send("bye"))
    decision = moved(WAITING, OLD, to)
    over = (Pause("journey:visit", MONDAY, MONDAY + DAY, PausePolicy.SKIP_IF_LATE),)

    timer = TimerFired(decision.enrollment.sequence, over)
    late = advance(to, decision.enrollment, decision.profile, timer, MONDAY + DAY)

    assert sent(late) == []
    assert late.enrollment.step == "rest"


def test_a_message_falls_back_by_the_version_that_has_the_enrollment_now() -> None:
    walked = new({"id": "offer", "send": {"channel": ["sms", "email"], "template": "o", "purpose": "marketing"}})

    again = engine.fall_back(walked, WAITING, profile(), f"{WAITING.id}-offer-1", "sms", MONDAY)

    assert again is not None
    assert again.version == "v2"


@pytest.mark.parametrize(
    ("to", "line"),
    [
        (new(wait("pause", "7d")), ReportRow("v1", "pause", "pause", Timer.UNCHANGED)),
        (new(wait("pause", "2h")), ReportRow("v1", "pause", "pause", Timer.SET_ANEW)),
        (new(wait("pause", "1h")), ReportRow("v1", "pause", "pause", Timer.DUE_AT_ONCE)),
        (new(send("offer")), ReportRow("v1", "pause", "offer", Timer.DUE_AT_ONCE)),
        (new(send("bonus")), ReportRow("v1", "pause", "", Timer.ENDED)),
        (new(wait("pause", "7d"), send("hello")), ReportRow("v1", "pause", because=Because.DONE_BEFORE)),
    ],
)
def test_a_report_counts_who_moves_where(to: Journey, line: ReportRow) -> None:
    now = MONDAY + HOUR

    assert row_of(WAITING, migrate(WAITING, OLD, to, profile(), now), now) == line


def test_the_timer_is_set_for_the_moved_enrollment() -> None:
    decision = moved(WAITING, OLD, new(wait("pause", "1d")))

    assert decision.effects == (
        WakeAt(f"{WAITING.id}-pause-{WAITING.sequence + 1}", WAITING.id, WAITING.sequence + 1, MONDAY + DAY),
    )
