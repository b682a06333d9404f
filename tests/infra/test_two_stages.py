"""Two stages in one account and region: neither counts, names or stops anything of the other."""

import json
import re
from collections.abc import Iterator
from typing import Any

import pytest

from tests.infra.conftest import Json, Templates

PHYSICAL_NAMES = (
    *("AlarmName", "ApiName", "BucketName", "DomainName", "FunctionName", "KeyName", "LayerName", "LogGroupName"),
    *("Name", "PolicyName", "QueueName", "RoleName", "RuleName", "TableName", "TopicName"),
)
NESTED = {"AWS::IAM::Policy", "AWS::IAM::Role", "AWS::Lambda::Alias"}
"""Names of policies are names within a role, and an alias is one of its function: none is a name in the account."""


def names(templates: Templates) -> set[str]:
    """The names that a template gives to something in the account."""
    return {
        str(value)
        for kind in (templates.data, templates.engine)
        for resource in kind["Resources"].values()
        if resource["Type"] not in NESTED
        for field, value in resource.get("Properties", {}).items()
        if field in PHYSICAL_NAMES and isinstance(value, str)
    }


def exports(templates: Templates) -> set[str]:
    outputs = {**templates.data.get("Outputs", {}), **templates.engine["Outputs"]}
    return {one["Export"]["Name"] for one in outputs.values() if "Export" in one}


def metrics(templates: Templates) -> Iterator[Json]:
    """Namespace and dimensions of what alarms watch, and of what log filters count."""
    for alarm in templates.all("AWS::CloudWatch::Alarm").values():
        inner = [one["MetricStat"]["Metric"] for one in alarm.get("Metrics", []) if "MetricStat" in one]
        yield from inner or [alarm]
    for counted in templates.all("AWS::Logs::MetricFilter").values():
        for one in counted["MetricTransformations"]:
            yield {"Namespace": one["MetricNamespace"], "Dimensions": one.get("Dimensions", [])}


def is_of_this_stage(metric: Json, templates: Templates) -> bool:
    """By the stage's namespace, a resource of its stacks, or a name that holds the stage's."""

    def is_own(value: Any) -> bool:
        if isinstance(value, dict):
            return (value.get("Ref") or value["Fn::GetAtt"][0]) in templates.engine["Resources"]
        return value in names(templates)

    return metric["Namespace"] == templates.stage.metrics_namespace or any(
        is_own(one["Value"]) for one in metric.get("Dimensions", [])
    )


def test_two_stages_share_no_name_and_no_export(dev: Templates, prod: Templates) -> None:
    assert names(dev)
    assert not names(dev) & names(prod)
    assert exports(dev)
    assert not exports(dev) & exports(prod)


def test_two_stages_share_no_path_of_a_log(dev: Templates, prod: Templates) -> None:
    """A log group may have a name that CloudFormation joins."""
    joined = [
        {json.dumps(one["LogGroupName"]) for one in stage.all("AWS::Logs::LogGroup").values() if "LogGroupName" in one}
        for stage in (dev, prod)
    ]

    assert not joined[0] & joined[1]


@pytest.mark.parametrize("stage", ["dev", "prod"])
def test_every_metric_and_alarm_is_of_one_stage(synthesized: dict[str, Templates], stage: str) -> None:
    templates = synthesized[stage]

    watched = list(metrics(templates))
    assert watched
    assert [one for one in watched if not is_of_this_stage(one, templates)] == []


@pytest.mark.parametrize("stage", ["dev", "prod"])
def test_functions_count_in_the_namespace_of_their_stage(synthesized: dict[str, Templates], stage: str) -> None:
    templates = synthesized[stage]

    counting = {
        one["Environment"]["Variables"]["POWERTOOLS_METRICS_NAMESPACE"]
        for one in templates.all("AWS::Lambda::Function").values()
    }
    assert counting == {templates.stage.metrics_namespace}
    assert re.search(rf"\b{stage}\b", templates.stage.metrics_namespace)


def test_the_api_is_called_after_its_stage(dev: Templates, prod: Templates) -> None:
    called = [[one["Name"] for one in stage.all("AWS::ApiGatewayV2::Api").values()] for stage in (dev, prod)]

    assert called == [["Cairn-dev"], ["Cairn-prod"]]
