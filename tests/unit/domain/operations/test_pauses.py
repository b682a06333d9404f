"""Pauses: what waits during one, and when it continues, under each policy and under several at once."""

import re
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, time, timedelta
from itertools import pairwise
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from hypothesis import assume, example, given
from hypothesis import strategies as st

from cairn.domain.operations.pauses import (
    Late,
    NotBefore,
    Pause,
    Paused,
    PausedWait,
    PauseOutcome,
    PausePolicy,
    Proceed,
    paused_for,
    resume_message,
    resume_wait,
    targets_of,
)
from cairn.domain.operations.switches import LONGEST_MESSAGE_WAIT, LONGEST_TIMER_WAIT
from cairn.domain.shared.channels import Channel
from cairn.domain.shared.moments import Delay, LocalTime, Moment, Until
from tests.unit.makers import MONDAY, at

DOCUMENT = Path(__file__).parents[4] / "docs" / "pausing.md"
KEEP, ACTIVE_TIME, RESTART, SKIP_IF_LATE, SPREAD = PausePolicy
TARGET = "journey:visit"
TARGETS = targets_of("visit")
HOUR = timedelta(hours=1)
DAY = timedelta(days=1)
FOREVER = 10_000


def hours(number: float) -> datetime:
    return MONDAY + number * HOUR


def paused(since: float, until: float | None, policy: PausePolicy = KEEP, target: str = TARGET) -> Pause:
    return Pause(target, hours(since), None if until is None else hours(until), policy, 2 * HOUR)


def waiting(due: float, *, reached: float = 0, moment: Moment | None = None, zone: str = "UTC") -> PausedWait:
    return PausedWait("enr", hours(reached), hours(due), moment or Delay(hours(due) - hours(reached)), ZoneInfo(zone))


def resumed(pauses: Sequence[Pause], wait: PausedWait, now: float = FOREVER) -> PauseOutcome:
    return resume_wait(pauses, TARGETS, wait, hours(now))


def ends(pauses: Sequence[Pause], wait: PausedWait) -> datetime:
    """When the wait continues, asked at the end of the last pause, or when it is due if that is later."""
    after = max([wait.due_at, *(pause.until for pause in pauses if pause.until)])
    result = resume_wait(pauses, TARGETS, wait, after)
    return result.at if isinstance(result, NotBefore) else after


# One pause, one wait: from hour 10 to hour 20, reached at hour 0 unless stated.


@pytest.mark.parametrize(
    ("policy", "due", "reached", "goes_on"),
    [
        (KEEP, 15, 0, 20),
        (KEEP, 25, 0, 25),
        (KEEP, 15, 12, 20),
        (ACTIVE_TIME, 15, 0, 25),
        (ACTIVE_TIME, 25, 0, 35),
        (ACTIVE_TIME, 10, 0, 20),
        (ACTIVE_TIME, 18, 12, 26),  # reached during the pause: all of its six hours are to come
        (ACTIVE_TIME, 25, 20, 25),  # reached as the pause ended
        (RESTART, 15, 0, 35),
        (RESTART, 10, 0, 30),
        (RESTART, 25, 0, 45),
        (RESTART, 18, 12, 26),
        (RESTART, 25, 20, 25),
        (SKIP_IF_LATE, 25, 0, 25),
        (SKIP_IF_LATE, 20, 0, 20),
        (SPREAD, 25, 0, 25),
    ],
)
def test_a_wait_goes_on_when_the_policy_says(policy: PausePolicy, due: int, reached: int, goes_on: int) -> None:
    assert ends([paused(10, 20, policy)], waiting(due, reached=reached)) == hours(goes_on)


@pytest.mark.parametrize("policy", PausePolicy)
def test_a_pause_does_not_change_a_wait_that_ended_before(policy: PausePolicy) -> None:
    assert resumed([paused(10, 20, policy)], waiting(9, reached=0), now=9.5) == Proceed()


