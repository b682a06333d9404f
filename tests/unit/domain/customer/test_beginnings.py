"""Journeys that begin by a date of the profile, by silence, or by a condition, with every event and timer."""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from itertools import pairwise
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from cairn.application.events.relay_effects import event_of
from cairn.domain.customer.customer import merge_customers, on_event, on_wake
from cairn.domain.customer.state import Customer, Reaction
from cairn.domain.effects import EmitEvent, OpenTask, WakeAt
from cairn.domain.journey.definition import Journey
from cairn.domain.journey.enrollment import Status
from cairn.domain.profile.profile import Activity
from cairn.domain.shared.channels import Channel
from tests.unit.makers import MONDAY, Deployed, event, journey, name, profile, send, sent, wait

NEW_YORK = ZoneInfo("America/New_York")
BIRTHDAY = {"date": "profile.birthday", "every": "year", "at": "09:00", "watches": ["birthday"]}
YEAR = timedelta(days=365)


class Life:
    """A customer of a deployment; what is emitted happens, and timers fire, in their order."""

    def __init__(self, *journeys: Journey, **attributes: Any) -> None:
        self.deployed = Deployed(*journeys)
        self.customer = Customer(profile(**attributes))
        self.now = MONDAY
        self.timers: dict[str, WakeAt] = {}
        self.sent: list[tuple[date, str]] = []
        self.facts: list[tuple[str, str]] = []
        self.events = 0
        self.tasks: list[Any] = []
        self.entered: list[datetime] = []

    def happens(self, type_: str = "visit.made", **more: Any) -> None:
        self.events += 1
        self.now += timedelta(seconds=1)
        self.hears(event(type_, self.now, id_=f"{type_}-{self.events}", **more))

    def hears(self, one: Any) -> None:
        self.carry_out(on_event(self.customer, one, self.deployed, self.now))

    def passes(self, length: timedelta) -> None:
        until = self.now + length
        while due := sorted((one for one in self.timers.values() if one.at <= until), key=lambda one: (one.at, one.id)):
            timer = due[0]
            del self.timers[timer.id]
            self.now = max(self.now, timer.at)
            reaction = on_wake(self.customer, timer.enrollment, timer.sequence, self.deployed, self.now)
            if reaction is not None:
                self.carry_out(reaction)
        self.now = until

    def carry_out(self, reaction: Reaction) -> None:
        self.customer = reaction.customer
        self.sent += [(self.now.astimezone(NEW_YORK).date(), template) for template in sent(reaction)]
        details = [(fact.kind, fact.detail) for fact in reaction.facts]
        self.entered += [self.now for kind, _ in details if kind == "entered"]
        self.facts += [(kind, str(one.get("reason", one.get("outcome", "")))) for kind, one in details]
        for effect in reaction.effects:
            if isinstance(effect, OpenTask):
                self.tasks.append(effect.context.get("day"))
            if isinstance(effect, WakeAt):
                self.timers[effect.id] = effect
        for effect in reaction.effects:
            if isinstance(effect, EmitEvent):
                self.events += 1
                assert self.events < 500, "events follow from events without end"
                self.hears(event_of(effect, self.customer.id, self.now))

    def kinds(self) -> list[str]:
        return [kind for kind, _ in self.facts if kind not in {"waiting", "updated"}]

    def open(self) -> int:
        return sum(one.open for one in self.customer.enrollments.values())


def birthdays(**more: Any) -> Journey:
    return journey(send("hello"), entry=BIRTHDAY | more.pop("entry", {}), time_zone="America/New_York", **more)


def test_a_birthday_is_written_to_every_year_at_nine() -> None:
    life = Life(birthdays())

    life.happens(attributes={"birthday": "1990-03-14"})
    life.passes(3 * YEAR)

    assert life.sent == [(date(year, 3, 14), "hello") for year in (2026, 2027, 2028)]
    assert life.kinds()[:2] == ["entered", "ended"]
    assert life.open() == 1, "that of the next year waits"


