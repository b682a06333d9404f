"""The alarms, and the topic that they notify."""

from collections.abc import Callable, Sequence
from typing import NamedTuple

from aws_cdk import Duration
from aws_cdk import aws_cloudwatch as cloudwatch
from aws_cdk import aws_cloudwatch_actions as actions
from aws_cdk import aws_sns_subscriptions as subscriptions
from constructs import Construct

from infra.cloud.api import THROTTLED, Api
from infra.cloud.function import Function
from infra.cloud.nag import acknowledge
from infra.cloud.queues import Queues
from infra.cloud.schedules import Schedules
from infra.cloud.stage import Stage
from infra.cloud.topics import ServiceTopic, TopicKey

PERIOD = Duration.minutes(5)
LATE = Duration.minutes(10)
"""A queue or a stream that is behind by more than one retry of one item."""
WAITING = Duration.minutes(20)
"""The period of what waits: longer than the longest pause between two attempts, so that the alarm stays."""
LATE_ERASURE = Duration.hours(1)
"""An erasure waits on purpose until all work for the customer has ended, and again where it finds some."""
MANY_THROTTLED = 20
"""Requests answered 429 in five minutes: a source keeps sending more than its throttle allows."""
REFUSED = 20
"""Refused webhooks in five minutes: a secret is wrong or was rotated, or an attacker tries signatures."""


class Functions(NamedTuple):
    check: Function
    receive: Function
    process: Function
    relay: Function
    deliver: Function
    record: Function
    serve: Function
    notify: Function
    sweep: Function
    erase: Function
    manage: Function


CONSUMERS: Sequence[tuple[str, str, Callable[[Functions], Function]]] = (
    ("Events", "events", lambda one: one.process),
    ("Wakes", "wakes", lambda one: one.process),
    ("Messages", "messages", lambda one: one.deliver),
    ("Notices", "notices", lambda one: one.notify),
    ("Feedback", "feedback", lambda one: one.record),
    ("Erasures", "erasures", lambda one: one.erase),
    ("Effects", "effects", lambda one: one.relay),
)
"""Each queue, by its name in metrics (cairn.sqs_records), with the function that it starts. SQS's own age of the oldest
message leaves out what was received more than three times, which is just what waits here.

https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/sqs-available-cloudwatch-metrics.html
"""


class AlarmTopic(ServiceTopic):
    """Notifies the stage's alarm address, once it has confirmed the subscription by SNS."""

    def __init__(self, scope: Construct, id_: str, *, stage: Stage, key: TopicKey) -> None:
        super().__init__(scope, id_, publisher="cloudwatch.amazonaws.com", key=key)
        self.grant_publish(self.publisher)
        if stage.alarm_email:
            acknowledge(
                self.add_subscription(subscriptions.EmailSubscription(stage.alarm_email)),
                "Serverless-SNSRedrivePolicy",
                because="SNS redelivers e-mail for hours by itself, and an alarm stays red in CloudWatch",
            )


