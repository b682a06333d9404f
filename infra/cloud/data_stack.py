"""The data: table, large bodies and secrets. Deployed first, changed rarely."""

from aws_cdk import CfnOutput, Stack
from aws_cdk import aws_dynamodb as dynamodb
from constructs import Construct

from infra.cloud.overflow import OverflowBucket
from infra.cloud.secrets import IdentitySecret, LinksSecret, SourcesSecret, WebhookEndpointsSecret
from infra.cloud.stage import Stage
from infra.cloud.table import Table, existing_table


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
        self.identity = IdentitySecret(self, "IdentitySecret", stage=stage)
        self.sources = SourcesSecret(self, "SourcesSecret", stage=stage)
        self.links = LinksSecret(self, "LinksSecret", stage=stage)
        self.webhook_endpoints = WebhookEndpointsSecret(self, "SubscribersSecret", stage=stage)
        # The table refuses to be deleted (deletion_protection), also when a first deployment is rolled back. So it is
        # created last: nothing can fail once it exists.
        for part in (self.overflow, self.identity, self.sources, self.links, self.webhook_endpoints):
            self.table.node.add_dependency(part)
        CfnOutput(self, "TableName", value=self.table_in_use.table_name)
        CfnOutput(self, "OverflowBucket", value=self.overflow.bucket_name)
        CfnOutput(self, "IdentitySecretArn", value=self.identity.secret_arn)
        CfnOutput(self, "SourcesSecretArn", value=self.sources.secret_arn)
        CfnOutput(self, "LinksSecretArn", value=self.links.secret_arn)
        CfnOutput(self, "SubscribersSecretArn", value=self.webhook_endpoints.secret_arn)

    def _table_in_use(self, stage: Stage) -> dynamodb.ITable:
        """The table that the functions use: the stack's own, unless the stage names another."""
        if not stage.table_stream_arn:
            return self.table
        # The deployed engine imports these until its own turn comes: without them CloudFormation refuses the change.
        for value in (self.table.table_name, self.table.table_arn, self.table.table_stream_arn):
            self.export_value(value)
        return existing_table(self, "ExistingTable", stream_arn=stage.table_stream_arn)
