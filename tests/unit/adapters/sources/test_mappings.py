"""What each sample of each vendor becomes, and what no vendor may do to us."""

import itertools
import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from authoring.sources.check import vendor_problems
from authoring.sources.samples import sample_headers, samples
from cairn.adapters.sources import sources
from cairn.application.events.accept_webhook import Reading, Request
from cairn.domain.identity.identifiers import PHONE, WHATSAPP, Identifier
from tests.unit.adapters.sources.conftest import VENDORS, a_sample, every_sample

NOW = datetime(2026, 12, 1, 12, tzinfo=UTC)
RECEIPT = "2026-12-01T12:00:00Z"


def test_the_folder_of_a_vendor_is_complete_and_its_samples_become_the_expected_events(vendor: str) -> None:
    assert vendor_problems(vendor) == []


def test_the_same_delivery_twice_is_the_same_event(sample: Path, take: Any) -> None:
    name = f"{sample.parents[1].name}/{sample.stem}"

    once, again = (take(name).read().events for _ in range(2))

    assert [event.key for event in once] == [event.key for event in again]


def test_different_samples_are_different_events() -> None:
    keys = [event.key for sample in every_sample() for event in a_sample(sample).read().events]

    assert len(keys) == len(set(keys))


@pytest.mark.parametrize(
    ("name", "path"),
    [("shopify/orders_create", "order_id"), ("facebook-leads/leadgen", "leadgen_id")],
)
def test_long_ids_stay_exact(name: str, path: str, take: Any) -> None:
    [event] = take(name).read().events

    assert event.properties[path] in {"820982911946154509", "1234567890123456789"}


def an_order(**changed: Any) -> dict[str, Any]:
    order = {"id": 7, "email": "lena@example.com", "line_items": [], "financial_status": "paid", "total_price": "9.00"}
    return order | {"created_at": RECEIPT, "updated_at": RECEIPT} | changed


def test_an_order_of_shopify_is_created_once_and_paid_once_for_each_total(post: Any) -> None:
    def event_of(topic: str, **changed: Any) -> str:
        [event] = post("shopify", an_order(**changed), headers={"X-Shopify-Topic": topic}).read().events
        return str(event.id)

    assert event_of("orders/create") == event_of("orders/create", note="call first", updated_at="2026-12-01T12:00:09Z")
    assert event_of("orders/create") != event_of("orders/create", id=8)
    assert event_of("orders/create") != event_of("orders/paid")
    assert event_of("orders/paid") == event_of("orders/paid", note="call first")
    assert event_of("orders/paid") != event_of("orders/paid", current_total_price="12.00")


def test_a_topic_is_found_whatever_the_case_of_its_header(post: Any) -> None:
    [event] = post("shopify", an_order(), headers={"x-shopify-TOPIC": "orders/paid"}).read().events

    assert event.type == "order.paid"


def test_a_calendly_reschedule_is_never_a_cancellation(take: Any) -> None:
    halves = ["calendly/invitee_canceled_rescheduled", "calendly/invitee_created_rescheduled"]

    for order in itertools.permutations(halves):
        events = [event for name in order for event in take(name).read().events]

        assert [event.type for event in events] == ["appointment.rescheduled"]


def test_hubspots_deletion_does_not_undo_the_privacy_deletion(take: Any, post: Any) -> None:
    items = json.loads(take("hubspot/contact_privacy_deletion").request.body)

    for order in itertools.permutations(items):
        events = post("hubspot", list(order)).read().events

        assert [event.type for event in events] == ["customer.erasure_requested"]


def test_metas_statuses_are_the_same_events_in_any_order(take: Any, post: Any) -> None:
    document = json.loads(take("whatsapp/statuses").request.body)
    value = document["entry"][0]["changes"][0]["value"]
    statuses = value["statuses"]
    seen = set()

    for order in itertools.permutations(statuses):
        value["statuses"] = list(order)
        seen.add(frozenset((event.key, event.occurred_at) for event in post("whatsapp", document).read().events))

    assert len(seen) == 1


