"""An event or a wake-up changes a customer: entries, re-entry, exits, and what is stored for late events."""

from dataclasses import replace
from datetime import datetime, timedelta
from itertools import permutations
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from cairn.domain.consent.changes import ConsentStatus
from cairn.domain.consent.suppression import Cause, Mark, SuppressionChange
from cairn.domain.customer.customer import cleaned_up, merge_customers, on_event, on_wake
from cairn.domain.customer.state import MAX_EARLY_EVENTS, MAX_EARLY_EXITS, Customer, Reaction
from cairn.domain.effects import AbsorbHistory, UpdateMessageStatus, WakeAt
from cairn.domain.event import Event
from cairn.domain.journey.definition import ANY_KEY, Journey, Match
from cairn.domain.journey.enrollment import MERGED, Enrollment, Status
from cairn.domain.message.message import MessageStatus
from cairn.domain.operations.pauses import Pause
from cairn.domain.profile.bounds import MAX_STATE
from cairn.domain.shared.channels import Channel, Purpose
from cairn.domain.shared.errors import UnknownJourneyError
from tests.unit.makers import (
    MONDAY,
    Deployed,
    at,
    customer,
    event,
    granted,
    journey,
    kinds,
    name,
    only,
    profile,
    send,
    sent,
    timers,
    wait,
    wait_for,
)
from tests.unit.strategies import events, journeys

HOUR = timedelta(hours=1)
DAY = timedelta(days=1)

WELCOME = journey(send("hello"), wait("a-day", "1d"), send("tips"))

BOOKING = journey(
    send("ticket"),
    wait("before", {"until": "data.visit_at", "offset": "-2h"}),
    send("soon"),
    entry={"event": "booking.made", "key": "event.properties.booking", "again": "when-ended"},
    refresh_on=[{"event": "booking.moved"}],
    exit_on=[{"event": "booking.cancelled"}],
)


def react(story: Customer, *happened: Event, journeys: Deployed, now: datetime = MONDAY + 9 * HOUR) -> list[Reaction]:
    """The reactions to events in their order of arrival, all at one instant."""
    reactions = []
    for one in happened:
        reactions.append(on_event(story, one, journeys, now))
        story = reactions[-1].customer
    return reactions


def open_of(story: Customer) -> list[Enrollment]:
    return [one for one in story.enrollments.values() if one.open]


def books(booking: str = "b-1", when: datetime = MONDAY, visit_at: str = "2026-03-05T12:00:00Z") -> Event:
    return event("booking.made", when, id_=f"{booking}@{when}", properties={"booking": booking, "visit_at": visit_at})


def moves(booking: str = "b-1", when: datetime = MONDAY + HOUR, visit_at: str = "2026-03-07T12:00:00Z") -> Event:
    return event("booking.moved", when, properties={"booking": booking, "visit_at": visit_at})


def cancels(booking: str = "b-1", when: datetime = MONDAY + 2 * HOUR) -> Event:
    return event("booking.cancelled", when, properties={"booking": booking})


def test_an_event_changes_the_profile_and_starts_its_journeys() -> None:
    signup = event(
        "trial.signup",
        properties={"plan": "gold"},
        attributes={"stage": "trial"},
        consent=(granted(Channel.EMAIL, Purpose.MARKETING),),
    )

    (reaction,) = react(customer(), signup, journeys=Deployed(WELCOME))

    ada = reaction.customer
    assert sent(reaction) == ["hello"]
    assert (ada.profile.get("stage"), ada.profile.activity["trial.signup"].count) == ("trial", 1)
    assert ada.contact.consent(Channel.EMAIL, Purpose.MARKETING) is ConsentStatus.GRANTED
    assert only(ada.enrollments).data == {"plan": "gold"}
    assert ada.entered == {"visit:": MONDAY + 9 * HOUR}


def test_a_journeys_entry_may_have_a_condition() -> None:
    choosy = journey(send("hello"), entry={"event": "trial.signup", "where": "profile.stage == 'trial'"})

    (no,) = react(customer(), event("trial.signup"), journeys=Deployed(choosy))
    (yes,) = react(customer(), event("trial.signup", attributes={"stage": "trial"}), journeys=Deployed(choosy))

    assert (sent(no), sent(yes)) == ([], ["hello"])


