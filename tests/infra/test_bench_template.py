"""What the benchmark's bill counts in the templates is what stands there."""

from typing import Any

import pytest

from bench.template import Stack, counted


@pytest.fixture(scope="module")
def stack(prod: Any) -> Stack:
    return counted([prod.data, prod.engine])


def test_the_bill_counts_every_alarm_secret_and_key(stack: Stack, prod: Any) -> None:
    assert stack.alarms >= len(prod.all("AWS::CloudWatch::Alarm")) > 0
    assert stack.composite_alarms == len(prod.all("AWS::CloudWatch::CompositeAlarm"))
    assert stack.secrets == len(prod.all("AWS::SecretsManager::Secret")) > 0
    assert stack.keys == len(prod.all("AWS::KMS::Key"))


def test_the_bill_counts_every_queue_that_a_function_polls(stack: Stack) -> None:
    from infra.local.wiring import FUNCTIONS, queue_named

    working = [one for one in FUNCTIONS if one.name != "notify_subscriber"]  # without endpoints it polls nothing
    polled = [queue_named(name) for function in working for name in function.queues]

    assert stack.polled_fifo == sum(queue.fifo for queue in polled)
    assert stack.polled_standard == sum(not queue.fifo for queue in polled)


def test_a_queue_that_is_not_polled_costs_nothing() -> None:
    queue = {"Type": "AWS::SQS::Queue"}
    polled = {"Type": "AWS::Lambda::EventSourceMapping", "Properties": {"EventSourceArn": {"Fn::GetAtt": ["Q", "Arn"]}}}
    idle = {**polled, "Properties": {**polled["Properties"], "Enabled": False}}

    assert counted([{"Resources": {"Q": queue, "P": polled, "I": idle}}]).polled_standard == 1


def test_the_bill_knows_the_memory_of_every_function(stack: Stack) -> None:
    from infra.local.wiring import FUNCTIONS

    assert set(stack.memory_mb) == {function.name for function in FUNCTIONS}


def test_the_bill_knows_whether_lambda_logs_each_invocation(stack: Stack, dev: Any) -> None:
    assert not stack.platform_logs
    assert counted([dev.data, dev.engine]).platform_logs


def test_an_alarm_is_paid_for_each_metric_that_it_watches() -> None:
    alarm = {"Type": "AWS::CloudWatch::Alarm", "Properties": {"MetricName": "Errors"}}
    stat = {"MetricStat": {"Metric": {"MetricName": "Errors"}}}
    of_two = {"Metrics": [stat, stat, {"Expression": "m1 + m2"}]}

    found = counted([{"Resources": {"One": alarm, "Two": {**alarm, "Properties": of_two}}}])

    assert found.alarms == 3