@given(
    st.dates(date(1920, 1, 1), date(2025, 12, 31)),
    st.sampled_from(["{0:%Y-%m-%d}", "--{0:%m-%d}", "{0:%m-%d}", "{0:%Y%m%d}", "{0:%Y-%m-%d}T12:00:00"]),
    st.integers(-30, 30),
)
@example(date(1992, 2, 29), "--{0:%m-%d}", 0)
@example(date(1990, 3, 2), "{0:%Y-%m-%d}", 0)
def test_every_year_has_its_day_once(born: date, written: str, day: int) -> None:
    life = Life(birthdays(entry={"day": day}))

    life.happens(attributes={"birthday": written.format(born)})
    life.passes(timedelta(days=4 * 366))

    days = [on - timedelta(days=day) for on, _ in life.sent]
    assert all((one.month, one.day) in {(born.month, born.day), (2, 28)} for one in days)
    assert all(one.day == born.day or (born.month, born.day) == (2, 29) for one in days)
    assert len({one.year for one in days}) == len(days) in {3, 4, 5}
    assert sum((one.month, one.day) == (2, 29) for one in days) == ((born.month, born.day) == (2, 29))


def test_a_corrected_birthday_moves_the_timer() -> None:
    life = Life(birthdays())
    life.happens(attributes={"birthday": "1990-03-14"})
    life.passes(timedelta(days=2))

    life.happens(attributes={"birthday": "1990-03-20"})
    life.passes(timedelta(days=30))

    assert life.sent == [(date(2026, 3, 20), "hello")]


@pytest.mark.parametrize("removed", [None, "soon", "31.02.", True, 0, "99-99", ["1990-03-14"], "\ud800"])
def test_without_a_date_nothing_waits(removed: Any) -> None:
    life = Life(birthdays())
    life.happens(attributes={"birthday": "1990-03-14"})

    life.happens(attributes={"birthday": removed})
    life.passes(timedelta(days=300))

    assert life.sent == [] or removed == 0, "zero is the first of January 1970"


@pytest.mark.parametrize(
    ("birthday", "outcome"), [("in spring", "moment_unreadable"), ("99-99", "moment_unreadable"), (None, "moment_past")]
)
def test_a_date_that_cannot_be_read_is_said_to_be_so(birthday: Any, outcome: str) -> None:
    life = Life(birthdays())
    life.happens(attributes={"birthday": "1990-03-14"})

    life.happens(attributes={"birthday": birthday})

    assert ("ended", outcome) in life.facts
    assert any(kind == "moment_unreadable" for kind, _ in life.facts) == (outcome == "moment_unreadable")


def test_the_holdout_and_the_condition_are_those_of_the_day() -> None:
    life = Life(birthdays(entry={"where": "profile.club == 'gold'"}))
    life.happens(attributes={"birthday": "1990-03-14", "club": "silver"})
    life.passes(YEAR)

    life.happens(attributes={"club": "gold"})
    life.passes(YEAR)

    assert life.sent == [(date(2027, 3, 14), "hello")]
    out = Life(birthdays(holdout=1.0))
    out.happens(attributes={"birthday": "1990-03-14"})
    assert [one.status for one in out.customer.enrollments.values()] == [Status.ACTIVE]
    out.passes(timedelta(days=30))
    assert out.sent == []
    assert out.kinds() == ["held_out"]


def test_no_goal_counts_before_the_beginning() -> None:
    life = Life(birthdays(goal={"event": "order.placed", "within": "30d"}))
    life.happens(attributes={"birthday": "1990-03-14"})

    life.happens("order.placed")
    life.passes(timedelta(days=13))
    life.happens("order.placed")

    assert life.kinds().count("goal_reached") == 1


def test_a_customer_who_was_known_before_the_journey_is_noticed_with_the_next_event() -> None:
    life = Life(birthdays(), birthday="1990-03-14")

    life.passes(timedelta(days=30))
    assert life.sent == []
    life.happens()
    life.happens()
    life.passes(YEAR)

    assert life.sent == [(date(2027, 3, 14), "hello")]


def test_an_import_makes_dates_known_and_starts_nothing() -> None:
    life = Life(birthdays(), journey(send("gold"), entry={"when": "profile.club", "watches": ["club"]}, journey="gold"))

    life.happens(attributes={"birthday": "1990-03-14", "club": "gold"}, backfill=True)
    life.passes(timedelta(days=30))

    assert [template for _, template in life.sent] == ["hello"]


RENEWAL = {"date": "profile.renews_on", "day": -3, "at": "10:00", "watches": ["renews_on"]}


