"""The quicker ways around moto's API give the same."""

from collections.abc import Iterator
from contextlib import AbstractContextManager, nullcontext
from datetime import UTC, datetime
from typing import Any

import pytest
import time_machine
from botocore.exceptions import ClientError

from infra.local import runtime
from infra.local.cloud import Cloud, sandbox
from infra.local.direct_calls import call_directly
from infra.local.runtime import Runtime, installed

NOW = datetime(2026, 3, 2, 14, tzinfo=UTC)
ITEM = {
    "pk": {"S": "c_1"},
    "sk": {"S": "one"},
    "packed": {"B": b"\x00\xff"},
    "many": {"BS": [b"a", b"b"]},
    "B": {"M": {"B": {"S": "no binary"}, "L": {"L": [{"N": "1"}, {"BOOL": True}, {"NULL": True}, {"B": b"\x01"}]}}},
    "texts": {"SS": ["x", "y"]},
}


@pytest.fixture
def cloud() -> Iterator[Cloud]:
    with time_machine.travel(NOW, tick=False), sandbox():
        made = Cloud()
        made.create({})
        yield made


@pytest.mark.parametrize("queue", ["events", "feedback"])
def test_a_message_is_received_as_the_api_gives_it(cloud: Cloud, queue: str) -> None:
    sqs, url = cloud.client("sqs"), cloud.urls[queue]
    fifo = {"MessageGroupId": "g", "MessageDeduplicationId": "d"} if url.endswith(".fifo") else {}
    attributes = {"reason": {"DataType": "String", "StringValue": "why"}}
    sqs.send_message(QueueUrl=url, MessageBody="a body", MessageAttributes=attributes, **fifo)

    (ours,) = cloud.receive(queue, 10)
    sqs.change_message_visibility(QueueUrl=url, ReceiptHandle=ours["ReceiptHandle"], VisibilityTimeout=0)
    (theirs,) = sqs.receive_message(
        QueueUrl=url, MessageSystemAttributeNames=["All"], MessageAttributeNames=["All"], WaitTimeSeconds=0
    )["Messages"]

    again = {"Attributes": theirs["Attributes"] | {"ApproximateReceiveCount": "1"}}
    assert ours == theirs | again | {"ReceiptHandle": ours["ReceiptHandle"]}
    cloud.delete(queue, [ours])
    assert cloud.receive(queue, 10) == []


def test_changes_are_got_as_the_api_gives_them(cloud: Cloud) -> None:
    table, streams = cloud.client("dynamodb"), cloud.client("dynamodbstreams")
    table.put_item(TableName=cloud.table, Item=ITEM)
    table.put_item(TableName=cloud.table, Item=ITEM | {"texts": {"SS": ["z"]}})
    table.delete_item(TableName=cloud.table, Key={"pk": ITEM["pk"], "sk": ITEM["sk"]})

    ours = cloud.changes(None)
    first = streams.get_shard_iterator(
        StreamArn=cloud.stream_arn, ShardId=cloud.stream_shard_id, ShardIteratorType="TRIM_HORIZON"
    )["ShardIterator"]
    theirs = streams.get_records(ShardIterator=first)["Records"]

    assert [one["eventName"] for one in ours] == ["INSERT", "MODIFY", "REMOVE"]
    assert [comparable(one) for one in ours] == [comparable(one) for one in theirs]
    assert cloud.changes(ours[0]["dynamodb"]["SequenceNumber"]) == ours[1:]
    assert cloud.changes(ours[-1]["dynamodb"]["SequenceNumber"]) == []


def comparable(record: Any) -> Any:
    """The instant has moto's zone, or none."""
    at = record["dynamodb"]["ApproximateCreationDateTime"]
    created = at.replace(tzinfo=UTC).timestamp() if at.tzinfo is None else at.timestamp()
    return record | {"dynamodb": record["dynamodb"] | {"ApproximateCreationDateTime": created}}


def test_an_item_is_read_whole(cloud: Cloud) -> None:
    table = cloud.client("dynamodb")
    table.put_item(TableName=cloud.table, Item=ITEM)

    found = table.get_item(TableName=cloud.table, Key={"pk": ITEM["pk"], "sk": ITEM["sk"]})["Item"]

    assert {name: sets_in_order(value) for name, value in found.items()} == ITEM


def sets_in_order(value: Any) -> Any:
    return {kind: sorted(one) if kind in {"SS", "BS"} else one for kind, one in value.items()}


