"""Each kind of step, shown by one customer's enrollment in a small journey."""

from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import pytest

from cairn.domain.effects import Fact, OpenTask, SendMessage, WakeAt
from cairn.domain.journey import engine
from cairn.domain.journey.definition import Journey
from cairn.domain.journey.engine import Decision, Happened, TimerFired
from cairn.domain.journey.enrollment import Status
from cairn.domain.shared.channels import Channel, Purpose
from tests.unit.makers import MONDAY, at, entered, event, journey, kinds, profile, send, sent, timers, wait, wait_for

HOUR = timedelta(hours=1)
DAY = timedelta(days=1)


def after(walked: Journey, before: Decision, type_: str, when: Any = MONDAY + HOUR, **properties: Any) -> Decision:
    happened = event(type_, when, properties=properties)
    return engine.advance(walked, before.enrollment, before.profile, Happened(happened), when)


def on_timer(walked: Journey, before: Decision, later: timedelta = timedelta()) -> Decision:
    waits = before.enrollment
    assert waits.due_at is not None
    return engine.advance(walked, waits, before.profile, TimerFired(waits.sequence), waits.due_at + later)


def test_a_journey_sends_a_message_and_then_waits() -> None:
    welcome = journey(send("hello"), wait("a-day", "1d"), send("tips"))

    decision = entered(welcome)

    waits = decision.enrollment
    assert decision.effects == (
        SendMessage(f"{waits.id}-hello-1", waits.id, "hello", (Channel.EMAIL,), "hello", Purpose.TRANSACTIONAL, "UTC"),
        WakeAt(f"{waits.id}-a-day-1", waits.id, 1, MONDAY + DAY),
    )
    assert (waits.step, waits.due_at, waits.reached_at, waits.sequence) == ("a-day", MONDAY + DAY, MONDAY, 1)
    assert kinds(decision) == ["entered", "waiting"]


def test_after_the_last_step_the_journey_is_completed() -> None:
    welcome = journey(send("hello"), wait("a-day", "1d"), send("tips"))

    decision = on_timer(welcome, entered(welcome))

    assert sent(decision) == ["tips"]
    assert (decision.enrollment.status, decision.enrollment.outcome) == (Status.ENDED, "completed")
    assert decision.enrollment.ended_at == MONDAY + DAY


def test_a_timer_that_comes_early_is_set_again() -> None:
    welcome = journey(wait("a-day", "1d"))
    waiting = entered(welcome)

    early = on_timer(welcome, waiting, later=-HOUR)

    (timer,) = timers(early)
    assert (timer.at, timer.sequence) == (MONDAY + DAY, 2)
    assert timer.id != timers(waiting)[0].id
    assert on_timer(welcome, early).enrollment.outcome == "completed"


def test_a_message_carries_the_customers_own_zone() -> None:
    hello = journey(send("hello"), time_zone="Europe/Paris")

    here = entered(hello).effects[0]
    away = entered(hello, who=profile(time_zone="Asia/Kathmandu")).effects[0]

    assert isinstance(here, SendMessage)
    assert isinstance(away, SendMessage)
    assert (here.time_zone, away.time_zone) == ("Europe/Paris", "Asia/Kathmandu")


VISIT = "2026-03-05T12:00:00Z"


@pytest.mark.parametrize(
    ("if_past", "messages", "outcome"),
    [("continue", ["offer", "thanks"], "completed"), ("skip", ["thanks"], "completed"), ("exit", [], "moment_past")],
)
@pytest.mark.parametrize("visit_at", ["2026-03-03T12:00:00Z", None, ""])
def test_the_journey_decides_what_follows_a_moment_that_is_past_or_unknown(
    visit_at: Any, if_past: str, messages: list[str], outcome: str
) -> None:
    offer = {"until": "data.visit_at", "offset": "-48h", "if_past": if_past}
    booked = journey(wait("two-days-before", offer), send("offer"), send("thanks"))

    decision = entered(booked, visit_at=visit_at)

    assert sent(decision) == messages
    assert decision.enrollment.outcome == outcome
    assert kinds(decision)[1] == ("moment_past" if visit_at else "moment_unknown")


