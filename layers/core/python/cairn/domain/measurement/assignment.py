"""Whether customers were assigned to the arms by the written shares: a test for sample-ratio mismatch.

If they were not, something removes customers from one arm, and the arms differ by more than the journey. Then no other
figure means anything. A. Fabijan et al., Diagnosing Sample Ratio Mismatch in Online Controlled Experiments, KDD 2019.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from math import erfc, exp, inf, lgamma, log, pi, sqrt

LOUD = 0.001
"""Below this, the assignment is broken. Fabijan et al. use so strict a bound because each alarm stops an analysis."""

CONCENTRATION = 500
"""The weight of the written shares in the sequential test, in customers: most sensitive after some 10,000."""


@dataclass(frozen=True, slots=True)
class Assignment:
    entered: Mapping[str, int]
    shares: Mapping[str, float]
    """As written, 1 in all."""
    chi_square: float
    p_value: float
    """Of the chi-square test, for one look."""
    sequential_p_value: float
    """Valid at each look. With true shares it is ever below 0.001 in one of a thousand journeys at most."""

    @property
    def broken(self) -> bool:
        """By the sequential test, since this is looked at each day.

        With a look a day for two months, chi-square would call about one sound journey of a hundred broken.
        """
        return self.sequential_p_value < LOUD

    @property
    def suspicious(self) -> bool:
        """By chi-square alone: look for a cause, but it may be chance."""
        return self.p_value < LOUD and not self.broken


def check_assignment(entered: Mapping[str, int], weights: Mapping[str, float]) -> Assignment:
    """Compare how many customers entered each arm with the arms' weights."""
    total, whole = sum(entered.values()), sum(weights.values())
    shares = {arm: weight / whole for arm, weight in weights.items()}
    counts = {arm: entered.get(arm, 0) for arm in shares}
    if sum(counts.values()) < total or any(count and not shares[arm] for arm, count in counts.items()):
        return Assignment(counts, shares, inf, 0.0, 0.0)  # an arm that is written nowhere has customers
    possible = {arm: share for arm, share in shares.items() if share}
    if not total:
        return Assignment(counts, shares, 0.0, 1.0, 1.0)
    chi_square = sum((counts[arm] - total * share) ** 2 / (total * share) for arm, share in possible.items())
    evidence = log_evidence(counts, possible)
    return Assignment(
        counts, shares, chi_square, chi_square_tail(chi_square, len(possible) - 1), min(1.0, exp(min(0.0, -evidence)))
    )


def log_evidence(counts: Mapping[str, int], shares: Mapping[str, float]) -> float:
    """The logarithm of a Bayes factor against the shares: a martingale with mean 1 as long as they are true.

    So it ever exceeds `log(1 / p)` with a probability of `p` at most. M. Lindon, A. Malek, Anytime-Valid Inference for
    Multinomial Count Data, NeurIPS 2022, section 2.
    """
    found = lgamma(CONCENTRATION) - lgamma(CONCENTRATION + sum(counts[arm] for arm in shares))
    for arm, share in shares.items():
        prior = CONCENTRATION * share
        found += lgamma(prior + counts[arm]) - lgamma(prior) - counts[arm] * log(share)
    return found


def chi_square_tail(value: float, freedom: int) -> float:
    """The chance of this value or a larger one: the regularized gamma function, for whole degrees of freedom.

    Abramowitz & Stegun 26.4.4 and 26.4.5: each two degrees add one term.
    """
    if not freedom:
        return 1.0
    if freedom % 2:
        tail, term = erfc(sqrt(value / 2)), sqrt(2 * value / pi) * exp(-value / 2)
    else:
        tail, term = exp(-value / 2), value / 2 * exp(-value / 2)
    for degree in range(4 - freedom % 2, freedom + 2, 2):
        tail += term
        term *= value / degree
    return min(1.0, tail)
