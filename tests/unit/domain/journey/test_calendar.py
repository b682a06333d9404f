"""Waits end at the local time that they name, also when clocks change that day."""

from datetime import UTC, date, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import assume, example, given
from hypothesis import strategies as st

from cairn.domain.journey import calendar
from cairn.domain.journey.conditions import Scope
from cairn.domain.shared.instants import LATEST, NEVER_IN_SECONDS, at_local, duration, to_instant, zone_named
from cairn.domain.shared.moments import Delay, LocalTime, Moment, Until
from tests.unit.makers import MONDAY, at, profile
from tests.unit.strategies import ODD, json_values, zones

NEW_YORK = "America/New_York"
TEN = time(10)

days = st.dates(date(1990, 1, 1), date(2037, 12, 31))
clocks = st.times().map(lambda one: one.replace(microsecond=0))


def resolved(
    moment: Moment, *, since: datetime, entered_at: datetime | None = None, **data: Any
) -> datetime | calendar.Missed:
    """The end of a wait that was reached at `since`; `zone` is the customer's zone."""
    scope = Scope(profile(time_zone=data.pop("zone", "UTC")), since, data)
    return calendar.resolve(moment, since=since, entered_at=entered_at or since, scope=scope)


def wall(instant: datetime | calendar.Missed, zone: str) -> datetime:
    """The wall clock in a zone, without the zone."""
    assert isinstance(instant, datetime)
    return instant.astimezone(ZoneInfo(zone)).replace(tzinfo=None)


def is_skipped(local: datetime, zone: str) -> bool:
    """Whether clocks in the zone skip this time."""
    there = local.replace(tzinfo=ZoneInfo(zone))
    return there.astimezone(UTC).astimezone(there.tzinfo).replace(tzinfo=None) != local


@given(zones, days, clocks)
@example("Pacific/Apia", date(2011, 12, 30), time(10))  # a day that Samoa did not have
@example("Australia/Lord_Howe", date(2026, 4, 5), time(1, 45))  # half an hour twice
@example(NEW_YORK, date(2026, 3, 8), time(2, 30))
def test_a_local_time_is_the_time_of_the_wall_clock(zone: str, day: date, clock: time) -> None:
    instant = at_local(day, clock, ZoneInfo(zone))

    named = datetime.combine(day, clock)
    if is_skipped(named, zone):
        assert wall(instant, zone) > named
    else:
        assert wall(instant, zone) == named


@given(zones, days, clocks)
@example("Europe/Paris", date(2026, 10, 25), time(2, 30))
def test_a_time_that_comes_twice_means_the_first(zone: str, day: date, clock: time) -> None:
    instant = at_local(day, clock, ZoneInfo(zone))

    other = datetime.combine(day, clock, tzinfo=ZoneInfo(zone)).replace(fold=1).astimezone(UTC)
    if not is_skipped(datetime.combine(day, clock), zone):
        assert instant <= other


@pytest.mark.parametrize(
    ("zone", "named", "instant"),
    [
        (NEW_YORK, "2026-03-08 02:30", "2026-03-08 03:30-04:00"),  # skipped: moves on by the hour that is not there
        (NEW_YORK, "2026-11-01 01:30", "2026-11-01 01:30-04:00"),  # double: the first one
        ("Europe/Paris", "2026-03-29 02:30", "2026-03-29 03:30+02:00"),
        ("Europe/Paris", "2026-10-25 02:30", "2026-10-25 02:30+02:00"),
        ("Australia/Lord_Howe", "2026-10-04 02:15", "2026-10-04 02:45+11:00"),  # a gap of half an hour
        ("Australia/Lord_Howe", "2026-04-05 01:45", "2026-04-05 01:45+11:00"),
        ("Asia/Kathmandu", "2026-03-08 02:30", "2026-03-08 02:30+05:45"),
        ("America/St_Johns", "2026-03-08 02:30", "2026-03-08 03:30-02:30"),
    ],
)
def test_local_times_when_clocks_change(zone: str, named: str, instant: str) -> None:
    local = datetime.fromisoformat(named)

    assert at_local(local.date(), local.time(), ZoneInfo(zone)) == at(instant)


@given(zones, st.datetimes(datetime(2000, 1, 1), datetime(2037, 1, 1), timezones=st.just(UTC)), clocks)  # noqa: DTZ001
def test_a_wait_for_a_time_of_day_takes_the_next_one(zone: str, since: datetime, clock: time) -> None:
    due = resolved(LocalTime(clock), since=since, zone=zone)

    assert due is not None
    assert since < due <= since + timedelta(days=2, hours=1)
    assert (
        wall(due, zone).time() == clock
        or is_skipped(datetime.combine(wall(due, zone).date(), clock), zone)
        or (zone == "Pacific/Apia" or is_skipped(wall(due, zone) - timedelta(days=1), zone))
    )


