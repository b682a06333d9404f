"""A body that is too large for a queue is accepted, stored and processed like any other."""

import json
from typing import Any

import pytest
from botocore.exceptions import ClientError

from authoring.sources.samples import signed_headers
from bench.calls import Call, watched
from cairn.adapters.sqs.batches import BATCH, MAX_BATCH_BYTES
from cairn.settings import MAX_BODY_BYTES
from infra.local.signing import LOCAL_SECRET

SQS_MAX_BYTES = 256 * 1024
"""Bytes of a message before 2025; no higher limit could be confirmed."""


def operations_of(calls: list[Call], function: str) -> list[str]:
    return [f"{call.service}.{call.operation}" for call in calls if call.function == function]


def sizes(calls: list[Call]) -> list[list[int]]:
    """The sizes of the messages of each batch that the receiver queued, in bytes."""
    return [
        [len(entry["MessageBody"].encode()) for entry in call.arguments["Entries"]]
        for call in calls
        if call.operation == "SendMessageBatch"
    ]


def test_an_ordinary_webhook_makes_one_call(api: Any) -> None:
    api.tracks("the first reads the secrets")

    with watched(api.deployment) as calls:
        answer = api.tracks("ordinary", properties={"text": "x" * 100_000})

    assert answer.status_code == 202
    assert [str(call) for call in calls] == ["receive_webhook: sqs.SendMessageBatch"]


def test_an_event_larger_than_a_message_is_queued_as_a_pointer_and_processed_whole(story: Any, api: Any) -> None:
    text = "ü" * 150_000

    with watched(api.deployment) as calls:
        answer = api.tracks("large", properties={"text": text})
        api.deployment.settle()

    [line] = story.timeline("event")
    assert answer.status_code == 202
    assert line["properties"]["text"] == text
    assert max(max(batch) for batch in sizes(calls)) < 1_000
    assert operations_of(calls, "receive_webhook")[-2:] == ["s3.PutObject", "sqs.SendMessageBatch"], (
        "stored before it is queued"
    )
    assert operations_of(calls, "process_event")[0] == "s3.GetObject"


@pytest.mark.parametrize("length", [10, 30_000, 70_000, 150_000])
def test_no_batch_exceeds_the_limit_of_sqs(story: Any, api: Any, length: int) -> None:
    events = [
        {
            "id": f"e{number}",
            "type": "note.written",
            "customer": {"user_id": f"u{number}"},
            "properties": {"t": "x" * length},
        }
        for number in range(19)
    ]

    with watched(api.deployment) as calls:
        answer = api.posts(events)
    api.deployment.settle()

    assert answer.status_code == 202
    assert len(story.timeline("event")) == 19
    assert all(sum(batch) <= MAX_BATCH_BYTES <= SQS_MAX_BYTES for batch in sizes(calls))
    assert all(len(batch) <= BATCH for batch in sizes(calls))


