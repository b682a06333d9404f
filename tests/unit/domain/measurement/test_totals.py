"""Counts that contradict each other are refused, since each figure would be wrong without a sign of it."""

import pytest

from cairn.domain.measurement.totals import ArmTotals, Costs, SessionTotals
from cairn.domain.shared.errors import InvalidTotalsError


@pytest.mark.parametrize(
    ("totals", "problem"),
    [
        ((100, 101, 0, 0, 100), "treated: 101 converted are more than 100 customers"),
        ((100, 10, 0, 0, 90), "treated: 100 customers are more than 90 entered"),
        ((100, -1, 0, 0, 100), "treated: converted is -1, less than 0"),
        ((100, 10, 5000, 100, 100), "treated: value_squared 100 is too small for its value"),
    ],
    ids=["more goals than customers", "more than entered", "negative", "squares"],
)
def test_an_arm_that_cannot_be_is_refused(totals: tuple[int, int, float, float, int], problem: str) -> None:
    with pytest.raises(InvalidTotalsError, match=problem):
        ArmTotals("treated", *totals)


def test_enrollments_that_cannot_be_are_refused() -> None:
    with pytest.raises(InvalidTotalsError, match="9 converted are more than 8 enrollments"):
        SessionTotals("treated", 5, 8, 9, 20, 20, 20)
    with pytest.raises(InvalidTotalsError, match="9 customers are more than 8 enrollments"):
        SessionTotals("treated", 9, 8, 1, 20, 20, 20)


def test_costs_add_up() -> None:
    assert Costs(messages=120, coupons=500, tasks=80).total == 700
