"""The proof over all paths at once equals an exhaustive search on the real engine, and is never too low."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from math import inf, isinf
from typing import get_args
from zoneinfo import ZoneInfo

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from authoring.proof.paths import Counts, Paths, crowded, longest
from authoring.proof.ways import DAY, WEEK, span_of
from cairn.domain.effects import Effect, SendMessage
from cairn.domain.event import Event
from cairn.domain.journey.definition import Journey
from cairn.domain.journey.engine import Entered, Happened, TimerFired, Trigger, advance, new_enrollment
from cairn.domain.journey.steps import (
    Begin,
    Branch,
    Emit,
    Exit,
    Set,
    Split,
    Step,
    Task,
    Update,
    Wait,
    WaitFor,
    Webhook,
)
from cairn.domain.journey.steps.send import Send
from cairn.domain.journey.steps.task import AwaitedTask
from cairn.domain.profile.profile import Profile
from cairn.domain.shared.calendars import Calendar
from cairn.domain.shared.channels import Channel, Purpose
from cairn.domain.shared.moments import Delay
from tests.unit.authoring.proof.exhaustive import Run, every_run, most_within, steerable
from tests.unit.authoring.proof.made import made, send
from tests.unit.strategies import journeys

HOUR = 3600.0

MOST_PATHS = 40
"""Of a journey that is searched exhaustively."""

COUNTED: dict[str, Counts] = {
    "all": lambda _: True,
    "marketing": lambda send: send.purpose is Purpose.MARKETING,
    "texts": lambda send: Channel.SMS in send.channels,
}


@given(steerable())
def test_the_worst_case_is_what_an_exhaustive_search_finds(journey: Journey) -> None:
    paths = crowded(journey)
    assume(paths.number <= MOST_PATHS)

    runs = list(every_run(journey))

    for counts in COUNTED.values():
        assert paths.most(counts) == max(sum(counts(send) for _, send in run.sent) for run in runs)
        for window in (3600.0, DAY, WEEK):
            found = max(paths.runs(counts, window), default=0)
            assert found == max(most_within(run, window, counts) for run in runs)
    if not isinf(longest(journey)):
        assert longest(journey) == pytest.approx(max(run.seconds for run in runs), abs=60)


def walked(paths: Paths, step: str | None) -> Iterator[tuple[str, ...]]:
    """Each path from a step, one by one."""
    if step is None:
        yield ()
        return
    for target in {way.target for way in paths.ways[step]}:
        for rest in walked(paths, target):
            yield (step, *rest)


@given(steerable())
def test_paths_are_counted_as_when_they_are_walked_one_by_one(journey: Journey) -> None:
    paths = crowded(journey)
    assume(paths.number <= 1000)

    assert paths.number == len(set(walked(paths, journey.start)))


EVENTFUL = st.sampled_from(["invoice.paid", "visit.attended", "booking.cancelled"])


@st.composite
def days_of_a_customer(draw: st.DrawFn) -> tuple[datetime, list[tuple[float, str]]]:
    """An instant of entry, and for each wait whether an event comes: after which part of the wait, and which."""
    begins = draw(st.datetimes(datetime(2026, 6, 1), datetime(2026, 6, 9), timezones=st.just(UTC)))  # noqa: DTZ001
    parts = st.sampled_from([0.0, 0.25, 0.999, 1.0, 1.0])
    return begins, draw(st.lists(st.tuples(parts, EVENTFUL), min_size=40, max_size=40))


@given(journeys(), days_of_a_customer(), st.data())
def test_no_enrollment_exceeds_what_is_proven(
    journey: Journey, days: tuple[datetime, list[tuple[float, str]]], data: st.DataObject
) -> None:
    """Of any journey, with local times, weekdays and spreads too, whatever its customers' data says."""
    now, course = days
    run, began, entered = Run(), now, None
    profile = Profile(data.draw(st.sampled_from(["c1", "c2", "c3", "c4"])), now)
    dates = ["2026-06-03T09:00:00Z", "2026-06-12", "2026-05-01", None]
    properties = {"a": 1, "b": "09:00", "at": data.draw(st.sampled_from(dates)), "key": "b-1"}
    entry = Event(id="e", source="track", type="trial.signup", occurred_at=now, properties=properties)
    enrollment = new_enrollment(journey, profile, entry, "b-1", now)
    trigger: Trigger = Entered()

    for number, (part, event_type) in enumerate(course):
        decision = advance(journey, enrollment, profile, trigger, now)
        enrollment, profile = decision.enrollment, decision.profile
        entered = now if any(fact.kind == "entered" for fact in decision.facts) else entered
        run.seconds = (now - entered).total_seconds() if entered else 0.0
        run.sent += [
            ((now - began).total_seconds(), send) for effect in decision.effects if (send := sent_by(journey, effect))
        ]
        if not enrollment.open or enrollment.due_at is None:
            break
        if part < 1:
            now += part * (enrollment.due_at - now)
            changed = properties | {"at": data.draw(st.sampled_from(dates))}
            event = Event(id=f"e{number}", source="track", type=event_type, occurred_at=now, properties=changed)
            trigger = Happened(event)
        else:
            now, trigger = enrollment.due_at, TimerFired(enrollment.sequence)

    paths = crowded(journey)
    for counts in COUNTED.values():
        assert len([send for _, send in run.sent if counts(send)]) <= paths.most(counts)
        for window in (3600.0, DAY, WEEK):
            assert most_within(run, window, counts) <= max(paths.runs(counts, window), default=0)
    assert run.seconds <= longest(journey)


