"""Every five minutes: the function that resumes paused work, sets going what is stuck, and what else waits for time."""

from aws_cdk import Duration
from aws_cdk import aws_dynamodb as dynamodb
from aws_cdk import aws_events as events
from aws_cdk import aws_events_targets as targets
from constructs import Construct

from cairn.adapters.dynamodb.flow_counters import FLOW
from cairn.adapters.dynamodb.items import ARMS
from cairn.settings import RESUME_EVERY, RESUME_TIMEOUT, SweepSettings
from infra.cloud.bundle.journeys import CATALOGUE_PATH, PEOPLE_PATH
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
                work_queue_urls=queues.urls_of(queues.work),
                dead_letter_queue_urls=queues.urls_of(queues.dead_letters),
                journeys_path=CATALOGUE_PATH,
                people_path=PEOPLE_PATH,
            ),
        )
        every = Duration.seconds(int(RESUME_EVERY.total_seconds()))
        # No retries: the next run does what this one did not.
        self.live.configure_async_invoke(retry_attempts=0, max_event_age=every)
        rule = events.Rule(
            self,
            "Every",
            description="Cairn: looks for work of what has been resumed, for who is stuck, and at the queues",
            schedule=events.Schedule.rate(every),
            targets=[targets.LambdaFunction(self.live, retry_attempts=0, max_event_age=every)],
        )
        for construct, finding in (
            (self.live, "Serverless-LambdaAsyncFailureDestination"),
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
            "dynamodb:PutItem",
            adds_to_audit=True,  # what a rule has chosen
        )
        only_counters = {"ForAllValues:StringLike": {"dynamodb:LeadingKeys": [f"{ARMS}*", FLOW]}}
        self.may("dynamodb:Query", on=table.table_arn, when=only_counters)
        self.may("dynamodb:Query", on=[f"{table.table_arn}/index/{index}" for index in (INDEX, DUE_TIMES)])
        sent_to = (queues.wakes, queues.messages, queues.marketing, queues.erasures)
        self.may("sqs:SendMessage", on=[queue.queue_arn for queue in sent_to])
        watched = [*queues.work.values(), *queues.dead_letters.values()]
        self.may("sqs:GetQueueAttributes", on=[queue.queue_arn for queue in watched])
        self.may("cloudwatch:GetMetricData", on="*")  # it has no resource
