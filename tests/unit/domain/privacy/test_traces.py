"""The search for a customer in documents of any shape, such as dead letters."""

import json
from typing import Any

import pytest

from cairn.domain.privacy.traces import Traces
from tests.unit.makers import MONDAY, name

WHO = name(user_id="member-1", email="mia@example.com", phone="+14155550123", external={"shopify": "8209829119"})
TRACES = Traces(frozenset({"c_mia", "c_mia_as_a_lead"}), WHO, MONDAY)


def an_event(occurred_at: str = "2026-03-01T10:00:00Z", **who: Any) -> dict[str, Any]:
    return {"id": "1", "type": "a.b", "occurred_at": occurred_at, "customer": who, "properties": {}}


def ses(address: str) -> dict[str, Any]:
    notification = {"eventType": "Bounce", "mail": {"destination": [address]}}
    return {"Type": "Notification", "MessageId": "m", "Message": json.dumps(notification)}


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
def test_a_document_about_the_customer_is_found(document: Any) -> None:
    assert TRACES.in_document(document)


@pytest.mark.parametrize(
    "document",
    [
        {"customer": "c_other", "enrollment": "e", "sequence": 1},
        an_event(user_id="member-12"),
        an_event(user_id="member-2", email="amia@example.com"),
        an_event(external_ids={"shopify": "8209829110"}),
        an_event("2026-03-09T10:00:00Z", user_id="member-1"),  # after the erasure
        ses("mia@example.com.au"),
        ses("jo+mia@example.com"),
        {"total": 5550123, "order": "14155550123456"},
        "",
        [],
        None,
    ],
)
def test_a_document_about_another_customer_is_not_found(document: Any) -> None:
    assert not TRACES.in_document(document)


@pytest.mark.parametrize(
    ("who", "written"),
    [
        ({"phone": "+525512345678"}, "whatsapp:+5215512345678"),
        ({"phone": "+5531987654321"}, "553187654321"),
        ({"phone": "+5491123456789"}, "54 11 2345 6789"),
        ({"email": "info@b\u00fccher.example"}, "info@xn--bcher-kva.example"),
        ({"email": "info@b\u00fccher.example"}, "Info@B\u00dcCHER.example"),
    ],
)
def test_an_address_is_found_in_every_form_that_others_write(who: dict[str, str], written: str) -> None:
    traces = Traces(frozenset({"c_mia"}), name(**who), MONDAY)

    assert traces.in_document({"body": f"from {written}"})
    assert traces.in_document(an_event(**dict.fromkeys(who, written)))


def test_a_short_id_is_found_only_in_the_fields_for_ids() -> None:
    short = Traces(frozenset({"c_mia"}), name(user_id="7"), MONDAY)

    assert short.in_document(an_event(user_id="7"))
    assert not short.in_document({"unreadable": {"body": '{"quantity": 7}'}})
