"""A new version takes over from the one before: by the alias, as fast as the stage says, and back by an alarm."""

import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from cairn.telemetry import DEAD_LETTERED, count
from infra.cloud.stage import ROLLOUTS, InvalidStageError, Stage
from infra.cloud.synth import cdk_json
from infra.local.wiring import FUNCTIONS
from tests.infra.conftest import PROD, Json, Templates, synthesize

UNPUBLISHED = "check_identity_key"
"""CloudFormation starts it in a deployment, and it is to be the new one then."""

PUBLISHED = sorted({one.name for one in FUNCTIONS} - {UNPUBLISHED})

ENGINE = {"ProcessEventErrors", "RelayEffectsErrors", "DeliverMessageErrors", "WatchStopped", "ApiErrors"}


@pytest.fixture(params=["dev", "prod"])
def templates(request: pytest.FixtureRequest, synthesized: dict[str, Templates]) -> Templates:
    return synthesized[request.param]


def referred(node: Any) -> Iterator[str]:
    """The resources that a value of a template refers to."""
    if isinstance(node, list):
        for one in node:
            yield from referred(one)
    elif isinstance(node, dict):
        if isinstance(node.get("Ref"), str):
            yield node["Ref"]
        if "Fn::GetAtt" in node:
            yield node["Fn::GetAtt"][0]
        for one in node.values():
            yield from referred(one)


def versions(templates: Templates) -> set[str]:
    return set(templates.all("AWS::Lambda::Version"))


def without_hash(name: str) -> str:
    return name[:-8]


def test_every_function_that_works_has_one_alias_of_its_own_version(templates: Templates) -> None:
    aliases = templates.all("AWS::Lambda::Alias")
    published = templates.all("AWS::Lambda::Version")

    assert {one["Name"] for one in aliases.values()} == {"live"}
    assert len(aliases) == len(published) == len(PUBLISHED)
    for service in PUBLISHED:
        alias = aliases[templates.alias_of(service)]
        version = alias["FunctionVersion"]["Fn::GetAtt"][0]
        assert published[version]["FunctionName"] == {"Ref": templates.name_of(service)}


@pytest.mark.parametrize(
    ("kind", "field"),
    [
        ("AWS::Lambda::EventSourceMapping", "FunctionName"),
        ("AWS::ApiGatewayV2::Integration", "IntegrationUri"),
        ("AWS::Events::Rule", "Targets"),
        ("AWS::Lambda::Permission", "FunctionName"),
        ("AWS::Logs::SubscriptionFilter", "DestinationArn"),
    ],
)
def test_whatever_starts_a_function_starts_its_alias(templates: Templates, kind: str, field: str) -> None:
    aliases = set(templates.all("AWS::Lambda::Alias"))
    starters = templates.all(kind)

    assert starters or kind == "AWS::Logs::SubscriptionFilter"
    for name, starter in starters.items():
        started = set(referred(starter[field]))
        assert started
        assert started <= aliases, name


def test_a_log_of_texts_starts_the_alias(tmp_path: Path) -> None:
    stage = Stage.from_context("dev", cdk_json(), {"sms_delivery_logs": True})

    made = synthesize(tmp_path, stage)["dev"]

    filters = made.all("AWS::Logs::SubscriptionFilter").values()
    permitted = [one for one in made.all("AWS::Lambda::Permission").values() if "logs." in one["Principal"]]
    assert [one["DestinationArn"] for one in filters] == [{"Ref": made.alias_of("record_feedback")}] * 2
    assert [one["FunctionName"] for one in permitted] == [{"Ref": made.alias_of("record_feedback")}] * 2


def test_a_run_that_fails_is_not_tried_again_by_the_alias_either(templates: Templates) -> None:
    """Lambda counts retries by version or alias: those of the function would not be asked for."""
    (configured,) = templates.all("AWS::Lambda::EventInvokeConfig").values()

    assert configured["FunctionName"] == {"Ref": templates.name_of("sweep")}
    assert set(referred(configured["Qualifier"])) == {templates.alias_of("sweep")}
    assert configured["MaximumRetryAttempts"] == 0


def test_only_the_check_of_the_identity_key_is_started_as_it_was_just_deployed(templates: Templates) -> None:
    (check,) = templates.all("Custom::IdentityKey").values()

    assert check["ServiceToken"] == {"Fn::GetAtt": [templates.name_of(UNPUBLISHED), "Arn"]}, "which nobody may change"


MAPPINGS_OF_0_2 = {
    "DeliverMessageFromMarketing",
    "DeliverMessageFromMessages",
    "EraseCustomerFromErasures",
    "NotifySubscriberFromNotices",
    "ProcessEventFromEvents",
    "ProcessEventFromWakes",
    "RecordFeedbackFromFeedback",
    "RelayEffectsFromEffects",
}


