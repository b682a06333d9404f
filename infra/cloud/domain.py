"""The API's domain of one's own."""

from aws_cdk import CfnOutput, Stack
from aws_cdk import aws_apigatewayv2 as apigateway
from aws_cdk import aws_certificatemanager as acm
from aws_cdk import aws_s3 as s3
from constructs import Construct

from infra.cloud.api import Api
from infra.cloud.stage import TRUSTSTORE, Stage


class Domain(Construct):
    """The domain, over TLS 1.2 and later, and what its record in the DNS leads to.

    The record is made by hand, since the zone may lie anywhere, and once: the target stays while the domain does.
    """

    def __init__(self, scope: Construct, id_: str, *, stage: Stage, api: Api) -> None:
        super().__init__(scope, id_)
        domain = apigateway.DomainName(
            self,
            "Name",
            domain_name=stage.domain_name,
            certificate=acm.Certificate.from_certificate_arn(self, "Certificate", stage.certificate_arn),
            security_policy=apigateway.SecurityPolicy.TLS_1_2,
            mtls=self._clients(stage.truststore_uri),
        )
        apigateway.ApiMapping(self, "Mapping", api=api.api, domain_name=domain, stage=api.stage)
        for name, value, description in (
            ("DomainTarget", domain.regional_domain_name, f"Where the DNS record of {stage.domain_name} leads to"),
            ("DomainTargetZone", domain.regional_hosted_zone_id, "Its hosted zone, for an alias of Route 53"),
        ):
            CfnOutput(Stack.of(self), name, value=value, description=description)

    def _clients(self, truststore: str) -> apigateway.MTLSConfig | None:
        """The truststore of those that may connect; None where all may."""
        found = TRUSTSTORE.fullmatch(truststore)
        if found is None:
            return None
        bucket = s3.Bucket.from_bucket_name(self, "Truststore", found["bucket"])
        return apigateway.MTLSConfig(bucket=bucket, key=found["key"])
