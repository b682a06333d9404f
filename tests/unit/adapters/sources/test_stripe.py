"""What Stripe sends, old and current, in our words."""

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from cairn.adapters.sources import VENDORS, sources
from cairn.application.events.accept_webhook import Reading, Request
from cairn.domain.event import Event
from tests.unit.makers import MONDAY, at, name

SAMPLES = VENDORS / "stripe" / "samples"


def stripe_event(type_: str, **about: Any) -> dict[str, Any]:
    return {"id": "evt_1", "object": "event", "type": type_, "created": 1772445000, "data": {"object": about}}


def read(document: Any) -> Reading:
    body = document if isinstance(document, bytes) else json.dumps(document).encode()
    return sources()["stripe"].read(Request("https://cairn.example", {}, body), MONDAY)


def only(document: Any) -> Event:
    (event,) = read(document).events
    return event


INVOICE: dict[str, Any] = {
    "id": "in_1",
    "customer": "cus_1",
    "customer_email": "Ada@Example.com",
    "customer_name": "Ada Sample",
    "customer_phone": "+14155550123",
    "amount_due": 4900,
    "currency": "usd",
    "attempt_count": 2,
    "next_payment_attempt": 1772700000,
    "hosted_invoice_url": "https://invoice.example/1",
}
NEW_SHAPE = {"parent": {"type": "subscription_details", "subscription_details": {"subscription": "sub_1"}}}
OLD_SHAPE = {"subscription": "sub_1", "parent": None}


@pytest.mark.parametrize("shape", [NEW_SHAPE, OLD_SHAPE], ids=["current", "old"])
@pytest.mark.parametrize("customer", ["cus_1", {"id": "cus_1", "object": "customer"}], ids=["id", "expanded"])
def test_a_failed_payment(shape: dict[str, Any], customer: Any) -> None:
    failed = only(stripe_event("invoice.payment_failed", **(INVOICE | shape | {"customer": customer})))

    assert (failed.id, failed.source, failed.type) == ("evt_1", "stripe", "payment.failed")
    assert failed.occurred_at == at("2026-03-02 09:50")
    assert failed.identifiers == name(email="ada@example.com", phone="+14155550123", external={"stripe": "cus_1"})
    assert failed.properties == {
        "invoice_id": "in_1",
        "subscription_id": "sub_1",
        "amount_due": 4900,
        "currency": "usd",
        "attempt_count": 2,
        "next_attempt_at": 1772700000,
        "hosted_invoice_url": "https://invoice.example/1",
    }
    assert failed.attributes == {"name": "Ada Sample"}


def test_a_last_attempt_says_that_there_is_no_next_one() -> None:
    failed = only(stripe_event("invoice.payment_failed", **(INVOICE | {"next_payment_attempt": None})))

    assert failed.properties["next_attempt_at"] is None


@pytest.mark.parametrize("type_", ["invoice.payment_succeeded", "invoice.paid"])
def test_a_paid_invoice_under_both_names(type_: str) -> None:
    paid = only(stripe_event(type_, **(INVOICE | NEW_SHAPE | {"amount_paid": 4900})))

    assert paid.type == "payment.succeeded"
    assert paid.properties["amount_paid"] == 4900


@pytest.mark.parametrize(
    "ends", [{"items": {"data": [{"current_period_end": 1772700000}]}}, {"current_period_end": 1772700000}]
)
def test_a_cancelled_subscription(ends: dict[str, Any]) -> None:
    ended = only(stripe_event("customer.subscription.deleted", id="sub_1", customer="cus_1", **ends))

    assert (ended.type, ended.properties["ends_at"]) == ("subscription.cancelled", 1772700000)


def test_a_guest_checkout_is_identified_by_the_typed_email() -> None:
    expired = only(
        stripe_event(
            "checkout.session.expired",
            id="cs_1",
            customer=None,
            customer_email=None,
            customer_details={"email": "noa@example.com", "phone": None, "name": "Noa"},
            after_expiration={"recovery": {"url": "https://buy.example/r"}},
        )
    )

    assert expired.identifiers == name(email="noa@example.com")
    assert expired.properties["recovery_url"] == "https://buy.example/r"


def test_a_checkout_without_a_customer_is_ignored() -> None:
    nobody = read(stripe_event("checkout.session.expired", id="cs_1", customer=None, customer_email=None))

    assert nobody == Reading(ignored=True)


@pytest.mark.parametrize("document", [{}, [], "x", 1, None, {"type": "invoice.paid"}, {"data": {"object": []}}])
def test_a_body_that_is_no_stripe_event_is_ignored(document: Any) -> None:
    assert read(document).events == ()


def test_a_type_without_a_rule_is_none_of_our_types() -> None:
    known = {"payment.failed", "payment.succeeded", "subscription.cancelled", "checkout.completed", "checkout.expired"}

    reading = read(stripe_event("charge.dispute.created", id="dp_1", customer="cus_1"))

    assert not known & {event.type for event in reading.events}


@pytest.mark.parametrize("customer", [{}, {"object": "customer"}, True, 1.5, ["cus_1"]])
def test_a_customer_field_that_is_no_id_identifies_no_customer(customer: Any) -> None:
    nameless = {"customer": customer, "customer_email": None, "customer_phone": None}

    assert read(stripe_event("invoice.paid", **(INVOICE | nameless))).events == ()


def test_an_instant_beyond_the_calendar_is_a_problem_and_no_crash() -> None:
    strange = stripe_event("invoice.paid", **INVOICE) | {"created": 10**30}

    assert read(strange).problems


def test_a_body_that_is_not_json_is_a_problem() -> None:
    assert read(b"{").problems
    assert read(b"\xff\xfe").problems
    assert read(b"[" * 100_000).problems


@pytest.mark.parametrize("path", sorted(SAMPLES.glob("invoice_*.json")), ids=lambda path: path.stem)
def test_every_invoice_sample_is_an_event_of_a_customer(path: Path) -> None:
    event = only(path.read_bytes())

    assert event.identifiers
    assert replace(event, properties={}).key == event.key