@pytest.mark.parametrize(
    ("if_unreadable", "messages", "outcome"),
    [
        (None, [], "moment_unreadable"),
        ("exit", [], "moment_unreadable"),
        ("continue", ["offer", "thanks"], "completed"),
        ("skip", ["thanks"], "completed"),
    ],
)
@pytest.mark.parametrize("visit_at", ["next Friday", "03/05/2026", {"date": "2026-03-05"}, 10**40])
def test_a_date_that_cannot_be_read_is_neither_past_nor_absent(
    visit_at: Any, if_unreadable: str | None, messages: list[str], outcome: str
) -> None:
    offer = {"until": "data.visit_at", "offset": "-48h", "if_past": "continue"}
    offer |= {"if_unreadable": if_unreadable} if if_unreadable else {}
    booked = journey(wait("two-days-before", offer), send("offer"), send("thanks"))

    decision = entered(booked, visit_at=visit_at)

    assert sent(decision) == messages
    assert decision.enrollment.outcome == outcome
    (fact,) = [fact for fact in decision.facts if fact.kind == "moment_unreadable"]
    assert (fact.step, fact.detail) == ("two-days-before", {})


@pytest.mark.parametrize(("if_unreadable", "messages"), [(None, []), ("exit", []), ("continue", ["call"])])
def test_a_timeout_that_cannot_be_read_is_no_timeout(if_unreadable: str | None, messages: list[str]) -> None:
    timeout = {"until": "data.visit_at"} | ({"if_unreadable": if_unreadable} if if_unreadable else {})
    rescue = journey(wait_for("paid", "invoice.paid", timeout=timeout, otherwise=(send("call"),)))

    decision = entered(rescue, visit_at="soon")

    assert sent(decision) == messages
    assert decision.enrollment.outcome == ("completed" if messages else "moment_unreadable")


def test_a_wait_whose_new_date_cannot_be_read_ends() -> None:
    moved = journey(wait("before", {"until": "data.visit_at"}), send("offer"), refresh_on=[{"event": "booking.moved"}])
    waiting = entered(moved, visit_at="2026-03-09T12:00:00Z")

    decision = after(moved, waiting, "booking.moved", visit_at="tba")

    assert (sent(decision), decision.enrollment.outcome) == ([], "moment_unreadable")


def test_an_enrollment_follows_a_booking_whose_id_changes_with_each_move() -> None:
    """The recipe of docs/journeys.md, "Matches and keys"."""
    booked = journey(
        wait("a-day", "1d"),
        entry={"event": "booking.created", "key": "event.properties.booking_id"},
        refresh_on=[
            {"event": "booking.moved", "key": "any", "where": "event.properties.previous_id == data.booking_id"}
        ],
        exit_on=[
            {"event": "booking.cancelled", "key": "any", "where": "event.properties.booking_id == data.booking_id"}
        ],
    )
    here = entered(booked, booking_id="1")

    for hour, old, new in ((1, "1", "2"), (2, "2", "3")):
        other = after(booked, here, "booking.moved", MONDAY + hour * HOUR, previous_id="other", booking_id="4")
        here = after(booked, here, "booking.moved", MONDAY + hour * HOUR, previous_id=old, booking_id=new)
        assert kinds(other) == []
        assert (kinds(here), here.enrollment.data["booking_id"]) == (["refreshed"], new)

    assert kinds(after(booked, here, "booking.cancelled", MONDAY + 3 * HOUR, booking_id="1")) == []
    assert kinds(after(booked, here, "booking.cancelled", MONDAY + 3 * HOUR, booking_id="3")) == ["ended"]


