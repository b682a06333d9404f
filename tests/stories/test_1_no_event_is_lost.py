"""Promise 1: 2xx only after the event is durably stored; an event that fails is dead-lettered, never lost."""

import json
from collections.abc import Callable
from typing import Any

import pytest
from botocore.exceptions import ClientError, EndpointConnectionError

from bench.calls import Call, watched

REFUSALS = {
    "throttled": ClientError({"Error": {"Code": "ThrottlingException"}}, "SendMessageBatch"),
    "broken": ClientError({"Error": {"Code": "InternalFailure"}, "ResponseMetadata": {"HTTPStatusCode": 500}}, "Any"),
    "denied": ClientError({"Error": {"Code": "AccessDenied"}, "ResponseMetadata": {"HTTPStatusCode": 403}}, "Any"),
    "gone": EndpointConnectionError(endpoint_url="https://sqs"),
}


def failing(service: str, error: Exception, *operations: str) -> Callable[[Call], None]:
    def fail(call: Call) -> None:
        if call.service == service and (not operations or call.operation in operations):
            raise error

    return fail


@pytest.mark.parametrize("refusal", REFUSALS)
def test_an_event_that_the_queue_refuses_is_not_acknowledged(story: Any, refusal: str) -> None:
    with watched(story.deployment, before=failing("sqs", REFUSALS[refusal])):
        answer = story.signs_up()

    assert answer["statusCode"] == 503
    assert answer["headers"]["content-type"] == "application/problem+json"
    assert json.loads(answer["body"])["type"] == "urn:cairn:problem:not-stored"
    assert story.timeline() == []

    again = story.signs_up()

    assert again["statusCode"] == 202
    assert [line["step"] for line in story.timeline("message")] == ["hello"]
    assert len(story.sent()) == 1


def test_a_list_that_is_only_partly_queued_is_not_acknowledged_and_can_be_sent_again(
    story: Any, member: Callable[[int], dict[str, Any]]
) -> None:
    document = [{"id": f"signup-{number}", "type": "trial.signup", **member(number)} for number in range(12)]
    body = json.dumps(document).encode()
    batches: list[Call] = []

    def fail_the_second_batch(call: Call) -> None:
        batches.append(call)
        if call.operation == "SendMessageBatch" and len(batches) == 2:
            raise REFUSALS["broken"]

    with watched(story.deployment, before=fail_the_second_batch):
        first = story.posts(body)
        story.deployment.settle()
    second = story.posts(body)
    story.deployment.settle()

    assert (first["statusCode"], second["statusCode"]) == (503, 202)
    assert len(story.timeline("event")) == 12
    assert len(story.sent()) == 12


def test_an_event_that_fails_is_dead_lettered_with_its_reason_and_runs_once_when_redriven(story: Any) -> None:
    refused = ClientError({"Error": {"Code": "ValidationException"}}, "Query")

    with watched(story.deployment, before=failing("dynamodb", refused)):
        answer = story.signs_up()
        story.passes("15m")

    [(body, reason)] = story.dead_letters("events")
    assert answer["statusCode"] == 202
    assert json.loads(body)["id"] == "signup-1"
    assert reason
    assert "mia.1@example.com" not in reason
    assert story.timeline() == []

    story.passes("1d")
    story.redrives("events")
    story.redrives("events")

    assert story.dead_letters("events") == []
    assert len(story.timeline("entered")) == 1
    assert len(story.sent()) == 1


def test_an_invalid_event_is_dead_lettered_at_once(story: Any) -> None:
    answer = story.happens("trial.signup", customer={"phone": "call me"})

    [(body, reason)] = story.dead_letters("events")
    assert answer["statusCode"] == 202
    assert json.loads(body)["type"] == "trial.signup"
    assert reason == (
        "InvalidEventError: customer.phone: not a phone number, and nothing else names the customer; "
        "send a valid one that begins with + and the country's code"
    )


def test_an_invalid_event_does_not_block_other_customers(story: Any) -> None:
    story.happens("trial.signup", customer={"phone": "call me"})
    story.signs_up()

    assert len(story.sent()) == 1


def test_a_wake_up_that_fails_is_dead_lettered_and_continues_when_redriven(story: Any) -> None:
    story.signs_up()

    refused = ClientError({"Error": {"Code": "ValidationException"}}, "Query")
    fails = failing("dynamodb", refused)
    with watched(story.deployment, before=lambda call: fails(call) if call.function == "process_event" else None):
        story.passes("1d")
    dead_lettered = story.dead_letters("wakes")
    story.passes("1h")
    story.redrives("wakes")

    assert len({body for body, _ in dead_lettered}) == 1, "also where the lost timer was found and set again"
    assert [line["step"] for line in story.timeline("message")] == ["hello", "tips"]


def test_a_long_event_in_non_latin_scripts_is_stored_whole(story: Any) -> None:
    """With JSON's escapes it would be twice as long as SQS and DynamoDB allow."""
    text = "日本語😀" * 25_000
    document = {"id": "long", "type": "note.written", "customer": {"user_id": "one"}, "properties": {"text": text}}
    body = json.dumps(document, ensure_ascii=False)
    body = body.replace("日", "\\ud800\\uffff", 1)  # characters that no queue accepts

    answer = story.posts(body.encode())
    story.deployment.settle()

    assert answer["statusCode"] == 202
    [line] = story.timeline("event")
    assert line["properties"]["text"] == text.replace("日", "\ud800\uffff", 1)
