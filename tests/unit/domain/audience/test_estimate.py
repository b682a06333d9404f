"""The number of customers of a kind, estimated from a share of the table."""

from random import Random

import pytest

from cairn.domain.audience.estimate import Estimate, estimated


def test_of_the_whole_table_the_number_is_exact() -> None:
    assert estimated(17, 1) == Estimate(17, 17, 17)


def test_the_interval_has_the_number_in_the_middle_and_never_less_than_was_seen() -> None:
    one = estimated(40, 0.1)

    assert one.low < one.count < one.high
    assert one.count == 400
    assert estimated(3, 0.99).low >= 3


def test_nobody_in_the_share_is_not_nobody_at_all() -> None:
    assert estimated(0, 0.01) == Estimate(0, 0, 380)


@pytest.mark.parametrize(("of_all", "part"), [(2_000, 0.05), (300, 0.2), (50, 0.1)])
def test_the_interval_has_the_truth_in_about_ninety_five_of_a_hundred_cases(of_all: int, part: float) -> None:
    random = Random(1)  # noqa: S311  a simulation
    draws = [sum(random.random() < part for _ in range(of_all)) for _ in range(1_000)]

    right = sum(one.low <= of_all <= one.high for one in (estimated(found, part) for found in draws))

    assert 920 <= right <= 985
