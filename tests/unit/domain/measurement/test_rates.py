"""The difference of two rates, against statsmodels and scipy, and the laws of its intervals."""

from math import inf

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from scipy.optimize import minimize_scalar
from scipy.stats import binom
from statsmodels.stats.proportion import confint_proportions_2indep, proportion_confint

from cairn.domain.measurement.boundaries import always
from cairn.domain.measurement.difference import Interval
from cairn.domain.measurement.rates import (
    LEAST_EXPECTED,
    deviance,
    difference_of_rates,
    expected,
    likeliest,
    newcombe,
    wilson,
)
from cairn.domain.measurement.totals import Proportion

ALPHA, TUNED_AT = 0.05, 10_000


@st.composite
def any_arm(draw: st.DrawFn, most: int = 10**6) -> Proportion:
    customers = draw(st.integers(1, most))
    return Proportion(draw(st.integers(0, customers)), customers)


@st.composite
def pairs(draw: st.DrawFn, most: int = 10**6) -> tuple[Proportion, Proportion]:
    """Two arms with enough customers for intervals; the first one may have no goal at all, or nothing else."""
    first = draw(st.integers(300, most))
    second = draw(st.integers(max(300, first // 10), first * 10))
    some = Proportion(draw(st.integers(second // 4 + 50, second * 3 // 4)), second)
    any_number = Proportion(draw(st.integers(0, first)), first)
    return (any_number, some) if draw(st.booleans()) else (some, any_number)


def intervals(treated: Proportion, holdout: Proportion) -> tuple[float, Interval, Interval]:
    assert expected(treated, holdout) >= LEAST_EXPECTED
    found = difference_of_rates(treated, holdout, ALPHA, TUNED_AT)
    assert found.estimate is not None
    assert found.sequence
    assert found.fixed
    return found.estimate, found.sequence, found.fixed


@given(any_arm(), any_arm())
def test_the_fixed_interval_is_newcombes_of_statsmodels(treated: Proportion, holdout: Proportion) -> None:
    low, high = confint_proportions_2indep(
        treated.reached, treated.customers, holdout.reached, holdout.customers, compare="diff", method="newcomb"
    )

    found = newcombe(treated, holdout, ALPHA)

    assert (found.low, found.high) == pytest.approx((low, high), abs=1e-9)


@given(any_arm())
def test_the_interval_of_one_rate_is_wilsons_of_statsmodels(arm: Proportion) -> None:
    assert wilson(arm, 1.959963984540054) == pytest.approx(
        proportion_confint(arm.reached, arm.customers, method="wilson"), abs=1e-9
    )


@given(any_arm(10**5), any_arm(10**5), st.floats(-0.99, 0.99))
def test_no_rate_is_likelier_than_the_one_found(treated: Proportion, holdout: Proportion, difference: float) -> None:
    def cost(rate: float) -> float:
        return -float(
            binom.logpmf(treated.reached, treated.customers, rate + difference)
            + binom.logpmf(holdout.reached, holdout.customers, rate)
        )

    bounds = (max(0.0, -difference) + 1e-12, min(1.0, 1 - difference) - 1e-12)
    searched = minimize_scalar(cost, bounds=bounds, method="bounded", options={"xatol": 1e-12})
    found = min(bounds[1], max(bounds[0], likeliest(treated, holdout, difference)))

    assert cost(found) <= searched.fun + 1e-6 * max(1.0, searched.fun)


@given(any_arm(), any_arm())
@example(Proportion(0, 5), Proportion(5, 5))
@example(Proportion(0, 400), Proportion(0, 100))
def test_the_estimate_fits_perfectly_and_what_is_farther_fits_worse(treated: Proportion, holdout: Proportion) -> None:
    estimate = treated.rate - holdout.rate
    steps = [estimate + (1 - estimate) * step / 10 for step in range(10)]

    deviances = [deviance(treated, holdout, step) for step in steps]

    assert deviances[0] == pytest.approx(0, abs=1e-6)
    assert deviances == pytest.approx(sorted(deviances), abs=1e-6)


@given(pairs())
def test_swapping_the_arms_negates_all(arms: tuple[Proportion, Proportion]) -> None:
    treated, holdout = arms
    estimate, sequence, fixed = intervals(treated, holdout)
    swapped, other, once = intervals(holdout, treated)

    assert swapped == pytest.approx(-estimate)
    assert (other.low, other.high) == pytest.approx((-sequence.high, -sequence.low), abs=1e-9)
    assert (once.low, once.high) == pytest.approx((-fixed.high, -fixed.low), abs=1e-9)


@given(pairs())
def test_the_sequence_contains_the_fixed_interval_and_that_the_estimate(arms: tuple[Proportion, Proportion]) -> None:
    treated, holdout = arms
    estimate, sequence, fixed = intervals(treated, holdout)

    assert -1 <= sequence.low <= fixed.low <= estimate <= fixed.high <= sequence.high <= 1


@given(pairs(10**5), st.integers(2, 20))
def test_more_customers_with_the_same_rates_narrow_both(arms: tuple[Proportion, Proportion], times: int) -> None:
    treated, holdout = arms
    _, sequence, fixed = intervals(treated, holdout)
    _, later, once = intervals(
        Proportion(treated.reached * times, treated.customers * times),
        Proportion(holdout.reached * times, holdout.customers * times),
    )

    assert later.high - later.low < sequence.high - sequence.low
    assert once.high - once.low < fixed.high - fixed.low


@given(pairs(), st.floats(0.001, 0.04))
def test_more_certainty_widens_both(arms: tuple[Proportion, Proportion], alpha: float) -> None:
    treated, holdout = arms
    _, sequence, fixed = intervals(treated, holdout)
    stricter = difference_of_rates(treated, holdout, alpha, TUNED_AT)

    assert stricter.sequence
    assert stricter.fixed
    assert stricter.sequence.low <= sequence.low
    assert stricter.sequence.high >= sequence.high
    assert stricter.fixed.low <= fixed.low
    assert stricter.fixed.high >= fixed.high


@given(pairs())
def test_the_ends_are_where_the_likelihood_ratio_allows(arms: tuple[Proportion, Proportion]) -> None:
    treated, holdout = arms
    _, sequence, _ = intervals(treated, holdout)
    allowed = always(ALPHA, treated.customers + holdout.customers, TUNED_AT) ** 2

    for end in (sequence.low, sequence.high):
        if abs(end) < 1 - 1e-9:
            assert deviance(treated, holdout, end) == pytest.approx(allowed, rel=1e-3, abs=1e-3)


def test_with_much_data_the_likelihood_ratio_is_the_square_of_the_usual_distance() -> None:
    treated, holdout = Proportion(110_000, 1_000_000), Proportion(100_000, 1_000_000)
    error = sum(arm.rate * (1 - arm.rate) / arm.customers for arm in (treated, holdout)) ** 0.5

    assert deviance(treated, holdout, 0.008) == pytest.approx((0.002 / error) ** 2, rel=0.01)


def test_a_difference_that_the_counts_rule_out_fits_infinitely_badly() -> None:
    assert deviance(Proportion(3, 5), Proportion(5, 5), 1.0) == inf


@pytest.mark.parametrize(
    ("treated", "holdout"),
    [(Proportion(0, 0), Proportion(3, 40)), (Proportion(4, 50), Proportion(0, 0))],
    ids=["nobody treated", "nobody held out"],
)
def test_an_empty_arm_leaves_nothing_to_compare(treated: Proportion, holdout: Proportion) -> None:
    assert difference_of_rates(treated, holdout, ALPHA, TUNED_AT).estimate is None


def test_a_holdout_with_few_goals_to_expect_gets_no_interval_yet() -> None:
    found = difference_of_rates(Proportion(45, 900), Proportion(2, 60), ALPHA, TUNED_AT)

    assert found.estimate == pytest.approx(0.0167, abs=1e-4)
    assert found.sequence is None
    assert found.fixed is None


def test_an_arm_without_any_goal_has_an_interval_all_the_same() -> None:
    _, sequence, _ = intervals(Proportion(60, 1000), Proportion(0, 1000))

    assert 0 < sequence.low < 0.06 < sequence.high < inf
