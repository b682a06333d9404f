"""serve_preferences: started by the links of messages, shows a customer's preferences and stores the changes."""

from aws_cdk import aws_dynamodb as dynamodb
from aws_cdk import aws_secretsmanager as secretsmanager
from constructs import Construct

from cairn.settings import ServePreferencesSettings
from infra.cloud.bundle.journeys import POLICY_PATH
from infra.cloud.function import Function, Shared
from infra.cloud.functions.check_identity_key import CheckIdentityKey


class ServePreferences(Function):
    def __init__(
        self,
        scope: Construct,
        *,
        shared: Shared,
        table: dynamodb.ITable,
        identity: CheckIdentityKey,
        links: secretsmanager.ISecret,
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
                links_secret_id=links.secret_arn,
                identity_secret_id=identity.secret_arn,
                identity_fingerprint=identity.fingerprint,
                policy_path=POLICY_PATH,
            ),
        )
        self.may_use(table, "dynamodb:Query")
        self.may("sqs:SendMessage", on=queues.events.queue_arn)
        self.may("secretsmanager:GetSecretValue", on=[identity.secret_arn, links.secret_arn])
