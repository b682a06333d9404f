"""A split divides customers evenly and for good; a wait for several events ends once, in whatever order they come."""

from dataclasses import replace
from datetime import timedelta
from itertools import permutations
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cairn.domain.event import Event
from cairn.domain.journey import engine
from cairn.domain.journey.definition import Journey
from cairn.domain.journey.engine import Decision, Happened, TimerFired
from cairn.domain.journey.steps.split import Split
from tests.unit.makers import MONDAY, entered, journey, profile, send, sent

HOUR = timedelta(hours=1)
CUSTOMERS = [f"c_{number}" for number in range(4000)]


def split(*weights: float, salt: str = "", id_: str = "offer") -> Split:
    arms = [{"arm": f"arm-{number}", "weight": weight} for number, weight in enumerate(weights)]
    found = journey({"id": id_, "split": {"arms": arms, "salt": salt}}).steps[id_]
    assert isinstance(found, Split)
    return found


def arms(by: Split, journey_name: str = "visit") -> list[str]:
    return [by.arm_of(one, journey_name).name for one in CUSTOMERS]


def test_an_arm_gets_its_part_of_the_customers() -> None:
    found = arms(split(50, 30, 20))

    for name, expected in (("arm-0", 0.5), ("arm-1", 0.3), ("arm-2", 0.2)):
        assert found.count(name) / len(found) == pytest.approx(expected, abs=0.03)


def test_the_arm_is_in_the_timeline_and_its_steps_follow() -> None:
    tested = journey(
        {
            "id": "offer",
            "split": {
                "arms": [
                    {"arm": "gift", "weight": 1, "then": [send("gift")]},
                    {"arm": "nothing", "weight": 0},
                ]
            },
        },
        send("bye"),
    )

    decision = entered(tested)

    assert sent(decision) == ["gift", "bye"]
    assert [fact.detail for fact in decision.facts if fact.kind == "split"] == [{"arm": "gift"}]


def test_an_arm_without_weight_gets_nobody() -> None:
    assert set(arms(split(0, 1, 0))) == {"arm-1"}


@given(st.text(), st.lists(st.floats(0, 1e12), min_size=2, max_size=5).filter(any))
def test_every_customer_gets_an_arm_that_has_a_weight(customer: str, weights: list[float]) -> None:
    divided = split(*weights)

    assert divided.arm_of(customer, "visit").weight > 0
    assert divided.arm_of(customer, "visit") == divided.arm_of(customer, "visit")


@given(st.integers(1, 98), st.integers(1, 98))
def test_an_arm_that_grows_at_the_cost_of_the_next_keeps_its_customers(one: int, other: int) -> None:
    smaller, larger = sorted((one, other))
    before, after = split(smaller, 100 - smaller), split(larger, 100 - larger)

    for customer in CUSTOMERS[:200]:
        if before.arm_of(customer, "visit").name == "arm-0":
            assert after.arm_of(customer, "visit").name == "arm-0"


def test_splits_divide_anew_unless_they_share_their_salt() -> None:
    one, other = split(50, 50), split(50, 50, id_="another")
    salted = split(50, 50, salt="spring"), split(50, 50, salt="spring", id_="another")
    alike = [a == b for a, b in zip(arms(one), arms(other), strict=True)]

    assert sum(alike) / len(alike) == pytest.approx(0.5, abs=0.03)
    assert arms(one) != arms(one, "another-journey")
    assert arms(salted[0]) == arms(salted[1], "another-journey")


def test_a_late_wait_before_a_split_changes_nobodys_arm() -> None:
    tested = journey(
        {"id": "before", "wait": {"until": "data.at", "if_past": "skip"}},
        {
            "id": "offer",
            "split": {
                "arms": [{"arm": "winner", "weight": 1, "then": [send("won")]}, {"arm": "loser", "weight": 0}],
            },
        },
    )

    decision = entered(tested, at="2020-01-01T00:00:00Z")

    assert sent(decision) == ["won"]
    assert "split" in [fact.kind for fact in decision.facts]


def heard(tested: Journey, decision: Decision, type_: str, hours: int, **properties: Any) -> Decision:
    at = MONDAY + hours * HOUR
    one = Event(f"{type_}-{hours}", "track", type_, at, properties=properties)
    return engine.advance(tested, decision.enrollment, decision.profile, Happened(one), at)


ANY = {
    "id": "answer",
    "wait_for": {
        "any": [
            {"event": "message.clicked", "then": [send("clicked")]},
            {"event": "order.placed", "where": "event.properties.total > `100`", "then": [send("large")]},
            {"event": "order.placed", "then": [send("small")]},
        ],
        "timeout": "3d",
        "else": [send("nothing")],
    },
}


