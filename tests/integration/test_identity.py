"""Identity: a customer is created once, two that are one are merged, and nothing of either is lost."""

import json
from typing import Any

import pytest
from botocore.exceptions import ClientError

from bench.calls import Call, watched
from cairn.domain.event import Event, event_from_wire

THROTTLED = ClientError({"Error": {"Code": "Throttling"}}, "Publish")
EMAIL_CONSENT = [{"channel": "email", "purpose": "marketing", "status": "granted"}]


@pytest.fixture
def process(story: Any) -> Any:  # noqa: ARG001  a deployment comes first
    """The use case of the deployed function."""
    from functions.process_event.handler import process as deployed

    return deployed()


def event(story: Any, event_id: str, event_type: str = "page.seen", **customer: str) -> Event:
    document = {"id": event_id, "type": event_type, "customer": customer}
    return event_from_wire(document, source="track", received_at=story.deployment.now())


def ids(story: Any) -> set[str]:
    return {line["customer_id"] for line in story.timeline()}


def refuse(call: Call) -> None:
    if call.service in {"sns", "sesv2"}:
        raise THROTTLED


def test_two_concurrent_first_events_create_one_customer(story: Any, process: Any, interrupted: Any) -> None:
    now = story.deployment.now()
    first = event(story, "first", "trial.signup", user_id="mia", email="mia@example.com", phone="+12015550001")
    second = event(story, "second", email="mia@example.com", phone="+12015550001")

    assert interrupted(process, lambda: process(second, now))(first, now)

    story.deployment.settle()
    assert len(ids(story)) == 1
    assert sorted(line["id"] for line in story.timeline("event")) == ["first", "second"]
    assert len(story.sent()) == 1


def test_concurrent_events_with_shared_identifiers_create_one_customer(
    story: Any, process: Any, interrupted: Any
) -> None:
    now = story.deployment.now()
    known = event(story, "known", user_id="mia")
    process(known, now)
    by_mail = event(story, "by-mail", user_id="mia", email="mia@example.com")
    by_phone = event(story, "by-phone", email="mia@example.com", phone="+12015550001")

    assert interrupted(process, lambda: process(by_phone, now))(by_mail, now)

    story.deployment.settle()
    assert ids(story) == {story.timeline(of="mia")[0]["customer_id"]}
    assert story.timeline(of="mia") == story.timeline(of="+12015550001") == story.timeline(of="mia@example.com")


def test_a_later_event_merges_two_customers_with_their_timelines(story: Any) -> None:
    story.happens("lead.captured", customer={"email": "mia@example.com"}, attributes={"goal": "run"})
    story.passes("1h")
    story.happens("app.installed", customer={"user_id": "mia", "external_ids": {"app": "9"}})
    story.passes("1h")

    story.happens("profile.completed", customer={"user_id": "mia", "email": "mia@example.com", "phone": "+12015550001"})

    assert len(ids(story)) == 1
    assert [line["type"] for line in story.timeline("event")] == ["lead.captured", "app.installed", "profile.completed"]
    assert len(story.timeline("merged")) == 1
    absorbed = story.timeline("merged")[0]["absorbed"]
    for name in ("mia", "mia@example.com", "+12015550001", "app:9", absorbed):
        assert story.timeline(of=name) == story.timeline()


def test_one_event_merges_three_customers(story: Any, process: Any) -> None:
    story.happens("page.seen", "one", customer={"user_id": "mia"})
    story.happens("page.seen", "two", customer={"email": "mia@example.com"}, attributes={"goal": "run"})
    story.happens("page.seen", "three", customer={"phone": "+12015550001"}, attributes={"city": "Troy"})

    story.happens("page.seen", "all", customer={"user_id": "mia", "email": "mia@example.com", "phone": "+12015550001"})

    [customer_id] = ids(story)
    profile = process.customers.load(customer_id).profile
    assert len(story.timeline("merged")) == 2
    assert (profile.get("goal"), profile.get("city")) == ("run", "Troy")
    assert profile.activity["page.seen"].count == 4


def test_an_absorbed_customers_enrollment_continues(story: Any) -> None:
    story.happens(
        "trial.signup",
        customer={"email": "mia@example.com", "phone": "+12015550001"},
        consent=EMAIL_CONSENT,
        attributes={"first_name": "Mia"},
    )
    story.happens("app.installed", customer={"user_id": "mia"})

    story.happens("profile.completed", customer={"user_id": "mia", "email": "mia@example.com"})
    story.passes("1d")

    assert [(line["customer"], line["step"]) for line in story.timeline("message")] == [
        ("mia", "hello"),
        ("mia", "tips"),
    ]
    assert [line["outcome"] for line in story.timeline("ended")] == ["completed"]
    assert [line["customer"] for line in story.timeline("task")] == ["mia"]


