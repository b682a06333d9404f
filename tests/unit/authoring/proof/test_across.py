"""Journeys that answer one event, and write to one customer within the policy's cooldown."""

from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from authoring.proof.across import Clash, clashes
from authoring.proof.paths import Paths
from authoring.proof.ways import DAY
from cairn.domain.journey.definition import Journey
from cairn.domain.policy import Cooldown, Policy
from cairn.domain.shared.channels import Channel
from tests.unit.authoring.proof.made import made, send

HOUR = Cooldown(length=timedelta(hours=1))


def clash(one: list[Any], other: list[Any], cooldown: Cooldown = HOUR, **entry: Any) -> Clash | None:
    journeys = made(*one, journey="one"), made(*other, journey="other", entry={"event": "a.b", **entry})
    found = list(clashes(journeys, Policy(cooldowns=(cooldown,))))
    assert len(found) <= 1
    return found[0] if found else None


def test_two_journeys_that_answer_an_event_within_the_cooldown_are_named() -> None:
    found = clash([{"wait": "20m"}, send("email")], [send()])

    assert found is not None
    assert (found.journey, found.step, found.other, found.other_step, found.apart) == ("one", "s1", "other", "s0", 1200)
    assert found.message == (
        "other answers a.b too: its step s0 and this one may come 20m apart; "
        "the policy has a cooldown of 1h, so one of them has to wait"
    )


@pytest.mark.parametrize(
    "other",
    [
        [{"wait": "1h"}, send()],
        [send(purpose="transactional")],
        [{"wait": {"at": "10:00", "day": 2}}, send()],
    ],
)
def test_what_comes_later_or_is_no_marketing_is_no_warning(other: list[dict[str, Any]]) -> None:
    assert clash([send()], other) is None


def test_only_messages_of_the_cooldowns_channel_count() -> None:
    texts = Cooldown(length=timedelta(hours=1), channel=Channel.SMS)

    assert clash([send("sms")], [send("email")], texts) is None
    assert clash([send("sms")], [send(["email", "sms"])], texts) is not None


def test_other_events_and_conditions_that_exclude_each_other_are_no_warning() -> None:
    assert clash([send()], [send()], event="a.c") is None
    journeys = [
        made(
            send(),
            journey=name,
            entry={"event": "a.b", "where": f"data.y && event.properties.plan == '{plan}' && data.x"},
        )
        for name, plan in (("one", "pro"), ("two", "free"), ("three", "free"))
    ]

    found = list(clashes(journeys, Policy(cooldowns=(HOUR,))))

    assert [(one.journey, one.other) for one in found] == [("two", "three")]
    either = [{"event": "a.b", "where": f"data.plan == '{plan}'"} for plan in ("pro", "free")]
    both = made(send(), journey="both", entry={"any": either})
    assert [one.other for one in clashes([both, *journeys[:1]], Policy(cooldowns=(HOUR,)))] == ["one"]
    pro = made(send(), journey="pro", entry=either[0])
    assert [one.other for one in clashes([both, pro], Policy(cooldowns=(HOUR,)))] == ["pro"]


def test_journeys_that_exclude_each_other_or_begin_later_are_no_warning() -> None:
    assert clash([send()], [send()], unless_in=["one"]) is None
    assert clash([send()], [send()], unless_in=["another"]) is not None
    silent = made(send(), journey="silent", entry={"none_of": ["a.b"], "for": "30d"})

    assert list(clashes([made(send(), journey="one"), silent], Policy(cooldowns=(HOUR,)))) == []


def test_of_days_after_entry_the_time_of_entry_counts() -> None:
    """At 10 the next morning is ten hours or more after entry; twelve hours after entry may be the same instant."""
    ten = [{"wait": {"at": "10:00", "day": 1}}, send()]

    assert clash(ten, [{"wait": "12h"}, send()]) is not None
    assert clash(ten, [{"wait": "9h"}, send()]) is None
    assert clash(ten, [{"wait": {"at": "12:00", "day": 1}}, send()]) is None


waits = st.sampled_from(
    [
        {"wait": "30m"},
        {"wait": "6h"},
        {"wait": "1d"},
        {"wait": {"at": "10:00", "day": 1}},
        {"wait": {"until": "data.x"}},
    ]
)
steps = st.lists(waits | st.just(send()) | st.just(send("email")), max_size=5)


def earliest(journey: Journey, entered: float) -> list[float]:
    paths = Paths(journey, entered)
    return [paths.earliest[one.id] for one in paths.sends]


@given(steps, steps)
def test_a_clash_is_what_trying_every_minute_of_entry_finds(one: list[Any], other: list[Any]) -> None:
    first, second = made(*one, journey="one"), made(*other, journey="other")
    apart = [
        abs(mine - theirs)
        for quarter in range(97)
        for mine in earliest(first, quarter * DAY / 96)
        for theirs in earliest(second, quarter * DAY / 96)
    ]

    found = clash(one, other)

    assert (found.apart if found else None) == (min(apart) if apart and min(apart) < 3600 else None)
