"""Nothing that a customer sends makes a customer too large to write."""

import json
from dataclasses import replace
from datetime import timedelta
from itertools import permutations
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cairn.domain.consent.changes import ConsentChange, ConsentStatus
from cairn.domain.event import Event
from cairn.domain.profile import attributes, bounds
from cairn.domain.profile.attributes import READ_BY_CAIRN, TIME_ZONE
from cairn.domain.profile.bounds import merged, refreshed, trimmed, within_bounds
from cairn.domain.profile.profile import MAX_ACTIVITY_TYPES, Activity, Profile
from cairn.domain.profile.stamped import Stamped
from cairn.domain.shared.channels import Channel, Purpose
from tests.unit.makers import MONDAY, event, profile

ITEM = 400_000
"""Bytes of an item of DynamoDB."""

SOON = timedelta(minutes=1)


def after(one: Profile, *events: Event) -> Profile:
    for each in events:
        one = one.after(within_bounds(each, one))
    return one


def size(value: Any) -> int:
    return len(json.dumps(value, ensure_ascii=False, default=str).encode(errors="replace"))


def state(one: Profile) -> int:
    """The bytes of a profile as it is written."""
    attributes = {name: [stamped.value, stamped.at.isoformat()] for name, stamped in one.attributes.items()}
    activity = {name: [each.count, str(each.first), str(each.last)] for name, each in one.activity.items()}
    return size(attributes) + size(activity)


def deep(levels: int) -> Any:
    value: Any = "x"
    for _ in range(levels):
        value = [value]
    return value


@pytest.mark.parametrize(
    ("name", "value", "reason"),
    [
        ("n" * 129, "x", "name_too_long"),
        ("a\nb", "x", "name_unreadable"),
        ("a\u202eb", "x", "name_unreadable"),
        ("", "x", "name_unreadable"),
        ("notes", "x" * 4095, "value_too_large"),
        ("notes", "é" * 2048, "value_too_large"),
        ("notes", deep(17), "value_too_deep"),
        ("notes", deep(100_000), "value_too_deep"),
    ],
)
def test_an_attribute_that_fits_into_no_profile_is_dropped_and_named(name: str, value: Any, reason: str) -> None:
    sent = event("note.written", attributes={name: value, "plan": "pro"})

    bounded = within_bounds(sent, profile())

    assert bounded.attributes == {"plan": "pro"}
    ((field, why),) = bounded.dropped.items()
    assert (field[:11], why) == ("attributes.", reason)
    assert len(field) <= 11 + bounds.MAX_NAME
    assert field.isprintable()


@pytest.mark.parametrize(
    ("name", "value"),
    [("n" * 128, "x"), ("notes", "x" * 4094), ("notes", "é" * 2047), ("notes", deep(16)), ("ñame", None)],
)
def test_an_attribute_within_the_bounds_stays_as_it_is(name: str, value: Any) -> None:
    sent = event("note.written", attributes={name: value})

    assert within_bounds(sent, profile()) is sent


def test_a_full_profile_keeps_what_it_has() -> None:
    one = profile()
    for number in range(40):
        one = after(one, event("note.written", MONDAY + number * SOON, attributes={f"notes_{number}": "x" * 4_000}))

    late = within_bounds(event("note.written", attributes={"more": "x" * 4_000, "notes_0": "short"}), one)

    assert "notes_0" in one.attributes
    assert late.attributes == {"notes_0": "short"}
    assert late.dropped == {"attributes.more": "profile_full"}


def test_a_profile_has_so_many_attributes_and_no_more() -> None:
    one = after(profile(), event("import.done", attributes={f"a{number}": 1 for number in range(500)}))

    bounded = within_bounds(event("import.done", attributes={"a0": 2, "b": 1, "tags": ["vip"]}), one)

    assert len(one.attributes) == bounds.MAX_ATTRIBUTES
    assert bounded.attributes == {"a0": 2}
    assert bounded.dropped == {"attributes.b": "too_many_attributes", "attributes.tags.vip": "too_many_attributes"}