def test_an_event_without_the_entry_key_starts_nothing() -> None:
    for odd in (None, True, [], {}):
        nameless = event("booking.made", properties={"booking": odd})

        (reaction,) = react(customer(), nameless, journeys=Deployed(BOOKING))

        assert reaction.customer.enrollments == {}
        assert [(fact.kind, fact.detail) for fact in reaction.facts] == [("not_entered", {"reason": "no key"})]


SEVERAL = journey(
    send("hello"),
    {"id": "rest", "wait": "60d"},
    journey="several",
    entry={
        "any": [
            {"event": "order.placed", "key": "event.properties.order"},
            {"event": "cart.left", "where": "event.properties.total > `9`", "key": "event.properties.cart"},
        ],
        "again": "when-ended",
    },
    exit_on=[{"event": "customer.bought"}],
)


@pytest.mark.parametrize(
    ("type_", "properties", "key"),
    [
        ("order.placed", {"order": "o-1"}, "o-1"),
        ("cart.left", {"cart": "c-1", "total": 10}, "c-1"),
        ("cart.left", {"cart": "c-1", "total": 5}, None),
        ("customer.bought", {"order": "o-1"}, None),
    ],
)
def test_any_of_several_events_starts_a_journey_by_its_own_key(
    type_: str, properties: dict[str, Any], key: str | None
) -> None:
    (reaction,) = react(customer(), event(type_, properties=properties), journeys=Deployed(SEVERAL))

    assert [one.key for one in reaction.customer.enrollments.values()] == ([] if key is None else [key])


@pytest.mark.parametrize("first", ["start", "end"])
def test_an_event_without_a_key_of_its_own_names_the_enrollment_by_any_of_the_entrys(first: str) -> None:
    ends = event("customer.bought", MONDAY + HOUR, properties={"cart": "c-1", "order": "o-9"})
    starts = [
        event("order.placed", id_="1", properties={"order": "o-1"}),
        event("cart.left", id_="2", properties={"cart": "c-1", "total": 10}),
    ]

    *_, last = react(
        customer(), *((*starts, ends) if first == "start" else (ends, *starts)), journeys=Deployed(SEVERAL)
    )

    assert {one.key for one in last.customer.enrollments.values() if one.open} == {"o-1"}


def test_a_customer_enters_once_where_re_entry_is_never_allowed() -> None:
    deployed = Deployed(journey(send("hello")))

    first, second = react(customer(), event("trial.signup", id_="1"), event("trial.signup", id_="2"), journeys=deployed)

    assert (sent(first), sent(second)) == (["hello"], [])
    assert kinds(second) == ["not_entered"]
    assert second.facts[0].detail == {"reason": "re-entry"}


def test_re_entry_when_ended_waits_for_the_end() -> None:
    deployed = Deployed(BOOKING)

    first, second, _, third = react(
        customer(), books(), books(when=MONDAY + HOUR), cancels(), books(when=MONDAY + 3 * HOUR), journeys=deployed
    )

    assert [sent(one) for one in (first, second, third)] == [["ticket"], [], ["ticket"]]
    assert len(open_of(third.customer)) == 1
    ids = {one.id for one in third.customer.enrollments.values()} | set(first.customer.enrollments)
    assert len(ids) == 2  # a new enrollment has a new id, so its messages have new ids


def test_re_entry_after_a_time_waits_that_long() -> None:
    monthly = Deployed(journey(send("hello"), entry={"event": "trial.signup", "again": "30d"}))
    ada = on_event(customer(), event("trial.signup", MONDAY), monthly, MONDAY).customer

    early = on_event(ada, event("trial.signup", MONDAY + 29 * DAY), monthly, MONDAY + 29 * DAY)
    late = on_event(ada, event("trial.signup", MONDAY + 30 * DAY), monthly, MONDAY + 30 * DAY)

    assert (sent(early), sent(late)) == ([], ["hello"])


def test_two_bookings_are_two_enrollments() -> None:
    *_, both = react(customer(), books("b-1"), books("b-2"), journeys=Deployed(BOOKING))
    (cancelled,) = react(both.customer, cancels("b-1"), journeys=Deployed(BOOKING))

    assert {one.key for one in open_of(both.customer)} == {"b-1", "b-2"}
    assert [one.key for one in open_of(cancelled.customer)] == ["b-2"]


