"""`cairn doctor` asks for what the templates have."""

import json

from cli.doctor_account import ALARM_TOPIC, RECEIVER
from cli.doctor_checks import BOOTSTRAP_VERSION
from tests.infra.conftest import Templates


def test_the_templates_ask_for_the_version_of_the_bootstrap_stack_that_doctor_asks_for(prod: Templates) -> None:
    for template in (prod.data, prod.engine):
        asserted = json.dumps(template["Rules"]["CheckBootstrapVersion"])

        assert f"CDK bootstrap stack version {BOOTSTRAP_VERSION} required" in asserted
        assert template["Parameters"]["BootstrapVersion"]["Default"] == "/cdk-bootstrap/hnb659fds/version"


def test_the_resources_that_doctor_looks_for_are_found_by_the_beginning_of_their_names(prod: Templates) -> None:
    for kind, name in (("AWS::SNS::Topic", ALARM_TOPIC), ("AWS::Lambda::Function", RECEIVER)):
        assert len([one for one in prod.engine["Resources"] if one.startswith(name) and _kind(prod, one) == kind]) == 1


def test_the_stacks_put_out_what_doctor_reads(prod: Templates) -> None:
    assert {"TableName", "SourcesSecretArn"} <= prod.data["Outputs"].keys()


def test_only_receive_webhook_reserves_concurrency_and_as_much_as_doctor_reckons_with(prod: Templates) -> None:
    functions = prod.all("AWS::Lambda::Function")
    reserved = {
        name: one["ReservedConcurrentExecutions"]
        for name, one in functions.items()
        if "ReservedConcurrentExecutions" in one
    }

    assert reserved == {prod.name_of("receive_webhook"): prod.stage.webhook_concurrency}


def _kind(templates: Templates, name: str) -> str:
    return str(templates.engine["Resources"][name]["Type"])
