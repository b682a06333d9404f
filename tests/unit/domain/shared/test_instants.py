"""One reader for every instant that comes from outside."""

import json
from datetime import UTC, date, datetime, time, timedelta, timezone
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import assume, example, given
from hypothesis import strategies as st

from cairn.domain.shared.instants import EARLIEST, LATEST, NEVER_IN_SECONDS, at_local, since_1970, to_instant
from tests.unit.strategies import ODD, json_values, zones

MADRID = ZoneInfo("Europe/Madrid")
offsets = st.integers(-14 * 60, 14 * 60).map(lambda minutes: timezone(timedelta(minutes=minutes)))
instants = st.datetimes(datetime(1, 1, 3), datetime(9999, 12, 29), timezones=st.just(UTC))  # noqa: DTZ001  as hypothesis takes it
text_of_dates = st.text(alphabet="0123456789-:TtZz+WwUC []!=/. ", max_size=40)


@pytest.mark.parametrize(
    ("written", "instant"),
    [
        ("2026-03-06T18:30:00Z", "2026-03-06T18:30:00+00:00"),
        ("2026-03-06t18:30:00z", "2026-03-06T18:30:00+00:00"),
        ("2026-03-06 18:30:00.123456789+05:45", "2026-03-06T12:45:00.123456+00:00"),
        ("2026-03-06T18:30:00,5Z", "2026-03-06T18:30:00.500000+00:00"),
        ("20260306T183000Z", "2026-03-06T18:30:00+00:00"),
        ("2026-03-06T18Z", "2026-03-06T18:00:00+00:00"),
        ("2026-03-06T18:30-0800", "2026-03-07T02:30:00+00:00"),
        ("  2026-03-06T18:30\n", "2026-03-06T17:30:00+00:00"),
        ("2026-03-06", "2026-03-05T23:00:00+00:00"),
        ("20260306", "2026-03-05T23:00:00+00:00"),
        ("2026-03-06Z", "2026-03-06T00:00:00+00:00"),
        ("2026-03-06-05:00", "2026-03-06T05:00:00+00:00"),  # a date of XML Schema, and no time of day
        ("2026-W10-5", "2026-03-05T23:00:00+00:00"),
        ("2026w10", "2026-03-01T23:00:00+00:00"),
        ("2026-03-06T24:00", "2026-03-06T23:00:00+00:00"),
        ("2026-03-28T24:00:00.000", "2026-03-28T23:00:00+00:00"),
        ("2026-03-29T24:00", "2026-03-29T22:00:00+00:00"),  # a day of 23 hours
        ("2016-12-31T23:59:60Z", "2017-01-01T00:00:00+00:00"),
        ("2026-03-06T18:30[America/New_York]", "2026-03-06T23:30:00+00:00"),
        ("2026-03-06T18:30-05:00[America/New_York]", "2026-03-06T23:30:00+00:00"),
        ("2026-03-06T18:30Z[Europe/Madrid][u-ca=gregory]", "2026-03-06T18:30:00+00:00"),
        ("2026-03-06T18:30[!Europe/Lisbon][!u-ca=iso8601]", "2026-03-06T18:30:00+00:00"),
        ("2026-03-06T18:30[+05:45]", "2026-03-06T12:45:00+00:00"),
        ("2026-03-06[Asia/Kathmandu]", "2026-03-05T18:15:00+00:00"),
        ("2026-03-06 18:30:00 UTC", "2026-03-06T18:30:00+00:00"),  # Ruby's
        ("2026-03-06 18:30:00 +0100", "2026-03-06T17:30:00+00:00"),
        ("2026-03-06 18:30:00 -0800 PST", "2026-03-07T02:30:00+00:00"),  # Go's
        ("2026-03-06 18:30 America/Argentina/Buenos_Aires", "2026-03-06T21:30:00+00:00"),
    ],
)
def test_an_instant_may_be_written_in_many_ways(written: str, instant: str) -> None:
    found = to_instant(written, MADRID)

    assert found is not None
    assert found.isoformat() == instant


@pytest.mark.parametrize(
    "written",
    [
        *("", "soon", "tomorrow 10:00", "03/06/2026", "6 March 2026", "2026", "2026-03", "0000-00-00", "2026-02-30"),
        *("2026-W54-1", "2026-03-06T25:00", "2026-03-06T24:01", "2026-03-06T18:61", "2026-03-06T18:30:61"),
        *("2026-03-06 06:30 PM", "2026-03-06T18:30[Europe/Nowhere]", "2026-03-06T18:30[../../etc/passwd]"),
        *("2026-03-06T18:30+99:00", "2026-03-06T18:30[!u-ca=hebrew]", "2026-03-06T18:30 Europe", "T18:30"),
        *("1,774,018,800", "12345678901234567890", "2026-03-06x18:30", "2026-03-06T18:30" + " " * 100, "\ud800"),
    ],
)
def test_any_other_text_says_no_instant(written: str) -> None:
    assert to_instant(written, MADRID) is None