def test_an_update_keeps_each_mapping_and_so_its_position_in_the_stream(dev: Templates) -> None:
    """A mapping of another name would be a new one, which reads the last day of the stream again."""
    mappings = dev.all("AWS::Lambda::EventSourceMapping")
    (table,) = dev.all("AWS::DynamoDB::Table")

    stream = [name for name, one in mappings.items() if "StartingPosition" in one]
    queues = {without_hash(name) for name in mappings if name not in stream}
    assert queues == MAPPINGS_OF_0_2
    own = f"DynamoDBEventSourceCairndevData{table[:-8]}"
    assert sorted(name[:-16] for name in stream) == [f"LogFacts{own}", f"RelayEffects{own}"]


def test_an_api_may_start_a_function_before_a_route_leads_to_it(templates: Templates) -> None:
    resources = templates.engine["Resources"]
    permissions = {
        json.dumps(one["Properties"]["FunctionName"]): name
        for name, one in resources.items()
        if one["Type"] == "AWS::Lambda::Permission" and "apigateway" in one["Properties"]["Principal"]
    }

    integrations = [one for one in resources.values() if one["Type"] == "AWS::ApiGatewayV2::Integration"]
    assert len(integrations) == len(permissions) == 6
    for one in integrations:
        assert permissions[json.dumps(one["Properties"]["IntegrationUri"])] in one["DependsOn"]


def test_a_deployment_that_changes_nothing_publishes_nothing(prod: Templates, tmp_path: Path) -> None:
    again = synthesize(tmp_path, prod.stage)["prod"]

    assert versions(again) == versions(prod)


def published_anew(before: Templates, after: Templates) -> set[str]:
    """The functions of which another version is published."""
    new = versions(after) - versions(before)
    names = {after.all("AWS::Lambda::Version")[one]["FunctionName"]["Ref"] for one in new}
    return {service for service in PUBLISHED if after.name_of(service) in names}


@pytest.mark.parametrize("layer", ["core", "journeys"])
def test_a_layer_with_other_content_publishes_what_reads_it(
    prod: Templates, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, layer: str
) -> None:
    from infra.cloud.bundle import stub_bundle
    from tests.infra import conftest

    def changed(folder: Path) -> Any:
        bundle = stub_bundle(folder)
        (getattr(bundle, layer) / "stub").write_text("changed")
        return bundle

    monkeypatch.setattr(conftest, "stub_bundle", changed)
    after = synthesize(tmp_path, prod.stage)["prod"]

    readers = {
        service
        for service in PUBLISHED
        if any(layer.title() in one["Ref"] for one in after.function(service)["Layers"])
    }
    assert readers
    assert published_anew(prod, after) == readers


def test_a_changed_environment_publishes_the_functions_that_have_it(prod: Templates, tmp_path: Path) -> None:
    after = synthesize(tmp_path, replace(prod.stage, email_sender="other@example.com"))["prod"]

    assert published_anew(prod, after) == {"deliver_message", "notify_subscriber"}


def test_reserved_concurrency_is_the_functions_and_publishes_nothing(prod: Templates, tmp_path: Path) -> None:
    after = synthesize(tmp_path, replace(prod.stage, webhook_concurrency=7))["prod"]

    assert after.function("receive_webhook")["ReservedConcurrentExecutions"] == 7
    assert published_anew(prod, after) == set()


def test_the_version_of_before_is_deleted_after_an_update(templates: Templates) -> None:
    """An update deletes what is no longer in the template, last of all: nothing fills Lambda's 75 GB."""
    resources = templates.engine["Resources"]

    policies = {resources[name].get("DeletionPolicy", "Delete") for name in versions(templates)}
    assert policies == {"Delete"}


def groups(templates: Templates) -> dict[str, Json]:
    """The deployment groups, by the alias that each leads."""
    found = templates.all("AWS::CodeDeploy::DeploymentGroup")
    led = {}
    for name, one in templates.engine["Resources"].items():
        if one["Type"] == "AWS::Lambda::Alias" and "UpdatePolicy" in one:
            policy = one["UpdatePolicy"]["CodeDeployLambdaAliasUpdate"]
            group = found[policy["DeploymentGroupName"]["Ref"]]
            assert policy["ApplicationName"] == group["ApplicationName"]
            led[name] = group
    assert len(led) == len(found)
    return led


def test_a_stage_that_deploys_all_at_once_needs_no_codedeploy(dev: Templates) -> None:
    assert dev.stage.rollout == "all-at-once"
    assert groups(dev) == {}
    assert "CodeDeploy" not in json.dumps(dev.engine)


