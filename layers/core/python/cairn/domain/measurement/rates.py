"""The difference of two rates: how many more of a hundred customers reach the goal because of the journey."""

from math import inf, log, sqrt

from cairn.domain.measurement.boundaries import always, once
from cairn.domain.measurement.difference import Difference, Interval
from cairn.domain.measurement.totals import Proportion

LEAST_EXPECTED = 5
"""Goals that the smaller arm must be expected to have at the common rate, and customers without one likewise.

The intervals are right with fewer, but too wide to be worth reading (docs/measuring.md, the simulation).
"""

HALVINGS = 40
"""Of an interval of length 2 at most: its ends are exact to 2e-12."""

STEPS = 100
"""At most, until the likeliest rate is found; Newton's method takes about six."""

NEAR = 1e-10
"""A step so small ends the search. The likelihood is flat there, so its error is the square of this."""


def difference_of_rates(treated: Proportion, holdout: Proportion, alpha: float, tuned_at: int) -> Difference:
    """Treated minus holdout, with its confidence sequence and the fixed-horizon interval beside it."""
    if not (treated.customers and holdout.customers):
        return Difference(None)
    estimate = treated.rate - holdout.rate
    if expected(treated, holdout) < LEAST_EXPECTED:
        return Difference(estimate)
    z = always(alpha, treated.customers + holdout.customers, tuned_at)
    sequence = Interval(lower_end(treated, holdout, z), -lower_end(holdout, treated, z))
    return Difference(estimate, sequence, newcombe(treated, holdout, alpha))


def expected(treated: Proportion, holdout: Proportion) -> float:
    """Goals in the smaller arm if both had one rate; or customers without a goal, if those are fewer."""
    customers = treated.customers + holdout.customers
    rate = (treated.reached + holdout.reached) / customers
    return min(treated.customers, holdout.customers) * min(rate, 1 - rate)


def newcombe(treated: Proportion, holdout: Proportion, alpha: float) -> Interval:
    """The interval for one look.

    R. Newcombe, Interval estimation for the difference between independent proportions: comparison of eleven methods,
    Stat. Med. 17 (1998), method 10.
    """
    z, estimate = once(alpha), treated.rate - holdout.rate
    (low, high), (other_low, other_high) = wilson(treated, z), wilson(holdout, z)
    below = sqrt((treated.rate - low) ** 2 + (other_high - holdout.rate) ** 2)
    above = sqrt((high - treated.rate) ** 2 + (holdout.rate - other_low) ** 2)
    return Interval(estimate - below, estimate + above)


def wilson(arm: Proportion, z: float) -> tuple[float, float]:
    """The score interval of one rate. E. Wilson, J. Amer. Statist. Assoc. 22 (1927)."""
    n, rate = arm.customers, arm.rate
    centre = rate + z**2 / (2 * n)
    half = z * sqrt(rate * (1 - rate) / n + z**2 / (4 * n**2))
    return max(0.0, (centre - half) / (1 + z**2 / n)), min(1.0, (centre + half) / (1 + z**2 / n))


def lower_end(first: Proportion, second: Proportion, z: float) -> float:
    """The least difference of both rates that is `z` standard errors or nearer, by the likelihood ratio.

    The usual standard error is wrong where an arm has few goals, as a holdout of 5 % has at a rate of 1 %: an interval
    by it misses the truth twice as often as it may. The likelihood ratio is equal to it with much data, and right with
    little. O. Barndorff-Nielsen, D. Cox, Inference and Asymptotics (1994), chapter 4, has its theory.
    """
    low, high = -1.0, first.rate - second.rate
    for _ in range(HALVINGS):
        middle = (low + high) / 2
        if deviance(first, second, middle) > z**2:
            low = middle
        else:
            high = middle
    return low


def deviance(first: Proportion, second: Proportion, difference: float) -> float:
    """How badly this difference fits: twice the logarithm of the likelihood ratio, about the square of `z`."""
    rate = likeliest(first, second, difference)
    best = _log_likelihood(first, first.rate) + _log_likelihood(second, second.rate)
    return 2 * max(0.0, best - _log_likelihood(first, rate + difference) - _log_likelihood(second, rate))


def likeliest(first: Proportion, second: Proportion, difference: float) -> float:
    """The second rate under which both counts are likeliest, if the first one is greater by this difference.

    The logarithm of the likelihood is concave. So its slope is zero once, and Newton's steps find where; a step that
    would leave what is known to contain it halves that.
    """
    low, high = max(0.0, -difference), min(1.0, 1 - difference)
    missed, also_missed = first.customers - first.reached, second.customers - second.reached
    rate = second.rate + (first.rate - second.rate - difference) / 2
    for _ in range(STEPS):
        if not low < rate < high:
            rate = (low + high) / 2
        other, none, other_none = rate + difference, 1 - rate, 1 - rate - difference
        if min(rate, other, none, other_none) <= 0:
            break  # at the edge of what is possible
        slope = first.reached / other - missed / other_none + second.reached / rate - also_missed / none
        bend = first.reached / other**2 + missed / other_none**2 + second.reached / rate**2 + also_missed / none**2
        low, high = (rate, high) if slope > 0 else (low, rate)
        step = slope / bend
        rate += step
        if abs(step) <= NEAR * rate:
            break
    return min(high, max(low, rate))


def _log_likelihood(arm: Proportion, rate: float) -> float:
    total = 0.0
    for count, chance in ((arm.reached, rate), (arm.customers - arm.reached, 1 - rate)):
        if count:
            if chance <= 0:
                return -inf
            total += count * log(chance)
    return total