@pytest.mark.parametrize("full", [{f"a{n}": 1 for n in range(500)}, {f"a{n}": "x" * 4_000 for n in range(24)}])
def test_nothing_crowds_out_what_cairn_itself_reads(full: dict[str, Any]) -> None:
    one = after(profile(), event("import.done", attributes=full))

    for name in sorted(READ_BY_CAIRN):
        sent = event("import.done", attributes={str(name): "x" * 20})
        assert within_bounds(sent, one) is sent
    assert after(one, event("import.done", attributes={"time_zone": "Europe/Madrid"})).get(TIME_ZONE) == "Europe/Madrid"


def test_every_attribute_of_cairns_own_but_tags_always_has_room() -> None:
    own = {one for one in vars(attributes).values() if isinstance(one, attributes.Attribute)}

    assert own - READ_BY_CAIRN == {attributes.TAGS}


def test_many_dropped_fields_are_counted() -> None:
    sent = event("import.done", attributes={f"n{number:05}": "x" * 5_000 for number in range(3_000)})

    dropped = within_bounds(sent, profile()).dropped

    assert len(dropped) == bounds.MAX_REPORTED + 1
    assert "2980 more fields (value_too_large)" in dropped


def test_tags_are_bounded_one_by_one() -> None:
    sent = event("import.done", attributes={"tags": {"vip": True, "t" * 200: True, "old": False}})

    assert within_bounds(sent, profile()).attributes == {"tags": {"vip": True, "old": False}}


def test_the_largest_fields_of_an_enrollments_data_are_dropped_first() -> None:
    large = {"id": "o1", "note": "x" * 30_000, "log": "x" * 20_000, "deep": deep(40), "text": "x" * 9_000}

    left, dropped = trimmed(large)

    assert left == {name: large[name] for name in ("id", "log", "text")}
    assert dropped == {"data.note": "data_too_large", "data.deep": "value_too_deep"}


def test_a_refresh_without_room_leaves_fields_as_they_were() -> None:
    before = {"note": "x" * 900, "seats": 2, "gone": "x" * 50}
    after = {"note": "y" * 950, "seats": 3, "text": "z" * 400}
    room = bounds.size_of_data(before)

    data, dropped = refreshed(before, after, room)

    assert data == {"note": "y" * 950, "seats": 3}
    assert dropped == {"data.text": "data_too_large"}
    assert refreshed(before, after, bounds.size_of_data(after)) == (after, {})
    assert refreshed(before, {**before, "note": "y" * 901}, room) == (before, {"data.note": "data_too_large"})


@given(
    st.dictionaries(st.text(max_size=5), st.text(max_size=9)),
    st.dictionaries(st.text(max_size=5), st.text(max_size=9)),
    st.integers(0, 900),
)
def test_a_refresh_loses_nothing_that_was_there(before: dict[str, str], more: dict[str, str], room: int) -> None:
    data, dropped = refreshed(before, {**before, **more}, room)

    assert data.keys() >= before.keys()
    assert all(value in {before.get(name), more.get(name)} for name, value in data.items())
    assert bounds.size_of_data(data) <= max(room, bounds.size_of_data(before))
    assert bool(dropped) == (data != {**before, **more})


def test_the_timeline_keeps_an_events_properties_whole() -> None:
    sent = event("order.placed", properties={"note": "x" * 300_000})

    assert within_bounds(sent, profile()) is sent


@pytest.mark.parametrize(
    ("value", "reason"),
    [
        (deep(40), "value_too_deep"),
        (deep(100_000), "value_too_deep"),
        ("x" * 400_000, "data_too_large"),
        ("\ud800" * 70_000, "data_too_large"),
        ([[1] * 10] * 40_000, "data_too_large"),
    ],
    ids=["forty deep", "very deep", "long", "escaped", "many"],
)
def test_a_property_without_room_in_an_item_is_dropped_and_named(value: Any, reason: str) -> None:
    sent = event("order.placed", properties={"note": value, "id": "o1"})

    bounded = within_bounds(sent, profile())

    assert bounded.properties == {"id": "o1"}
    assert bounded.dropped == {"properties.note": reason}


