"""How many customers there are of a kind, from those in a share of the table."""

from dataclasses import dataclass
from math import sqrt

Z = 1.96
"""Of the normal distribution: an interval of 95 %."""


@dataclass(frozen=True, slots=True)
class Estimate:
    count: int
    low: int
    high: int
    """The interval that has the true number in 95 % of cases."""


def estimated(found: int, share: float) -> Estimate:
    """Of `found` customers in this share of all partitions, which the hash of each id drew: the score interval.

    Each customer is in the share with the same probability, and independently. So `found` is binomial, with the number
    of all as the unknown number of draws. The whole table has no error.
    """
    half = Z**2 * (1 - share)
    middle, width = found + half / 2, sqrt(half * found + half**2 / 4)
    low, high = (middle - width) / share, (middle + width) / share
    return Estimate(round(found / share), max(found, round(low)), max(found, round(high)))
