"""The power of an interval to find an effect, and the customers and days that this takes.

The standard formulas of a test of two means by the normal distribution (J. Fleiss, Statistical Methods for Rates and
Proportions, chapter 4), with the standard errors that a confidence sequence needs in the place of 1.96.
"""

from collections.abc import Callable
from dataclasses import dataclass
from math import inf, sqrt

from cairn.domain.measurement.boundaries import NORMAL

MOST_CUSTOMERS = 10**12

Needs = Callable[[int], float]
"""How many standard errors an interval has on each side, by the customers of both arms."""


@dataclass(frozen=True, slots=True)
class Design:
    """Two arms, and an outcome that varies alike in both."""

    variance: float
    """Of one customer."""
    treated: float
    """Share of the two arms' customers; the rest is the holdout."""
    needs: Needs

    def error(self, customers: float) -> float:
        """The standard error of the difference."""
        return sqrt(self.variance / (customers * self.treated) + self.variance / (customers * (1 - self.treated)))


def power_of(design: Design, effect: float, customers: int) -> float:
    """The chance that the interval excludes zero."""
    if not customers:
        return 0.0
    error = design.error(customers)
    distance, needs = (abs(effect) / error if error else inf), design.needs(customers)
    return NORMAL.cdf(distance - needs) + NORMAL.cdf(-distance - needs)


def smallest_effect(design: Design, power: float, customers: int) -> float | None:
    """The effect that is found with this power."""
    if not customers:
        return None
    return (design.needs(customers) + NORMAL.inv_cdf(power)) * design.error(customers)


def customers_needed(design: Design, effect: float, power: float) -> int:
    """The fewest customers by which the effect is found with this power."""
    enough = 1
    while power_of(design, effect, enough) < power and enough < MOST_CUSTOMERS:
        enough *= 2
    low, high = enough // 2, enough
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (low, middle) if power_of(design, effect, middle) >= power else (middle, high)
    return high


def days_until(needed: int, mature: int, entered: int, per_day: float, window_days: float) -> float | None:
    """Until so many customers are mature; None where they never are.

    The customers who are not mature yet entered evenly over the last window. The rest enters from now on, and the last
    one is mature a window later.
    """
    if mature >= needed:
        return 0.0
    if entered >= needed:
        return window_days * (needed - mature) / (entered - mature)
    return (needed - entered) / per_day + window_days if per_day > 0 else None