@pytest.mark.parametrize("policy", [KEEP, ACTIVE_TIME, RESTART])
def test_a_timer_that_fires_late_in_a_pause_continues_at_its_end(policy: PausePolicy) -> None:
    wait = waiting(9.99)

    assert resumed([paused(10, None, policy)], wait, now=10.01) == Paused(TARGET)
    assert resumed([paused(10, 20, policy)], wait, now=20) == Proceed()


def test_skip_if_late_drops_work_that_was_due_in_the_pause() -> None:
    assert resumed([paused(10, 20, SKIP_IF_LATE)], waiting(15), now=20) == Late(TARGET)
    assert resumed([paused(10, 20, SKIP_IF_LATE)], waiting(20), now=20) == Proceed()


@pytest.mark.parametrize("policy", PausePolicy)
def test_during_a_pause_nothing_continues(policy: PausePolicy) -> None:
    for pause in (paused(10, None, policy), paused(10, 20, policy)):
        assert resumed([pause], waiting(5), now=10) == Paused(TARGET)
        assert resumed([pause], waiting(15), now=19.9) == Paused(TARGET)


def test_a_pause_of_another_journey_has_no_effect() -> None:
    assert resumed([paused(10, None, target="journey:other")], waiting(15), now=16) == Proceed()
    assert resumed([paused(10, None, target="channel:sms")], waiting(15), now=16) == Proceed(), (
        "messages wait, timers do not"
    )
    assert resumed([paused(10, None, target="all")], waiting(15), now=16) == Paused("all")


# Several pauses of one wait.


def test_pauses_apply_in_the_order_of_time() -> None:
    wait = waiting(24)

    assert ends([paused(10, 20, ACTIVE_TIME), paused(30, 40, ACTIVE_TIME)], wait) == hours(44)
    assert ends([paused(10, 20, KEEP), paused(30, 40, RESTART)], wait) == hours(40), "over before the second began"
    assert ends([paused(10, 20, ACTIVE_TIME), paused(30, 40, RESTART)], wait) == hours(64)
    assert ends([paused(10, 20, RESTART), paused(30, 40, ACTIVE_TIME)], wait) == hours(54)
    assert resumed([paused(10, 20, ACTIVE_TIME), paused(30, 40, SKIP_IF_LATE)], wait, now=40) == Late(TARGET)
    assert resumed([paused(10, 20, ACTIVE_TIME), paused(30, 33, SKIP_IF_LATE)], wait, 33) == NotBefore(
        hours(34), TARGET
    )
    assert resumed([paused(10, 20, ACTIVE_TIME), paused(25, 30, SKIP_IF_LATE, target="all")], wait, 34) == Proceed()


def test_each_hour_of_overlapping_pauses_counts_once() -> None:
    whole = paused(5, 15, ACTIVE_TIME, target="all")

    assert ends([whole, paused(10, 20, ACTIVE_TIME)], waiting(24)) == hours(39)
    assert ends([whole, paused(7, 9, ACTIVE_TIME)], waiting(24)) == hours(34)
    assert ends([whole, paused(7, 9, RESTART)], waiting(24)) == hours(39), "it begins again when all of it is over"


def test_work_spread_beyond_a_second_pause_is_not_late_for_it() -> None:
    slow = replace(paused(10, 20, SPREAD), window=100 * HOUR)
    wait = waiting(15)
    own_time = ends([slow], wait)
    assert own_time > hours(22), "take another window where its own time comes sooner"

    assert resume_wait([slow, paused(21, 22, SKIP_IF_LATE)], TARGETS, wait, own_time) == Proceed()


# Dates and times of day.


@pytest.mark.parametrize("policy", [ACTIVE_TIME, RESTART])
def test_a_date_of_a_visit_never_moves(policy: PausePolicy) -> None:
    visit = Until("data.starts_at", -2 * DAY)

    assert ends([paused(10, 20, policy)], waiting(25, moment=visit)) == hours(25)
    assert ends([paused(10, 20, policy)], waiting(15, moment=visit)) == hours(20)