def sent_by(journey: Journey, effect: Effect) -> Send | None:
    step = journey.steps[effect.step] if isinstance(effect, SendMessage) else None
    return step if isinstance(step, Send) else None


def times(journey: Journey) -> tuple[int, int, float]:
    """The most messages in a day and in a week, and the longest duration in days."""
    most = [max(crowded(journey).runs(COUNTED["all"], window), default=0) for window in (DAY, WEEK)]
    return *most, longest(journey) / DAY


def test_exactly_a_day_apart_are_not_two_in_a_day() -> None:
    assert times(made(send(), {"wait": "1d"}, send())) == (1, 2, 1)
    assert times(made(send(), {"wait": "23h59m59s"}, send()))[0] == 2


def test_days_after_entry_are_a_day_apart_whatever_came_before() -> None:
    """Both are late where an event may be awaited for a week, and then they follow at once."""
    days = [{"wait": {"at": "10:00", "day": 1}}, send(), {"wait": {"at": "10:00", "day": 2}}, send()]
    a_week = {"wait_for": {"event": "a.c", "timeout": "7d"}}

    assert times(made(*days)) == (1, 2, pytest.approx(2 + 10 / 24))
    assert times(made(a_week, *days)) == (2, 2, 7)


def test_the_first_message_and_one_on_the_next_morning_may_be_ten_hours_apart() -> None:
    assert times(made(send(), {"wait": {"at": "10:00", "day": 1}}, send()))[0] == 2
    assert times(made(send(), {"wait": {"at": "10:00", "day": 2}}, send()))[0] == 1


def test_a_time_of_day_that_is_looked_up_may_be_any() -> None:
    looked_up = {"at": "10:00", "at_from": "profile.x", "day": 2}

    assert closest(made(send(), {"wait": {"at": "10:00", "day": 2}}, send())) == DAY + 10 * HOUR
    assert closest(made(send(), {"wait": looked_up}, send())) == DAY
    assert longest(made({"wait": looked_up})) == 3 * DAY


def closest(journey: Journey) -> float:
    """The least time between two messages, in seconds."""
    return crowded(journey).runs(COUNTED["all"], inf)[2].seconds


def test_a_customer_who_is_late_skips_a_step_and_not_a_split() -> None:
    soon = {"wait": {"until": "data.at", "if_past": "skip"}}
    asked = {"wait_for": {"event": "a.c", "timeout": "2d", "else": [{"id": "again", **send()}]}}
    arms = [{"arm": "a", "weight": 1, "then": [{"id": "a", **send()}]}, {"arm": "b", "weight": 1}]

    assert closest(made(send(), soon, asked)) == 0
    assert closest(made(send(), soon, {"wait": "2d"}, send())) == 0
    assert closest(made(send(), soon, {"split": {"arms": arms}}, {"wait": "2d"}, send())) == 0


def test_a_webhook_may_be_answered_at_once_or_in_vain() -> None:
    late = [{"id": "late", **send()}]
    journey = made(send(), {"webhook": {"endpoint": "crm", "timeout": "2h", "else": late}}, {"wait": "1d"}, send())

    assert closest(journey) == 0
    assert longest(journey) == DAY + 2 * HOUR
    assert crowded(journey).most(COUNTED["all"]) == 3


