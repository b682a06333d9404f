"""A journey's messages under the policy: what the gate would hold back, and what lacks a consent."""

from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from authoring.proof.limits import confirmable, covered, hints, reentry, warnings, window_of
from authoring.proof.paths import crowded
from cairn.domain.journey.definition import Journey
from cairn.domain.policy import Cap, Forbidden, Policy
from cairn.domain.shared.channels import Channel, Purpose
from tests.unit.authoring.proof.made import made, send
from tests.unit.strategies import journeys

DAILY = Cap(limit=2, window="day")
THREE = [send(), {"wait": "1h"}, send("email"), {"wait": "1h"}, send()]


def warned(journey: Journey, policy: Policy) -> list[tuple[str, str]]:
    return [(one.step, one.message) for one in warnings(journey, policy, frozenset())]


def test_one_message_more_than_a_cap_allows_is_named_with_those_before_it() -> None:
    (one,) = warnings(made(*THREE), Policy(caps=(DAILY,)), frozenset())

    assert one.step == "s4"
    assert one.message == (
        "more marketing messages a day than the policy's 2: s0, s2 and s4 may come within 2h, "
        "so the gate will hold this one back"
    )
    assert one.fix == "Let 1d pass from s0 to this step, send less, or change the cap in policy.toml."


def test_what_a_warning_says_is_enough_to_mend_it() -> None:
    mended = [*THREE[:-2], {"wait": "23h"}, THREE[-1]]

    assert warned(made(*mended), Policy(caps=(DAILY,))) == []


@pytest.mark.parametrize(
    ("cap", "steps"),
    [
        (Cap(limit=3, window="day"), THREE),
        (Cap(limit=2, window=timedelta(hours=2)), THREE),
        (Cap(limit=1, window="week", channel=Channel.EMAIL), THREE),
        (Cap(limit=1, window="day", journey="another"), THREE),
        (Cap(limit=1, window="day"), [send(purpose="transactional")] * 3),
        (DAILY, [send(), {"branch": [{"if": "data.x", "then": [{"id": "a", **send()}]}, {"else": []}]}]),
    ],
)
def test_a_cap_that_no_path_exceeds_is_no_warning(cap: Cap, steps: list[dict[str, Any]]) -> None:
    assert warned(made(*steps), Policy(caps=(cap,))) == []


def test_a_message_counts_on_each_channel_that_it_may_take() -> None:
    either = send(["email", "sms"])
    policy = Policy(caps=(Cap(limit=1, window="week", channel=Channel.SMS),))

    assert [step for step, _ in warned(made(either, {"wait": "6d"}, send("sms")), policy)] == ["s2"]
    assert warned(made(either, {"wait": "7d"}, send("sms")), policy) == []


caps = st.builds(
    Cap,
    limit=st.integers(1, 3),
    window=st.sampled_from(["day", "week", timedelta(hours=3)]),
    channel=st.none() | st.sampled_from([Channel.SMS, Channel.EMAIL]),
    purposes=st.sampled_from([frozenset({Purpose.MARKETING}), frozenset(Purpose)]),
)


@given(journeys(), caps)
def test_a_cap_warns_exactly_where_the_most_messages_exceed_it(journey: Journey, cap: Cap) -> None:
    most = max(crowded(journey).runs(covered(journey, cap), window_of(cap)), default=0)

    above = [one for one in warned(journey, Policy(caps=(cap,))) if one[1].startswith("more ")]
    assert bool(above) == (most > cap.limit)


def test_marketing_that_needs_a_confirmed_consent_is_asked_for_somewhere() -> None:
    strict = Policy(double_opt_in=frozenset({Channel.EMAIL}))
    journey = made(send("email", "transactional"), send("email"))
    asking = {"hello.es.email": {"html": "<a href='{{ links.confirm }}'>Yes</a>"}}

    ((step, message),) = warned(journey, strict)
    assert (step, "double_opt_in" in message) == ("s1", True)
    assert list(warnings(journey, strict, confirmable(journey, asking))) == []
    assert warned(made(send(["email", "sms"])), strict) == []
    assert confirmable(made(send("email")), asking) == set()
    assert confirmable(journey, {"hello.sms": asking["hello.es.email"]}) == set()
    by_text = made({"emit": {"event": "a.b", "asks_consent": {"sms": "marketing"}}}, send("sms", "transactional"))
    assert confirmable(by_text, {}) == {Channel.SMS}


def test_marketing_that_may_come_again_and_again_needs_a_cap() -> None:
    again = {"entry": {"event": "a.b", "again": "when-ended"}}

    assert [step for step, _ in warned(made(send(), **again), Policy())] == ["s0"]
    assert warned(made(send(), **again), Policy(caps=(DAILY,))) == []
    assert warned(made(send()), Policy()) == []
    assert warned(made(send(purpose="transactional"), **again), Policy()) == []


def test_a_journey_of_every_year_is_entered_each_year() -> None:
    journey = made(send(), entry={"date": "profile.birthday", "every": "year", "at": "09:00"})

    assert reentry(journey) == "each year"
    assert crowded(journey).number == 1


def test_hints_say_what_bounds_a_customer_who_enters_again_and_what_consent_is_needed() -> None:
    entry = {"event": "a.b", "key": "event.properties.id", "again": "30d"}
    journey = made(send("sms", "transactional"), send(["email", "whatsapp"]), entry=entry)
    policy = Policy(
        caps=(DAILY, Cap(limit=9, window="week", channel=Channel.EMAIL)),
        forbidden=(Forbidden(channel=Channel.WHATSAPP, purpose=Purpose.MARKETING, country="US"),),
    )

    anew = "a customer may enter again (each key, after 30d), and each enrollment counts anew; nothing bounds "

    assert list(hints(journey, policy, {})) == [
        f"{anew}transactional messages, marketing is bounded by the policy (2 a day)",
        "marketing messages by email and whatsapp need a recorded consent, and no message here asks for one",
        "marketing by whatsapp is forbidden in US",
    ]
    assert list(hints(journey, Policy(), {"hello.sms": {"text": "{{ links.preferences }}"}})) == [
        f"{anew}transactional messages, nothing bounds marketing messages",
    ]
    assert list(hints(made(send("sms", "transactional")), policy, {})) == []