def test_a_body_of_the_maximum_of_meta_is_accepted_and_one_byte_more_is_refused(story: Any) -> None:
    def tracked(event_id: str, length: int) -> int:
        events = [
            {"id": f"{event_id}{n}", "type": "a.b", "customer": {"user_id": "u"}, "properties": {"t": ""}}
            for n in range(10)
        ]
        missing = length - len(json.dumps(events))
        for event in events:
            event["properties"] = {"t": "x" * (missing // 10)}
        events[0]["properties"] = {"t": "x" * (missing // 10 + missing % 10)}
        body = json.dumps(events).encode()
        assert len(body) == length
        return int(story.posts(body)["statusCode"])

    assert tracked("a", MAX_BODY_BYTES) == 202
    assert tracked("b", MAX_BODY_BYTES + 1) == 413
    story.deployment.settle()
    assert len(story.timeline("event")) == 10


@pytest.mark.parametrize("service", ["s3", "sqs"])
def test_a_large_event_that_is_not_stored_is_not_acknowledged_and_its_retry_runs_once(
    story: Any, api: Any, service: str
) -> None:
    def unavailable(call: Call) -> None:
        if call.service == service:
            raise ClientError(
                {"Error": {"Code": "SlowDown"}, "ResponseMetadata": {"HTTPStatusCode": 503}}, call.operation
            )

    with watched(api.deployment, before=unavailable):
        first = api.tracks("large", properties={"text": "x" * 300_000})
    second = api.tracks("large", properties={"text": "x" * 300_000})
    api.tracks("large", properties={"text": "x" * 300_000})
    api.deployment.settle()

    assert (first.status_code, second.status_code) == (503, 202)
    assert len(story.timeline("event")) == 1


def test_a_genuine_body_that_is_unreadable_is_stored_whole_however_large(api: Any) -> None:
    body = b'{"id": "evt_1", "object": "event", "note": "' + b"x" * 2_000_000  # cut short
    headers = signed_headers("stripe", body, LOCAL_SECRET, api.deployment.now())

    answer = api.client.post("/webhooks/stripe", base_url="https://localhost", data=body, headers=headers)
    api.deployment.settle()

    [dead_letter] = api.dead_letters("events", reveal=True)
    assert answer.status_code == 202
    assert dead_letter["body"]["unreadable"]["body"] == body.decode()
    assert dead_letter["reason"].startswith("InvalidEventError")


def test_an_event_larger_than_an_item_is_stored_without_its_largest_properties(story: Any, api: Any) -> None:
    api.tracks("too large", properties={"text": "x" * 500_000, "note": "short"})
    api.tracks("next")
    api.deployment.settle()

    assert api.dead_letters("events") == []
    assert [one.get("properties") for one in story.timeline("event")] == [{"note": "short"}, None]
    [dropped] = story.timeline("dropped")
    assert (dropped["field"], dropped["reason"]) == ("properties.text", "data_too_large")


def test_a_pointer_without_a_body_is_dead_lettered_with_its_reason(api: Any) -> None:
    api.tracks("large", properties={"text": "x" * 300_000})
    s3 = api.deployment.cloud.client("s3")
    [stored] = s3.list_objects_v2(Bucket=api.deployment.cloud.bucket)["Contents"]
    s3.delete_object(Bucket=api.deployment.cloud.bucket, Key=stored["Key"])

    api.deployment.settle()

    [dead_letter] = api.dead_letters("events")
    assert dead_letter["reason"] == "ServiceRefusedError: s3 refused the call: NoSuchKey"


def test_a_large_event_is_redriven_by_its_pointer(story: Any, api: Any) -> None:
    def denied(call: Call) -> None:
        if call.operation == "GetObject":
            raise ClientError(
                {"Error": {"Code": "AccessDenied"}, "ResponseMetadata": {"HTTPStatusCode": 403}}, "GetObject"
            )

    api.tracks("large", properties={"text": "x" * 300_000})
    with watched(api.deployment, before=denied):
        api.deployment.settle()
    done = api.redrives("events")

    assert (done["redriven"], done["left"]) == (1, 0)
    assert len(story.timeline("event")) == 1


def test_a_webhook_repeated_after_its_body_was_emptied_does_not_put_the_body_back(story: Any, api: Any) -> None:
    large = {"text": "x" * 300_000}
    api.tracks("large", properties=large)
    api.deployment.settle()
    story.passes("1d")  # SQS has forgotten the first one

    answer = api.tracks("large", properties=large)
    api.deployment.settle()

    s3, bucket = api.deployment.cloud.client("s3"), api.deployment.cloud.bucket
    (stored,) = s3.list_objects_v2(Bucket=bucket)["Contents"]
    assert s3.get_object(Bucket=bucket, Key=stored["Key"])["Body"].read() == b"{}"
    assert answer.status_code == 202
    assert len(story.timeline("event")) == 1