@given(zones, st.datetimes(datetime(2000, 1, 1), datetime(2037, 1, 1), timezones=st.just(UTC)), st.integers(0, 90))  # noqa: DTZ001
def test_day_n_counts_calendar_days_from_entry(zone: str, entered: datetime, number: int) -> None:
    reached = entered + timedelta(hours=1)

    due = resolved(LocalTime(TEN, day=number), since=reached, entered_at=entered, zone=zone)

    named = datetime.combine(wall(entered, zone).date() + timedelta(days=number), TEN)
    assert wall(due, zone) == named or is_skipped(named, zone)


def test_ten_in_the_morning_stays_ten_when_clocks_change_in_between() -> None:
    friday = at("2026-03-06 22:00-05:00")

    due = resolved(LocalTime(TEN, day=3), since=friday, zone=NEW_YORK)

    assert due == at("2026-03-09 10:00-04:00")
    assert due - friday == timedelta(days=2, hours=11)  # that weekend is one hour shorter


def test_a_duration_is_exact_when_clocks_change() -> None:
    friday = at("2026-03-06 22:00-05:00")

    due = resolved(Delay(timedelta(days=3)), since=friday, zone=NEW_YORK)

    assert due == friday + timedelta(hours=72)


def test_a_time_of_day_that_is_now_means_tomorrow() -> None:
    assert resolved(LocalTime(TEN), since=MONDAY) == MONDAY + timedelta(days=1)
    assert resolved(LocalTime(TEN), since=MONDAY - timedelta(seconds=1)) == MONDAY


def test_a_wait_that_begins_in_the_repeated_hour_ends_the_next_day() -> None:
    second = at("2026-11-01 01:40-05:00")

    due = resolved(LocalTime(time(1, 45)), since=second, zone=NEW_YORK)

    assert due == at("2026-11-02 01:45-05:00")


@pytest.mark.parametrize("odd", [None, 18, "half past six", "24:00", ["18:30"], "", {"at": "18:30"}])
def test_a_missing_time_of_day_is_the_default(odd: Any) -> None:
    moment = LocalTime(TEN, at_from="data.at")

    assert resolved(moment, since=MONDAY, at=odd) == MONDAY + timedelta(days=1)
    assert resolved(moment, since=MONDAY, at="18:30") == at("2026-03-02 18:30")
    assert resolved(moment, since=MONDAY, at="18:30+09:00") == at("2026-03-02 18:30")


@pytest.mark.parametrize(
    ("written", "instant"),
    [
        ("2026-03-08T02:30:00", "2026-03-08 03:30-04:00"),  # without an offset it is local, and skipped there
        ("2026-03-09 18:00", "2026-03-09 18:00-04:00"),
        ("2026-03-09T18:00:00Z", "2026-03-09 18:00"),
        ("2026-03-09T18:00:00.5+05:45", "2026-03-09 18:00:00.5+05:45"),
        ("2026-03-09", "2026-03-09 00:00-04:00"),  # a date is its first instant there
        (1773000000, "2026-03-08 20:00"),
        (1773000000.25, "2026-03-08 20:00:00.25"),
    ],
)
def test_a_date_may_be_iso_8601_or_seconds(written: Any, instant: str) -> None:
    due = resolved(Until("data.visit_at", timedelta(hours=-48)), since=MONDAY, visit_at=written, zone=NEW_YORK)

    assert due == at(instant) - timedelta(hours=48)


@pytest.mark.parametrize(
    ("odd", "missed"),
    [
        *((absent, "moment_unknown") for absent in (None, False, "", [], {}, float("nan"))),
        *((odd, "moment_unreadable") for odd in (True, "soon", " ", [1], {"at": 1}, "2026-13-01", "\ud800")),
        *((number, "moment_unreadable") for number in (10**400, -(10**400), 1e308, -1e308, 1772700000000 * 10**9)),
    ],
)
def test_a_date_that_is_there_and_says_no_instant_is_unreadable(odd: Any, missed: str) -> None:
    moment = Until("data.visit_at", timedelta(weeks=52))

    assert resolved(moment, since=MONDAY, visit_at=odd, zone=NEW_YORK) == missed


