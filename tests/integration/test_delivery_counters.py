"""Delivery counters: several processes add to them, they are read by target and time, and expire after two days."""

from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta

import pytest

from cairn.adapters import aws
from cairn.adapters.dynamodb.delivery_counters import RETENTION, DynamoDeliveryCounters
from cairn.adapters.dynamodb.items import CounterItem
from cairn.domain.operations.breaker import BUCKET, CountBucket, Counts, DeliveryOutcome

AT = datetime(2026, 3, 2, 14, tzinfo=UTC)
JOURNEY = "journey:visit"


@pytest.fixture
def counters(table: str) -> DynamoDeliveryCounters:  # noqa: ARG001  bound to it
    return DynamoDeliveryCounters()


def test_each_reported_outcome_is_counted(counters: DynamoDeliveryCounters) -> None:
    for outcome in (*DeliveryOutcome, DeliveryOutcome.COMPLAINED):
        counters.add((JOURNEY, "channel:email"), AT, outcome)

    assert counters.between(JOURNEY, AT, AT) == [CountBucket(AT, Counts(1, 1, 1, 2))]


@pytest.mark.atomic_writes
def test_concurrent_counts_are_all_added(counters: DynamoDeliveryCounters) -> None:
    with ThreadPoolExecutor(4) as pool:
        list(pool.map(lambda _: counters.add((JOURNEY, "channel:email"), AT, DeliveryOutcome.DELIVERED), range(40)))

    assert counters.between(JOURNEY, AT, AT) == [CountBucket(AT, Counts(delivered=40))]


def test_buckets_are_read_by_target_and_time_in_order(counters: DynamoDeliveryCounters) -> None:
    for number in (3, 0, 2, 1):
        counters.add((JOURNEY, "channel:email"), AT + number * BUCKET, DeliveryOutcome.DELIVERED)
    counters.add(("journey:other", "channel:email"), AT + BUCKET, DeliveryOutcome.DELIVERED)

    found = counters.between(JOURNEY, AT + BUCKET, AT + 2 * BUCKET)

    assert [one.start for one in found] == [AT + BUCKET, AT + 2 * BUCKET]
    assert counters.between("channel:sms", AT, AT + timedelta(days=1)) == []


def test_counts_expire_after_two_days(counters: DynamoDeliveryCounters, table: str) -> None:
    counters.add((JOURNEY, "channel:email"), AT, DeliveryOutcome.FAILED)

    (item,) = aws.client("dynamodb").scan(TableName=table)["Items"]
    assert item["pk"] == {"S": "health#by-channel:email"}
    assert item["sk"] == {"S": "2026-03-02T14:00:00Z#journey:visit"}
    assert item["expires_at"] == {"N": str(int((AT + RETENTION).timestamp()))}
    assert timedelta(days=2) == RETENTION


def test_a_count_is_one_of_its_journey_and_of_its_channel(counters: DynamoDeliveryCounters) -> None:
    for journey, channel in (("visit", "email"), ("visit", "sms"), ("offer", "email"), ("vis", "push"), ("", "email")):
        named = [f"journey:{journey}"] * bool(journey)
        counters.add((*named, f"channel:{channel}"), AT, DeliveryOutcome.DELIVERED)
    counters.add((JOURNEY,), AT, DeliveryOutcome.DELIVERED)

    targets = ("journey:visit", "journey:offer", "journey:vis", "channel:email", "channel:sms", "channel:push")
    delivered = [sum(one.counts.delivered for one in counters.between(target, AT, AT)) for target in targets]
    assert delivered == [3, 1, 1, 3, 1, 1]


@pytest.mark.parametrize("target", [JOURNEY, "channel:email"])
def test_counts_of_version_0_2_are_added(counters: DynamoDeliveryCounters, target: str) -> None:
    """For as long as the breaker looks back; a target had items of its own."""
    CounterItem(f"health#{target}", "2026-03-02T14:00:00Z", delivered=2, bounced=1).save()
    counters.add((JOURNEY, "channel:email"), AT, DeliveryOutcome.DELIVERED)

    assert counters.between(target, AT, AT) == [CountBucket(AT, Counts(delivered=3, bounced=1))]
