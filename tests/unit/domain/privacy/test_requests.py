"""Requests for a copy of a customer's data, and for erasure."""

from datetime import timedelta

import pytest

from cairn.domain.consent.suppression import Cause, Mark, current_suppressions
from cairn.domain.customer.customer import Customer, on_event
from cairn.domain.effects import EraseCustomer, OpenTask
from cairn.domain.identity.identifiers import customer_id_for
from cairn.domain.privacy.requests import ANSWER_WITHIN, QUEUE, id_after_erasure, may_order_erasure
from cairn.domain.shared.channels import Channel, Purpose
from tests.unit.fakes import KEYS
from tests.unit.makers import MONDAY, Deployed, customer, event, journey, name, profile, send

DAY = timedelta(days=1)
WHO = name(user_id="member-1", email="mia@example.com", phone="+14155550123", external={"shopify": "8209829119"})


@pytest.mark.parametrize("source", ["operators", "shopify", "shopify-eu", "hubspot"])
def test_an_erasure_order_is_the_last_decision(source: str) -> None:
    mia = Customer(profile("c_mia", who=WHO))
    asked = event("customer.erasure_requested", source=source, who=WHO)

    reaction = on_event(mia, asked, Deployed(journey(send("bye"), entry={"event": asked.type})), MONDAY + DAY)

    assert reaction.customer.erasure_pending_since == MONDAY + DAY
    [order] = reaction.effects
    assert isinstance(order, EraseCustomer)
    assert (order.by, order.at) == (source, MONDAY)


def test_the_operator_who_orders_an_erasure_is_recorded() -> None:
    asked = event("customer.erasure_requested", source="operators", properties={"actor": "ana"})

    [order] = on_event(customer(), asked, Deployed(), MONDAY).effects

    assert isinstance(order, EraseCustomer)
    assert order.by == "ana"


@pytest.mark.parametrize("source", ["track", "till", "shopify2", "feedback", "preferences"])
def test_a_request_from_any_other_source_opens_a_task(source: str) -> None:
    reaction = on_event(customer(), event("customer.erasure_requested", source=source), Deployed(), MONDAY)

    assert not may_order_erasure(source)
    assert reaction.customer.erasure_pending_since is None
    [task] = reaction.effects
    assert isinstance(task, OpenTask)
    assert (task.queue, task.due_at) == (QUEUE, MONDAY + ANSWER_WITHIN)
    assert task.script.endswith("cairn erase c_ada")


def test_a_request_for_data_opens_a_task_that_is_due_within_a_month() -> None:
    asked = event("customer.data_requested", source="shopify", properties={"request_id": "9999"})

    [task] = on_event(customer(), asked, Deployed(), MONDAY + DAY).effects

    assert isinstance(task, OpenTask)
    assert (task.queue, task.due_at, task.script) == (QUEUE, MONDAY + ANSWER_WITHIN, "cairn export c_ada")
    assert task.context == {"source": "shopify", "request_id": "9999"}


def test_a_shop_erasure_opens_a_task_with_instructions() -> None:
    [task] = on_event(customer(), event("shop.erasure_requested", source="shopify"), Deployed(), MONDAY).effects

    assert isinstance(task, OpenTask)
    assert "cairn erase" in task.script


def test_erasure_suppresses_marketing_at_every_address() -> None:
    mia = Customer(profile("c_mia", who=WHO))
    asked = event("customer.erasure_requested", source="operators", who=WHO)

    changes = on_event(mia, asked, Deployed(), MONDAY).suppression_changes

    assert {(one.channel, one.address) for one in changes} == {
        (Channel.EMAIL, "mia@example.com"),
        (Channel.SMS, "+14155550123"),
        (Channel.WHATSAPP, "+14155550123"),
    }
    assert all(one.covers(Purpose.MARKETING) for one in current_suppressions(one.mark for one in changes))
    assert not any(one.covers(Purpose.TRANSACTIONAL) for one in current_suppressions(one.mark for one in changes))


@pytest.mark.parametrize(
    ("later", "purpose", "stands"),
    [(DAY, Purpose.MARKETING, False), (DAY, None, False), (DAY, Purpose.TRANSACTIONAL, True), (-DAY, None, True)],
)
def test_a_later_resubscription_at_the_address_lifts_an_erasure_suppression(
    later: timedelta, purpose: Purpose | None, *, stands: bool
) -> None:
    erasure = Mark(Cause.ERASURE, MONDAY, Purpose.MARKETING)
    asked = Mark(Cause.UNSUBSCRIBE, MONDAY + later, purpose, lifted=True)

    assert bool(current_suppressions([erasure, asked])) is stands


def test_a_customer_who_comes_back_has_another_id() -> None:
    before = customer_id_for(WHO[0], KEYS.customer_ids)

    ids = {
        before,
        id_after_erasure(before, MONDAY, KEYS.tombstones),
        id_after_erasure(before, MONDAY + DAY, KEYS.tombstones),
    }

    assert len(ids) == 3
    assert {len(one) for one in ids} == {28}
