"""A part of `make prove-lift`: seasons with a known effect, measured each day for two months.

2,000 seasons of each kind, so that a share of misses above 5 % would hardly stay unseen: the highest share that agrees
with what is found must be below, not the share alone.
"""

from typing import Any

import pytest

from cairn.domain.measurement.rates import newcombe
from cairn.domain.measurement.verdict import Outcome
from prove import lift, seasons
from prove.seasons import ALPHA, DAYS, Season, draw, rates_cover, sessions_cover, values_cover, verdicts

SEASONS, SEED = 2_000, 20260301


@pytest.mark.parametrize(
    "season",
    [Season(0.01, 0.05), Season(0.01, 0.1, 1.3), Season(0.05, 0.5), Season(0.3, 0.2, 0.8)],
    ids=["1 % and a small holdout", "1 % and a lift", "5 % and halves", "30 % and a loss"],
)
def test_at_every_look_the_sequence_of_rates_contains_the_truth(season: Season) -> None:
    found = rates_cover(season, SEASONS, SEED)

    assert found.bound <= ALPHA
    assert found.outcomes["read"] == SEASONS


@pytest.mark.parametrize(
    "season",
    [Season(0.05, 0.1, spread=1), Season(0.3, 0.2, 1.3, spread=1)],
    ids=["no lift", "a lift"],
)
def test_at_every_look_the_sequence_of_values_contains_the_truth(season: Season) -> None:
    found = values_cover(season, SEASONS, SEED)

    assert found.bound <= ALPHA
    assert found.outcomes["read"] > 0.9 * SEASONS


def test_at_every_look_the_sequence_of_goals_per_enrollment_contains_the_truth() -> None:
    found = sessions_cover(Season(0.2, 0.1, 1.3, per_day=100), 400, SEED)

    assert found.bound <= ALPHA


def test_the_usual_interval_looked_at_each_day_misses_the_truth_far_more_often() -> None:
    """So the simulation can fail, and the sequence is needed."""
    season, journeys = Season(0.05, 0.5), 300
    treated, holdout = draw(season, journeys, SEED)

    missed = [
        any(0 not in newcombe(treated.proportion(one, day), holdout.proportion(one, day), ALPHA) for day in range(DAYS))
        for one in range(journeys)
    ]

    assert sum(missed) > 0.2 * journeys


def test_an_interval_that_is_too_narrow_is_found_out(monkeypatch: pytest.MonkeyPatch) -> None:
    """By a quarter: the simulation sees less than what peeking does."""
    honest = seasons.always

    def narrow(*given: Any) -> float:
        return 0.75 * honest(*given)

    monkeypatch.setattr(seasons, "always", narrow)
    monkeypatch.setattr("cairn.domain.measurement.rates.always", narrow)

    assert rates_cover(Season(0.05, 0.5), 500, SEED).bound > ALPHA


@pytest.mark.parametrize(
    ("season", "outcome"),
    [
        (Season(0.2, 0.2, 1.25), Outcome.WORKS),
        (Season(0.2, 0.2, 0.75), Outcome.HARMS),
        (Season(0.2, 0.14, written=0.1), Outcome.ASSIGNMENT_BROKEN),
    ],
)
def test_a_known_truth_becomes_the_verdict(season: Season, outcome: Outcome) -> None:
    found = verdicts(season, 50, SEED)

    assert found.outcomes[outcome] >= 49
    assert found.failed == 0


def test_each_table_of_the_page_has_a_row_for_each_of_its_cases() -> None:
    page = lift.PAGE.read_text(encoding="utf-8").partition(lift.BEGIN)[2].partition(lift.END)[0]

    missing = [
        " | ".join(case.cells) for table in lift.tables() for case in table.cases if " | ".join(case.cells) not in page
    ]

    assert missing == []
