"""A registered analysis cannot be changed silently."""

from dataclasses import fields, replace
from datetime import date, timedelta
from typing import Any

import pytest

from cairn.domain.measurement.plan import AtCustomers, Change, Guardrail, Metric, OnDate, Plan, changed
from cairn.domain.shared.errors import InvalidPlanError

PLAN = Plan(
    journey="fitness-trial",
    goal="membership.started",
    exclusions="profile.vip",
    window=timedelta(days=30),
    holdout=0.1,
    minimum_effect=0.02,
    guardrails=(Guardrail("complaints", 0.002), Guardrail("unsubscribes", 0.01)),
)
OTHERWISE: dict[str, Any] = {
    "journey": "other",
    "goal": "payment.paid",
    "population": "profile.country == 'DE'",
    "exclusions": "none",
    "window": timedelta(days=14),
    "holdout": 0.2,
    "metric": Metric.VALUE,
    "minimum_effect": 0.03,
    "currency": "EUR",
    "stopping": OnDate(date(2026, 6, 1)),
    "alpha": 0.1,
    "power": 0.9,
    "tuned_at": 5_000,
    "guardrails": (Guardrail("complaints", 0.003),),
}


def test_there_is_another_value_here_for_each_field() -> None:
    assert set(OTHERWISE) == {field.name for field in fields(Plan)}


@pytest.mark.parametrize("name", OTHERWISE)
def test_each_change_is_seen_and_changes_the_hash(name: str) -> None:
    today = replace(PLAN, **{name: OTHERWISE[name]})

    (change,) = changed(PLAN, today)

    assert change.field == name
    assert today.hash != PLAN.hash


def test_a_change_says_what_was_and_what_is() -> None:
    assert [str(one) for one in changed(PLAN, replace(PLAN, holdout=0.2))] == ["holdout was 0.1 and is 0.2"]
    assert changed(PLAN, replace(PLAN, stopping=AtCustomers(900))) == (
        Change("stopping", "always", {"customers": 900}),
    )


def test_a_plan_is_the_same_after_it_was_stored() -> None:
    for stopping in (PLAN.stopping, AtCustomers(4_000), OnDate(date(2026, 6, 1))):
        plan = replace(PLAN, stopping=stopping)

        stored = Plan.from_document(plan.to_document())

        assert stored == plan
        assert stored.hash == plan.hash
        assert changed(plan, stored) == ()


def test_the_order_of_guardrails_does_not_matter() -> None:
    other = replace(PLAN, guardrails=PLAN.guardrails[::-1])

    assert other.hash == PLAN.hash
    assert changed(PLAN, other) == ()


@pytest.mark.parametrize(
    ("wrong", "problem"),
    [
        ({"holdout": 0}, "holdout is 0"),
        ({"alpha": 1}, "alpha is 1"),
        ({"minimum_effect": 0}, "minimum_effect is 0"),
        ({"minimum_effect": 2}, "one point is 0.01"),
        ({"window": timedelta()}, "window is 0:00:00"),
        ({"stopping": AtCustomers(0)}, "tuned_at and stopping"),
        ({"guardrails": (Guardrail("complaints", -0.1),)}, "the margin of complaints"),
        ({"guardrails": (Guardrail("complaints", 0.1),) * 2}, "two guardrails have one name"),
    ],
)
def test_a_plan_that_cannot_be_carried_out_is_refused(wrong: dict[str, Any], problem: str) -> None:
    with pytest.raises(InvalidPlanError, match=problem):
        replace(PLAN, **wrong)


def test_all_problems_are_named_at_once() -> None:
    with pytest.raises(InvalidPlanError) as error:
        replace(PLAN, holdout=1.5, power=0)

    assert len(error.value.problems) == 2
