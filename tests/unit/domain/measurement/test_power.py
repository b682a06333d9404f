"""Power, smallest effect and customers needed, against statsmodels; and the days until then."""

from collections.abc import Callable
from statistics import NormalDist

import pytest
from hypothesis import given
from hypothesis import strategies as st
from statsmodels.stats.power import NormalIndPower

from cairn.domain.measurement.boundaries import always, once
from cairn.domain.measurement.power import Design, customers_needed, days_until, power_of, smallest_effect


def looking_once(_: int) -> float:
    return once(0.05)


def looking_always(customers: int) -> float:
    return always(0.05, customers, 10_000)


NEEDS = pytest.mark.parametrize("needs", [looking_once, looking_always])


@NEEDS
@pytest.mark.parametrize("holdout", [0.05, 0.1, 0.5])
@pytest.mark.parametrize("customers", [400, 5_000, 80_000])
def test_the_power_is_that_of_statsmodels(needs: Callable[[int], float], holdout: float, customers: int) -> None:
    rate, effect = 0.1, 0.02
    design = Design(rate * (1 - rate), 1 - holdout, needs)
    alpha = 2 * (1 - NormalDist().cdf(needs(customers)))

    by_statsmodels = NormalIndPower().power(
        effect / (rate * (1 - rate)) ** 0.5, customers * holdout, alpha, ratio=(1 - holdout) / holdout
    )

    assert power_of(design, effect, customers) == pytest.approx(by_statsmodels, rel=1e-6)


@pytest.mark.parametrize("holdout", [0.05, 0.1, 0.5])
def test_the_customers_needed_are_those_of_statsmodels(holdout: float) -> None:
    design = Design(0.09, 1 - holdout, looking_once)

    by_statsmodels = NormalIndPower().solve_power(0.02 / 0.3, power=0.8, alpha=0.05, ratio=(1 - holdout) / holdout)

    assert customers_needed(design, 0.02, 0.8) == pytest.approx(by_statsmodels / holdout, abs=1)


@NEEDS
def test_the_smallest_effect_is_found_with_the_power_of_the_plan(needs: Callable[[int], float]) -> None:
    design = Design(0.09, 0.9, needs)

    effect = smallest_effect(design, 0.8, 6_000)

    assert effect
    assert power_of(design, effect, 6_000) == pytest.approx(0.8, abs=1e-4)


@given(st.floats(0.001, 0.3), st.floats(0.05, 0.95), st.floats(0.5, 0.99))
def test_the_customers_needed_are_the_fewest(effect: float, treated: float, power: float) -> None:
    design = Design(0.09, treated, looking_always)

    needed = customers_needed(design, effect, power)

    assert power_of(design, effect, needed) >= power > power_of(design, effect, needed - 1)


def test_nobody_yet_means_no_power() -> None:
    design = Design(0.09, 0.9, looking_always)

    assert power_of(design, 0.1, 0) == 0
    assert smallest_effect(design, 0.8, 0) is None


@pytest.mark.parametrize(
    ("mature", "entered", "per_day", "days"),
    [
        (1000, 1100, 10, 0),  # reached
        (900, 1100, 10, 7),  # half of those on their way suffice, in half a window
        (500, 800, 10, 34),  # 200 must still enter, and the last one matures a window later
        (500, 800, 0, None),  # none enters
    ],
    ids=["reached", "on their way", "must enter", "never"],
)
def test_the_days_left_follow_from_the_present_rate_of_entry(
    mature: int, entered: int, per_day: float, days: float | None
) -> None:
    assert days_until(1000, mature, entered, per_day, 14) == days
