"""The templates, deployed, are what the laptop runs: the same queues, functions and connections."""

from dataclasses import fields
from datetime import timedelta
from typing import Any

import pytest
from moto.events.models import EventPattern

from cairn.adapters.dynamodb.items import CONTACT, DATA, ENROLLED, ENTRIES, EVENT, FACTS, MESSAGE, OUTBOX, STATE, TASK
from cairn.settings import DEAD_LETTER_RETENTION, FUNCTION_TIMEOUT, QUEUE_RETENTION, RESUME_EVERY
from infra.local.runtime import TIMEOUTS
from infra.local.stream import BATCH_SIZE, LOG_BATCH_SIZE, LOG_WINDOW, MAX_AGE, has_facts, has_outbox
from infra.local.wiring import FUNCTIONS, QUEUES, Function, Queue
from tests.infra.conftest import Deployed, Templates

FOR_LIBRARIES = {"AWS_CA_BUNDLE", "POWERTOOLS_METRICS_NAMESPACE", "POWERTOOLS_SERVICE_NAME"}


def deployed_name(queue: str) -> str:
    """`events-dead-letters` here is EventsDeadLetters there."""
    return queue.title().replace("-", "")


def test_a_laptop_and_a_deployment_have_the_same_queues(deployed: Deployed) -> None:
    here = {deployed_name(queue.name) for queue in QUEUES}

    assert here == deployed.queues.keys()


@pytest.mark.parametrize("queue", QUEUES, ids=lambda queue: queue.name)
def test_a_queue_has_the_same_order_retention_and_visibility(deployed: Deployed, queue: Queue) -> None:
    there = deployed.queues[deployed_name(queue.name)]

    retention = QUEUE_RETENTION if queue.dead_letter else DEAD_LETTER_RETENTION
    assert int(there.attributes["MessageRetentionPeriod"]) == retention.total_seconds()
    assert (there.attributes.get("FifoQueue") == "true") == queue.fifo
    if queue.dead_letter:
        assert int(there.attributes["VisibilityTimeout"]) == queue.visibility.total_seconds()


@pytest.mark.parametrize("queue", [one for one in QUEUES if one.dead_letter], ids=lambda queue: queue.name)
def test_a_queue_has_the_same_redrive_policy(deployed: Deployed, queue: Queue) -> None:
    there = deployed.queues[deployed_name(queue.name)]

    assert int(there.redrive["maxReceiveCount"]) == queue.max_receives
    assert there.redrive["deadLetterTargetArn"] == deployed.queues[deployed_name(queue.dead_letter or "")].arn


def test_a_laptop_and_a_deployment_have_the_same_functions(deployed: Deployed) -> None:
    assert {function.name for function in FUNCTIONS} == deployed.functions.keys()


@pytest.mark.parametrize("function", FUNCTIONS, ids=lambda function: function.name)
def test_a_function_has_the_same_triggers(deployed: Deployed, function: Function) -> None:
    started_by = {source["EventSourceArn"]: source["BatchSize"] for source in deployed.sources_of(function.name)}

    wanted = {deployed.queues[deployed_name(queue)].arn: function.batch_size for queue in function.queues}
    wanted |= {deployed.stream_arn: function.stream_batch_size} if function.stream else {}
    assert started_by == wanted


def test_a_shard_is_read_by_several_at_a_time(dev: Templates) -> None:
    """Lambda keeps the order of each item's changes (partition and sort key), whatever the number of batches."""
    (mapping,) = [one for one in dev.all("AWS::Lambda::EventSourceMapping").values() if "ParallelizationFactor" in one]

    assert mapping["ParallelizationFactor"] == 10


def test_the_stream_is_read_in_the_same_way(dev: Templates) -> None:
    mappings = [
        one for one in dev.all("AWS::Lambda::EventSourceMapping").values() if "BisectBatchOnFunctionError" in one
    ]

    assert {one["BatchSize"] for one in mappings} == {BATCH_SIZE, LOG_BATCH_SIZE}
    assert {one["MaximumRecordAgeInSeconds"] for one in mappings} == {MAX_AGE.total_seconds()}
    windows = {one["BatchSize"]: one.get("MaximumBatchingWindowInSeconds") for one in mappings}
    assert windows == {BATCH_SIZE: None, LOG_BATCH_SIZE: LOG_WINDOW.total_seconds()}


@pytest.mark.parametrize("function", FUNCTIONS, ids=lambda function: function.name)
def test_a_function_has_the_same_timeout(dev: Templates, function: Function) -> None:
    there = timedelta(seconds=dev.function(function.name)["Timeout"])

    assert there == TIMEOUTS.get(function.name, FUNCTION_TIMEOUT)


