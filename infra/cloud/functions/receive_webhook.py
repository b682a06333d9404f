"""receive_webhook: started by the HTTP API, stores events in their queue."""

from constructs import Construct

from cairn.adapters.secrets_manager import Part
from cairn.settings import ReceiveWebhookSettings
from infra.cloud.bundle.code import SOURCES_PATH
from infra.cloud.function import Function, Shared
from infra.cloud.functions.check_identity_key import CheckIdentityKey
from infra.cloud.overflow import OverflowBucket
from infra.cloud.secrets import StageSecret


class ReceiveWebhook(Function):
    def __init__(
        self,
        scope: Construct,
        *,
        shared: Shared,
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
                events_queue_url=queues.events.queue_url,
                overflow_bucket=overflow.bucket_name,
                identity_secret_id=identity.secret_arn,
                stage_secret_id=secret.secret_arn,
                sources_path=SOURCES_PATH,
            ),
        )
        self.may("sqs:SendMessage", on=queues.events.queue_arn)
        self.may_overflow("s3:PutObject", overflow)
        self.may("secretsmanager:GetSecretValue", on=identity.secret_arn)
        secret.let_read(self, Part.SOURCES)