@pytest.mark.parametrize(("again", "expected"), [({}, 1), ({"again": "when-ended"}, 2)])
def test_a_date_without_a_year_of_its_own_begins_once_unless_it_may_again(again: dict[str, Any], expected: int) -> None:
    life = Life(journey(send("renew"), entry=RENEWAL | again, time_zone="America/New_York"))
    life.happens(attributes={"renews_on": "2026-04-10"})
    life.passes(timedelta(days=60))
    life.happens()

    life.happens(attributes={"renews_on": "2027-04-10"})
    life.happens()
    life.passes(YEAR)

    assert life.sent == [(date(2026, 4, 7), "renew"), (date(2027, 4, 7), "renew")][:expected]


def test_a_date_that_is_past_begins_nothing() -> None:
    life = Life(journey(send("renew"), entry=RENEWAL | {"again": "when-ended"}))

    life.happens(attributes={"renews_on": "2025-04-10"})
    for _ in range(5):
        life.happens()

    assert life.sent == []
    assert life.facts == [("ended", "moment_past")]


SILENT = {"none_of": ["app.opened", "order.placed"], "for": "90d"}


def test_silence_begins_after_the_last_of_the_events() -> None:
    life = Life(journey(send("miss-you"), entry=SILENT, time_zone="America/New_York"))

    for days in (10, 50, 80):
        life.happens("app.opened" if days > 20 else "order.placed")
        life.passes(timedelta(days=days))
    assert life.sent == []
    life.passes(timedelta(days=10))

    assert life.sent == [((MONDAY + timedelta(days=150)).date(), "miss-you")]
    assert len(life.customer.enrollments) == 1


def test_who_comes_back_may_fall_silent_again() -> None:
    life = Life(journey(send("miss-you"), entry=SILENT | {"again": "when-ended"}))
    life.happens("app.opened")
    life.passes(timedelta(days=200))
    life.happens("app.opened")
    life.passes(timedelta(days=200))

    assert len(life.sent) == 2


@given(st.lists(st.integers(1, 120), min_size=1, max_size=8))
def test_nobody_is_missed_and_nobody_who_was_there_is_written_to(gaps: list[int]) -> None:
    life = Life(journey(send("miss-you"), entry=SILENT | {"again": "when-ended"}))

    for days in gaps:
        life.happens("app.opened")
        life.passes(timedelta(days=days))

    assert len(life.sent) == sum(days >= 90 for days in gaps)
    timers = [one for one in life.timers.values() if one.at > life.now]
    assert life.open() == 0 or timers, "who waits has a timer"


activities = st.lists(st.tuples(st.integers(0, 200), st.sampled_from([0, 0, 0, 5, 40, 100])), min_size=1, max_size=7)
"""Of each event: how many days after the one before it arrives, and how many days late that is."""


@given(activities, st.integers(20, 300), st.sampled_from([0, 10, 100]))
@example([(0, 0), (91, 0)], 150, 0)
@example([(0, 0), (91, 0), (60, 0)], 150, 0)
@example([(0, 0), (91, 86)], 20, 0)
@example([(0, 0), (95, 0)], 100, 10)
def test_silence_begins_on_the_first_day_on_which_it_is_long_enough_and_may_begin_again(
    activity: list[tuple[int, int]], again: int, runs: int
) -> None:
    """`runs`: so many days the journey itself takes."""
    steps = [wait("while", f"{runs}d")] if runs else []
    life = Life(journey(*steps, send("miss-you"), entry=SILENT | {"again": f"{again}d"}))
    began, ends, last, day = [], 0, None, 0
    for number, (gap, late) in enumerate([*activity, (2_000, 0)]):
        until = day + gap
        while last is not None:  # a customer who may begin does so, unless an event comes first
            soonest = max(last[1] + 90, *(one + again for one in began[-1:]), *(ends for _ in began[-1:]), last[0])
            if soonest > until or (began and last[1] <= began[-1]):
                break
            began.append(soonest)
            ends = soonest + runs
        life.passes(timedelta(days=gap))
        day = until
        if number < len(activity):
            life.hears(event("app.opened", MONDAY + timedelta(days=day - late), id_=f"opened-{number}"))
            last = (day, max(last[1], day - late) if last else day - late)

    assert [(one - MONDAY).days for one in life.entered] == began
    assert not [at for at in pairwise(life.entered) if at[1] - at[0] < timedelta(days=again)]


HOT = {"when": "profile.score >= `50`", "watches": ["score"]}


