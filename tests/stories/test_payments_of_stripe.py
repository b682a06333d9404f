"""What a customer of Stripe owes is what the text says, and what comes back finds who paid."""

import json
from pathlib import Path
from typing import Any

import pytest

from authoring.sources.samples import sample_named
from tests.stories.test_webhooks_of_vendors import posts

JOURNEYS = Path("layers/journeys")


def sends(story: Any, sample: str, **about: Any) -> None:
    """A sample of Stripe, of this instant."""
    document = json.loads(sample_named(f"stripe/{sample}").read_text(encoding="utf-8"))
    document["created"] = int(story.deployment.now().timestamp())
    document["data"]["object"] |= about
    assert posts(story, "stripe", document)["statusCode"] == 202


@pytest.mark.parametrize(
    ("currency", "sent", "owed"),
    [
        ("usd", 500000, "$5,000.00"),
        ("ugx", 500000, "UGX 5,000"),
        ("isk", 500000, "ISK 5,000"),
        ("mga", 5000, "MGA 5,000.00"),
        ("jpy", 5000, "¥5,000"),
        ("kwd", 5000000, "KWD 5,000.000"),
    ],
)
def test_the_text_about_a_failed_payment_has_the_amount_that_is_owed(
    currency: str, sent: int, owed: str, a_story: Any
) -> None:
    story = a_story(JOURNEYS)

    sends(story, "invoice_payment_failed", currency=currency, amount_due=sent)
    story.passes("10m")

    [text] = [one.text for one in story.sent() if one.channel == "sms"]
    assert f"your payment of {owed} didn't go through" in text


def test_a_refund_and_a_dispute_find_the_guest_who_paid(story: Any) -> None:
    sends(story, "checkout_session_completed_guest")

    for sample in ("refund_created", "refund_failed", "charge_dispute_created", "charge_dispute_closed"):
        story.passes("1d")
        sends(story, sample)

    types = [line["type"] for line in story.timeline("event", of="gina.sample@example.com")]
    assert types == ["checkout.completed", "refund.created", "refund.failed", "dispute.created", "dispute.closed"]
    assert len({line["customer"] for line in story.timeline("event")}) == 1


def test_a_customer_that_the_merchant_deletes_is_not_erased(story: Any) -> None:
    sends(story, "customer_created")
    story.passes("1m")
    sends(story, "customer_deleted")

    lines = story.timeline(of="ada.sample@example.com")
    assert [line["type"] for line in lines if line["kind"] == "event"] == ["customer.created", "customer.deleted"]
    assert not [line for line in lines if line["kind"] == "task"]