@pytest.mark.parametrize("never", ["9999-12-31", "9999-12-31T23:59:59Z", "9999-12-31T23:59:59-05:00"])
@pytest.mark.parametrize("offset", ["52w", "0s"])
def test_a_date_that_means_never_is_the_last_instant_there_is(never: str, offset: str) -> None:
    moment = Until("data.visit_at", duration(offset))

    assert resolved(moment, since=MONDAY, visit_at=never, zone=NEW_YORK) == LATEST


def test_a_date_before_all_others_is_past() -> None:
    due = resolved(Until("data.visit_at", duration("-52w")), since=MONDAY, visit_at="0001-01-01", zone=NEW_YORK)

    assert isinstance(due, datetime)
    assert due < MONDAY


DAY = timedelta(days=1)
VISIT = datetime(2026, 3, 20, 15, tzinfo=UTC)
UNITS = {"seconds": 1, "milliseconds": 10**3, "microseconds": 10**6, "nanoseconds": 10**9}


@pytest.mark.parametrize("unit", UNITS)
@pytest.mark.parametrize("form", [int, str, float, lambda number: f" {number} ", lambda number: f"{number}.0"])
def test_a_number_since_1970_is_an_instant_in_any_unit_and_as_a_text(unit: str, form: Any) -> None:
    written = form(int(VISIT.timestamp()) * UNITS[unit])

    assert resolved(Until("data.visit_at", -DAY), since=MONDAY, visit_at=written, zone=NEW_YORK) == VISIT - DAY


@pytest.mark.parametrize(
    ("written", "instant"),
    [
        ("20260320", datetime(2026, 3, 20, 4, tzinfo=UTC)),  # a date, at midnight in New York
        ("12345678901234567890", None),
        ("2026", None),
        ("1,774,018,800", None),
        (253402300799, LATEST),
        ("253402300799", LATEST),
        (946684800000, datetime(2000, 1, 1, tzinfo=UTC)),
    ],
)
def test_what_is_no_number_since_1970_is_none(written: Any, instant: datetime | None) -> None:
    assert to_instant(written, ZoneInfo(NEW_YORK)) == instant


@given(
    st.integers(int(datetime(1974, 1, 1, tzinfo=UTC).timestamp()), int(datetime(2200, 1, 1, tzinfo=UTC).timestamp()))
)
def test_milliseconds_of_these_decades_are_never_taken_for_seconds(seconds: int) -> None:
    assume(seconds * 1_000 not in NEVER_IN_SECONDS)  # two days of 1978
    instant = datetime.fromtimestamp(seconds, UTC)

    assert to_instant(seconds * 1_000, ZoneInfo("UTC")) == instant
    assert to_instant(str(seconds * 1_000), ZoneInfo("UTC")) == instant


@given(json_values, zones)
def test_no_json_value_makes_reading_a_date_raise(value: Any, zone: str) -> None:
    instant = to_instant(value, ZoneInfo(zone))

    assert instant is None or instant.tzinfo is UTC


@given(json_values | st.text() | st.sampled_from(ODD))
def test_an_invalid_zone_is_replaced_by_the_journeys(value: Any) -> None:
    zone = zone_named(value, "Europe/Paris")

    assert zone.key in ("Europe/Paris", value)


def test_the_customers_zone_wins_over_the_journeys() -> None:
    scope = Scope(profile(), MONDAY, {}, default_zone=NEW_YORK)
    elsewhere = Scope(profile(time_zone="Asia/Kathmandu"), MONDAY, {}, default_zone=NEW_YORK)

    assert scope.zone.key == NEW_YORK
    assert elsewhere.zone.key == "Asia/Kathmandu"


@pytest.mark.parametrize(
    ("written", "length"),
    [
        ("90s", timedelta(seconds=90)),
        ("30m", timedelta(minutes=30)),
        ("1h30m", timedelta(minutes=90)),
        ("2d", timedelta(days=2)),
        ("6w", timedelta(weeks=6)),
        ("-48h", timedelta(days=-2)),
        ("-1h30m", timedelta(minutes=-90)),
        (" 0s ", timedelta()),
    ],
)
def test_a_duration_is_numbers_with_units(written: str, length: timedelta) -> None:
    assert duration(written) == length


@pytest.mark.parametrize(
    "odd", ["", "2", "d", "2 d", "2y", "1.5h", "+2d", "--2d", "2d-1h", "P2D", "99999999999w", "²d"]
)
def test_an_invalid_duration_is_refused(odd: str) -> None:
    with pytest.raises(ValueError, match="a duration"):
        duration(odd)
