"""The local deployment gives the functions the same events as AWS: Powertools' own models read them."""

import base64
from typing import Any

import pytest
from aws_lambda_powertools.utilities.parser.models import (
    APIGatewayProxyEventV2Model,
    DynamoDBStreamModel,
    EventBridgeModel,
    SqsModel,
)

from cairn.adapters.dynamodb.switches import DynamoSwitches
from cairn.application.operations.switch import Switch

MODELS = {
    "receive_webhook": APIGatewayProxyEventV2Model,
    "process_event": SqsModel,
    "deliver_message": SqsModel,
    "record_feedback": SqsModel,
    "notify_subscriber": SqsModel,
    "relay_effects": DynamoDBStreamModel,
    "log_facts": DynamoDBStreamModel,
    "sweep": EventBridgeModel,
}

ELSEWHERE = {
    *(
        "serve_preferences",
        "serve_console",
        "serve_tasks",
        "serve_in_app",
        "manage_api",
        "erase_customer",
        "check_identity_key",
        "import_rows",
    ),
}
"""Requests and queues of the same shapes start these, CloudFormation and Step Functions the last two, in own tests."""


@pytest.fixture
def recorded(story: Any) -> dict[str, list[Any]]:
    """The events of each function, recorded while a story runs."""
    events: dict[str, list[Any]] = {name: [] for name in story.deployment.handlers}

    def recording(name: str, handler: Any) -> Any:
        def record(event: Any, context: Any) -> Any:
            events[name].append(event)
            return handler(event, context)

        return record

    story.deployment.handlers = {name: recording(name, handler) for name, handler in story.deployment.handlers.items()}
    return events


def test_the_models_of_powertools_read_every_event(story: Any, recorded: dict[str, list[Any]]) -> None:
    switch = Switch(DynamoSwitches())
    switch.pause("all", by="ada", why="a wrong price", now=story.deployment.now())
    story.signs_up()
    switch.resume("all", by="ada", why="mended", now=story.deployment.now())
    story.deployment.cloud.send("feedback", '{"Message": "{}"}')
    story.passes("3h")

    for function, shapes in recorded.items():
        assert shapes or function in ELSEWHERE, f"{function} was never started"
        for shape in shapes:
            MODELS[function].model_validate(shape)


def test_a_request_arrives_unchanged(story: Any, recorded: dict[str, list[Any]]) -> None:
    story.posts(b"\xff\x00 not text", headers={"X-Signature": "One, two", "content-type": "application/json"})

    [shape] = recorded["receive_webhook"]
    model = APIGatewayProxyEventV2Model.model_validate(shape)
    assert model.isBase64Encoded
    assert base64.b64decode(str(model.body)) == b"\xff\x00 not text"
    assert model.headers["x-signature"] == "One, two"
    assert model.requestContext.http.method == "POST"


def test_a_redelivery_has_a_higher_receive_count(story: Any, recorded: dict[str, list[Any]]) -> None:
    handler = story.deployment.handlers["process_event"]

    def fail_once(event: Any, context: Any) -> Any:
        answer = handler(event, context)
        if len(recorded["process_event"]) == 1:
            return {"batchItemFailures": [{"itemIdentifier": one["messageId"]} for one in event["Records"]]}
        return answer

    story.deployment.handlers = {**story.deployment.handlers, "process_event": fail_once}
    story.signs_up()
    story.passes("10m")

    records = [record for shape in recorded["process_event"] for record in shape["Records"]]
    events = [record for record in records if record["eventSourceARN"].endswith(".fifo")]
    assert [record["attributes"]["ApproximateReceiveCount"] for record in events] == ["1", "2"]
    assert events[0]["messageId"] == events[1]["messageId"]
    assert events[0]["attributes"]["MessageGroupId"]
