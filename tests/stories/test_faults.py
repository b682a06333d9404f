"""The local deployment can be as unkind as AWS, and always in the same way."""

import json
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from datetime import timedelta
from typing import Any

import pytest
from botocore.exceptions import ClientError

from cairn.adapters import aws
from cairn.adapters.dynamodb.items import STATE
from infra.local.deployment import local_deployment
from infra.local.faults import Fault, FaultPlan, faults_for
from infra.local.faults.errors import JSON, PROTOCOLS
from infra.local.faults.weather import Weather
from infra.local.signing import local_secrets
from tests.conftest import MONDAY, SHORT_JOURNEY, Story

Begins = Callable[..., Story]


@pytest.fixture
def under() -> Iterator[Begins]:
    """Begins a story of the short journey under a fault plan."""
    with ExitStack() as stack:

        def begin(plan: FaultPlan | None) -> Story:
            stack.close()  # one deployment at a time
            deployment = local_deployment(SHORT_JOURNEY, start=MONDAY, secrets=local_secrets({}), faults=plan)
            return Story(stack.enter_context(deployment))

        yield begin


def ending(story: Story, number: int = 1) -> tuple[Counter[str], Counter[str]]:
    """One person signs up, as a vendor posts it: again and again until it is accepted. A week passes.

    A week, so that everybody starts on the same day of the week: coaches do not work on a Sunday.
    """
    while story.signs_up(number)["statusCode"] != 202:
        story.passes("1m")
    story.passes("7d")
    sent = [one for one in story.sent() if one.address in {f"+1201555{number:04d}", f"mia.{number}@example.com"}]
    return Counter(one.channel for one in sent), Counter(line["kind"] for line in story.timeline(of=f"member-{number}"))


def number_of(plan: FaultPlan, service: str, operation: str) -> int:
    return next(call.number for call in plan.calls if (call.service, call.operation) == (service, operation))


@pytest.fixture(scope="module")
def kind() -> tuple[FaultPlan, Any]:
    """The story without faults: its calls, and how it ends."""
    plan = FaultPlan.none()
    with local_deployment(SHORT_JOURNEY, start=MONDAY, secrets=local_secrets({}), faults=plan) as deployment:
        return plan, ending(Story(deployment))


def test_every_call_is_numbered_and_names_what_it_is_about_and_nobody(kind: tuple[FaultPlan, Any]) -> None:
    calls = kind[0].calls

    assert [call.number for call in calls] == list(range(len(calls)))
    assert str(calls[0]) == "0. receive_webhook: sqs.SendMessageBatch (events.fifo)"
    assert "TransactWriteItems (event#, open#state, open#contact …)" in " ".join(map(str, calls))
    assert not [call for call in calls if "mia" in call.target or "+1201" in call.target or "c_" in call.target]


def test_whatever_fault_strikes_a_call_the_story_ends_as_without_it(kind: tuple[FaultPlan, Any], under: Begins) -> None:
    story, (_, expected), tried = under(None), kind, set()

    for number, fault in enumerate(Fault, start=2):
        calls = [call for call in kind[0].calls if fault in faults_for(call) and call.operation not in SENDS]
        if calls:
            plan = story.deployment.faults = FaultPlan.at({calls[0].number: fault})
            tried.add(fault)
            assert ending(story, number) == expected, plan.describe()
            assert [struck for _, struck in plan.struck] == [fault]
            assert plan.describe().startswith(f"{fault.name} at call {calls[0].number}. ")

    assert set(Fault) - tried == {Fault.QUOTA}, "this story has no call for it"


def test_whichever_read_sees_the_table_of_a_moment_ago_the_story_ends_as_without_it(
    kind: tuple[FaultPlan, Any], under: Begins
) -> None:
    story, (_, expected) = under(None), kind
    may_lag = [call for call in kind[0].calls if Fault.READS_OLD in faults_for(call)]
    assert {call.function for call in may_lag} >= {"process_event", "deliver_message"}

    for number, call in enumerate(may_lag, start=2):
        story.deployment.faults = None
        story.deployment.facts()  # the log gathers facts for minutes, so its calls would come in this story
        plan = story.deployment.faults = FaultPlan.at({call.number: Fault.READS_OLD})
        assert ending(story, number) == expected, plan.describe()
        assert [struck for _, struck in plan.struck] == [Fault.READS_OLD]


SENDS = ("Publish", "SendEmail", "CreateSchedule")
"""Calls of which a provider or the present rules for quotas make another end."""


