"""An appointment is known by its first id, in whatever order its moves arrive."""

from datetime import UTC, datetime
from typing import Any

import pytest

from cairn.domain.event import Event
from cairn.domain.profile.attributes import MOVED_APPOINTMENTS
from cairn.domain.profile.moved_appointments import MOST_CHARACTERS, MOST_MOVES, with_first_id
from cairn.domain.profile.profile import Profile

NOW = datetime(2026, 3, 9, 14, tzinfo=UTC)
NOBODY = Profile("c1", NOW)


def about(id_: Any, previous: Any = None) -> Event:
    named = {"appointment_id": id_, "previous_appointment_id": previous}
    properties = {name: value for name, value in named.items() if value is not None}
    return Event(f"e-{id_}", "calendly", "appointment.rescheduled", NOW, properties=properties)


def first_of(profile: Profile, id_: Any) -> Any:
    return with_first_id(profile, about(id_), NOW)[1].properties.get("first_appointment_id")


def after(*moves: tuple[str, str], profile: Profile = NOBODY) -> Profile:
    for id_, previous in moves:
        profile, _ = with_first_id(profile, about(id_, previous), NOW)
    return profile


def test_an_appointment_that_was_never_moved_has_no_first_id_and_costs_nothing() -> None:
    event = about("a")

    assert with_first_id(NOBODY, event, NOW) == (NOBODY, event)


@pytest.mark.parametrize("moves", [[("b", "a"), ("c", "b")], [("c", "b"), ("b", "a")]])
def test_an_appointment_that_was_moved_twice_has_its_first_id_in_any_order(moves: list[tuple[str, str]]) -> None:
    profile = after(*moves)

    assert [first_of(profile, one) for one in "abc"] == [None, "a", "a"]


def test_the_move_itself_has_the_first_id_also_where_it_comes_twice() -> None:
    profile, event = with_first_id(after(("b", "a")), about("c", "b"), NOW)
    again, same = with_first_id(profile, about("c", "b"), NOW)

    assert event.properties["first_appointment_id"] == same.properties["first_appointment_id"] == "a"
    assert again is profile


def test_two_appointments_of_one_customer_stay_two() -> None:
    profile = after(("b", "a"), ("y", "x"))

    assert (first_of(profile, "b"), first_of(profile, "y")) == ("a", "x")


def test_only_the_latest_moves_are_remembered() -> None:
    profile = after(*((f"b{number}", f"a{number}") for number in range(MOST_MOVES + 1)))

    assert len(profile.get(MOVED_APPOINTMENTS)) == MOST_MOVES
    assert first_of(profile, "b0") is None
    assert first_of(profile, f"b{MOST_MOVES}") == f"a{MOST_MOVES}"


@pytest.mark.parametrize("moves", [[("a", "a")], [("b", "a"), ("a", "b")], [("b", "a" * (MOST_CHARACTERS + 1))]])
def test_a_circle_ends_and_what_cannot_be_an_id_is_ignored(moves: list[tuple[str, str]]) -> None:
    profile = after(*moves)

    assert first_of(profile, "a") in {None, "b"}
    assert first_of(profile, 7) is None
    assert first_of(profile, "b" * (MOST_CHARACTERS + 1)) is None