@pytest.mark.parametrize("order", list(permutations([books(), moves(), cancels()])))
def test_a_cancelled_booking_is_over_in_any_order_of_events(order: tuple[Event, ...]) -> None:
    *_, last = react(customer(), *order, journeys=Deployed(BOOKING))

    assert open_of(last.customer) == []


@pytest.mark.parametrize("order", list(permutations([books(), moves(), moves("b-2"), cancels("b-3")])))
def test_a_moved_booking_has_its_new_date_in_any_order_of_events(order: tuple[Event, ...]) -> None:
    *_, last = react(customer(), *order, journeys=Deployed(BOOKING))

    (waits,) = open_of(last.customer)
    assert waits.due_at == at("2026-03-07 10:00")
    assert waits.data == {"booking": "b-1", "visit_at": "2026-03-07T12:00:00Z"}


def test_a_new_booking_after_a_cancellation_starts() -> None:
    *_, again = react(
        customer(), cancels(), books(when=MONDAY), books(when=MONDAY + 3 * HOUR), journeys=Deployed(BOOKING)
    )

    assert sent(again) == ["ticket"]


def test_a_start_older_than_its_end_records_why_it_did_not_enter() -> None:
    *_, stale = react(customer(), cancels(), books(), journeys=Deployed(BOOKING))

    assert [fact.detail for fact in stale.facts] == [{"reason": "ended before it began"}]


def test_a_payment_that_arrives_before_its_failure_starts_no_rescue() -> None:
    rescue = journey(
        send("pay"),
        entry={"event": "payment.failed", "key": "event.properties.invoice"},
        exit_on=[{"event": "payment.succeeded"}],
    )
    failed = event("payment.failed", MONDAY, properties={"invoice": "in-1"})
    paid = event("payment.succeeded", MONDAY + HOUR, properties={"invoice": "in-1"})

    _, late = react(customer(), paid, failed, journeys=Deployed(rescue))

    assert sent(late) == []


def test_a_payment_after_the_last_step_still_stops_the_message_that_waits() -> None:
    rescue = journey(
        send("pay"),
        entry={"event": "payment.failed", "key": "event.properties.invoice"},
        exit_on=[{"event": "payment.succeeded"}],
    )
    failed, other = (event("payment.failed", MONDAY, id_=key, properties={"invoice": key}) for key in ("in-1", "in-2"))
    paid = event("payment.succeeded", MONDAY + HOUR, properties={"invoice": "in-1"})
    again = event("payment.succeeded", MONDAY + HOUR, id_="again", properties={"invoice": "in-1"})
    seen = event("page.seen", MONDAY + 3 * DAY)

    *_, ended, once_more, later = react(customer(), failed, other, paid, again, seen, journeys=Deployed(rescue))

    assert {one.key: one.outcome for one in ended.customer.enrollments.values()} == {
        "in-1": "exit_on",
        "in-2": "completed",
    }
    assert [fact.kind for fact in once_more.facts] == [], "it ends once"
    assert later.customer.enrollments.keys() == ended.customer.enrollments.keys()


def test_early_exits_and_refreshes_are_bounded_in_number_and_age() -> None:
    more = MAX_EARLY_EXITS + 3
    crowd = [cancels(f"b-{number}", MONDAY + number * HOUR) for number in range(more)]
    changes = [moves(f"b-{number}", MONDAY + number * HOUR) for number in range(more)]
    *_, full = react(customer(), *crowd, *changes, journeys=Deployed(BOOKING), now=MONDAY + DAY)

    later = on_event(full.customer, cancels("b-x", MONDAY + 90 * DAY), Deployed(BOOKING), MONDAY + 90 * DAY)

    assert sorted(full.customer.early_exits) == sorted(f"visit:b-{number}" for number in range(3, more))
    assert len(full.customer.early_refreshes) == MAX_EARLY_EVENTS
    assert list(later.customer.early_exits) == ["visit:b-x"]


CLOSED = event("account.closed", MONDAY + HOUR)


