"""A profile is the same in any order of events and merges."""

from dataclasses import replace
from datetime import timedelta
from functools import reduce
from itertools import permutations
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from cairn.domain.event import Event
from cairn.domain.identity.identifiers import EMAIL, PHONE, identifier
from cairn.domain.profile.profile import MAX_ACTIVITY_TYPES, Profile, survivor
from cairn.domain.profile.stamped import Stamped
from tests.unit.makers import MONDAY, event, name, profile
from tests.unit.strategies import attributes, events, few_instants, json_values, payloads, profiles

HOUR = timedelta(hours=1)

a_few_events = st.lists(events(when=few_instants), max_size=5)


def written(one: Profile, *, without_id: bool = False) -> str:
    """All fields of a profile as text, because NaN does not equal itself."""
    fields: dict[str, Any] = {
        "created_at": one.created_at,
        "identifiers": one.identifiers,
        "attributes": sorted((key, repr(stamped)) for key, stamped in one.attributes.items()),
        "activity": sorted(one.activity.items()),
    }
    return repr(fields if without_id else fields | {"id": one.id, "merged": sorted(one.merged)})


def after(one: Profile, arrived: list[Event]) -> Profile:
    return reduce(Profile.after, arrived, one)


@given(profiles, a_few_events, st.randoms(use_true_random=False))
def test_events_may_arrive_in_any_order(one: Profile, arrived: list[Event], luck: Any) -> None:
    shuffled = list(arrived)
    luck.shuffle(shuffled)

    assert written(after(one, arrived)) == written(after(one, shuffled))


@given(json_values, json_values, few_instants, few_instants)
def test_of_two_values_the_later_counts_from_either_side(left: Any, right: Any, at: Any, other: Any) -> None:
    one, two = Stamped(left, at), Stamped(right, other)

    assert repr(one.latest(two)) == repr(two.latest(one))
    assert repr(one.latest(one)) == repr(one)


@given(st.lists(st.builds(Stamped, json_values, few_instants), min_size=3, max_size=3))
def test_of_three_values_the_same_one_counts_in_any_grouping(three: list[Stamped]) -> None:
    ends = {repr(one.latest(two).latest(last)) for one, two, last in permutations(three)}
    ends |= {repr(one.latest(two.latest(last))) for one, two, last in permutations(three)}

    assert len(ends) == 1


@given(profiles, profiles)
def test_merging_two_profiles_gives_the_same_either_way(one: Profile, other: Profile) -> None:
    assert written(one.absorbing(other, MONDAY), without_id=True) == written(
        other.absorbing(one, MONDAY), without_id=True
    )


@given(profiles, profiles, profiles)
def test_merging_three_profiles_gives_the_same_in_any_grouping(one: Profile, two: Profile, three: Profile) -> None:
    left = one.absorbing(two, MONDAY).absorbing(three, MONDAY)
    right = one.absorbing(two.absorbing(three, MONDAY), MONDAY)

    assert written(left) == written(right)


@given(profiles, profiles, a_few_events, a_few_events)
def test_an_event_before_or_after_a_merge_gives_the_same(
    one: Profile, other: Profile, ours: list[Event], theirs: list[Event]
) -> None:
    early = after(one, ours).absorbing(after(other, theirs), MONDAY)
    late = after(one.absorbing(other, MONDAY), [*theirs, *ours])

    assert written(early) == written(late)


@given(profiles, attributes)
def test_the_same_values_at_the_same_instant_change_nothing(one: Profile, said: dict[str, Any]) -> None:
    once = one.patched(said, MONDAY + 9 * HOUR)

    assert written(once.patched(said, MONDAY + 9 * HOUR)) == written(once)


@given(profiles, payloads, json_values)
def test_no_attribute_makes_a_profile_raise(one: Profile, said: dict[str, Any], tags: Any) -> None:
    patched = one.patched(said | {"tags": tags}, MONDAY)

    assert patched.view()["id"] == one.id
    assert all(isinstance(tag, str) for tag in patched.tags)


