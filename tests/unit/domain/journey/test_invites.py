"""The invite of a message: which appointment, when, and which version of it. Calendars end up with the last one."""

from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cairn.adapters.dynamodb import codec
from cairn.adapters.dynamodb.effect_codec import effect_from_wire, effect_to_wire
from cairn.application.events.relay_effects import message_of
from cairn.domain.effects import SendMessage
from cairn.domain.journey import engine
from cairn.domain.journey.definition import Journey
from cairn.domain.journey.engine import Decision, Happened
from cairn.domain.journey.enrollment import Status
from cairn.domain.shared.channels import Channel
from cairn.domain.shared.invites import LAST_SEQUENCE, Invite, sequence_at
from tests.unit.makers import MONDAY, at, entered, event, journey, profile, sent, wait, wait_for
from tests.unit.strategies import instants

HOUR = timedelta(hours=1)
VISIT = {"starts": "data.visit_at", "lasts": "2h"}


def inviting(id_: str = "confirm", **invite: Any) -> dict[str, Any]:
    send = {"channel": ["email", "sms"], "template": id_, "purpose": "transactional", "invite": invite or VISIT}
    return {"id": id_, "send": send}


def booking(*steps: dict[str, Any], **document: Any) -> Journey:
    by_booking = {"event": "booking.confirmed", "key": "event.properties.booking_id"}
    return journey(*steps, **{"journey": "booking", "entry": by_booking, **document})


def invite_of(decision: Decision) -> Invite | None:
    (message,) = [effect for effect in decision.effects if isinstance(effect, SendMessage)]
    return message.invite


@pytest.mark.parametrize(
    ("visit_at", "starts"),
    [
        ("2026-03-07T18:30:00+01:00", "2026-03-07 17:30"),
        ("2026-03-07T18:30:00", "2026-03-07 23:30"),  # New York, in winter
        ("2026-03-08T02:30:00", "2026-03-08 07:30"),  # an hour that New York skips: 03:30 in summer time
        ("2026-03-08T18:30:00", "2026-03-08 22:30"),  # and that evening
        (1772904600, "2026-03-07 17:30"),
    ],
)
def test_it_starts_on_the_customer_s_clock_and_lasts_in_exact_time(visit_at: Any, starts: str) -> None:
    invite = invite_of(entered(booking(inviting()), who=profile(time_zone="America/New_York"), visit_at=visit_at))

    assert invite is not None
    assert (invite.starts, invite.ends) == (at(starts), at(starts) + 2 * HOUR)


def test_it_may_end_by_a_date() -> None:
    decision = entered(
        booking(inviting(starts="data.from", ends="data.to")),
        **{"from": "2026-03-07T10:00Z", "to": "2026-03-07T11:30Z"},
    )

    invite = invite_of(decision)
    assert invite is not None
    assert invite.ends == at("2026-03-07 11:30")


MISSED = [
    ("next Friday", "moment_unreadable"),
    (None, "moment_unknown"),
    ("9999-12-31T23:59:59Z", "moment_unknown"),
    ("2026-03-02T09:59:00Z", "moment_past"),
]


@pytest.mark.parametrize(("visit_at", "fact"), MISSED)
@pytest.mark.parametrize("choice", ["continue", "skip", "exit", ""])
def test_a_date_that_is_no_date_is_treated_as_by_a_wait(visit_at: Any, fact: str, choice: str) -> None:
    written = {"if_past": choice, "if_unreadable": choice} if choice else {}
    tested = booking(inviting(**VISIT, **written), wait("a-while", "1h"))

    decision = entered(tested, visit_at=visit_at)

    expected = choice or ("exit" if fact == "moment_unreadable" else "continue")
    assert [one.step for one in decision.facts if one.kind == fact] == ["confirm"]
    assert sent(decision) == (["confirm"] if expected == "continue" else [])
    assert (decision.enrollment.status is Status.ENDED) is (expected == "exit")
    if expected == "continue":
        assert invite_of(decision) is None
    if expected == "exit":
        assert decision.enrollment.outcome == (fact if fact == "moment_unreadable" else "moment_past")


def test_an_end_before_the_start_cannot_be_read() -> None:
    tested = booking(inviting(starts="data.from", ends="data.to"))

    decision = entered(tested, **{"from": "2026-03-07T10:00Z", "to": "2026-03-07T10:00Z"})

    assert decision.enrollment.outcome == "moment_unreadable"


def test_a_cancellation_is_sent_whatever_its_date_is() -> None:
    for invite in ({"cancel": True}, {"cancel": True, **VISIT}):
        for visit_at in ("next Friday", None, "2026-03-02T09:59:00Z"):
            found = invite_of(entered(booking(inviting(**invite)), visit_at=visit_at))
            assert found is not None
            assert (found.cancels, found.starts, found.ends) == (True, None, None)


MOVED = {"event": "booking.moved", "key": "any", "where": "event.properties.previous_id == data.booking_id"}