def test_meta_signs_the_bytes_as_sent(take: Any) -> None:
    genuine = take("whatsapp/message_text")
    assert b"\\u00fc" in genuine.request.body

    genuine.verify()


def test_a_thousand_statuses_of_meta_are_read(post: Any) -> None:
    statuses = [
        {"id": f"wamid.{n}", "status": "sent", "timestamp": "1773064700", "recipient_id": "1201"} for n in range(1000)
    ]
    document = {
        "entry": [{"changes": [{"value": {"statuses": statuses[:500]}}, {"value": {"statuses": statuses[500:]}}]}]
    }

    assert len(post("whatsapp", document).read().events) == 1000


def test_one_bad_part_leaves_the_others_alone(take: Any, post: Any) -> None:
    items = json.loads(take("hubspot/contact_batch").request.body)
    items[2]["occurredAt"] = 10**30

    reading = post("hubspot", items).read()

    assert len(reading.events) == 3
    assert reading.problems == ("[2].occurred_at: an instant in ISO 8601, such as 2026-03-02T09:30:00Z",)


def an_invoice(**more: Any) -> Any:
    invoice = {"object": "invoice", "customer": "cus_1", "customer_phone": "0151 23456789", **more}
    return {"id": "evt_1", "created": 1, "type": "invoice.paid", "data": {"object": invoice}}


@pytest.mark.parametrize(
    ("name", "document"),
    [
        ("stripe", an_invoice(customer_address={"country": "DE"})),
        ("stripe", an_invoice(customer_address=None, customer_details={"address": {"country": "DE"}})),
        ("shopify", an_order() | {"phone": "0151 23456789", "billing_address": {"country_code": "DE"}}),
        ("shopify", an_order() | {"phone": "0151 23456789", "shipping_address": {"country_code": "DE"}}),
    ],
)
def test_a_national_number_is_of_the_country_of_the_vendor_s_address(name: str, document: Any, post: Any) -> None:
    headers = {"x-shopify-topic": "orders/create"} if name == "shopify" else {}

    [event] = post(name, document, headers=headers).read().events

    assert Identifier(PHONE, "+4915123456789") in event.identifiers


def test_a_national_number_without_a_country_is_left_to_the_deployment(post: Any) -> None:
    [event] = post("stripe", an_invoice()).read().events

    assert Identifier(PHONE, "0151 23456789") in event.identifiers


HIDDEN = {"id": "wamid.1", "type": "text", "timestamp": "1773064700", "text": {"body": "STOP"}}


@pytest.mark.parametrize(
    ("message", "contacts"),
    [
        ({"from_user_id": "US.1000"}, []),
        ({"from": "US.1000"}, []),
        ({}, [{"user_id": "US.1000"}]),
        ({"from_user_id": "US.1000", "from": "120363404694233820"}, []),
    ],
)
def test_a_customer_who_hides_the_number_is_known_by_the_id_alone(message: Any, contacts: Any, post: Any) -> None:
    value = {"contacts": contacts, "messages": [{"from_user_id": None, **HIDDEN, **message}]}
    document = {"entry": [{"changes": [{"value": value}]}]}

    reading = post("whatsapp", document).read()

    for event in reading.events:
        assert event.identifiers == (Identifier(WHATSAPP, "US.1000"),)
        assert event.properties["address"] == "US.1000"
    assert [event.type for event in reading.events] == ["message.replied"]


