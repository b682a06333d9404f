"""The laws of leads: any order of events, decay that composes, caps that hold, profiles that add up."""

from dataclasses import replace
from datetime import timedelta
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cairn.adapters.documents.leads import rules_from_document
from cairn.domain.event import Event
from cairn.domain.lead.leads import Leads
from cairn.domain.lead.reading import score_of
from cairn.domain.profile.lead import DAY, LEAD_NAMES, MOST_MOVES, Lead, Move, Points
from cairn.domain.profile.profile import Profile
from tests.unit.makers import MONDAY, event, profile
from tests.unit.strategies import json_values

ORDER = "order.paid"
DOCUMENT: dict[str, Any] = {
    "capture": [{"event": "lead.created", "source": "event.properties.from"}],
    "score": {"hot": 60, "cool": 40, "cap": 90},
    "groups": [{"group": "engagement", "half_life": "14d", "cap": 50}, {"group": "fit", "cap": 45}],
    "points": [
        {"rule": "opened", "group": "engagement", "event": "mail.opened", "points": 7, "most": 30},
        {"rule": "left", "group": "engagement", "event": "mail.stopped", "points": -10},
        {"rule": "large", "group": "fit", "when": "profile.employees > `50`", "points": 30, "watches": ["employees"]},
        {"rule": "bought", "group": "fit", "when": "profile.orders > `0`", "points": 25, "watches": ["orders"]},
    ],
    "value": [
        {"event": ORDER, "amount": "event.properties.amount", "currency": "event.properties.currency"},
        {"event": "order.refunded", "kind": "refund", "amount": "event.properties.amount", "currency": "'USD'"},
    ],
    "rfm": {"recency": ["30d", "90d"], "frequency": [2, 4], "monetary": [100, 1000], "currency": "USD"},
    "pipelines": [
        {
            "pipeline": "sales",
            "stages": [
                {"stage": "new", "event": "lead.created"},
                {"stage": "talked", "event": "call.made"},
                {"stage": "won", "event": ORDER},
            ],
        }
    ],
}
LEADS = Leads(rules_from_document(DOCUMENT))
TYPES = ("lead.created", "call.made", "mail.opened", "mail.stopped", ORDER, "order.refunded", "unheard.of")
FAR = MONDAY + timedelta(days=200)
LATER = MONDAY + timedelta(days=60)

happened = st.builds(
    lambda type_, hours, amount, currency, number: event(
        type_,
        MONDAY + timedelta(hours=hours),
        id_=f"{type_}-{number}",
        properties={"amount": amount, "currency": currency, "from": f"ad-{number % 3}"},
    ),
    st.sampled_from(TYPES),
    st.integers(0, 24 * 40),
    st.integers(0, 10**6) | json_values,
    st.sampled_from(["USD", "usd", "EUR", "", "€€€"]),
    st.integers(0, 10**6),
)
histories = st.lists(happened, max_size=12, unique_by=lambda one: one.id)


def after(*events: Event, of: Profile | None = None) -> Profile:
    known = LEADS.read(of or profile())
    for one in events:
        known = LEADS.heard(known, one, LATER, by_vouched=True).profile
    return known


def same(one: Lead, other: Lead) -> bool:
    """Points are floating-point numbers, and so the same only nearly."""
    assert one.points.keys() == other.points.keys()
    for name, points in one.points.items():
        there = other.points[name]
        assert points.total == pytest.approx(there.total, abs=1e-9)
        assert (points.at, points.count) == (there.at, there.count)
    walked = [[line.history(lead.moves.get(line.name, ())) for line in LEADS.rules.pipelines] for lead in (one, other)]
    return walked[0] == walked[1] and replace(one, points={}, moves={}) == replace(other, points={}, moves={})


@given(st.data(), histories)
def test_events_in_any_order_make_the_same_lead(data: st.DataObject, history: list[Event]) -> None:
    other = data.draw(st.permutations(history))

    assert same(after(*history).lead, after(*other).lead)


@given(histories, st.integers(0, 12))
def test_two_profiles_add_up_to_the_one_of_all_events(history: list[Event], cut: int) -> None:
    one, other = after(*history[:cut]), after(*history[cut:], of=profile("c_b"))

    both = one.absorbing(other, LATER)

    assert same(both.lead, after(*history).lead)
    assert same(both.lead, other.absorbing(one, LATER).lead)


