"""Each function can do with its own synthesized policy exactly what it does, and no more.

The stories run through the real handlers; every call that a function makes to AWS is held against the policy that
the templates give it, and every grant on data or providers against the calls.
"""

import json
import shutil
from collections import defaultdict
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import timedelta
from email.utils import parseaddr
from pathlib import Path
from typing import Any

import pytest
from botocore.client import BaseClient

from infra.local.scenario import Scenario, load, tell
from infra.local.signing import local_secrets
from infra.local.world import World, world
from tests.infra.conftest import Json, Templates

ROOT = Path(__file__).parents[2]
JOURNEYS = ROOT / "layers" / "journeys"
SCENARIOS = ROOT / "events" / "scenarios"

TOLD = ("fitness-prefers-push.yaml", "payment-failure-rescue.yaml", "family-entertainment-booking.yaml")

TRANSACTED = {
    "Put": "PutItem",
    "Update": "UpdateItem",
    "Delete": "DeleteItem",
    "ConditionCheck": "ConditionCheckItem",
}
PREFIXES = {"sesv2": "ses"}

TWO_WHO_ARE_ONE = Scenario.model_validate(
    {
        "scenario": "Two profiles turn out to be one customer",
        "starts": "2026-03-02T14:00:00Z",
        "for": "1d",
        "posts": [
            {
                "at": f"{hour}h",
                "event": {
                    "id": f"e{hour}",
                    "type": "page.viewed",
                    "occurred_at": "$at",
                    "customer": who,
                    "properties": {"text": "x" * (300_000 if hour == 0 else 0)},  # more than a queue takes
                },
            }
            for hour, who in enumerate(
                [
                    {"external_ids": {"shop": "s-1"}},
                    {"email": "sam@example.com"},
                    {"external_ids": {"shop": "s-1"}, "email": "sam@example.com"},
                ]
            )
        ],
    }
)


@dataclass(frozen=True)
class Call:
    """One thing that a function did, in IAM's words."""

    action: str
    target: str = ""
    """The queue, phone, endpoint or sender that it was done to."""


@dataclass
class Recorder:
    """Knows which function is running, and writes down what it asks of AWS."""

    running: str = ""
    calls: dict[str, set[Call]] = field(default_factory=lambda: defaultdict(set))
    email: Json = field(default_factory=dict)
    """The last one sent."""

    def watch(self, made: World) -> None:
        made.handlers = {name: self._during(name, handler) for name, handler in made.handlers.items()}

    def note(self, service: str, operation: str, given: Json) -> None:
        if self.running:
            self.calls[self.running].update(_in_iam(service, operation, given))
        if operation == "SendEmail":
            self.email = given

    def _during(self, name: str, handler: Callable[[Any, Any], Any]) -> Callable[[Any, Any], Any]:
        def run(event: Any, context: Any) -> Any:
            self.running = name
            try:
                return handler(event, context)
            finally:
                self.running = ""

        return run


def _in_iam(service: str, operation: str, given: Json) -> Iterator[Call]:
    if operation == "TransactWriteItems":
        for item in given["TransactItems"]:
            yield from (Call(f"dynamodb:{TRANSACTED[kind]}") for kind in item)
        return
    target = "phone" if "PhoneNumber" in given else str(given.get("TargetArn", ""))
    if service == "sqs":
        target = given["QueueUrl"].rpartition("/")[2].removesuffix(".fifo").removeprefix("cairn-")
    if service == "s3":
        target = given["Key"]
    if service == "sesv2":
        target = parseaddr(given["FromEmailAddress"])[1]
    yield Call(f"{PREFIXES.get(service, service)}:{operation.removesuffix('Batch')}", target)
    if operation == "CreateSchedule":
        yield Call("iam:PassRole")


@pytest.fixture(scope="module")
def recorded(tmp_path_factory: pytest.TempPathFactory) -> dict[str, set[Call]]:
    """Everything that the functions did, from the first webhook to the last message."""
    recorder, secrets = Recorder(), local_secrets({})
    call = BaseClient._make_api_call  # noqa: SLF001 - where every call of every client passes, PynamoDB's too

    def noted(client: BaseClient, operation: str, given: Json) -> Any:
        recorder.note(client.meta.service_model.service_name, operation, given)
        return call(client, operation, given)

    stories = [(SCENARIOS / name, load(SCENARIOS / name)) for name in TOLD] + [(SCENARIOS / "-", TWO_WHO_ARE_ONE)]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(BaseClient, "_make_api_call", noted)
        for path, scenario in stories:
            recorder.email = {}
            with world(JOURNEYS, start=scenario.starts, secrets=secrets) as made:
                recorder.watch(made)
                assert not tell(path, scenario, made, secrets).difference
                if recorder.email:
                    made.cloud.send("feedback", _bounced(recorder.email))
                    made.settle()
        _reply_at_length(recorder, secrets)
        _deploy_under_way(recorder, secrets, tmp_path_factory.mktemp("journeys"))
    return dict(recorder.calls)


