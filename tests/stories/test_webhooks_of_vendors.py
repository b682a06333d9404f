"""Every vendor's webhooks through the real receiver: handshake, answer, and the events that they become."""

import itertools
import json
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest

from authoring.sources.samples import posting, sample_headers, sample_named, samples
from authoring.stories import load
from cairn.adapters.sources import VENDORS as FOLDERS
from cairn.adapters.sources import sources
from infra.local.deployment import local_deployment
from infra.local.scenario import run_scenario
from infra.local.signing import LOCAL_SECRET, local_secrets
from tests.unit.adapters.sources.test_docs import journeys_of

SHOPIFY = FOLDERS / "shopify"
VENDORS = [name for name in sources() if name not in {"track", "sns"}]  # sns: tests/unit/feedback, no mapping file
ANSWERS = {"twilio": 200, "whatsapp": 200, "facebook-leads": 200, "mailchimp": 200, "intercom": 200}
"""The vendors that need another answer than 202."""


def posts(story: Any, source: str, document: Any, headers: dict[str, str] | None = None) -> Any:
    made = posting(source, document, LOCAL_SECRET, story.deployment.now(), headers=headers)
    answer = story.deployment.request("POST", made.url, made.headers, made.body, source)
    story.deployment.settle()
    return answer


def posts_sample(story: Any, name: str) -> Any:
    path = sample_named(name)
    return posts(story, name.partition("/")[0], json.loads(path.read_text(encoding="utf-8")), sample_headers(path))


def asks(story: Any, source: str, query: str) -> Any:
    return story.deployment.request("GET", f"https://localhost/webhooks/{source}?{query}", {}, b"", source)


@pytest.mark.parametrize("vendor", VENDORS)
def test_every_sample_is_accepted_and_reaches_a_customer(vendor: str, story: Any) -> None:
    landed = False
    for path in samples(vendor):
        answer = posts_sample(story, f"{vendor}/{path.stem}")

        assert answer["statusCode"] == ANSWERS.get(vendor, 202), path.name
        landed = landed or bool(story.timeline("event"))  # before a privacy webhook of the vendor erases the customer

    assert landed
    assert story.dead_letters("events") == []


NAMES_NOBODY = {
    "paypal": (
        "nora.sample@example.com",
        (
            "checkout_order_approved",
            "payment_capture_completed",
            "payment_capture_refunded",
            "customer_dispute_created",
        ),
    ),
    "razorpay": ("ravi.sample@example.com", ("subscription_charged", "subscription_pending", "subscription_halted")),
    "square": (
        "olive.sample@example.com",
        ("payment_updated_completed", "order_fulfillment_updated", "refund_updated", "dispute_created"),
    ),
}
"""By vendor: the customer whom the first sample names, and samples about the same payment that name nobody."""


@pytest.mark.parametrize("vendor", NAMES_NOBODY)
def test_what_follows_a_payment_finds_the_customer_who_paid(vendor: str, story: Any) -> None:
    customer, names = NAMES_NOBODY[vendor]

    for name in names:
        posts_sample(story, f"{vendor}/{name}")

    expected = json.loads((FOLDERS / vendor / "expected.json").read_text(encoding="utf-8"))
    seen = [line["type"] for line in story.timeline("event", of=customer)]
    assert sorted(seen) == sorted(event["type"] for name in names for event in expected[name])


def test_woocommerce_may_try_a_new_webhook_with_an_unsigned_form(story: Any) -> None:
    answer = story.posts(b"webhook_id=7", "woocommerce", {"content-type": "application/x-www-form-urlencoded"})

    assert (answer["statusCode"], json.loads(answer["body"])) == (200, {"webhook_id": "7"})
    assert story.timeline() == []


def test_twilio_gets_an_empty_twiml_answer(story: Any) -> None:
    answer = posts_sample(story, "twilio/message_received")

    assert answer["headers"] == {"content-type": "text/xml"}
    assert answer["body"].endswith("<Response/>")


@pytest.mark.parametrize("source", ["whatsapp", "facebook-leads"])
def test_meta_gets_its_challenge_back_if_it_has_the_token(source: str, story: Any) -> None:
    question = f"hub.mode=subscribe&hub.challenge=11583&hub.verify_token={LOCAL_SECRET.replace('=', '%3D')}"

    genuine = asks(story, source, question)
    stranger = asks(story, source, "hub.mode=subscribe&hub.challenge=11583&hub.verify_token=guess")
    nobody = asks(story, source, "")

    assert (genuine["statusCode"], genuine["body"]) == (200, "11583")
    assert genuine["headers"]["content-type"].startswith("text/plain")
    assert [one["statusCode"] for one in (stranger, nobody)] == [401, 401]
    assert "11583" not in stranger["body"]