@pytest.mark.parametrize(
    ("method", "url", "headers", "body"),
    [
        ("POST", "https://sqs.us-east-1.amazonaws.com/", {"X-Amz-Target": "a.b", "Content-Type": "json"}, b"{}"),
        ("GET", "https://scheduler.us-east-1.amazonaws.com/schedules/a%2Fb?g=x%20y", {"User-Agent": b"x"}, None),
        ("POST", "http://localhost:8000/%C3%A9", {"Content-Length": "2"}, "é"),
        ("PUT", "https://s3.us-east-1.amazonaws.com/b/k", {"x-amz-meta-my_key": "v", "Transfer-Encoding": "x"}, b"1"),
    ],
)
def test_a_request_is_built_as_moto_builds_it(method: str, url: str, headers: Any, body: Any) -> None:
    from moto.core.request import Request

    theirs = Request.from_primitives(method, url, headers, body)
    with sandbox():
        ours = Request.from_primitives(method, url, headers, body)

    assert ours.get_data() == theirs.get_data()
    assert parts(ours) == parts(theirs)


def parts(request: Any) -> Any:
    left_out = {"wsgi.input", "wsgi.errors", "werkzeug.request"}
    return {name: value for name, value in request.environ.items() if name not in left_out}


KEY = {"pk": ITEM["pk"], "sk": ITEM["sk"]}
ONE = {":one": {"N": "1"}}
PUT = {"Put": {"TableName": "cairn", "Item": KEY | {"sk": {"S": "three"}, "packed": {"B": b"\x03"}}}}
CHECK = {"ConditionCheck": {"TableName": "cairn", "Key": KEY, "ConditionExpression": "attribute_exists(pk)"}}
REFUSED = {
    "Update": {
        "TableName": "cairn",
        "Key": KEY,
        "UpdateExpression": "SET times = :one",
        "ConditionExpression": "attribute_not_exists(pk)",
        "ExpressionAttributeValues": ONE,
        "ReturnValuesOnConditionCheckFailure": "ALL_OLD",
    }
}
OF_ITEMS = ("batch_get_item", "transact_write_items")
SCHEDULE: dict[str, Any] = {
    "Name": "one",
    "FlexibleTimeWindow": {"Mode": "OFF"},
    "ScheduleExpression": "at(2026-04-01T10:00:00)",
    "Target": {
        "Arn": "arn:aws:sqs:us-east-1:123456789012:cairn-wakes",
        "RoleArn": "arn:aws:iam::123456789012:role/schedules",
        "Input": "a body",
    },
}
CALLS: list[tuple[str, str, dict[str, Any]]] = [
    ("dynamodb", "put_item", {"Item": ITEM | {"gsi1pk": {"S": "all"}, "gsi1sk": {"S": "1"}}}),
    ("dynamodb", "put_item", {"Item": ITEM | {"sk": {"S": "two"}, "gsi1pk": {"S": "all"}, "gsi1sk": {"S": "0"}}}),
    (
        "dynamodb",
        "put_item",
        {"Item": KEY, "ConditionExpression": "attribute_not_exists(pk) OR attribute_exists(times)"},
    ),
    (
        "dynamodb",
        "put_item",
        {
            "Item": KEY | {"pk": {"S": "c_2"}},
            "ConditionExpression": "NOT (attribute_exists(pk) AND pk IN (:a, :b)) AND (times < :one OR pk <> :a)",
            "ExpressionAttributeValues": {":a": {"S": "x"}, ":b": {"S": "y"}, **ONE},
        },
    ),
    *(
        (
            "dynamodb",
            "update_item",
            {"Key": KEY, "UpdateExpression": update, "ExpressionAttributeValues": values, "ReturnValues": "ALL_NEW"},
        )
        for update, values in [
            ("ADD times :one, texts :more", ONE | {":more": {"SS": ["z"]}}),
            ("SET times = times + :one, #m.added = if_not_exists(nothing, :one)", ONE),
            ("SET late = list_append(:list, #m.L), B.L[0] = :one REMOVE texts", ONE | {":list": {"L": [{"S": "0"}]}}),
            ("SET no.such.path = :one", ONE),
            ("SET pk = :one", ONE),
            ("DELETE many :gone SET packed = :binary", {":gone": {"BS": [b"a"]}, ":binary": {"B": b"\x02"}}),
            ("SET a = :one, a = :one", ONE),
        ]
    ),
    (
        "dynamodb",
        "update_item",
        {
            "Key": KEY,
            "UpdateExpression": "SET times = :one",
            "ConditionExpression": "times BETWEEN :low AND :one AND begins_with(sk, :sk)",
            "ExpressionAttributeValues": ONE | {":low": {"N": "0"}, ":sk": {"S": "o"}},
            "ReturnValuesOnConditionCheckFailure": "ALL_OLD",
        },
    ),
    *(
        (
            "dynamodb",
            "query",
            {
                "IndexName": "gsi1",
                "KeyConditionExpression": "gsi1pk = :all",
                "ExpressionAttributeValues": {":all": {"S": which}},
                **more,
            },
        )
        for which in ("all", "none")
        for more in ({}, {"Limit": 1}, {"ScanIndexForward": False})
    ),
    ("dynamodb", "get_item", {"Key": KEY, "ProjectionExpression": "packed, late[0], times"}),
    ("dynamodb", "get_item", {"Key": KEY | {"sk": {"S": "nowhere"}}}),
    ("dynamodb", "batch_get_item", {"RequestItems": {"cairn": {"Keys": [KEY, KEY | {"sk": {"S": "two"}}]}}}),
    ("dynamodb", "transact_write_items", {"TransactItems": [PUT, CHECK]}),
    ("dynamodb", "transact_write_items", {"TransactItems": [PUT, REFUSED]}),
    ("dynamodb", "delete_item", {"Key": KEY, "ReturnValues": "ALL_OLD"}),
    ("dynamodb", "get_item", {"Key": KEY, "TableName": "none"}),
    ("sqs", "send_message_batch", {"Entries": [{"Id": "a", "MessageBody": "é"}, {"Id": "b", "MessageBody": "2"}]}),
    ("sqs", "send_message", {"MessageBody": "1", "QueueUrl": "https://sqs.us-east-1.amazonaws.com/123456789012/none"}),
    ("sqs", "send_message", {"MessageBody": "a=b&c {}", "DelaySeconds": 1}),
    ("sqs", "get_queue_attributes", {"AttributeNames": ["All"]}),
    ("sqs", "receive_message", {"MaxNumberOfMessages": 1, "WaitTimeSeconds": 0}),
    ("sqs", "delete_message", {"ReceiptHandle": "none"}),
    ("scheduler", "create_schedule", SCHEDULE),
    ("scheduler", "create_schedule", SCHEDULE),
    ("scheduler", "get_schedule", {"Name": "one"}),
    ("scheduler", "delete_schedule", {"Name": "none"}),
    ("scheduler", "list_schedules", {}),
    (
        "sesv2",
        "send_email",
        {
            "FromEmailAddress": "hello@example.com",
            "Destination": {"ToAddresses": ["mia@example.com"]},
            "Content": {"Simple": {"Subject": {"Data": "é"}, "Body": {"Text": {"Data": "t"}}}},
        },
    ),
]