@pytest.mark.parametrize(
    ("skipped", "then"),
    [
        (send("offer"), "thanks"),
        (wait("a-week", "7d"), "thanks"),
        ({"id": "tag", "update": {"set": {"stage": "late"}}}, "thanks"),
        (wait_for("reply", "message.replied", then=(send("great"),), otherwise=(send("sorry"),)), "sorry"),
        ({"id": "size", "branch": [{"if": "`true`", "then": [send("big")]}, {"else": [send("small")]}]}, "small"),
    ],
)
def test_skipping_a_step_with_paths_takes_its_last_path(skipped: dict[str, Any], then: str) -> None:
    late = journey(wait("before", {"until": "data.visit_at", "if_past": "skip"}), skipped, send("thanks"))

    decision = entered(late)

    assert sent(decision)[0] == then
    assert sent(decision)[-1] == "thanks"
    assert decision.profile.get("stage") is None


def test_skipping_the_end_is_the_end() -> None:
    late = journey(wait("before", {"until": "data.visit_at", "if_past": "skip"}), {"id": "out", "exit": "lost"})
    last = journey(wait("before", {"until": "data.visit_at", "if_past": "skip"}))

    assert entered(late).enrollment.outcome == "completed"
    assert entered(last).enrollment.outcome == "completed"


def test_after_a_payment_in_time_the_timeout_is_ignored() -> None:
    rescue = journey(
        wait_for("paid", "invoice.paid", timeout="2d", then=(send("thanks"),), otherwise=(send("call"),)), send("bye")
    )
    waiting = entered(rescue)

    paid = after(rescue, waiting, "invoice.paid")
    late = engine.advance(rescue, paid.enrollment, paid.profile, TimerFired(1), MONDAY + 2 * DAY)

    assert sent(paid) == ["thanks", "bye"]
    assert late == Decision(paid.enrollment, paid.profile)


def test_after_the_timeout_a_payment_is_ignored() -> None:
    rescue = journey(
        wait_for("paid", "invoice.paid", timeout="2d", then=(send("thanks"),), otherwise=(send("call"),)),
        wait("a-day", "1d"),
    )
    timed_out = on_timer(rescue, entered(rescue))

    paid = after(rescue, timed_out, "invoice.paid", MONDAY + 2 * DAY)

    assert sent(timed_out) == ["call"]
    assert paid == Decision(timed_out.enrollment, timed_out.profile)


def test_only_matching_events_win_a_wait() -> None:
    rescue = journey(
        wait_for("paid", "invoice.paid", where="event.properties.amount > data.least", then=(send("thanks"),)),
        entry={"event": "trial.signup", "key": "event.properties.invoice"},
    )
    waiting = entered(rescue, key="in-1", least=10)

    too_little = after(rescue, waiting, "invoice.paid", amount=5, invoice="in-1")
    another = after(rescue, waiting, "invoice.paid", amount=50, invoice="in-2")
    nameless = after(rescue, waiting, "invoice.paid", amount=50)
    this = after(rescue, waiting, "invoice.paid", amount=50, invoice="in-1")

    assert [sent(one) for one in (too_little, another, nameless, this)] == [[], [], [], ["thanks"]]


def test_the_key_any_matches_every_event_of_the_type() -> None:
    rescue = journey(
        wait_for("paid", "invoice.paid", key="any", then=(send("thanks"),)),
        entry={"event": "trial.signup", "key": "event.properties.invoice"},
    )

    paid = after(rescue, entered(rescue, key="in-1"), "invoice.paid", invoice="in-2")

    assert sent(paid) == ["thanks"]


def test_the_next_steps_see_the_event_that_won() -> None:
    rescue = journey(
        wait_for(
            "paid", "invoice.paid", then=({"id": "note", "update": {"set_from": {"paid": "event.properties.amount"}}},)
        ),
    )

    paid = after(rescue, entered(rescue), "invoice.paid", amount=4900)

    assert paid.profile.get("paid") == 4900


@pytest.mark.parametrize(("amount", "message"), [(500, "big"), (50, "middling"), (5, "small"), ("many", "small")])
def test_a_branch_takes_the_first_arm_whose_condition_is_true(amount: Any, message: str) -> None:
    sized = journey(
        {
            "id": "size",
            "branch": [
                {"if": "data.amount > `100`", "then": [send("big")]},
                {"if": "data.amount > `10`", "then": [send("middling")]},
                {"else": [send("small")]},
            ],
        },
        send("bye"),
    )

    assert sent(entered(sized, amount=amount)) == [message, "bye"]


