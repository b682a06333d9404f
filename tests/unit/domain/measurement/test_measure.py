"""The verdict on a journey, and the figures around it."""

from dataclasses import replace
from datetime import date, timedelta
from typing import Any

import pytest

from cairn.domain.measurement.guardrails import Safety
from cairn.domain.measurement.measure import Measurement, measure
from cairn.domain.measurement.observed import Observed
from cairn.domain.measurement.plan import AtCustomers, Guardrail, Metric, OnDate, Plan
from cairn.domain.measurement.totals import ArmTotals, Costs, GuardrailTotals, SessionTotals
from cairn.domain.measurement.verdict import Outcome

PLAN = Plan(
    journey="fitness-trial",
    goal="membership.started",
    window=timedelta(days=14),
    holdout=0.2,
    minimum_effect=0.04,
    guardrails=(Guardrail("complaints", 0.002), Guardrail("unsubscribes", 0.01)),
)
ORDER = 4_000
"""What each goal is worth here, in cents."""


def an_arm(name: str, customers: int, converted: int, worth: float = ORDER, waiting: int = 0) -> ArmTotals:
    return ArmTotals(name, customers, converted, converted * worth, converted * worth**2, customers + waiting)


def seen(treated: tuple[int, int], holdout: tuple[int, int], **more: Any) -> Observed:
    """Customers and conversions of each."""
    return Observed(treated=an_arm("treated", *treated), holdout=an_arm("holdout", *holdout), **more)


def measured(treated: tuple[int, int], holdout: tuple[int, int], plan: Plan = PLAN, **more: Any) -> Measurement:
    return measure(plan, seen(treated, holdout, **more))


def test_too_early_says_how_many_of_how_many() -> None:
    found = measured((320, 36), (80, 8))

    assert found.verdict.outcome is Outcome.TOO_EARLY
    assert str(found.verdict) == f"too early: 400 of {found.outlook.needed:,} needed"
    assert found.outlook.needed == found.outlook.needed_treated + found.outlook.needed_holdout > 400


def test_a_lift_that_is_certain_works() -> None:
    found = measured((8_000, 1_040), (2_000, 160))

    assert found.verdict.outcome is Outcome.WORKS
    assert str(found.verdict) == "works: +5.0 points, 95 % between 2.7 and 7.1"


def test_a_loss_that_is_certain_harms() -> None:
    found = measured((8_000, 640), (2_000, 260))

    assert str(found.verdict) == "harms: -5.0 points, 95 % between -7.6 and -2.6"


def test_no_effect_says_what_it_is_not_larger_than() -> None:
    found = measured((16_000, 1_600), (4_000, 400))

    assert found.verdict.outcome is Outcome.NO_EFFECT
    assert str(found.verdict) == "no effect larger than 1.7 points so far"


def test_before_enough_customers_it_may_be_known_already_that_no_effect_matters() -> None:
    """The upper end is below the least effect that matters, though its power was not reached."""
    found = measured((2_400, 96), (600, 30))

    assert found.rates.sequence
    assert found.rates.sequence.high < PLAN.minimum_effect
    assert found.verdict.outcome is Outcome.NO_EFFECT


def test_a_lift_that_a_broken_assignment_invents_is_not_read() -> None:
    """Both arms convert alike, but customers of the holdout are lost when they convert."""
    found = measured((8_000, 4_000), (1_600, 600))

    assert found.rates.sequence
    assert found.rates.sequence.low > 0.08
    assert found.assignment.broken
    assert found.verdict.outcome is Outcome.ASSIGNMENT_BROKEN
    assert str(found.verdict) == "assignment is broken: do not read this"


def test_a_small_difference_is_not_rounded_to_nothing() -> None:
    plan = replace(PLAN, minimum_effect=0.0005)

    found = measured((4_000_000, 4_000), (1_000_000, 800), plan)

    assert str(found.verdict) == "works: +0.020 points, 95 % between 0.007 and 0.032"


def test_value_is_said_in_the_currency_of_the_plan() -> None:
    plan = replace(PLAN, metric=Metric.VALUE, minimum_effect=100, currency="EUR")

    found = measured((16_000, 2_080), (4_000, 320), plan)

    assert found.verdict.outcome is Outcome.WORKS
    assert str(found.verdict) == "works: +2.00 EUR per customer, 95 % between 1.30 and 2.70"