def test_an_account_that_is_closed_before_an_older_booking_arrives_gets_no_message_of_it() -> None:
    any_booking = replace(BOOKING, exit_on=(Match("account.closed", key=ANY_KEY),))

    *_, late = react(customer(), CLOSED, books(), journeys=Deployed(any_booking))
    *_, later = react(customer(), CLOSED, books(when=MONDAY + 2 * HOUR), journeys=Deployed(any_booking))

    assert [fact.detail for fact in late.facts] == [{"reason": "ended before it began"}]
    assert sent(late) == []
    assert later.customer.enrollments


@pytest.mark.parametrize(("paid", "begins"), [(40, True), (90, False)])
def test_an_exit_that_compares_with_the_data_is_decided_when_the_older_start_arrives(
    paid: int, *, begins: bool
) -> None:
    rule = Match("order.paid", where="event.properties.amount >= data.amount")
    owed = replace(BOOKING, exit_on=(rule,))
    payment = event("order.paid", MONDAY + HOUR, properties={"booking": "b-1", "amount": paid})
    booking = replace(books(), properties={**books().properties, "amount": 90})

    *_, late = react(customer(), payment, booking, journeys=Deployed(owed))

    assert bool(late.customer.enrollments) == begins


def test_no_entry_with_a_key_is_forgotten() -> None:
    deployed = Deployed(replace(BOOKING, name="booking"), WELCOME)
    story = on_event(customer(), event("trial.signup"), deployed, MONDAY).customer
    for number in range(60):
        story = on_event(story, books(f"b-{number}"), deployed, MONDAY + number * HOUR).customer

    assert len(story.entered) == 61


def test_a_journey_version_that_is_lost_stops_its_own_enrollment_only() -> None:
    first, second = replace(BOOKING, name="lost"), replace(BOOKING, name="kept")
    (begun,) = react(customer(), books(), journeys=Deployed(first, second))

    (reaction,) = react(begun.customer, cancels(), journeys=Deployed(second))

    by_name = {one.journey: one for one in reaction.customer.enrollments.values()}
    assert (by_name["lost"].open, by_name["kept"].open) == (True, False)
    assert reaction.lost_versions == {f"lost {first.version}"}


def test_a_state_that_is_full_begins_no_further_enrollment_and_drops_data_that_has_no_room() -> None:
    large = {"note": "x" * 30_000}
    bookings = [books(f"b-{number}") for number in range(14)]
    begins = [replace(one, properties={**one.properties, **large}) for one in bookings]

    reactions = react(customer(), *begins, journeys=Deployed(BOOKING))

    full = reactions[-1].customer
    sizes = [len(str(one.data.get("note", ""))) for one in full.enrollments.values()]
    assert sum(sizes) <= MAX_STATE
    assert sizes[0] == 30_000
    assert {"field": "data.note", "reason": "data_too_large"} in [fact.detail for fact in reactions[-1].facts]
    assert all(one.data["booking"] for one in full.enrollments.values())


def test_a_refresh_in_a_full_state_drops_nothing_that_was_there() -> None:
    begins = [books(f"b-{number}") for number in range(14)]
    (*_, begun) = react(customer(), *begins, journeys=Deployed(BOOKING))
    large = {"note": "x" * 30_000}
    every = begun.customer.enrollments
    full = replace(begun.customer, enrollments={i: replace(one, data=one.data | large) for i, one in every.items()})
    moved = moves()

    (reaction,) = react(
        full, replace(moved, properties={**moved.properties, "text": "y" * 900}), journeys=Deployed(BOOKING)
    )

    assert all(one.data["note"] == large["note"] for one in reaction.customer.enrollments.values())
    assert [one.detail for one in reaction.facts if one.kind == "dropped"] == [
        {"field": "data.text", "reason": "data_too_large"}
    ]


def test_a_backfilled_event_changes_the_profile_and_no_enrollment() -> None:
    (begun,) = react(customer(), books(), journeys=Deployed(BOOKING, replace(WELCOME, name="welcome")))
    deployed = Deployed(BOOKING, replace(WELCOME, name="welcome"))
    past = [
        replace(one, backfill=True, attributes={"stage": "member"})
        for one in (event("trial.signup"), cancels(), moves(), books("b-2"))
    ]

    reactions = react(begun.customer, *past, journeys=deployed)

    ada = reactions[-1].customer
    assert all(one.effects == () and one.facts == () for one in reactions)
    assert ada.enrollments == begun.customer.enrollments
    assert (ada.entered, ada.early_exits, ada.early_refreshes) == (begun.customer.entered, {}, {})
    assert (ada.profile.get("stage"), ada.profile.activity["trial.signup"].count) == ("member", 1)