def test_a_schedule_fires_as_a_message_that_the_api_sends(cloud: Cloud) -> None:
    cloud.client("scheduler").create_schedule(GroupName=cloud.group, **SCHEDULE)
    cloud.send("wakes", "a body")
    (theirs,) = cloud.receive("wakes", 10)
    cloud.delete("wakes", [theirs])

    cloud.fire("one")

    (ours,) = cloud.receive("wakes", 10)
    assert ours == theirs | {name: ours[name] for name in ("MessageId", "ReceiptHandle")}


def answers(around: AbstractContextManager[Any]) -> list[Any]:
    """What each call answers, without what differs from one run to the next."""
    found = []
    with time_machine.travel(NOW, tick=False), sandbox(same_ids=True), around:
        cloud = Cloud()
        cloud.create({})
        of_all = {"dynamodb": {"TableName": cloud.table}, "sqs": {"QueueUrl": cloud.urls["feedback"]}}
        for service, operation, arguments in CALLS:
            names = {"ExpressionAttributeNames": {"#m": "B"}} if "#m" in str(arguments) else {}
            where = {} if operation in OF_ITEMS else of_all.get(service, {})
            try:
                answer = getattr(cloud.client(service), operation)(**(where | names | arguments))
            except ClientError as error:
                answer = dict(error.response)
            answer["ResponseMetadata"] = {
                name: value for name, value in answer["ResponseMetadata"].items() if name not in {"RequestId", "HostId"}
            }
            for name in ("x-amzn-requestid", "x-amz-crc32", "content-length", "date"):
                answer["ResponseMetadata"]["HTTPHeaders"].pop(name, None)
            for each in (answer, *answer.get("Successful", ()), *answer.get("Messages", ())):
                for name in ("MessageId", "ReceiptHandle"):
                    each.pop(name, None)
            found.append(answer)
    return found


def test_each_call_has_the_answer_that_it_has_without_them(monkeypatch: pytest.MonkeyPatch) -> None:
    with time_machine.travel(NOW, tick=False) as clock:
        direct = installed(Runtime(clock))
    asked = []
    monkeypatch.setattr(runtime, "call_directly", lambda *call: asked.append(call) or call_directly(*call))
    quick, found = answers(nullcontext()), answers(direct)
    monkeypatch.setattr("infra.local.cloud.quicker", nullcontext)

    plain = answers(nullcontext())

    assert [one["ResponseMetadata"]["HTTPStatusCode"] for one in plain].count(200) > len(CALLS) / 2
    assert len(asked) > len([service for service, *_ in CALLS if service in {"dynamodb", "sqs"}])
    for call, *ours, theirs in zip(CALLS, quick, found, plain, strict=True):
        assert ours == [theirs, theirs], call