UNKNOWN: list[tuple[str, Any, dict[str, str]]] = [
    ("stripe", {"id": "evt_1", "created": 1, "type": "plan.retired", "data": {"object": {"customer": "cus_1"}}}, {}),
    ("hubspot", [{"subscriptionType": "contact.associationChange", "objectId": 1, "eventId": 2, "occurredAt": 1}], {}),
    ("calendly", {"event": "invitee.somethingNew", "created_at": RECEIPT, "payload": {"email": "a@example.com"}}, {}),
    ("standard-webhooks", {"type": "Signed Up!", "data": {"user_id": "1"}}, {}),
]
OWN_TYPES: dict[str, tuple[str, dict[str, Any]]] = {
    "stripe": ("stripe.plan.retired", {"customer": "cus_1"}),
    "hubspot": ("hubspot.contact.association_change", UNKNOWN[1][1][0]),
    "calendly": ("calendly.invitee.something_new", {"email": "a@example.com"}),
    "standard-webhooks": ("standard_webhooks.signed_up", {"user_id": "1"}),
}


@pytest.mark.parametrize(("name", "document", "headers"), UNKNOWN, ids=OWN_TYPES)
def test_an_unknown_type_becomes_a_type_of_its_source(name: str, document: Any, headers: Any, post: Any) -> None:
    [event] = post(name, document, headers=headers).read().events

    assert (event.type, event.properties) == OWN_TYPES[name]
    assert event.attributes == {}
    assert event.consent == ()


def test_of_an_unknown_type_no_more_is_taken_than_there_is_room_for(post: Any) -> None:
    about = {"customer": "cus_1", "amount": 4900, "lines": ["x" * 900] * 9, "deep": json.loads("[" * 40 + "]" * 40)}
    document = {"id": "evt_1", "created": 1, "type": "plan.retired", "data": {"object": about}}

    [event] = post("stripe", document).read().events

    assert event.properties == {"customer": "cus_1", "amount": 4900}


def test_of_a_batch_each_event_has_its_own_part_alone(post: Any) -> None:
    kind = {"subscriptionType": "contact.associationChange", "occurredAt": 1}
    items = [{**kind, "objectId": number, "eventId": number} for number in (1, 2)]

    events = post("hubspot", items).read().events

    assert [event.properties for event in events] == items


NAMELESS = [
    ("shopify", an_order(), {"x-shopify-topic": "orders/updated"}),
    ("stripe", {"id": "evt_1", "created": 1, "type": "balance.available", "data": {"object": {}}}, {}),
    ("shopify", {"id": 1, "title": "Walking shoes"}, {"x-shopify-topic": "products/update"}),
    ("shopify", {"id": 1, "email": "owner@example.com"}, {"x-shopify-topic": "app/uninstalled"}),
    ("shopify", {"id": 1, "token": "t", "email": "", "phone": None}, {"x-shopify-topic": "checkouts/create"}),
    ("hubspot", [{"subscriptionType": "company.creation", "objectId": 1, "eventId": 2, "occurredAt": 1}], {}),
    ("twilio", {"CallSid": "CA1", "CallStatus": "completed", "From": "+12125550100", "To": "+12015550147"}, {}),
    ("whatsapp", {"entry": [{"changes": [{"field": "account_update", "value": {"event": "VERIFIED"}}]}]}, {}),
    ("mailchimp", {"type": "campaign", "data[id]": "1", "data[status]": "sent"}, {}),
    ("typeform", {"event_id": "1", "event_type": "form_response", "form_response": {"answers": []}}, {}),
    ("hmac", {}, {}),
    ("hmac", [], {}),
    ("hmac", None, {}),
]


@pytest.mark.parametrize(("name", "document", "headers"), NAMELESS)
def test_a_request_without_a_customer_is_ignored(name: str, document: Any, headers: Any, post: Any) -> None:
    assert post(name, document, headers=headers).read() == Reading(ignored=True)


@pytest.mark.parametrize("name", ["hmac", "standard-webhooks"])
def test_only_providers_report_message_events(name: str, post: Any) -> None:
    document = {"type": "message.bounced", "customer": {"user_id": "1"}, "data": {"user_id": "1"}}

    [event] = post(name, document).read().events

    assert event.type == f"{name.replace('-', '_')}.message.bounced"


def test_a_hidden_form_field_is_no_identifier(post: Any) -> None:
    response = {"hidden": {"user_id": "somebody-else", "email": "victim@example.com"}, "answers": []}

    assert post("typeform", {"event_type": "form_response", "form_response": response}).read().ignored


