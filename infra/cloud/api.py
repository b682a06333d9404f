"""The HTTPS endpoints: a route and a throttle for each source, and one for each kind of link in messages."""

import json
from collections.abc import Mapping, Sequence

from aws_cdk import aws_apigatewayv2 as apigateway
from aws_cdk import aws_apigatewayv2_authorizers as authorizers
from aws_cdk import aws_apigatewayv2_integrations as integrations
from aws_cdk import aws_cloudwatch as cloudwatch
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_logs as logs
from constructs import Construct

from cairn.adapters.http.manage.routes import ROUTES as OPERATORS_ROUTES
from cairn.adapters.in_app.api import ROUTES as IN_APP_ROUTES
from cairn.adapters.sources import TRACK, sources
from cairn.domain.consent.links import LinkKind
from cairn.domain.identity.trust import OPERATORS_SOURCE, PREFERENCES_SOURCE
from cairn.telemetry import WEBHOOK_REFUSED
from infra.cloud.bundle.code import SOURCES
from infra.cloud.function import Function
from infra.cloud.logs import LogGroup
from infra.cloud.nag import acknowledge
from infra.cloud.stage import InvalidStageError, Stage

EVENTS = "/events"
WEBHOOKS = "/webhooks"

ROUTES = (
    (f"{WEBHOOKS}/{{source}}", apigateway.HttpMethod.POST),  # sources without a route yet
    (f"{WEBHOOKS}/{{source}}", apigateway.HttpMethod.GET),  # Meta verifies the endpoint before it posts
    (f"{WEBHOOKS}/{{source}}", apigateway.HttpMethod.HEAD),  # Intercom tries the URL before it saves it
    (EVENTS, apigateway.HttpMethod.POST),
)

PAGE_METHODS = (
    apigateway.HttpMethod.GET,
    apigateway.HttpMethod.HEAD,  # programs check links before people open them
    apigateway.HttpMethod.POST,
)

LINKS = tuple((f"/{kind}/{{token}}", method) for kind in LinkKind for method in PAGE_METHODS)

ACCESS_LOG = {
    "requestId": "$context.requestId",
    "requestTime": "$context.requestTime",
    "route": "$context.routeKey",
    "status": "$context.status",
    "latencyMs": "$context.responseLatency",
    "bytes": "$context.responseLength",
    "error": "$context.integrationErrorMessage",
}
"""No path, address, agent or body: it has no personal data."""

VENDED_LOGS = "/aws/vendedlogs"
"""The account's policy for logs of AWS's services ends at 5,120 characters, and each log adds to it. Near its end only
logs below this prefix still work, since one statement allows them all.
https://docs.aws.amazon.com/step-functions/latest/dg/bp-cwl.html
"""

DETAILED_METRICS = False
"""Metrics by route are six more for each that is called, 1.80 USD a month. The access log has route and status."""


TASKS = tuple(("/tasks/{token}", method) for method in PAGE_METHODS)

CONSOLE = tuple((path, method) for path in ("/console", "/console/{proxy+}") for method in PAGE_METHODS)

IN_APP = tuple((path, apigateway.HttpMethod[method]) for method, path in IN_APP_ROUTES)

MANAGE = tuple((path, apigateway.HttpMethod[method]) for method, path in OPERATORS_ROUTES)


