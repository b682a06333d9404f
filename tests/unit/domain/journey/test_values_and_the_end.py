"""Values that belong to one enrollment, and what is done when it ends, however it ends."""

from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cairn.adapters.dynamodb.codec import (
    enrollment_from_row,
    enrollment_from_wire,
    enrollment_to_row,
    enrollment_to_wire,
)
from cairn.adapters.dynamodb.effect_codec import effect_from_wire, effect_to_wire
from cairn.application.events.relay_effects import message_of
from cairn.domain.effects import SendMessage
from cairn.domain.journey import engine
from cairn.domain.journey.engine import Decision, Happened, TimerFired
from cairn.domain.journey.steps.set import MAX_VALUES
from cairn.domain.profile.profile import Profile
from tests.unit.makers import MONDAY, entered, event, journey, profile, send, sent, wait

HOUR = "1h"
CLEAN_UP = [{"id": "clean-up", "update": {"tags": {"remove": ["trial"]}, "set": {"done_by": "us"}}}]


def values_of(decision: Decision) -> dict[str, Any]:
    return dict(decision.enrollment.values)


def test_a_value_is_seen_by_the_steps_behind_it_and_stays_while_the_enrollment_waits() -> None:
    tested = journey(
        {"id": "remember", "set": {"size": "data.total > `100` && 'large' || 'small'", "coupon": "data.coupon"}},
        wait("a-while", HOUR),
        {"id": "by-size", "branch": [{"if": "enrollment.values.size == 'large'", "then": [send("large")]}]},
    )
    waiting = entered(tested, total=200, coupon="SPRING")
    stored = enrollment_from_wire(
        waiting.enrollment.id, enrollment_from_row(enrollment_to_row(enrollment_to_wire(waiting.enrollment)))
    )

    assert stored == waiting.enrollment
    assert values_of(waiting) == {"size": "large", "coupon": "SPRING"}
    over = engine.advance(tested, stored, waiting.profile, TimerFired(stored.sequence), stored.due_at or MONDAY)
    assert sent(over) == ["large"]


def test_null_removes_a_value_and_the_others_stay() -> None:
    tested = journey(
        {"id": "one", "set": {"a": "`1`", "b": "`2`"}},
        {"id": "two", "set": {"a": "data.nothing", "c": "enrollment.values.b"}},
        wait("a-while", HOUR),
    )

    assert values_of(entered(tested)) == {"b": 2, "c": 2}


def test_what_has_no_room_is_left_out_and_said_and_earlier_values_stay() -> None:
    tested = journey(
        {"id": "first", "set": {"coupon": "data.coupon"}},
        {"id": "much", "set": {"long": "data.long", "short": "`1`"}},
        {"id": "flags", "set": {f"flag{number}": "`true`" for number in range(12)}},
        wait("a-while", HOUR),
    )

    decision = entered(tested, coupon="c" * 150, long="x" * MAX_VALUES)

    assert values_of(decision) == {"coupon": "c" * 150, "short": 1, **{f"flag{number}": True for number in range(12)}}
    [dropped] = [fact for fact in decision.facts if fact.kind == "dropped"]
    assert dropped.detail == {"field": "values.long", "reason": "values_full"}
    assert "x" * 9 not in str(decision.facts)


@pytest.mark.parametrize("expression", ["&data.x", "to_number('nan')", "data.nothing.at.all"])
def test_a_value_is_json_or_none(expression: str) -> None:
    decision = entered(journey({"id": "one", "set": {"a": expression}}, wait("a-while", HOUR)))

    assert values_of(decision) == {}


def test_a_message_has_the_values_of_its_own_step() -> None:
    tested = journey(
        {"id": "one", "set": {"code": "'first'"}}, send("a"), {"id": "two", "set": {"code": "'second'"}}, send("b")
    )
    decision = entered(tested)
    messages = [one for one in decision.effects if isinstance(one, SendMessage)]

    written = [
        message_of(effect_from_wire(effect_to_wire(one)), decision.profile, decision.enrollment, MONDAY)  # type: ignore[arg-type]
        for one in messages
    ]

    assert [one.variables["enrollment"] for one in written] == [
        {"values": {"code": "first"}},
        {"values": {"code": "second"}},
    ]


def test_the_timeline_names_the_values_and_does_not_repeat_them() -> None:
    decision = entered(journey({"id": "remember", "set": {"coupon": "data.coupon"}}), coupon="SPRING")

    assert [fact.detail for fact in decision.facts if fact.kind == "set"] == [{"values": ["coupon"]}]


@pytest.mark.parametrize(
    ("steps", "outcome"),
    [
        ([send("hello")], "completed"),
        ([{"id": "out", "exit": "enough"}], "enough"),
        ([wait("past", {"until": "data.at", "if_past": "exit"})], "moment_past"),
    ],
)
def test_the_end_is_cleaned_up_however_it_comes(steps: list[dict[str, Any]], outcome: str) -> None:
    tested = journey({"id": "mark", "update": {"tags": {"add": ["trial"]}}}, *steps, **{"finally": CLEAN_UP})

    decision = entered(tested, at="2020-01-01T00:00:00Z")

    assert decision.enrollment.outcome == outcome
    assert (decision.profile.view()["tags"], decision.profile.get("done_by")) == ([], "us")


def test_an_event_that_ends_it_is_followed_by_the_clean_up_and_a_later_one_by_none() -> None:
    tested = journey(
        {"id": "mark", "update": {"tags": {"add": ["trial"]}}},
        wait("a-while", HOUR),
        **{"finally": CLEAN_UP, "exit_on": [{"event": "trial.cancelled"}]},
    )
    waiting = entered(tested)
    ends = event("trial.cancelled", MONDAY)

    ended = engine.advance(tested, waiting.enrollment, waiting.profile, Happened(ends), MONDAY)
    again = event("trial.cancelled", MONDAY, id_="again")
    later = engine.advance(tested, ended.enrollment, waiting.profile, Happened(again), MONDAY)

    assert waiting.profile.view()["tags"] == ["trial"]
    assert ended.profile.view()["tags"] == []
    assert later.profile is waiting.profile
    assert not [one for one in ended.effects if isinstance(one, SendMessage)]


@given(
    st.lists(st.sampled_from(["a", "b", None, 1, 2, True, [1]]), min_size=1, max_size=6),
    st.sampled_from([profile(), profile(stage="zz")]),
)
def test_of_several_updates_at_one_instant_the_last_one_wins_also_over_the_events_own(
    values: list[Any], who: Profile
) -> None:
    tested = journey(*({"id": f"u{number}", "update": {"set": {"stage": one}}} for number, one in enumerate(values)))
    decision = entered(tested, who=who)

    assert decision.profile.get("stage") == values[-1]
    later = decision.profile.patched({"stage": "an event's"}, MONDAY + timedelta(milliseconds=1))
    assert later.get("stage") == "an event's"


@given(st.lists(st.booleans(), min_size=1, max_size=6))
def test_a_tag_is_there_if_the_last_step_added_it(added: list[bool]) -> None:
    steps = [
        {"id": f"u{number}", "update": {"tags": {"add" if one else "remove": ["vip"]}}}
        for number, one in enumerate(added)
    ]

    assert entered(journey(*steps)).profile.view()["tags"] == (["vip"] if added[-1] else [])


def test_who_is_held_out_is_not_cleaned_up() -> None:
    tested = journey(send("hello"), holdout=0.99999, **{"finally": CLEAN_UP})

    assert entered(tested).profile.get("done_by") is None