def test_a_customer_continues_in_the_version_it_entered() -> None:
    before = journey(wait("a-day", "1d"), send("old-tips"), version="v1")
    after = journey(wait("a-day", "1d"), send("new-tips"), version="v2")
    (begun,) = react(customer(), event("trial.signup"), journeys=Deployed(before))
    (timer,) = timers(begun)

    woken = on_wake(begun.customer, timer.enrollment, timer.sequence, Deployed(after, before), timer.at)

    assert woken is not None
    assert sent(woken) == ["old-tips"]


def test_a_timer_that_fires_late_is_noted_unless_a_pause_has_made_it_late() -> None:
    deployed = Deployed(journey(wait("a-day", "1d"), send("tips")))
    (begun,) = react(customer(), event("trial.signup"), journeys=deployed)
    (timer,) = timers(begun)

    def misfires(late: timedelta, *pauses: Pause) -> list[Any]:
        woken = on_wake(begun.customer, timer.enrollment, timer.sequence, deployed, timer.at + late, pauses=pauses)
        return [one.detail["lag"] for one in (woken.facts if woken else ()) if one.kind == "misfired"]

    minute = timedelta(minutes=1)
    over = Pause("all", timer.at - 60 * minute, timer.at - 30 * minute)
    assert misfires(5 * minute) == []
    assert misfires(6 * minute) == [360_000]
    assert misfires(6 * minute, over) == [360_000]
    assert misfires(6 * minute, Pause("journey:visit", timer.at - minute, timer.at + 5 * minute)) == []
    assert misfires(6 * minute, Pause("journey:other", timer.at - minute)) == [360_000]


def test_a_missing_journey_version_is_an_error() -> None:
    (begun,) = react(customer(), event("trial.signup"), journeys=Deployed(WELCOME))
    (timer,) = timers(begun)

    with pytest.raises(UnknownJourneyError):
        on_wake(begun.customer, timer.enrollment, timer.sequence, Deployed(), timer.at)


def test_a_stale_wake_up_changes_nothing() -> None:
    deployed = Deployed(WELCOME)
    (begun,) = react(customer(), event("trial.signup"), journeys=deployed)
    (timer,) = timers(begun)
    woken = on_wake(begun.customer, timer.enrollment, timer.sequence, deployed, timer.at)

    assert woken is not None
    assert on_wake(woken.customer, timer.enrollment, timer.sequence, deployed, timer.at) is None
    assert on_wake(begun.customer, timer.enrollment, timer.sequence + 1, deployed, timer.at) is None
    assert on_wake(begun.customer, "somebody-else", timer.sequence, deployed, timer.at) is None


def test_an_enrollment_is_stored_while_its_goal_may_be_reached() -> None:
    sold = journey(send("hello"), goal={"event": "invoice.paid", "within": "10d"})
    deployed = Deployed(sold)
    (ended,) = react(customer(), event("trial.signup"), journeys=deployed, now=MONDAY)
    noise = event("visit.attended", MONDAY + 9 * DAY)

    watched = on_event(ended.customer, noise, deployed, MONDAY + 9 * DAY)
    paid = on_event(watched.customer, event("invoice.paid", MONDAY + 10 * DAY), deployed, MONDAY + 10 * DAY)
    too_late = on_event(watched.customer, event("invoice.paid", MONDAY + 11 * DAY), deployed, MONDAY + 11 * DAY)

    assert only(ended.customer.enrollments).status is Status.ENDED
    assert kinds(paid) == ["goal_reached"]
    assert only(paid.customer.enrollments).goal_at == MONDAY + 10 * DAY
    assert (kinds(too_late), too_late.customer.enrollments) == ([], {})


def test_an_ended_enrollment_without_a_goal_is_removed() -> None:
    deployed = Deployed(journey(send("hello")))
    (ended,) = react(customer(), event("trial.signup"), journeys=deployed)

    (later,) = react(ended.customer, event("visit.attended"), journeys=deployed)

    assert later.customer.enrollments == {}
    assert later.customer.entered == ended.customer.entered


