"""A stage has two secrets. A deployment over version 0.2, which had more, refuses no webhook and breaks no link."""

import json
from pathlib import Path
from typing import Any

import pytest

from infra.cloud.stage import InvalidStageError, Stage
from infra.cloud.synth import cdk_json
from tests.infra.conftest import PROD, Json, Templates, synthesize

SOURCES = {
    "Description": "Cairn: JSON object of source: signing secret, or list of secrets during a rotation",
    "GenerateSecretString": {"GenerateStringKey": "unused", "SecretStringTemplate": "{}"},
}
LINKS = {
    "Description": "Cairn: JSON object with the field links: signing secret, or list of secrets, the newest first",
    "GenerateSecretString": {
        "ExcludePunctuation": True,
        "GenerateStringKey": "links",
        "PasswordLength": 64,
        "SecretStringTemplate": "{}",
    },
}
ENDPOINTS = {
    "Description": ("Cairn: JSON object of subscriber: signing secret (whsec_…), or list of secrets during a rotation"),
    "GenerateSecretString": {"GenerateStringKey": "unused", "SecretStringTemplate": "{}"},
}
IN_0_2 = {"SourcesSecretB7A49BFD": SOURCES, "LinksSecretCA02707C": LINKS, "SubscribersSecretE582653C": ENDPOINTS}
"""The secrets of version 0.2, by their names in the template: with another name or another `GenerateSecretString`,
CloudFormation draws another value.
"""

IMPORTED_IN_0_2 = {
    f"Cairn-prod-Data:ExportsOutputRef{name}"
    for name in (
        "SourcesSecretB7A49BFD38CC117E",
        "LinksSecretCA02707C84BD7D81",
        "SubscribersSecretE582653C69519333",
    )
}
"""CloudFormation refuses to remove an export that a stack imports."""

POLICIES_IN_0_2 = {
    "receive_webhook": "ReceiveWebhookRoleDefaultPolicyB4F94237",
    "deliver_message": "DeliverMessageRoleDefaultPolicy6635B6ED",
    "serve_preferences": "ServePreferencesRoleDefaultPolicy9EE21108",
    "notify_subscriber": "NotifySubscriberRoleDefaultPolicyF662526E",
}

MAX_INLINE_POLICIES = 10_240
"""Characters of all inline policies of a role.

https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_iam-quotas.html
"""


def secrets_of(templates: Templates) -> dict[str, Json]:
    found = templates.all("AWS::SecretsManager::Secret").items()
    return {name: {key: value for key, value in one.items() if key != "Tags"} for name, one in found}


@pytest.fixture(scope="module")
def upgraded(tmp_path_factory: pytest.TempPathFactory) -> Templates:
    """A deployment over version 0.2."""
    stage = Stage.from_context("prod", cdk_json(), PROD)
    return synthesize(tmp_path_factory.mktemp("upgraded"), stage, upgrade_from="0.2")["prod"]


@pytest.mark.parametrize("stage", ["dev", "prod"])
def test_a_stage_has_the_identity_key_and_one_secret(synthesized: dict[str, Templates], stage: str) -> None:
    names = sorted(name[:-8] for name in secrets_of(synthesized[stage]))

    assert names == ["IdentitySecret", "SourcesSecret"]


@pytest.mark.parametrize("stage", ["dev", "prod"])
def test_the_stages_secret_is_the_one_that_had_the_sources(synthesized: dict[str, Templates], stage: str) -> None:
    assert secrets_of(synthesized[stage])["SourcesSecretB7A49BFD"] == SOURCES


def test_an_upgrade_keeps_the_secrets_of_before_until_the_engine_needs_them_no_more(
    upgraded: Templates, prod: Templates
) -> None:
    exported = {one["Export"]["Name"] for one in upgraded.data["Outputs"].values() if "Export" in one}

    assert IN_0_2.items() <= secrets_of(upgraded).items()
    assert exported >= IMPORTED_IN_0_2
    assert {"LinksSecretArn", "SubscribersSecretArn", "SourcesSecretArn"} <= upgraded.data["Outputs"].keys()
    for old in ("LinksSecret", "SubscribersSecret"):
        assert old not in json.dumps(upgraded.engine)
        assert old not in json.dumps(prod.data)
    assert upgraded.retention("AWS::SecretsManager::Secret") == {"RetainExceptOnCreate"}


def test_another_version_to_upgrade_from_is_refused(tmp_path: Path) -> None:
    stage = Stage.from_context("prod", cdk_json(), PROD)

    with pytest.raises(InvalidStageError, match=r"upgrade_from may be 0\.2, not 0\.1"):
        synthesize(tmp_path, stage, upgrade_from="0.1")


@pytest.mark.parametrize("service", POLICIES_IN_0_2)
def test_a_running_function_keeps_its_rights_until_it_is_replaced(upgraded: Templates, service: str) -> None:
    """CloudFormation deletes a policy that is not in the template any more once all else is in place."""
    function = upgraded.engine["Resources"][upgraded.name_of(service)]
    role = function["Properties"]["Role"]["Fn::GetAtt"][0]
    ((name, policy),) = [
        (name, one) for name, one in upgraded.all("AWS::IAM::Policy").items() if one["Roles"] == [{"Ref": role}]
    ]

    assert POLICIES_IN_0_2[service] not in upgraded.engine["Resources"]
    assert POLICIES_IN_0_2[service].startswith(role[:-8]), "the role is the same"
    assert policy["PolicyName"] == name, "of two policies with one name, the second would replace the first"
    assert name in function["DependsOn"]
    assert 2 * len(json.dumps(policy["PolicyDocument"])) < MAX_INLINE_POLICIES


@pytest.mark.parametrize("service", ["deliver_message", "serve_preferences", "notify_subscriber"])
def test_a_function_is_replaced_once_the_secrets_are_known_to_be_joined(upgraded: Templates, service: str) -> None:
    function: Any = upgraded.engine["Resources"][upgraded.name_of(service)]
    (check,) = [name for name, one in upgraded.engine["Resources"].items() if one["Type"] == "Custom::IdentityKey"]

    assert check in function["DependsOn"] or f'["{check}", "Fingerprint"]' in json.dumps(function)
