"""The HTTPS endpoints: a route and a throttle for each source, one function behind them all."""

import json

from aws_cdk import aws_apigatewayv2 as apigateway
from aws_cdk import aws_apigatewayv2_integrations as integrations
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_logs as logs
from constructs import Construct

from cairn.adapters.sources import TRACK, sources
from infra.cloud.bundle.code import SOURCES
from infra.cloud.function import NAMESPACE
from infra.cloud.logs import LogGroup
from infra.cloud.nag import acknowledge
from infra.cloud.stage import InvalidStageError, Stage

EVENTS = "/events"
WEBHOOKS = "/webhooks"

ROUTES = (
    (f"{WEBHOOKS}/{{source}}", apigateway.HttpMethod.POST),  # of sources that no route names yet
    (f"{WEBHOOKS}/{{source}}", apigateway.HttpMethod.GET),  # Meta asks whether the endpoint is ours before it posts
    (EVENTS, apigateway.HttpMethod.POST),
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

THROTTLED = "WebhookThrottled"
"""The metric of requests answered 429; the API's own metrics count them among all 4xx."""


class Api(Construct):
    """Throttled for each source as the stage says, so that a flood of one leaves the others alone.

    Logged without personal data. A throttle of API Gateway costs no call, and where it fails it lets through.
    """

    def __init__(self, scope: Construct, id_: str, *, stage: Stage, handler: lambda_.IFunction) -> None:
        super().__init__(scope, id_)
        names = [name for name in sources(SOURCES) if name != TRACK]
        self._check(stage, names)
        self.api = apigateway.HttpApi(
            self, "Http", description=f"Cairn {stage.name}: webhooks in", create_default_stage=False
        )
        to_handler = integrations.HttpLambdaIntegration(
            "Handler",
            handler,
            payload_format_version=apigateway.PayloadFormatVersion.VERSION_2_0,
            scope_permission_to_route=False,  # a permission for each of many routes would outgrow the function's policy
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
        own = [(f"{WEBHOOKS}/{name}", apigateway.HttpMethod.POST) for name in names]
        for path, method in (*ROUTES, *own):
            for route in self.api.add_routes(path=path, methods=[method], integration=to_handler):
                self.stage.node.add_dependency(route)  # a stage may speak only of routes that exist
                acknowledge(
                    route,
                    "AwsSolutions-APIG4",
                    because="senders cannot sign for IAM; the function verifies each vendor's own signature",
                )
        access_log = LogGroup(self, "AccessLog", stage=stage)
        resource = self.stage.node.default_child
        assert isinstance(resource, apigateway.CfnStage)  # noqa: S101 - the construct library's promise, for the types
        resource.access_log_settings = apigateway.CfnStage.AccessLogSettingsProperty(
            destination_arn=access_log.log_group_arn, format=json.dumps(ACCESS_LOG)
        )
        resource.route_settings = {f"POST {WEBHOOKS}/{name}": _settings(stage, name) for name in names} | {
            f"POST {EVENTS}": _settings(stage, TRACK)
        }
        logs.MetricFilter(
            self,
            "Throttled",
            log_group=access_log,
            filter_pattern=logs.FilterPattern.string_value("$.status", "=", "429"),
            metric_namespace=NAMESPACE,
            metric_name=THROTTLED,
        )

    def _check(self, stage: Stage, names: list[str]) -> None:
        unknown = stage.throttles.keys() - {TRACK, *names}
        if unknown:
            told = ", ".join(sorted(unknown))
            raise InvalidStageError(f"cdk.json: stages.{stage.name}: throttles: no source is called {told}")


def _settings(stage: Stage, source: str) -> dict[str, object]:
    """As CloudFormation spells them; what a route's settings leave out is not the stage's, but AWS's default."""
    throttle = stage.throttle_of(source)
    return {
        "ThrottlingRateLimit": throttle.per_second,
        "ThrottlingBurstLimit": throttle.burst,
        "DetailedMetricsEnabled": True,
    }
