"""Many workers at the same time give each task to one member: the small form of `make prove-owners`."""

import pytest

from prove.owners import run


@pytest.mark.atomic_writes
@pytest.mark.usefixtures("table")
def test_sixteen_workers_are_fair_to_one_task_and_within_each_capacity() -> None:
    figures = run(leads=320, workers=16)

    assert figures.problems == []
    assert max(figures.fair.values()) - min(figures.fair.values()) <= 1
    assert set(figures.limited.values()) == {figures.capacity}
    assert figures.unassigned == 160 - sum(figures.limited.values())
    assert figures.calls["Scan"] == 0