def test_a_branch_without_an_else_goes_on() -> None:
    sized = journey({"id": "size", "branch": [{"if": "data.big", "then": [send("big")]}]}, send("bye"))

    decision = entered(sized)

    assert sent(decision) == ["bye"]
    assert [fact.detail for fact in decision.facts if fact.kind == "branched"] == [{"arm": "else"}]


def test_later_steps_see_an_update() -> None:
    tagged = journey(
        {"id": "tag", "update": {"set": {"stage": "trial", "old": None}, "set_from": {"plan": "data.plan"}}},
        {"id": "vip", "update": {"tags": {"add": ["vip"], "remove": ["new"]}}},
        {
            "id": "check",
            "branch": [{"if": "profile.stage == 'trial' && profile.tags[0] == 'vip'", "then": [send("a")]}],
        },
    )

    decision = entered(tagged, who=profile(old=1).patched({"tags": ["new"]}, MONDAY - DAY), plan="gold")

    assert sent(decision) == ["a"]
    assert decision.profile.view() | {"id": ""} == {
        "id": "",
        "user_id": "ada",
        "external_ids": {},
        "stage": "trial",
        "plan": "gold",
        "tags": ["vip"],
    }


def test_a_task_has_a_due_time_and_its_context() -> None:
    called = journey(
        {
            "id": "call",
            "task": {
                "queue": "sales",
                "title": "Call them",
                "due": "4h",
                "context": {"plan": "data.plan", "gap": "data.nothing"},
                "script": "Say hello.",
            },
        },
    )

    (task,) = entered(called, plan="gold").effects

    assert isinstance(task, OpenTask)
    assert (task.queue, task.title, task.script) == ("sales", "Call them", "Say hello.")
    assert (task.due_at, task.context) == (MONDAY + 4 * HOUR, {"plan": "gold", "gap": None})


def test_an_exit_gives_the_outcome() -> None:
    ended = entered(journey({"id": "out", "exit": "too-small"}, send("never")))

    assert (ended.enrollment.outcome, ended.effects) == ("too-small", ())


BOOKED = journey(
    wait("before", {"until": "data.visit_at", "offset": "-2h"}),
    send("soon"),
    entry={"event": "booking.made", "key": "event.properties.booking", "again": "when-ended"},
    refresh_on=[{"event": "booking.moved"}],
    exit_on=[{"event": "booking.cancelled"}],
    goal={"event": "visit.attended", "within": "30d"},
)


def booked(**more: Any) -> Decision:
    return entered(BOOKED, key="b-1", **({"visit_at": VISIT, "booking": "b-1"} | more))


def test_a_wait_for_a_date_follows_the_date() -> None:
    moved = after(BOOKED, booked(), "booking.moved", booking="b-1", visit_at="2026-03-07T12:00:00Z")

    (timer,) = timers(moved)
    assert timer.at == at("2026-03-07 10:00")
    assert timer.sequence == moved.enrollment.sequence == 2
    assert moved.enrollment.data["visit_at"] == "2026-03-07T12:00:00Z"


def test_the_timer_of_the_old_date_is_stale() -> None:
    moved = after(BOOKED, booked(), "booking.moved", booking="b-1", visit_at="2026-03-07T12:00:00Z")

    old = engine.advance(BOOKED, moved.enrollment, moved.profile, TimerFired(1), at("2026-03-05 10:00"))

    assert old == Decision(moved.enrollment, moved.profile)


def test_a_visit_that_is_moved_to_the_next_hour_ends_the_wait_at_once() -> None:
    moved = after(BOOKED, booked(), "booking.moved", booking="b-1", visit_at="2026-03-02T12:00:00Z")

    assert sent(moved) == ["soon"]
    assert moved.enrollment.status is Status.ENDED


