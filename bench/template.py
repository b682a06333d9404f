"""What a stage consists of, counted in the templates that the CDK synthesizes."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from infra.cloud.bundle import stub_bundle
from infra.cloud.node import put_node_on_path
from infra.cloud.stage import Stage
from infra.cloud.synth import cdk_json

MEANT_FOR_YOU = {"alarm_email": "ops@example.com", "email_sender": "Cairn <hello@example.com>"}
"""The settings that cdk.json leaves to you."""
METRICS_OF_A_ROUTE = 6
"""https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-metrics.html"""

Resources = list[Mapping[str, Any]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Stack:
    """The parts of one stage that cost something by being there."""

    alarms: int
    """The metrics that alarms watch."""
    composite_alarms: int
    secrets: int
    keys: int
    polled_standard: int
    """Standard queues that functions poll."""
    polled_fifo: int
    traced: bool
    sampled: float
    """The share that is traced beyond one request a second of a function."""
    platform_logs: bool
    """Lambda logs lines of its own about each invocation, also where it succeeds."""
    metrics_of_a_route: int
    memory_mb: Mapping[str, int]
    """By function."""
    access_log_bytes: int
    """Of one request, about."""


def synthesized(name: str = "prod") -> Stack:
    """Synthesizes a stage with empty layers; takes some seconds."""
    put_node_on_path()
    from aws_cdk import App  # noqa: PLC0415  starts Node

    from infra.cloud.app import add_stacks  # noqa: PLC0415

    with TemporaryDirectory(prefix="cairn-synth-") as made:
        folder = Path(made)
        context = cdk_json()
        app = App(context=context, outdir=str(folder / "out"), analytics_reporting=False)
        add_stacks(app, Stage.from_context(name, context, MEANT_FOR_YOU), bundle=stub_bundle(folder))
        app.synth()
        templates = [json.loads(path.read_text()) for path in sorted((folder / "out").glob("*.template.json"))]
    return counted(templates)


def counted(templates: list[Mapping[str, Any]]) -> Stack:
    """The parts of all templates of a stage."""
    named = {name: one for template in templates for name, one in template["Resources"].items()}

    def all_of(kind: str) -> Resources:
        return [one.get("Properties", {}) for one in named.values() if one["Type"] == kind]

    mappings = [one for one in all_of("AWS::Lambda::EventSourceMapping") if one.get("Enabled") is not False]
    polled = [one["EventSourceArn"] for one in mappings]
    queues = [named[one["Fn::GetAtt"][0]] for one in polled if "Fn::GetAtt" in one and one["Fn::GetAtt"][0] in named]
    queues = [one for one in queues if one["Type"] == "AWS::SQS::Queue"]
    fifo = sum(bool(one.get("Properties", {}).get("FifoQueue")) for one in queues)
    functions = [one for one in all_of("AWS::Lambda::Function") if "POWERTOOLS_SERVICE_NAME" in _environment(one)]
    rules = [one["SamplingRule"] for one in all_of("AWS::XRay::SamplingRule")]
    stages = all_of("AWS::ApiGatewayV2::Stage")
    settings = [one for stage in stages for one in [stage.get("DefaultRouteSettings", {}), *_routes(stage)]]
    return Stack(
        alarms=sum(_watched(one) for one in all_of("AWS::CloudWatch::Alarm")),
        composite_alarms=len(all_of("AWS::CloudWatch::CompositeAlarm")),
        secrets=len(all_of("AWS::SecretsManager::Secret")),
        keys=len(all_of("AWS::KMS::Key")),
        polled_standard=len(queues) - fifo,
        polled_fifo=fifo,
        traced=any(one.get("TracingConfig", {}).get("Mode") == "Active" for one in functions),
        sampled=max((float(one.get("FixedRate", 0)) for one in rules), default=DEFAULT_SAMPLING),
        platform_logs=any(one.get("LoggingConfig", {}).get("SystemLogLevel") != "WARN" for one in functions),
        metrics_of_a_route=METRICS_OF_A_ROUTE if any(one.get("DetailedMetricsEnabled") for one in settings) else 0,
        memory_mb={_environment(one)["POWERTOOLS_SERVICE_NAME"]: int(one["MemorySize"]) for one in functions},
        access_log_bytes=max((len(json.dumps(one.get("AccessLogSettings", ""))) for one in stages), default=0),
    )


DEFAULT_SAMPLING = 0.05
"""https://docs.aws.amazon.com/xray/latest/devguide/xray-console-sampling.html"""


def _routes(stage: Mapping[str, Any]) -> Resources:
    return [one for one in stage.get("RouteSettings", {}).values() if isinstance(one, Mapping)]


def _watched(alarm: Mapping[str, Any]) -> int:
    return sum("MetricStat" in one for one in alarm.get("Metrics", ())) or 1


def _environment(function: Mapping[str, Any]) -> Mapping[str, Any]:
    found: Mapping[str, Any] = function.get("Environment", {}).get("Variables", {})
    return found