def test_a_time_of_day_stays_that_time_of_day() -> None:
    ten = LocalTime(time(10))
    new_york = PausedWait("enr", at("2026-03-05 12:00"), at("2026-03-05 15:00"), ten, ZoneInfo("America/New_York"))
    over_the_change_of_clocks = Pause(TARGET, at("2026-03-05 13:00"), at("2026-03-14 15:00"), ACTIVE_TIME)

    moved = ends([over_the_change_of_clocks], new_york)

    assert moved == at("2026-03-15 14:00"), "ten in the morning, an hour earlier in UTC than before the change"


def test_a_time_of_day_that_is_met_exactly_is_not_missed_by_a_day() -> None:
    three_days = Pause(TARGET, at("2026-03-05 09:00"), at("2026-03-08 09:00"), ACTIVE_TIME)
    wait = PausedWait("enr", at("2026-03-04 12:00"), at("2026-03-05 10:00"), LocalTime(time(10)), ZoneInfo("UTC"))

    assert ends([three_days], wait) == at("2026-03-08 10:00")


# Laws.

policies = st.sampled_from(PausePolicy)
lengths = st.integers(1, 30)
targets = st.sampled_from([TARGET, "all"])


@st.composite
def some_pauses(draw: st.DrawFn, policy: st.SearchStrategy[PausePolicy] = policies) -> list[Pause]:
    """Up to four that are over by hour 200, of the journey one after the other, of everything at any time."""
    found: list[Pause] = []
    for target in draw(st.lists(targets, min_size=1, max_size=4)):
        begin = draw(st.integers(0, 60))
        own = [pause.until for pause in found if pause.target == target and pause.until]
        since = max([hours(begin), *own])
        found.append(Pause(target, since, since + draw(lengths) * HOUR, draw(policy), draw(lengths) * HOUR))
    return found


@st.composite
def some_waits(draw: st.DrawFn) -> PausedWait:
    reached = draw(st.integers(0, 60))
    return waiting(reached + draw(st.integers(0, 60)), reached=reached)


@given(some_pauses(), some_waits(), st.integers(0, 200))
def test_nothing_happens_inside_a_pause(pauses: list[Pause], wait: PausedWait, now: int) -> None:
    assume(hours(now) >= wait.due_at)
    result = resumed(pauses, wait, now)

    assert isinstance(result, Paused) == any(pause.is_active(hours(now)) for pause in pauses)


@given(some_pauses(), some_waits())
def test_at_its_instant_the_wait_proceeds(pauses: list[Pause], wait: PausedWait) -> None:
    over = max(pause.until for pause in pauses if pause.until)
    now = max(over, wait.due_at)
    result = resume_wait(pauses, TARGETS, wait, now)

    if isinstance(result, NotBefore):
        assert result.at > now
        assert resume_wait(pauses, TARGETS, wait, result.at) == Proceed()
        assert resume_wait(pauses, TARGETS, wait, result.at - timedelta(microseconds=1)) == result


@given(some_pauses().flatmap(lambda pauses: st.tuples(st.just(pauses), st.permutations(pauses))), some_waits())
def test_the_order_of_the_stored_pauses_does_not_matter(
    pauses: tuple[list[Pause], list[Pause]], wait: PausedWait
) -> None:
    stored, otherwise = pauses

    assert resumed(otherwise, wait) == resumed(stored, wait)


@given(some_pauses(), some_waits())
def test_no_wait_ends_before_it_is_due(pauses: list[Pause], wait: PausedWait) -> None:
    assert ends(pauses, wait) >= wait.due_at


