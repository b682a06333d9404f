"""Texts that sort as values do, partitions that never run into each other, and shards that share evenly."""

from collections import Counter
from datetime import UTC, datetime, timedelta
from math import isfinite

from hypothesis import given
from hypothesis import strategies as st

from cairn.domain.audience.order import (
    LONGEST_PARTITION,
    SortType,
    decoded,
    encoded,
    partition_key,
    partition_named,
    shard_of,
)
from tests.unit.strategies import json_values

NUMBER, TEXT, INSTANT = SortType.NUMBER, SortType.TEXT, SortType.INSTANT

numbers = st.integers(-(10**18), 10**18) | st.floats(allow_nan=False, allow_infinity=False)
instants = st.datetimes(datetime(1900, 1, 1), datetime(2200, 1, 1), timezones=st.just(UTC))  # noqa: DTZ001  hypothesis's


@given(numbers, numbers)
def test_numbers_sort_as_their_texts(one: float, other: float) -> None:
    if float(one) < float(other):
        assert encoded(one, NUMBER) < encoded(other, NUMBER)
    elif float(one) == float(other):
        assert encoded(one, NUMBER) == encoded(other, NUMBER)


@given(numbers)
def test_a_number_comes_back(number: float) -> None:
    assert decoded(encoded(number, NUMBER), NUMBER) == float(number)


@given(st.text(max_size=12), st.text(max_size=12))
def test_texts_sort_as_their_texts_whatever_stands_behind_them(one: str, other: str) -> None:
    first, second = sorted([one, other], key=lambda text: text.encode(errors="surrogatepass"))

    assert f"{encoded(first, TEXT)}#c_z" <= f"{encoded(second, TEXT)}#c_z"
    if first != second:
        assert f"{encoded(first, TEXT)}#c_z" < f"{encoded(second, TEXT)}#c_a"


@given(instants, instants)
def test_instants_sort_as_their_texts_in_any_form(one: datetime, other: datetime) -> None:
    in_form = [encoded(one.isoformat(), INSTANT), encoded(other.isoformat(), INSTANT)]

    if other - one > timedelta(milliseconds=1):
        assert in_form[0] < in_form[1]
    assert encoded(one.astimezone(UTC).isoformat().replace("+00:00", "Z"), INSTANT) == in_form[0]


@given(json_values)
def test_a_value_of_another_type_has_no_position(value: object) -> None:
    is_number = isinstance(value, int | float) and not isinstance(value, bool)

    assert bool(encoded(value, NUMBER)) == (is_number and abs(value) < 10**300 and isfinite(value))
    assert not encoded(value, TEXT) or isinstance(value, str)


@given(st.text(max_size=300), st.text(max_size=300))
def test_partitions_are_one_only_where_their_values_are(one: str, other: str) -> None:
    keys = partition_key(one), partition_key(other)

    assert (keys[0] == keys[1]) == (one == other)
    assert not set("#~ ") & set(keys[0])
    assert keys[0].isascii()
    if len(one) <= LONGEST_PARTITION and one.isprintable():
        assert partition_named(keys[0]) == one


def test_a_number_names_the_partition_that_its_text_names() -> None:
    assert partition_key(75011) == partition_key("75011") == partition_key(75011.0) == "75011"
    assert partition_key(["75011"]) == partition_key(None) == ""


def test_shards_share_evenly_and_a_customer_stays_in_its_own() -> None:
    counts = Counter(shard_of(f"c_{number}", 4) for number in range(4_000))

    assert set(counts) == {0, 1, 2, 3}
    assert all(900 < count < 1_100 for count in counts.values())
    assert shard_of("c_1", 4) == shard_of("c_1", 4)
    assert shard_of("c_1", 1) == 0