def test_one_event_may_end_one_journey_and_start_another() -> None:
    rescue = journey(
        wait_for("paid", "invoice.paid", then=(send("phew"),)), journey="rescue", entry={"event": "payment.failed"}
    )
    thanks = journey(send("thanks"), journey="thanks", entry={"event": "invoice.paid"})

    _, paid = react(
        customer(),
        event("payment.failed"),
        event("invoice.paid", MONDAY + HOUR),
        journeys=Deployed(rescue, thanks),
    )

    assert sent(paid) == ["phew", "thanks"]


# Merging


def test_merged_customers_keep_every_enrollment() -> None:
    by_mail = react(customer("c_mail"), books("b-1"), journeys=Deployed(BOOKING))[0].customer
    by_mail = replace(by_mail, profile=replace(by_mail.profile, identifiers=name(email="ada@example.com")))
    account = react(customer("c_ada"), books("b-2"), journeys=Deployed(BOOKING))[0].customer

    reaction = merge_customers((by_mail, account), MONDAY)

    assert reaction.customer.id == "c_ada"
    assert {one.key for one in open_of(reaction.customer)} == {"b-1", "b-2"}
    assert [effect.merged for effect in reaction.effects if isinstance(effect, AbsorbHistory)] == ["c_mail"]
    assert kinds(reaction) == ["merged"]
    assert merge_customers((account,), MONDAY) == Reaction(account)


def test_of_two_enrollments_in_the_same_journey_and_key_the_earlier_continues() -> None:
    deployed = Deployed(WELCOME)
    early = on_event(customer("c_a"), event("trial.signup", id_="1"), deployed, MONDAY).customer
    late = on_event(customer("c_b"), event("trial.signup", id_="2"), deployed, MONDAY + HOUR)
    (timer,) = timers(late)

    for pair in ((early, late.customer), (late.customer, early)):
        reaction = merge_customers(pair, MONDAY + HOUR)
        merged = reaction.customer

        walking = [one for one in merged.enrollments.values() if one.open]
        assert walking == [only(early.enrollments)]
        (other,) = (one for one in merged.enrollments.values() if not one.open)
        assert other.outcome == MERGED, "what it still has in the queues is not sent"
        assert [(one.enrollment, one.detail) for one in reaction.facts if one.kind == "ended"] == [
            (other.id, {"outcome": MERGED})
        ], "for as long as a dead letter of it may come back"
        assert on_wake(merged, timer.enrollment, timer.sequence, deployed, timer.at) is None


MARKED = journey(
    {"id": "mark", "update": {"tags": {"add": ["trial"]}}},
    wait("a-day", "1d"),
    **{"finally": [{"id": "over", "update": {"tags": {"remove": ["trial"]}}}]},
)


@given(st.lists(st.sampled_from(["in it", "held out", "nothing"]), min_size=2, max_size=4))
@example(["held out", "in it"])
@example(["in it", "in it"])
def test_finally_is_done_once_for_all_that_a_merge_makes_one(states: list[str]) -> None:
    """A mark stays as long as one enrollment goes on that will take it away, and no longer."""
    deployed, parts = Deployed(MARKED), []
    for number, state in enumerate(states):
        started, one = MONDAY + number * HOUR, customer(f"c_{number}", MONDAY)
        if state != "nothing":
            outside = replace(MARKED, holdout=1.0 if state == "held out" else 0.0)
            one = on_event(one, event("trial.signup", started, id_=str(number)), Deployed(outside), started).customer
        parts.append(one)

    now = MONDAY + 2 * DAY
    merged = cleaned_up(merge_customers(tuple(parts), now), parts, deployed, now)

    going_on = [one for one in open_of(merged.customer) if one.status is Status.ACTIVE]
    assert merged.customer.profile.view()["tags"] == (["trial"] if going_on else [])
    for one in going_on:
        woken = on_wake(merged.customer, one.id, one.sequence, deployed, now + DAY)
        assert woken is not None
        assert woken.customer.profile.view()["tags"] == []
    assert cleaned_up(merged, [merged.customer], deployed, now) == merged