def _bounced(email: Json) -> str:
    """What SES reports through SNS when an address turns out to be none."""
    tags = {tag["Name"]: [tag["Value"]] for tag in email["EmailTags"]}
    (address,) = email["Destination"]["ToAddresses"]
    bounce = {"bounceType": "Permanent", "bouncedRecipients": [{"emailAddress": address}]}
    message = {"eventType": "Bounce", "mail": {"tags": tags}, "bounce": bounce}
    return json.dumps({"Type": "Notification", "MessageId": tags["message"][0], "Message": json.dumps(message)})


def _reply_at_length(recorder: Recorder, secrets: dict[str, str]) -> None:
    """What somebody texts back is more than a queue takes."""
    reply = {"originationNumber": "+12015550123", "destinationNumber": "+12015550199", "messageKeyword": "KEYWORD_1"}
    reply |= {"messageBody": "x" * 250_000, "inboundMessageId": "reply-1"}
    with world(JOURNEYS, start=TWO_WHO_ARE_ONE.starts, secrets=secrets) as made:
        recorder.watch(made)
        notification = {"Type": "Notification", "MessageId": "m-1", "Message": json.dumps(reply)}
        made.cloud.send("feedback", json.dumps(notification))
        made.settle()


def _deploy_under_way(recorder: Recorder, secrets: dict[str, str], journeys: Path) -> None:
    """A customer walks on in the version that they entered, when another one is deployed."""
    whole = load(SCENARIOS / TOLD[0])
    scenario = whole.model_copy(update={"posts": whole.posts[:1], "length": timedelta(days=1)})
    shutil.copytree(JOURNEYS, journeys, dirs_exist_ok=True)
    with world(JOURNEYS, start=scenario.starts, secrets=secrets) as made:
        recorder.watch(made)
        tell(SCENARIOS / TOLD[0], scenario, made, secrets)
        for file in journeys.glob("*/journey.yaml"):
            file.write_text(file.read_text().replace("description: ", "description: Once more. "))
        made.deploy(journeys)
        recorder.watch(made)
        made.advance_to(whole.starts + whole.length)


FUNCTIONS = ("receive_webhook", "process_event", "relay_effects", "deliver_message", "record_feedback")


@pytest.mark.parametrize("service", FUNCTIONS)
def test_a_function_may_do_everything_that_it_does(
    dev: Templates, recorded: dict[str, set[Call]], service: str
) -> None:
    statements = dev.statements(service)

    refused = {call for call in recorded[service] if not any(_allows(one, call) for one in statements)}

    assert recorded[service]
    assert not refused


@pytest.mark.parametrize("service", FUNCTIONS)
def test_a_function_does_everything_that_it_may(dev: Templates, recorded: dict[str, set[Call]], service: str) -> None:
    of_interest = ("dynamodb:", "s3:", "ses:", "sns:", "scheduler:", "secretsmanager:", "iam:")
    granted = {action for one in dev.statements(service) for action in _list(one["Action"])}
    of_the_event_source = {
        f"dynamodb:{name}" for name in ("DescribeStream", "GetRecords", "GetShardIterator", "ListStreams")
    }

    used = {call.action for call in recorded[service]}

    assert {one for one in granted - of_the_event_source if one.startswith(of_interest)} <= used


def _allows(statement: Json, call: Call) -> bool:  # noqa: PLR0911  one answer for each service
    if call.action not in _list(statement["Action"]):
        return False
    on = json.dumps(statement.get("Resource") or statement.get("NotResource"))
    match call.action.split(":")[0]:
        case "sqs":
            queue = "Queues" + call.target.title().replace("-", "")
            return any(one["Fn::GetAtt"][0][:-8] == queue for one in _list(statement["Resource"]))
        case "s3":
            bucket, place = on.partition("Fn::ImportValue")[2], call.target.partition("/")[0]
            return "OverflowArn" in bucket and f'"/{place}/*"' in bucket
        case "ses":
            return bool(statement["Condition"]["StringEquals"]["ses:FromAddress"] == call.target)
        case "sns":
            return "NotResource" in statement if call.target == "phone" else ":endpoint/*" in on
        case "dynamodb":
            return "ExportsOutputFnGetAttTable" in on and "Stream" not in on
        case _:
            return True


def _list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]