def test_a_currency_without_decimals_has_none() -> None:
    plan = replace(PLAN, metric=Metric.VALUE, minimum_effect=100, currency="JPY")

    found = measured((16_000, 2_080), (4_000, 320), plan)

    assert str(found.verdict).startswith("works: +200 JPY per customer")


def test_value_is_too_early_while_one_arm_has_few_orders() -> None:
    """There must be 25 orders in the holdout: a fifth of the customers, and a tenth of them buys."""
    plan = replace(PLAN, metric=Metric.VALUE, minimum_effect=1_000)

    found = measured((800, 80), (200, 20), plan)

    assert found.values.sequence is None
    assert str(found.verdict) == "too early: 1,000 of 1,250 needed"
    assert found.outlook.power == 0
    assert found.outlook.smallest_effect is None


def test_where_an_interval_comes_later_than_the_power_that_is_what_is_waited_for() -> None:
    """Fewer could show five points more, but the holdout cannot expect 5 goals before 5 / (20 % * 1 %) customers."""
    found = measured((720, 7), (180, 2), replace(PLAN, minimum_effect=0.05))

    assert found.outlook.needed == pytest.approx(5 / 0.2 / (9.5 / 901), abs=1)
    assert str(found.verdict) == f"too early: 900 of {found.outlook.needed:,} needed"


@pytest.mark.parametrize("metric", Metric)
def test_nobody_yet_is_too_early(metric: Metric) -> None:
    found = measured((0, 0), (0, 0), replace(PLAN, metric=metric))

    assert found.verdict.outcome is Outcome.TOO_EARLY
    assert found.rates.estimate is None
    assert found.cost is None


@pytest.mark.parametrize("metric", Metric)
def test_customers_without_any_goal_are_too_early(metric: Metric) -> None:
    found = measured((800, 0), (200, 0), replace(PLAN, metric=metric))

    assert found.verdict.outcome is Outcome.TOO_EARLY
    assert found.outlook.needed > 1_000


def test_more_harm_than_allowed_is_said_before_any_lift() -> None:
    complaints = GuardrailTotals("complaints", 120, 2)

    found = measured((8_000, 1_040), (2_000, 160), guardrails=[complaints, GuardrailTotals("unsubscribes", 80, 20)])

    assert [one.safety for one in found.guardrails] == [Safety.BROKEN, Safety.SAFE]
    assert str(found.verdict) == "a guardrail is broken: complaints +1.4 points, 0.2 allowed"


def test_more_guardrails_need_more_evidence_each() -> None:
    """All of them together raise a false alarm with the error of the plan."""
    complaints = GuardrailTotals("complaints", 60, 2)
    alone = replace(PLAN, guardrails=PLAN.guardrails[:1])

    (one,) = measured((8_000, 1_040), (2_000, 160), alone, guardrails=[complaints]).guardrails
    (of_two,) = measured((8_000, 1_040), (2_000, 160), guardrails=[complaints]).guardrails

    assert one.at_least is not None
    assert of_two.at_least is not None
    assert of_two.at_least < one.at_least


def test_harm_that_is_certain_but_within_the_margin_breaks_no_guardrail() -> None:
    found = measured((80_000, 10_400), (20_000, 1_600), guardrails=[GuardrailTotals("unsubscribes", 800, 100)])

    (unsubscribes,) = found.guardrails
    assert unsubscribes.at_least is not None
    assert unsubscribes.at_least > 0
    assert unsubscribes.safety is Safety.SAFE


def test_a_guardrail_with_few_events_is_neither_safe_nor_broken() -> None:
    found = measured((800, 104), (200, 16), guardrails=[GuardrailTotals("complaints", 2, 0)])

    (complaints,) = found.guardrails
    assert complaints.safety is Safety.UNKNOWN
    assert complaints.at_least is not None
    assert complaints.at_most is not None
    assert complaints.at_least < complaints.margin < complaints.at_most


def test_a_guardrail_without_customers_is_unknown() -> None:
    found = measured((0, 0), (0, 0), guardrails=[GuardrailTotals("complaints", 0, 0)])

    assert [one.safety for one in found.guardrails] == [Safety.UNKNOWN]


