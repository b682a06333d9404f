"""The log of facts: Firehose writes what log_facts hands it into a bucket, and Athena reads it there as one table."""

from aws_cdk import CfnOutput, Duration, Fn, Stack
from aws_cdk import aws_athena as athena
from aws_cdk import aws_glue as glue
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kinesisfirehose as firehose
from aws_cdk import aws_logs as logs
from aws_cdk import aws_s3 as s3
from constructs import Construct

from cairn.adapters.athena.queries import TABLE
from cairn.domain.measurement.facts import COLUMNS, Stored
from cairn.settings import LONG_FACTS_RETENTION, SHORT_FACTS_RETENTION
from infra.cloud.function import Function
from infra.cloud.logs import LogGroup
from infra.cloud.nag import acknowledge
from infra.cloud.removal import removal
from infra.cloud.stage import Stage

FACTS, RESULTS, FAILED = "facts/", "results/", "failed/"
"""What begins the key of a fact's object, of an answer of Athena, and of what Firehose could not write."""

RESULTS_DAYS = 7
FAILED_DAYS = 30

BUFFER_SECONDS, BUFFER_MIB = 900, 64
"""An object at most each quarter of an hour and stream: few large objects are what Athena reads fastest.
https://docs.aws.amazon.com/firehose/latest/APIReference/API_BufferingHints.html
"""

RETENTION = {Stored.LONG: LONG_FACTS_RETENTION, Stored.SHORT: SHORT_FACTS_RETENTION}

FIRST_DAY = "2026-01-01"
"""Where Athena begins to look for days."""

MOST_SCANNED = 50 * 1024**3
"""Bytes that one query may read, 0.25 USD: a hundred million facts are about 3 GB."""


class FactLog(Construct):
    def __init__(self, scope: Construct, id_: str, *, stage: Stage) -> None:
        super().__init__(scope, id_)
        self.bucket = _Bucket(self, "Bucket", stage=stage)
        log_group = LogGroup(self, "Log", stage=stage)
        role = iam.Role(self, "Role", assumed_by=iam.ServicePrincipal("firehose.amazonaws.com"))
        written = [f"{self.bucket.bucket_arn}/{prefix}*" for prefix in (FACTS, FAILED)]
        role.add_to_policy(
            iam.PolicyStatement(actions=["s3:PutObject", "s3:GetObject", "s3:AbortMultipartUpload"], resources=written)
        )
        in_bucket = ["s3:GetBucketLocation", "s3:ListBucket", "s3:ListBucketMultipartUploads"]
        role.add_to_policy(iam.PolicyStatement(actions=in_bucket, resources=[self.bucket.bucket_arn]))
        log_group.grant_write(role)
        acknowledge(
            role,
            *(f"AwsSolutions-IAM5[Resource::<FactsBucket023977E8.Arn>/{prefix}*]" for prefix in (FACTS, FAILED)),
            because="Firehose names its objects by day and instant",
        )
        self.streams = {
            stored: _stream(self, stored, bucket=self.bucket, role=role, log_group=log_group) for stored in Stored
        }
        for stream in self.streams.values():
            stream.node.add_dependency(role)
        self.database = _database(self, stage=stage, bucket=self.bucket)
        self.workgroup = athena.CfnWorkGroup(
            self,
            "Workgroup",
            name=f"cairn-{stage.name}",
            description=f"Cairn {stage.name}: the log of facts",
            recursive_delete_option=True,
            work_group_configuration=athena.CfnWorkGroup.WorkGroupConfigurationProperty(
                bytes_scanned_cutoff_per_query=MOST_SCANNED,
                enforce_work_group_configuration=True,
                publish_cloud_watch_metrics_enabled=False,
                result_configuration=athena.CfnWorkGroup.ResultConfigurationProperty(
                    output_location=f"s3://{self.bucket.bucket_name}/{RESULTS}",
                    encryption_configuration=athena.CfnWorkGroup.EncryptionConfigurationProperty(
                        encryption_option="SSE_S3"
                    ),
                ),
            ),
        )
        stack = Stack.of(self)
        self.export = f"{stack.stack_name}-FactsArn"
        stack.export_value(self.bucket.bucket_arn, name=self.export)
        CfnOutput(stack, "FactsBucket", value=self.bucket.bucket_name)
        CfnOutput(stack, "FactsDatabase", value=self.database, description="The table is called facts: docs/data.md")
        for stored, stream in self.streams.items():
            CfnOutput(stack, f"Facts{stored.title()}Stream", value=stream.ref)
        CfnOutput(stack, "FirehoseLogGroup", value=log_group.log_group_name)
        CfnOutput(stack, "FactsWorkgroup", value=self.workgroup.name)

    def let_ask(self, function: Function) -> None:
        """May read the facts, and nothing else of the account, by Athena."""
        stack = Stack.of(self)
        own = f"arn:{stack.partition}:glue:{stack.region}:{stack.account}"
        workgroup = f"arn:{stack.partition}:athena:{stack.region}:{stack.account}:workgroup/{self.workgroup.name}"
        asks = ("athena:StartQueryExecution", "athena:GetQueryExecution", "athena:GetQueryResults")
        function.may(*asks, on=workgroup)
        glue_parts = [f"{own}:catalog", f"{own}:database/{self.database}", f"{own}:table/{self.database}/{TABLE}"]
        function.may("glue:GetTable", "glue:GetDatabase", "glue:GetPartitions", on=glue_parts)
        bucket = Fn.import_value(self.export)
        function.may("s3:GetObject", on=[f"{bucket}/{prefix}*" for prefix in (FACTS, RESULTS)])
        function.may("s3:PutObject", on=f"{bucket}/{RESULTS}*")
        function.may("s3:ListBucket", "s3:GetBucketLocation", on=bucket)
        acknowledge(
            function.execution_role,
            *(f"AwsSolutions-IAM5[Resource::{self.export}/{prefix}*]" for prefix in (FACTS, RESULTS)),
            because="objects of facts and of answers have names of Firehose's and Athena's own",
        )

    def stream_arns(self) -> list[str]:
        return [stream.attr_arn for stream in self.streams.values()]