def test_the_same_seed_gives_the_same_calls_and_faults(under: Begins) -> None:
    first, second = FaultPlan.random(7, 0.1), FaultPlan.random(7, 0.1)

    ends = [ending(under(plan)) for plan in (first, second)]

    assert ends[0] == ends[1]
    assert first.calls == second.calls
    assert first.struck == second.struck != []
    assert first.describe() == "seed 7, intensity 0.1"


def test_the_sdk_meets_its_own_write_when_an_answer_is_lost(kind: tuple[FaultPlan, Any], under: Begins) -> None:
    number = number_of(kind[0], "dynamodb", "TransactWriteItems")
    story = under(FaultPlan.at({number: Fault.ANSWER_LOST}))

    story.signs_up()

    assert len(story.timeline("event")) == 1
    assert story.dead_letters("events") == []


def test_a_process_that_dies_in_a_batch_gives_its_messages_back_after_the_visibility_timeout(
    kind: tuple[FaultPlan, Any], under: Begins
) -> None:
    story = under(FaultPlan.at({number_of(kind[0], "dynamodb", "Query"): Fault.DIES_BEFORE}))

    story.signs_up()
    story.passes("179s")
    assert story.timeline("event") == []
    story.passes("2s")

    assert len(story.timeline("event")) == 1


def test_a_webhook_whose_function_dies_gets_an_error_and_one_that_takes_too_long_too(under: Begins) -> None:
    assert under(FaultPlan.at({0: Fault.DIES_BEFORE})).signs_up()["statusCode"] == 500
    story = under(FaultPlan.at({0: Fault.TIME_LIMIT}))
    assert story.signs_up()["statusCode"] == 503
    assert story.deployment.now() == MONDAY + timedelta(seconds=30)


def test_a_function_knows_the_time_that_it_has_left(under: Begins) -> None:
    story = under(FaultPlan.slow({"dynamodb": timedelta(seconds=4)}))
    left: list[int] = []

    def handler(_: Any, context: Any) -> dict[str, Any]:
        left.append(context.get_remaining_time_in_millis())
        aws.client("dynamodb").list_tables()
        left.append(context.get_remaining_time_in_millis())
        return {"statusCode": 202}

    story.deployment.handlers = {**story.deployment.handlers, "receive_webhook": handler}
    story.posts(b"{}")

    assert left == [30_000, 26_000]


def test_a_provider_that_is_slower_than_the_time_left_ends_the_process(under: Begins) -> None:
    plan = FaultPlan.slow({"dynamodb.ListTables": timedelta(seconds=4)})  # the SDK waits for 5
    story, done = under(plan), []

    def handler(_: Any, __: Any) -> dict[str, Any]:
        for number in range(10):
            aws.client("dynamodb").list_tables()
            done.append(number)
        return {"statusCode": 202}

    story.deployment.handlers = {**story.deployment.handlers, "receive_webhook": handler}

    assert story.posts(b"{}")["statusCode"] == 503
    assert done == [0, 1, 2, 3, 4, 5, 6]
    assert story.deployment.now() == MONDAY + timedelta(seconds=30)


def test_the_sdk_waits_for_an_answer_no_longer_than_its_read_timeout(under: Begins) -> None:
    story = under(FaultPlan.slow({"sns": timedelta(minutes=1)}))

    story.signs_up()

    assert story.deployment.now() >= MONDAY + timedelta(seconds=10)
    assert [one.channel for one in story.sent()] == ["sms"]


def test_a_pause_of_a_function_moves_the_stopped_clock_and_no_real_time(under: Begins) -> None:
    import time

    story = under(None)

    def handler(_: Any, context: Any) -> dict[str, Any]:
        time.sleep(20)
        return {"statusCode": 202, "left": context.get_remaining_time_in_millis()}

    story.deployment.handlers = {**story.deployment.handlers, "receive_webhook": handler}

    assert story.posts(b"{}")["left"] == 10_000
    assert story.posts(b"{}")["left"] == 10_000
    assert story.deployment.now() == MONDAY + timedelta(seconds=40)


def test_in_an_outage_every_call_fails_and_the_sdk_s_retries_too(under: Begins) -> None:
    plan = FaultPlan.outage("sqs", start=timedelta(minutes=1), length=timedelta(minutes=2))
    story = under(plan)

    assert story.signs_up(1)["statusCode"] == 202
    story.passes("90s")
    assert story.signs_up(2)["statusCode"] >= 500
    story.passes("2m")
    assert story.signs_up(2)["statusCode"] == 202
    assert plan.describe() == "sqs answers InternalError from 1m for 2m"


