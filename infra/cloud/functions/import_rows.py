"""import_rows: started by the imports' state machine, writes a batch of rows."""

from aws_cdk import aws_dynamodb as dynamodb
from constructs import Construct

from cairn.settings import IMPORT_TIMEOUT, ImportRowsSettings
from infra.cloud.bundle.journeys import CATALOGUE_PATH, POLICY_PATH
from infra.cloud.function import Function, Shared
from infra.cloud.functions.check_identity_key import CheckIdentityKey


class ImportRows(Function):
    def __init__(
        self,
        scope: Construct,
        *,
        shared: Shared,
        table: dynamodb.ITable,
        identity: CheckIdentityKey,
    ) -> None:
        stage = shared.stage
        super().__init__(
            scope,
            "import_rows",
            shared=shared,
            timeout=IMPORT_TIMEOUT,
            settings=ImportRowsSettings(
                stage=stage.name,
                table_name=table.table_name,
                identity_secret_id=identity.secret_arn,
                identity_fingerprint=identity.fingerprint,
                phone_region=stage.phone_region,
                journeys_path=CATALOGUE_PATH,
                policy_path=POLICY_PATH,
            ),
        )
        # As process_event, whose use case it is. TransactWriteItems is authorised by the actions of the items in it.
        self.may_use(
            table,
            "dynamodb:Query",
            "dynamodb:GetItem",
            "dynamodb:BatchGetItem",
            "dynamodb:PutItem",
            "dynamodb:UpdateItem",
            "dynamodb:DeleteItem",
        )
        self.may("secretsmanager:GetSecretValue", on=identity.secret_arn)