def test_another_bookings_change_and_an_older_one_change_nothing() -> None:
    moved = after(BOOKED, booked(), "booking.moved", MONDAY + 2 * HOUR, booking="b-1", visit_at="2026-03-07T12:00:00Z")

    other = after(BOOKED, moved, "booking.moved", MONDAY + 3 * HOUR, booking="b-2", visit_at="2026-03-09T12:00:00Z")
    older = after(BOOKED, moved, "booking.moved", MONDAY + HOUR, booking="b-1", visit_at="2026-03-06T12:00:00Z")

    assert other == older == Decision(moved.enrollment, moved.profile)


PATIENT = journey(
    wait("three-days", "3d"), send("now"), refresh_on=[{"event": "booking.moved"}], entry={"event": "booking.made"}
)


@pytest.mark.parametrize("moved_at", [MONDAY + HOUR, MONDAY + 3 * DAY, MONDAY + 4 * DAY])
def test_a_wait_without_a_date_keeps_its_timer_when_the_data_changes(moved_at: datetime) -> None:
    """Even where it is due already: a timer for now, or for the past, would only be one more."""
    (timer,) = timers(entered(PATIENT))

    moved = after(PATIENT, entered(PATIENT), "booking.moved", moved_at, seats=4)
    woken = engine.advance(PATIENT, moved.enrollment, moved.profile, TimerFired(timer.sequence), MONDAY + 4 * DAY)

    assert timers(moved) == []
    assert moved.enrollment.data == {"seats": 4}
    assert sent(woken) == ["now"]


def test_the_same_change_again_changes_nothing() -> None:
    moved = after(PATIENT, entered(PATIENT), "booking.moved", seats=4)

    assert after(PATIENT, moved, "booking.moved", seats=4) == Decision(moved.enrollment, moved.profile)


def test_a_cancelled_booking_ends_its_own_enrollment_only() -> None:
    other = after(BOOKED, booked(), "booking.cancelled", booking="b-2")
    this = after(BOOKED, booked(), "booking.cancelled", booking="b-1")

    assert other.enrollment.open
    assert (this.enrollment.outcome, this.effects) == ("exit_on", ())
    assert this.facts[-1] == Fact(
        "ended", this.enrollment.id, "visit", "before", detail={"outcome": "exit_on", "because": "booking.cancelled"}
    )


def test_the_goal_counts_once_within_its_window_and_the_enrollment_goes_on() -> None:
    reached = after(BOOKED, booked(), "visit.attended", booking="b-1")
    again = after(BOOKED, reached, "visit.attended", MONDAY + 2 * HOUR, booking="b-1")
    too_late = after(BOOKED, booked(), "visit.attended", MONDAY + 31 * DAY, booking="b-1")

    assert (reached.enrollment.goal_at, reached.enrollment.open) == (MONDAY + HOUR, True)
    assert [fact.detail for fact in reached.facts] == [{"because": "visit.attended", "arm": "active"}]
    assert again.facts == too_late.facts == ()


def test_a_goal_reached_after_the_last_step_counts_too() -> None:
    ended = on_timer(BOOKED, booked())

    reached = after(BOOKED, ended, "visit.attended", at(VISIT), booking="b-1")

    assert reached.enrollment.goal_at == at(VISIT)
    assert kinds(reached) == ["goal_reached"]


def test_a_goal_counts_for_a_customer_of_the_holdout() -> None:
    control = replace(BOOKED, holdout=1.0)
    waiting = entered(control, key="b-1", visit_at=VISIT)

    moved = after(control, waiting, "booking.moved", booking="b-1", visit_at=VISIT)
    reached = after(control, moved, "visit.attended", booking="b-1")

    assert kinds(waiting) == ["held_out"]
    assert moved == Decision(waiting.enrollment, waiting.profile)
    assert [fact.detail["arm"] for fact in reached.facts] == ["held-out"]


def test_an_event_that_is_goal_refresh_and_match_at_once_counts_once() -> None:
    all_at_once = journey(
        wait_for("moved", "booking.moved"),
        goal={"event": "booking.moved", "where": "data.seats", "within": "30d"},
        refresh_on=[{"event": "booking.moved"}],
    )

    ended = after(all_at_once, entered(all_at_once), "booking.moved", seats=4)
    again = after(all_at_once, ended, "booking.moved", seats=4)

    assert again == Decision(ended.enrollment, ended.profile)
