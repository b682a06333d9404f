"""Waits on certain weekdays, and waits that end for each customer at a moment of their own."""

from collections import Counter
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cairn.domain.operations.pauses import NotBefore, Pause, PausedWait, PausePolicy, resume_wait
from cairn.domain.shared.moments import WEEKDAYS, LocalTime, moment_from_document
from tests.unit.makers import MONDAY, entered, journey, profile, wait

NEW_YORK = ZoneInfo("America/New_York")


def due_of(moment: object, when: datetime = MONDAY, customer: str = "c_ada") -> datetime:
    waiting = entered(journey(wait("a-while", moment)), when, profile(customer, time_zone="America/New_York"))
    assert waiting.enrollment.due_at is not None
    return waiting.enrollment.due_at


@given(
    st.datetimes(datetime(2026, 1, 1), datetime(2027, 12, 31), timezones=st.just(UTC)),  # noqa: DTZ001
    st.lists(st.sampled_from(WEEKDAYS), min_size=1, unique=True),
    st.integers(0, 30) | st.none(),
)
def test_it_is_the_first_of_the_weekdays_from_there(when: datetime, on: list[str], day: int | None) -> None:
    moment = {"at": "23:59", "weekdays": on} | ({} if day is None else {"day": day})
    due = due_of(moment, when).astimezone(NEW_YORK)
    first = when.astimezone(NEW_YORK).date() + timedelta(days=day or 0)

    assert WEEKDAYS[due.weekday()] in on
    between = [first + timedelta(days=number) for number in range((due.date() - first).days)]
    skipped = [one for one in between if WEEKDAYS[one.weekday()] in on]
    assert skipped in ([], [first] if day is None and when.astimezone(NEW_YORK).hour == 23 else [])


@pytest.mark.parametrize(
    ("on", "expected"), [(["mon"], "2026-03-09"), (["tue"], "2026-03-03"), (["sat", "sun"], "2026-03-07")]
)
def test_the_weekday_of_today_counts_until_its_hour(on: list[str], expected: str) -> None:
    assert due_of({"at": "00:30", "weekdays": on}).astimezone(NEW_YORK).date().isoformat() == expected


def test_a_pause_moves_it_to_one_of_its_weekdays() -> None:
    moment = moment_from_document({"at": "10:00", "weekdays": ["mon"]})
    assert isinstance(moment, LocalTime)
    reached, due = MONDAY, MONDAY + timedelta(days=7)
    waiting = PausedWait("enr", reached, due, moment, ZoneInfo("UTC"))
    pause = Pause("journey:visit", MONDAY + timedelta(days=1), MONDAY + timedelta(days=4), PausePolicy.ACTIVE_TIME)

    moved = resume_wait([pause], ["journey:visit"], waiting, due)

    assert moved == NotBefore(datetime(2026, 3, 16, 10, tzinfo=UTC), "journey:visit")


def test_customers_are_spread_evenly_and_each_always_to_the_same_hour() -> None:
    found = [due_of({"for": "1d", "spread": "10h"}, customer=f"c_{number}") for number in range(2000)]
    hours = Counter(int((due - MONDAY - timedelta(days=1)) / timedelta(hours=1)) for due in found)

    assert hours.keys() == set(range(10))
    assert all(140 < count < 260 for count in hours.values())
    assert due_of({"for": "1d", "spread": "10h"}, customer="c_7") == found[7]


@pytest.mark.parametrize("moment", [{"for": "1d"}, {"at": "10:00", "day": 2}, {"until": "'2026-03-09T10:00:00Z'"}])
def test_a_spread_never_ends_a_wait_before_its_time_or_after_the_spread(moment: dict[str, object]) -> None:
    assert due_of(moment) <= due_of(moment | {"spread": "1h"}) < due_of(moment) + timedelta(hours=1)
