"""Dead letters are listed and explained without personal data, and redriven so that each runs once."""

import json
import re
from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from botocore.exceptions import ClientError
from typer.testing import CliRunner, Result

from bench.aws_calls import AwsCall, intercepted
from bench.calls import Call, watched
from cairn.adapters.sqs.dead_letters import NAMES, STREAM
from cli.main import app
from infra.local.dead_letters import of_stack
from infra.local.deployment import LocalDeployment
from infra.local.stream import function_arn

REFUSED = ClientError({"Error": {"Code": "ValidationException"}}, "Any")
DENIED = ClientError({"Error": {"Code": "AccessDenied"}, "ResponseMetadata": {"HTTPStatusCode": 403}}, "Any")
INVALID = ClientError({"Error": {"Code": "InvalidMessageContents"}}, "Any")

DAY = 24 * 60 * 60


def failing(service: str, error: ClientError, *, to: str = "") -> Callable[[Call], None]:
    def fail(call: Call) -> None:
        if call.service == service and to in call.arguments.get("QueueUrl", ""):
            raise error

    return fail


def cairn(*arguments: str, answers: str = "") -> Result:
    return CliRunner().invoke(app, ["dlq", *arguments], input=answers)


@pytest.fixture
def failed_sign_up(story: Any) -> None:
    """A sign-up that could not be processed."""
    with watched(story.deployment, before=failing("dynamodb", REFUSED)):
        story.signs_up()
        story.passes("15m")


@pytest.mark.usefixtures("failed_sign_up")
def test_the_list_shows_number_age_and_reason(story: Any, url: str) -> None:
    story.happens("trial.signup", "no-phone", customer={"phone": "call me"})
    story.passes("3d")

    queues = {one["queue"]: one for one in json.loads(cairn("list", "--to", url, "--json").stdout)}

    assert queues.keys() == set(NAMES)
    assert queues["events"]["count"] == 2
    assert "ServiceRefusedError: dynamodb refused the call: ValidationException" in queues["events"]["reasons"]
    assert queues["events"]["oldest_seconds"] == pytest.approx(3 * DAY, abs=1200)
    assert sorted(queues["events"]["reasons"].values()) == [1, 1]
    assert any("not a phone number" in reason for reason in queues["events"]["reasons"])
    assert queues["wakes"] == {"queue": "wakes", "count": 0, "oldest_seconds": None, "reasons": {}, "looked_at": 0}


@pytest.mark.usefixtures("failed_sign_up")
def test_list_and_show_change_nothing(story: Any, url: str) -> None:
    for _ in range(3):
        cairn("list", "--to", url)
        cairn("show", "events", "--to", url)

    assert json.loads(cairn("list", "--to", url, "--json").stdout)[0]["count"] == 1
    assert len(story.dead_letters("events")) == 1


@pytest.mark.usefixtures("failed_sign_up")
def test_a_dead_letter_is_shown_without_personal_data_unless_reveal_is_asked_for(url: str) -> None:
    masked = cairn("show", "events", "--to", url).stdout
    whole = cairn("show", "events", "--to", url, "--reveal").stdout

    assert "trial.signup" in masked
    assert "signup-1" in masked
    assert not [word for word in ("mia", "Mia", "member-1", "1201555", "example.com") if word in masked]
    assert "mia.1@example.com" in whole


@pytest.mark.usefixtures("failed_sign_up")
def test_a_redriven_event_runs_once_within_the_deduplication_window(story: Any, url: str) -> None:
    """SQS would drop its old deduplication id for five minutes; the redrive uses another one."""
    first = cairn("redrive", "events", "--yes", "--to", url)
    second = cairn("redrive", "events", "--yes", "--to", url)

    assert first.stdout.startswith("events: 1 redriven, 0 refused, 0 left\n")
    assert re.search(r"^  [\w-]{36}: redriven$", first.stdout, re.MULTILINE)
    assert second.stdout == "events: 0 redriven, 0 refused, 0 left\n"
    assert [line["step"] for line in story.timeline("message")] == ["hello"]
    assert len(story.sent()) == 1


