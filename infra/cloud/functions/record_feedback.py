"""record_feedback: started by the feedback queue and by SNS's logs of texts, turns providers' reports into events."""

from aws_cdk import Stack
from aws_cdk import aws_dynamodb as dynamodb
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_logs as logs
from aws_cdk import aws_logs_destinations as destinations
from aws_cdk import aws_sqs as sqs
from constructs import Construct

from cairn.settings import RecordFeedbackSettings
from infra.cloud.function import Function, Shared
from infra.cloud.functions.check_identity_key import CheckIdentityKey
from infra.cloud.overflow import OverflowBucket

BATCH_SIZE = 10

SMS_LOG = "DirectPublishToPhoneNumber"
"""The name of SNS's log group of texts, below `sns/<region>/<account>`; the other is /Failure below it."""


class RecordFeedback(Function):
    def __init__(
        self,
        scope: Construct,
        *,
        shared: Shared,
        table: dynamodb.ITable,
        identity: CheckIdentityKey,
        overflow: OverflowBucket,
    ) -> None:
        stage, queues = shared.stage, shared.queues
        super().__init__(
            scope,
            "record_feedback",
            shared=shared,
            settings=RecordFeedbackSettings(
                stage=stage.name,
                table_name=table.table_name,
                events_queue_url=queues.events.queue_url,
                overflow_bucket=overflow.bucket_name,
                identity_secret_id=identity.secret_arn,
                feedback_queue_url=queues.feedback.queue_url,
                feedback_dead_letter_queue_url=queues.feedback.dead_letters.queue_url,
                status_reports_heard=shared.layers.status_reports_heard,
            ),
        )
        self.consume(queues.feedback, batch_size=BATCH_SIZE)
        self.may(
            "sqs:SendMessage",
            on=[queues.events.queue_arn, queues.feedback.queue_arn, queues.feedback.dead_letters.queue_arn],
        )
        self.may_use(table, "dynamodb:GetItem", "dynamodb:UpdateItem")
        self.may("secretsmanager:GetSecretValue", on=identity.secret_arn)
        self.may_overflow("s3:PutObject", overflow)
        if stage.sms_delivery_logs:
            self._read_sms_logs(queues.feedback.dead_letters)

    def _read_sms_logs(self, dead_letters: sqs.IQueue) -> None:
        """SNS reports texts in its logs only, and a log can start a function only, without a queue in between.

        The function puts a report that cannot be stored now into the feedback queue. Where SQS takes nothing, Lambda
        tries twice more and then dead-letters the batch; a redrive sends it to the feedback queue.
        """
        stack = Stack.of(self)
        for id_, name in (("SmsLog", SMS_LOG), ("SmsFailureLog", f"{SMS_LOG}/Failure")):
            group = logs.LogGroup.from_log_group_name(self, id_, f"sns/{stack.region}/{stack.account}/{name}")
            logs.SubscriptionFilter(
                self,
                f"{id_}Filter",
                log_group=group,
                destination=destinations.LambdaDestination(self.live),
                filter_pattern=logs.FilterPattern.all_events(),
            )
        resource = self.node.default_child
        assert isinstance(resource, lambda_.CfnFunction)  # noqa: S101 - the construct library's promise, for the types
        resource.dead_letter_config = lambda_.CfnFunction.DeadLetterConfigProperty(target_arn=dead_letters.queue_arn)
