"""A journey says that something has happened, to its customer or to another one."""

from datetime import timedelta
from functools import partial
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cairn.adapters.dynamodb.effect_codec import effect_from_wire, effect_to_wire
from cairn.application.events.relay_effects import event_of
from cairn.domain.consent.changes import ConsentStatus
from cairn.domain.customer.customer import on_event
from cairn.domain.customer.state import Customer
from cairn.domain.effects import EmitEvent, Fact
from cairn.domain.event import Event, event_from_queue, event_to_wire
from cairn.domain.identity.identifiers import EMAIL, Identifier
from cairn.domain.identity.trust import JOURNEYS_SOURCE
from cairn.domain.profile.addresses import own_addresses
from cairn.domain.shared.channels import Channel, Purpose
from tests.unit.makers import MONDAY, Deployed, entered, event, journey, name, profile, send
from tests.unit.strategies import json_values


def emit(**more: Any) -> dict[str, Any]:
    return {"id": "tell", "emit": {"event": "trial.converted"} | more}


def emitted(*steps: dict[str, Any], **properties: Any) -> tuple[list[EmitEvent], list[Fact]]:
    decision = entered(journey(*steps), **properties)
    return [one for one in decision.effects if isinstance(one, EmitEvent)], list(decision.facts)


def test_the_event_is_of_the_enrollments_customer_and_has_the_properties() -> None:
    ((effect,), facts) = emitted(emit(properties={"plan": "data.plan", "step": "`2`"}), plan="gold")

    heard = event_of(effect, "c_ada", MONDAY)

    assert (heard.type, heard.source, heard.occurred_at) == ("trial.converted", JOURNEYS_SOURCE, MONDAY)
    assert (heard.customer_id, heard.identifiers) == ("c_ada", ())
    assert heard.properties == {"plan": "gold", "step": 2}
    assert [one.kind for one in facts] == ["entered", "emitted", "ended"]


def test_each_emit_has_an_id_of_its_own_and_the_same_one_again() -> None:
    again = emit() | {"id": "again"}

    ((one, other), _) = emitted(emit(), again)

    assert one.id != other.id
    assert emitted(emit(), again)[0] == [one, other]


@pytest.mark.parametrize(
    "written",
    [
        None,
        "",
        "  ",
        "no address",
        "test@test",
        7.5,
        ["ada@example.com"],
        {"email": "x"},
        True,
        "x" * 300 + "@example.com",
    ],
)
def test_what_names_nobody_emits_nothing_and_leaves_a_line(written: Any) -> None:
    (effects, facts) = emitted(emit(customer={"email": "data.friend"}), friend=written)

    assert effects == []
    assert [one.kind for one in facts] == ["entered", "not_emitted", "ended"]


def test_nobody_vouches_for_the_name_of_another_customer() -> None:
    ((effect,), _) = emitted(emit(customer={"email": "data.friend", "phone": "data.none"}), friend=" Bo@Example.com ")

    heard = event_of(effect, "c_ada", MONDAY)

    assert heard.customer_id is None
    assert heard.identifiers == heard.typed_identifiers == (Identifier(EMAIL, "bo@example.com"),)
    assert not heard.vouches("attributes.plan")


def test_what_it_starts_writes_to_no_other_address_than_the_enrollment_that_emitted_it() -> None:
    typed = {Channel.EMAIL: "ada@example.com"}
    effect = EmitEvent("e-tell-1", "e", "trial.converted", only_to=typed)
    who = name(email="ada@example.com", phone="+14155550123")
    deployed = Deployed(journey(send("hello"), entry={"event": "trial.converted"}))

    heard = event_of(effect, "c_ada", MONDAY)
    reaction = on_event(Customer(profile(who=who)), heard, deployed, MONDAY)

    (enrollment,) = reaction.customer.enrollments.values()
    assert enrollment.addresses == typed
    assert own_addresses(reaction.customer.profile) != typed