@pytest.mark.parametrize(
    ("type_", "total", "then"),
    [("message.clicked", 0, ["clicked"]), ("order.placed", 200, ["large"]), ("order.placed", 5, ["small"])],
)
def test_the_first_of_several_events_ends_the_wait_by_its_own_path(type_: str, total: int, then: list[str]) -> None:
    tested = journey(ANY, {"id": "rest", "wait": "1d"})

    won = heard(tested, entered(tested), type_, 1, total=total)
    late = heard(tested, won, "message.clicked", 2)

    assert sent(won) == then
    assert late == Decision(won.enrollment, won.profile)


def test_without_any_of_them_the_timeout_ends_the_wait() -> None:
    tested = journey(ANY)
    waiting = entered(tested)

    unmoved = heard(tested, waiting, "invoice.paid", 1)
    over = engine.advance(tested, waiting.enrollment, waiting.profile, TimerFired(1), MONDAY + timedelta(days=3))

    assert unmoved == Decision(waiting.enrollment, waiting.profile)
    assert sent(over) == ["nothing"]


NEEDED = ("contract.signed", "payment.succeeded", "address.confirmed")
ALL = {
    "id": "papers",
    "wait_for": {
        "all": [{"event": one} for one in NEEDED],
        "timeout": "14d",
        "then": [send("complete")],
        "else": [send("ask")],
    },
}


@pytest.mark.parametrize("order", [*permutations(NEEDED)])
def test_all_of_several_events_end_the_wait_in_any_order_and_each_counts_once(order: tuple[str, ...]) -> None:
    tested = journey(ALL)
    first, second, last = order
    decision = entered(tested)
    timer = decision.enrollment.sequence

    for hours, type_ in enumerate((first, first, second, first, second), start=1):
        decision = heard(tested, decision, type_, hours)
        assert (sent(decision), decision.effects) == ([], ())
        assert decision.enrollment.sequence == timer, "its timer still counts"
    decision = heard(tested, decision, last, 9)

    assert sent(decision) == ["complete"]
    assert decision.enrollment.met == ()
    assert [fact.kind for fact in decision.facts] == ["happened", "ended"]


def test_when_one_is_missing_the_timeout_wins() -> None:
    tested = journey(ALL)
    decision = entered(tested)
    for hours, type_ in enumerate(NEEDED[:2], start=1):
        decision = heard(tested, decision, type_, hours)

    over = engine.advance(tested, decision.enrollment, decision.profile, TimerFired(1), MONDAY + timedelta(days=14))

    assert sent(over) == ["ask"]
    assert over.enrollment.met == ()


def test_the_same_event_again_is_heard_once() -> None:
    tested = journey(ALL)
    first = heard(tested, entered(tested), NEEDED[0], 1)

    assert heard(tested, first, NEEDED[0], 1) == Decision(first.enrollment, first.profile)
    assert [fact.detail for fact in first.facts] == [{"because": NEEDED[0], "left": 2}]


def test_one_event_may_be_that_of_several_matches() -> None:
    whole = {"all": [{"event": "order.placed", "where": "event.properties.a"}, {"event": "order.placed"}]}
    tested = journey({"id": "both", "wait_for": {**whole, "timeout": "1d", "then": [send("done")]}})

    assert sent(heard(tested, entered(tested), "order.placed", 1, a=True)) == ["done"]
    part = heard(tested, entered(tested), "order.placed", 1)
    assert sent(heard(tested, part, "order.placed", 2, a=True)) == ["done"]


def test_a_date_that_moves_keeps_what_has_happened() -> None:
    moves = {"all": [{"event": "a.b"}, {"event": "c.d"}], "timeout": {"until": "data.at"}, "then": [send("done")]}
    tested = journey({"id": "both", "wait_for": moves}, refresh_on=[{"event": "a.b"}])
    start = entered(tested, at="2026-03-05T09:00:00Z")

    moved = heard(tested, start, "a.b", 1, at="2026-03-09T09:00:00Z")

    assert (moved.enrollment.met, moved.enrollment.due_at) == ((0,), MONDAY.replace(day=9, hour=9, minute=0))
    assert sent(heard(tested, moved, "c.d", 2)) == ["done"]


def test_what_has_happened_is_about_the_step_where_it_waits() -> None:
    again = {**ALL, "id": "again"}
    tested = journey(ALL, again)
    decision = entered(tested)
    for hours, type_ in enumerate(NEEDED, start=1):
        decision = heard(tested, decision, type_, hours)

    assert (decision.enrollment.step, decision.enrollment.met) == ("again", ())


def test_a_merge_keeps_the_arm_of_an_enrollment_that_is_past_the_split() -> None:
    tested = journey(
        {"id": "offer", "split": {"arms": [{"arm": "a", "weight": 1}, {"arm": "b", "weight": 1}]}},
        {"id": "rest", "wait": "1d"},
    )
    waiting = entered(tested)

    over = engine.advance(
        tested, waiting.enrollment, replace(profile(), id="c_other"), TimerFired(1), MONDAY + timedelta(days=1)
    )

    assert over.enrollment.outcome == "completed"
    assert "split" not in [fact.kind for fact in over.facts]
