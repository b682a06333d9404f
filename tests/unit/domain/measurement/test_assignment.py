"""Sample-ratio mismatch: scipy's chi-square, and a test that one may look at each day."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from cairn.domain.measurement.assignment import (
    CONCENTRATION,
    LOUD,
    check_assignment,
    chi_square_tail,
    log_evidence,
)

HALF = {"treated": 0.5, "holdout": 0.5}
TENTH = {"treated": 0.9, "holdout": 0.1}


@given(st.floats(0, 1000), st.integers(1, 12))
def test_the_tail_is_that_of_scipy(value: float, freedom: int) -> None:
    assert chi_square_tail(value, freedom) == pytest.approx(stats.chi2.sf(value, freedom), rel=1e-9, abs=1e-300)


@given(st.lists(st.tuples(st.integers(0, 10**6), st.floats(0.01, 10)), min_size=2, max_size=6))
def test_chi_square_is_that_of_scipy(arms: list[tuple[int, float]]) -> None:
    counts = {f"arm-{number}": count for number, (count, _) in enumerate(arms)}
    weights = {f"arm-{number}": weight for number, (_, weight) in enumerate(arms)}
    total, whole = sum(counts.values()), sum(weights.values())
    if not total:
        return

    found = check_assignment(counts, weights)

    expected = [total * weight / whole for weight in weights.values()]
    by_scipy = stats.chisquare(list(counts.values()), expected, sum_check=False)
    assert found.chi_square == pytest.approx(by_scipy.statistic, rel=1e-6, abs=1e-6)
    assert found.p_value == pytest.approx(by_scipy.pvalue, rel=1e-5, abs=1e-12)


@given(st.integers(0, 10**4), st.integers(0, 10**4))
def test_the_evidence_is_a_bayes_factor_of_scipys_distributions(treated: int, holdout: int) -> None:
    prior = CONCENTRATION * 0.9, CONCENTRATION * 0.1
    by_scipy = stats.betabinom.logpmf(treated, treated + holdout, *prior) - stats.binom.logpmf(
        treated, treated + holdout, 0.9
    )

    assert log_evidence({"treated": treated, "holdout": holdout}, TENTH) == pytest.approx(by_scipy, rel=1e-6, abs=1e-6)


@pytest.mark.parametrize("weights", [HALF, TENTH, {"a": 1, "b": 1, "holdout": 0.2}], ids=["half", "tenth", "three"])
def test_true_shares_are_called_broken_in_fewer_than_one_of_a_thousand_journeys(weights: dict[str, float]) -> None:
    journeys, days = 1500, 60
    random = np.random.default_rng(3)
    shares = np.array(list(weights.values())) / sum(weights.values())
    counts = random.multinomial(200, shares, (journeys, days)).cumsum(axis=1)

    once = each_day = 0
    for journey in counts:
        looks = [check_assignment(dict(zip(weights, map(int, look), strict=True)), weights) for look in journey[::3]]
        each_day += any(look.broken for look in looks)
        once += any(look.p_value < LOUD for look in looks)

    assert each_day <= 4  # expected: one and a half at most
    assert once > each_day  # chi-square alone, looked at so often, is not to be trusted


def test_a_wrong_share_is_found() -> None:
    found = check_assignment({"treated": 8_800, "holdout": 1_200}, TENTH)

    assert found.broken
    assert not found.suspicious
    assert found.p_value < 1e-10


def test_a_small_doubt_is_suspicious_and_not_broken() -> None:
    found = check_assignment({"treated": 8_899, "holdout": 1_101}, TENTH)

    assert found.p_value < LOUD < found.sequential_p_value
    assert found.suspicious
    assert not found.broken


def test_shares_as_written_are_fine() -> None:
    found = check_assignment({"treated": 9_020, "holdout": 980}, TENTH)

    assert not found.broken
    assert not found.suspicious
    assert found.sequential_p_value == 1


def test_nobody_has_entered_yet() -> None:
    assert check_assignment({}, TENTH).p_value == 1


def test_one_arm_alone_cannot_be_wrong() -> None:
    assert check_assignment({"treated": 50}, {"treated": 1}).p_value == 1


@pytest.mark.parametrize(
    ("entered", "weights"),
    [({"a": 50, "b": 50, "c": 1}, {"a": 1, "b": 1}), ({"a": 50, "b": 50, "c": 1}, {"a": 1, "b": 1, "c": 0})],
    ids=["unknown", "of no weight"],
)
def test_a_customer_in_an_arm_that_nobody_should_get_breaks_it(
    entered: dict[str, int], weights: dict[str, float]
) -> None:
    assert check_assignment(entered, weights).broken
