"""The contracts of the ports QueueDepths and QueueAges, run on moto and on the fakes."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any

import pytest

from cairn.adapters import aws
from cairn.adapters.cloudwatch import RECENT, QueueAges
from cairn.adapters.sqs.queue_depths import QueueDepths
from cairn.application import ports
from cairn.domain.shared.errors import ServiceBusyError
from infra.local.cloud import sandbox
from tests.unit import fakes

MINUTE = timedelta(minutes=1)


@dataclass(frozen=True)
class Queues:
    """Two queues, and what SQS and CloudWatch say about them."""

    depths: ports.QueueDepths
    ages: ports.QueueAges
    send: Callable[[str], None]
    grow_old: Callable[[str, timedelta], None]


def of_fakes() -> Iterator[Queues]:
    depths, ages = fakes.QueueDepths(events=0, wakes=0), fakes.QueueAges()

    def send(queue: str) -> None:
        depths[queue] = depths.depth(queue) + 1

    yield Queues(depths, ages, send, ages.ages.__setitem__)


def of_moto() -> Iterator[Queues]:
    with sandbox():
        sqs, cloudwatch = aws.client("sqs"), aws.client("cloudwatch")
        urls = {name: sqs.create_queue(QueueName=f"Cairn-prod-{name}")["QueueUrl"] for name in ("events", "wakes")}

        def send(queue: str) -> None:
            sqs.send_message(QueueUrl=urls[queue], MessageBody="{}")

        yield Queues(
            QueueDepths(sqs, urls), QueueAges(lambda: cloudwatch, urls), send, partial(grow_old, cloudwatch, urls)
        )


def grow_old(cloudwatch: Any, urls: Mapping[str, str], queue: str, age: timedelta, at: datetime | None = None) -> None:
    """What SQS writes each minute about a queue that has anything."""
    name = urls[queue].rpartition("/")[2]
    one = {"MetricName": "ApproximateAgeOfOldestMessage", "Dimensions": [{"Name": "QueueName", "Value": name}]}
    written = {**one, "Value": age.total_seconds(), "Timestamp": at or datetime.now(UTC) - MINUTE}
    cloudwatch.put_metric_data(Namespace="AWS/SQS", MetricData=[written])


@pytest.fixture(params=[of_fakes, of_moto], ids=["fakes", "moto"])
def queues(request: pytest.FixtureRequest) -> Iterator[Queues]:
    yield from request.param()


def test_a_queue_is_as_deep_as_it_has_messages(queues: Queues) -> None:
    queues.send("wakes")
    queues.send("wakes")

    assert {name: queues.depths.depth(name) for name in queues.depths.names} == {"events": 0, "wakes": 2}


def test_the_age_is_that_of_the_oldest_message_and_unknown_where_nobody_wrote_one(queues: Queues) -> None:
    queues.grow_old("wakes", 11 * MINUTE)

    assert queues.ages.ages_of_oldest(["events", "wakes"], datetime.now(UTC)) == {"wakes": 11 * MINUTE}


def test_no_other_queue_is_asked_for_than_these(queues: Queues) -> None:
    queues.grow_old("events", MINUTE)
    queues.grow_old("wakes", 11 * MINUTE)

    assert queues.ages.ages_of_oldest(["events"], datetime.now(UTC)) == {"events": MINUTE}


@pytest.fixture
def cloudwatch() -> Iterator[Any]:
    with sandbox():
        yield aws.client("cloudwatch")


URLS = {"events": "https://sqs.us-east-1.amazonaws.com/123456789012/Cairn-prod-Events.fifo"}


def test_the_newest_figure_counts_and_an_old_one_does_not(cloudwatch: Any) -> None:
    now = datetime.now(UTC)
    ages = QueueAges(lambda: cloudwatch, URLS)

    grow_old(cloudwatch, URLS, "events", 50 * MINUTE, now - RECENT - 2 * MINUTE)
    assert ages.ages_of_oldest(["events"], now) == {}
    grow_old(cloudwatch, URLS, "events", 20 * MINUTE, now - 4 * MINUTE)
    grow_old(cloudwatch, URLS, "events", MINUTE, now - 2 * MINUTE)
    assert ages.ages_of_oldest(["events"], now) == {"events": MINUTE}


def test_what_was_handled_in_a_time_is_counted(cloudwatch: Any) -> None:
    now = datetime.now(UTC)
    queue = [{"Name": "QueueName", "Value": URLS["events"].rpartition("/")[2]}]
    for minutes, number in ((40, 500), (20, 30), (5, 4)):
        one = {"MetricName": "NumberOfMessagesDeleted", "Dimensions": queue, "Value": number}
        data = [{**one, "Timestamp": now - minutes * MINUTE}]
        cloudwatch.put_metric_data(Namespace="AWS/SQS", MetricData=data)

    assert QueueAges(lambda: cloudwatch, URLS).done("events", now - 30 * MINUTE, now) == 34


def test_messages_in_delivery_count_and_delayed_ones_do_not() -> None:
    with sandbox():
        sqs = aws.client("sqs")
        url = sqs.create_queue(QueueName="wakes")["QueueUrl"]
        depths = QueueDepths(sqs, {"wakes": url})
        sqs.send_message(QueueUrl=url, MessageBody="{}", DelaySeconds=600)
        assert depths.depth("wakes") == 0

        sqs.send_message(QueueUrl=url, MessageBody="{}")
        sqs.receive_message(QueueUrl=url, VisibilityTimeout=60)
        assert depths.depth("wakes") == 1


def test_a_queue_that_is_gone_is_the_accounts_trouble() -> None:
    with sandbox(), pytest.raises(ServiceBusyError):
        QueueDepths(aws.client("sqs"), {"wakes": "https://sqs.us-east-1.amazonaws.com/123456789012/gone"}).depth(
            "wakes"
        )


def test_no_client_is_made_before_it_is_needed() -> None:
    """It takes longer than everything else of a run."""
    made: list[str] = []

    QueueAges(lambda: made.append("client"), URLS)

    assert made == []
