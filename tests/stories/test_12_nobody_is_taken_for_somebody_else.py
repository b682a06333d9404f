"""Promise 12: what a visitor typed never ties, merges or redirects a customer who is known."""

import json
from collections.abc import Callable
from typing import Any

import pytest

from authoring.sources.samples import posting, sample_named
from infra.local.signing import LOCAL_SECRET
from tests.conftest import JOURNEYS

Json = dict[str, Any]

MAIL, NUMBER = "mia@example.com", "+12015550123"
OTHER_MAIL, OTHER_NUMBER = "eve@example.com", "+12015550666"
MIA = {"user_id": "mia", "email": MAIL, "phone": NUMBER}


def sample(name: str) -> Any:
    return json.loads(sample_named(name).read_text(encoding="utf-8"))


def a_form(story: Any, email: str, phone: str) -> Json:
    answers = [
        {"type": "email", "email": email, "field": {"ref": "email"}},
        {"type": "phone_number", "phone_number": phone, "field": {"ref": "phone"}},
    ]
    form = {"form_id": "f", "token": "t", "submitted_at": now(story), "answers": answers}
    return {"event_id": "form-1", "event_type": "form_response", "form_response": form}


def a_cart(story: Any, email: str, phone: str) -> Json:
    typed = {"email": email, "phone": phone, "customer": None, "updated_at": now(story)}
    return sample("shopify/checkouts_create") | typed


def a_booking(story: Any, email: str, phone: str) -> Json:
    booking: Json = sample("calendly/invitee_created")
    booking["created_at"] = now(story)
    booking["payload"] |= {"email": email, "text_reminder_number": phone}
    return booking


def a_checkout(story: Any, email: str, phone: str) -> Json:
    session: Json = sample("stripe/checkout_session_expired")
    session["created"] = int(story.deployment.now().timestamp())
    session["data"]["object"] |= {"customer": None, "customer_email": None}
    session["data"]["object"]["customer_details"] |= {"email": email, "phone": phone}
    return session


VISITORS: dict[str, tuple[Callable[[Any, str, str], Json], dict[str, str]]] = {
    "typeform": (a_form, {}),
    "shopify": (a_cart, {"X-Shopify-Topic": "checkouts/create"}),
    "calendly": (a_booking, {}),
    "stripe": (a_checkout, {}),
}


@pytest.fixture
def story(a_story: Any) -> Any:
    """A story with the shipped journeys: a failed payment sends a link to pay."""
    return a_story(JOURNEYS)


def now(story: Any) -> str:
    return str(story.deployment.now().isoformat().replace("+00:00", "Z"))


def types(story: Any, source: str, email: str, phone: str) -> None:
    """A visitor fills in a form, a cart, a booking or a checkout."""
    body, headers = VISITORS[source]
    made = posting(source, body(story, email, phone), LOCAL_SECRET, story.deployment.now(), headers=headers or None)
    assert story.deployment.request("POST", made.url, made.headers, made.body, source)["statusCode"] == 202
    story.passes("1m")


def a_payment_fails(story: Any) -> set[str]:
    """The addresses that get the link to pay."""
    link = "https://invoice.stripe.com/i/secret"
    properties = {"invoice_id": "in_1", "amount_due": 4900, "currency": "usd", "hosted_invoice_url": link}
    story.happens("payment.failed", customer={"user_id": "mia"}, properties=properties)
    story.passes("1h")
    return {one.address for one in story.sent()}


@pytest.mark.parametrize("source", VISITORS)
@pytest.mark.parametrize(("email", "phone"), [(MAIL, OTHER_NUMBER), (OTHER_MAIL, NUMBER)])
@pytest.mark.parametrize("known_before", [True, False])
def test_a_customers_link_to_pay_never_goes_where_a_visitor_typed(
    story: Any,
    source: str,
    email: str,
    phone: str,
    known_before: bool,  # noqa: FBT001
) -> None:
    if known_before:
        story.happens("account.opened", customer=MIA, attributes={"time_zone": "America/New_York"})
    types(story, source, email, phone)
    story.happens("account.opened", "again", customer=MIA, attributes={"time_zone": "America/New_York"})

    addresses = a_payment_fails(story)

    assert addresses
    assert addresses <= {MAIL, NUMBER}


def test_a_dropped_name_is_shown_on_the_timeline(story: Any) -> None:
    story.happens("account.opened", customer=MIA)

    types(story, "typeform", MAIL, OTHER_NUMBER)

    (dropped,) = story.timeline("dropped")
    assert (dropped["field"], dropped["reason"]) == ("customer.phone", "typed")


def test_no_event_names_a_customer_by_our_own_id(story: Any) -> None:
    story.happens("account.opened", customer=MIA)
    (mia,) = story.deployment.customer_ids(MAIL)

    answer = story.happens("consent.changed", customer={"cairn_id": mia})

    assert answer["statusCode"] == 422
    assert "cairn_id" in answer["body"]


def test_what_a_sender_says_about_a_consent_stays_its_claim(story: Any) -> None:
    claim = {"channel": "sms", "purpose": "marketing", "status": "granted", "source": "preferences", "method": "start"}

    story.happens("account.opened", customer=MIA, consent=[claim])

    (line,) = story.timeline("consent")
    assert line["source"] == "track"


def test_an_operator_detaches_a_number(story: Any) -> None:
    story.happens("account.opened", customer=MIA)

    story.deployment.manage(
        "POST",
        "https://localhost/manage/detach",
        {},
        json.dumps({"customer": MAIL, "identifier": NUMBER, "why": "ticket 4711"}).encode(),
        actor="arn:aws:iam::123456789012:user/op",
    )
    story.deployment.settle()

    assert story.deployment.customer_ids(NUMBER) == []
    assert a_payment_fails(story) == {MAIL}
