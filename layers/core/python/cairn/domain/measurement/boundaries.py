"""How many standard errors an interval needs: for one look, or for as many looks as one likes.

A confidence interval of 95 % errs in 5 % of cases if one looks once. An operator who looks each day gives it many
chances to err, and it errs far more often. A confidence sequence is a series of intervals that contain the truth all
together, at every look, in 95 % of cases. It is wider, by about one half, and one may stop whenever one likes.

The width is that of the asymptotic confidence sequence by Robbins' normal mixture: I. Waudby-Smith, D. Arbour,
R. Sinha, E. Kennedy, A. Ramdas, Time-uniform central limit theory and asymptotic confidence sequences, Ann. Statist.
52 (2024), arXiv:2103.06476: theorem 2.2, and the appendix for one side and for the choice of the mixture.
"""

from functools import cache
from math import log, log1p, sqrt
from statistics import NormalDist

NORMAL = NormalDist()


def once(alpha: float) -> float:
    """Standard errors on each side for one look at a date that was fixed before."""
    return NORMAL.inv_cdf(1 - alpha / 2)


def always(alpha: float, customers: int, tuned_at: int) -> float:
    """Standard errors on each side, valid at each look; the least at `tuned_at` customers."""
    looked = _looked(alpha, customers, tuned_at)
    return sqrt((1 + 1 / looked) * (log1p(looked) - 2 * log(alpha)))


def always_on_one_side(alpha: float, customers: int, tuned_at: int) -> float:
    """Standard errors on one side alone, valid at each look."""
    looked = _looked(min(0.5, 2 * alpha), customers, tuned_at)
    return sqrt((1 + 1 / looked) * 2 * log1p(sqrt(1 + looked) / (2 * alpha)))


def _looked(alpha: float, customers: int, tuned_at: int) -> float:
    """The variance of the mixture times the information so far: `n ρ²` of the paper."""
    return _best(alpha) * customers / tuned_at


@cache
def _best(alpha: float) -> float:
    """Where `always` is least: the derivative is zero at r = log(1 + r) - 2 log(alpha)."""
    best = 1.0
    for _ in range(100):
        best = log1p(best) - 2 * log(alpha)
    return best


def student(alpha: float, freedom: float) -> float:
    """The quantile of Student's t on each side: Abramowitz & Stegun 26.7.5, to four digits from 10 degrees on."""
    z = once(alpha)
    terms = (
        (z**3 + z) / 4,
        (5 * z**5 + 16 * z**3 + 3 * z) / 96,
        (3 * z**7 + 19 * z**5 + 17 * z**3 - 15 * z) / 384,
        (79 * z**9 + 776 * z**7 + 1482 * z**5 - 1920 * z**3 - 945 * z) / 92160,
    )
    return z + sum(term / freedom**power for power, term in enumerate(terms, 1))
