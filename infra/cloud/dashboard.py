"""One page in CloudWatch: what the alarms say, what waits, what fails, and the signs of trouble."""

from collections.abc import Sequence

from aws_cdk import Duration
from aws_cdk import aws_cloudwatch as cloudwatch
from constructs import Construct

from cairn.domain.operations.signs import Sign
from cairn.telemetry import DEAD_LETTERED, DEAD_LETTERS, PERSON_NEEDED, WAITING, WEBHOOK_REFUSED
from infra.cloud.alarms import Alarms, Functions
from infra.cloud.api import Api
from infra.cloud.queues import Queues
from infra.cloud.stage import Stage

PERIOD = Duration.minutes(5)
WIDTH, HALF = 24, 12
MOST_METRICS = 50
"""Of a dashboard that is free: https://aws.amazon.com/cloudwatch/pricing/"""


class Dashboard(Construct):
    """Without queries of logs, which cost for each look. A metric that nobody has written yet costs nothing."""

    def __init__(  # noqa: PLR0913  one argument for each part
        self,
        scope: Construct,
        *,
        stage: Stage,
        functions: Functions,
        queues: Queues,
        api: Api,
        alarms: Alarms | None,
    ) -> None:
        super().__init__(scope, "Dashboard")
        self._namespace = stage.metrics_namespace
        page = cloudwatch.Dashboard(self, "Page", default_interval=Duration.days(1))
        if alarms is not None:
            page.add_widgets(cloudwatch.AlarmStatusWidget(title="Alarms", alarms=alarms.all, width=WIDTH, height=3))
        page.add_widgets(
            _graph("A person is needed", [self._ours(PERSON_NEEDED), *(self._ours(sign.value) for sign in Sign)]),
            _graph("Dead letters, and work that waits (seconds)", self._highest(DEAD_LETTERS, WAITING)),
        )
        page.add_widgets(
            _graph(
                "Age of the oldest message, by queue (seconds)",
                [
                    queue.metric_approximate_age_of_oldest_message(period=PERIOD, label=name)
                    for name, queue in queues.work.items()
                ],
            ),
            _graph(
                "Webhooks and requests",
                [
                    api.stage.metric_count(period=PERIOD, label="requests"),
                    api.stage.metric_client_error(period=PERIOD, label="4xx"),
                    api.stage.metric_server_error(period=PERIOD, label="5xx"),
                    self._ours(WEBHOOK_REFUSED),
                ],
            ),
        )
        page.add_widgets(
            _graph(
                "Errors of functions",
                [one.metric_errors(period=PERIOD, label=one.service) for one in functions if one]
                + [self._ours(DEAD_LETTERED)],
            ),
            _graph(
                "Events and timers handled",
                [
                    queues.work[name].metric_number_of_messages_deleted(period=PERIOD, label=name)
                    for name in ("Events", "Wakes", "Messages", "Marketing")
                ]
                + [
                    functions.relay.metric(
                        "IteratorAge", period=PERIOD, statistic="Maximum", label="relay is behind, ms"
                    )
                ],
            ),
        )

    def _ours(self, name: str) -> cloudwatch.Metric:
        return cloudwatch.Metric(namespace=self._namespace, metric_name=name, period=PERIOD, statistic="Sum")

    def _highest(self, *names: str) -> list[cloudwatch.Metric]:
        return [
            cloudwatch.Metric(namespace=self._namespace, metric_name=one, period=PERIOD, statistic="Maximum")
            for one in names
        ]


def _graph(title: str, metrics: Sequence[cloudwatch.IMetric]) -> cloudwatch.GraphWidget:
    return cloudwatch.GraphWidget(title=title, left=list(metrics), width=HALF, height=6)