def test_an_event_that_fails_again_at_once_is_dead_lettered_again_and_not_lost(story: Any, api: Any) -> None:
    story.happens("trial.signup", customer={"phone": "call me"})

    with watched(story.deployment) as calls:
        done = [api.redrives("events") for _ in range(3)]

    assert [one["redriven"] for one in done] == [1, 1, 1]
    assert len(api.dead_letters("events")) == 1
    dedupe_ids = [call.arguments["MessageDeduplicationId"] for call in calls if call.operation == "SendMessage"]
    assert len(set(dedupe_ids)) == 3, "SQS knows an id for five minutes, even of a message that is gone"


def test_an_event_that_fails_again_during_a_redrive_is_not_taken_twice(story: Any, api: Any) -> None:
    story.happens("trial.signup", customer={"phone": "call me"})
    story.passes("1m")
    sqs = api.deployment.cloud.client("sqs")
    tools = api.deployment.dead_letters()

    class Hasty:
        """A queue whose consumer dead-letters everything again before the next one is read."""

        def send_message(self, **given: Any) -> None:
            sqs.send_message(**given)
            api.deployment.settle()

        def __getattr__(self, name: str) -> Any:
            return getattr(sqs, name)

    hasty = replace(tools, sqs=Hasty())

    done = hasty.redrive("events", "", None)

    assert (done["redriven"], done["refused"], done["left"]) == (1, [], 1)


def test_a_customers_events_are_redriven_in_order_and_to_their_group(story: Any, api: Any) -> None:
    with watched(story.deployment, before=failing("dynamodb", REFUSED)) as calls:
        for number in range(3):
            story.happens("note.written", f"note-{number}", customer={"user_id": "one"})
            story.passes("20m")
    accepted = [call for call in calls if call.operation == "SendMessageBatch"]
    known = {entry["MessageDeduplicationId"] for call in accepted for entry in call.arguments["Entries"]}

    done = api.deployment.dead_letters().redrive("events", "", None)

    received = story.deployment.cloud.receive("events", 10)
    assert done["redriven"] == 3
    assert [json.loads(one["Body"])["id"] for one in received] == ["note-0", "note-1", "note-2"]
    assert len({one["Attributes"]["MessageGroupId"] for one in received}) == 1
    assert len({one["Attributes"]["MessageDeduplicationId"] for one in received} - known) == len(known) == 3


