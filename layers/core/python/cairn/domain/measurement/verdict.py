"""The verdict on a journey, in a word and in a sentence."""

from dataclasses import dataclass
from enum import StrEnum
from math import floor, log10

from cairn.domain.measurement.difference import Interval
from cairn.domain.measurement.plan import Metric, Plan
from cairn.domain.shared.currencies import decimals_of

MOST_DECIMALS = 6


class Outcome(StrEnum):
    ASSIGNMENT_BROKEN = "assignment_broken"
    GUARDRAIL_BROKEN = "guardrail_broken"
    TOO_EARLY = "too_early"
    WORKS = "works"
    HARMS = "harms"
    NO_EFFECT = "no_effect"


@dataclass(frozen=True, slots=True)
class Verdict:
    outcome: Outcome
    sentence: str

    def __str__(self) -> str:
        return self.sentence


def too_early(customers: int, needed: int) -> Verdict:
    return Verdict(Outcome.TOO_EARLY, f"too early: {customers:,} of {needed:,} needed")


def not_due(when: str) -> Verdict:
    return Verdict(Outcome.TOO_EARLY, f"too early: the plan looks once, {when}")


def assignment_broken() -> Verdict:
    return Verdict(Outcome.ASSIGNMENT_BROKEN, "assignment is broken: do not read this")


def guardrail_broken(name: str, difference: float, margin: float) -> Verdict:
    decimals = _decimals(100 * difference, 100 * margin)
    found, allowed = f"{100 * difference:+,.{decimals}f}", f"{100 * margin:,.{decimals}f}"
    sentence = f"a guardrail is broken: {name} {found} points, {allowed} allowed"
    return Verdict(Outcome.GUARDRAIL_BROKEN, sentence)


def decided(plan: Plan, estimate: float, interval: Interval) -> Verdict:
    """It works or harms: the interval excludes zero."""
    outcome = Outcome.WORKS if interval.low > 0 else Outcome.HARMS
    effect, low, high = amounts(plan, estimate, interval.low, interval.high)
    sentence = f"{effect}{unit(plan)}, {100 * (1 - plan.alpha):g} % between {low.lstrip('+')} and {high.lstrip('+')}"
    return Verdict(outcome, f"{outcome}: {sentence}")


def no_effect(plan: Plan, interval: Interval) -> Verdict:
    (largest,) = amounts(plan, max(abs(interval.low), abs(interval.high)))
    return Verdict(Outcome.NO_EFFECT, f"no effect larger than {largest.lstrip('+')}{unit(plan)} so far")


def amounts(plan: Plan, *effects: float) -> list[str]:
    """Effects with their signs, in points or in whole units of the currency, as exact as each needs."""
    if plan.metric is Metric.VALUE:
        least, scale = decimals_of(plan.currency), 10.0 ** -decimals_of(plan.currency)
    else:
        least, scale = 1, 100.0
    scaled = [effect * scale for effect in effects]
    return [f"{one:+,.{_decimals(*scaled, least=least)}f}" for one in scaled]


def unit(plan: Plan) -> str:
    return f" {plan.currency} per customer" if plan.metric is Metric.VALUE else " points"


def _decimals(*values: float, least: int = 1) -> int:
    """So many at least, and more where a value would otherwise read as zero."""
    smallest = min((abs(value) for value in values if value), default=1.0)
    return max(least, min(MOST_DECIMALS, -floor(log10(smallest))))
