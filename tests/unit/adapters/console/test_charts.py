"""The picture of a difference over time: what is drawn is what was counted, and it reads without the picture."""

import re
from datetime import date, timedelta
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from cairn.adapters.console.charts import BOTTOM, LAST_X, MARGIN, TOP, lift_chart

FIRST = date(2026, 3, 2)
shares = st.floats(-1, 1)


def look(day: int, low: float, estimate: float, high: float) -> dict[str, Any]:
    on = (FIRST + timedelta(days=day)).isoformat()
    return {"on": on, "customers": 10, "estimate": estimate, "at_each_look": [low, high], "at_one_look": None}


def points(svg: str, of: str) -> list[tuple[float, float]]:
    (written,) = re.findall(rf'class="{of}" points="([^"]*)"', svg)
    return [(float(x), float(y)) for x, y in (pair.split(",") for pair in written.split())]


@given(st.lists(st.tuples(shares, shares, shares).map(sorted), min_size=2, max_size=60))
def test_the_line_is_within_its_band_and_both_within_the_picture(drawn: list[list[float]]) -> None:
    svg = str(lift_chart([look(day, *each) for day, each in enumerate(drawn)]))

    band, line = points(svg, "band"), points(svg, "lift")
    upper, lower = band[: len(line)], list(reversed(band[len(line) :]))
    assert all(above[1] <= at[1] <= below[1] for above, at, below in zip(upper, line, lower, strict=True))
    assert all(MARGIN <= x <= LAST_X and TOP <= y <= BOTTOM for x, y in band)
    assert (line[0][0], line[-1][0]) == (MARGIN, LAST_X)


def test_a_screen_reader_says_the_last_day_and_how_sure_it_is() -> None:
    svg = str(lift_chart([look(0, -0.1, 0.02, 0.2), look(9, 0.012, 0.031, 0.05)]))

    assert 'aria-label="From 2026-03-02 to 2026-03-11: the difference is now +3.1 points' in svg
    assert "between +1.2 points and +5.0 points" in svg


def test_days_without_an_interval_are_left_out_and_one_is_no_line() -> None:
    without = look(0, 0, 0, 0) | {"at_each_look": None}

    assert lift_chart([]) == lift_chart([without, look(1, -0.1, 0.0, 0.1)]) == ""
    assert "2026-03-03" in lift_chart([without, look(1, -0.1, 0.0, 0.1), look(2, -0.1, 0.0, 0.1)])
