"""The rule that chooses the winner of a split: right about chance, however often one looks.

If the arms make no difference, they are nothing but labels that were drawn at random: then the arm of each customer
who reaches the goal is a new draw by weight, in whatever order they reach it and however late. So we look at these
customers alone. We bet against that, on lifts of LIFTS at once: the stake is multiplied by the ratio of both
probabilities with each of them, and has the mean 1 at any time as long as it is true (a test martingale, the mixture
of Wald's sequential tests). By Ville's inequality it ever becomes `1 / error` with a probability of `error` at most.

H. Robbins, Statistical Methods Related to the Law of the Iterated Logarithm, Ann. Math. Statist. 41 (1970);
A. Ramdas et al., Game-Theoretic Statistics and Safe Anytime-Valid Inference, Statist. Sci. 38 (2023).
"""

from collections.abc import Mapping
from dataclasses import dataclass
from math import exp, log

from cairn.domain.journey.arms import Winner

LIFTS = (1.05, 1.1, 1.2, 1.35, 1.5, 2.0, 3.0)
"""How many times as many reach the goal in the better arm. What lies between is found, too, a little later."""


@dataclass(frozen=True, slots=True)
class ArmResult:
    weight: float
    entered: int = 0
    """Customers who got the arm by weight, each once."""
    reached: int = 0
    """Those of them who have reached the goal since."""


def winner_of(results: Mapping[str, ArmResult], rule: Winner) -> str | None:
    """The arm that is better than each other one; None while that is not certain enough, or each has too few customers.

    Where some arm is as good, it is named with a probability of `rule.error` at most over the whole test. To name it,
    the rule must err in a comparison with one of the best arms; of those comparisons there are as many as arms.
    """
    arms = {name: one for name, one in results.items() if one.weight}
    if len(arms) < 2 or any(one.entered < rule.after for one in arms.values()):  # noqa: PLR2004  one is better
        return None
    enough = log(len(arms) / rule.error)
    for name, one in arms.items():
        if all(evidence(one, other) >= enough for key, other in arms.items() if key != name):
            return name
    return None


def evidence(better: ArmResult, worse: ArmResult) -> float:
    """The logarithm of the stake on "the first one is better"."""
    share = better.weight / (better.weight + worse.weight)
    stakes = []
    for lift in LIFTS:
        likely = share * lift / (share * lift + 1 - share)
        won, lost = better.reached * log(likely / share), worse.reached * log((1 - likely) / (1 - share))
        stakes.append(won + lost)
    most = max(stakes)
    return most + log(sum(exp(one - most) for one in stakes) / len(stakes))
