"""Simulated seasons of a journey with a known effect, looked at each day: do the intervals contain it?

An interval that misses the truth at any look makes its journey a failed one, however many looks were right.
"""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.stats import beta

from cairn.domain.measurement.boundaries import always
from cairn.domain.measurement.difference import Difference
from cairn.domain.measurement.guardrails import Safety, check_guardrail
from cairn.domain.measurement.means import difference_of_means, goals_of, value_of
from cairn.domain.measurement.measure import measure
from cairn.domain.measurement.observed import Observed
from cairn.domain.measurement.plan import Guardrail, Plan
from cairn.domain.measurement.rates import deviance, difference_of_rates
from cairn.domain.measurement.totals import ArmTotals, GuardrailTotals, Proportion, SessionTotals
from cairn.domain.measurement.verdict import Outcome

DAYS = 60
ALPHA = 0.05
TUNED_AT = 10_000
PER_DAY = 300

Figures = NDArray[Any]
"""A row for each journey, a column for each day."""


@dataclass(frozen=True)
class Season:
    """What the customers of a journey do."""

    rate: float
    """Of the holdout."""
    holdout: float
    lift: float = 1.0
    """How many times as many of the treated customers reach the goal."""
    per_day: int = PER_DAY
    """Customers whose outcome becomes final, on average."""
    spread: float = 0.0
    """The standard deviation of the logarithm of a goal's value. With 1, the largest of a hundred orders is about ten
    times as large as the middle one; with 1.5, thirty times."""
    written: float | None = None
    """The share of the holdout in the plan, where it is not the true one."""

    @property
    def effect(self) -> float:
        return self.rate * (self.lift - 1)


@dataclass(frozen=True)
class Found:
    journeys: int
    failed: int
    """Journeys in which an interval or a verdict was ever wrong."""
    outcomes: Counter[str] = field(default_factory=Counter)
    """How many journeys ended how."""

    @property
    def share(self) -> float:
        return self.failed / self.journeys

    @property
    def bound(self) -> float:
        """The highest true share of failed journeys that shows so few in one of twenty simulations.

        C. Clopper, E. Pearson, Biometrika 26 (1934).
        """
        return float(beta.ppf(0.95, self.failed + 1, self.journeys - self.failed))


@dataclass(frozen=True)
class Arm:
    customers: Figures
    converted: Figures
    value: Figures
    value_squared: Figures

    def proportion(self, journey: int, day: int) -> Proportion:
        return Proportion(int(self.converted[journey, day]), int(self.customers[journey, day]))

    def totals(self, name: str, journey: int, day: int) -> ArmTotals:
        at, count = (journey, day), self.proportion(journey, day)
        value, squared = float(self.value[at]), float(self.value_squared[at])
        return ArmTotals(name, count.customers, count.reached, value, squared, count.customers)


def draw(season: Season, journeys: int, seed: int) -> tuple[Arm, Arm]:
    """The treated customers and the holdout."""
    random = np.random.default_rng(seed)
    treated, holdout = _enter(random, season, journeys)
    return (
        _arm(random, treated, season.rate * season.lift, season.spread),
        _arm(random, holdout, season.rate, season.spread),
    )


def _enter(random: np.random.Generator, season: Season, journeys: int) -> tuple[Figures, Figures]:
    """Customers of each day. Each one is held out by chance, as in a journey."""
    entered = random.poisson(season.per_day, (journeys, DAYS))
    held_out = random.binomial(entered, season.holdout)
    return entered - held_out, held_out


def _arm(random: np.random.Generator, customers: Figures, rate: float, spread: float) -> Arm:
    converted = random.binomial(customers, rate)
    values = np.exp(random.normal(0, spread, int(converted.sum())) - spread**2 / 2)  # 1 on average
    value, squared = (_until_each_day(each, converted) for each in (values, values**2))
    return Arm(customers.cumsum(axis=1), converted.cumsum(axis=1), value, squared)


def _until_each_day(each: Figures, of_days: Figures) -> Figures:
    """Sums over all customers so far, if so many of these values, in their order, belong to each day."""
    until = np.concatenate([np.zeros(1, each.dtype), np.cumsum(each)])[of_days.cumsum()]
    days: Figures = np.diff(until, prepend=np.zeros(1, each.dtype)).reshape(of_days.shape)
    return days.cumsum(axis=1)


def rates_cover(season: Season, journeys: int, seed: int) -> Found:
    """Of the rates by which customers reach the goal."""
    treated, holdout = draw(season, journeys, seed)

    def contains(journey: int, day: int) -> bool | None:
        first, second = treated.proportion(journey, day), holdout.proportion(journey, day)
        if not (first.customers and second.customers):
            return None
        z = always(ALPHA, first.customers + second.customers, TUNED_AT)
        if deviance(first, second, season.effect) < 0.9 * z**2:
            return True  # well inside; to find the ends takes a hundred times as long
        return _contains(difference_of_rates(first, second, ALPHA, TUNED_AT), season.effect)

    return _look(journeys, contains)