@pytest.mark.parametrize("function", FUNCTIONS, ids=lambda function: function.name)
def test_a_functions_environment_has_the_fields_of_its_settings(deployed: Deployed, function: Function) -> None:
    there = deployed.functions[function.name]["Environment"]["Variables"]

    variables = {name: value for name, value in there.items() if name.startswith("CAIRN_")}
    assert there.keys() - variables.keys() == FOR_LIBRARIES
    assert variables.keys() == {f"CAIRN_{one.name.upper()}" for one in fields(function.settings)}
    assert function.settings.from_environment(variables).environment() == variables


@pytest.mark.parametrize("function", FUNCTIONS, ids=lambda function: function.name)
def test_a_rule_has_the_same_interval(dev: Templates, function: Function) -> None:
    rules = [
        rule["ScheduleExpression"]
        for rule in dev.all("AWS::Events::Rule").values()
        if function.name != "check_identity_key" and rule["Targets"][0]["Arn"] == {"Ref": dev.alias_of(function.name)}
    ]

    every = [f"rate({function.every // timedelta(minutes=1)} minutes)"] if function.every else []
    assert rules == every


def test_a_resuming_run_ends_before_the_next_begins(dev: Templates) -> None:
    assert dev.function("sweep")["Timeout"] < RESUME_EVERY.total_seconds()


def test_a_function_returns_only_failed_messages(deployed: Deployed) -> None:
    """But log_facts, of which a batch is logged as a whole or not at all."""
    answering = [one for one in deployed.sources if one not in deployed.sources_of("log_facts")]
    assert answering
    for source in answering:
        assert source["FunctionResponseTypes"] == ["ReportBatchItemFailures"]


def test_a_queue_waits_six_times_as_long_as_its_function_may_run(deployed: Deployed) -> None:
    consumed = {source["EventSourceArn"] for source in deployed.sources}

    for queue in deployed.queues.values():
        if queue.arn in consumed:
            assert int(queue.attributes["VisibilityTimeout"]) >= 6 * FUNCTION_TIMEOUT.total_seconds()


WITH_OUTBOX = {"rev": {"N": "7"}, "outbox": {"S": "{}"}}
IMAGES = [None, {}, {"rev": {"N": "7"}}, {"outbox": {"NULL": True}}, WITH_OUTBOX]
"""Of the changed item: None where it was deleted."""

PARTS = [ENTRIES + "001", ENROLLED + "e1", ENROLLED + "e1" + DATA, OUTBOX + "000"]


@pytest.mark.parametrize("sort_key", [STATE, *PARTS, TASK + "t1", CONTACT, EVENT + STATE])
@pytest.mark.parametrize("image", IMAGES, ids=str)
def test_only_items_with_effects_start_the_relay_here_and_there(
    deployed: Deployed, sort_key: str, image: dict[str, Any] | None
) -> None:
    """Lambda filters by the rules of EventBridge's patterns, of which moto has a matcher."""
    (source,) = [one for one in deployed.sources_of("relay_effects") if one["EventSourceArn"] == deployed.stream_arn]
    (pattern,) = source["FilterCriteria"]["Filters"]
    change = {"Keys": {"pk": {"S": "c_ada"}, "sk": {"S": sort_key}}, "OldImage": WITH_OUTBOX}
    change |= {} if image is None else {"NewImage": image}
    record = {"eventName": "REMOVE" if image is None else "MODIFY", "dynamodb": change}

    starts = EventPattern.load(pattern["Pattern"]).matches_event(record)

    assert starts == has_outbox(record)
    assert starts == (sort_key.startswith((STATE, TASK)) and image == WITH_OUTBOX)


@pytest.mark.parametrize("sort_key", [STATE, *PARTS, TASK + "t1", CONTACT, EVENT + STATE, FACTS + "1", MESSAGE + "m"])
@pytest.mark.parametrize("partition_key", ["c_ada", "seen"])
@pytest.mark.parametrize("what", ["INSERT", "MODIFY", "REMOVE"])
def test_only_records_are_logged_here_and_there(
    deployed: Deployed, partition_key: str, sort_key: str, what: str
) -> None:
    (source,) = deployed.sources_of("log_facts")
    keys = {"pk": {"S": partition_key}, "sk": {"S": sort_key}}
    record = {"eventName": what, "dynamodb": {"Keys": keys}}

    patterns = [EventPattern.load(one["Pattern"]) for one in source["FilterCriteria"]["Filters"]]

    assert any(one.matches_event(record) for one in patterns) == has_facts(record)


def test_the_relay_reads_the_stream_from_its_beginning(deployed: Deployed) -> None:
    (source,) = [one for one in deployed.sources_of("relay_effects") if one["EventSourceArn"] == deployed.stream_arn]

    assert source["StartingPosition"] == "TRIM_HORIZON"
