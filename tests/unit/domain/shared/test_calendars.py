"""A calendar: when a business is open, in its own zone or the customer's."""

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

from hypothesis import example, given
from hypothesis import strategies as st

from cairn.domain.shared.calendars import Calendar

MADRID = ZoneInfo("Europe/Madrid")
NINE_TO_FIVE = ((540, 1020),)
OFFICE = Calendar(hours=(NINE_TO_FIVE,) * 5 + ((), ()), closed=frozenset({date(2026, 1, 6)}))


@st.composite
def calendars(draw: st.DrawFn) -> Calendar:
    """Open on one weekday at least."""
    ends = st.lists(st.integers(0, 96), unique=True, max_size=6).map(sorted)
    days = [draw(ends) for _ in range(7)]
    hours = [tuple((15 * one, 15 * other) for one, other in zip(day[::2], day[1::2], strict=False)) for day in days]
    hours[draw(st.integers(0, 6))] = NINE_TO_FIVE
    closed = draw(st.frozensets(st.dates(date(2026, 1, 1), date(2026, 12, 31)), max_size=40))
    return Calendar(tuple(hours), closed, draw(st.sampled_from(["", "Australia/Lord_Howe", "America/New_York"])))


instants = st.datetimes(datetime(2026, 1, 1), datetime(2026, 12, 1), timezones=st.just(UTC))  # noqa: DTZ001
lengths = st.integers(0, 200).map(lambda number: timedelta(minutes=number * 7))


def is_open(calendar: Calendar, instant: datetime, zone: ZoneInfo) -> bool:
    """Written from its hours and the wall clock alone."""
    there = instant.astimezone(ZoneInfo(calendar.zone) if calendar.zone else zone)
    minute = there.hour * 60 + there.minute + there.second / 60
    return there.date() not in calendar.closed and any(
        start <= minute < end for start, end in calendar.hours[there.weekday()]
    )


@given(calendars(), instants)
def test_it_opens_at_the_first_instant_at_which_it_is_open(calendar: Calendar, now: datetime) -> None:
    opens = calendar.after(now, timedelta(), MADRID)

    assert opens is not None
    assert opens == now or opens > now
    assert is_open(calendar, opens, MADRID)
    before = (now + number * timedelta(minutes=15) for number in range(int((opens - now) / timedelta(minutes=15))))
    assert not any(is_open(calendar, one, MADRID) for one in before)


@given(calendars(), instants, lengths, lengths)
def test_the_time_in_which_it_is_open_adds_up(
    calendar: Calendar, now: datetime, first: timedelta, then: timedelta
) -> None:
    at_once = calendar.after(now, first + then, MADRID)
    middle = calendar.after(now, first, MADRID)

    assert middle is not None
    assert calendar.after(middle, then, MADRID) == at_once


@given(calendars(), instants, lengths)
def test_later_is_never_earlier(calendar: Calendar, now: datetime, length: timedelta) -> None:
    one = calendar.after(now, length, MADRID)
    more = calendar.after(now, length + timedelta(minutes=1), MADRID)
    later = calendar.after(now + timedelta(minutes=1), length, MADRID)

    assert one is not None
    assert more is not None
    assert later is not None
    assert now + length <= one < more
    assert one <= later


@given(instants, st.sampled_from(["Europe/Madrid", "Asia/Kathmandu"]))
@example(datetime(2026, 1, 5, 15, 30, tzinfo=UTC), "Europe/Madrid")
def test_without_a_zone_it_is_the_customers_clock(now: datetime, zone: str) -> None:
    opens = OFFICE.after(now, timedelta(), ZoneInfo(zone))

    assert opens is not None
    assert 9 <= opens.astimezone(ZoneInfo(zone)).hour < 17


def test_a_holiday_and_a_weekend_do_not_count() -> None:
    friday = datetime(2026, 1, 2, 16, tzinfo=MADRID)

    assert OFFICE.after(friday, timedelta(hours=8), MADRID) == datetime(2026, 1, 5, 16, tzinfo=MADRID)
    assert OFFICE.after(friday, timedelta(hours=10), MADRID) == datetime(2026, 1, 7, 10, tzinfo=MADRID)


def test_it_may_be_open_all_night() -> None:
    always = Calendar(hours=(((0, 1440),),) * 7)
    now = datetime(2026, 3, 28, 20, tzinfo=MADRID)  # clocks change in that night

    assert always.after(now, timedelta(hours=48), MADRID) == now.astimezone(UTC) + timedelta(hours=48)


def test_one_that_never_opens_again_gives_no_instant() -> None:
    never = Calendar(hours=((),) * 7)

    assert never.after(datetime(2026, 3, 2, tzinfo=UTC), timedelta(), MADRID) is None
