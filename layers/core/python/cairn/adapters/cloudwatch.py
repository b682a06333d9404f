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

    def done(self, queue: str, first: datetime, last: datetime) -> int:
        """How many messages of a queue were handled and deleted in a time."""
        with calling("cloudwatch"):
            answer = self._cloudwatch.get_metric_data(
                MetricDataQueries=[_query("done", self._urls[queue], "NumberOfMessagesDeleted", 300, "Sum")],
                StartTime=first,
                EndTime=last,
            )
        return int(sum(value for one in answer["MetricDataResults"] for value in one["Values"]))


def _query(
    id_: str, url: str, name: str = "ApproximateAgeOfOldestMessage", period: int = 60, statistic: str = "Maximum"
) -> dict[str, Any]:
    """SQS's metric of a queue. CloudWatch knows a queue by its name."""
    dimensions = [{"Name": "QueueName", "Value": url.rpartition("/")[2]}]
    metric = {"Namespace": "AWS/SQS", "MetricName": name, "Dimensions": dimensions}
    return {"Id": id_, "MetricStat": {"Metric": metric, "Period": period, "Stat": statistic}}