def test_after_calm_nothing_goes_wrong_any_more(under: Begins) -> None:
    plan = FaultPlan.outage("sqs", length=timedelta(days=9))
    story = under(plan)
    assert story.signs_up()["statusCode"] >= 500

    plan.calm()

    assert story.signs_up()["statusCode"] == 202


def test_two_events_of_a_customer_wait_for_the_first_that_failed_and_time_goes_on(under: Begins) -> None:
    """A message of a FIFO group is not due while another of its group is in flight."""
    story = under(FaultPlan.none())
    story.deployment.stop("process_event")
    story.signs_up()
    story.happens("profile.changed", customer={"user_id": "member-1"})
    process, failures = story.deployment.handlers["process_event"], [1]

    def fail_once(event: Any, context: Any) -> Any:
        if failures and event["Records"][0]["eventSourceARN"].endswith(".fifo"):
            failures.clear()
            return {"batchItemFailures": [{"itemIdentifier": one["messageId"]} for one in event["Records"]]}
        return process(event, context)

    story.deployment.handlers = {**story.deployment.handlers, "process_event": fail_once}
    story.deployment.start("process_event")
    story.passes("10m")

    assert Counter(line["type"] for line in story.timeline("event")) == {"trial.signup": 1, "profile.changed": 1}


def test_queues_deliver_again_what_was_handled(under: Begins) -> None:
    weather = Weather(redelivered=1.0, redelivered_within=timedelta(hours=1))
    story, seen = under(FaultPlan.under(weather)), Counter[str]()
    deliver = story.deployment.handlers["deliver_message"]

    def count(event: Any, context: Any) -> Any:
        seen.update(one["messageId"] for one in event["Records"])
        return deliver(event, context)

    story.deployment.handlers = {**story.deployment.handlers, "deliver_message": count}
    story.signs_up()
    story.passes("1d")

    assert set(seen.values()) == {3}
    assert Counter(one.channel for one in story.sent()) == {"sms": 1, "email": 1}


def test_each_shard_of_the_stream_is_late_by_its_own(under: Begins) -> None:
    story = under(FaultPlan.under(Weather(shards=2, shard_lateness=(timedelta(), timedelta(minutes=20)))))

    for number in range(1, 9):
        story.signs_up(number)
    at_once = len(story.sent())
    story.passes("20m")

    assert 0 < at_once < len(story.sent()) == 8


@pytest.fixture
def relayed(under: Begins) -> tuple[Story, list[list[str]]]:
    """A story of eight people, and the customers of each batch of the stream; the third one kills the function."""
    story, batches = under(FaultPlan.none()), list[list[str]]()
    relay = story.deployment.handlers["relay_effects"]

    def note(event: Any, context: Any) -> Any:
        customers = [one["dynamodb"]["Keys"]["pk"]["S"] for one in event["Records"]]
        batches.append(customers)
        if POISONED[0] in customers:
            raise MemoryError
        return relay(event, context)

    story.deployment.stop("relay_effects")
    for number in range(1, 9):
        story.signs_up(number)
    changes = story.deployment.cloud.changes(None)
    states = [one["dynamodb"]["Keys"] for one in changes if one["dynamodb"]["Keys"]["sk"]["S"] == STATE]
    POISONED[0] = states[2]["pk"]["S"]
    story.deployment.handlers = {**story.deployment.handlers, "relay_effects": note}
    story.deployment.start("relay_effects")
    return story, batches


POISONED = [""]
EVERYBODY = 8


def test_a_batch_of_the_stream_that_fails_is_halved_until_one_record_stands_alone(
    relayed: tuple[Story, list[list[str]]],
) -> None:
    story, batches = relayed

    story.passes("5m")

    assert [len(one) for one in batches[:6]] == [16, 8, 4, 2, 1, 1]
    assert batches[-1] == [POISONED[0]]
    assert len(story.sent()) < EVERYBODY, "what is behind it in its shard waits"


def test_a_record_that_fails_for_23_hours_is_given_up_with_its_position(
    relayed: tuple[Story, list[list[str]]],
) -> None:
    story, _ = relayed

    story.passes("24h")

    dead_letters = [json.loads(body) for body, _ in story.dead_letters("stream")]
    position = dead_letters[0]["DDBStreamBatchInfo"]
    assert {one["requestContext"]["condition"] for one in dead_letters} == {"MaximumRecordAgeExceeded"}
    assert position["startSequenceNumber"] == position["endSequenceNumber"]
    assert sum(one["DDBStreamBatchInfo"]["batchSize"] for one in dead_letters) > 1, (
        "what waited behind it is too old too"
    )