@pytest.mark.usefixtures("failed_sign_up")
def test_a_dead_letter_is_deleted_only_after_it_was_sent(story: Any, url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    with monkeypatch.context() as patch:
        patch.setattr(story.deployment.cloud.client("sqs"), "send_message", lambda **_: _raise(DENIED))
        refused = cairn("redrive", "events", "--yes", "--to", url)

    assert refused.exit_code == 1
    assert "0 redriven, 1 refused, 1 left" in refused.stdout
    assert "sqs refuses every call for now: AccessDenied" in refused.stderr
    assert "1 redriven, 0 refused, 0 left" in cairn("redrive", "events", "--yes", "--to", url).stdout


def _raise(error: Exception) -> None:
    raise error


@pytest.mark.usefixtures("failed_sign_up")
def test_only_dead_letters_with_the_given_reason_are_redriven(story: Any, url: str) -> None:
    story.happens("trial.signup", "no-phone", customer={"phone": "call me"})

    none = cairn("redrive", "events", "--reason", "no such reason", "--yes", "--to", url)
    done = cairn("redrive", "events", "--reason", "not a PHONE", "--yes", "--to", url)

    assert none.stdout == "events: 0 redriven, 0 refused, 2 left\n"
    assert done.stdout.startswith("events: 1 redriven, 0 refused, ")
    assert story.sent() == [], "the other one stays"


def test_a_redrive_stops_at_the_given_limit(story: Any, api: Any) -> None:
    for number in range(12):
        story.happens("trial.signup", f"e{number}", customer={"phone": f"call me {number}"})

    done = api.deployment.dead_letters().redrive("events", "", 5)

    assert (done["redriven"], done["refused"], done["left"]) == (5, [], 7)


@pytest.mark.usefixtures("failed_sign_up")
def test_nothing_is_sent_before_the_operator_confirms(story: Any, url: str) -> None:
    result = cairn("redrive", "events", "--to", url, answers="n\n")

    assert result.exit_code == 1
    assert "Send all letters of events back" in result.stdout
    assert len(story.dead_letters("events")) == 1


def test_a_wake_up_is_redriven_to_the_wakes_queue(story: Any, api: Any) -> None:
    story.signs_up()
    refused = failing("dynamodb", REFUSED)
    with watched(story.deployment, before=lambda call: refused(call) if call.function == "process_event" else None):
        story.passes("1d")

    done = api.redrives("wakes")

    assert done["redriven"] >= 1, "sweep has set it going again, in vain"
    assert [line["step"] for line in story.timeline("message")] == ["hello", "tips"]


def test_a_message_is_redriven_to_the_messages_queue(story: Any, api: Any) -> None:
    refused = failing("dynamodb", REFUSED)
    with watched(story.deployment, before=lambda call: refused(call) if call.function == "deliver_message" else None):
        story.signs_up()
        story.passes("1h")
    [dead_letter] = api.dead_letters("messages")

    done = api.redrives("messages")

    assert dead_letter["body"]["step"] == "hello"
    assert "mia" not in json.dumps(dead_letter).lower()
    assert done["redriven"] == 1
    assert len(story.sent()) == 1


@pytest.mark.parametrize(
    ("dead_letter", "lane"),
    [
        ({"id": "news", "customer": "c_mia", "purpose": "marketing"}, "marketing"),
        ({"id": "ticket", "customer": "c_mia", "purpose": "transactional"}, "messages"),
        ({"customer": "c_mia", "held": "news"}, "messages"),
    ],
    ids=["marketing", "transactional", "deferred"],
)
@pytest.mark.parametrize("deployed", [False, True])
def test_a_message_is_redriven_to_its_lane(
    story: Any,
    request: pytest.FixtureRequest,
    dead_letter: dict[str, str],
    lane: str,
    deployed: bool,  # noqa: FBT001
) -> None:
    tools = of_stack(request.getfixturevalue("stack")) if deployed else story.deployment.dead_letters()
    story.deployment.cloud.send("messages-dead-letters", json.dumps(dead_letter))
    story.passes("1s")

    assert tools.redrive("messages", "", None)["redriven"] == 1

    (back,) = story.deployment.cloud.receive(lane, 10)
    assert json.loads(back["Body"]) == dead_letter


def test_a_report_is_redriven_to_the_feedback_queue(story: Any, api: Any) -> None:
    story.deployment.cloud.send("feedback", "not what any provider reports")
    story.deployment.settle()
    [before] = api.dead_letters("feedback")

    done = api.redrives("feedback")

    [after] = api.dead_letters("feedback")
    assert done["redriven"] == 1
    assert before["id"] != after["id"], "it was tried again, and dead-lettered again"


def test_the_answer_to_an_unknown_queue_lists_the_queues(url: str) -> None:
    result = cairn("show", "letters", "--to", url)

    assert result.exit_code == 1
    assert "there are events, wakes, messages, notices, feedback, erasures, effects" in result.stderr


def test_a_deployed_stack_cannot_be_named_by_its_url() -> None:
    result = cairn("list", "--to", "http://127.0.0.1:9")

    assert result.exit_code == 1
    assert "A deployment is named by --stack" in result.stderr


@pytest.mark.usefixtures("failed_sign_up")
def test_the_dead_letters_of_a_stack_are_listed_and_redriven(story: Any, stack: str) -> None:
    listed = json.loads(cairn("list", "--stack", stack, "--json").stdout)
    story.passes("1s")
    done = cairn("redrive", "events", "--stack", stack, "--yes")
    story.deployment.settle()

    assert [one["queue"] for one in listed] == list(NAMES)
    assert listed[0]["count"] == 1
    assert done.stdout.startswith("events: 1 redriven, 0 refused, 0 left\n")
    assert len(story.sent()) == 1


@pytest.mark.usefixtures("story")
def test_a_foreign_stack_is_refused_with_the_reason() -> None:
    result = cairn("list", "--stack", "Somebody-elses")

    assert result.exit_code == 1
    assert "Somebody-elses" in result.stderr
    assert "Traceback" not in result.stderr


@pytest.mark.usefixtures("story")
def test_another_endpoint_can_replace_aws(monkeypatch: pytest.MonkeyPatch) -> None:
    from cairn.adapters import aws

    monkeypatch.setenv("AWS_ENDPOINT_URL_CLOUDFORMATION", "http://127.0.0.1:4566")

    assert aws.client("cloudformation").meta.endpoint_url == "http://127.0.0.1:4566"


def test_a_failed_effect_is_relayed_again(story: Any, api: Any) -> None:
    refused = failing("sqs", INVALID, to="cairn-messages")
    with watched(story.deployment, before=lambda call: refused(call) if call.function == "relay_effects" else None):
        story.signs_up()
    [dead_letter] = api.dead_letters("effects")

    done = api.redrives("effects", id=dead_letter["id"])
    again = api.redrives("effects")

    assert dead_letter["stage"] == "relay_effects of effects"
    assert dead_letter["command"] == f"cairn dlq redrive effects --id {dead_letter['id']}"
    assert dead_letter["reason"] == "ServiceRefusedError: sqs refused the call: InvalidMessageContents"
    assert dead_letter["body"]["effect"]["do"] == "send"
    assert (done["redriven"], again["redriven"]) == (1, 0)
    assert [line["step"] for line in story.timeline("message")] == ["hello"]
    assert len(story.sent()) == 1


def test_an_effect_of_an_enrollment_that_ended_early_is_refused_and_stays(story: Any, api: Any) -> None:
    refused = failing("sqs", INVALID, to="cairn-messages")
    with watched(story.deployment, before=lambda call: refused(call) if call.function == "relay_effects" else None):
        story.signs_up()
    story.happens("membership.started", customer={"user_id": "member-1"})

    done = api.redrives("effects")

    assert done["redriven"] == 0
    assert done["left"] == 1
    assert "the journey was ended by an event of its exit_on" in done["refused"][0]["why"]
    assert "hello" not in [line.get("step") for line in story.timeline("message")]


def test_an_unreadable_change_is_relayed_once_it_is_readable(
    story: Any, api: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patch:
        patch.setattr(
            "cairn.adapters.dynamodb.effect_codec.effect_from_wire", lambda _: _raise(ValueError("from the future"))
        )
        story.signs_up()
        unreadable = api.redrives("effects")
    of_customer, of_enrollment = sorted(api.dead_letters("effects"), key=lambda one: len(one["body"]))
    assert of_customer["body"].keys() == {"customer", "commit", "outbox"}
    assert of_enrollment["body"].keys() == {"customer", "commit", "outbox", "enrollment", "row"}
    assert "mia" not in json.dumps([of_customer, of_enrollment]).lower()

    done = api.redrives("effects")
    story.passes("1d")

    assert unreadable["redriven"] == 0
    assert done["redriven"] == 2
    assert [line["step"] for line in story.timeline("message")] == ["hello", "tips"]
    assert len(story.timeline("entered")) == 1


def test_an_effect_is_redriven_to_the_survivor_of_a_merge(story: Any, api: Any) -> None:
    refused = failing("sqs", INVALID, to="cairn-messages")
    story.happens("page.viewed", "older", customer={"email": "mia.1@example.com"})
    story.passes("1h")
    with watched(story.deployment, before=lambda call: refused(call) if call.function == "relay_effects" else None):
        story.happens("trial.signup", "by-id", customer={"user_id": "member-1"}, attributes={"first_name": "Mia"})
    story.happens("page.viewed", "both", customer={"user_id": "member-1", "email": "mia.1@example.com"})

    done = api.redrives("effects")

    assert done["refused"] == []
    assert api.dead_letters("effects") == []


def test_a_position_of_the_stream_is_read_again_and_its_effects_are_relayed(story: Any, stack: str) -> None:
    from infra.local.dead_letters import of_stack

    deployment = story.deployment
    deployment.stop("relay_effects")
    story.signs_up()
    position = all_of_the_stream(deployment)
    deployment._stream_position = position["endSequenceNumber"]  # noqa: SLF001  Lambda gave up on all of them
    tools = of_stack(stack)
    body = json.dumps({"DDBStreamBatchInfo": position})
    deployment.cloud.client("sqs").send_message(QueueUrl=tools.dead_letters.queues[STREAM].url, MessageBody=body)
    deployment.start("relay_effects")
    story.passes("1s")
    assert story.sent() == []

    shown = json.loads(cairn("show", "stream", "--stack", stack, "--json").stdout)
    story.passes("1s")
    done = cairn("redrive", "stream", "--stack", stack, "--yes")
    deployment.settle()

    assert "what_to_do" in shown
    assert shown["letters"][0]["body"]["DDBStreamBatchInfo"] == position
    assert done.stderr == ""
    assert done.stdout.startswith("stream: 1 redriven, 0 refused, 0 left\n")
    assert len(story.sent()) == 1


def test_a_position_that_log_facts_did_not_log_is_logged_by_a_redrive(story: Any, stack: str) -> None:
    deployment = story.deployment
    deployment.stop("log_facts")
    story.signs_up()
    position, sent = all_of_the_stream(deployment), story.sent()
    given_up = {"requestContext": {"functionArn": function_arn("log_facts")}, "DDBStreamBatchInfo": position}
    url = of_stack(stack).dead_letters.queues[STREAM].url
    deployment.cloud.client("sqs").send_message(QueueUrl=url, MessageBody=json.dumps(given_up))
    assert deployment.facts() == []

    done = cairn("redrive", "stream", "--stack", stack, "--yes")
    deployment.settle()

    assert done.stdout.startswith("stream: 1 redriven, 0 refused, 0 left\n")
    logged = Counter(one["kind"] for one in deployment.facts())
    assert (logged["entered"], logged["event"]) == (1, 1)
    assert story.sent() == sent, "the relay had its part already"
    once = deployment.facts()
    deployment.start("log_facts")
    assert deployment.facts() == once, "the same ids, however often they come"


def all_of_the_stream(deployment: LocalDeployment) -> dict[str, Any]:
    changes = deployment.cloud.changes(None)
    streams = deployment.cloud.client("dynamodbstreams")
    shards = streams.describe_stream(StreamArn=deployment.cloud.stream_arn)["StreamDescription"]["Shards"]
    return {
        "streamArn": deployment.cloud.stream_arn,
        "shardId": shards[0]["ShardId"],
        "startSequenceNumber": changes[0]["dynamodb"]["SequenceNumber"],
        "endSequenceNumber": changes[-1]["dynamodb"]["SequenceNumber"],
        "batchSize": len(changes),
    }


def test_a_position_that_the_stream_no_longer_has_is_refused_and_stays(story: Any, stack: str) -> None:
    from infra.local.dead_letters import of_stack

    def forgotten(call: AwsCall) -> Any:
        if call.operation == "GetShardIterator":
            raise ClientError({"Error": {"Code": "TrimmedDataAccessException"}}, call.operation)
        return call.answer()

    body = json.dumps({"DDBStreamBatchInfo": dict.fromkeys(("streamArn", "shardId", "startSequenceNumber"), "gone")})
    story.deployment.cloud.client("sqs").send_message(
        QueueUrl=of_stack(stack).dead_letters.queues[STREAM].url, MessageBody=body
    )

    with intercepted(forgotten):
        done = cairn("redrive", "stream", "--stack", stack, "--yes")

    assert done.exit_code == 1
    assert "0 redriven, 1 refused, 1 left" in done.stdout, done.exception


def test_time_can_pass_while_there_are_dead_letters(story: Any, api: Any) -> None:
    story.happens("trial.signup", customer={"phone": "call me"})
    story.deployment.advance_to(story.deployment.now() + timedelta(days=2))

    assert api.dead_letters("events")[0]["age_seconds"] == 2 * DAY