def test_of_a_hundred_thousand_properties_as_many_stay_as_fit() -> None:
    sent = event("order.placed", properties={f"n{number:06}": number for number in range(100_000)})

    bounded = within_bounds(sent, profile())

    assert 5_000 < len(bounded.properties) < 10_000
    assert len(bounded.dropped) == bounds.MAX_REPORTED + 1


def test_long_evidence_is_dropped_and_the_consent_counts() -> None:
    change = ConsentChange(
        Channel.SMS, Purpose.MARKETING, ConsentStatus.DENIED, MONDAY, "form", {"text": "x" * 300_000, "ip": "192.0.2.1"}
    )

    bounded = within_bounds(event("form.sent", consent=(change,)), profile())

    assert bounded.consent == (replace(change, evidence={"ip": "192.0.2.1"}),)
    assert bounded.dropped == {"consent.text": "evidence_too_large"}


NAMES = st.text(max_size=3) | st.sampled_from(["n" * 128, "n" * 129, "time_zone", "notes"])
VALUES = st.one_of(
    st.none(),
    st.integers(),
    st.text(max_size=5),
    st.sampled_from(["x" * 4_094, "x" * 4_095, "é" * 3_000, ["x" * 2_000] * 2]),
)


@given(st.lists(st.dictionaries(NAMES, VALUES, max_size=12), max_size=12))
def test_no_profile_outgrows_its_share(sent: list[dict[str, Any]]) -> None:
    one = profile()
    many = {f"n{number}": "x" * 3_900 for number in range(20)}

    one = after(one, *(event("a.b", MONDAY + n * SOON, attributes={**more, **many}) for n, more in enumerate(sent)))

    assert state(one) <= bounds.MAX_PROFILE + len(READ_BY_CAIRN) * (bounds.MAX_VALUE + 200) + 20_000 < ITEM / 2


@given(st.lists(st.dictionaries(NAMES, VALUES, max_size=3), max_size=3))
def test_below_the_bounds_of_the_profile_any_order_gives_the_same(sent: list[dict[str, Any]]) -> None:
    events = [event("a.b", MONDAY + number * SOON, attributes=each) for number, each in enumerate(sent)]

    assert len({repr(sorted(after(profile(), *order).attributes.items())) for order in permutations(events)}) == 1


def test_a_merge_stays_within_the_bounds_and_keeps_the_survivors_own() -> None:
    def full(id_: str) -> Profile:
        return after(profile(id_), event("import.done", attributes={f"{id_}{n:03}": "x" * 1_000 for n in range(90)}))

    own, other = (
        full("c_a"),
        replace(full("c_b"), attributes={**full("c_b").attributes, TIME_ZONE: Stamped("UTC", MONDAY)}),
    )

    both, dropped = merged(own, own.absorbing(other, MONDAY))

    assert both.attributes.items() >= own.attributes.items()
    assert both.get(TIME_ZONE) == "UTC"
    assert state(both) <= bounds.MAX_PROFILE + 20_000
    assert set(dropped.values()) == {"profile_full"}
    assert merged(own, own) == (own, {})


def test_a_merge_counts_so_many_types_of_event() -> None:
    def busy(id_: str) -> Profile:
        return replace(
            profile(id_), activity={f"{id_}.{n}": Activity(1, MONDAY, MONDAY) for n in range(MAX_ACTIVITY_TYPES)}
        )

    both, _ = merged(busy("a"), busy("a").absorbing(busy("b"), MONDAY))

    assert both.activity == busy("a").activity


@given(st.dictionaries(st.text(max_size=5), VALUES, max_size=30))
def test_trimming_twice_is_trimming_once(data: dict[str, Any]) -> None:
    left, _ = trimmed(data)

    assert trimmed(left) == (left, {})
    assert left.items() <= data.items()
    assert size(dict(left)) <= bounds.MAX_DATA


@given(st.dictionaries(NAMES, st.text(max_size=40) | VALUES, max_size=20))
def test_the_estimate_is_never_below_the_size(attributes_: dict[str, Any]) -> None:
    for name, value in attributes_.items():
        assert bounds._at_most(name, value) >= size({name: value})  # noqa: SLF001  what makes an event cheap
