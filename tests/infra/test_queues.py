"""Nothing that was accepted is lost, and whatever is stuck is seen."""

import json

import pytest

from cairn.settings import MAX_RECEIVES, PATIENCE
from cairn.sqs_records import LONGEST_WAIT
from infra.local import dead_letters
from tests.infra.conftest import Json, Templates

DAY = 24 * 60 * 60


@pytest.fixture(params=["dev", "prod"])
def templates(request: pytest.FixtureRequest, synthesized: dict[str, Templates]) -> Templates:
    return synthesized[request.param]


def consumed(templates: Templates) -> dict[str, Json]:
    sources = templates.all("AWS::Lambda::EventSourceMapping").values()
    names = {source["EventSourceArn"].get("Fn::GetAtt", [""])[0] for source in sources}
    return {name: queue for name, queue in templates.all("AWS::SQS::Queue").items() if name in names}


def test_every_consumed_queue_has_its_own_dead_letter_queue(templates: Templates) -> None:
    """Both lanes of messages into one, since a letter says which lane it is for."""
    dead_letters = [queue["RedrivePolicy"] for queue in consumed(templates).values()]

    assert len(dead_letters) == 8
    assert all(one["maxReceiveCount"] == MAX_RECEIVES for one in dead_letters)
    assert len({json.dumps(one["deadLetterTargetArn"]) for one in dead_letters}) == len(dead_letters) - 1


def test_messages_and_dead_letters_are_stored_as_long_as_sqs_can(templates: Templates) -> None:
    for queue in templates.all("AWS::SQS::Queue").values():
        assert queue["MessageRetentionPeriod"] == 14 * DAY


def test_what_waits_is_dead_lettered_with_its_reason_long_before_sqs_would_drop_it_or_give_none(
    templates: Templates,
) -> None:
    retention = min(queue["MessageRetentionPeriod"] for queue in consumed(templates).values())
    deliveries = MAX_RECEIVES * (LONGEST_WAIT * 3 / 4)  # the mean of a wait between half of it and the whole

    assert PATIENCE.total_seconds() <= retention / 2
    assert deliveries > PATIENCE * 1.05


def test_the_events_queue_gives_each_customer_order_and_its_own_throughput(templates: Templates) -> None:
    fifo = [queue for queue in templates.all("AWS::SQS::Queue").values() if queue.get("FifoQueue")]

    events, dead_letters = sorted(fifo, key=lambda queue: "RedrivePolicy" not in queue)
    assert events["DeduplicationScope"] == "messageGroup"
    assert events["FifoThroughputLimit"] == "perMessageGroupId"
    assert "ContentBasedDeduplication" not in events, "senders name the deduplication id"
    assert "RedrivePolicy" not in dead_letters


def test_the_operators_command_finds_every_queue_and_the_table_by_the_stacks_outputs(templates: Templates) -> None:
    outputs = {**templates.data.get("Outputs", {}), **templates.engine["Outputs"]}
    names = {name for name, queue in templates.all("AWS::SQS::Queue").items() if "RedrivePolicy" not in queue}

    urls = {outputs[name]["Value"].get("Ref") for name in dead_letters._required_outputs()}  # noqa: SLF001  all that it asks for
    assert names <= urls


def test_every_queue_is_encrypted_and_refuses_plain_text(templates: Templates) -> None:
    queues = templates.all("AWS::SQS::Queue")
    refusing = {
        policy["Queues"][0]["Ref"]
        for policy in templates.all("AWS::SQS::QueuePolicy").values()
        for statement in policy["PolicyDocument"]["Statement"]
        if statement["Effect"] == "Deny" and statement["Condition"] == {"Bool": {"aws:SecureTransport": "false"}}
    }

    assert refusing == queues.keys()
    assert all(queue["SqsManagedSseEnabled"] for queue in queues.values())


def test_feedback_that_cannot_be_queued_is_dead_lettered(templates: Templates) -> None:
    subscriptions = templates.all("AWS::SNS::Subscription").values()

    (feedback,) = [one for one in subscriptions if one["Protocol"] == "sqs"]
    assert feedback["RawMessageDelivery"] is False
    assert "deadLetterTargetArn" in feedback["RedrivePolicy"]


def test_failed_stream_records_are_dead_lettered(templates: Templates) -> None:
    sources = templates.all("AWS::Lambda::EventSourceMapping").values()

    streams = [source for source in sources if "StartingPosition" in source]
    assert len(streams) == 2
    for stream in streams:
        assert stream["BisectBatchOnFunctionError"] is True
        name = stream["DestinationConfig"]["OnFailure"]["Destination"]["Fn::GetAtt"][0]
        assert name in templates.all("AWS::SQS::Queue")
