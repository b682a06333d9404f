"""A denial from a CRM, a carrier or WhatsApp stops queued messages; no import undoes it."""

import json
from pathlib import Path
from typing import Any

import pytest

from authoring.sources.samples import posting
from infra.local.reports import queue_body
from infra.local.signing import LOCAL_SECRET

MAIL, NUMBER = "mia.1@example.com", "+12015550001"
WHO = {"email": MAIL}
Json = dict[str, Any]


@pytest.fixture
def story(a_story: Any, tmp_path: Path) -> Any:
    """Of a business that has said which portal of HubSpot is its own."""
    configuration = tmp_path / "sources.toml"
    configuration.write_text('[hubspot]\nonly = "item.portalId == `1`"', encoding="utf-8")
    return a_story(configuration=configuration)


def hubspot(story: Any, portal: int = 1, **changed: str) -> None:
    """A contact's properties change in HubSpot."""
    document = [
        {
            "eventId": number,
            "subscriptionId": 1,
            "portalId": portal,
            "objectId": 501,
            "occurredAt": int(story.deployment.now().timestamp() * 1000),
            "subscriptionType": "contact.propertyChange",
            "changeSource": "CRM_UI",  # staff has typed it, not a visitor
            "propertyName": name,
            "propertyValue": value,
        }
        for number, (name, value) in enumerate(changed.items())
    ]
    vendor(story, "hubspot", document)


def vendor(story: Any, source: str, document: Any, **headers: str) -> None:
    own = {"content-type": "application/json", **{name.replace("_", "-"): value for name, value in headers.items()}}
    if source == "twilio":
        own = {}
    sent = posting(source, document, LOCAL_SECRET, story.deployment.now(), headers=own or None)
    answer = story.posts(sent.body, source, {name.lower(): value for name, value in sent.headers.items()})
    assert answer["statusCode"] < 300
    story.deployment.settle()


def shopify(story: Any, state: str, at: str) -> None:
    consent = {"state": state, "opt_in_level": "single_opt_in", "consent_updated_at": at}
    document = {"customer_id": 7, "email_address": MAIL, "email_marketing_consent": consent}
    vendor(story, "shopify", document, X_Shopify_Topic="customers_email_marketing_consent/update")


def standard_webhooks(story: Any, status: str, at: str) -> None:
    data = {"customer": WHO, "channel": "email", "purpose": "marketing", "status": status, "at": at}
    vendor(story, "standard-webhooks", {"type": "consent.changed", "timestamp": at, "data": data})


def the_tips_are_queued(story: Any) -> None:
    """A marketing e-mail is queued, and its sender is stopped."""
    story.signs_up()
    story.passes("1h")
    story.deployment.stop("deliver_message")
    story.passes("61m")


def the_sender_goes_on(story: Any) -> None:
    story.deployment.start("deliver_message")
    story.passes("1d")


def suppressed(story: Any) -> list[tuple[str, str]]:
    return [(line["step"], line["reason"]) for line in story.timeline("suppressed")]


@pytest.mark.parametrize(
    "denies",
    [
        lambda story: hubspot(story, email=MAIL, hs_email_optout="true"),
        lambda story: shopify(story, "unsubscribed", "2026-03-02T16:01:00Z"),
        lambda story: standard_webhooks(story, "denied", "2026-03-02T16:01:00Z"),
    ],
    ids=["hubspot", "shopify", "standard-webhooks"],
)
def test_a_crms_denial_stops_a_queued_message(story: Any, denies: Any) -> None:
    the_tips_are_queued(story)

    denies(story)
    the_sender_goes_on(story)

    assert suppressed(story) == [("tips", "opted_out")]
    assert [one.channel for one in story.sent()] == ["sms"]


def test_a_shop_grants_nothing_in_the_name_of_a_customer_whose_address_it_has_not_verified(story: Any) -> None:
    the_tips_are_queued(story)

    shopify(story, "unsubscribed", "2026-03-02T16:01:00Z")
    story.passes("1m")
    shopify(story, "subscribed", "2026-03-02T16:01:30Z")
    the_sender_goes_on(story)

    assert suppressed(story) == [("tips", "opted_out")]


def test_a_portal_that_is_not_ours_says_nothing_about_our_customer(story: Any) -> None:
    the_tips_are_queued(story)

    hubspot(story, portal=2, email=MAIL, hs_email_optout="true", firstname="Evil")
    the_sender_goes_on(story)

    assert suppressed(story) == []
    assert {line["source"] for line in story.timeline("event")} == {"track", "people"}


def test_a_resubscription_in_hubspot_grants_no_consent(story: Any) -> None:
    the_tips_are_queued(story)

    hubspot(story, email=MAIL, hs_email_optout="true")
    story.passes("1m")
    hubspot(story, hs_email_optout="false")
    the_sender_goes_on(story)

    assert suppressed(story) == [("tips", "opted_out")]