@given(json_values | st.text() | text_of_dates | st.sampled_from(ODD) | st.floats() | st.integers(), zones | offsets)
@example(float("nan"), "UTC")
@example(float("-inf"), "UTC")
@example(1e308, "UTC")
@example(-1e308, "UTC")
@example("0001-01-01T00:00:00+14:00", "UTC")
@example("9999-12-31T24:00:00-14:00", "UTC")
@example("9999-12-31", timezone(timedelta(hours=-14)))
@example("0001-01-01", timezone(timedelta(hours=14)))
@example(Decimal(10) ** 400, "UTC")
@example("9" * 10_000, "UTC")
def test_whatever_the_value_it_is_an_instant_that_can_be_computed_with_or_none(value: Any, zone: Any) -> None:
    there = ZoneInfo(zone) if isinstance(zone, str) else zone
    found = to_instant(value, there)

    assert found is None or (found.tzinfo is UTC and EARLIEST <= found <= LATEST)
    if found is not None:
        assert found.astimezone(there).strftime("%A %Y")  # as templates write it


@given(instant=instants, offset=offsets, separator=st.sampled_from(["T", "t", " "]), lower=st.booleans())
def test_what_is_written_with_an_offset_is_read_again(
    instant: datetime, offset: timezone, separator: str, *, lower: bool
) -> None:
    written = instant.astimezone(offset).isoformat(sep=separator)

    assert to_instant(written.lower() if lower else written, MADRID) == instant


@given(st.datetimes(datetime(1980, 1, 1), datetime(2037, 12, 31)), zones)  # noqa: DTZ001  local
def test_what_is_written_with_its_zone_is_local_there(local: datetime, zone: str) -> None:
    expected = at_local(local.date(), local.time(), ZoneInfo(zone))

    assert to_instant(f"{local.isoformat()}[{zone}]", UTC) == expected
    assert to_instant(f"{local.isoformat(sep=' ')} {zone}", UTC) == expected
    assert to_instant(local.isoformat(), ZoneInfo(zone)) == expected


@given(st.dates(date(1, 1, 3), date(9999, 12, 29)))
def test_a_day_is_the_same_as_a_date_and_as_a_day_of_its_week(day: date) -> None:
    year, week, weekday = day.isocalendar()
    midnight = datetime.combine(day, time(), UTC)

    for written in (day.isoformat(), f"{day:%Y%m%d}".zfill(8), f"{year:04}-W{week:02}-{weekday}"):
        assert to_instant(written, UTC) == midnight


@given(st.integers(10**8, 4 * 10**9), st.sampled_from([1, 10**3, 10**6, 10**9]))
def test_a_number_has_the_unit_of_its_size(seconds: int, unit: int) -> None:
    assume(unit == 1 or seconds * unit >= 10**11)  # milliseconds from 1973 on
    assume(not any(seconds * unit // smaller in NEVER_IN_SECONDS for smaller in (1, 10**3, 10**6)))
    number = seconds * unit

    for written in (number, float(number), str(number)):
        assert to_instant(written, MADRID) == datetime.fromtimestamp(seconds, UTC)


@pytest.mark.parametrize("number", [10**40, -(10**40), 1e300, float("inf"), float("nan"), True])
def test_a_number_of_no_unit_says_no_instant(number: Any) -> None:
    assert to_instant(number, MADRID) is None


@pytest.mark.parametrize("never", [253402300799, 253402300799000, 253402300799999999, "253402300799"])
def test_the_end_of_the_year_9999_is_never_in_any_unit(never: Any) -> None:
    assert to_instant(never, MADRID) == LATEST


@given(st.integers() | st.floats(allow_nan=False) | st.decimals(allow_nan=False), st.sampled_from([1, 10**3, 10**9]))
def test_a_number_with_its_unit_is_an_instant_within_the_calendar(number: Any, unit: int) -> None:
    found = since_1970(number, unit)

    assert EARLIEST <= found <= LATEST
    if EARLIEST < found < LATEST:
        assert abs((found - datetime(1970, 1, 1, tzinfo=UTC)).total_seconds() - float(number) / unit) < 1


@given(json_values)
def test_a_value_that_survived_json_is_read_alike(value: Any) -> None:
    try:
        again = json.loads(json.dumps(value))
    except ValueError:
        return
    first, second = to_instant(value, UTC), to_instant(again, UTC)
    assert first == second