def values_cover(season: Season, journeys: int, seed: int) -> Found:
    """Of value per customer; a goal is worth 1 on average."""
    treated, holdout = draw(season, journeys, seed)

    def contains(journey: int, day: int) -> bool | None:
        first, second = treated.totals("treated", journey, day), holdout.totals("holdout", journey, day)
        return _contains(difference_of_means(value_of(first), value_of(second), ALPHA, TUNED_AT), season.effect)

    return _look(journeys, contains)


def sessions_cover(season: Season, journeys: int, seed: int) -> Found:
    """Of goals per enrollment, where customers differ in how often they enter and in how often they reach the goal."""
    random = np.random.default_rng(seed)
    rates = season.rate * season.lift, season.rate
    treated, holdout = (
        _sessions(random, arm, rate) for arm, rate in zip(_enter(random, season, journeys), rates, strict=True)
    )

    def contains(journey: int, day: int) -> bool | None:
        first, second = (
            SessionTotals(name, *(int(figures[journey, day]) for figures in arm))
            for name, arm in (("treated", treated), ("holdout", holdout))
        )
        return _contains(difference_of_means(goals_of(first), goals_of(second), ALPHA, TUNED_AT), season.effect)

    return _look(journeys, contains)


def _sessions(random: np.random.Generator, customers: Figures, rate: float) -> Sequence[Figures]:
    """The fields of SessionTotals."""
    everyone = int(customers.sum())
    enrollments = random.geometric(0.5, everyone)
    converted = random.binomial(enrollments, random.beta(4 * rate, 4 * (1 - rate), everyone))
    each = (enrollments, converted, enrollments**2, converted**2, converted * enrollments)
    return [customers.cumsum(axis=1), *(_until_each_day(one, customers) for one in each)]


def _contains(difference: Difference, truth: float) -> bool | None:
    return None if difference.sequence is None else truth in difference.sequence


def _look(journeys: int, contains: Callable[[int, int], bool | None]) -> Found:
    """Each day until one is wrong. The outcomes count the journeys in which there was an interval at all."""
    failed, read = 0, Counter[str]()
    for journey in range(journeys):
        looks = [contains(journey, day) for day in range(DAYS)]
        failed += False in looks
        read["read"] += any(look is not None for look in looks)
    return Found(journeys, failed, read)


def verdicts(season: Season, journeys: int, seed: int) -> Found:
    """From the totals to the verdict, each day until the first that decides. Which is wrong, the true lift says."""
    treated, holdout = draw(season, journeys, seed)
    plan = Plan(
        journey="spring",
        goal="booking.paid",
        window=timedelta(days=7),
        holdout=season.holdout if season.written is None else season.written,
        minimum_effect=abs(season.effect) or season.rate / 5,
    )

    def looks(journey: int) -> Iterator[Observed]:
        for day in range(DAYS):
            yield Observed(
                treated=treated.totals("treated", journey, day), holdout=holdout.totals("holdout", journey, day)
            )

    outcomes = Counter(_decision(plan, looks(journey)) for journey in range(journeys))
    wrong = outcomes[Outcome.HARMS] * (season.lift >= 1) + outcomes[Outcome.WORKS] * (season.lift <= 1)
    return Found(journeys, wrong, Counter({str(outcome): count for outcome, count in outcomes.items()}))


def _decision(plan: Plan, looks: Iterable[Observed]) -> Outcome:
    outcome = Outcome.TOO_EARLY
    for observed in looks:
        outcome = measure(plan, observed).verdict.outcome
        if outcome not in {Outcome.TOO_EARLY, Outcome.NO_EFFECT}:
            break
    return outcome


def guardrail_alarms(rates: tuple[float, float], margin: float, journeys: int, seed: int) -> Found:
    """How often complaints are called too many, by their true rates among treated customers and in the holdout."""
    random = np.random.default_rng(seed)
    season = Season(rates[1], holdout=0.1)
    sizes = _enter(random, season, journeys)
    arms = [_arm(random, customers, rate, 0) for customers, rate in zip(sizes, rates, strict=True)]
    guardrail = Guardrail("complaints", margin)
    plan = Plan(
        journey="spring",
        goal="booking.paid",
        window=timedelta(days=7),
        holdout=season.holdout,
        minimum_effect=0.01,
        guardrails=(guardrail,),
    )

    def broken(journey: int, day: int) -> bool:
        treated, holdout = (arm.proportion(journey, day) for arm in arms)
        if not (treated.customers and holdout.customers) or treated.rate - holdout.rate <= margin:
            return False  # certainly not, and quicker
        totals = GuardrailTotals("complaints", treated.reached, holdout.reached)
        return check_guardrail(guardrail, totals, (treated.customers, holdout.customers), plan).safety is Safety.BROKEN

    alarms = sum(any(broken(journey, day) for day in range(DAYS)) for journey in range(journeys))
    return Found(journeys, alarms * (rates[0] - rates[1] <= margin), Counter(broken=alarms))
