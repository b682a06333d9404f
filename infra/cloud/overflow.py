"""The bucket of bodies that are too large for a queue."""

from aws_cdk import Duration, Fn, Stack
from aws_cdk import aws_s3 as s3
from constructs import Construct

from cairn.settings import EXPORTS_PREFIX, IMPORTS_PREFIX, IMPORTS_RETENTION, OVERFLOW_PREFIX, OVERFLOW_RETENTION
from infra.cloud.nag import acknowledge
from infra.cloud.removal import removal
from infra.cloud.stage import Stage


class OverflowBucket(s3.Bucket):
    """Private, encrypted, over TLS only; without versions, so that OVERFLOW_RETENTION deletes objects for good."""

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
                s3.LifecycleRule(
                    expiration=Duration.days(OVERFLOW_RETENTION.days),
                    abort_incomplete_multipart_upload_after=Duration.days(1),
                ),
                *(
                    s3.LifecycleRule(prefix=prefix, expiration=Duration.days(IMPORTS_RETENTION.days))
                    for prefix in (IMPORTS_PREFIX, EXPORTS_PREFIX)
                ),
            ],
            removal_policy=removal(stage),
        )
        acknowledge(
            self,
            "AwsSolutions-S1",
            because="few functions write here and two read; a log of it would outlive what it tells of",
        )

        # An explicit id, so that the finding on its policy can be acknowledged by name.
        self.export = f"{Stack.of(self).stack_name}-OverflowArn"
        Stack.of(self).export_value(self.bucket_arn, name=self.export)

    @property
    def bodies_arn(self) -> str:
        """The ARN of every body, for another stack."""
        return f"{Fn.import_value(self.export)}/{OVERFLOW_PREFIX}*"
