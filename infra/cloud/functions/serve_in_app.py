"""serve_in_app: started by the apps and sites that show an inbox, lists it and stores what its reader does."""

from aws_cdk import aws_dynamodb as dynamodb
from constructs import Construct

from cairn.adapters.secrets_manager import Part
from cairn.settings import ServeInAppSettings
from infra.cloud.function import Function, Shared
from infra.cloud.secrets import StageSecret


class ServeInApp(Function):
    def __init__(self, scope: Construct, *, shared: Shared, table: dynamodb.ITable, secret: StageSecret) -> None:
        stage, queues = shared.stage, shared.queues
        super().__init__(
            scope,
            "serve_in_app",
            shared=shared,
            settings=ServeInAppSettings(
                stage=stage.name,
                table_name=table.table_name,
                feedback_queue_url=queues.feedback.queue_url,
                stage_secret_id=secret.secret_arn,
                in_app_origins=stage.in_app_origins,
            ),
        )
        self.may_use(table, "dynamodb:GetItem", "dynamodb:Query", "dynamodb:UpdateItem")
        self.may("sqs:SendMessage", on=queues.feedback.queue_arn)
        secret.let_read(self, Part.LINKS)
