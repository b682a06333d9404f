"""serve_tasks: started by members' links, shows one task and records what came of it."""

from aws_cdk import aws_dynamodb as dynamodb
from constructs import Construct

from cairn.adapters.secrets_manager import Part
from cairn.settings import ServeTasksSettings
from infra.cloud.bundle.journeys import PEOPLE_PATH, POLICY_PATH
from infra.cloud.function import Function, Shared
from infra.cloud.functions.check_identity_key import CheckIdentityKey
from infra.cloud.secrets import StageSecret


class ServeTasks(Function):
    def __init__(
        self,
        scope: Construct,
        *,
        shared: Shared,
        table: dynamodb.ITable,
        identity: CheckIdentityKey,
        secret: StageSecret,
    ) -> None:
        super().__init__(
            scope,
            "serve_tasks",
            shared=shared,
            settings=ServeTasksSettings(
                stage=shared.stage.name,
                table_name=table.table_name,
                stage_secret_id=secret.secret_arn,
                identity_secret_id=identity.secret_arn,
                identity_fingerprint=identity.fingerprint,
                policy_path=POLICY_PATH,
                people_path=PEOPLE_PATH,
            ),
        )
        # A task and its owner's list change in one transaction; the table's stream carries out what follows.
        self.may_use(table, "dynamodb:Query", "dynamodb:BatchGetItem", "dynamodb:PutItem", "dynamodb:UpdateItem")
        self.may("secretsmanager:GetSecretValue", on=identity.secret_arn)
        secret.let_read(self, Part.LINKS)
