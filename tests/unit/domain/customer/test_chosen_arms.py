"""A chosen arm is for new customers; who has an arm stays on it; and caps say how many enter, and how often."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from cairn.domain.customer.customer import merge_customers, on_event
from cairn.domain.customer.state import Customer, Reaction
from cairn.domain.effects import Fact
from cairn.domain.journey.arms import ArmOutcome, outcomes_in
from cairn.domain.journey.definition import Admission, Journey
from tests.unit.makers import MONDAY, Deployed, event, journey, profile

DAY = timedelta(days=1)
CUSTOMERS = [f"c_{number}" for number in range(60)]
Chosen = dict[tuple[str, str], str]


def offer(*weights: float, names: str = "ab", salt: str = "", **more: Any) -> Journey:
    arms = [{"arm": name, "weight": weight} for name, weight in zip(names, weights or (1, 1), strict=True)]
    split = {"arms": arms, "salt": salt, "winner": "person"}
    entry = {"event": "visit.booked", "again": "when-ended"} | more.pop("entry", {})
    goal = {"goal": {"event": "order.placed"}}
    return journey({"id": "offer", "split": split}, entry=entry, **goal, **more)


def visits(customer: Customer, tested: Journey, day: int = 0, chosen: Chosen | None = None, **more: Any) -> Reaction:
    when = MONDAY + day * DAY
    properties = more.pop("properties", {})
    happened = event("visit.booked", when, id_=f"{day} {properties}", properties=properties)
    return on_event(customer, happened, Deployed(tested), when, chosen=lambda _: chosen or {}, **more)


def arm_of(reaction: Reaction) -> str:
    (arm,) = [fact.detail["arm"] for fact in reaction.facts if fact.kind == "split"]
    return str(arm)


def new(customer: str = "c_1") -> Customer:
    return Customer(profile(customer))


def facts(reaction: Reaction, kind: str) -> list[Fact]:
    return [fact for fact in reaction.facts if fact.kind == kind]


def test_new_customers_get_the_chosen_arm_and_are_not_counted() -> None:
    found = [visits(new(one), offer(), chosen={("offer", ""): "a"}) for one in CUSTOMERS]

    assert {arm_of(one) for one in found} == {"a"}
    assert {fact.detail.get("because") for one in found for fact in facts(one, "split")} == {"chosen"}
    assert not [outcome for one in found for outcome in outcomes_in(one.facts)]


@given(st.sampled_from(CUSTOMERS), st.lists(st.sampled_from(["", "a", "b"]), min_size=1, max_size=6))
def test_a_customer_stays_on_the_first_arm_whatever_is_chosen_later(customer: str, choices: list[str]) -> None:
    known, arms = new(customer), []
    for day, choice in enumerate(choices):
        reaction = visits(known, offer(), day, {("offer", ""): choice} if choice else {})
        known = reaction.customer
        arms.append(arm_of(reaction))

    assert len(set(arms)) == 1
    assert arms[0] == (choices[0] or arm_of(visits(new(customer), offer())))


def test_a_customer_is_counted_once_and_its_goal_under_the_arm_and_the_version_of_then() -> None:
    tested = replace(offer(), version="v1")
    first = visits(new(), tested)
    again = visits(first.customer, replace(offer(), version="v2"), 1)
    deployed = Deployed(replace(offer(), version="v2"), tested)
    bought = on_event(again.customer, event("order.placed", MONDAY + 2 * DAY), deployed, MONDAY + 2 * DAY)

    counted = [outcome for one in (first, again, bought) for outcome in outcomes_in(one.facts)]

    (enrolled,) = first.customer.enrollments.values()
    about = ("visit", "v1", "offer", arm_of(first))
    assert counted == [ArmOutcome(*about, "entered", enrolled.id), ArmOutcome(*about, "reached", enrolled.id)]
    assert not any(one.counted for one in bought.customer.enrollments.values())


def test_a_split_without_a_winner_is_neither_counted_nor_remembered() -> None:
    arms = [{"arm": "a", "weight": 1}, {"arm": "b", "weight": 1}]
    plain = journey({"id": "offer", "split": {"arms": arms}}, entry={"event": "visit.booked"})

    reaction = on_event(new(), event("visit.booked"), Deployed(plain), MONDAY)

    assert not list(outcomes_in(reaction.facts))
    assert list(reaction.customer.entered) == ["visit:"]


def test_nothing_is_remembered_of_who_cannot_enter_again() -> None:
    once = visits(new(), offer(entry={"again": "never"}))

    assert list(once.customer.entered) == ["visit:"]
    assert len(list(outcomes_in(once.facts))) == 1


def test_a_chosen_arm_that_is_gone_or_has_no_weight_counts_no_more() -> None:
    chosen = {("offer", ""): "b"}

    assert {arm_of(visits(new(one), offer(1, 0), chosen=chosen)) for one in CUSTOMERS} == {"a"}
    assert {arm_of(visits(new(one), offer(names="ac"), chosen=chosen)) for one in CUSTOMERS} == {"a", "c"}


def test_a_customer_whose_arm_is_gone_gets_another_one() -> None:
    had = next(one for one in (visits(new(name), offer()) for name in CUSTOMERS) if arm_of(one) == "b")

    assert arm_of(visits(had.customer, offer(1, 0), 1)) == "a"
    assert arm_of(visits(had.customer, offer(), 1)) == "b"


def test_another_salt_is_another_test() -> None:
    first = visits(new(), offer(), chosen={("offer", ""): "a"})

    reaction = visits(first.customer, offer(salt="spring"), 1, {("offer", ""): "a", ("offer", "spring"): "b"})

    assert arm_of(reaction) == "b"


def test_of_two_merged_customers_the_first_arm_stays() -> None:
    older = visits(new("c_1"), offer(), 0, {("offer", ""): "b"}).customer
    younger = visits(new("c_2"), offer(), 1, {("offer", ""): "a"}).customer

    merged = merge_customers((younger, older), MONDAY + 2 * DAY).customer

    assert arm_of(visits(merged, offer(), 3, {("offer", ""): "a"})) == "b"


def test_the_choices_are_asked_only_where_a_journey_chooses_winners() -> None:
    plain = journey({"id": "wait", "wait": "1d"}, entry={"event": "visit.booked"})

    def nobody_asks(_name: str) -> Chosen:
        raise AssertionError

    on_event(new(), event("visit.booked"), Deployed(plain), MONDAY, chosen=nobody_asks)


def test_a_customer_enters_so_often_in_a_time_and_again_when_it_is_over() -> None:
    keyed = {"key": "event.properties.id", "per_customer": "2 in 90d"}
    capped, known, refused = offer(entry=keyed), new(), []
    for number, day in enumerate((0, 0, 20, 89, 90, 95, 100)):
        reaction = visits(known, capped, day, properties={"id": str(number)})
        known = reaction.customer
        refused.append([fact.detail["reason"] for fact in facts(reaction, "not_entered")])

    reason = ["at most 2 in 90d"]
    assert refused == [[], [], reason, reason, [], [], reason]
    assert sum(":at:" in name for name in known.entered) == 2


def test_entries_of_merged_customers_count_together() -> None:
    capped = offer(entry={"key": "event.properties.id", "per_customer": "2 in 90d"})
    one = visits(new("c_1"), capped, 0, properties={"id": "1"}).customer
    other = visits(new("c_2"), capped, 1, properties={"id": "2"}).customer

    merged = merge_customers((one, other), MONDAY + 2 * DAY).customer

    assert facts(visits(merged, capped, 3, properties={"id": "3"}), "not_entered")


def test_who_enters_is_counted_by_the_day_of_the_journeys_zone_and_nobody_enters_who_is_refused() -> None:
    capped = offer(entry={"at_most": "500 per day"}, time_zone="Asia/Tokyo")
    admission = Admission("visit", "2026-03-02", 500)

    assert visits(new(), capped).admissions == (admission,)
    assert visits(new(), offer()).admissions == ()
    full = visits(new(), capped, is_full=lambda asked: asked == admission)
    assert full.admissions == ()
    assert [fact.detail for fact in full.facts] == [{"reason": "at most 500 per day"}]
    assert not full.customer.enrollments
    assert not full.customer.entered


def test_who_is_in_the_journey_already_is_not_counted_by_its_cap_again() -> None:
    waits = journey({"id": "wait", "wait": "3d"}, entry={"event": "visit.booked", "at_most": "5 per hour"})
    first = visits(new(), waits)

    assert first.admissions == (Admission("visit", "2026-03-02T10+00:00", 5),)
    assert visits(first.customer, waits, 1).admissions == ()
