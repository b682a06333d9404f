"""The measurement of one journey: every figure, and the verdict that follows from the registered plan."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import assert_never

from cairn.domain.measurement.assignment import Assignment, check_assignment
from cairn.domain.measurement.cost import CostPerConversion, cost_per_conversion
from cairn.domain.measurement.difference import Difference, Interval
from cairn.domain.measurement.guardrails import GuardrailResult, Safety, check_guardrail
from cairn.domain.measurement.means import difference_of_means, goals_of, value_of
from cairn.domain.measurement.observed import Observed
from cairn.domain.measurement.outlook import Outlook, outlook
from cairn.domain.measurement.plan import Always, AtCustomers, Metric, OnDate, Plan
from cairn.domain.measurement.rates import difference_of_rates
from cairn.domain.measurement.totals import HOLDOUT, TREATED, ArmTotals, Proportion
from cairn.domain.measurement.verdict import (
    Verdict,
    assignment_broken,
    decided,
    guardrail_broken,
    no_effect,
    not_due,
    too_early,
)


@dataclass(frozen=True, slots=True)
class ArmResult:
    """One arm against the holdout. Its intervals are wider: all arms together err with the `alpha` of the plan."""

    name: str
    rates: Difference
    values: Difference


@dataclass(frozen=True, slots=True, kw_only=True)
class Measurement:
    plan: str
    """The hash of the plan that this follows."""
    verdict: Verdict
    rates: Difference
    values: Difference
    """Value per customer, in minor units."""
    sessions: Difference | None
    """Goals per enrollment."""
    arms: tuple[ArmResult, ...]
    assignment: Assignment
    outlook: Outlook
    guardrails: tuple[GuardrailResult, ...]
    cost: CostPerConversion | None


def measure(plan: Plan, observed: Observed) -> Measurement:
    """Measure the treated customers against the holdout, as the plan says."""
    treated, holdout = observed.treated, observed.holdout
    rates, values = _differences(plan, treated, holdout, plan.alpha)
    decides = values if plan.metric is Metric.VALUE else rates
    each = plan.alpha / max(1, len(observed.arms))
    assignment = check_assignment(
        {TREATED: treated.entered_total, HOLDOUT: holdout.entered_total},
        {TREATED: 1 - plan.holdout, HOLDOUT: plan.holdout},
    )
    guardrails, ahead = _guardrails(plan, observed), outlook(plan, observed, decides)
    alarm = _alarm(assignment, guardrails) or _not_due(plan, observed)
    return Measurement(
        plan=plan.hash,
        verdict=alarm or _reading(plan, observed, decides, ahead),
        rates=rates,
        values=values,
        sessions=_by_session(plan, observed),
        arms=tuple(ArmResult(arm.name, *_differences(plan, arm, holdout, each)) for arm in observed.arms),
        assignment=assignment,
        outlook=ahead,
        guardrails=guardrails,
        cost=observed.costs and cost_per_conversion(treated, holdout, observed.costs, rates),
    )


def _differences(plan: Plan, arm: ArmTotals, holdout: ArmTotals, alpha: float) -> tuple[Difference, Difference]:
    rates = difference_of_rates(Proportion.converted(arm), Proportion.converted(holdout), alpha, plan.tuned_at)
    return rates, difference_of_means(value_of(arm), value_of(holdout), alpha, plan.tuned_at)


def _by_session(plan: Plan, observed: Observed) -> Difference | None:
    if not observed.sessions:
        return None
    treated, holdout = observed.sessions
    return difference_of_means(goals_of(treated), goals_of(holdout), plan.alpha, plan.tuned_at)


def _guardrails(plan: Plan, observed: Observed) -> tuple[GuardrailResult, ...]:
    counted = {totals.name: totals for totals in observed.guardrails}
    sizes = observed.treated.customers, observed.holdout.customers
    return tuple(check_guardrail(one, counted[one.name], sizes, plan) for one in plan.guardrails if one.name in counted)


def _alarm(assignment: Assignment, guardrails: Sequence[GuardrailResult]) -> Verdict | None:
    """Where the assignment is broken, no other figure counts. Harm is said at every look, whatever the plan."""
    if assignment.broken:
        return assignment_broken()
    broken = (one for one in guardrails if one.safety is Safety.BROKEN and one.difference is not None)
    return next((guardrail_broken(one.name, one.difference or 0.0, one.margin) for one in broken), None)


def _not_due(plan: Plan, observed: Observed) -> Verdict | None:
    """The verdict of a plan that looks once, before that."""
    match plan.stopping:
        case AtCustomers(needed) if observed.customers < needed:
            return too_early(observed.customers, needed)
        case OnDate(on) if observed.counted_until is None or observed.counted_until < on:
            return not_due(f"on {on.isoformat()}")
    return None


def _reading(plan: Plan, observed: Observed, decides: Difference, ahead: Outlook) -> Verdict:
    interval = _interval(plan, observed, decides)
    if interval is None or decides.estimate is None:
        return too_early(observed.customers, ahead.needed)
    if interval.excludes_zero:
        return decided(plan, decides.estimate, interval)
    undecided = observed.customers < ahead.needed and interval.high >= plan.minimum_effect
    if undecided and isinstance(plan.stopping, Always):
        return too_early(observed.customers, ahead.needed)
    return no_effect(plan, interval)


def _interval(plan: Plan, observed: Observed, decides: Difference) -> Interval | None:
    """By which interval to decide.

    The narrower one is right at the one look of the plan alone. At a later one, the sequence decides.
    """
    match plan.stopping:
        case Always():
            return decides.sequence
        case AtCustomers(needed):
            return decides.fixed if observed.customers == needed else decides.sequence
        case OnDate(on):
            return decides.fixed if observed.counted_until == on else decides.sequence
    assert_never(plan.stopping)