def test_no_customer_gets_an_arm_of_no_weight() -> None:
    then = [{"id": "a", **send()}]
    arms = [{"arm": "a", "weight": 0, "then": then}, {"arm": "b", "weight": 1}]

    assert crowded(made({"split": {"arms": arms}})).most(COUNTED["all"]) == 0


def test_of_two_ways_to_a_message_the_shorter_one_counts() -> None:
    slow = [{"id": "slow", "wait": "2d"}]

    assert closest(made(send(), {"branch": [{"if": "data.x", "then": slow}]}, send())) == 0
    assert closest(made(send(), {"branch": [{"if": "data.x", "then": []}, {"else": slow}]}, send())) == 0
    assert closest(made(send(), {"wait_for": {"event": "a.c", "timeout": "2d"}}, send())) == 0


def test_a_wait_for_weekdays_may_take_until_the_next_of_them() -> None:
    working = {"at": "10:00", "weekdays": ["mon", "tue", "wed", "thu", "fri"]}

    assert times(made({"wait": {"at": "10:00"}}))[2] == 1
    assert times(made({"wait": working}))[2] == 3
    assert times(made({"wait": {"at": "10:00", "weekdays": ["mon"], "spread": "12h"}}))[2] == 7.5
    assert times(made({"wait": working | {"day": 1}}))[2] == pytest.approx(3 + 10 / 24)


NINE_TO_FIVE = [[[9 * 60, 17 * 60]]] * 5 + [[], []]


def test_a_calendar_is_closed_longest_over_its_holidays() -> None:
    """From Friday at five to Monday at nine, and to Wednesday where Monday and Tuesday are holidays."""
    holidays = {"hours": NINE_TO_FIVE, "closed": ["2027-03-29", "2027-03-30"]}

    assert longest(made({"wait": {"open": {"hours": NINE_TO_FIVE}}})) == 64 * HOUR
    assert longest(made({"wait": {"open": holidays}})) == 112 * HOUR
    assert longest(made({"wait": {"for": "2h", "open": holidays}})) == 114 * HOUR
    assert longest(made({"wait": {"at": "10:00", "open": holidays}})) == 5 * DAY
    assert longest(made({"wait": {"at": "00:00", "day": 0, "open": holidays}})) == 4 * DAY


@given(st.integers(0, 40), st.sets(st.integers(0, 20)), st.integers(0, 21 * 24 * 4))
def test_no_wait_for_a_calendar_takes_longer_than_the_proof_says(hours: int, closed: set[int], began: int) -> None:
    office = Calendar.from_document(
        {"hours": NINE_TO_FIVE, "closed": [f"2026-06-{1 + day:02}" for day in closed]},
    )
    since = datetime(2026, 6, 1, tzinfo=UTC) + timedelta(minutes=15 * began)
    ends = office.after(since, timedelta(hours=hours), ZoneInfo("UTC"))

    span = span_of(Delay(timedelta(hours=hours), calendar=office), DAY)

    assert ends is not None
    assert span.least <= (ends - since).total_seconds() <= span.most


def test_only_a_date_may_make_a_journey_endless() -> None:
    assert isinf(times(made({"wait": {"until": "data.at"}}))[2])
    assert isinf(times(made({"wait_for": {"event": "a.c", "timeout": {"until": "data.at"}}}))[2])
    assert times(made({"wait": {"until": "enrollment.since", "offset": "2d"}}))[2] == 2


def test_a_customer_who_cannot_be_late_takes_no_way_of_those_who_are() -> None:
    out = {"wait": {"at": "10:00", "day": 3, "if_past": "exit"}}

    assert crowded(made(out, send())).number == 1
    assert crowded(made({"wait": "8d"}, out, send())).number == 2


TIMELESS = {Send, Branch, Task, Update, Set, Emit, Exit}


def test_the_time_that_each_kind_of_step_takes_is_known() -> None:
    """A new kind belongs into `ways` if it waits or chooses by itself, and here if its successors follow at once."""
    assert TIMELESS | {AwaitedTask, Begin, Wait, WaitFor, Webhook, Split} == set(get_args(Step))
