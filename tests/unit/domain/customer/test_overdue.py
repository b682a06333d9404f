"""Overdue work, and when to look at it again: laws, and the cases that are nobody's fault."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cairn.domain.consent.contact import Deferral
from cairn.domain.customer.overdue import (
    GIVEN_UP,
    GRACE,
    LONGEST_REST,
    PERSONS_REST,
    WaitingMessage,
    due_hour,
    look_again,
    next_decision,
    next_timer,
    overdue_enrollments,
    overdue_messages,
)
from cairn.domain.journey.enrollment import Enrollment, Status
from cairn.domain.message.message import MessageStatus
from cairn.domain.operations.pauses import Pause
from tests.unit.strategies import instants

NOW = datetime(2026, 3, 10, 14, 20, tzinfo=UTC)
LONG_AGO = NOW - timedelta(hours=5)


def enrollment(due: datetime | None, id_: str = "e", *, status: Status = Status.ACTIVE) -> Enrollment:
    return Enrollment(id_, "course", "v1", "", LONG_AGO, LONG_AGO, step="wait", due_at=due, status=status)


def deferral(until: datetime | None, decided_at: datetime = LONG_AGO) -> Deferral:
    return Deferral(until, "paused" if until is None else "cap", "e", decided_at, 0)


@given(instants)
def test_an_hour_is_the_first_full_one_that_is_not_before(at: datetime) -> None:
    hour = due_hour(at)

    assert at <= hour < at + timedelta(hours=1)
    assert (hour.minute, hour.second, hour.microsecond) == (0, 0, 0)
    assert due_hour(hour) == hour


def test_the_last_hour_of_time_is_an_hour() -> None:
    assert due_hour(datetime.max.replace(tzinfo=UTC)).year == 9999


@given(st.dictionaries(st.text(max_size=3), st.none() | instants, max_size=6), instants)
def test_every_enrollment_is_woken_or_looked_at_again_in_time(dues: dict[str, datetime | None], now: datetime) -> None:
    enrollments = {id_: enrollment(due, id_) for id_, due in dues.items()}

    found = overdue_enrollments(enrollments, (), now)

    assert {one.id for one in found.stuck} == {id_ for id_, due in dues.items() if due and now - due >= GRACE}
    later = [due for due in dues.values() if due and now - due < GRACE]
    assert (found.look_at is None) == (next_timer(enrollments.values()) is None)
    assert found.look_at is None or all(found.look_at <= due for due in later)
    assert not found.stuck or found.look_at is None or found.look_at <= now + LONGEST_REST


@given(st.lists(st.none() | instants, max_size=6), instants, st.sampled_from([None, *MessageStatus]))
def test_every_deferral_is_set_going_ended_or_looked_at_again(
    untils: list[datetime | None], now: datetime, status: MessageStatus | None
) -> None:
    messages = [WaitingMessage(str(n), deferral(until), status) for n, until in enumerate(untils)]

    found = overdue_messages(messages, (), now)

    handled = [*found.stuck, *found.over, *found.lost]
    assert len({one.id for one in handled}) == len(handled)
    left = {one.id for one in messages} - {one.id for one in (*found.over, *found.lost)}
    assert (found.look_at is None) == (not left)
    assert all(one.status is MessageStatus.DEFERRED for one in found.stuck)


@given(instants, st.integers(0, 40))
def test_what_always_fails_is_tried_ever_less_often(due: datetime, days: int) -> None:
    now, looks = due + GRACE, 0
    while now < due + timedelta(days=days):
        now, looks = look_again(due, now), looks + 1

    assert looks <= 10 + days / 7


def test_a_holdout_and_whoever_has_ended_wait_for_no_timer() -> None:
    ended = enrollment(LONG_AGO).ending("completed", NOW)

    assert next_timer([enrollment(None, status=Status.HELD_OUT), ended]) is None
    assert overdue_enrollments({"e": ended}, (), NOW).look_at is None


def test_a_wait_that_a_pause_has_moved_is_overdue_by_its_new_instant() -> None:
    moved = replace(enrollment(LONG_AGO), moved_to=NOW + timedelta(days=2))

    assert overdue_enrollments({"e": moved}, (), NOW).stuck == ()
    assert next_timer([moved]) == NOW + timedelta(days=2)


@pytest.mark.parametrize("target", ["all", "journey:course"])
def test_a_thousand_paused_enrollments_are_not_woken_and_looked_at_after_a_day(target: str) -> None:
    crowd = {str(n): enrollment(LONG_AGO, str(n)) for n in range(1_000)}

    found = overdue_enrollments(crowd, [Pause(target, LONG_AGO)], NOW)

    assert found.stuck == ()
    assert found.look_at == NOW + PERSONS_REST


@pytest.mark.parametrize(("ended", "woken"), [(NOW - timedelta(minutes=20), 0), (NOW - timedelta(hours=2), 1)])
def test_a_pause_that_has_just_ended_is_left_to_the_resume(ended: datetime, woken: int) -> None:
    found = overdue_enrollments({"e": enrollment(LONG_AGO)}, [Pause("journey:course", LONG_AGO, ended)], NOW)

    assert len(found.stuck) == woken


@pytest.mark.parametrize("pauses", [[], [Pause("channel:sms", LONG_AGO)]])
def test_a_paused_message_waits_as_long_as_its_target_is_paused(pauses: list[Pause]) -> None:
    old = deferral(None, NOW - timedelta(days=3))

    found = overdue_messages([WaitingMessage("m", old, MessageStatus.DEFERRED, "channel:sms")], pauses, NOW)

    assert len(found.stuck) == (0 if pauses else 1)
    assert next_decision([old]) == old.decided_at + PERSONS_REST


@pytest.mark.parametrize("hours", [2, 23, 25])
def test_a_deferral_without_a_message_is_given_up_after_a_day(hours: int) -> None:
    found = overdue_messages([WaitingMessage("m", deferral(NOW - timedelta(hours=hours)), None)], (), NOW)

    assert (len(found.lost), found.stuck) == (int(timedelta(hours=hours) >= GIVEN_UP), ())


def test_a_message_that_its_queue_has_just_tried_is_not_stuck() -> None:
    tried = replace(deferral(LONG_AGO), tried_at=NOW - timedelta(minutes=15))
    lost = replace(deferral(LONG_AGO), tried_at=NOW - GRACE)

    found = overdue_messages(
        [WaitingMessage(id_, one, MessageStatus.DEFERRED) for id_, one in (("tried", tried), ("lost", lost))], (), NOW
    )

    assert [one.id for one in found.stuck] == ["lost"]
    assert next_decision([tried]) == tried.tried_at