@given(some_pauses(st.just(ACTIVE_TIME)), some_waits())
@example([paused(0, 10, ACTIVE_TIME), paused(10, 20, ACTIVE_TIME)], waiting(10))
def test_under_active_time_a_wait_has_its_full_length_outside_of_all_pauses(
    pauses: list[Pause], wait: PausedWait
) -> None:
    on, now, active = [pause.is_active for pause in pauses], wait.reached_at, timedelta()
    while active < wait.due_at - wait.reached_at or any(is_on(now) for is_on in on):
        active += timedelta() if any(is_on(now) for is_on in on) else HOUR
        now += HOUR

    assert max(ends(pauses, wait), now) == max([now, *(pause.until for pause in pauses if pause.until)])


@given(some_pauses(st.just(RESTART)), some_waits())
def test_a_wait_that_begins_again_lasts_its_full_length_after_the_last_pause_that_touched_it(
    pauses: list[Pause], wait: PausedWait
) -> None:
    length = wait.due_at - wait.reached_at
    in_force = [pause.until for pause in pauses if pause.until and pause.until > wait.reached_at]
    goes_on = ends(pauses, wait)

    last = max(pause.until for pause in pauses if pause.until)
    wanted = {wait.due_at, *in_force, *(until + length for until in in_force)}
    assert goes_on in {max(one, last) for one in wanted}


@given(some_pauses(st.sampled_from([KEEP, ACTIVE_TIME, RESTART])), some_waits(), lengths)
def test_two_waits_keep_their_order(pauses: list[Pause], wait: PausedWait, later: int) -> None:
    behind = replace(wait, due_at=wait.due_at + later * HOUR)
    over = max([wait.due_at, behind.due_at, *(pause.until for pause in pauses if pause.until)])

    first, second = (resume_wait(pauses, TARGETS, one, over) for one in (wait, behind))

    assert (first.at if isinstance(first, NotBefore) else over) <= (
        second.at if isinstance(second, NotBefore) else over
    )


@given(some_pauses(st.just(SPREAD)), some_waits(), st.text(min_size=1))
def test_spread_work_happens_within_the_window_after_its_pause(pauses: list[Pause], wait: PausedWait, id_: str) -> None:
    (pause, *_) = pauses
    assume(pause.until and wait.reached_at < pause.until and wait.due_at < pause.until)
    assert pause.until is not None

    goes_on = ends([pause], replace(wait, enrollment=id_))

    assert pause.until <= goes_on < pause.until + pause.window


def test_many_waits_are_spread_evenly() -> None:
    pause = Pause(TARGET, hours(0), hours(10), SPREAD, 10 * HOUR)

    own_times = sorted(ends([pause], replace(waiting(5), enrollment=f"enr-{number}")) for number in range(1000))

    for hour in range(10):
        of_this_hour = [own_time for own_time in own_times if hours(10 + hour) <= own_time < hours(11 + hour)]
        assert 60 < len(of_this_hour) < 140
    assert max(after - before for before, after in pairwise(own_times)) < HOUR / 2


@given(some_pauses(), some_waits(), st.sampled_from(["America/New_York", "Asia/Kathmandu", "Australia/Lord_Howe"]))
def test_a_moved_time_of_day_is_the_first_that_is_not_before_the_moved_instant(
    pauses: list[Pause], wait: PausedWait, zone: str
) -> None:
    clock = wait.due_at.astimezone(ZoneInfo(zone)).time()
    by_the_clock = replace(wait, moment=LocalTime(clock), zone=ZoneInfo(zone))
    (pause, *_) = pauses

    exact, moved = ends([pause], wait), ends([pause], by_the_clock)

    if pause.policy in {ACTIVE_TIME, RESTART} and exact > (pause.until or exact):
        assert exact <= moved <= exact + DAY + HOUR
        assert moved.astimezone(ZoneInfo(zone)).time() == clock or moved.month in {3, 4, 10, 11}
    elif pause.policy not in {ACTIVE_TIME, RESTART}:
        assert moved == exact


# Messages.