class Alarms(Construct):
    """Every dead-letter queue, backlog and function, timers, the API's errors and refusals, too many orders to erase.

    docs/runbook.md explains each, and the first thing to do.
    """

    def __init__(  # noqa: PLR0913  one argument for each part
        self,
        scope: Construct,
        *,
        stage: Stage,
        topic: AlarmTopic,
        queues: Queues,
        schedules: Schedules,
        functions: Functions,
        api: Api,
    ) -> None:
        super().__init__(scope, "Alarms")
        self.topic = topic
        self.namespace = stage.metrics_namespace
        for name, queue in queues.dead_letters.items():
            self._alarm(
                f"{name}Parked",
                queue.metric_approximate_number_of_messages_visible(period=PERIOD, statistic="Maximum"),
                above=0,
                means=f"something could not be done and lies in the {name.lower()} dead-letter queue: "
                "cairn dlq show, mend the cause, cairn dlq redrive",
            )
        for name, work in queues.work.items():
            self._alarm(
                f"{name}Late",
                work.metric_approximate_age_of_oldest_message(period=PERIOD, statistic="Maximum"),
                above=(LATE_ERASURE if work is queues.erasures else LATE).to_seconds(),
                means=f"the {name.lower()} queue is behind",
            )
        for name, consumed, consumer in CONSUMERS:
            self._alarm(
                f"{name}Waiting",
                cloudwatch.Metric(
                    namespace=self.namespace,
                    metric_name="Waiting",
                    dimensions_map={"service": consumer(functions).service, "queue": consumed},
                    period=WAITING,
                    statistic="Maximum",
                ),
                above=LATE.to_seconds(),
                means=f"what came by the {consumed} queue fails for a while, and is tried again for a week: the log of "
                f"{consumer(functions).service} says what is out of order",
            )
        self._alarm(
            "RelayLate",
            functions.relay.metric("IteratorAge", period=PERIOD, statistic="Maximum"),
            above=LATE.to_milliseconds(),
            means="effects of commits wait in the table's stream",
        )
        self._alarm(
            "TimersFailing",
            schedules.group.metric_target_errors(period=PERIOD, statistic="Sum"),
            above=0,
            means="EventBridge Scheduler cannot post what is due, and tries for a day: queues or role of timers "
            "are out of order",
        )
        self._alarm(
            "TimersDropped",
            schedules.group.metric_dropped(period=PERIOD, statistic="Sum"),
            above=0,
            means="EventBridge Scheduler gave up timers: each is among the dead letters of its queue",
        )
        self._alarm(
            "TimersLost",
            schedules.group.metric_failed_to_be_sent_to_dlq(period=PERIOD, statistic="Sum"),
            above=0,
            means="EventBridge Scheduler could not even dead-letter timers: sweep finds who waits for one",
        )
        for function in functions:
            self._alarm(
                f"{function.node.id}Errors",
                function.metric_errors(period=PERIOD, statistic="Sum"),
                above=0,
                means=f"{function.service} fails as a whole; its log says why",
            )
        for reader in (functions.receive, functions.deliver, functions.notify):
            self._counted(
                f"{reader.node.id}SecretRefused",
                "SecretRefused",
                reader,
                means=f"a secret of {reader.service} is too short, blank or no text and is not used; its log names it",
            )
        self._alarm(
            "ApiErrors",
            api.stage.metric_server_error(period=PERIOD, statistic="Sum"),
            above=0,
            means="webhooks are answered 5xx; their senders will redeliver for a while",
        )
        self._counted(
            "WebhooksRefused",
            "WebhookRefused",
            functions.receive,
            above=REFUSED,
            means="webhooks are refused: compare the sources' secrets with what the vendors show",
        )
        self._counted(
            "BreakerTripped",
            "BreakerTripped",
            functions.relay,
            means="a journey or a channel did badly and paused itself: cairn audit says why; mend it and resume",
        )
        self._counted(
            "Stuck",
            "Stuck",
            functions.sweep,
            means="somebody waited and had no timer any more: found and set going; its log says who",
        )
        self._counted(
            "TasksOverdue",
            "TaskOverdue",
            functions.sweep,
            means="a task for a person is past its due time: its log says which",
        )
        self._counted(
            "ErasureOrdersAboveLimit",
            "ErasureOrderAboveLimit",
            functions.process,
            means="a vendor orders more erasures within an hour than the policy allows; they wait for a person: "
            "cairn privacy list",
        )
        self._counted(
            "JourneyVersionsLost",
            "JourneyVersionLost",
            functions.process,
            means="customers are in a journey version that is neither deployed nor stored: deploy it once more",
        )
        self._alarm(
            "WebhooksThrottled",
            cloudwatch.Metric(namespace=self.namespace, metric_name=THROTTLED, period=PERIOD, statistic="Sum"),
            above=MANY_THROTTLED,
            means="a source is answered 429: the API's access log says which; raise its throttle in cdk.json",
        )

    def _counted(self, id_: str, name: str, by: Function, *, above: float = 0, means: str) -> None:
        """The alarm of what a function counts (cairn/telemetry)."""
        metric = cloudwatch.Metric(
            namespace=self.namespace,
            metric_name=name,
            dimensions_map={"service": by.service},
            period=PERIOD,
            statistic="Sum",
        )
        self._alarm(id_, metric, above=above, means=means)

    def _alarm(self, id_: str, metric: cloudwatch.IMetric, *, above: float, means: str) -> None:
        alarm = cloudwatch.Alarm(
            self,
            id_,
            metric=metric,
            threshold=above,
            comparison_operator=cloudwatch.ComparisonOperator.GREATER_THAN_THRESHOLD,
            evaluation_periods=1,
            treat_missing_data=cloudwatch.TreatMissingData.NOT_BREACHING,
            alarm_description=f"Cairn: {means}",
        )
        alarm.add_alarm_action(actions.SnsAction(self.topic))
        alarm.add_ok_action(actions.SnsAction(self.topic))
