"""The data: table, large bodies and secrets. Deployed first, changed rarely."""

from aws_cdk import CfnOutput, Stack
from aws_cdk import aws_dynamodb as dynamodb
from constructs import Construct

from infra.cloud.fact_log import FactLog
from infra.cloud.overflow import OverflowBucket
from infra.cloud.secrets import IdentitySecret, LinksSecretOfBefore, StageSecret, WebhookEndpointsSecretOfBefore
from infra.cloud.stage import InvalidStageError, Stage
from infra.cloud.table import Table, existing_table

UPGRADE_FROM = "upgrade_from"
"""`cdk deploy -c upgrade_from=0.2`: keep what the deployed engine still needs (docs/operations.md, Upgrading from 0.2).
"""

UPGRADES = ("0.2",)


class DataStack(Stack):
    def __init__(self, scope: Construct, id_: str, *, stage: Stage) -> None:
        super().__init__(
            scope,
            id_,
            description=f"Cairn {stage.name}: table, large bodies and secrets",
            termination_protection=stage.keep_data,
        )
        self.table = Table(self, "Table", stage=stage)
        self.table_in_use = self._table_in_use(stage)
        self.overflow = OverflowBucket(self, "Overflow", stage=stage)
        self.facts = FactLog(self, "Facts", stage=stage)
        self.identity = IdentitySecret(self, "IdentitySecret", stage=stage)
        # Until version 0.2 it had the secrets of sources alone: under another id it would be another one, and empty.
        self.secret = StageSecret(self, "SourcesSecret", stage=stage)
        if self._is_upgrade():
            self._keep_secrets_of_before(stage)
        # The table refuses to be deleted (deletion_protection), also when a first deployment is rolled back. So it is
        # created last: nothing can fail once it exists.
        for part in (self.overflow, self.facts, self.identity, self.secret):
            self.table.node.add_dependency(part)
        CfnOutput(self, "TableName", value=self.table_in_use.table_name)
        CfnOutput(self, "OverflowBucket", value=self.overflow.bucket_name)
        CfnOutput(self, "IdentitySecretArn", value=self.identity.secret_arn)
        CfnOutput(self, "SourcesSecretArn", value=self.secret.secret_arn)

    def _is_upgrade(self) -> bool:
        version = self.node.try_get_context(UPGRADE_FROM)
        if version is not None and str(version) not in UPGRADES:
            raise InvalidStageError(f"{UPGRADE_FROM} may be {' or '.join(UPGRADES)}, not {version}")
        return version is not None

    def _keep_secrets_of_before(self, stage: Stage) -> None:
        """The engine of 0.2 imports both: without them CloudFormation refuses the change."""
        for id_, secret in (
            ("LinksSecret", LinksSecretOfBefore(self, "LinksSecret", stage=stage)),
            ("SubscribersSecret", WebhookEndpointsSecretOfBefore(self, "SubscribersSecret", stage=stage)),
        ):
            self.export_value(secret.secret_arn)
            CfnOutput(self, f"{id_}Arn", value=secret.secret_arn)

    def _table_in_use(self, stage: Stage) -> dynamodb.ITable:
        """The table that the functions use: the stack's own, unless the stage names another."""
        if not stage.table_stream_arn:
            return self.table
        # The deployed engine imports these until its own turn comes: without them CloudFormation refuses the change.
        for value in (self.table.table_name, self.table.table_arn, self.table.table_stream_arn):
            self.export_value(value)
        return existing_table(self, "ExistingTable", stream_arn=stage.table_stream_arn)
