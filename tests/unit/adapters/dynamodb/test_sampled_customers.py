"""Segments of the table are drawn, as many as a page of the console may read, and only whole ones count."""

from typing import Any

import pytest

from cairn.adapters.dynamodb.sampled_customers import MOST_READS, MOST_SEGMENTS, SEGMENTS, SampledCustomers

MEGABYTE = 1_000_000


class Table:
    """A client that answers with empty pages; a segment has as many as its size asks for."""

    def __init__(self, said: int, really: int) -> None:
        self._said, self._really = said, really
        self.asked: list[tuple[int, int]] = []

    def describe_table(self, **_: Any) -> dict[str, Any]:
        return {"Table": {"TableSizeBytes": self._said}}

    def scan(self, Segment: int, TotalSegments: int, **more: Any) -> dict[str, Any]:  # noqa: N803  of AWS
        self.asked.append((Segment, TotalSegments))
        page = int(more.get("ExclusiveStartKey", {"pk": {"N": "1"}})["pk"]["N"])
        more_to_come = page * MEGABYTE < self._really / TotalSegments
        return {"Items": [], **({"LastEvaluatedKey": {"pk": {"N": str(page + 1)}}} if more_to_come else {})}


def test_a_small_table_is_read_whole() -> None:
    table = Table(100_000, 200_000)

    assert SampledCustomers(table, "t").draw("today").share == 1
    assert table.asked == [(0, 1)]


def test_of_a_large_table_a_few_segments_are_read() -> None:
    table = Table(25_000 * MEGABYTE, 25_000 * MEGABYTE)

    drawn = SampledCustomers(table, "t").draw("today")

    assert drawn.share == SEGMENTS / 100_000
    assert len(set(table.asked)) == len(table.asked) == SEGMENTS


def test_a_day_draws_the_same_segments_and_another_day_others() -> None:
    days = []
    for day in ("2026-03-02", "2026-03-02", "2026-03-03"):
        table = Table(1_000 * MEGABYTE, 1_000 * MEGABYTE)
        SampledCustomers(table, "t").draw(day)
        days.append(table.asked)

    assert days[0] == days[1] != days[2]


@pytest.mark.parametrize("really", [2 * MEGABYTE, 60 * MEGABYTE, 400 * MEGABYTE, 10**16])
def test_a_table_that_has_grown_since_it_was_measured_is_divided_finer_within_the_same_reads(really: int) -> None:
    table = Table(0, really)

    drawn = SampledCustomers(table, "t").draw("today")

    assert len(table.asked) <= MOST_READS
    assert (drawn.share > 0) == (really < 10**16)


def test_there_are_no_more_segments_than_dynamodb_takes() -> None:
    table = Table(10**15, 10**11)

    assert SampledCustomers(table, "t").draw("today").share == SEGMENTS / MOST_SEGMENTS
