"""Budgets that are the same on every machine: AWS calls and write units of each path. The rest is in bench/."""

import pytest

from bench.paths import PathTaken, paths_taken


@pytest.fixture(scope="module")
def taken() -> dict[str, PathTaken]:
    return {path.name: path for path in paths_taken()}


PATHS = (
    "webhook → accepted",
    "first event → decided",
    "typical event → decided",
    "wake-up → decided",
    "relay of its commit",
    "text message → sent",
    "e-mail → sent",
    "ten texts in a batch → sent",
)


@pytest.mark.parametrize("name", PATHS)
def test_a_path_stays_within_its_budget_of_aws_calls(taken: dict[str, PathTaken], name: str) -> None:
    path = taken[name]

    assert 0 < len(path.calls) <= path.budget.calls, path.operations


@pytest.mark.parametrize(
    "name", [name for name in PATHS if "→" in name and "first" not in name and "webhook" not in name]
)
def test_a_path_stays_within_its_budget_of_write_units(taken: dict[str, PathTaken], name: str) -> None:
    path = taken[name]

    assert path.budget.units is not None
    assert 0 < path.units <= path.budget.units, path.operations