def test_a_merge_keeps_the_early_exits_and_entries_of_both() -> None:
    one, other = customer("c_a"), customer("c_b")
    one = replace(one, entered={"visit:": MONDAY, "x:": MONDAY}, early_exits={"visit:b": MONDAY + HOUR})
    other = replace(other, entered={"visit:": MONDAY + DAY}, early_exits={"visit:b": MONDAY, "visit:c": MONDAY})

    merged = merge_customers((one, other), MONDAY).customer

    assert merged.entered == {"visit:": MONDAY + DAY, "x:": MONDAY}
    assert merged.early_exits == {"visit:b": MONDAY + HOUR, "visit:c": MONDAY}
    assert merge_customers((other, one), MONDAY).customer == merged


@given(st.randoms(use_true_random=False))
def test_merging_three_customers_gives_the_same_in_any_order(luck: Any) -> None:
    deployed = Deployed(WELCOME, replace(BOOKING, name="booking"))
    three = [
        on_event(customer(id_), one, deployed, MONDAY + number * HOUR).customer
        for number, (id_, one) in enumerate(
            [("c_a", event("trial.signup")), ("c_b", books()), ("c_c", event("trial.signup", MONDAY + HOUR))]
        )
    ]
    shuffled = list(three)
    luck.shuffle(shuffled)

    assert merge_customers(tuple(shuffled), MONDAY) == merge_customers(tuple(three), MONDAY)


# Feedback


def feedback(kind: str, source: str = "feedback", **properties: Any) -> Event:
    """A provider's report on the message m-1 to Ada."""
    whole = {"message_id": "m-1", "channel": "email", "address": "ada@example.com"} | properties
    return event(f"message.{kind}", source=source, properties=whole)


@pytest.mark.parametrize(
    ("heard", "dead"),
    [
        (feedback("bounced", bounce_type="Permanent"), True),
        (feedback("bounced", bounce_type="Transient"), False),
        (feedback("bounced", bounce_type="Undetermined"), False),
        (feedback("complained"), True),
        (feedback("delivered"), False),
        (feedback("opened"), False),
        (feedback("bounced", bounce_type="Permanent", address=None), False),
        (feedback("bounced", bounce_type="Permanent", source="track"), False),
        (feedback("complained", source="stripe"), False),
        (feedback("never_heard_of"), False),
    ],
)
def test_an_address_is_suppressed_after_a_hard_bounce_or_complaint_from_a_provider(
    heard: Event,
    dead: bool,  # noqa: FBT001
) -> None:
    (reaction,) = react(customer(), heard, journeys=Deployed())

    causes = {"message.bounced": Cause.HARD_BOUNCE, "message.complained": Cause.COMPLAINT}
    known = [SuppressionChange(Channel.EMAIL, Mark(causes[heard.type], MONDAY), "ada@example.com")] if dead else []
    assert list(reaction.suppression_changes) == known


@pytest.mark.parametrize("status", [one.value for one in MessageStatus])
def test_only_a_provider_moves_the_status_of_a_message(status: str) -> None:
    (heard,) = react(customer(), feedback(status), journeys=Deployed())
    (forged,) = react(customer(), feedback(status, source="track"), journeys=Deployed())
    (odd,) = react(customer(), feedback(status, message_id=["m-1"]), journeys=Deployed())

    assert [(one.message, one.status, one.at) for one in moved_by(heard)] == [("m-1", status, MONDAY)]
    assert moved_by(forged) == moved_by(odd) == []


def moved_by(reaction: Reaction) -> list[UpdateMessageStatus]:
    return [effect for effect in reaction.effects if isinstance(effect, UpdateMessageStatus)]


# Laws


@given(st.lists(journeys(), min_size=1, max_size=2), st.lists(events(), max_size=5))
def test_every_waiting_enrollment_has_a_live_timer_and_every_effect_is_unique(
    drawn: list[Journey], happened: list[Event]
) -> None:
    deployed = Deployed(*(replace(one, name=f"j{number}") for number, one in enumerate(drawn)))
    now, story, effects = MONDAY, Customer(profile()), []

    for one in happened:
        now = max(now, one.occurred_at)
        reaction = on_event(story, one, deployed, now)
        story = reaction.customer
        effects += reaction.effects

    live = {(effect.enrollment, effect.sequence, effect.at) for effect in effects if isinstance(effect, WakeAt)}
    ids = [effect.id for effect in effects]
    assert all((one.id, one.sequence, one.due_at) in live for one in open_of(story))
    assert len(ids) == len(set(ids))