def test_an_invalid_address_does_not_lose_the_event(post: Any) -> None:
    [event] = (
        post("shopify", an_order(email="n/a", customer={"id": 5}), headers={"x-shopify-topic": "orders/paid"})
        .read()
        .events
    )

    assert [one.key for one in event.identifiers] == ["external:shopify:5"]


SEND_FORMS = {name for name in VENDORS if sources()[name].mapping.get("body") == "form"}
DEEP = "the body has more than 100 lists and objects in one another"


@pytest.mark.parametrize("body", [b"", b"{", b"\xff\xfe", b'{"a": NaN}', b'{"a": 1e999}', b"[" * 100_000, b"1" * 5000])
def test_a_malformed_body_is_a_problem_and_no_crash(vendor: str, body: bytes) -> None:
    """Of a vendor that sends forms, every body is one, with odd names at worst: one without names that we know."""
    reading = sources()[vendor].read(Request("https://h.example.com/", {}, body), NOW)

    problem = DEEP if body.startswith(b"[") else "the body is not JSON"
    assert reading == (Reading(ignored=True) if vendor in SEND_FORMS else Reading(problems=(problem,)))


def test_an_instant_beyond_the_calendar_is_a_problem_and_no_crash(post: Any) -> None:
    for odd in ("0001-01-01T00:00:00+14:00", "yesterday", 10**30, -(10**30), 1e300):
        reading = post("hmac", {"id": "1", "type": "a.b", "occurred_at": odd, "customer": {"user_id": "1"}}).read()

        assert reading.events == ()
        assert "occurred_at" in reading.problems[0]


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=8,
)


def paths(value: Any, here: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """Where something stands in a document."""
    inner = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    return [here, *(path for name, one in inner for path in paths(one, (*here, name)))]


def put(value: Any, path: tuple[Any, ...], new: Any) -> Any:
    if not path:
        return new
    name, *rest = path
    changed = dict(value) if isinstance(value, dict) else list(value)
    changed[name] = put(value[name], tuple(rest), new)
    return changed


@given(data=st.data())
def test_no_document_of_a_vendor_makes_reading_fail(vendor: str, data: st.DataObject) -> None:
    """Any value in any path of a sample: events, problems, or nothing; never an exception."""
    sample = data.draw(st.sampled_from(samples(vendor)))
    document = json.loads(sample.read_text(encoding="utf-8"))
    changed = put(document, data.draw(st.sampled_from(paths(document))), data.draw(JSON))
    source = sources()[vendor]
    headers = {name.lower(): value for name, value in sample_headers(sample).items()}
    headers |= data.draw(
        st.dictionaries(st.sampled_from(["x-shopify-triggered-at", "webhook-id"]), st.text(max_size=20))
    )

    reading = source.read(Request("https://h.example.com/?a=1", headers, json.dumps(changed).encode()), NOW)

    for event in reading.events:
        assert event.identifiers or event.references
        assert event.occurred_at <= NOW


@given(body=st.binary(max_size=300), form=st.booleans())
def test_no_body_makes_reading_fail(vendor: str, body: bytes, form: bool) -> None:  # noqa: FBT001
    headers = {"content-type": "application/x-www-form-urlencoded"} if form else {}

    sources()[vendor].read(Request("https://h.example.com/", headers, body), NOW)


def test_a_checkout_of_shopify_without_a_recovery_url_is_a_cart_with_its_items(post: Any) -> None:
    cart = {"id": 1, "token": "t1", "email": "mia@example.com", "updated_at": RECEIPT}
    cart |= {"line_items": [{"title": "Shoes", "quantity": 1, "price": "9.00"}]}

    [event] = post("shopify", cart, headers={"X-Shopify-Topic": "checkouts/update"}).read().events

    assert (event.type, event.properties["checkout_token"]) == ("cart.updated", "t1")
    assert event.properties["items"][0]["title"] == "Shoes"
