"""serve_preferences: started by the links of messages, shows a customer's preferences and stores the changes."""

from aws_cdk import aws_dynamodb as dynamodb
from constructs import Construct

from cairn.adapters.secrets_manager import Part
from cairn.settings import ServePreferencesSettings
from infra.cloud.bundle.journeys import POLICY_PATH
from infra.cloud.function import Function, Shared
from infra.cloud.functions.check_identity_key import CheckIdentityKey
from infra.cloud.secrets import StageSecret


class ServePreferences(Function):
    def __init__(
        self,
        scope: Construct,
        *,
        shared: Shared,
        table: dynamodb.ITable,
        identity: CheckIdentityKey,
        secret: StageSecret,
    ) -> None:
        stage, queues = shared.stage, shared.queues
        super().__init__(
            scope,
            "serve_preferences",
            shared=shared,
            settings=ServePreferencesSettings(
                stage=stage.name,
                table_name=table.table_name,
                events_queue_url=queues.events.queue_url,
                stage_secret_id=secret.secret_arn,
                identity_secret_id=identity.secret_arn,
                identity_fingerprint=identity.fingerprint,
                policy_path=POLICY_PATH,
            ),
        )
        self.may_use(table, "dynamodb:Query")
        self.may("sqs:SendMessage", on=queues.events.queue_arn)
        self.may("secretsmanager:GetSecretValue", on=identity.secret_arn)
        secret.let_read(self, Part.LINKS)
