"""What somebody may ask for of their data, and how a parked document gives them away."""

import json
from datetime import timedelta
from typing import Any

import pytest

from cairn.domain.consent.suppression import Cause, Mark, current_suppressions
from cairn.domain.customer.customer import Customer, on_event
from cairn.domain.effects import EraseCustomer, OpenTask
from cairn.domain.identity.identifiers import customer_id_for
from cairn.domain.privacy.requests import ANSWER_WITHIN, QUEUE, id_after_erasure, may_order_erasure
from cairn.domain.privacy.traces import Traces
from cairn.domain.shared.channels import Channel, Purpose
from tests.unit.makers import MONDAY, Deployed, customer, event, journey, name, profile, send

DAY = timedelta(days=1)
WHO = name(user_id="member-1", email="mia@example.com", phone="+14155550123", external={"shopify": "8209829119"})
TRACES = Traces(frozenset({"c_mia", "c_mia_as_a_lead"}), WHO, MONDAY)


@pytest.mark.parametrize("source", ["operators", "shopify", "shopify-eu", "hubspot"])
def test_an_order_to_erase_is_the_last_that_is_decided(source: str) -> None:
    mia = Customer(profile("c_mia", who=WHO))
    asked = event("customer.erasure_requested", source=source, who=WHO)

    reaction = on_event(mia, asked, Deployed(journey(send("bye"), entry={"event": asked.type})), MONDAY + DAY)

    assert reaction.customer.erasure_pending_since == MONDAY + DAY
    [order] = reaction.effects
    assert isinstance(order, EraseCustomer)
    assert (order.by, order.at) == (source, MONDAY)


def test_an_operator_who_orders_it_is_named() -> None:
    asked = event("customer.erasure_requested", source="operators", properties={"actor": "ana"})

    [order] = on_event(customer(), asked, Deployed(), MONDAY).effects

    assert isinstance(order, EraseCustomer)
    assert order.by == "ana"


@pytest.mark.parametrize("source", ["track", "till", "shopify2", "feedback", "preferences"])
def test_whose_word_is_not_enough_gets_a_person_to_look(source: str) -> None:
    reaction = on_event(customer(), event("customer.erasure_requested", source=source), Deployed(), MONDAY)

    assert not may_order_erasure(source)
    assert reaction.customer.erasure_pending_since is None
    [task] = reaction.effects
    assert isinstance(task, OpenTask)
    assert (task.queue, task.due_at) == (QUEUE, MONDAY + ANSWER_WITHIN)
    assert task.script.endswith("cairn erase c_ada")


def test_who_asks_for_their_data_gets_it_from_a_person_within_a_month() -> None:
    asked = event("customer.data_requested", source="shopify", properties={"request_id": "9999"})

    [task] = on_event(customer(), asked, Deployed(), MONDAY + DAY).effects

    assert isinstance(task, OpenTask)
    assert (task.queue, task.due_at, task.script) == (QUEUE, MONDAY + ANSWER_WITHIN, "cairn export c_ada")
    assert task.context == {"source": "shopify", "request_id": "9999"}


def test_a_shop_that_is_left_is_a_task_that_says_what_to_do() -> None:
    [task] = on_event(customer(), event("shop.erasure_requested", source="shopify"), Deployed(), MONDAY).effects

    assert isinstance(task, OpenTask)
    assert "cairn erase" in task.script


def test_nobody_who_was_erased_gets_marketing_at_any_address_they_had() -> None:
    mia = Customer(profile("c_mia", who=WHO))
    asked = event("customer.erasure_requested", source="operators", who=WHO)

    told = on_event(mia, asked, Deployed(), MONDAY).suppression_changes

    assert {(one.channel, one.address) for one in told} == {
        (Channel.EMAIL, "mia@example.com"),
        (Channel.SMS, "+14155550123"),
        (Channel.WHATSAPP, "+14155550123"),
    }
    assert all(one.covers(Purpose.MARKETING) for one in current_suppressions(one.mark for one in told))
    assert not any(one.covers(Purpose.TRANSACTIONAL) for one in current_suppressions(one.mark for one in told))


@pytest.mark.parametrize(
    ("later", "purpose", "stands"),
    [(DAY, Purpose.MARKETING, False), (DAY, None, False), (DAY, Purpose.TRANSACTIONAL, True), (-DAY, None, True)],
)
def test_who_was_erased_comes_back_by_their_own_word_at_the_address(
    later: timedelta, purpose: Purpose | None, *, stands: bool
) -> None:
    erasure = Mark(Cause.ERASURE, MONDAY, Purpose.MARKETING)
    asked = Mark(Cause.UNSUBSCRIBE, MONDAY + later, purpose, lifted=True)

    assert bool(current_suppressions([erasure, asked])) is stands


def test_whoever_comes_back_is_somebody_else() -> None:
    home = customer_id_for(WHO[0], "salt")

    ids = {home, id_after_erasure(home, MONDAY), id_after_erasure(home, MONDAY + DAY)}

    assert len(ids) == 3
    assert {len(one) for one in ids} == {28}


def an_event(occurred_at: str = "2026-03-01T10:00:00Z", **who: Any) -> dict[str, Any]:
    return {"id": "1", "type": "a.b", "occurred_at": occurred_at, "customer": who, "properties": {}}


def ses(address: str) -> dict[str, Any]:
    told = {"eventType": "Bounce", "mail": {"destination": [address]}}
    return {"Type": "Notification", "MessageId": "m", "Message": json.dumps(told)}


@pytest.mark.parametrize(
    "document",
    [
        {"customer": "c_mia", "enrollment": "e", "sequence": 1},
        {"customer": "c_mia_as_a_lead", "effect": {"do": "move"}},
        {"customer": "c_else", "change": {"NewImage": {"alias_of": {"S": "c_mia"}}}},
        an_event(user_id="member-1"),
        an_event(cairn_id="c_mia"),
        an_event(email="mia@example.com"),
        an_event(external_ids={"shopify": "8209829119"}),
        an_event(user_id="member-2", phone="+14155550123"),
        ses("mia@example.com"),
        ses("Mia <MIA@example.com>"),
        {"unreadable": {"source": "stripe", "body": '{"object": {"email": "mia@example.com", cut short'}},
        {"unreadable": {"source": "shopify", "body": '{"customer": {"id": 8209829119}}'}},
        {"originationNumber": "+14155550123", "messageBody": "call me"},
        {"From": "whatsapp:+14155550123"},
        {"text": "my number is (415) 555-0123, thank you"},
        [{"to": "14155550123"}],
    ],
)
def test_a_document_that_is_about_somebody_gives_them_away(document: Any) -> None:
    assert TRACES.in_document(document)


@pytest.mark.parametrize(
    "document",
    [
        {"customer": "c_other", "enrollment": "e", "sequence": 1},
        an_event(user_id="member-12"),
        an_event(user_id="member-2", email="amia@example.com"),
        an_event(external_ids={"shopify": "8209829110"}),
        an_event("2026-03-09T10:00:00Z", user_id="member-1"),  # of the life after
        ses("mia@example.com.au"),
        ses("jo+mia@example.com"),
        {"total": 5550123, "order": "14155550123456"},
        "",
        [],
        None,
    ],
)
def test_a_document_about_somebody_else_is_left_alone(document: Any) -> None:
    assert not TRACES.in_document(document)


def test_a_short_id_is_looked_for_where_ids_stand_and_nowhere_else() -> None:
    short = Traces(frozenset({"c_mia"}), name(user_id="7"), MONDAY)

    assert short.in_document(an_event(user_id="7"))
    assert not short.in_document({"unreadable": {"body": '{"quantity": 7}'}})
