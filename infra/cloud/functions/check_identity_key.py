"""check_identity_key: started by CloudFormation, refuses a deployment that would lose customers or links.

It runs in each deployment that changes the table, a secret, or code. One that changes nothing shows nothing in `cdk
diff`, and needs no check: functions compare the key themselves when they start.
"""

from collections.abc import Mapping
from typing import Any

from aws_cdk import CustomResource, Duration
from aws_cdk import aws_dynamodb as dynamodb
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_secretsmanager as secretsmanager
from constructs import Construct

from cairn.adapters.dynamodb.items import HEARD, IDENTITY
from cairn.adapters.secrets_manager import Part
from cairn.settings import CheckIdentityKeySettings
from infra.cloud.function import Function, Shared

TIMEOUT = Duration.minutes(3)
"""How long CloudFormation waits for an answer: the function's 30 seconds, and its two retries after a failed start."""


class CheckIdentityKey(Function):
    """Also what other functions need of the identity key: where it stands, and its fingerprint."""

    def __init__(
        self,
        scope: Construct,
        *,
        shared: Shared,
        table: dynamodb.ITable,
        identity_secret: secretsmanager.ISecret,
        stage_secret: secretsmanager.ISecret,
    ) -> None:
        super().__init__(
            scope,
            "check_identity_key",
            shared=shared,
            published=False,
            settings=CheckIdentityKeySettings(
                stage=shared.stage.name,
                table_name=table.table_name,
                identity_secret_id=identity_secret.secret_arn,
                stage_secret_id=stage_secret.secret_arn,
            ),
        )
        self.may("secretsmanager:GetSecretValue", on=identity_secret.secret_arn)
        # It reads no value of the stage's secret, and moves no label but the one of links.
        self.may("secretsmanager:ListSecretVersionIds", on=stage_secret.secret_arn)
        self.may(
            "secretsmanager:UpdateSecretVersionStage",
            on=stage_secret.secret_arn,
            when={"ForAnyValue:StringEquals": {"secretsmanager:VersionStage": [Part.LINKS.value]}},
        )
        self.may(
            "dynamodb:GetItem",
            "dynamodb:PutItem",
            on=table.table_arn,
            when={"ForAllValues:StringEquals": {"dynamodb:LeadingKeys": [IDENTITY]}},
        )
        self.may(
            "dynamodb:UpdateItem",
            on=table.table_arn,
            when={"ForAllValues:StringEquals": {"dynamodb:LeadingKeys": [HEARD]}},
        )
        self.keep_audit(table)
        # Whether the table is used: it may count the items, and read none.
        self.may("dynamodb:Scan", on=table.table_arn, when={"StringEquals": {"dynamodb:Select": "COUNT"}})
        self.check = CustomResource(
            self,
            "Check",
            resource_type="Custom::IdentityKey",
            service_token=self.function_arn,
            service_timeout=TIMEOUT,
            properties=self._depends_on(shared, table, identity_secret, stage_secret),
        )
        self.secret_arn = identity_secret.secret_arn
        self.fingerprint = self.check.get_att_string("Fingerprint")
        """Known once the check has passed: a function that has it in its settings is deployed after that."""

    def _depends_on(
        self,
        shared: Shared,
        table: dynamodb.ITable,
        identity_secret: secretsmanager.ISecret,
        stage_secret: secretsmanager.ISecret,
    ) -> Mapping[str, Any]:
        """CloudFormation starts the function when one of these changes, and at no other time.

        The stream names a table beyond its name: one that is made anew has another. So has each content of a layer
        another version: functions with new code, packages or journeys are deployed after the check has passed.
        """
        handler = self.node.default_child
        assert isinstance(handler, lambda_.CfnFunction)  # noqa: S101 - the construct library's promise, for the types
        assert isinstance(handler.code, lambda_.CfnFunction.CodeProperty)  # noqa: S101 - likewise
        layers = (shared.layers.core, shared.layers.dependencies, shared.layers.journeys)
        return {
            "TableStream": table.table_stream_arn,
            "IdentitySecret": identity_secret.secret_arn,
            "StageSecret": stage_secret.secret_arn,
            "Handler": handler.code.s3_key,
            "Layers": [one.layer_version_arn for one in layers],
        }