def test_a_condition_begins_to_be_met_by_an_event_or_by_another_journey() -> None:
    scoring = journey(
        wait("a-day", "1d"),
        {"id": "score", "update": {"set_from": {"score": "data.score"}}},
        journey="scoring",
        entry={"event": "form.sent", "again": "when-ended"},
    )
    life = Life(journey(send("hot"), entry=HOT | {"again": "when-ended"}), scoring)

    life.happens(attributes={"score": 20})
    life.happens("form.sent", properties={"score": 60})
    life.passes(timedelta(days=2))
    assert len(life.sent) == 1
    life.happens(attributes={"score": 70})
    assert len(life.sent) == 1, "it was met before"
    life.happens(attributes={"score": 10})
    life.happens(attributes={"score": 50})

    assert len(life.sent) == 2


def test_a_tag_is_a_condition_too() -> None:
    entry = {"when": "contains(profile.tags, 'vip')", "watches": ["tags"]}
    life = Life(journey(send("welcome"), entry=entry))

    life.happens(attributes={"tags": {"lead": True}})
    assert life.sent == []
    life.happens(attributes={"tags": {"vip": True}})

    assert len(life.sent) == 1


@given(st.lists(st.tuples(st.integers(0, 100), st.booleans()), max_size=8))
def test_it_is_entered_each_time_that_the_condition_begins_to_be_met(scores: list[tuple[int, bool]]) -> None:
    life = Life(journey(send("hot"), entry=HOT | {"again": "when-ended"}))
    met, expected = False, 0

    for score, also_waits in scores:
        life.happens(attributes={"score": score})
        life.now += timedelta(minutes=1 + also_waits)
        expected += score >= 50 and not met
        met = score >= 50

    assert len(life.sent) == expected


def test_an_event_from_elsewhere_starts_no_journey_of_a_date_or_a_condition() -> None:
    life = Life(birthdays(), journey(send("hot"), entry=HOT, journey="hot"))

    for type_, of in (("date.changed", "visit"), ("condition.met", "hot")):
        life.happens(type_, properties={"journey": of})

    assert life.customer.enrollments == {}


ENDS = {"from": "2026-03-02", "until": "2026-03-04"}


@pytest.mark.parametrize(("after", "entered"), [(0, True), (2, True), (3, False)])
def test_an_entry_is_open_on_its_days(after: int, entered: bool) -> None:  # noqa: FBT001
    life = Life(journey(send("hello"), entry={"event": "visit.made"} | ENDS))
    life.passes(timedelta(days=after))

    life.happens()

    assert bool(life.sent) == entered
    assert entered or life.facts == [("not_entered", "outside its dates")]


def test_of_several_journeys_for_one_event_the_first_by_priority_takes_who_may_be_in_one_alone() -> None:
    def one(name: str, priority: int) -> Journey:
        entry = {"event": "visit.made", "unless_in": ["cheap", "dear"], "priority": priority}
        return journey(send(name), wait("w", "1d"), journey=name, entry=entry)

    life = Life(one("cheap", 1), one("dear", 2))
    life.happens()

    assert [template for _, template in life.sent] == ["dear"]
    assert ("not_entered", "in dear") in life.facts
    life.passes(timedelta(days=2))
    life.happens()
    assert [template for _, template in life.sent] == ["dear", "cheap"]


def test_a_merge_leaves_one_that_waits() -> None:
    lives = [Life(birthdays()) for _ in range(2)]
    for number, life in enumerate(lives):
        life.customer = replace(life.customer, profile=profile(f"c_{number}"))
        life.happens(attributes={"birthday": "1990-03-14"})

    merged = merge_customers((lives[0].customer, lives[1].customer), MONDAY).customer

    assert [one.open for one in merged.enrollments.values()].count(True) == 1


def test_the_silence_of_a_customer_whose_events_come_late_begins_at_once() -> None:
    life = Life(journey(send("miss-you"), entry=SILENT))

    life.hears(event("app.opened", datetime(2025, 11, 1, tzinfo=UTC)))

    assert len(life.sent) == 1