def said(
    pauses: Sequence[Pause], due: float, now: float, crowd: str = "enr", channel: Channel = Channel.SMS
) -> PauseOutcome:
    names = targets_of("visit", "hello", channel, "US")
    return resume_message(pauses, names, due=hours(due), spread_key=crowd, now=hours(now))


@pytest.mark.parametrize("target", ["all", TARGET, "template:visit/hello", "channel:sms", "country:US"])
def test_a_message_waits_for_each_paused_target_that_covers_it(target: str) -> None:
    assert said([paused(10, None, target=target)], due=9, now=12) == Paused(target)


@pytest.mark.parametrize("target", ["journey:v", "template:visit/other", "channel:email", "country:CA"])
def test_a_message_does_not_wait_for_other_targets(target: str) -> None:
    assert said([paused(10, None, target=target)], due=9, now=12) == Proceed()


@pytest.mark.parametrize("due", [9, 15])
def test_a_paused_message_goes_out_on_resuming_or_is_late(due: int) -> None:
    for policy in (KEEP, ACTIVE_TIME, RESTART):
        assert said([paused(10, 20, policy)], due, now=20) == Proceed()
    assert said([paused(10, 20, SKIP_IF_LATE)], due, now=20) == Late(TARGET)


def test_a_message_that_was_to_wait_until_the_end_anyway_is_not_late() -> None:
    assert said([paused(10, 20, SKIP_IF_LATE)], due=20, now=20) == Proceed()


@given(some_pauses(), st.integers(0, 300))
def test_an_old_pause_has_no_effect_on_later_messages(pauses: list[Pause], due: int) -> None:
    over = max(pause.until for pause in pauses if pause.until)
    assume(hours(due) >= over)

    assert said(pauses, due, due) == Proceed()


@given(some_pauses(), st.integers(0, 200), st.integers(0, 200))
def test_a_message_waits_no_longer_than_the_last_window(pauses: list[Pause], due: int, now: int) -> None:
    assume(now >= due)
    result = said(pauses, due, now)

    assert isinstance(result, Paused) == any(pause.is_active(hours(now)) for pause in pauses)
    if isinstance(result, NotBefore):
        assert result.at <= max(pause.until + pause.window for pause in pauses if pause.until)
        assert resume_message(pauses, TARGETS, due=hours(due), spread_key="enr", now=result.at) in {
            Proceed(),
            Late(result.target),
        }


def test_messages_of_one_enrollment_are_spread_together() -> None:
    pause = [paused(10, 20, SPREAD)]

    assert said(pauses=pause, due=12, now=20) == said(pauses=pause, due=14, now=20)
    assert said(pauses=pause, due=12, now=20) != said(pauses=pause, due=12, now=20, crowd="another")


@given(some_pauses(), st.integers(0, 100), st.integers(0, 100))
def test_each_paused_hour_counts_once(pauses: list[Pause], since: int, later: int) -> None:
    counted = sum(any(pause.is_active(hours(hour)) for pause in pauses) for hour in range(since, since + later))

    assert paused_for(pauses, TARGETS, hours(since), hours(since + later)) == counted * HOUR
    assert paused_for(pauses, {"journey:other"}, hours(since), hours(since + later)) == timedelta()


def test_a_current_pause_counts_until_now() -> None:
    assert paused_for([paused(10, None)], TARGETS, hours(0), hours(15)) == 5 * HOUR


# Targets.


def test_the_document_knows_every_policy_and_every_target() -> None:
    text = DOCUMENT.read_text(encoding="utf-8")

    assert re.findall(r"^\| `(\w+)` \|", text, re.MULTILINE) == list(PausePolicy)
    for target in ("all", "channel:sms", "journey:<journey>", "template:<journey>/<template>", "country:US"):
        assert f"`{target}`" in text
    for stored in (LONGEST_MESSAGE_WAIT, LONGEST_TIMER_WAIT):
        assert f"{stored.days}" in text
