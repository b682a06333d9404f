"""Counts of what providers told: added up by whoever comes, read by target and time, gone in two days."""

from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta

import pytest

from cairn.adapters import aws
from cairn.adapters.dynamodb.delivery_counters import RETENTION, DynamoDeliveryCounters
from cairn.domain.operations.breaker import BUCKET, CountBucket, Counts, DeliveryOutcome

AT = datetime(2026, 3, 2, 14, tzinfo=UTC)
JOURNEY = "journey:visit"


@pytest.fixture
def tallies(table: str) -> DynamoDeliveryCounters:  # noqa: ARG001  bound to it
    return DynamoDeliveryCounters()


def test_each_outcome_is_counted_as_often_as_it_is_told(tallies: DynamoDeliveryCounters) -> None:
    for outcome in (*DeliveryOutcome, DeliveryOutcome.COMPLAINED):
        tallies.add(JOURNEY, AT, outcome)

    assert tallies.between(JOURNEY, AT, AT) == [CountBucket(AT, Counts(1, 1, 1, 2))]


@pytest.mark.atomic_writes
def test_those_who_count_at_once_lose_nothing(tallies: DynamoDeliveryCounters) -> None:
    with ThreadPoolExecutor(4) as several:
        list(several.map(lambda _: tallies.add(JOURNEY, AT, DeliveryOutcome.DELIVERED), range(40)))

    assert tallies.between(JOURNEY, AT, AT) == [CountBucket(AT, Counts(delivered=40))]


def test_buckets_are_read_by_target_and_time_in_order(tallies: DynamoDeliveryCounters) -> None:
    for number in (3, 0, 2, 1):
        tallies.add(JOURNEY, AT + number * BUCKET, DeliveryOutcome.DELIVERED)
    tallies.add("channel:email", AT + BUCKET, DeliveryOutcome.DELIVERED)

    found = tallies.between(JOURNEY, AT + BUCKET, AT + 2 * BUCKET)

    assert [one.start for one in found] == [AT + BUCKET, AT + 2 * BUCKET]
    assert tallies.between("channel:sms", AT, AT + timedelta(days=1)) == []


def test_counts_go_by_themselves(tallies: DynamoDeliveryCounters, table: str) -> None:
    tallies.add(JOURNEY, AT, DeliveryOutcome.FAILED)

    (item,) = aws.client("dynamodb").scan(TableName=table)["Items"]
    assert item["pk"] == {"S": "health#journey:visit"}
    assert item["expires_at"] == {"N": str(int((AT + RETENTION).timestamp()))}
    assert timedelta(days=2) == RETENTION