def test_a_customer_who_subscribes_again_in_the_shop_gets_messages_again(story: Any) -> None:
    the_tips_are_queued(story)
    account = {"id": 7, "email": MAIL, "state": "enabled", "verified_email": True, "updated_at": "2026-03-02T16:00:00Z"}
    vendor(story, "shopify", account, X_Shopify_Topic="customers/update")

    shopify(story, "unsubscribed", "2026-03-02T16:01:00Z")
    story.passes("1m")
    shopify(story, "subscribed", "2026-03-02T16:01:30Z")
    the_sender_goes_on(story)

    assert suppressed(story) == []
    assert [one.channel for one in story.sent()] == ["sms", "email"]


def test_a_customer_who_has_not_confirmed_gets_no_message(story: Any) -> None:
    story.signs_up(consent=[])
    shopify(story, "pending", "2026-03-02T14:00:00Z")
    story.passes("1d")

    assert suppressed(story) == [("tips", "unconfirmed")]


def test_an_import_of_consent_lifts_no_suppression(story: Any) -> None:
    the_tips_are_queued(story)
    (customer,) = {line["customer_id"] for line in story.timeline("entered")}
    bounce = {"bounceType": "Permanent", "bouncedRecipients": [{"emailAddress": MAIL}]}
    story.ses_reports("Bounce", of=("an-earlier-one", customer), address=MAIL, **bounce)

    shopify(story, "subscribed", "2026-03-02T16:01:00Z")
    standard_webhooks(story, "granted", "2026-03-02T16:01:00Z")
    consent = [{"channel": "email", "purpose": "marketing", "status": "granted", "method": "import"}]
    story.happens("customer.imported", customer=WHO, consent=consent)
    the_sender_goes_on(story)

    assert suppressed(story) == [("tips", "suppressed_address")]


FAILED = {"MessageStatus": "failed", "From": "+12125550100", "To": NUMBER}


def by_twilio(story: Any, code: str) -> None:
    vendor(story, "twilio", FAILED | {"MessageSid": f"SM{code}", "ErrorCode": code})


def by_end_user_messaging(story: Any, kind: str, said: str) -> None:
    document = {"eventType": f"TEXT_{kind}", "messageId": "eum-1", "destinationPhoneNumber": NUMBER}
    document |= {"isFinal": True, "messageStatusDescription": said}
    story.deployment.cloud.send("feedback", queue_body(document, story.deployment.now()))
    story.deployment.settle()


def by_sns(story: Any, said: str) -> None:
    log = {"notification": {"messageId": "sns-1", "timestamp": "2026-03-02 14:00:00.000"}, "status": "FAILURE"}
    story.deployment.feedback(json.dumps(log | {"delivery": {"destination": NUMBER, "providerResponse": said}}))
    story.deployment.settle()


@pytest.mark.parametrize(
    ("reports", "reason"),
    [
        (lambda story: by_twilio(story, "21614"), "suppressed_address"),
        (lambda story: by_end_user_messaging(story, "INVALID", ""), "suppressed_address"),
        (lambda story: by_twilio(story, "21610"), "opted_out"),
        (lambda story: by_sns(story, "Phone number is opted out"), "opted_out"),
    ],
    ids=["twilio-invalid", "eum-invalid", "twilio-opted-out", "sns-opted-out"],
)
def test_a_carriers_report_about_a_number_stops_later_texts(story: Any, reports: Any, reason: str) -> None:
    story.happens("note.written", customer={"user_id": "member-1", "phone": NUMBER})

    reports(story)
    story.passes("1m")
    story.signs_up()

    assert suppressed(story) == [("hello", reason)]
    assert story.sent() == []


def test_a_temporary_failure_suppresses_no_number(story: Any) -> None:
    story.happens("note.written", customer={"user_id": "member-1", "phone": NUMBER})

    for code in ("30003", "30005", "30006", "30007", "21612"):
        by_twilio(story, code)
    by_end_user_messaging(story, "UNREACHABLE", "Phone is currently unreachable/unavailable")
    story.signs_up()

    assert [one.channel for one in story.sent()] == ["sms"]


def test_a_start_lifts_a_stop_that_a_carrier_reported(story: Any) -> None:
    story.happens("note.written", customer={"user_id": "member-1", "phone": NUMBER})
    by_twilio(story, "21610")
    story.passes("1m")

    vendor(story, "twilio", {"MessageSid": "SM2", "From": NUMBER, "To": "+12125550100", "Body": "START"})
    story.passes("1m")
    story.signs_up()

    assert [one.text for one in story.sent() if one.text.startswith("Hello")] == ["Hello Mia"]


def test_a_preference_set_in_whatsapp_changes_consent(story: Any) -> None:
    story.happens("note.written", customer={"user_id": "member-1", "phone": NUMBER})

    for number, value in enumerate(("stop", "resume")):
        preference = {"wa_id": NUMBER[1:], "category": "marketing_messages", "value": value}
        preference |= {"timestamp": str(1772460000 + number)}
        change = {"field": "user_preferences", "value": {"user_preferences": [preference]}}
        vendor(story, "whatsapp", {"object": "whatsapp_business_account", "entry": [{"id": "1", "changes": [change]}]})

    consents = [(line["channel"], line["purpose"], line["status"]) for line in story.timeline("consent")]
    assert consents == [("whatsapp", "marketing", "denied"), ("whatsapp", "marketing", "granted")]
    assert {line["evidence"]["method"] for line in story.timeline("consent")} == {"preference_page"}
