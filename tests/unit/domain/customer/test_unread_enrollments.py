"""What an event does not concern may stay unread: the decision is the same."""

from dataclasses import replace
from datetime import datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from cairn.domain.customer.customer import may_concern, on_event, on_wake
from cairn.domain.customer.state import Customer, Reaction
from cairn.domain.event import Event
from cairn.domain.identity.trust import FEEDBACK_SOURCE
from cairn.domain.journey.definition import Journey
from cairn.domain.profile import bounds
from tests.unit.makers import MONDAY, Deployed, event, journey, profile, send, wait
from tests.unit.strategies import events, few_instants, journeys

DAY = timedelta(days=1)
PROVIDER_EVENTS = ("message.delivered", "message.bounced", "message.failed", "message.clicked")
SIGNUP = journey(
    wait("a-while", "3d"),
    send("hello", ["sms", "email"]),  # type: ignore[arg-type]  channels, in their order
    entry={"event": "trial.signup", "key": "event.properties.key"},
    journey="other",
)


def with_enrollments(journeys_: tuple[Journey, ...], count: int) -> Customer:
    customer = Customer(profile())
    for number in range(count):
        begin = event("trial.signup", MONDAY, id_=f"begin-{number}", properties={"key": f"k-{number}"})
        customer = on_event(customer, begin, Deployed(*journeys_), MONDAY).customer
    return customer


def reported(type_: str, at: datetime) -> Event:
    return replace(event(type_, at, properties={"message_id": "m-1", "channel": "sms"}), source=FEEDBACK_SOURCE)


def without_those(customer: Customer) -> Customer:
    return replace(customer, enrollments={}, unread=len(customer.enrollments))


def decided(reaction: Reaction) -> tuple[object, ...]:
    after = reaction.customer
    memory = (after.entered, after.early_exits, after.early_events, after.early_refreshes)
    return after.profile, after.contact, memory, reaction.effects, reaction.facts, reaction.suppression_changes


@given(
    journeys(),
    events(when=few_instants) | st.builds(reported, st.sampled_from(PROVIDER_EVENTS), few_instants),
    st.integers(1, 3),
    few_instants,
)
def test_an_event_that_concerns_no_enrollment_is_decided_without_them(
    made: Journey, happened: Event, count: int, now: datetime
) -> None:
    deployed = Deployed(made)
    customer = with_enrollments((made,), count)
    versions = {(one.journey, one.version) for one in customer.enrollments.values()}
    if may_concern(happened, deployed)(versions):
        return

    assert decided(on_event(without_those(customer), happened, deployed, now)) == decided(
        on_event(customer, happened, deployed, now)
    )


def test_an_event_concerns_the_journeys_that_hear_it_and_those_that_it_starts() -> None:
    deployed = Deployed(SIGNUP)
    versions = [(SIGNUP.name, SIGNUP.version)]

    assert may_concern(event("trial.signup"), deployed)(versions)
    assert may_concern(event("message.bounced"), deployed)(versions) == [], "the source is no provider"
    assert may_concern(replace(event("message.bounced"), source=FEEDBACK_SOURCE), deployed)(versions)
    assert may_concern(event("customer.erasure_requested"), deployed)(versions) == versions
    assert may_concern(event("page.viewed"), deployed)(versions) == []
    assert may_concern(event("page.viewed"), deployed)([("gone", "v0")]), "who is in a lost version is noted"


def test_unread_enrollments_count_for_the_bound() -> None:
    customer = replace(Customer(profile()), unread=bounds.MAX_ENROLLMENTS)

    reaction = on_event(customer, event("trial.signup", properties={"key": "1"}), Deployed(SIGNUP), MONDAY)

    assert [fact.kind for fact in reaction.facts] == ["not_entered"]


def test_a_wake_up_is_decided_with_its_enrollment_alone() -> None:
    customer = with_enrollments((SIGNUP,), 3)
    one = next(iter(customer.enrollments.values()))
    alone = replace(customer, enrollments={one.id: one}, unread=2)

    reaction, whole = (
        on_wake(each, one.id, one.sequence, Deployed(SIGNUP), MONDAY + 3 * DAY) for each in (alone, customer)
    )

    assert reaction is not None
    assert whole is not None
    assert decided(reaction) == decided(whole)
    assert reaction.by_profile is False