def test_an_event_that_ends_the_wait_for_a_date_ends_it_until_the_date_changes() -> None:
    life = Life(journey(send("renew"), entry=RENEWAL, exit_on=[{"event": "policy.cancelled"}]))
    life.happens(attributes={"renews_on": "2026-05-05"})
    life.happens("policy.cancelled")
    life.passes(timedelta(days=5))

    life.happens()
    life.passes(timedelta(days=100))
    assert life.sent == []
    life.happens(attributes={"renews_on": "2026-09-05"})
    life.passes(timedelta(days=100))

    assert len(life.sent) == 1


@pytest.mark.parametrize("type_", ["track.played", "app.opened"])
def test_silence_hears_events_that_a_profile_does_not_count(type_: str) -> None:
    life = Life(journey(send("miss-you"), entry={"none_of": [type_], "for": "30d"}))
    many = {f"type{number}.happened": Activity(1, MONDAY, MONDAY) for number in range(64)}
    life.customer = replace(life.customer, profile=replace(life.customer.profile, activity=many))

    for _ in range(10):
        life.happens(type_, source="track")
        life.passes(timedelta(days=10))
    assert life.sent == []
    life.passes(timedelta(days=25))

    assert len(life.sent) == 1


def test_waiting_for_a_beginning_is_not_being_in_a_journey() -> None:
    cart = journey(send("cart"), entry={"event": "cart.left", "unless_in": ["visit"]}, journey="cart")
    life = Life(birthdays(), cart)
    life.happens(attributes={"birthday": "1990-03-14"})

    life.happens("cart.left")

    assert [template for _, template in life.sent] == ["cart"]


def test_a_removed_journey_begins_for_nobody() -> None:
    life = Life(birthdays(**{"finally": [{"id": "end", "update": {"set": {"stage": "x"}}}]}))
    life.happens(attributes={"birthday": "1990-03-14"})
    (waiting,) = life.customer.enrollments.values()
    life.deployed.remove("visit")

    life.passes(timedelta(days=30))

    assert life.sent == []
    assert life.facts[-1] == ("ended", "removed")
    assert life.customer.profile.get("stage") is None, "what never began needs no clean-up"
    assert waiting.open


def test_the_version_of_the_day_is_the_one_that_begins() -> None:
    life = Life(birthdays())
    life.happens(attributes={"birthday": "1990-03-14"})
    life.deployed.deploy(birthdays(entry={"day": 2, "where": "profile.club == 'gold'"}, version="v2"))

    life.happens(attributes={"club": "gold"})
    life.passes(timedelta(days=30))

    assert life.sent == [(date(2026, 3, 16), "hello")]


def test_what_a_visitor_typed_starts_no_message_to_another_address_by_a_condition() -> None:
    marks = journey({"id": "mark", "update": {"set": {"score": 60}}}, journey="marks", entry={"event": "form.sent"})
    who = name(email="ada@example.com", phone="+12015550123")
    life = Life(journey(wait("a-day", "1d"), entry=HOT), marks)
    life.customer = replace(life.customer, profile=profile(who=who))
    typed = event("form.sent", life.now, who=name(email="ada@example.com"), vouched=frozenset())

    reaction = on_event(life.customer, typed, life.deployed, life.now, by_vouched=False, was_known=True)
    life.carry_out(reaction)

    assert [one.addresses for one in life.customer.enrollments.values() if one.journey == "visit"] == [
        {Channel.EMAIL: "ada@example.com"}
    ]


def test_a_merge_says_what_it_has_changed() -> None:
    gold = journey(send("gold"), entry={"when": "profile.a && profile.b", "watches": ["a", "b"]}, journey="gold")
    life = Life(gold)
    one, other = profile(a=1), profile("c_bo", b=1)
    both = merge_customers((Customer(one), Customer(other)), MONDAY).customer

    life.carry_out(on_event(both, event("visit.made"), life.deployed, MONDAY, stored=[one, other]))

    assert len(life.sent) == 1


@pytest.mark.parametrize(("born", "day"), [("1990-03-14", 0), ("--03-14", -3), ("03-14", 5)])
def test_a_message_can_name_the_day_of_this_year(born: str, day: int) -> None:
    call = {"id": "call", "task": {"queue": "sales", "title": "Call", "context": {"day": "data.date"}}}
    life = Life(journey(call, entry=BIRTHDAY | {"day": day}, time_zone="Asia/Tokyo"))
    life.happens(attributes={"birthday": born})

    life.passes(timedelta(days=400))

    assert life.tasks == ["2026-03-14", "2027-03-14"]
