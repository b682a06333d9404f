"""Guardrails: what a journey must not harm while it reaches its goal, such as complaints and unsubscribes."""

from dataclasses import dataclass
from enum import StrEnum

from cairn.domain.measurement.boundaries import always_on_one_side
from cairn.domain.measurement.plan import Guardrail, Plan
from cairn.domain.measurement.rates import lower_end
from cairn.domain.measurement.totals import GuardrailTotals, Proportion


class Safety(StrEnum):
    BROKEN = "broken"
    """Worse than the margin allows, at every look with the certainty of the plan."""
    SAFE = "safe"
    """Not worse than the margin allows, likewise (non-inferiority)."""
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class GuardrailResult:
    name: str
    margin: float
    difference: float | None
    """Of both rates, treated minus holdout."""
    at_least: float | None
    at_most: float | None
    """Two one-sided bounds, each valid at each look."""
    safety: Safety


def check_guardrail(
    guardrail: Guardrail, totals: GuardrailTotals, sizes: tuple[int, int], plan: Plan
) -> GuardrailResult:
    """Compare the treated customers with the holdout; `sizes` are the mature customers of each.

    The bounds are by the likelihood ratio as for rates, without a minimum: complaints are few, and harm is urgent. The
    error is divided by the number of guardrails (Bonferroni), so that all of them together raise a false alarm with a
    probability of `alpha` at most.
    """
    treated, holdout = Proportion(totals.treated, sizes[0]), Proportion(totals.holdout, sizes[1])
    if not all(sizes):
        return GuardrailResult(guardrail.name, guardrail.margin, None, None, None, Safety.UNKNOWN)
    z = always_on_one_side(plan.alpha / len(plan.guardrails), sum(sizes), plan.tuned_at)
    low, high = lower_end(treated, holdout, z), -lower_end(holdout, treated, z)
    broken, safe = low > guardrail.margin, high <= guardrail.margin
    safety = Safety.BROKEN if broken else Safety.SAFE if safe else Safety.UNKNOWN
    return GuardrailResult(guardrail.name, guardrail.margin, treated.rate - holdout.rate, low, high, safety)
