"""receive_webhook: started by the HTTP API, stores events in their queue."""

from aws_cdk import aws_dynamodb as dynamodb
from constructs import Construct

from cairn.adapters.secrets_manager import Part
from cairn.settings import ReceiveWebhookSettings
from infra.cloud.bundle.code import SOURCES_PATH
from infra.cloud.function import Function, Shared
from infra.cloud.functions.check_identity_key import CheckIdentityKey
from infra.cloud.overflow import OverflowBucket
from infra.cloud.secrets import StageSecret
from infra.cloud.table import SEEN


class ReceiveWebhook(Function):
    def __init__(  # noqa: PLR0913  one argument for each resource
        self,
        scope: Construct,
        *,
        shared: Shared,
        table: dynamodb.ITable,
        identity: CheckIdentityKey,
        secret: StageSecret,
        overflow: OverflowBucket,
    ) -> None:
        stage, queues = shared.stage, shared.queues
        super().__init__(
            scope,
            "receive_webhook",
            shared=shared,
            reserved_concurrency=stage.webhook_concurrency,
            settings=ReceiveWebhookSettings(
                stage=stage.name,
                table_name=table.table_name,
                events_queue_url=queues.events.queue_url,
                overflow_bucket=overflow.bucket_name,
                identity_secret_id=identity.secret_arn,
                stage_secret_id=secret.secret_arn,
                sources_path=SOURCES_PATH,
            ),
        )
        self.may("sqs:SendMessage", on=queues.events.queue_arn)
        # It counts what reaches no customer, and neither reads nor changes anything else.
        only_counts = {"ForAllValues:StringEquals": {"dynamodb:LeadingKeys": [SEEN]}}
        self.may("dynamodb:UpdateItem", on=table.table_arn, when=only_counts)
        self.keep_audit(table)
        self.may_overflow("s3:PutObject", overflow)
        self.may("secretsmanager:GetSecretValue", on=identity.secret_arn)
        secret.let_read(self, Part.SOURCES)