def test_a_wake_up_reaches_a_customer_after_two_merges(story: Any) -> None:
    story.happens("trial.signup", customer={"phone": "+12015550001"})
    story.happens("page.seen", "mail", customer={"email": "mia@example.com"})
    story.happens("page.seen", "mail and phone", customer={"email": "mia@example.com", "phone": "+12015550001"})
    story.happens("page.seen", "account", customer={"user_id": "mia"})
    story.happens("page.seen", "account and phone", customer={"user_id": "mia", "phone": "+12015550001"})

    story.passes("1d")

    assert len(story.timeline("merged")) == 2
    assert [line["outcome"] for line in story.timeline("ended")] == ["completed"]


def test_an_exit_event_ends_the_enrollment_under_any_identifier(story: Any) -> None:
    story.happens("trial.signup", customer={"email": "mia@example.com", "phone": "+12015550001"}, consent=EMAIL_CONSENT)
    story.happens("app.installed", customer={"user_id": "mia"})
    story.happens("profile.completed", customer={"user_id": "mia", "email": "mia@example.com"})

    story.happens("membership.started", customer={"user_id": "mia"})
    story.passes("1d")

    assert [line["outcome"] for line in story.timeline("ended")] == ["exit_on"]
    assert [one.channel for one in story.sent()] == ["sms"]


def is_a_message(entry: dict[str, str]) -> bool:
    return "template" in json.loads(entry.get("MessageBody", "{}"))


def test_a_message_that_is_queued_during_a_merge_is_sent_once_and_recorded(story: Any) -> None:
    with watched(story.deployment, before=refuse) as calls:
        story.happens("trial.signup", customer={"email": "mia@example.com", "phone": "+12015550001"})
        story.happens("app.installed", customer={"user_id": "mia"})
        story.happens("profile.completed", customer={"user_id": "mia", "email": "mia@example.com"})
    (queued,) = {one["MessageBody"] for call in calls for one in call.arguments.get("Entries", ()) if is_a_message(one)}

    story.passes("1h")
    story.deployment.cloud.send("messages", queued)  # queues deliver at least once
    story.passes("1h")

    assert len(story.sent()) == 1
    assert [(line["customer"], line["step"], line["status"]) for line in story.timeline("message")] == [
        ("mia", "hello", "sent")
    ]


def test_a_message_that_was_sent_before_a_merge_is_not_sent_again(story: Any) -> None:
    with watched(story.deployment) as calls:
        story.happens("trial.signup", customer={"email": "mia@example.com", "phone": "+12015550001"})
    (queued,) = {one["MessageBody"] for call in calls for one in call.arguments.get("Entries", ()) if is_a_message(one)}
    story.happens("app.installed", customer={"user_id": "mia"})
    story.happens("profile.completed", customer={"user_id": "mia", "email": "mia@example.com"})

    story.passes("1h")
    story.deployment.cloud.send("messages", queued)
    story.passes("1h")

    assert len(story.sent()) == 1
    assert [line["status"] for line in story.timeline("message")] == ["sent"]


def test_a_claim_that_is_made_during_a_merge_is_not_lost(story: Any, process: Any, interrupted: Any) -> None:
    with watched(story.deployment, before=refuse):
        story.happens("trial.signup", customer={"email": "mia@example.com", "phone": "+12015550001"})
    story.happens("app.installed", customer={"user_id": "mia"})
    both = event(story, "both", user_id="mia", email="mia@example.com")

    story.deployment.clock.shift(1)
    assert interrupted(process, lambda: story.passes("10m"))(both, story.deployment.now())
    story.passes("1h")

    [customer_id] = {line["customer_id"] for line in story.timeline("entered")}
    claims = process.customers.load(customer_id).contact.claims
    assert len(story.sent()) == 1
    assert len(claims) == 1


def test_two_accounts_with_one_address_are_not_merged(story: Any) -> None:
    story.happens("page.seen", "anna", customer={"user_id": "anna", "email": "family@example.com"})
    story.happens("page.seen", "ben", customer={"user_id": "ben", "email": "family@example.com"})
    story.happens("page.seen", "ben again", customer={"user_id": "ben", "email": "family@example.com"})

    assert len(ids(story)) == 2
    assert [line["id"] for line in story.timeline("event", of="anna")] == ["anna"]
    assert [line["id"] for line in story.timeline("event", of="ben")] == ["ben", "ben again"]
    assert story.timeline("merged") == []


def test_spellings_of_one_address_are_one_identifier(story: Any) -> None:
    story.happens("page.seen", "one", customer={"email": "Mia.Sample@Example.com", "phone": "(201) 555-0123"})
    story.happens("page.seen", "two", customer={"email": "mia.sample@example.COM"})
    story.happens("page.seen", "three", customer={"phone": "+1 201-555-0123"})

    assert len(ids(story)) == 1
