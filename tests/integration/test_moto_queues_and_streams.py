"""What moto gets wrong of SQS and of streams is put right. MiniStack has no better ones to compare with."""

import json
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import time_machine
from botocore.exceptions import ClientError

from cairn.adapters import aws
from infra.local.cloud import sandbox

Json = dict[str, Any]
NOW = datetime(2026, 3, 2, 14, tzinfo=UTC)


class Queues:
    """Queues of moto, with the clock."""

    def __init__(self, clock: time_machine.Traveller) -> None:
        self.clock, self.sqs = clock, aws.client("sqs")

    def made(self, name: str, **attributes: str) -> str:
        return str(self.sqs.create_queue(QueueName=name, Attributes=attributes)["QueueUrl"])

    def received(self, url: str, most: int = 10) -> list[Json]:
        found = self.sqs.receive_message(
            QueueUrl=url, MaxNumberOfMessages=most, MessageSystemAttributeNames=["All"], WaitTimeSeconds=0
        )
        return list(found.get("Messages", ()))

    def bodies(self, url: str, most: int = 10) -> list[str]:
        return [one["Body"] for one in self.received(url, most)]

    def passes(self, **length: int) -> None:
        self.clock.shift(timedelta(**length))


@pytest.fixture
def queues() -> Iterator[Queues]:
    with time_machine.travel(NOW, tick=False) as clock, sandbox():
        yield Queues(clock)


@pytest.fixture
def fifo(queues: Queues) -> str:
    return queues.made("q.fifo", FifoQueue="true", DeduplicationScope="messageGroup", VisibilityTimeout="60")


def send(queues: Queues, url: str, body: str, *, group: str = "g", id_: str = "") -> None:
    queues.sqs.send_message(QueueUrl=url, MessageBody=body, MessageGroupId=group, MessageDeduplicationId=id_ or body)


def test_a_fifo_queue_knows_an_id_for_five_minutes_although_its_message_is_gone(queues: Queues, fifo: str) -> None:
    send(queues, fifo, "a")
    (message,) = queues.received(fifo)
    queues.sqs.delete_message(QueueUrl=fifo, ReceiptHandle=message["ReceiptHandle"])

    send(queues, fifo, "a")
    send(queues, fifo, "of another group", group="h", id_="a")
    at_once = queues.bodies(fifo)
    queues.passes(minutes=5)
    send(queues, fifo, "a")

    assert at_once == ["of another group"]
    assert "a" in queues.bodies(fifo)


def test_a_group_keeps_its_order_when_several_become_visible_again(queues: Queues, fifo: str) -> None:
    for body in "abc":
        send(queues, fifo, body)

    assert queues.bodies(fifo, 2) == ["a", "b"]
    assert queues.bodies(fifo) == [], "the group is in flight"
    queues.passes(seconds=61)

    assert queues.bodies(fifo) == ["a", "b", "c"]


def test_a_message_is_gone_after_its_retention(queues: Queues) -> None:
    url = queues.made("q", MessageRetentionPeriod="3600")
    queues.sqs.send_message(QueueUrl=url, MessageBody="a")

    queues.passes(minutes=59)
    assert queues.bodies(url) == ["a"]
    queues.passes(minutes=2)

    assert queues.bodies(url) == []


def test_an_old_message_can_stay_invisible_for_twelve_hours_from_its_receive(queues: Queues) -> None:
    url = queues.made("q")
    queues.sqs.send_message(QueueUrl=url, MessageBody="a")
    queues.passes(days=2)
    (message,) = queues.received(url)

    def hide(seconds: int) -> None:
        queues.sqs.change_message_visibility(
            QueueUrl=url, ReceiptHandle=message["ReceiptHandle"], VisibilityTimeout=seconds
        )

    hide(43_200)
    assert queues.bodies(url) == []
    queues.passes(hours=11)
    with pytest.raises(ClientError, match="InvalidParameterValue"):
        hide(7_200)
    hide(0)

    assert queues.bodies(url) == ["a"]


def test_a_message_received_too_often_is_moved_with_a_fresh_age_where_it_is_fifo(queues: Queues, fifo: str) -> None:
    dead = queues.made("dead.fifo", FifoQueue="true", MessageRetentionPeriod="7200")
    arn = queues.sqs.get_queue_attributes(QueueUrl=dead, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
    policy = json.dumps({"deadLetterTargetArn": arn, "maxReceiveCount": 2})
    queues.sqs.set_queue_attributes(QueueUrl=fifo, Attributes={"RedrivePolicy": policy})
    send(queues, fifo, "a")

    counts = []
    for _ in range(3):
        counts += [one["Attributes"]["ApproximateReceiveCount"] for one in queues.received(fifo)]
        queues.passes(hours=1)

    assert counts == ["1", "2"]
    (moved,) = queues.received(dead)
    assert moved["Attributes"]["SentTimestamp"] == str(int((NOW + timedelta(hours=2)).timestamp() * 1000))


@pytest.fixture
def stream() -> Iterator[Callable[[], list[Json]]]:
    """A table with a stream; reads all its changes."""
    with sandbox():
        made = aws.client("dynamodb").create_table(
            TableName=TABLE,
            BillingMode="PAY_PER_REQUEST",
            AttributeDefinitions=[{"AttributeName": name, "AttributeType": "S"} for name in ("pk", "sk")],
            KeySchema=[{"AttributeName": "pk", "KeyType": "HASH"}, {"AttributeName": "sk", "KeyType": "RANGE"}],
            StreamSpecification={"StreamEnabled": True, "StreamViewType": "NEW_AND_OLD_IMAGES"},
        )["TableDescription"]
        streams, arn = aws.client("dynamodbstreams"), made["LatestStreamArn"]

        def changes() -> list[Json]:
            (shard,) = streams.describe_stream(StreamArn=arn)["StreamDescription"]["Shards"]
            position = {"StreamArn": arn, "ShardId": shard["ShardId"], "ShardIteratorType": "TRIM_HORIZON"}
            iterator = streams.get_shard_iterator(**position)["ShardIterator"]
            return [one["dynamodb"] for one in streams.get_records(ShardIterator=iterator)["Records"]]

        yield changes


TABLE = "with-a-stream"


def updates(name: str, expression: str, value: Json) -> None:
    aws.client("dynamodb").update_item(
        TableName=TABLE, Key=key(name), UpdateExpression=expression, ExpressionAttributeValues={":v": value}
    )


def key(name: str) -> Json:
    return {"pk": {"S": name}, "sk": {"S": name}}


def test_the_stream_has_each_change_once_and_as_it_was(stream: Callable[[], list[Json]]) -> None:
    updates("a", "SET m = :v", {"M": {"n": {"N": "1"}}})
    updates("a", "SET m.n = :v", {"N": "2"})
    updates("a", "SET m.n = :v", {"N": "2"})

    found = [(one.get("OldImage", {}).get("m"), one["NewImage"]["m"]) for one in stream()]
    first, second = {"M": {"n": {"N": "1"}}}, {"M": {"n": {"N": "2"}}}
    assert found == [(None, first), (first, second)]


def test_a_cancelled_transaction_leaves_nothing_in_the_stream(stream: Callable[[], list[Json]]) -> None:
    put = {"Put": {"TableName": TABLE, "Item": key("a")}}
    counts = {"UpdateExpression": "SET n = n + :one", "ExpressionAttributeValues": {":one": {"N": "1"}}}
    update = {"Update": {"TableName": TABLE, "Key": key("b"), **counts}}

    with pytest.raises(ClientError, match="TransactionCanceledException"):
        aws.client("dynamodb").transact_write_items(TransactItems=[put, update])

    assert stream() == []
