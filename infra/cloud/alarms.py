"""The alarms, and the topic that they notify."""

from typing import Any, NamedTuple

from aws_cdk import Duration
from aws_cdk import aws_cloudwatch as cloudwatch
from aws_cdk import aws_cloudwatch_actions as actions
from aws_cdk import aws_logs as logs
from aws_cdk import aws_sns_subscriptions as subscriptions
from constructs import Construct

from cairn.domain.operations.signs import Sign
from cairn.settings import LATE, RESUME_EVERY
from cairn.telemetry import DEAD_LETTERS, PERSON_NEEDED, WAITING, WEBHOOK_REFUSED
from infra.cloud.api import Api
from infra.cloud.function import Function
from infra.cloud.nag import acknowledge
from infra.cloud.schedules import Schedules
from infra.cloud.stage import Stage
from infra.cloud.topics import ServiceTopic, TopicKey

PERIOD = Duration.minutes(5)
LATEST = Duration.seconds(int(LATE.total_seconds()))
"""A queue or a stream that is behind by more than one retry of one item."""
STAYS = Duration.minutes(20)
"""The period of what `sweep` writes every five minutes, and of what waits: longer than the longest pause between two
attempts. So the alarm stays, and nobody gets a mail for each."""
RUNS = Duration.seconds(int(3 * RESUME_EVERY.total_seconds()))
"""In which `sweep` runs twice at least."""
REFUSED = 20
"""Refused webhooks in five minutes: a secret is wrong or was rotated, a source sends more than its throttle allows, or
an attacker tries signatures."""


MEANS = {
    Sign.COMPLAINTS_DOUBLED: "the share of complaints doubled within 30 minutes",
    Sign.DELIVERY_ERRORS: "more than 3 % of the messages fail or bounce",
    Sign.MATCH_RATE_LOW: "less than 85 % of the events reach a customer",
    Sign.EVENTS_LATE: "more than 5 % of the events are a minute old at their commit",
    Sign.MISFIRES: "more than 1 % of the timers fire late",
}


class Functions(NamedTuple):
    check: Function
    receive: Function
    process: Function
    relay: Function
    log: Function
    deliver: Function
    record: Function
    serve: Function
    tasks: Function
    in_app: Function
    notify: Function
    sweep: Function
    erase: Function
    manage: Function
    rows: Function
    console: Function | None
    """Where the stage has one."""


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


def add_alarm(  # noqa: PLR0913  what an alarm is
    scope: Construct,
    id_: str,
    metric: cloudwatch.IMetric,
    *,
    topic: AlarmTopic,
    above: float,
    means: str,
    no_data: cloudwatch.TreatMissingData = cloudwatch.TreatMissingData.NOT_BREACHING,
    notify_when_over: bool = True,
) -> cloudwatch.Alarm:
    """An alarm that is red after one period above a bound. It notifies the topic, also when it is over."""
    alarm = cloudwatch.Alarm(
        scope,
        id_,
        metric=metric,
        threshold=above,
        comparison_operator=cloudwatch.ComparisonOperator.GREATER_THAN_THRESHOLD,
        evaluation_periods=1,
        treat_missing_data=no_data,
        alarm_description=f"Cairn: {means}",
    )
    alarm.add_alarm_action(actions.SnsAction(topic))
    if notify_when_over:
        alarm.add_ok_action(actions.SnsAction(topic))
    return alarm


