"""The data: table, large bodies and secrets. Deployed first, changed rarely."""

from aws_cdk import CfnOutput, Stack
from constructs import Construct

from infra.cloud.overflow import OverflowBucket
from infra.cloud.secrets import IdentitySecret, LinksSecret, SourcesSecret, WebhookEndpointsSecret
from infra.cloud.stage import Stage
from infra.cloud.table import Table


class DataStack(Stack):
    def __init__(self, scope: Construct, id_: str, *, stage: Stage) -> None:
        super().__init__(
            scope,
            id_,
            description=f"Cairn {stage.name}: table, large bodies and secrets",
            termination_protection=stage.keep_data,
        )
        self.table = Table(self, "Table", stage=stage)
        self.overflow = OverflowBucket(self, "Overflow", stage=stage)
        self.identity = IdentitySecret(self, "IdentitySecret", stage=stage)
        self.sources = SourcesSecret(self, "SourcesSecret", stage=stage)
        self.links = LinksSecret(self, "LinksSecret", stage=stage)
        self.webhook_endpoints = WebhookEndpointsSecret(self, "SubscribersSecret", stage=stage)
        # The table refuses to be deleted (deletion_protection), also when a first deployment is rolled back. So it is
        # created last: nothing can fail once it exists.
        for part in (self.overflow, self.identity, self.sources, self.links, self.webhook_endpoints):
            self.table.node.add_dependency(part)
        CfnOutput(self, "TableName", value=self.table.table_name)
        CfnOutput(self, "OverflowBucket", value=self.overflow.bucket_name)
        CfnOutput(self, "IdentitySecretArn", value=self.identity.secret_arn)
        CfnOutput(self, "SourcesSecretArn", value=self.sources.secret_arn)
        CfnOutput(self, "LinksSecretArn", value=self.links.secret_arn)
        CfnOutput(self, "SubscribersSecretArn", value=self.webhook_endpoints.secret_arn)