def test_it_is_no_report_of_a_source_about_the_customer() -> None:
    heard = event_of(EmitEvent("e-tell-1", "e", "trial.converted"), "c_ada", MONDAY)

    reaction = on_event(Customer(profile()), heard, Deployed(), MONDAY)

    assert reaction.customer.profile.sources == {}
    assert reaction.customer.profile.activity["trial.converted"].count == 1


def test_it_asks_for_a_consent_which_a_yes_grants_and_nothing_else_does() -> None:
    ((effect,), _) = emitted(emit(asks_consent={"sms": "marketing"}))
    heard = event_of(effect, "c_ada", MONDAY)
    phone = name(phone="+14155550123")
    after = on_event(Customer(profile(who=phone)), heard, Deployed(), MONDAY).customer
    reply = partial(event, "message.replied", MONDAY + timedelta(hours=1), who=phone, source="feedback")
    from_the_phone = {"channel": "sms", "address": "+14155550123"}

    no = on_event(after, reply(properties=from_the_phone), Deployed(), MONDAY).customer
    yes = on_event(after, reply(properties={**from_the_phone, "confirms": True}), Deployed(), MONDAY).customer

    assert after.contact.consent(Channel.SMS, Purpose.MARKETING) is ConsentStatus.PENDING
    assert no.contact.consent(Channel.SMS, Purpose.MARKETING) is ConsentStatus.PENDING
    (granted,) = [one for one in yes.contact.consents.values() if one.status is ConsentStatus.GRANTED]
    assert (granted.channel, granted.purpose, granted.confirmed) == (Channel.SMS, Purpose.MARKETING, True)
    assert granted.evidence["event"] == "trial.converted"


only_to = st.none() | st.dictionaries(st.sampled_from(Channel), st.sampled_from(["a@x.org", "+14155550123"]))


@given(
    st.builds(
        EmitEvent,
        id=st.just("e-tell-1"),
        enrollment=st.just("e"),
        event=st.just("trial.converted"),
        properties=st.dictionaries(st.sampled_from(["a", "b"]), json_values.filter(lambda one: one == one)),  # noqa: PLR0124
        customer=st.dictionaries(st.sampled_from(["email", "user_id"]), st.sampled_from(["a@x.org", "b@x.org"])),
        only_to=only_to,
        asks_consent=st.dictionaries(st.sampled_from(Channel), st.sampled_from(Purpose)),
    )
)
def test_it_is_the_same_behind_the_outbox_and_the_queue(effect: EmitEvent) -> None:
    assert effect_from_wire(effect_to_wire(effect)) == effect

    heard = event_of(effect, "c_ada", MONDAY)

    assert event_from_queue(event_to_wire(heard), received_at=MONDAY) == heard


@given(json_values)
def test_nothing_that_an_event_brings_stops_the_journey(value: Any) -> None:
    decision = entered(
        journey(emit(properties={"a": "data.a"}, customer={"email": "data.a", "user_id": "data.a", "phone": "data.a"})),
        a=value,
    )

    assert not decision.enrollment.open
    for effect in decision.effects:
        assert isinstance(effect, EmitEvent)
        assert isinstance(event_of(effect, "c_ada", MONDAY), Event)


def test_a_started_journey_has_the_events_properties_as_its_data() -> None:
    ((effect,), _) = emitted(emit(properties={"plan": "data.plan"}), plan="gold")
    deployed = Deployed(journey(send("hello"), entry={"event": "trial.converted"}))

    reaction = on_event(Customer(profile()), event_of(effect, "c_ada", MONDAY), deployed, MONDAY)

    (enrollment,) = reaction.customer.enrollments.values()
    assert enrollment.data == {"plan": "gold"}
    assert event("x.y").only_to is None


def test_an_address_that_was_taken_away_meanwhile_gets_nothing() -> None:
    effect = EmitEvent("e-tell-1", "e", "trial.converted", only_to={Channel.EMAIL: "no-more@example.com"})
    deployed = Deployed(journey(send("hello"), entry={"event": "trial.converted"}))

    reaction = on_event(Customer(profile()), event_of(effect, "c_ada", MONDAY), deployed, MONDAY)

    (enrollment,) = reaction.customer.enrollments.values()
    assert enrollment.addresses == {}
