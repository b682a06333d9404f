"""The table."""

from aws_cdk import Stack
from aws_cdk import aws_dynamodb as dynamodb
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from constructs import Construct

from infra.cloud.removal import removal
from infra.cloud.stage import Stage

INDEX = "gsi1"
DUE_TIMES = "gsi2"
"""The index of what waits, by the hour by which its timer must have fired."""

AUDIT = "audit"
"""The partition key of the audit."""

SEEN = "seen"
"""The partition key of what sources send that reaches no customer."""


class Table(dynamodb.Table):
    """Restorable to any second of the last 35 days; not deleted with its stack where the stage keeps its data."""

    def __init__(self, scope: Construct, id_: str, *, stage: Stage) -> None:
        key = TableKey(scope, "TableKey", stage=stage) if stage.customer_managed_key else None
        super().__init__(
            scope,
            id_,
            partition_key=_string("pk"),
            sort_key=_string("sk"),
            time_to_live_attribute="expires_at",
            billing_mode=dynamodb.BillingMode.PAY_PER_REQUEST,
            stream=dynamodb.StreamViewType.NEW_AND_OLD_IMAGES,
            point_in_time_recovery_specification=dynamodb.PointInTimeRecoverySpecification(
                point_in_time_recovery_enabled=True
            ),
            encryption=dynamodb.TableEncryption.CUSTOMER_MANAGED if key else dynamodb.TableEncryption.DEFAULT,
            encryption_key=key,
            deletion_protection=stage.keep_data,
            removal_policy=removal(stage),
        )
        # Sparse: only items that are read across customers (open tasks, paused work) have these attributes.
        self.add_global_secondary_index(index_name=INDEX, partition_key=_string("gsi1pk"), sort_key=_string("gsi1sk"))
        # Sparse as well, and without the items' other attributes: it is written whenever a due time changes. An update
        # of a deployed table may add only one index at a time (DynamoDB quota).
        self.add_global_secondary_index(
            index_name=DUE_TIMES,
            partition_key=_string("gsi2pk"),
            sort_key=_string("gsi2sk"),
            projection_type=dynamodb.ProjectionType.KEYS_ONLY,
        )


def existing_table(scope: Construct, id_: str, *, stream_arn: str) -> dynamodb.ITable:
    """A table that no stack made, with its stream."""
    return dynamodb.Table.from_table_attributes(
        scope, id_, table_arn=stream_arn.partition("/stream/")[0], table_stream_arn=stream_arn
    )


class TableKey(kms.Key):
    """Usable only through DynamoDB, by the users of the table."""

    def __init__(self, scope: Construct, id_: str, *, stage: Stage) -> None:
        super().__init__(scope, id_, enable_key_rotation=True, removal_policy=removal(stage))
        stack = Stack.of(self)
        self.add_to_resource_policy(
            iam.PolicyStatement(
                principals=[iam.AnyPrincipal()],
                actions=[
                    *("kms:Encrypt", "kms:Decrypt", "kms:ReEncrypt*", "kms:GenerateDataKey*"),
                    *("kms:DescribeKey", "kms:CreateGrant"),
                ],
                resources=["*"],
                conditions={
                    "StringEquals": {
                        "kms:CallerAccount": stack.account,
                        "kms:ViaService": f"dynamodb.{stack.region}.amazonaws.com",
                    }
                },
            )
        )


def _string(name: str) -> dynamodb.Attribute:
    return dynamodb.Attribute(name=name, type=dynamodb.AttributeType.STRING)
