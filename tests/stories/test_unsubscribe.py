"""A choice made by a link in a message also applies to queued messages, and later events do not undo it."""

from typing import Any
from urllib.parse import urlencode

from cairn.adapters.sqs.dead_letters import make_visible
from cairn.domain.consent.links import LinkKind
from cairn.domain.shared.channels import Channel, Purpose

FORM = {"content-type": "application/x-www-form-urlencoded"}
ONE_CLICK = b"List-Unsubscribe=One-Click"


def last_mail(story: Any) -> dict[str, Any]:
    """To a customer; a member's has no headers."""
    mails: list[dict[str, Any]] = story.deployment.cloud.mails
    return next(mail for mail in reversed(mails) if "Headers" in mail["Content"]["Simple"])


def one_click_url(mail: dict[str, Any]) -> str:
    headers = {one["Name"]: one["Value"] for one in mail["Content"]["Simple"]["Headers"]}
    assert headers["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
    return headers["List-Unsubscribe"].strip("<>")


def tips(story: Any) -> list[str]:
    """The addresses that got the marketing e-mail."""
    return [sent.address for sent in story.sent() if sent.text == "Three tips"]


def test_a_marketing_mail_has_a_one_click_unsubscribe_link(story: Any) -> None:
    story.signs_up()
    story.passes("3h")

    answer = story.deployment.visit("POST", one_click_url(last_mail(story)), FORM, ONE_CLICK)
    story.deployment.settle()

    (change,) = [line for line in story.timeline("event") if line["type"] == "consent.changed"]
    assert answer["statusCode"] == 200
    assert change["source"] == "preferences"


def test_a_post_without_a_body_or_a_content_type_unsubscribes_and_a_get_never_does(story: Any) -> None:
    story.signs_up()
    story.passes("3h")
    url = one_click_url(last_mail(story))

    for method in ("GET", "HEAD"):
        assert story.deployment.visit(method, url, {}, ONE_CLICK)["statusCode"] == 200
    story.deployment.settle()
    assert [line for line in story.timeline("event") if line["type"] == "consent.changed"] == []

    answer = story.deployment.visit("POST", url, {}, b"")
    story.deployment.settle()
    assert answer["statusCode"] == 200
    assert [line["source"] for line in story.timeline("event") if line["type"] == "consent.changed"] == ["preferences"]


def test_a_queued_message_is_not_sent_after_its_reader_unsubscribes(story: Any) -> None:
    story.signs_up()
    story.passes("1h")
    story.deployment.stop("deliver_message")
    story.passes("2h")
    cloud = story.deployment.cloud
    queued = cloud.receive("marketing", 10)
    make_visible(cloud.client("sqs"), cloud.urls["marketing"], [one["ReceiptHandle"] for one in queued])
    assert len(queued) == 1, "the tips wait for their sender"

    url = story.link(LinkKind.UNSUBSCRIBE, "mia.1@example.com")
    answer = story.deployment.visit("POST", url, FORM, ONE_CLICK)
    story.deployment.settle()
    story.deployment.start("deliver_message")
    story.passes("1h")

    assert answer["statusCode"] == 200
    assert tips(story) == []
    (line,) = story.timeline("suppressed")
    assert line["reason"] == "opted_out"


def test_unsubscribing_suppresses_the_address_so_no_later_sign_up_undoes_it(story: Any) -> None:
    url = story.link(LinkKind.UNSUBSCRIBE, "mia.1@example.com", known=False)
    story.deployment.visit("POST", url, FORM, ONE_CLICK)
    story.deployment.settle()

    story.passes("1h")
    story.signs_up()  # with a new consent
    story.passes("3h")

    assert tips(story) == []


def test_opening_any_link_changes_nothing(story: Any) -> None:
    story.signs_up()
    for kind in LinkKind:
        for method in ("GET", "HEAD"):
            assert story.deployment.visit(method, story.link(kind, "mia.1@example.com"), {})["statusCode"] == 200
    story.deployment.settle()
    story.passes("3h")

    assert tips(story) == ["mia.1@example.com"]


def test_a_customer_who_subscribes_again_in_the_preference_centre_gets_messages_again(story: Any) -> None:
    story.signs_up()
    story.deployment.visit("POST", story.link(LinkKind.UNSUBSCRIBE, "mia.1@example.com"), FORM, ONE_CLICK)
    story.deployment.settle()
    story.passes("10m")
    form = urlencode([("seen", "email:marketing:off"), ("want", "email:marketing"), ("do", "save")]).encode()

    story.deployment.visit("POST", story.link(LinkKind.PREFERENCES, "mia.1@example.com"), FORM, form)
    story.deployment.settle()
    story.passes("3h")

    assert tips(story) == ["mia.1@example.com"]


def test_the_preference_centre_shows_changes_made_elsewhere(story: Any) -> None:
    story.signs_up()
    url = story.link(LinkKind.PREFERENCES, "mia.1@example.com")
    assert 'value="email:marketing" checked' in story.deployment.visit("GET", url, {})["body"]

    story.deployment.visit("POST", story.link(LinkKind.UNSUBSCRIBE, "mia.1@example.com"), FORM, ONE_CLICK)
    story.deployment.settle()

    page = story.deployment.visit("GET", url, {})["body"]
    assert 'value="email:marketing">' in page
    assert 'value="sms:marketing" checked' in page
    assert "mia.1@" not in page


def test_a_stored_mail_contains_no_working_link(story: Any) -> None:
    story.signs_up()
    story.passes("3h")

    (mail,) = [line for line in story.timeline("message") if line["channel"] == Channel.EMAIL]
    assert mail["purpose"] == Purpose.MARKETING
    assert "[unsubscribe]" in mail["body"]
    assert "/unsubscribe/" not in str(story.timeline())
