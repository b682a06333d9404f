"""The HTTPS endpoints: three routes, one function."""

import json

from aws_cdk import aws_apigatewayv2 as apigateway
from aws_cdk import aws_apigatewayv2_integrations as integrations
from aws_cdk import aws_lambda as lambda_
from constructs import Construct

from infra.cloud.logs import LogGroup
from infra.cloud.nag import acknowledge
from infra.cloud.stage import Stage

ROUTES = (
    ("/webhooks/{source}", apigateway.HttpMethod.POST),
    ("/webhooks/{source}", apigateway.HttpMethod.GET),  # Meta asks whether the endpoint is ours before it posts
    ("/events", apigateway.HttpMethod.POST),
)

ACCESS_LOG = {
    "requestId": "$context.requestId",
    "requestTime": "$context.requestTime",
    "route": "$context.routeKey",
    "status": "$context.status",
    "latencyMs": "$context.responseLatency",
    "bytes": "$context.responseLength",
    "error": "$context.integrationErrorMessage",
}
"""No path, no address, no agent and no body: nothing in it tells of a person."""


class Api(Construct):
    """Throttled as the stage says, logged without personal data."""

    def __init__(self, scope: Construct, id_: str, *, stage: Stage, handler: lambda_.IFunction) -> None:
        super().__init__(scope, id_)
        self.api = apigateway.HttpApi(
            self, "Http", description=f"Cairn {stage.name}: webhooks in", create_default_stage=False
        )
        to_handler = integrations.HttpLambdaIntegration(
            "Handler", handler, payload_format_version=apigateway.PayloadFormatVersion.VERSION_2_0
        )
        for path, method in ROUTES:
            for route in self.api.add_routes(path=path, methods=[method], integration=to_handler):
                acknowledge(
                    route,
                    "AwsSolutions-APIG4",
                    because="senders cannot sign for IAM; the function verifies each vendor's own signature",
                )
        self.stage = apigateway.HttpStage(
            self,
            "Stage",
            http_api=self.api,
            auto_deploy=True,
            detailed_metrics_enabled=True,
            throttle=apigateway.ThrottleSettings(
                rate_limit=stage.requests_per_second, burst_limit=stage.requests_burst
            ),
        )
        access_log = LogGroup(self, "AccessLog", stage=stage)
        resource = self.stage.node.default_child
        assert isinstance(resource, apigateway.CfnStage)  # noqa: S101 - the construct library's promise, for the types
        resource.access_log_settings = apigateway.CfnStage.AccessLogSettingsProperty(
            destination_arn=access_log.log_group_arn, format=json.dumps(ACCESS_LOG)
        )