def test_a_booking_that_moves_and_gets_another_id_is_the_same_entry_with_more_sequence() -> None:
    again = wait_for("moves", "booking.moved", key="any", then=(inviting("moved"),))
    tested = booking(inviting(), again, refresh_on=[MOVED])
    first = entered(tested, key="B-1", booking_id="B-1", visit_at="2026-03-07T10:00Z")
    moves = event(
        "booking.moved",
        MONDAY + HOUR,
        properties={"booking_id": "B-2", "previous_id": "B-1", "visit_at": "2026-03-09T10:00Z"},
    )

    second = engine.advance(tested, first.enrollment, first.profile, Happened(moves), MONDAY + HOUR)

    before, after = invite_of(first), invite_of(second)
    assert before is not None
    assert after is not None
    assert before.uid == after.uid
    assert before.sequence < after.sequence
    assert after.starts == at("2026-03-09 10:00")


def test_another_journey_moves_or_cancels_the_entry_of_the_same_key() -> None:
    cancelled = booking(inviting(cancel=True, of="booking"), journey="booking-cancelled")

    first = invite_of(entered(booking(inviting()), key="B-1", visit_at="2026-03-07T10:00Z"))
    last = invite_of(entered(cancelled, key="B-1"))
    other = invite_of(entered(cancelled, key="B-2"))

    assert first is not None
    assert last is not None
    assert other is not None
    assert first.uid == last.uid != other.uid
    assert first.sequence < last.sequence, "also in the second of the booking"


def test_entries_of_two_journeys_and_of_two_enrollments_without_a_key_are_different() -> None:
    one, other = booking(inviting()), booking(inviting(), journey="delivery")
    uids = {
        invite.uid
        for made in (
            entered(one, key="1", visit_at="2026-03-07T10:00Z"),
            entered(other, key="1", visit_at="2026-03-07T10:00Z"),
            entered(one, who=profile("c_ada"), visit_at="2026-03-07T10:00Z"),
            entered(one, who=profile("c_bob"), visit_at="2026-03-07T10:00Z"),
        )
        if (invite := invite_of(made))
    }

    assert len(uids) == 4


@given(st.lists(st.tuples(instants, st.booleans()), min_size=2, max_size=8, unique=True), st.randoms())
def test_in_whatever_order_they_arrive_the_newest_data_have_the_most_sequence(
    known: list[tuple[datetime, bool]], order: Any
) -> None:
    """Truncated to seconds, and a cancellation after a date of the same second."""
    arriving = list(known)
    order.shuffle(arriving)

    last = max(arriving, key=lambda one: sequence_at(one[0], cancels=one[1]))

    newest = max(known, key=lambda one: (one[0].replace(microsecond=0), one[1]))
    assert sequence_at(last[0], cancels=last[1]) == sequence_at(newest[0], cancels=newest[1])
    assert all(0 <= sequence_at(at_, cancels=cancels) <= LAST_SEQUENCE for at_, cancels in known)


def test_a_late_event_does_not_outdo_the_newer_one() -> None:
    """The journey that a move starts: its older event comes last, and its invite has less sequence."""
    moved = booking(inviting(**VISIT, of="booking"), journey="booking-moved")
    newer = entered(moved, MONDAY + HOUR, key="B-1", visit_at="2026-03-09T10:00Z")
    start = event("booking.confirmed", MONDAY, properties={"visit_at": "2026-03-08T10:00Z"})
    enrollment = engine.new_enrollment(moved, profile(), start, "B-1", MONDAY + 2 * HOUR)
    older = engine.advance(moved, enrollment, profile(), engine.Entered(), MONDAY + 2 * HOUR)

    first, last = invite_of(newer), invite_of(older)

    assert first is not None
    assert last is not None
    assert first.sequence > last.sequence


def test_a_date_of_the_profile_counts_from_now() -> None:
    tested = booking(inviting(starts="profile.next_visit", lasts="1h"))
    who = profile(next_visit="2026-03-07T10:00Z")

    first = invite_of(entered(tested, MONDAY, who, "B-1"))

    assert first is not None
    assert first.sequence == sequence_at(MONDAY, cancels=False)


def test_it_travels_with_the_message_and_is_there_on_the_next_channel_too() -> None:
    tested = booking({"id": "confirm", "send": inviting()["send"] | {"channel": ["sms", "email"]}})
    decision = entered(tested, key="B-1", visit_at="2026-03-07T10:00Z")
    (effect,) = [one for one in decision.effects if isinstance(one, SendMessage)]

    assert effect_from_wire(effect_to_wire(effect)) == effect
    message = message_of(effect, decision.profile, decision.enrollment, MONDAY)
    assert message.invite == effect.invite
    assert codec.message_from_wire(codec.message_to_wire(message)) == message
    again = engine.fall_back(tested, decision.enrollment, decision.profile, effect.id, "sms", MONDAY + HOUR)
    assert again is not None
    assert again.invite == effect.invite


def test_what_a_visitor_typed_cancels_no_entry_but_its_own() -> None:
    """A visitor may know the id of another customer's booking, and type their address."""
    cancelled = booking(inviting(cancel=True, of="booking"), journey="booking-cancelled")
    start = event("booking.confirmed", MONDAY)
    enrollment = engine.new_enrollment(cancelled, profile("c_eve"), start, "B-1", MONDAY)
    typed = replace(enrollment, addresses={Channel.EMAIL: "ada@example.com"})

    booked = invite_of(entered(booking(inviting()), key="B-1", visit_at="2026-03-07T10:00Z"))
    forged = invite_of(engine.advance(cancelled, typed, profile("c_eve"), engine.Entered(), MONDAY))

    assert booked is not None
    assert forged is not None
    assert booked.uid != forged.uid
