"""The difference of two means: value per customer, or goals per enrollment."""

from math import sqrt

from cairn.domain.measurement.boundaries import always, student
from cairn.domain.measurement.difference import Difference, Interval
from cairn.domain.measurement.totals import ArmTotals, Sample, SessionTotals

LEAST_EFFECTIVE = 25
"""Customers of equal value that each arm must be worth (Kish): one large order among small ones is hardly more than
one. With fewer, the standard error is itself too uncertain (docs/measuring.md, the simulation)."""


def value_of(arm: ArmTotals) -> Sample | None:
    """Value per customer, of all customers: most have none."""
    return _sample(arm.customers, arm.value, arm.value_squared)


def goals_of(arm: SessionTotals) -> Sample | None:
    """Goals per enrollment, by customers: the delta method for a ratio of two means.

    A. Deng, U. Knoblich, J. Lu, Applying the Delta Method in Metric Analytics, KDD 2018, section 3.1.
    """
    if arm.customers < 2:  # noqa: PLR2004  one has no variance
        return None
    ratio, each = arm.converted / arm.enrollments, arm.enrollments / arm.customers
    squares = arm.converted_squared - 2 * ratio * arm.converted_times_enrollments + ratio**2 * arm.enrollments_squared
    variance = max(0.0, squares) / (arm.customers - 1) / each**2
    return Sample(arm.customers, ratio, variance, _effective(arm.converted, arm.converted_squared))


def difference_of_means(treated: Sample | None, holdout: Sample | None, alpha: float, tuned_at: int) -> Difference:
    """Treated minus holdout, with its confidence sequence and the fixed-horizon interval beside it."""
    if not (treated and holdout):
        return Difference(None)
    estimate = treated.mean - holdout.mean
    error = welch(treated, holdout)
    if min(treated.effective, holdout.effective) < LEAST_EFFECTIVE or not error:
        return Difference(estimate)
    often = always(alpha, treated.customers + holdout.customers, tuned_at) * max(error, pooled(treated, holdout))
    single = student(alpha, freedom(treated, holdout)) * error
    return Difference(
        estimate, Interval(estimate - often, estimate + often), Interval(estimate - single, estimate + single)
    )


def welch(treated: Sample, holdout: Sample) -> float:
    """The standard error of the difference. B. Welch, Biometrika 34 (1947)."""
    return sqrt(treated.variance / treated.customers + holdout.variance / holdout.customers)


def pooled(treated: Sample, holdout: Sample) -> float:
    """The standard error if a customer's value varies as much in both arms.

    A small holdout that happens to lack large orders has a low mean and a low variance at once, so that Welch's error
    is too small just where the difference is too large. The larger of both errors is right in either case.
    """
    freedom_of = treated.customers - 1, holdout.customers - 1
    common = (freedom_of[0] * treated.variance + freedom_of[1] * holdout.variance) / sum(freedom_of)
    return sqrt(common * (1 / treated.customers + 1 / holdout.customers))


def freedom(treated: Sample, holdout: Sample) -> float:
    """Degrees of freedom for Student's t (Welch and Satterthwaite)."""
    parts = treated.variance / treated.customers, holdout.variance / holdout.customers
    return sum(parts) ** 2 / (parts[0] ** 2 / (treated.customers - 1) + parts[1] ** 2 / (holdout.customers - 1))


def _sample(customers: int, total: float, squares: float) -> Sample | None:
    if customers < 2:  # noqa: PLR2004  one has no variance
        return None
    variance = max(0.0, (customers * squares - total**2) / customers / (customers - 1))
    return Sample(customers, total / customers, variance, _effective(total, squares))


def _effective(total: float, squares: float) -> float:
    """L. Kish, Survey Sampling (1965), section 11.7."""
    return total**2 / squares if squares else 0.0
