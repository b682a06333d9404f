"""A broadcast goes forward page by page, within its rate, and gives each customer one event."""

from datetime import timedelta

from hypothesis import given
from hypothesis import strategies as st

from cairn.domain.audience.broadcasts import Broadcast, BroadcastState, broadcast_id
from cairn.domain.effects import ContinueBroadcast
from tests.unit.makers import MONDAY

ONE = Broadcast("b", "investors", "v1", "listing.created", MONDAY, {"listing": "l-1"}, per_second=50)
SECOND = timedelta(seconds=1)


def test_a_customer_gets_one_event_however_often_a_page_shows_it() -> None:
    first, second = ONE.events(["c_a", "c_b", "c_a"])

    assert (first.customer_id, second.customer_id) == ("c_a", "c_b")
    assert first.key != second.key
    assert ONE.event_of("c_a") == first
    assert broadcast_id("track", "l-1") != broadcast_id("track", "l-2")


@given(st.lists(st.integers(0, 50), max_size=20), st.integers(1, 1_000))
def test_its_rate_is_never_above_what_was_asked(pages: list[int], per_second: int) -> None:
    """Counted from the beginning to the instant from which the next page may go."""
    present, now = Broadcast("b", "a", "v", "x.y", MONDAY, per_second=per_second), MONDAY
    for members in pages:
        now = max(now, present.due_at)
        present = present.after_page(min(members, present.page_size), "position", now)

    assert present.put <= (present.due_at - MONDAY) / SECOND * per_second + 1e-3 * per_second
    assert present.version == len(pages) + 1


def test_only_a_running_broadcast_has_a_next_page() -> None:
    assert ONE.follows == ContinueBroadcast("b-page-1", "b", 1, MONDAY)
    assert all(ONE.moved_to(state).follows is None for state in BroadcastState if state is not BroadcastState.RUNNING)
    done = ONE.after_page(3, None, MONDAY)
    assert (done.state, done.put, done.follows) == (BroadcastState.DONE, 3, None)


@given(st.integers(0, 10**6), st.integers(0, 10**8))
def test_ten_times_the_members_are_too_many(planned: int, members: int) -> None:
    counted = Broadcast("b", "a", "v", "x.y", MONDAY, planned=planned)

    assert counted.has_grown(members) == (members > 10 * max(planned, 10))
    assert not ONE.has_grown(members)