class _Bucket(s3.Bucket):
    """Private, encrypted, over TLS only. Each prefix ends at its own age."""

    def __init__(self, scope: Construct, id_: str, *, stage: Stage) -> None:
        super().__init__(
            scope,
            id_,
            block_public_access=s3.BlockPublicAccess.BLOCK_ALL,
            encryption=s3.BucketEncryption.S3_MANAGED,
            enforce_ssl=True,
            minimum_tls_version=1.2,
            object_ownership=s3.ObjectOwnership.BUCKET_OWNER_ENFORCED,
            lifecycle_rules=[
                *(
                    s3.LifecycleRule(prefix=f"{FACTS}stored={stored}/", expiration=Duration.days(length.days))
                    for stored, length in RETENTION.items()
                ),
                s3.LifecycleRule(prefix=RESULTS, expiration=Duration.days(RESULTS_DAYS)),
                s3.LifecycleRule(prefix=FAILED, expiration=Duration.days(FAILED_DAYS)),
                s3.LifecycleRule(abort_incomplete_multipart_upload_after=Duration.days(1)),
            ],
            removal_policy=removal(stage),
        )
        acknowledge(
            self,
            "AwsSolutions-S1",
            because="Firehose alone writes facts here, and Athena logs in CloudTrail who reads them",
        )


def _stream(
    scope: Construct, stored: Stored, *, bucket: s3.Bucket, role: iam.Role, log_group: logs.LogGroup
) -> firehose.CfnDeliveryStream:
    day = "day=!{timestamp:yyyy-MM-dd}/"
    return firehose.CfnDeliveryStream(
        scope,
        f"{stored.title()}Stream",
        delivery_stream_type="DirectPut",
        delivery_stream_encryption_configuration_input=(
            firehose.CfnDeliveryStream.DeliveryStreamEncryptionConfigurationInputProperty(key_type="AWS_OWNED_CMK")
        ),
        extended_s3_destination_configuration=firehose.CfnDeliveryStream.ExtendedS3DestinationConfigurationProperty(
            bucket_arn=bucket.bucket_arn,
            role_arn=role.role_arn,
            prefix=f"{FACTS}stored={stored}/{day}",
            error_output_prefix=f"{FAILED}!{{firehose:error-output-type}}/{day}",
            compression_format="GZIP",
            file_extension=".json.gz",
            buffering_hints=firehose.CfnDeliveryStream.BufferingHintsProperty(
                interval_in_seconds=BUFFER_SECONDS, size_in_m_bs=BUFFER_MIB
            ),
            cloud_watch_logging_options=firehose.CfnDeliveryStream.CloudWatchLoggingOptionsProperty(
                enabled=True, log_group_name=log_group.log_group_name, log_stream_name=stored.value
            ),
        ),
    )


def _database(scope: Construct, *, stage: Stage, bucket: s3.Bucket) -> str:
    """The name of the database with the one table. Its days need no crawler: Athena computes where they lie.

    https://docs.aws.amazon.com/athena/latest/ug/partition-projection-kinesis-firehose-example.html
    """
    name = f"cairn_{stage.name.replace('-', '_')}"
    catalog = Stack.of(scope).account
    database = glue.CfnDatabase(
        scope, "Database", catalog_id=catalog, database_input=glue.CfnDatabase.DatabaseInputProperty(name=name)
    )
    location = f"s3://{bucket.bucket_name}/{FACTS}"
    types = {int: "bigint", str: "string"}
    table = glue.CfnTable(
        scope,
        "Table",
        catalog_id=catalog,
        database_name=name,
        table_input=glue.CfnTable.TableInputProperty(
            name=TABLE,
            description="Cairn's log of facts: docs/data.md",
            table_type="EXTERNAL_TABLE",
            parameters={
                "EXTERNAL": "TRUE",
                "classification": "json",
                "compressionType": "gzip",
                "projection.enabled": "true",
                "projection.stored.type": "enum",
                "projection.stored.values": ",".join(Stored),
                "projection.day.type": "date",
                "projection.day.format": "yyyy-MM-dd",
                "projection.day.range": f"{FIRST_DAY},NOW",
                "storage.location.template": f"{location}stored=${{stored}}/day=${{day}}/",
            },
            partition_keys=[glue.CfnTable.ColumnProperty(name=column, type="string") for column in ("stored", "day")],
            storage_descriptor=glue.CfnTable.StorageDescriptorProperty(
                columns=[glue.CfnTable.ColumnProperty(name=column, type=types[of]) for column, of in COLUMNS.items()],
                location=location,
                input_format="org.apache.hadoop.mapred.TextInputFormat",
                output_format="org.apache.hadoop.hive.ql.io.HiveIgnoreKeyTextOutputFormat",
                serde_info=glue.CfnTable.SerdeInfoProperty(
                    serialization_library="org.openx.data.jsonserde.JsonSerDe",
                    parameters={"ignore.malformed.json": "true"},
                ),
            ),
        ),
    )
    table.add_dependency(database)
    return name
