"""The function that resumes paused work and sets going what is stuck, started by a rule every five minutes."""

from aws_cdk import Duration
from aws_cdk import aws_dynamodb as dynamodb
from aws_cdk import aws_events as events
from aws_cdk import aws_events_targets as targets
from constructs import Construct

from cairn.settings import RESUME_EVERY, RESUME_TIMEOUT, SweepSettings
from infra.cloud.function import Function, Shared
from infra.cloud.nag import acknowledge
from infra.cloud.table import DUE_TIMES, INDEX


class Sweep(Function):
    def __init__(self, scope: Construct, *, shared: Shared, table: dynamodb.ITable) -> None:
        stage, queues = shared.stage, shared.queues
        super().__init__(
            scope,
            "sweep",
            shared=shared,
            timeout=RESUME_TIMEOUT,
            settings=SweepSettings(
                stage=stage.name,
                table_name=table.table_name,
                wakes_queue_url=queues.wakes.queue_url,
                messages_queue_url=queues.messages.queue_url,
                marketing_queue_url=queues.marketing.queue_url,
                erasures_queue_url=queues.erasures.queue_url,
            ),
        )
        every = Duration.seconds(int(RESUME_EVERY.total_seconds()))
        # No retries: the next run does what this one did not.
        self.configure_async_invoke(retry_attempts=0, max_event_age=every)
        rule = events.Rule(
            self,
            "Every",
            description="Cairn: looks for those who wait for something that has been resumed, and for who is stuck",
            schedule=events.Schedule.rate(every),
            targets=[targets.LambdaFunction(self, retry_attempts=0, max_event_age=every)],
        )
        for construct, finding in (
            (self, "Serverless-LambdaAsyncFailureDestination"),
            (rule, "Serverless-EventBusDLQ"),
        ):
            acknowledge(
                construct, finding, because="a sweep that did not come to its end says nothing: the next one sees all"
            )
        self.may_use(
            table,
            "dynamodb:BatchGetItem",
            "dynamodb:GetItem",
            "dynamodb:UpdateItem",
            "dynamodb:BatchWriteItem",
        )
        self.may("dynamodb:Query", on=[f"{table.table_arn}/index/{index}" for index in (INDEX, DUE_TIMES)])
        watched = [queue.queue_arn for queue in (queues.wakes, queues.messages, queues.marketing)]
        self.may("sqs:SendMessage", on=[*watched, queues.erasures.queue_arn])
        self.may("sqs:GetQueueAttributes", on=watched)
