"""A stage's own domain, by two settings and a record in the DNS."""

import json
from dataclasses import replace
from pathlib import Path

import pytest

from infra.cloud.stage import Stage
from infra.cloud.synth import cdk_json
from tests.infra.conftest import Templates, synthesize
from tests.infra.test_linters import check_with_cfn_lint

CERTIFICATE = "arn:aws:acm:us-east-1:123456789012:certificate/0123-4567"
HOOKS = {"domain_name": "hooks.example.com", "certificate_arn": CERTIFICATE}


@pytest.fixture(scope="module")
def hooks(tmp_path_factory: pytest.TempPathFactory) -> Templates:
    return synthesize(tmp_path_factory.mktemp("domain"), Stage.from_context("dev", cdk_json(), HOOKS))["dev"]


def origin(templates: Templates) -> object:
    """Of the links in messages."""
    return templates.function("deliver_message")["Environment"]["Variables"]["CAIRN_PUBLIC_URL"]


def test_a_stage_without_a_domain_has_no_resource_of_it(dev: Templates) -> None:
    assert not dev.all("AWS::ApiGatewayV2::DomainName")
    assert not dev.all("AWS::ApiGatewayV2::ApiMapping")
    assert not {one for one in dev.engine["Outputs"] if one.startswith("Domain")}


def test_the_domain_is_served_with_the_certificate_and_no_tls_before_1_2(hooks: Templates) -> None:
    (domain,) = hooks.all("AWS::ApiGatewayV2::DomainName").values()

    assert domain["DomainName"] == "hooks.example.com"
    assert domain["DomainNameConfigurations"] == [
        {"CertificateArn": CERTIFICATE, "EndpointType": "REGIONAL", "SecurityPolicy": "TLS_1_2"}
    ]


def test_the_whole_api_is_below_the_domain(hooks: Templates) -> None:
    (mapping,) = hooks.all("AWS::ApiGatewayV2::ApiMapping").values()
    (name,) = hooks.all("AWS::ApiGatewayV2::DomainName")
    (api,) = hooks.all("AWS::ApiGatewayV2::Api")

    assert mapping == {"ApiId": {"Ref": api}, "DomainName": {"Ref": name}, "Stage": "$default"}


def test_the_outputs_say_what_the_dns_record_leads_to(hooks: Templates) -> None:
    outputs = hooks.engine["Outputs"]
    (name,) = hooks.all("AWS::ApiGatewayV2::DomainName")

    assert outputs["DomainTarget"]["Value"] == {"Fn::GetAtt": [name, "RegionalDomainName"]}
    assert outputs["DomainTargetZone"]["Value"] == {"Fn::GetAtt": [name, "RegionalHostedZoneId"]}


def test_links_in_messages_lead_to_the_domain(hooks: Templates) -> None:
    assert origin(hooks) == hooks.engine["Outputs"]["PublicUrl"]["Value"] == "https://hooks.example.com"


def test_links_lead_to_the_public_url_where_there_is_one(hooks: Templates, tmp_path: Path) -> None:
    in_front = synthesize(tmp_path, replace(hooks.stage, public_url="https://d111.cloudfront.net"))["dev"]

    assert origin(in_front) == "https://d111.cloudfront.net"


@pytest.fixture(scope="module")
def behind(hooks: Templates, tmp_path_factory: pytest.TempPathFactory) -> Templates:
    """Behind a distribution that presents a certificate."""
    stage = replace(hooks.stage, truststore_uri="s3://our-certificates/cloudfront/authority.pem")
    return synthesize(tmp_path_factory.mktemp("behind"), stage)["dev"]


def test_only_clients_with_a_certificate_reach_the_domain_and_the_api_has_no_other_address(behind: Templates) -> None:
    (domain,) = behind.all("AWS::ApiGatewayV2::DomainName").values()
    (api,) = behind.all("AWS::ApiGatewayV2::Api").values()

    assert domain["MutualTlsAuthentication"] == {"TruststoreUri": "s3://our-certificates/cloudfront/authority.pem"}
    assert api["DisableExecuteApiEndpoint"] is True
    assert behind.engine["Outputs"]["ApiUrl"]["Value"] == origin(behind) == "https://hooks.example.com"


def test_a_domain_without_a_truststore_is_open_and_so_is_the_address_of_aws(hooks: Templates) -> None:
    (domain,) = hooks.all("AWS::ApiGatewayV2::DomainName").values()
    (api,) = hooks.all("AWS::ApiGatewayV2::Api").values()

    assert "MutualTlsAuthentication" not in domain
    assert api["DisableExecuteApiEndpoint"] is False
    assert "Fn::GetAtt" in hooks.engine["Outputs"]["ApiUrl"]["Value"]


@pytest.mark.parametrize("stage", ["hooks", "behind"])
def test_cfn_lint_finds_nothing(request: pytest.FixtureRequest, stage: str) -> None:
    templates: Templates = request.getfixturevalue(stage)

    check_with_cfn_lint(templates.files()[1])
    assert "hooks.example.com" in json.dumps(templates.engine)