class Alarms(Construct):
    """Eleven, however many queues and functions there are: 0.10 USD a month for each metric that an alarm watches.

    With `health_alarms`, five more.

    Each leads to a log line that names the queue, the function or the customer: docs/runbook.md explains each, and the
    first thing to do. `sweep` looks at the queues (application/operations/watch_queues); what only a person can end is
    counted under one name (cairn/telemetry.need_person).
    """

    def __init__(  # noqa: PLR0913  one argument for each part
        self,
        scope: Construct,
        *,
        stage: Stage,
        topic: AlarmTopic,
        schedules: Schedules,
        functions: Functions,
        api: Api,
    ) -> None:
        super().__init__(scope, "Alarms")
        self.all: list[cloudwatch.IAlarm] = []
        self._topic = topic
        self.namespace = stage.metrics_namespace
        self._alarm(
            "DeadLetters",
            self._ours(DEAD_LETTERS, period=STAYS, statistic="Maximum"),
            above=0,
            means="something could not be done and is a dead letter: the log of sweep names the queue (dead letters "
            "lie in a queue), and so does cairn dlq list. Then cairn dlq show, mend the cause, cairn dlq redrive",
        )
        self._alarm(
            "Waiting",
            self._ours(WAITING, period=STAYS, statistic="Maximum"),
            above=LATEST.to_seconds(),
            means="work waits for too long. It fails and is tried again for a week: the function's log names queue "
            "and error (record waits). Or its function is stopped or too slow: the log of sweep names the queue "
            "(queue is late)",
        )
        self._alarm(
            "PersonNeeded",
            self._ours(PERSON_NEEDED, period=PERIOD, statistic="Sum"),
            above=0,
            means="something that only a person can end, such as a refused secret, a tripped breaker, a customer "
            "found stuck, an overdue task: the lines with the field person_needed, in the logs of all functions, say "
            "what it is and what to do",
        )
        self._alarm(
            "WebhooksRefused",
            self._ours(WEBHOOK_REFUSED, period=PERIOD, statistic="Sum"),
            above=REFUSED,
            means="webhooks are refused: the log of receive_webhook names source and reason (webhook refused); where "
            "it has none, they are answered 429, and the API's access log names the route",
        )
        self._alarm(
            "ApiErrors",
            api.stage.metric_server_error(period=PERIOD, statistic="Sum"),
            above=0,
            means="requests are answered 5xx: the API's access log names the route, and the log of its function the "
            "reason. Senders of webhooks will redeliver for a while",
        )
        for function in (functions.process, functions.relay, functions.deliver):
            self._alarm(
                f"{function.node.id}Errors",
                function.metric_errors(period=PERIOD, statistic="Sum"),
                above=0,
                means=f"{function.service} fails as a whole; its log says why",
            )
        for function in (functions.record, functions.notify, functions.erase):
            self._note_failures(function)
        self._watch_stopped(functions.sweep)
        self._alarm(
            "RelayLate",
            functions.relay.metric("IteratorAge", period=PERIOD, statistic="Maximum"),
            above=LATEST.to_milliseconds(),
            means="effects of commits wait in the table's stream; the log of relay_effects says why",
        )
        self._alarm(
            "TimersFailing",
            schedules.group.metric_target_errors(period=PERIOD, statistic="Sum"),
            above=0,
            means="EventBridge Scheduler cannot post what is due, and tries for a day: queues or role of timers "
            "are out of order",
        )

        if stage.health_alarms:
            for sign in Sign:
                self._alarm(
                    sign.value,
                    self._ours(sign.value, period=STAYS, statistic="Maximum"),
                    above=0,
                    means=f"{MEANS[sign]}: the log of sweep says how many (why)",
                )

    def _alarm(self, id_: str, metric: cloudwatch.IMetric, **about: Any) -> None:
        self.all.append(add_alarm(self, id_, metric, topic=self._topic, **about))

    def _note_failures(self, function: Function) -> None:
        """Call a person where a function dies whose dead or late records would show it only after days.

        The ages of SQS leave out what was received more than three times. Lambda logs a report of each invocation that
        failed, also where its own lines are left out.
        https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/sqs-available-cloudwatch-metrics.html
        https://docs.aws.amazon.com/lambda/latest/dg/telemetry-schema-reference.html#platform-report
        """
        logs.MetricFilter(
            self,
            f"{function.node.id}Fails",
            log_group=function.logs,
            filter_pattern=logs.FilterPattern.all(
                logs.FilterPattern.string_value("$.type", "=", "platform.report"),
                logs.FilterPattern.string_value("$.record.status", "!=", "success"),
            ),
            metric_namespace=self.namespace,
            metric_name=PERSON_NEEDED,
            unit=cloudwatch.Unit.COUNT,
        )

    def _watch_stopped(self, sweep: Function) -> None:
        """While `sweep` does not come to its end, nobody looks at the queues: also where it is not even started.

        Lambda writes Errors for each run: 0 for one that succeeded, 1 for one that did not. So the smallest of three
        runs is above 0 where none succeeded, and there is none where none began.
        https://docs.aws.amazon.com/lambda/latest/dg/monitoring-metrics-types.html
        """
        self._alarm(
            "WatchStopped",
            sweep.metric_errors(period=RUNS, statistic="Minimum"),
            above=0,
            means="no run of sweep succeeded in fifteen minutes, so nobody looks at the queues: cairn dlq list does. "
            "Its log says why, or its rule or its concurrency is out of order",
            no_data=cloudwatch.TreatMissingData.BREACHING,
        )

    def _ours(self, name: str, *, period: Duration, statistic: str) -> cloudwatch.Metric:
        """A metric that functions write (cairn/telemetry), without dimensions."""
        return cloudwatch.Metric(namespace=self.namespace, metric_name=name, period=period, statistic=statistic)
