"""A customer's consent follows from its consent records, in any order of events.

Apart from its instant: one that is repeated word for word is one record, and the customer has the latest instant.
"""

from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta
from random import Random
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from cairn.domain.consent.changes import ConsentChange
from cairn.domain.consent.contact import Contact
from cairn.domain.consent.record import ConsentRecord
from cairn.domain.consent.suppression import Cause, Mark, SuppressionChange
from cairn.domain.customer.customer import merge_customers, on_event
from cairn.domain.customer.state import Customer, Reaction
from cairn.domain.effects import RecordConsent
from cairn.domain.event import Event
from cairn.domain.shared.channels import Channel, Purpose
from tests.unit.makers import MONDAY, Deployed, customer, denied, event
from tests.unit.strategies import consent_changes, few_instants

NOW = MONDAY + timedelta(days=1)
JOURNEYS = Deployed()

stated = st.builds(
    lambda when, changes, source: event("form.sent", when, consent=tuple(changes), source=source),
    few_instants,
    st.lists(consent_changes, max_size=3),
    st.sampled_from(["track", "hubspot", "preferences"]),
)
replied = st.builds(
    lambda when, kind, channel: event(
        f"message.{kind}", when, source="twilio", properties={"channel": channel, "address": "+12015550123"}
    ),
    few_instants,
    st.sampled_from(["stopped", "started", "replied", "helped"]),
    st.sampled_from([Channel.SMS.value, Channel.WHATSAPP.value]),
)
failed = st.builds(
    lambda when, more: event(
        "message.failed", when, source="feedback", properties={"channel": "sms", "address": "+12015550123"} | more
    ),
    few_instants,
    st.sampled_from([{}, {"opted_out": True}, {"invalid_number": True}]),
)
events = st.lists(st.one_of(stated, replied, failed), max_size=8)


def live(one: Customer, happened: Sequence[Event]) -> tuple[Customer, list[ConsentRecord]]:
    """The customer and its records after some events."""
    records: list[ConsentRecord] = []
    for number, each in enumerate(happened):
        reaction = on_event(one, replace(each, id=f"{one.id}-{number}"), JOURNEYS, NOW)
        one = reaction.customer
        records += recorded(reaction)
    return one, records


def recorded(reaction: Reaction) -> list[ConsentRecord]:
    return [
        ConsentRecord(effect.source, change)
        for effect in reaction.effects
        if isinstance(effect, RecordConsent)
        for change in (*effect.changes, *effect.suppression_changes)
    ]


def consents(records: Sequence[ConsentRecord]) -> dict[str, Any]:
    """The consents that records give in any order."""
    return proven(Contact().after(one.change for one in records if isinstance(one.change, ConsentChange)))


def proven(contact: Contact) -> dict[str, Any]:
    return {key: (one.status, one.source, dict(one.evidence)) for key, one in contact.consents.items()}


@given(events, st.randoms(use_true_random=False))
def test_the_consent_records_give_the_consents(happened: list[Event], anyhow: Random) -> None:
    one, records = live(customer(), happened)
    anyhow.shuffle(records)

    assert proven(one.contact) == consents(records)


@given(events, events, events, st.randoms(use_true_random=False))
def test_after_a_merge_both_customers_records_give_the_consents(
    left: list[Event], right: list[Event], after: list[Event], anyhow: Random
) -> None:
    (ada, hers), (eve, others) = live(customer("c_ada"), left), live(customer("c_eve"), right)
    merged = merge_customers((ada, eve), NOW)
    one, more = live(merged.customer, after)
    records = [*hers, *others, *recorded(merged), *more]
    anyhow.shuffle(records)

    assert proven(one.contact) == consents(records)


@given(st.lists(stated, max_size=6), st.randoms(use_true_random=False))
def test_records_give_the_same_consents_in_any_order(happened: list[Event], anyhow: Random) -> None:
    shuffled = list(happened)
    anyhow.shuffle(shuffled)

    assert live(customer(), happened)[0].contact.consents == live(customer(), shuffled)[0].contact.consents


@given(events)
def test_every_mark_of_an_address_is_in_a_record(happened: list[Event]) -> None:
    reactions = [on_event(customer(), replace(each, id=str(n)), JOURNEYS, NOW) for n, each in enumerate(happened)]

    for reaction in reactions:
        assert [one.change for one in recorded(reaction) if isinstance(one.change, SuppressionChange)] == list(
            reaction.suppression_changes
        )


def test_a_record_has_the_instant_of_its_change() -> None:
    assert ConsentRecord("track", denied(Channel.EMAIL, Purpose.MARKETING)).at == MONDAY
    assert ConsentRecord("feedback", SuppressionChange(Channel.SMS, Mark(Cause.STOP, MONDAY))).at == MONDAY