def test_a_plan_for_one_look_at_a_number_of_customers_reads_the_narrower_interval_then() -> None:
    """And the sequence at each later look, since the narrower one is wrong there."""
    plan = replace(PLAN, stopping=AtCustomers(5_000))

    before, then, later = (
        measured((customers * 4 // 5, customers * 45 // 500), (customers // 5, customers * 7 // 500), plan)
        for customers in (4_500, 5_000, 5_500)
    )

    assert str(before.verdict) == "too early: 4,500 of 5,000 needed"
    assert str(then.verdict) == "works: +4.2 points, 95 % between 2.3 and 6.0"
    assert later.rates.sequence
    assert f"{100 * later.rates.sequence.low:.1f}" in str(later.verdict)


def test_a_plan_for_one_date_waits_for_it() -> None:
    plan = replace(PLAN, stopping=OnDate(date(2026, 6, 1)))
    arms = (4_000, 450), (1_000, 80)

    before = measured(*arms, plan, counted_until=date(2026, 5, 31))
    then = measured(*arms, plan, counted_until=date(2026, 6, 1))
    later = measured(*arms, plan, counted_until=date(2026, 6, 2))

    assert str(before.verdict) == "too early: the plan looks once, on 2026-06-01"
    assert then.verdict.outcome is Outcome.WORKS
    assert later.verdict.outcome is Outcome.NO_EFFECT


def test_arms_are_compared_with_wider_intervals_the_more_there_are() -> None:
    arms = [an_arm("a", 4_000, 480), an_arm("b", 4_000, 560)]
    alone = measured((4_000, 480), (2_000, 160))

    found = measured((8_000, 1_040), (2_000, 160), arms=arms)

    assert [one.name for one in found.arms] == ["a", "b"]
    first = found.arms[0].rates
    assert first.estimate == alone.rates.estimate
    assert first.sequence
    assert alone.rates.sequence
    assert first.sequence.low < alone.rates.sequence.low
    assert first.sequence.high > alone.rates.sequence.high


def test_enrollments_are_compared_where_they_are_counted() -> None:
    sessions = (
        SessionTotals("treated", 8_000, 16_000, 2_000, 48_000, 3_000, 5_000),
        SessionTotals("holdout", 2_000, 4_000, 400, 12_000, 600, 1_000),
    )

    found = measured((8_000, 1_040), (2_000, 160), sessions=sessions)

    assert found.sessions
    assert found.sessions.estimate == pytest.approx(0.025)
    assert found.sessions.sequence
    assert found.sessions.sequence.low > 0


def test_a_further_conversion_costs_what_was_spent_beyond_the_holdout() -> None:
    costs = Costs(messages=30_000, coupons=50_000, tasks=24_000), Costs(tasks=1_000)

    found = measured((8_000, 1_040), (2_000, 160), costs=costs)

    assert found.cost
    assert found.cost.spent == 100_000
    assert found.cost.incremental == pytest.approx(400)
    assert found.cost.each == pytest.approx(250)
    assert found.cost.at_least is not None
    assert found.cost.at_most is not None
    assert found.cost.at_least < 250 < found.cost.at_most


def test_without_a_holdout_to_compare_with_a_conversion_has_no_cost() -> None:
    assert measured((800, 88), (0, 0), costs=(Costs(messages=30_000), Costs())).cost is None


def test_where_no_further_conversion_is_certain_its_cost_has_no_upper_bound() -> None:
    costs = Costs(messages=30_000), Costs()

    found = measured((800, 88), (200, 20), costs=costs)
    none = measured((800, 80), (200, 30), costs=costs)

    assert found.cost
    assert found.cost.each == pytest.approx(30_000 / 8)
    assert found.cost.at_most is None
    assert none.cost
    assert none.cost.each is None


def test_the_outlook_says_what_can_be_found_today_and_when_the_rest() -> None:
    observed = Observed(
        treated=an_arm("treated", 3_200, 320, waiting=1_120),
        holdout=an_arm("holdout", 800, 80, waiting=280),
        entering_per_day=100,
    )

    found = measure(PLAN, observed).outlook

    assert 0 < found.power < 0.8
    assert found.smallest_effect
    assert found.smallest_effect > PLAN.minimum_effect
    assert found.days_left
    assert found.days_left == pytest.approx((found.needed - 4_000) / 100)


def test_the_measurement_names_the_plan_that_it_follows() -> None:
    assert measured((320, 36), (80, 8)).plan == PLAN.hash