def test_an_eventually_consistent_read_may_not_see_the_newest_write(under: Begins) -> None:
    story = under(FaultPlan.under(Weather(read_lag=timedelta(seconds=5))))
    key = {"pk": {"S": "a"}, "sk": {"S": "a"}}
    found: list[bool] = []

    def handler(_: Any, __: Any) -> dict[str, Any]:
        table = aws.client("dynamodb")
        table.put_item(TableName="cairn", Item=key)
        found.extend(
            "Item" in table.get_item(TableName="cairn", Key=key, ConsistentRead=wanted) for wanted in (False, True)
        )
        return {"statusCode": 202}

    story.deployment.handlers = {**story.deployment.handlers, "receive_webhook": handler}
    story.posts(b"{}")

    assert found == [False, True]


def test_a_read_of_several_items_may_see_one_from_before_a_commit(under: Begins) -> None:
    story = under(FaultPlan.at({0: Fault.INTERLEAVED}))
    keys = [{"pk": {"S": "a"}, "sk": {"S": name}} for name in ("1", "2")]
    table = story.deployment.cloud.client("dynamodb")
    for key in keys:
        table.put_item(TableName="cairn", Item=key | {"n": {"N": "0"}})
    read: list[str] = []

    def reads(_: Any, __: Any) -> dict[str, Any]:
        answer = aws.client("dynamodb").query(
            TableName="cairn",
            KeyConditionExpression="pk = :p",
            ExpressionAttributeValues={":p": {"S": "a"}},
            ConsistentRead=True,
        )
        read.extend(item["n"]["N"] for item in answer["Items"])
        return {"statusCode": 202}

    def writes(_: Any, __: Any) -> dict[str, Any]:
        for key in keys:
            table.put_item(TableName="cairn", Item=key | {"n": {"N": "1"}})
        return {"batchItemFailures": []}

    story.deployment.handlers = {**story.deployment.handlers, "receive_webhook": reads, "record_feedback": writes}
    story.deployment.cloud.send("feedback", "{}")
    story.posts(b"{}")

    assert read == ["0", "1"]


CODES = [
    ("dynamodb", "ThrottlingException"),
    ("sqs", "RequestThrottled"),
    ("scheduler", "ServiceQuotaExceededException"),
    ("sns", "Throttled"),
    ("sesv2", "TooManyRequestsException"),
    ("pinpoint-sms-voice-v2", "ThrottlingException"),
    ("socialmessaging", "ThrottledRequestException"),
    ("s3", "SlowDown"),
    ("secretsmanager", "InternalServiceError"),
]


def test_the_protocols_of_the_services_are_those_of_the_sdk() -> None:
    for service, _ in CODES:
        model = aws.session().get_service_model(service)
        assert PROTOCOLS.get(service, JSON) == model.resolved_protocol


@pytest.mark.parametrize(("service", "code"), CODES)
def test_the_sdk_reads_each_service_s_error_as_aws_writes_it(service: str, code: str, under: Begins) -> None:
    story, found = under(FaultPlan.outage(service, code, length=timedelta(hours=1))), []

    def handler(_: Any, __: Any) -> dict[str, Any]:
        try:
            ASKS[service](aws.client(service, retries=False))
        except ClientError as error:
            found.append(aws.code_of(error))
        return {"statusCode": 202}

    story.deployment.handlers = {**story.deployment.handlers, "receive_webhook": handler}
    story.posts(b"{}")

    assert found == [code]


ASKS: dict[str, Callable[[Any], Any]] = {
    "dynamodb": lambda client: client.list_tables(),
    "sqs": lambda client: client.list_queues(),
    "scheduler": lambda client: client.list_schedules(),
    "sns": lambda client: client.list_topics(),
    "sesv2": lambda client: client.list_email_identities(),
    "pinpoint-sms-voice-v2": lambda client: client.send_text_message(
        DestinationPhoneNumber="+12015550001", MessageBody="Hello"
    ),
    "socialmessaging": lambda client: client.send_whatsapp_message(
        originationPhoneNumberId="phone-number-id-1", message=b"{}", metaApiVersion="v20.0"
    ),
    "s3": lambda client: client.list_buckets(),
    "secretsmanager": lambda client: client.list_secrets(),
}
