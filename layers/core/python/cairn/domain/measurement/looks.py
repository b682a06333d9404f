"""What each look would have said: the difference over time, from customers counted by the day on which they matured.

A customer who is counted once is counted the same ever after (totals.py), so a look of the past needs no record of it.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date

from cairn.domain.measurement.difference import Difference
from cairn.domain.measurement.plan import Plan
from cairn.domain.measurement.rates import difference_of_rates
from cairn.domain.measurement.totals import Proportion

MOST = 60
"""Looks of a picture: about as many as an eye can distinguish."""


@dataclass(frozen=True, slots=True)
class Day:
    """Customers who matured on a day, and those of them who reached the goal, by arm."""

    on: date
    treated: Proportion
    holdout: Proportion


@dataclass(frozen=True, slots=True)
class Look:
    on: date
    """At the end of this day, in UTC."""
    customers: int
    rates: Difference


def looks_at(plan: Plan, days: Iterable[Day], most: int = MOST) -> tuple[Look, ...]:
    """One look for each day on which a customer matured, or `most` of them, evenly, with the first and the last one."""
    looks, treated, holdout = [], Proportion(0, 0), Proportion(0, 0)
    for day in sorted(days, key=lambda one: one.on):
        treated, holdout = _and(treated, day.treated), _and(holdout, day.holdout)
        looks.append((day.on, treated, holdout))
    return tuple(
        Look(on, t.customers + h.customers, difference_of_rates(t, h, plan.alpha, plan.tuned_at))
        for on, t, h in (looks[position] for position in _evenly(len(looks), most))
    )


def _and(one: Proportion, other: Proportion) -> Proportion:
    return Proportion(one.reached + other.reached, one.customers + other.customers)


def _evenly(length: int, most: int) -> list[int]:
    """Positions in a list."""
    return list(range(length)) if length <= most else [round(n * (length - 1) / (most - 1)) for n in range(most)]
