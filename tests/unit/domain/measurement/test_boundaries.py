"""How many standard errors an interval needs, against scipy and against what the formulas promise."""

from math import log

import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from cairn.domain.measurement.boundaries import always, always_on_one_side, once, student

ALPHAS = st.floats(1e-4, 0.4)
CUSTOMERS = st.integers(1, 10**8)


@given(ALPHAS)
def test_one_look_needs_the_quantile_of_the_normal_distribution(alpha: float) -> None:
    assert once(alpha) == pytest.approx(stats.norm.ppf(1 - alpha / 2))


@given(st.floats(0.005, 0.4), st.floats(10, 1e6))
def test_students_quantile_is_exact_to_four_digits_from_ten_degrees_of_freedom(alpha: float, freedom: float) -> None:
    assert student(alpha, freedom) == pytest.approx(stats.t.ppf(1 - alpha / 2, freedom), rel=1e-4)


@given(ALPHAS, CUSTOMERS, CUSTOMERS)
def test_looking_always_needs_more_than_looking_once(alpha: float, customers: int, tuned_at: int) -> None:
    assert always(alpha, customers, tuned_at) > once(alpha)


@given(st.floats(1e-4, 0.05), CUSTOMERS, CUSTOMERS)
def test_one_side_needs_less_than_two(alpha: float, customers: int, tuned_at: int) -> None:
    assert always_on_one_side(alpha, customers, tuned_at) < always(alpha, customers, tuned_at)


@given(ALPHAS, CUSTOMERS, CUSTOMERS)
def test_a_sequence_is_narrowest_where_it_is_tuned(alpha: float, customers: int, tuned_at: int) -> None:
    assert always(alpha, customers, tuned_at) >= always(alpha, tuned_at, tuned_at) * (1 - 1e-12)


@given(ALPHAS, CUSTOMERS, CUSTOMERS)
def test_the_width_falls_as_customers_come(alpha: float, customers: int, tuned_at: int) -> None:
    """In standard errors it may rise, but those fall faster."""
    more = customers * 2

    assert always(alpha, more, tuned_at) / more**0.5 < always(alpha, customers, tuned_at) / customers**0.5


def test_the_width_is_that_of_theorem_2_2_as_it_is_written() -> None:
    alpha, t, rho = 0.05, 4_000, 0.03
    margin = (2 * (t * rho**2 + 1) / (t**2 * rho**2) * log((t * rho**2 + 1) ** 0.5 / alpha)) ** 0.5
    tuned_at = 10_000
    best = always(alpha, tuned_at, tuned_at) ** 2 - 1  # where it is least, the square is 1 + n rho²

    assert always(alpha, t, round(best / rho**2)) / t**0.5 == pytest.approx(margin, rel=1e-4)
