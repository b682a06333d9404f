"""What the plan of a journey can find today, and when it can find what matters."""

from dataclasses import dataclass
from datetime import timedelta
from functools import partial
from math import ceil

from cairn.domain.measurement.boundaries import always, once
from cairn.domain.measurement.difference import Difference
from cairn.domain.measurement.means import LEAST_EFFECTIVE
from cairn.domain.measurement.observed import Observed
from cairn.domain.measurement.plan import Always, Metric, Plan
from cairn.domain.measurement.power import Design, customers_needed, days_until, power_of, smallest_effect
from cairn.domain.measurement.rates import LEAST_EXPECTED

DAY = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Outlook:
    power: float
    """The chance that today's interval excludes zero, if the effect is the least that matters."""
    smallest_effect: float | None
    """That is found today with the power of the plan, in the unit of the metric; None where nothing can be found."""
    needed: int
    """Mature customers of both arms until the least effect that matters is found with the power of the plan."""
    needed_treated: int
    needed_holdout: int
    days_left: float | None
    """Until so many are mature, at the present rate of entry; None if none enters any more."""


def outlook(plan: Plan, observed: Observed, decides: Difference) -> Outlook:
    """By the outcomes so far, and by the interval that the plan decides by."""
    customers, design = observed.customers, _design(plan, observed)
    needed = customers_needed(design, plan.minimum_effect, plan.power)
    if decides.sequence is None:
        needed = max(needed, customers + 1, _needed_for_an_interval(plan, observed))
    needed_holdout = ceil(needed * plan.holdout)
    return Outlook(
        power=power_of(design, plan.minimum_effect, customers) if decides.sequence else 0.0,
        smallest_effect=smallest_effect(design, plan.power, customers) if decides.sequence else None,
        needed=needed,
        needed_treated=needed - needed_holdout,
        needed_holdout=needed_holdout,
        days_left=days_until(needed, customers, observed.entered_total, observed.entering_per_day, plan.window / DAY),
    )


def _design(plan: Plan, observed: Observed) -> Design:
    both = observed.treated.customers and observed.holdout.customers
    share = observed.treated.customers / observed.customers if both else 1 - plan.holdout
    looks_always = isinstance(plan.stopping, Always)
    return Design(_variance(plan, observed), share, partial(_errors, plan.alpha, plan.tuned_at if looks_always else 0))


def _errors(alpha: float, tuned_at: int, customers: int) -> float:
    return always(alpha, customers, tuned_at) if tuned_at else once(alpha)


def _variance(plan: Plan, observed: Observed) -> float:
    """Of one customer's outcome, both arms together."""
    if plan.metric is Metric.RATE:
        rate = _rate(observed)
        return rate * (1 - rate)
    if not observed.customers:
        return 0.0
    mean = (observed.treated.value + observed.holdout.value) / observed.customers
    return max(0.0, (observed.treated.value_squared + observed.holdout.value_squared) / observed.customers - mean**2)


def _rate(observed: Observed) -> float:
    """Of both arms together, with half a goal more: none yet does not mean that there will be none."""
    return (observed.treated.converted + observed.holdout.converted + 0.5) / (observed.customers + 1)


def _needed_for_an_interval(plan: Plan, observed: Observed) -> int:
    """How many customers there must be before an interval is given at all, if outcomes stay as they are."""
    smaller = min(plan.holdout, 1 - plan.holdout)
    if plan.metric is Metric.RATE:
        rate = _rate(observed)
        return ceil(LEAST_EXPECTED / smaller / min(rate, 1 - rate))
    squares = observed.treated.value_squared + observed.holdout.value_squared
    total = observed.treated.value + observed.holdout.value
    return ceil(LEAST_EFFECTIVE / smaller * observed.customers * squares / total**2) if total else 0
