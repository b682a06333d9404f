"""The holdout across all journeys: who is in it enters no journey that sends marketing, and counts like the others."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from typing import Any

from cairn.application.events.relay_effects import event_of
from cairn.domain.customer import overall
from cairn.domain.customer.customer import Customer, Reaction, merge_customers, on_event, on_wake
from cairn.domain.effects import EmitEvent, SendMessage, WakeAt
from cairn.domain.journey.definition import Journey
from cairn.domain.policy import EVERY_JOURNEY, OverallHoldout, Policy
from tests.unit.makers import MONDAY, Deployed, event, journey, profile, send

HOLDOUT = OverallHoldout(
    version="v1",
    share=0.3,
    event="order.paid",
    within=timedelta(days=30),
    amount="event.properties.total",
    currency="event.properties.currency",
)
POLICY = Policy(holdout=HOLDOUT)
NEWS = journey(send("news", purpose="marketing"), journey="news")
RECEIPT = journey(send("receipt"), journey="receipt")
HOUR = timedelta(hours=1)


def customers(*, held_out: bool, number: int = 1) -> Iterator[Customer]:
    found = (Customer(profile(f"c_{n}")) for n in range(10_000))
    matching = (one for one in found if overall.is_left_out(HOLDOUT, one.id) is held_out)
    for _ in range(number):
        yield next(matching)


def happens(
    one: Customer, type_: str, *journeys: Journey, at: Any = MONDAY, policy: Policy = POLICY, **more: Any
) -> Reaction:
    return on_event(one, event(type_, at, **more), Deployed(*journeys), at, policy)


def noted(reaction: Reaction) -> list[tuple[str, str]]:
    return [(fact.kind, fact.journey) for fact in reaction.facts if fact.kind != "ended" or fact.journey == "birthday"]


def sends(reaction: Reaction) -> list[str]:
    return [one.template for one in reaction.effects if isinstance(one, SendMessage)]


def test_who_is_in_it_gets_no_marketing_and_the_rest() -> None:
    (out,) = customers(held_out=True)

    reaction = happens(out, "trial.signup", NEWS, RECEIPT)

    assert sends(reaction) == ["receipt"]
    assert set(noted(reaction)) == {("held_out", EVERY_JOURNEY), ("entered", "receipt")}
    assert [one.journey for one in reaction.customer.enrollments.values()] == ["receipt"]


def test_everybody_else_enters_and_is_counted_as_well() -> None:
    (treated,) = customers(held_out=False)

    reaction = happens(treated, "trial.signup", NEWS)

    assert sends(reaction) == ["news"]
    assert noted(reaction) == [("entered", EVERY_JOURNEY), ("entered", "news")]


def test_a_customer_is_drawn_once_and_stays_where_they_are() -> None:
    for out in customers(held_out=True, number=5):
        first = happens(out, "trial.signup", NEWS)
        again = happens(first.customer, "trial.signup", NEWS, at=MONDAY + HOUR)

        assert noted(again) == []
        assert again.customer.entered == first.customer.entered


def test_the_share_is_that_of_the_policy_and_a_larger_one_has_the_same_customers() -> None:
    ids = [f"c_{n}" for n in range(5_000)]
    small, large = (
        {id_ for id_ in ids if overall.is_left_out(replace(HOLDOUT, share=one), id_)} for one in (0.05, 0.3)
    )

    assert abs(len(small) - 250) < 60
    assert small < large


def test_a_journey_for_transactions_alone_draws_nobody() -> None:
    for one in (*customers(held_out=True), *customers(held_out=False)):
        reaction = happens(one, "trial.signup", RECEIPT)

        assert noted(reaction) == [("entered", "receipt")]
        assert reaction.customer.entered.keys() == {"receipt:"}


def test_who_is_excluded_enters_as_ever_and_is_not_counted() -> None:
    (out,) = customers(held_out=True)
    vip = replace(out, profile=out.profile.patched({"tags": ["vip"]}, MONDAY))
    policy = Policy(holdout=replace(HOLDOUT, exclude="contains(profile.tags, 'vip')"))

    reaction = happens(vip, "trial.signup", NEWS, policy=policy)

    assert noted(reaction) == [("entered", "news")]


def test_every_goal_counts_for_both_arms_until_the_window_is_over() -> None:
    worth = {"total": 1250, "currency": "usd"}
    for held_out, arm in ((True, "held-out"), (False, "active")):
        (one,) = customers(held_out=held_out)
        drawn = happens(one, "trial.signup", NEWS)
        enrollment = next(fact.enrollment for fact in drawn.facts if fact.journey == EVERY_JOURNEY)

        for days, number in ((1, 1), (29, 1), (31, 0)):
            paid = happens(drawn.customer, "order.paid", at=MONDAY + timedelta(days=days), properties=worth)
            goals = [fact for fact in paid.facts if fact.kind == "goal_reached"]
            assert len(goals) == number
            assert all(fact.enrollment == enrollment for fact in goals)
            assert all((fact.detail["arm"], fact.detail["value"]) == (arm, 1250) for fact in goals)

    (never,) = customers(held_out=True)
    assert noted(happens(never, "order.paid", properties=worth)) == [], "nobody had drawn this customer"


def test_history_draws_nobody_and_counts_for_nothing() -> None:
    (out,) = customers(held_out=True)
    drawn = happens(out, "trial.signup", NEWS).customer

    assert noted(happens(out, "trial.signup", NEWS, backfill=True)) == []
    assert noted(happens(drawn, "order.paid", at=MONDAY + HOUR, backfill=True)) == []


def test_who_waits_for_a_date_is_drawn_on_that_day_and_waits_for_the_next_one() -> None:
    birthday = journey(
        send("cake", purpose="marketing"),
        journey="birthday",
        entry={"date": "profile.birthday", "every": "year", "at": "09:00", "watches": ["birthday"]},
    )
    (out,) = customers(held_out=True)
    deployed = Deployed(birthday)
    born = on_event(out, event("profile.changed", attributes={"birthday": "1990-06-01"}), deployed, MONDAY, POLICY)
    waits = on_event(born.customer, _emitted(born), deployed, MONDAY, POLICY)
    (timer,) = [one for one in waits.effects if isinstance(one, WakeAt)]
    assert noted(waits)[-1][0] == "waiting"

    on_the_day = on_wake(waits.customer, timer.enrollment, timer.sequence, deployed, timer.at, policy=POLICY)

    assert on_the_day is not None
    assert sends(on_the_day) == []
    assert [kind for kind, _ in noted(on_the_day)] == ["held_out", "ended"]
    again = on_event(on_the_day.customer, _emitted(on_the_day), deployed, timer.at, POLICY)
    (next_year,) = [one for one in again.effects if isinstance(one, WakeAt)]
    assert next_year.at.year == timer.at.year + 1


def _emitted(reaction: Reaction) -> Any:
    (one,) = [effect for effect in reaction.effects if isinstance(effect, EmitEvent)]
    return event_of(one, reaction.customer.id, MONDAY)


def test_who_was_merged_into_another_customer_counts_for_no_arm() -> None:
    one, other = (happens(each, "trial.signup", NEWS).customer for each in customers(held_out=True, number=2))

    merged = merge_customers((one, other), MONDAY)

    (ended,) = [fact for fact in merged.facts if fact.journey == EVERY_JOURNEY]
    lost = other if merged.customer.id == one.id else one
    assert ended.enrollment == overall.fact_of(HOLDOUT, lost.id).enrollment
    assert (ended.kind, ended.detail) == ("ended", {"outcome": "merged"})


def test_a_changed_table_draws_anew() -> None:
    (treated,) = customers(held_out=False)
    first = happens(treated, "trial.signup", NEWS).customer
    other = Policy(holdout=replace(HOLDOUT, version="v2"))

    offers = journey(send("offer", purpose="marketing"), journey="offers", entry={"event": "cart.left"})
    for policy, wanted in ((POLICY, []), (other, [("entered", EVERY_JOURNEY)])):
        again = happens(first, "cart.left", offers, at=MONDAY + HOUR, policy=policy)
        assert noted(again) == [*wanted, ("entered", "offers")]
