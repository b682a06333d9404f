"""Delivery counters: several processes add to them, they are read by target and time, and expire after two days."""

from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta

import pytest

from cairn.adapters import aws
from cairn.adapters.dynamodb.delivery_counters import RETENTION, DynamoDeliveryCounters
from cairn.domain.operations.breaker import BUCKET, CountBucket, Counts, DeliveryOutcome

AT = datetime(2026, 3, 2, 14, tzinfo=UTC)
JOURNEY = "journey:visit"


@pytest.fixture
def counters(table: str) -> DynamoDeliveryCounters:  # noqa: ARG001  bound to it
    return DynamoDeliveryCounters()


def test_each_reported_outcome_is_counted(counters: DynamoDeliveryCounters) -> None:
    for outcome in (*DeliveryOutcome, DeliveryOutcome.COMPLAINED):
        counters.add(JOURNEY, AT, outcome)

    assert counters.between(JOURNEY, AT, AT) == [CountBucket(AT, Counts(1, 1, 1, 2))]


@pytest.mark.atomic_writes
def test_concurrent_counts_are_all_added(counters: DynamoDeliveryCounters) -> None:
    with ThreadPoolExecutor(4) as pool:
        list(pool.map(lambda _: counters.add(JOURNEY, AT, DeliveryOutcome.DELIVERED), range(40)))

    assert counters.between(JOURNEY, AT, AT) == [CountBucket(AT, Counts(delivered=40))]


def test_buckets_are_read_by_target_and_time_in_order(counters: DynamoDeliveryCounters) -> None:
    for number in (3, 0, 2, 1):
        counters.add(JOURNEY, AT + number * BUCKET, DeliveryOutcome.DELIVERED)
    counters.add("channel:email", AT + BUCKET, DeliveryOutcome.DELIVERED)

    found = counters.between(JOURNEY, AT + BUCKET, AT + 2 * BUCKET)

    assert [one.start for one in found] == [AT + BUCKET, AT + 2 * BUCKET]
    assert counters.between("channel:sms", AT, AT + timedelta(days=1)) == []


def test_counts_expire_after_two_days(counters: DynamoDeliveryCounters, table: str) -> None:
    counters.add(JOURNEY, AT, DeliveryOutcome.FAILED)

    (item,) = aws.client("dynamodb").scan(TableName=table)["Items"]
    assert item["pk"] == {"S": "health#journey:visit"}
    assert item["expires_at"] == {"N": str(int((AT + RETENTION).timestamp()))}
    assert timedelta(days=2) == RETENTION
