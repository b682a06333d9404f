"""Promises 6 and 8: consent, suppression and the kill switch stop everything that is still queued."""

from collections.abc import Callable
from typing import Any

import pytest
from botocore.exceptions import ClientError

from bench.calls import Call, watched
from cairn.adapters.dynamodb.switches import DynamoSwitches
from cairn.application.operations.switch import Switch

THROTTLED = ClientError({"Error": {"Code": "Throttling"}}, "Publish")


@pytest.fixture
def busy_providers(story: Any) -> Callable[[Callable[[], Any]], None]:
    """Do something while the providers throttle us, so that new messages wait in the queue."""

    def refuse(call: Call) -> None:
        if call.service in {"sns", "sesv2"}:
            raise THROTTLED

    def meanwhile(do: Callable[[], Any]) -> None:
        with watched(story.deployment, before=refuse):
            do()

    return meanwhile


def test_a_message_waits_for_a_busy_provider_and_is_sent_once(story: Any, busy_providers: Any) -> None:
    busy_providers(story.signs_up)
    assert story.sent() == []

    story.passes("1h")

    assert [one.text for one in story.sent()] == ["Hello Mia"]


def test_a_denial_stops_a_message_that_is_already_queued(story: Any, busy_providers: Any) -> None:
    busy_providers(story.signs_up)
    denial = {"channel": "sms", "purpose": "transactional", "status": "denied", "source": "reply STOP"}

    story.happens("consent.changed", customer={"phone": "+12015550001"}, consent=[denial])
    story.passes("1h")

    assert story.sent() == []
    assert [(line["step"], line["reason"]) for line in story.timeline("suppressed")] == [("hello", "opted_out")]


def test_a_denial_is_not_undone_by_an_older_consent_that_arrives_late(story: Any) -> None:
    story.signs_up()
    denial = {"channel": "email", "purpose": "marketing", "status": "denied", "source": "link"}
    granted = denial | {"status": "granted", "at": "2026-03-01T08:00:00Z"}

    story.happens("consent.changed", "denied", customer={"user_id": "member-1"}, consent=[denial])
    story.passes("10m")
    story.happens("consent.changed", "granted", customer={"user_id": "member-1"}, consent=[granted])
    story.passes("1d")

    assert [line["reason"] for line in story.timeline("suppressed")] == ["opted_out"]


@pytest.mark.parametrize("channel_of_consent", ["sms", "whatsapp", "push"])
def test_consent_counts_for_its_own_channel_only(story: Any, channel_of_consent: str) -> None:
    consent = [{"channel": channel_of_consent, "purpose": "marketing", "status": "granted"}]

    story.signs_up(consent=consent)
    story.passes("1d")

    assert [one.channel for one in story.sent()] == ["sms"]
    assert [(line["step"], line["reason"]) for line in story.timeline("suppressed")] == [("tips", "no_consent")]


@pytest.fixture
def an_earlier_mail(story: Any) -> tuple[str, str]:
    """The id of an earlier mail, and the id of its customer, who has just signed up."""
    story.signs_up()
    return "an-earlier-one", story.timeline("entered")[0]["customer_id"]


@pytest.mark.parametrize(
    ("kind", "detail"),
    [
        ("Bounce", {"bounceType": "Permanent", "bouncedRecipients": [{"emailAddress": "Mia.1@example.com"}]}),
        ("Complaint", {"complainedRecipients": [{"emailAddress": "mia.1@example.com"}]}),
    ],
)
def test_a_bounced_or_complaining_address_gets_no_queued_message(
    story: Any, an_earlier_mail: tuple[str, str], busy_providers: Any, kind: str, detail: dict[str, Any]
) -> None:
    busy_providers(lambda: story.passes("2h"))  # the tips are queued

    story.ses_reports(kind, of=an_earlier_mail, address="mia.1@example.com", **detail)
    story.passes("1d")

    assert [one.channel for one in story.sent()] == ["sms"]
    assert [(line["step"], line["reason"]) for line in story.timeline("suppressed")] == [("tips", "suppressed_address")]


def test_a_suppressed_address_is_recognised_in_any_spelling(story: Any, an_earlier_mail: tuple[str, str]) -> None:
    bounced = {"bounceType": "Permanent", "bouncedRecipients": [{"emailAddress": "mia.1@example.com"}]}
    story.ses_reports("Bounce", of=an_earlier_mail, address="mia.1@example.com", **bounced)

    story.passes("1m")
    story.happens("profile.updated", customer={"user_id": "member-1"}, attributes={"email": "MIA.1@Example.com"})
    story.passes("1d")

    assert [line["reason"] for line in story.timeline("suppressed")] == ["suppressed_address"]


def test_a_full_mailbox_is_not_suppressed(story: Any, an_earlier_mail: tuple[str, str]) -> None:
    full = {"bounceType": "Transient", "bouncedRecipients": [{"emailAddress": "mia.1@example.com"}]}

    story.ses_reports("Bounce", of=an_earlier_mail, address="mia.1@example.com", **full)
    story.passes("1d")

    assert [one.channel for one in story.sent()] == ["sms", "email"]


WHY: dict[str, str] = {"by": "ada", "why": "a wrong price"}


@pytest.mark.parametrize("what", ["all", "channel:sms", "journey:welcome", "template:welcome/hello", "country:US"])
def test_the_kill_switch_stops_queued_sends_within_a_minute(story: Any, busy_providers: Any, what: str) -> None:
    story.signs_up(1)  # a sender is running, and has cached the old switches
    busy_providers(lambda: story.signs_up(2))
    story.deployment.stop("deliver_message")

    Switch(DynamoSwitches()).stop(what, **WHY, now=story.deployment.now())
    story.passes("1m")
    story.deployment.start("deliver_message")
    story.signs_up(3)
    story.passes("10m")

    assert [one.address for one in story.sent()] == ["+12015550001"]
    stopped = {(line["customer"], line["reason"]) for line in story.timeline("suppressed")}
    assert stopped == {("member-2", "kill_switch"), ("member-3", "kill_switch")}


def test_sending_starts_again_within_a_minute_after_the_kill_switch(story: Any) -> None:
    Switch(DynamoSwitches()).stop("all", **WHY, now=story.deployment.now())
    story.signs_up(1)

    Switch(DynamoSwitches()).start("all", **WHY, now=story.deployment.now())
    story.passes("1m")
    story.signs_up(2)

    assert [one.address for one in story.sent()] == ["+12015550002"]