def test_mailchimp_gets_a_200_for_the_get_by_which_it_tries_the_url(story: Any) -> None:
    genuine = asks(story, "mailchimp", f"token={quote(LOCAL_SECRET)}")
    stranger = asks(story, "mailchimp", "token=a-guess-of-16-bytes-or-more")

    assert [one["statusCode"] for one in (genuine, stranger)] == [200, 401]
    assert story.timeline() == []


def test_intercom_gets_a_200_for_the_head_by_which_it_tries_the_url(story: Any) -> None:
    def looks(source: str) -> Any:
        return story.deployment.request("HEAD", f"https://localhost/webhooks/{source}", {}, b"", source)

    assert (looks("intercom")["statusCode"], looks("intercom")["body"]) == (200, "")
    assert looks("nothing-of-ours")["statusCode"] == 404
    assert story.timeline() == []


def test_a_chat_message_of_zendesk_finds_its_customer_by_the_ticket(story: Any) -> None:
    for name in ("user_created", "ticket_created", "messaging_message_added"):
        posts_sample(story, f"zendesk/{name}")

    lines = story.timeline("event", of="lena.sample@example.com")
    assert {line["type"] for line in lines} == {"customer.created", "ticket.created", "conversation.replied"}


def test_who_leaves_mailchimp_has_said_no(story: Any) -> None:
    posts_sample(story, "mailchimp/subscribe")
    posts_sample(story, "mailchimp/unsubscribe")

    said = [line["status"] for line in story.timeline("consent", of="mia.sample@example.com")]
    assert said == ["granted", "denied"]


def test_a_vendor_never_gets_404_410_or_a_redirect(story: Any) -> None:
    for vendor in VENDORS:
        unlike_anything, no_json, nothing, forged, strange_get = (
            posts(story, vendor, {"something": "else"}),
            story.posts(b"{", vendor),
            story.posts(b"", vendor),
            story.posts(b"forged", vendor, {}),
            asks(story, vendor, ""),
        )

        for answer in (unlike_anything, no_json, nothing):
            assert answer["statusCode"] in {200, 202, 401}
        assert forged["statusCode"] == strange_get["statusCode"] == 401


def test_a_signed_but_unreadable_body_is_acknowledged_and_dead_lettered_with_its_reason(story: Any) -> None:
    answer = story.posts(b'{"half": ', "typeform")
    story.deployment.settle()

    assert answer["statusCode"] == 202
    [(body, reason)] = story.dead_letters("events")
    assert json.loads(body)["unreadable"]["source"] == "typeform"
    assert json.loads(body)["unreadable"]["body"] == '{"half": '
    assert reason == "InvalidEventError: the body is not JSON"


def test_our_own_api_says_what_is_wrong(story: Any) -> None:
    assert story.posts(b'{"half": ')["statusCode"] == 400
    assert story.posts(b'{"type": "no"}')["statusCode"] == 422
    assert story.dead_letters("events") == []


def test_an_unknown_type_is_stored_and_starts_no_journey(story: Any) -> None:
    unknown = {"event": "invitee.promoted", "created_at": "2026-03-02T09:00:00Z", "payload": {"email": "l@example.com"}}

    answer = posts(story, "calendly", unknown)

    assert answer["statusCode"] == 202
    [line] = story.timeline()
    assert (line["kind"], line["type"]) == ("event", "calendly.invitee.promoted")


def test_the_same_delivery_fifty_times_is_one_event(story: Any) -> None:
    for _ in range(50):
        posts_sample(story, "whatsapp/message_text")

    assert len(story.timeline("event")) == 1


@pytest.mark.parametrize("order", list(itertools.permutations(("orders_create", "orders_paid", "customers_update"))))
def test_a_shops_webhooks_in_any_order_make_the_same_customer(order: tuple[str, ...], story: Any) -> None:
    for name in order:
        posts_sample(story, f"shopify/{name}")

    lines = story.timeline("event", of="lena.sample@example.com")
    assert {line["type"] for line in lines} == {"order.created", "order.paid", "customer.updated"}
    assert len({line["customer_id"] for line in lines}) == 1