@given(st.lists(profiles, min_size=1, max_size=4), st.randoms(use_true_random=False))
def test_the_survivor_does_not_depend_on_the_order(found: list[Profile], luck: Any) -> None:
    shuffled = list(found)
    luck.shuffle(shuffled)

    assert survivor(tuple(found)).id == survivor(tuple(shuffled)).id


def test_the_survivor_has_a_user_id_else_an_external_id_else_is_older_else_the_id_decides() -> None:
    account = profile("c_z", MONDAY + HOUR, name(user_id="ada"))
    in_crm = profile("c_y", MONDAY + HOUR, name(external={"crm": "1"}))
    by_mail = profile("c_x", MONDAY, name(email="ada@example.com"))
    younger = profile("c_b", MONDAY + HOUR, name(email="a.da@example.com"))
    twin = profile("c_a", MONDAY + HOUR, name(email="ad.a@example.com"))

    assert survivor((twin, younger, by_mail, in_crm, account)) == account
    assert survivor((twin, younger, by_mail, in_crm)) == in_crm
    assert survivor((twin, younger, by_mail)) == by_mail
    assert survivor((younger, twin)) == twin


def test_a_late_event_does_not_undo_a_later_one() -> None:
    ada = profile().after(event("plan.changed", MONDAY + HOUR, attributes={"plan": "gold"}))

    after_late = ada.after(event("plan.changed", MONDAY, attributes={"plan": "silver", "seats": 3}))

    assert (after_late.get("plan"), after_late.get("seats")) == ("gold", 3)


def test_null_removes_an_attribute_and_an_older_value_does_not_bring_it_back() -> None:
    ada = profile(stage="trial").patched({"stage": None}, MONDAY + HOUR)

    after_late = ada.patched({"stage": "member"}, MONDAY + HOUR / 2)

    assert "stage" not in after_late.view()


def test_tags_are_added_and_removed_one_by_one() -> None:
    ada = profile().patched({"tags": ["vip", "parent"]}, MONDAY)

    later = ada.patched({"tags": {"vip": False, "local": True}}, MONDAY + HOUR)

    assert later.tags == ("local", "parent")
    assert later.view()["tags"] == ["local", "parent"]
    assert later.patched({"tags": "vip"}, MONDAY + 2 * HOUR).tags == ("local", "parent", "vip")


def test_an_attribute_cannot_pose_as_a_tag_or_an_identifier() -> None:
    ada = profile().patched({"tags.vip": True, "id": "c_eve", "user_id": "eve", "external_ids": {"crm": "1"}}, MONDAY)

    assert ada.tags == ()
    assert (ada.view()["id"], ada.view()["user_id"], ada.view()["external_ids"]) == ("c_ada", "ada", {})


def test_an_address_in_an_event_is_also_an_attribute() -> None:
    who = (identifier(EMAIL, "Ada@Example.com"), identifier(PHONE, "+14155550123"))

    ada = profile().after(event("trial.signup", who=who))

    assert (ada.view()["email"], ada.view()["phone"]) == ("ada@example.com", "+14155550123")


def test_the_last_activity_is_the_latest_event_and_not_the_last_to_arrive() -> None:
    ada = profile().after(event("visit.attended", MONDAY + HOUR)).after(event("visit.attended", MONDAY - HOUR))

    assert ada.last_activity == MONDAY + HOUR
    assert ada.activity["visit.attended"].count == 2
    assert ada.activity["visit.attended"].first == MONDAY - HOUR
    assert profile().last_activity == MONDAY


def test_event_types_are_counted_up_to_a_bound() -> None:
    busy = after(profile(), [event(f"made.up_{number}") for number in range(MAX_ACTIVITY_TYPES + 1)])

    again = busy.after(event("made.up_0", MONDAY + HOUR))

    assert len(busy.activity) == MAX_ACTIVITY_TYPES
    assert again.activity["made.up_0"].count == 2
    assert "made.up_64" not in again.activity


def test_a_merge_stores_the_absorbed_id_and_the_instant() -> None:
    grandchild = replace(profile("c_old"), merged={"c_older": MONDAY - HOUR})

    ada = profile().absorbing(grandchild, MONDAY)

    assert ada.merged == {"c_older": MONDAY - HOUR, "c_old": MONDAY}