totals = st.floats(-100, 100)
moments = st.integers(0, 10**7).map(lambda seconds: MONDAY + timedelta(seconds=seconds))


@given(totals, st.integers(0, 400), st.integers(0, 400), st.floats(0.5, 90))
def test_decay_composes(total: float, first: int, second: int, half_life: float) -> None:
    here, there = MONDAY + first * DAY, MONDAY + (first + second) * DAY

    at_once = Points(total, 1, half_life, MONDAY).total_at(there)
    in_two = Points(Points(total, 1, half_life, MONDAY).total_at(here), 1, half_life, here).total_at(there)

    assert in_two == pytest.approx(at_once, abs=1e-9)
    assert Points(total, 1, half_life, MONDAY).total_at(MONDAY + timedelta(days=half_life)) == pytest.approx(total / 2)


points = st.builds(lambda total, when: Points(total, 1, 14, when), totals, moments)


@given(points, points, points)
def test_points_add_up_in_any_order(one: Points, two: Points, three: Points) -> None:
    left, right = one.plus(two).plus(three), three.plus(one.plus(two))

    assert left.total_at(FAR) == pytest.approx(right.total_at(FAR), abs=1e-9)
    assert left.total_at(FAR) == pytest.approx(sum(each.total_at(FAR) for each in (one, two, three)), abs=1e-6)


@given(histories, st.integers(0, 10**4) | json_values, st.integers(0, 400))
def test_no_score_leaves_its_caps(history: list[Event], employees: Any, days: int) -> None:
    known = after(*history, of=profile(employees=employees))

    score = score_of(LEADS.rules, known, LATER + timedelta(days=days))

    assert 0 <= score.total <= 90
    assert all(one.cap is None or one.points <= one.cap for one in score.groups)
    assert all(line.points <= 30 for line in score.lines if line.rule == "opened")
    grouped = {one.group: sum(line.points for line in score.lines if line.group == one.group) for one in score.groups}
    expected = sum(min(grouped[one.group], one.cap or 1e9) for one in score.groups)
    assert score.total == round(max(0, min(90, expected)))  # the lines explain it all


@given(histories)
def test_money_is_the_sum_of_orders_without_refunds(history: list[Event]) -> None:
    view = after(*history).view(LATER)
    amounts = {
        currency: [
            one.properties["amount"]
            for one in history
            if one.type == ORDER
            and str(one.properties["currency"]).upper() == currency
            and isinstance(one.properties["amount"], int)
            and not isinstance(one.properties["amount"], bool)
            and 0 <= one.properties["amount"] <= 10**6
        ]
        for currency in ("USD", "EUR")
    }
    plain = all(isinstance(one.properties["amount"], int) for one in history)

    if plain:
        assert view["orders"] == sum(map(len, amounts.values()))
        assert view["lifetime_value"].get("EUR", 0) == sum(amounts["EUR"])


@given(histories)
def test_an_unheard_event_changes_nothing(history: list[Event]) -> None:
    known = after(*history)

    assert LEADS.heard(known, event("unheard.of"), LATER, by_vouched=True).profile is known


@given(histories, st.dictionaries(st.sampled_from(sorted(LEAD_NAMES)), json_values, max_size=4))
def test_no_data_of_a_customer_raises(history: list[Event], attributes: dict[str, Any]) -> None:
    known = after(*history, of=profile(**attributes))

    settled = LEADS.settled(profile(), known, LATER, by="mail.opened", starts=True)

    assert settled.profile.view(LATER)["score"] == score_of(LEADS.rules, known, LATER).total


moves = st.lists(
    st.builds(
        lambda hours, stage: Move(MONDAY + timedelta(hours=hours), stage, "x"),
        st.integers(0, 50),
        st.sampled_from(["new", "talked", "won", "gone"]),
    ),
    max_size=8,
)


@given(st.data(), moves)
def test_forward_moves_give_one_history_in_any_order(data: st.DataObject, asked: list[Move]) -> None:
    pipeline = LEADS.rules.pipelines[0]

    def walked(some: list[Move]) -> tuple[Any, ...]:
        known: tuple[Move, ...] = ()
        for move in some:
            known = pipeline.asked(known, move).moves
        assert len(known) <= MOST_MOVES
        return pipeline.history(known)

    history = walked(asked)

    assert history == walked(data.draw(st.permutations(asked)))
    assert all(pipeline.allows(one.stage, two.stage) and one.until == two.since for one, two in pairwise(history))