ABANDONED = """
scenario: A cart is left behind, and another is not
starts: 2026-03-09T14:05:00Z
for: 2d
posts:
  - at: 0s
    source: shopify
    file: {samples}/customers_update.json
    set: {{updated_at: $at, email_marketing_consent.consent_updated_at: $at}}
  - at: 1m
    source: shopify
    file: {samples}/checkouts_create.json
    set: {{updated_at: $at}}
{order}
"""
PLACED = """
  - at: 15m
    source: shopify
    file: {samples}/orders_create.json
    set: {{updated_at: $at}}
"""


@pytest.mark.parametrize("placed", [True, False])
def test_the_journey_in_the_docs_detects_an_abandoned_cart(placed: bool, tmp_path: Path) -> None:  # noqa: FBT001
    path = tmp_path / "cart.yaml"
    order = PLACED.format(samples=SHOPIFY / "samples") if placed else ""
    path.write_text(ABANDONED.format(samples=SHOPIFY / "samples", order=order), encoding="utf-8")
    journeys = journeys_of(SHOPIFY / "README.md", tmp_path)
    scenario, secrets = load(path), local_secrets({})

    with local_deployment(journeys, start=scenario.starts, secrets=secrets) as made:
        result = run_scenario(path, scenario, made, secrets)

    assert [line["step"] for line in result.lines if line["kind"] == "message"] == ([] if placed else ["come-back"])


ABOUT_AN_ORDER = {
    "fulfillments_create": "fulfillment.created",
    "fulfillments_update": "fulfillment.updated",
    "fulfillment_events_create": "fulfillment.out_for_delivery",
    "refunds_create": "order.refunded",
    "returns_request": "return.requested",
    "returns_close": "return.closed",
    "disputes_create": "dispute.created",
    "disputes_update": "dispute.closed",
}


@pytest.mark.parametrize("seen", ["orders_create", "orders_paid"])
def test_what_names_an_order_alone_finds_who_placed_it(seen: str, story: Any) -> None:
    posts_sample(story, f"shopify/{seen}")
    for name in ABOUT_AN_ORDER:
        posts_sample(story, f"shopify/{name}")

    lines = story.timeline("event", of="lena.sample@example.com")
    assert {line["type"] for line in lines} >= set(ABOUT_AN_ORDER.values())
    assert len({line["customer_id"] for line in story.timeline("event")}) == 1


def test_an_attempt_to_charge_finds_whose_contract_it_is(story: Any) -> None:
    posts_sample(story, "shopify/orders_create")
    posts_sample(story, "shopify/subscription_contracts_create")
    for name in ("failure", "success"):
        posts_sample(story, f"shopify/subscription_billing_attempts_{name}")

    lines = story.timeline("event", of="lena.sample@example.com")
    assert {line["type"] for line in lines} >= {"subscription.payment_failed", "subscription.payment_succeeded"}
    assert len({line["customer_id"] for line in story.timeline("event")}) == 1


def test_a_consent_that_the_customer_must_confirm_stays_pending(story: Any) -> None:
    posts_sample(story, "shopify/customers_email_marketing_consent_update_pending")

    assert [line["status"] for line in story.timeline("consent")] == ["pending"]


def test_an_order_of_a_customer_who_must_confirm_grants_nothing(story: Any) -> None:
    """Until 2024-10 the order's body had the state of the customer's consent."""
    path = sample_named("shopify/orders_create")
    document = json.loads(path.read_text(encoding="utf-8"))
    document["customer"]["email_marketing_consent"] = {"state": "pending", "opt_in_level": "confirmed_opt_in"}

    posts(story, "shopify", document, sample_headers(path))

    assert [line["status"] for line in story.timeline("consent")] == ["pending"]


@pytest.mark.parametrize(
    "source_name", ["locations", "companies", "company_locations", "products", "shipping_addresses"]
)
def test_what_is_no_customer_of_a_shop_makes_nobody_a_customer(source_name: str, story: Any) -> None:
    known = {
        "id": 1,
        "name": "Arlington",
        "phone": "+12025550136",
        "country_code": "US",
        "created_at": "2026-03-02T09:00:00Z",
    }

    for topic in ("create", "update", "delete"):
        document = {**known, "updated_at": f"2026-03-02T09:00:0{len(topic)}Z"}
        assert posts(story, "shopify", document, {"X-Shopify-Topic": f"{source_name}/{topic}"})["statusCode"] == 202

    assert story.timeline() == []
    assert story.dead_letters("events") == []
