"""Any hour has at most so many orders of vendors to erase a person."""

from datetime import datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from cairn.domain.privacy.order_rate import WINDOW, admit
from tests.unit.makers import MONDAY

MINUTE = timedelta(minutes=1)


def test_one_order_too_many_waits_and_an_hour_later_there_is_room() -> None:
    first = admit({}, "a", 2, MONDAY)
    assert first is not None
    second = admit(first, "b", 2, MONDAY + MINUTE)
    assert second is not None

    assert admit(second, "c", 2, MONDAY + 59 * MINUTE) is None
    assert admit(second, "c", 2, MONDAY + 60 * MINUTE) == {"b": MONDAY + MINUTE, "c": MONDAY + 60 * MINUTE}


def test_an_order_that_is_tried_again_is_counted_once() -> None:
    assert admit({"a": MONDAY}, "a", 1, MONDAY + MINUTE) == {"a": MONDAY}


def test_without_a_limit_above_zero_every_order_waits() -> None:
    assert admit({}, "a", 0, MONDAY) is None


@given(st.lists(st.integers(0, 400), max_size=60).map(sorted), st.integers(1, 6))
def test_no_hour_has_more_orders_than_the_limit(minutes: list[int], limit: int) -> None:
    recent, admitted = {}, list[datetime]()
    for number, minute in enumerate(minutes):
        now = MONDAY + minute * MINUTE
        after = admit(recent, f"order {number}", limit, now)
        if after is not None:
            recent, admitted = dict(after), [*admitted, now]

    assert all(sum(at <= other < at + WINDOW for other in admitted) <= limit for at in admitted)
    assert len(recent) <= limit