class Api(Construct):
    """Throttled for each source as the stage says, so that a flood from one does not affect the others.

    Logged without personal data. A throttle of API Gateway costs no call, and where it fails it lets through.
    """

    def __init__(self, scope: Construct, id_: str, *, stage: Stage) -> None:
        super().__init__(scope, id_)
        self._stage = stage
        self._names = [name for name in sources(SOURCES) if name != TRACK]
        self._check(stage)
        self.api = apigateway.HttpApi(
            self,
            "Http",
            api_name=f"Cairn-{stage.name}",
            description=f"Cairn {stage.name}: webhooks in, links of messages",
            create_default_stage=False,
            disable_execute_api_endpoint=bool(stage.truststore_uri),
        )
        self.stage = apigateway.HttpStage(
            self,
            "Stage",
            http_api=self.api,
            auto_deploy=True,
            detailed_metrics_enabled=DETAILED_METRICS,
            throttle=apigateway.ThrottleSettings(
                rate_limit=stage.requests_per_second, burst_limit=stage.requests_burst
            ),
        )
        self.access_log = LogGroup(self, "AccessLog", stage=stage, name=f"{VENDED_LOGS}/apigateway/Cairn-{stage.name}")
        resource = self.stage.node.default_child
        assert isinstance(resource, apigateway.CfnStage)  # noqa: S101 - the construct library's promise, for the types
        resource.access_log_settings = apigateway.CfnStage.AccessLogSettingsProperty(
            destination_arn=self.access_log.log_group_arn, format=json.dumps(ACCESS_LOG)
        )
        self._resource = resource
        self._route_settings: dict[str, object] = {}
        logs.MetricFilter(
            self,
            "Throttled",
            log_group=self.access_log,
            filter_pattern=logs.FilterPattern.string_value("$.status", "=", "429"),
            metric_namespace=stage.metrics_namespace,
            metric_name=WEBHOOK_REFUSED,
            unit=cloudwatch.Unit.COUNT,  # as the function's: CloudWatch adds up figures of one unit
        )

    @property
    def url(self) -> str:
        """The address that AWS gives the API; where only its domain is open, that."""
        return f"https://{self._stage.domain_name}" if self._stage.truststore_uri else self.api.api_endpoint

    @property
    def public_url(self) -> str:
        """The origin of the links in messages."""
        own = f"https://{self._stage.domain_name}" if self._stage.domain_name else self.url
        return self._stage.public_url or own

    def take_webhooks(self, handler: Function) -> None:
        """Route every source to the function, the known ones by routes of their own."""
        own = [(f"{WEBHOOKS}/{name}", apigateway.HttpMethod.POST) for name in self._names]
        self._add_route(
            "Handler",
            handler,
            (*ROUTES, *own),
            because="senders cannot sign for IAM; the function verifies each vendor's own signature",
        )
        self._throttle({f"POST {WEBHOOKS}/{name}": name for name in self._names} | {f"POST {EVENTS}": TRACK})

    def open_links(self, handler: Function) -> None:
        """Route the links of messages to the function."""
        self._add_route(
            "Links",
            handler,
            LINKS,
            because="whoever got a message has no account; the function verifies the token that its link carries",
        )
        self._throttle({f"{method.value} {path}": PREFERENCES_SOURCE for path, method in LINKS})

    def open_tasks(self, handler: Function) -> None:
        """Route members' links of tasks to the function."""
        self._add_route(
            "Tasks",
            handler,
            TASKS,
            because="a member opens a task without a login; the function verifies the token that its link carries",
        )
        self._throttle({f"{method.value} {path}": PREFERENCES_SOURCE for path, method in TASKS})

    def open_inbox(self, handler: Function) -> None:
        """Route the apps and sites that show an inbox to the function, which answers the questions of CORS, too."""
        self._add_route(
            "InApp",
            handler,
            IN_APP,
            because="a customer's app signs nothing; the function verifies the token that the business's server made",
        )
        self._throttle({f"{method.value} {path}": PREFERENCES_SOURCE for path, method in IN_APP})

    def open_console(self, handler: Function) -> None:
        """Route browsers to the function, which knows who has signed in."""
        self._add_route(
            "Console",
            handler,
            CONSOLE,
            because="a browser signs nothing; the function sends strangers to the issuer, and checks who comes back",
        )
        self._throttle({f"{method.value} {path}": OPERATORS_SOURCE for path, method in CONSOLE})

    def open_manage(self, handler: Function) -> None:
        """Route operators to the function: IAM decides who may invoke these routes (`execute-api:Invoke`)."""
        self._add_route("Manage", handler, MANAGE, signed=True)
        self._throttle({f"{method.value} {path}": OPERATORS_SOURCE for path, method in MANAGE})

    def _add_route(
        self,
        id_: str,
        handler: Function,
        routes: Sequence[tuple[str, apigateway.HttpMethod]],
        *,
        because: str = "",
        signed: bool = False,
    ) -> None:
        """Routes are public, for the reason given, unless their requests must be signed for IAM."""
        integration = integrations.HttpLambdaIntegration(
            id_,
            handler.live,
            payload_format_version=apigateway.PayloadFormatVersion.VERSION_2_0,
            scope_permission_to_route=False,  # a permission for each of many routes would outgrow the function's policy
        )
        added = []
        for path, method in routes:
            authorizer = authorizers.HttpIamAuthorizer() if signed else None
            for route in self.api.add_routes(
                path=path, methods=[method], integration=integration, authorizer=authorizer
            ):
                added.append(route)
                self.stage.node.add_dependency(route)  # a stage may name only routes that exist
                if not signed:
                    acknowledge(route, "AwsSolutions-APIG4", because=because)

        self._permit_first(added[0], id_)

    def _permit_first(self, route: apigateway.HttpRoute, integration: str) -> None:
        """Let the API start a function before it tries to, where an update leads a route to another one.

        The construct library has both below the first route.
        """
        permission = next(one for one in route.node.children if isinstance(one, lambda_.CfnPermission))
        route.node.find_child(integration).node.add_dependency(permission)

    def _throttle(self, names: Mapping[str, str]) -> None:
        """Give each of these routes its own throttle, as the stage has it for the name."""
        self._route_settings |= {route: _settings(self._stage, name) for route, name in names.items()}
        self._resource.route_settings = self._route_settings

    def _check(self, stage: Stage) -> None:
        unknown = stage.throttles.keys() - {TRACK, PREFERENCES_SOURCE, OPERATORS_SOURCE, *self._names}
        if unknown:
            names = ", ".join(sorted(unknown))
            raise InvalidStageError(f"cdk.json: stages.{stage.name}: throttles: no source is called {names}")


def _settings(stage: Stage, source: str) -> dict[str, object]:
    """In CloudFormation's spelling. A missing setting takes AWS's default, not the stage's."""
    throttle = stage.throttle_of(source)
    return {
        "ThrottlingRateLimit": throttle.per_second,
        "ThrottlingBurstLimit": throttle.burst,
        "DetailedMetricsEnabled": DETAILED_METRICS,
    }
