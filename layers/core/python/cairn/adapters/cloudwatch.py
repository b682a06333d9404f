"""CloudWatch: how long the oldest message of a queue has waited."""

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime, timedelta
from functools import cached_property
from typing import Any

from cairn.adapters.aws import calling

RECENT = timedelta(minutes=10)
"""The time in which the newest figure is looked for. SQS writes one each minute, and comes late with the first ones of
a queue that was idle.

https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/sqs-available-cloudwatch-metrics.html
"""


class QueueAges:
    """Implements the port QueueAges. Its client is made for the first queue that has anything: 70 ms of CPU.

    GetMetricData costs 0.01 USD for 1,000 metrics, so it is asked about these queues alone.
    """

    def __init__(self, make_client: Callable[[], Any], urls: Mapping[str, str]) -> None:
        self._make_client = make_client
        self._urls = urls

    @cached_property
    def _cloudwatch(self) -> Any:
        return self._make_client()

    def ages_of_oldest(self, queues: Sequence[str], now: datetime) -> dict[str, timedelta]:
        asked = {f"queue{number}": queue for number, queue in enumerate(queues)}
        with calling("cloudwatch"):
            answer = self._cloudwatch.get_metric_data(
                MetricDataQueries=[_query(id_, self._urls[queue]) for id_, queue in asked.items()],
                StartTime=now - RECENT,
                EndTime=now,
                ScanBy="TimestampDescending",
            )
        newest = {one["Id"]: one["Values"][0] for one in answer["MetricDataResults"] if one["Values"]}
        return {asked[id_]: timedelta(seconds=seconds) for id_, seconds in newest.items()}


def _query(id_: str, url: str) -> dict[str, Any]:
    """SQS's metric of a queue. CloudWatch knows a queue by its name."""
    metric = {
        "Namespace": "AWS/SQS",
        "MetricName": "ApproximateAgeOfOldestMessage",
        "Dimensions": [{"Name": "QueueName", "Value": url.rpartition("/")[2]}],
    }
    return {"Id": id_, "MetricStat": {"Metric": metric, "Period": 60, "Stat": "Maximum"}}
