"""Seasons of 20,000 customers with an effect that is known: the report finds it, and nothing where nothing is.

The log is made of customers whom the engine's own rule holds out or lets in. Its lines come twice and in any order, as
Firehose's may.
"""

from collections.abc import Iterator, Mapping
from dataclasses import replace
from datetime import UTC, datetime, time, timedelta
from pathlib import Path
from random import Random
from typing import Any

import pytest
import yaml

from cairn.adapters.documents.plan import plan_of
from cairn.application.measurement.measure_journey import Measured, MeasureJourney
from cairn.domain.journey.enrollment import held_out
from cairn.domain.measurement.facts import LoggedFact
from cairn.domain.measurement.looks import Day, looks_at
from cairn.domain.measurement.plan import Plan
from cairn.domain.measurement.prices import Prices
from cairn.domain.measurement.totals import Proportion
from cairn.domain.measurement.verdict import Outcome
from infra.local.facts_in_duckdb import DuckFacts

JOURNEYS = Path(__file__).parents[4] / "layers" / "journeys"
SHIPPED = {
    document["journey"]: document
    for path in sorted(JOURNEYS.glob("*/journey.yaml"))
    if "goal" in (document := yaml.safe_load(path.read_text(encoding="utf-8")))
}
HOLDOUT = 0.2
CUSTOMERS = 20_000
BEGAN = datetime(2026, 3, 2, tzinfo=UTC)
RATE = 0.20
DAY_MS = 24 * 60 * 60 * 1000


class OnePlan:
    def __init__(self, plan: Plan) -> None:
        self._plan = plan

    def deployed(self, name: str) -> str | None:
        return "v1" if name == self._plan.journey else None

    def plan(self, name: str, version: str, currency: str) -> Plan | None:
        return replace(self._plan, currency=currency) if (name, version) == (self._plan.journey, "v1") else None


def season(journey: str, *, lift: float, lost: float = 0.0, seed: int = 1) -> Iterator[dict[str, Any]]:
    """A month of entries. `lost` is the share of the holdout that the log lacks."""
    random, began = Random(seed), int(BEGAN.timestamp() * 1000)  # noqa: S311  a simulation
    for number in range(CUSTOMERS):
        customer, enrollment = f"c_{number}", f"e-{number}"
        untreated = held_out(journey, customer, HOLDOUT)
        entered, goal = began + random.randrange(30 * DAY_MS), random.random() < RATE + (0 if untreated else lift)
        about: Mapping[str, Any] = {
            "customer": customer,
            "journey": journey,
            "version": "v1",
            "enrollment": enrollment,
        }
        if untreated and random.random() < lost:
            continue
        facts = [LoggedFact(f"in-{number}", entered, "held_out" if untreated else "entered", **about)]
        if goal:
            facts.append(LoggedFact(f"goal-{number}", entered + random.randrange(5 * DAY_MS), "goal_reached", **about))
        for fact in facts:
            yield from [fact.wire()] * random.choice((1, 1, 1, 2, 3))


def measured(journey: str, **season_: Any) -> Measured:
    measure, window = measuring(journey, **season_)
    return measure(journey, BEGAN + timedelta(days=31) + window)


def measuring(journey: str, **season_: Any) -> tuple[MeasureJourney, timedelta]:
    """And the window of its goal."""
    plan = plan_of(SHIPPED[journey] | {"holdout": HOLDOUT})
    assert plan is not None
    lines = list(season(journey, **season_))
    Random(2).shuffle(lines)  # noqa: S311
    measure = MeasureJourney(OnePlan(plan), DuckFacts(lines), Prices(0.0001, 0.0000005, 0.005, {"US": 0.008}))
    return measure, plan.window


@pytest.mark.parametrize("journey", SHIPPED)
def test_a_true_effect_is_found(journey: str) -> None:
    found = measured(journey, lift=0.08)

    assert found.result.verdict.outcome is Outcome.WORKS
    assert found.result.rates.sequence is not None
    assert 0.08 in found.result.rates.sequence
    assert found.treated.customers + found.holdout.customers == CUSTOMERS, "each once, though lines came twice"


@pytest.mark.parametrize("journey", SHIPPED)
@pytest.mark.parametrize("seed", range(3))
def test_no_effect_is_none(journey: str, seed: int) -> None:
    found = measured(journey, lift=0.0, seed=seed)

    assert found.result.verdict.outcome in {Outcome.NO_EFFECT, Outcome.TOO_EARLY}
    assert found.result.rates.sequence is not None
    assert 0 in found.result.rates.sequence


@pytest.mark.parametrize("journey", SHIPPED)
def test_an_assignment_that_is_broken_is_not_read(journey: str) -> None:
    found = measured(journey, lift=0.08, lost=0.15)

    assert found.result.verdict.outcome is Outcome.ASSIGNMENT_BROKEN
    assert str(found.result.verdict) == "assignment is broken: do not read this"


def test_the_days_are_what_each_look_would_have_said() -> None:
    """Also that of midnight: a picture over time is drawn from today's log alone."""
    measure, window = measuring("fitness-trial-to-paid", lift=0.08)
    end = BEGAN + timedelta(days=30) + window

    looks = measure("fitness-trial-to-paid", end).looks

    assert [one.on for one in looks] == sorted({one.on for one in looks})
    for look in (looks[0], looks[len(looks) // 2], looks[-1]):
        midnight = datetime.combine(look.on, time(), UTC) + timedelta(days=1)
        then = measure("fitness-trial-to-paid", min(midnight - timedelta(milliseconds=1), end))
        assert look.rates == then.result.rates
        assert look.customers == then.treated.customers + then.holdout.customers


def test_a_long_experiment_is_shown_by_sixty_looks() -> None:
    days = [Day(BEGAN.date() + timedelta(days=n), Proportion(1, 10), Proportion(1, 10)) for n in range(365)]
    plan = plan_of(SHIPPED["fitness-trial-to-paid"] | {"holdout": HOLDOUT})
    assert plan is not None

    looks = looks_at(plan, reversed(days))

    assert (len(looks), looks[0].on, looks[-1].on) == (60, days[0].on, days[-1].on)
    assert looks[-1].customers == 365 * 20
