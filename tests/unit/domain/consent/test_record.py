"""What may be written to a customer is what its consent record says, whatever happened in whatever order."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta
from random import Random

from hypothesis import given
from hypothesis import strategies as st

from cairn.domain.consent.changes import ConsentChange
from cairn.domain.consent.contact import Contact
from cairn.domain.consent.record import ConsentRecord
from cairn.domain.consent.suppression import Cause, Mark, SuppressionChange
from cairn.domain.customer.customer import Customer, Reaction, merge_customers, on_event
from cairn.domain.effects import RecordConsent
from cairn.domain.event import Event
from cairn.domain.shared.channels import Channel, Purpose
from tests.unit.makers import MONDAY, Deployed, customer, denied, event
from tests.unit.strategies import consent_changes, few_instants

NOW = MONDAY + timedelta(days=1)
JOURNEYS = Deployed()

said = st.builds(
    lambda when, changes, source: event("form.sent", when, consent=tuple(changes), source=source),
    few_instants,
    st.lists(consent_changes, max_size=3),
    st.sampled_from(["track", "hubspot", "preferences"]),
)
replied = st.builds(
    lambda when, word, channel: event(
        f"message.{word}", when, source="twilio", properties={"channel": channel, "address": "+12015550123"}
    ),
    few_instants,
    st.sampled_from(["stopped", "started", "replied", "helped"]),
    st.sampled_from([Channel.SMS.value, Channel.WHATSAPP.value]),
)
failed = st.builds(
    lambda when, told: event(
        "message.failed", when, source="feedback", properties={"channel": "sms", "address": "+12015550123"} | told
    ),
    few_instants,
    st.sampled_from([{}, {"opted_out": True}, {"invalid_number": True}]),
)
events = st.lists(st.one_of(said, replied, failed), max_size=8)


def live(one: Customer, happened: Sequence[Event]) -> tuple[Customer, list[ConsentRecord]]:
    """What becomes of a customer, and of its record."""
    records: list[ConsentRecord] = []
    for number, each in enumerate(happened):
        reaction = on_event(one, replace(each, id=f"{one.id}-{number}"), JOURNEYS, NOW)
        one = reaction.customer
        records += recorded(reaction)
    return one, records


def recorded(reaction: Reaction) -> list[ConsentRecord]:
    return [
        ConsentRecord(effect.source, said)
        for effect in reaction.effects
        if isinstance(effect, RecordConsent)
        for said in (*effect.changes, *effect.suppression_changes)
    ]


def consents(records: Sequence[ConsentRecord]) -> dict[str, ConsentChange]:
    """What a record says, whoever reads it in whatever order."""
    return dict(Contact().after(one.change for one in records if isinstance(one.change, ConsentChange)).consents)


@given(events, st.randoms(use_true_random=False))
def test_the_consents_are_what_the_record_says(happened: list[Event], anyhow: Random) -> None:
    one, records = live(customer(), happened)
    anyhow.shuffle(records)

    assert one.contact.consents == consents(records)


@given(events, events, events, st.randoms(use_true_random=False))
def test_of_two_who_are_one_the_consents_are_what_both_records_say(
    left: list[Event], right: list[Event], after: list[Event], anyhow: Random
) -> None:
    (ada, hers), (eve, others) = live(customer("c_ada"), left), live(customer("c_eve"), right)
    one, more = live(merge_customers((ada, eve), NOW).customer, after)
    records = [*hers, *others, *more]
    anyhow.shuffle(records)

    assert one.contact.consents == consents(records)


@given(st.lists(said, max_size=6), st.randoms(use_true_random=False))
def test_words_say_the_same_in_any_order(happened: list[Event], anyhow: Random) -> None:
    shuffled = list(happened)
    anyhow.shuffle(shuffled)

    assert live(customer(), happened)[0].contact.consents == live(customer(), shuffled)[0].contact.consents


@given(events)
def test_every_mark_against_an_address_is_in_the_record(happened: list[Event]) -> None:
    reactions = [on_event(customer(), replace(each, id=str(n)), JOURNEYS, NOW) for n, each in enumerate(happened)]

    for reaction in reactions:
        assert [one.change for one in recorded(reaction) if isinstance(one.change, SuppressionChange)] == list(
            reaction.suppression_changes
        )


def test_a_record_is_as_old_as_the_word_in_it() -> None:
    assert ConsentRecord("track", denied(Channel.EMAIL, Purpose.MARKETING)).at == MONDAY
    assert ConsentRecord("feedback", SuppressionChange(Channel.SMS, Mark(Cause.STOP, MONDAY))).at == MONDAY
