"""receive_webhook: started by the HTTP API, stores events in their queue."""

from aws_cdk import aws_secretsmanager as secretsmanager
from constructs import Construct

from cairn.settings import ReceiveWebhookSettings
from infra.cloud.function import Function, Shared


class ReceiveWebhook(Function):
    def __init__(self, scope: Construct, *, shared: Shared, sources: secretsmanager.ISecret) -> None:
        stage, queues = shared.stage, shared.queues
        super().__init__(
            scope,
            "receive_webhook",
            shared=shared,
            reserved_concurrency=stage.webhook_concurrency,
            settings=ReceiveWebhookSettings(
                stage=stage.name,
                events_queue_url=queues.events.queue_url,
                sources_secret_id=sources.secret_arn,
            ),
        )
        self.may("sqs:SendMessage", on=queues.events.queue_arn)
        self.may("secretsmanager:GetSecretValue", on=sources.secret_arn)