def test_every_alias_of_a_gradual_stage_is_led_by_codedeploy(prod: Templates) -> None:
    led = groups(prod)

    assert led.keys() == prod.all("AWS::Lambda::Alias").keys()
    assert {one["DeploymentConfigName"] for one in led.values()} == {"CodeDeployDefault.LambdaCanary10Percent5Minutes"}


def test_a_rollout_goes_back_when_an_alarm_of_the_engine_is_raised(prod: Templates) -> None:
    alarms = prod.all("AWS::CloudWatch::Alarm")

    for group in groups(prod).values():
        named = {one["Name"]["Ref"] for one in group["AlarmConfiguration"]["Alarms"]}
        assert named <= alarms.keys()
        assert {without_hash(one).removeprefix("Alarms") for one in named} == ENGINE | {"RolloutDeadLettered"}
        assert group["AlarmConfiguration"]["Enabled"] is True
        assert set(group["AutoRollbackConfiguration"]["Events"]) == {
            "DEPLOYMENT_FAILURE",
            "DEPLOYMENT_STOP_ON_ALARM",
            "DEPLOYMENT_STOP_ON_REQUEST",
        }


def test_only_new_dead_letters_stop_a_rollout(
    prod: Templates, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """CodeDeploy does not begin while an alarm is red: those of before may wait for this very deployment."""
    (alarm,) = [one for name, one in prod.all("AWS::CloudWatch::Alarm").items() if name.startswith("Rollout")]
    monkeypatch.delenv("POWERTOOLS_METRICS_DISABLED", raising=False)
    monkeypatch.setenv("POWERTOOLS_METRICS_NAMESPACE", alarm["Namespace"])

    count(DEAD_LETTERED)

    (published,) = json.loads(capsys.readouterr().out)["_aws"]["CloudWatchMetrics"]
    assert [one["Name"] for one in published["Metrics"]] == [alarm["MetricName"]]
    assert published["Namespace"] == alarm["Namespace"]
    assert published["Dimensions"] == [[]]
    assert "Dimensions" not in alarm


def test_codedeploy_may_lead_our_aliases_and_no_others(prod: Templates) -> None:
    (role,) = {group["ServiceRoleArn"]["Fn::GetAtt"][0] for group in groups(prod).values()}

    statements = prod.statements_of(role)
    (shifting,) = [one for one in statements if "lambda:UpdateAlias" in one["Action"]]
    others = {action for one in statements if one is not shifting for action in one["Action"]}
    assert set(referred(shifting["Resource"])) == {prod.name_of(service) for service in PUBLISHED}
    assert others == {"cloudwatch:DescribeAlarms", "lambda:GetProvisionedConcurrencyConfig"}
    assert "ManagedPolicyArns" not in prod.all("AWS::IAM::Role")[role]


@pytest.mark.parametrize("rollout", ROLLOUTS)
def test_every_rollout_is_one_that_codedeploy_has(rollout: str) -> None:
    from aws_cdk.aws_codedeploy import LambdaDeploymentConfig

    predefined = {
        getattr(LambdaDeploymentConfig, name).deployment_config_name
        for name in dir(LambdaDeploymentConfig)
        if name.startswith(("CANARY", "LINEAR"))
    }
    known = {f"CodeDeployDefault.{one}" for one in ROLLOUTS.values() if one}
    assert known == predefined
    assert Stage.from_context("prod", cdk_json(), {**PROD, "rollout": rollout}).rollout == rollout


def test_an_unknown_rollout_is_refused_with_the_list() -> None:
    with pytest.raises(InvalidStageError, match=r"dev: rollout: one of all-at-once, canary-10-percent-5-minutes"):
        Stage.from_context("dev", cdk_json(), {"rollout": "slowly", "alarm_email": "ops@example.com"})


def test_a_gradual_rollout_without_alarms_is_refused() -> None:
    """Nothing would take it back."""
    with pytest.raises(InvalidStageError, match=r"rollout: .*write alarm_email, or all-at-once"):
        Stage.from_context("dev", cdk_json(), {"rollout": "canary-10-percent-5-minutes"})


def test_a_stage_may_start_its_published_functions_from_snapshots(prod: Templates, tmp_path: Path) -> None:
    after = synthesize(tmp_path, replace(prod.stage, snap_start=True))["prod"]

    started = {service: after.function(service).get("SnapStart") for service in (*PUBLISHED, UNPUBLISHED)}
    assert started == {one: {"ApplyOn": "PublishedVersions"} for one in PUBLISHED} | {UNPUBLISHED: None}
    assert published_anew(prod, after) == set(PUBLISHED)


def test_no_stage_that_ships_starts_from_snapshots(templates: Templates) -> None:
    assert not any("SnapStart" in one for one in templates.all("AWS::Lambda::Function").values())
