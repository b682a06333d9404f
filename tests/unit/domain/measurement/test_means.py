"""The difference of two means, against scipy and statsmodels, and the laws of its intervals."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import pytest
from hypothesis import given, reject
from hypothesis import strategies as st
from scipy import stats
from statsmodels.stats.weightstats import CompareMeans, DescrStatsW

from cairn.domain.measurement.difference import Difference, Interval
from cairn.domain.measurement.means import (
    LEAST_EFFECTIVE,
    difference_of_means,
    freedom,
    goals_of,
    pooled,
    value_of,
    welch,
)
from cairn.domain.measurement.totals import ArmTotals, Sample, SessionTotals

ALPHA, TUNED_AT = 0.05, 10_000

SAMPLES = st.builds(Sample, st.integers(2, 10**6), st.floats(-1e4, 1e4), st.floats(1, 1e8), st.just(100.0))


def an_arm(values: Sequence[float], name: str = "treated") -> ArmTotals:
    """Of customers with these values; 0 is one without a goal."""
    squared = sum(value**2 for value in values)
    return ArmTotals(name, len(values), sum(map(bool, values)), sum(values), squared, len(values))


def orders(customers: int, rate: float, seed: int) -> Any:
    """A value for each customer, most of them 0, some large."""
    random = np.random.default_rng(seed)
    return np.where(random.random(customers) < rate, np.round(5000 * random.lognormal(0, 0.8, customers)), 0)


def ends(difference: Difference) -> tuple[Interval, Interval]:
    if not (difference.sequence and difference.fixed):
        reject()
    return difference.sequence, difference.fixed


@pytest.mark.parametrize("seed", range(8))
def test_the_fixed_interval_is_welchs_of_scipy_and_of_statsmodels(seed: int) -> None:
    treated, holdout = orders(4000, 0.2, seed), orders(600, 0.15, seed + 100)

    found = difference_of_means(value_of(an_arm(treated)), value_of(an_arm(holdout)), ALPHA, TUNED_AT)

    assert found.fixed
    by_scipy = stats.ttest_ind(treated, holdout, equal_var=False).confidence_interval()
    by_statsmodels = CompareMeans(DescrStatsW(treated), DescrStatsW(holdout)).tconfint_diff(usevar="unequal")
    assert (found.fixed.low, found.fixed.high) == pytest.approx(tuple(by_scipy), rel=1e-4)
    assert (found.fixed.low, found.fixed.high) == pytest.approx(by_statsmodels, rel=1e-4)


def test_the_standard_errors_are_those_of_the_two_tests_of_scipy() -> None:
    treated, holdout = orders(900, 0.3, 1), orders(100, 0.3, 2)
    first, second = value_of(an_arm(treated)), value_of(an_arm(holdout))
    assert first
    assert second

    by_welch = stats.ttest_ind(treated, holdout, equal_var=False)
    by_student = stats.ttest_ind(treated, holdout)

    assert (first.mean - second.mean) / welch(first, second) == pytest.approx(by_welch.statistic)
    assert (first.mean - second.mean) / pooled(first, second) == pytest.approx(by_student.statistic)
    assert freedom(first, second) == pytest.approx(by_welch.df)


def test_large_sums_lose_no_digits() -> None:
    values = [10**9 + number for number in range(1000)]

    found = value_of(an_arm(values))

    assert found
    assert found.variance == pytest.approx(np.var(range(1000), ddof=1))


@given(SAMPLES, SAMPLES)
def test_swapping_the_arms_negates_all(treated: Sample, holdout: Sample) -> None:
    sequence, fixed = ends(difference_of_means(treated, holdout, ALPHA, TUNED_AT))
    other, once = ends(difference_of_means(holdout, treated, ALPHA, TUNED_AT))

    assert (other.low, other.high) == pytest.approx((-sequence.high, -sequence.low))
    assert (once.low, once.high) == pytest.approx((-fixed.high, -fixed.low))


@given(
    st.lists(st.integers(1000, 10**5), min_size=60, max_size=120),
    st.lists(st.integers(1000, 10**5), min_size=60, max_size=120),
    st.integers(2, 1000),
)
def test_in_another_unit_of_money_all_is_the_same(treated: list[int], holdout: list[int], scale: int) -> None:
    sequence, fixed = ends(difference_of_means(value_of(an_arm(treated)), value_of(an_arm(holdout)), ALPHA, TUNED_AT))
    scaled = [value_of(an_arm([value * scale for value in arm])) for arm in (treated, holdout)]
    other, once = ends(difference_of_means(*scaled, ALPHA, TUNED_AT))

    assert (other.low, other.high) == pytest.approx((sequence.low * scale, sequence.high * scale))
    assert (once.low, once.high) == pytest.approx((fixed.low * scale, fixed.high * scale))


@given(st.integers(100, 10**6), st.integers(100, 10**6), st.floats(-1e4, 1e4), st.floats(1, 1e8), st.floats(1, 1e8))
def test_the_sequence_contains_the_fixed_interval(
    treated: int, holdout: int, mean: float, variance: float, other: float
) -> None:
    first, second = Sample(treated, mean, variance, 100), Sample(holdout, 0.0, other, 100)
    sequence, fixed = ends(difference_of_means(first, second, ALPHA, TUNED_AT))

    assert sequence.low <= fixed.low <= mean <= fixed.high <= sequence.high


@given(SAMPLES, SAMPLES, st.integers(2, 20))
def test_more_customers_of_the_same_kind_narrow_the_sequence(treated: Sample, holdout: Sample, times: int) -> None:
    sequence, _ = ends(difference_of_means(treated, holdout, ALPHA, TUNED_AT))
    more = [Sample(arm.customers * times, arm.mean, arm.variance, arm.effective) for arm in (treated, holdout)]
    later, _ = ends(difference_of_means(*more, ALPHA, TUNED_AT))

    assert later.high - later.low < sequence.high - sequence.low


def test_one_large_order_among_small_ones_is_too_little_for_an_interval() -> None:
    small = an_arm([0] * 900 + [5000] * 100)
    with_a_large_one = an_arm([0] * 900 + [5000] * 99 + [5_000_000], "holdout")

    found = difference_of_means(value_of(small), value_of(with_a_large_one), ALPHA, TUNED_AT)

    arm = value_of(with_a_large_one)
    assert arm
    assert arm.effective < 2 < LEAST_EFFECTIVE
    assert found.estimate == pytest.approx(-4995)
    assert found.sequence is None


@pytest.mark.parametrize("seed", range(4))
def test_goals_per_enrollment_have_the_error_of_a_bootstrap_over_customers(seed: int) -> None:
    """An independent way to the same number: draw whole customers again and again."""
    random = np.random.default_rng(seed)
    enrollments = random.geometric(0.4, 800)
    converted = random.binomial(enrollments, random.beta(2, 6, 800))
    drawn = random.integers(0, 800, (4000, 800))
    ratios = converted[drawn].sum(axis=1) / enrollments[drawn].sum(axis=1)

    found = goals_of(sessions(enrollments, converted))

    assert found
    assert found.mean == pytest.approx(converted.sum() / enrollments.sum())
    assert (found.variance / found.customers) ** 0.5 == pytest.approx(ratios.std(), rel=0.06)


def test_where_each_customer_enters_once_an_enrollment_is_a_customer() -> None:
    converted = np.array([1] * 30 + [0] * 170)

    by_enrollments = goals_of(sessions(np.ones(200, int), converted))
    by_customers = value_of(an_arm(converted.tolist()))

    assert by_enrollments
    assert by_customers
    assert by_enrollments.mean == by_customers.mean
    assert by_enrollments.variance == pytest.approx(by_customers.variance)
    assert by_enrollments.effective == by_customers.effective == 30


def test_enrollments_of_one_customer_count_less_than_those_of_many() -> None:
    """Four enrollments each that end alike are hardly more than one."""
    once = sessions(np.ones(200, int), np.array([1] * 60 + [0] * 140))
    alike = sessions(np.full(200, 4), np.array([4] * 60 + [0] * 140))

    first, second = goals_of(once), goals_of(alike)

    assert first
    assert second
    assert first.variance == pytest.approx(second.variance)


def test_too_few_customers_for_a_variance_leave_nothing_to_compare() -> None:
    assert difference_of_means(value_of(an_arm([5])), value_of(an_arm([1, 2])), ALPHA, TUNED_AT).estimate is None
    assert goals_of(SessionTotals("treated", 1, 3, 1, 9, 1, 3)) is None


def sessions(enrollments: Any, converted: Any) -> SessionTotals:
    return SessionTotals(
        "treated",
        len(enrollments),
        int(enrollments.sum()),
        int(converted.sum()),
        int((enrollments**2).sum()),
        int((converted**2).sum()),
        int((converted * enrollments).sum()),
    )
