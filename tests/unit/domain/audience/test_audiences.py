"""Commits change audiences: only those that read what has changed, and each by what is different."""

from dataclasses import replace
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from cairn.domain.audience.audiences import Audience, Audiences, Change, changed_fields
from cairn.domain.audience.order import SortType, encoded
from cairn.domain.audience.selection import ALL_MEMBERS, Asked, Selection, selection
from cairn.domain.effects import AUDIENCE_JOINED, AUDIENCE_LEFT, EmitEvent, JoinAudience, LeaveAudience
from cairn.domain.profile.profile import Profile
from tests.unit.makers import MONDAY, event, profile
from tests.unit.strategies import json_values

INVESTORS = Audience(
    "investors",
    "v1",
    "profile.kind == 'investor' && profile.budget_from",
    frozenset({"kind", "budget_from", "budget_to", "district"}),
    partition="profile.district",
    sort="profile.budget_from",
    until="profile.budget_to",
    says=frozenset({AUDIENCE_JOINED, AUDIENCE_LEFT}),
)
BUYERS = Audience("buyers", "v1", "count('order.paid') >= `2`", frozenset({"order.paid"}))
AUDIENCES = Audiences((INVESTORS, BUYERS))
HER = {"kind": "investor", "budget_from": 1_000_000, "budget_to": 1_500_000, "district": "75011"}


def known(**attributes: Any) -> Profile:
    return profile().patched(attributes, MONDAY)


def changes(before: Profile | None, after: Profile, **more: Any) -> list[Any]:
    return list(AUDIENCES.changes(Change(by="e-1", before=before, after=after, **more), MONDAY))


def test_who_begins_to_meet_the_condition_joins_and_journeys_that_listen_hear_of_it() -> None:
    joins, says = changes(known(kind="owner"), known(**HER))

    assert isinstance(joins, JoinAudience)
    assert (joins.audience, joins.version, joins.partition) == ("investors", "v1", "75011")
    assert joins.sort == encoded(1_000_000, SortType.NUMBER)
    assert joins.until == encoded(1_500_000, SortType.NUMBER)
    assert isinstance(says, EmitEvent)
    assert (says.event, dict(says.properties), says.source) == (AUDIENCE_JOINED, {"audience": "investors"}, "audiences")


def test_who_meets_it_no_longer_leaves() -> None:
    leaves, says = changes(known(**HER), known(**{**HER, "kind": "owner"}))

    assert leaves == LeaveAudience(leaves.id, "investors", "v1")
    assert says.event == AUDIENCE_LEFT


def test_a_member_who_stands_elsewhere_is_written_anew_and_nothing_is_said() -> None:
    (moves,) = changes(known(**HER), known(**{**HER, "budget_from": 900_000}))

    assert isinstance(moves, JoinAudience)
    assert moves.sort == encoded(900_000, SortType.NUMBER)


def test_what_the_condition_does_not_read_changes_nothing() -> None:
    assert changes(known(**HER), known(**{**HER, "first_name": "Ada"})) == []
    assert changes(known(**HER), known(**HER)) == []


def test_events_that_are_counted_change_audiences() -> None:
    once = profile().after(event("order.paid", id_="o-1"))
    twice = once.after(event("order.paid", id_="o-2"))

    assert changes(None, once) == []
    (joins,) = changes(once, twice)
    assert joins.audience == "buyers"


def test_a_backfilled_event_changes_members_and_says_nothing() -> None:
    (joins,) = changes(None, known(**HER), starts=False)

    assert isinstance(joins, JoinAudience)


def test_the_same_commit_decides_the_same_effects_again() -> None:
    assert changes(None, known(**HER)) == changes(None, known(**HER))


@given(st.lists(st.dictionaries(st.sampled_from(["kind", "budget_from", "district", "x"]), json_values), max_size=6))
def test_members_by_commits_are_those_whose_condition_is_met(patches: list[dict[str, Any]]) -> None:
    here: dict[str, JoinAudience] = {}
    before = profile()
    for number, patch in enumerate(patches):
        after = before.updated(patch, MONDAY)
        for one in AUDIENCES.changes(Change(by=str(number), before=before, after=after), MONDAY):
            if isinstance(one, JoinAudience):
                here[one.audience] = one
            elif isinstance(one, LeaveAudience):
                del here[one.audience]  # nobody leaves who is not there
        before = after

    position = INVESTORS.position(before, MONDAY)
    if position is None:
        assert "investors" not in here
    else:
        assert replace(here["investors"], id="") == INVESTORS.joining("", before.id, position)


def test_names_and_their_vouching_are_among_what_changes() -> None:
    assert "user_id" in changed_fields(profile(), replace(profile(), identifiers=()))


def test_a_selection_is_a_range_of_positions() -> None:
    low, high = (encoded(number, SortType.NUMBER) for number in (1, 5))

    assert selection(INVESTORS, Asked()) == ALL_MEMBERS
    assert selection(INVESTORS, Asked(partition="75011")) == Selection("75011#", "75011#~")
    assert selection(INVESTORS, Asked("75011", 1, "5")) == Selection(f"75011#{low}", f"75011#{high}#~")
    assert selection(INVESTORS, Asked(75011, value=5)) == Selection("75011#", f"75011#{high}#~", high)


def test_an_audience_that_cannot_be_asked_so_says_every_reason() -> None:
    assert selection(BUYERS, Asked("75011", 1)) == [
        "partition: buyers has no partition in audiences.toml",
        "from, to, value: buyers has no sort in audiences.toml",
    ]
    assert selection(INVESTORS, Asked(None, 1)) == ["partition: name one, since investors is sorted in each partition"]
    assert selection(INVESTORS, Asked("1", "many", value=2)) == [
        "value: without from and to",
        "from: no number",
    ]


brackets = st.tuples(st.integers(-5, 20), st.integers(-5, 20) | st.none())


@given(brackets, st.integers(-5, 20), st.sampled_from(["a", "b", "", "a#", "~"]))
def test_a_value_is_in_the_bracket_that_has_it(bracket: tuple[int, int | None], value: int, district: str) -> None:
    low, high = bracket
    about = {"kind": "investor", "budget_from": low, "budget_to": high, "district": district}
    one = replace(INVESTORS, condition="profile.kind")
    position = one.position(known(**about), MONDAY)
    assert position is not None
    asked = selection(one, Asked(district, value=value))
    assert isinstance(asked, Selection)

    found = asked.takes(f"{position.partition}#{position.sort}#c_ada", position.until)

    assert found == (low <= value and (high is None or value <= high))
