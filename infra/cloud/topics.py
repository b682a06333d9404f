"""SNS topics that services of AWS post to: encrypted, over TLS only, from this account only."""

from aws_cdk import RemovalPolicy, Stack
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from aws_cdk import aws_sns as sns
from constructs import Construct


class TopicKey(kms.Key):
    """A key of our own: with the AWS managed one, SES and CloudWatch cannot post to an encrypted topic."""

    def __init__(self, scope: Construct, id_: str) -> None:
        super().__init__(
            scope,
            id_,
            description="Cairn: feedback and alarm topics",
            enable_key_rotation=True,
            removal_policy=RemovalPolicy.DESTROY,
        )


class ServiceTopic(sns.Topic):
    """A topic that one service of AWS, such as `ses.amazonaws.com`, may post to."""

    def __init__(self, scope: Construct, id_: str, *, publisher: str, key: TopicKey) -> None:
        super().__init__(scope, id_, master_key=key, enforce_ssl=True)
        self.publisher = iam.ServicePrincipal(
            publisher, conditions={"StringEquals": {"aws:SourceAccount": Stack.of(self).account}}
        )
        key.add_to_resource_policy(
            iam.PolicyStatement(
                actions=["kms:Decrypt", "kms:GenerateDataKey"], principals=[self.publisher], resources=["*"]
            )
        )
