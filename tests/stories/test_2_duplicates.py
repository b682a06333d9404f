"""Promise 2: the same event twice, or fifty times at once, has the effect of one, for 35 days."""

import json
from typing import Any

import pytest

from cairn.adapters.sqs.batches import BATCH
from infra.local.cloud import arn
from infra.local.shapes import sqs_event


def deliveries(body: str, count: int) -> list[dict[str, Any]]:
    """Messages of the events queue that the queue's own deduplication let through."""
    return [
        {
            "MessageId": f"delivery-{number}",
            "ReceiptHandle": "",
            "Body": body,
            "MD5OfBody": "",
            "Attributes": {"ApproximateReceiveCount": "1", "MessageGroupId": f"group-{number}"},
        }
        for number in range(count)
    ]


@pytest.mark.parametrize("later", ["0s", "4m", "6m", "1d", "34d"])
def test_a_duplicate_event_changes_nothing(story: Any, later: str) -> None:
    story.signs_up()
    story.passes(later)
    before = story.timeline()

    answer = story.signs_up()

    assert answer["statusCode"] == 202
    assert story.timeline() == before
    assert len([one for one in story.sent() if one.channel == "sms"]) == 1


def test_an_event_delivered_to_the_function_fifty_times_counts_once(story: Any, member: Any) -> None:
    document = {"id": "signup-1", "source": "track", "type": "trial.signup", **member()}
    handler = story.deployment.handlers["process_event"]

    for _ in range(50 // BATCH):
        answer = handler(sqs_event(arn("events"), deliveries(json.dumps(document), BATCH)), None)
        assert answer == {"batchItemFailures": []}
    story.deployment.settle()

    assert len(story.timeline("event")) == 1
    assert len(story.timeline("entered")) == 1
    assert len(story.sent()) == 1


def test_the_same_id_from_another_source_is_another_event(story: Any, member: Any) -> None:
    story.signs_up()
    document = {"id": "signup-1", "source": "stripe", "type": "trial.signup", **member()}

    story.deployment.handlers["process_event"](sqs_event(arn("events"), deliveries(json.dumps(document), 1)), None)
    story.deployment.settle()

    assert len(story.timeline("event")) == 2


def test_a_message_that_is_queued_twice_is_sent_once(story: Any) -> None:
    relay = story.deployment.handlers["relay_effects"]

    def relay_twice(event: Any, context: Any) -> Any:
        relay(event, context)
        return relay(event, context)

    story.deployment.handlers = {**story.deployment.handlers, "relay_effects": relay_twice}
    story.signs_up()
    story.passes("1d")

    assert [one.channel for one in story.sent()] == ["sms", "email"]
    assert len(story.timeline("task")) == 1
    assert [line["kind"] for line in story.timeline()].count("entered") == 1


def test_an_event_stays_a_duplicate_when_its_customer_is_merged_into_another(story: Any) -> None:
    story.happens("trial.signup", "signup", customer={"email": "mia@example.com", "phone": "+12015550123"})
    story.happens("visit.booked", "visit", customer={"user_id": "mia"})
    story.happens("profile.completed", "both", customer={"user_id": "mia", "email": "mia@example.com"})
    before = story.timeline()

    story.happens("trial.signup", "signup", customer={"email": "mia@example.com", "phone": "+12015550123"})
    story.happens("visit.booked", "visit", customer={"user_id": "mia"})

    assert [line["kind"] for line in before].count("merged") == 1
    assert story.timeline() == before
    assert len(story.sent()) == 1
