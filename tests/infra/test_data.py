"""The data stack: table, bodies and secrets."""

import json
import re
from pathlib import Path

import pytest

from cairn.settings import OVERFLOW_RETENTION
from infra.cloud.stage import Stage
from infra.cloud.synth import cdk_json
from tests.infra.conftest import PROD, Templates, service_of

NAMED_BY_US = {
    "Name": {
        *("AWS::Scheduler::ScheduleGroup", "AWS::ApiGatewayV2::Api", "AWS::Lambda::Alias"),
        *("AWS::Athena::WorkGroup", "AWS::Glue::Database", "AWS::Glue::Table"),
    }
}
"""Timers are set by their group's name; an API's name is a label, not an identity; an alias's is its function's;
Athena's workgroup and table are asked for by their names, which have the stage in them."""

VENDED_LOGS = "/aws/vendedlogs/"
"""Logs of services of AWS, below which the account needs one permission for all of them: by their names."""

NAMES = ("BucketName", "FunctionName", "LogGroupName", "Name", "QueueName", "RoleName", "TableName", "TopicName")


def test_the_table_is_what_the_adapter_expects(dev: Templates) -> None:
    (table,) = dev.all("AWS::DynamoDB::Table").values()

    assert [(key["AttributeName"], key["KeyType"]) for key in table["KeySchema"]] == [("pk", "HASH"), ("sk", "RANGE")]
    assert table["BillingMode"] == "PAY_PER_REQUEST"
    assert table["StreamSpecification"] == {"StreamViewType": "NEW_AND_OLD_IMAGES"}
    assert table["TimeToLiveSpecification"] == {"AttributeName": "expires_at", "Enabled": True}
    assert table["PointInTimeRecoverySpecification"] == {"PointInTimeRecoveryEnabled": True}
    indexes = {index["IndexName"]: index for index in table["GlobalSecondaryIndexes"]}
    keys = {name: [key["AttributeName"] for key in index["KeySchema"]] for name, index in indexes.items()}
    assert keys == {"gsi1": ["gsi1pk", "gsi1sk"], "gsi2": ["gsi2pk", "gsi2sk"]}
    assert indexes["gsi2"]["Projection"] == {"ProjectionType": "KEYS_ONLY"}


def test_a_table_may_have_a_key_of_its_own_that_only_dynamodb_uses(tmp_path: Path) -> None:
    from aws_cdk import App

    from infra.cloud.app import add_nag_checks
    from infra.cloud.data_stack import DataStack

    app = App(outdir=str(tmp_path), analytics_reporting=False)
    stage = Stage.from_context("prod", cdk_json(), {**PROD, "customer_managed_key": True})
    DataStack(app, "Data", stage=stage)
    add_nag_checks(app)
    app.synth()

    resources = json.loads((tmp_path / "Data.template.json").read_text())["Resources"].values()
    (key,) = [one["Properties"] for one in resources if one["Type"] == "AWS::KMS::Key"]
    (table,) = [one["Properties"] for one in resources if one["Type"] == "AWS::DynamoDB::Table"]
    _, use = key["KeyPolicy"]["Statement"]
    assert key["EnableKeyRotation"] is True
    assert table["SSESpecification"]["SSEType"] == "KMS"
    assert "kms:ViaService" in use["Condition"]["StringEquals"]


def test_large_bodies_are_private_and_expire(prod: Templates) -> None:
    (bucket,) = [one for name, one in prod.all("AWS::S3::Bucket").items() if name.startswith("Overflow")]
    (policy,) = [one for name, one in prod.all("AWS::S3::BucketPolicy").items() if name.startswith("Overflow")]

    rule = bucket["LifecycleConfiguration"]["Rules"][0]
    refused = [one["Condition"] for one in policy["PolicyDocument"]["Statement"] if one["Effect"] == "Deny"]
    assert rule["Status"] == "Enabled"
    assert rule["ExpirationInDays"] == OVERFLOW_RETENTION.days
    assert set(bucket["PublicAccessBlockConfiguration"].values()) == {True}
    assert "BucketEncryption" in bucket
    assert "VersioningConfiguration" not in bucket, "what is gone is gone"
    assert {"Bool": {"aws:SecureTransport": "false"}} in refused


def test_a_body_outlives_every_pointer_to_it(prod: Templates) -> None:
    retentions = [queue["MessageRetentionPeriod"] for queue in prod.all("AWS::SQS::Queue").values()]

    whole = min(retentions) + 2 * max(retentions)
    assert whole <= OVERFLOW_RETENTION.total_seconds(), "in work, parked, redriven and parked again"


def test_a_stage_that_keeps_its_data_keeps_table_secrets_and_queues(prod: Templates) -> None:
    (table,) = prod.all("AWS::DynamoDB::Table").values()

    assert table["DeletionProtectionEnabled"] is True
    for kind in ("AWS::DynamoDB::Table", "AWS::S3::Bucket", "AWS::SecretsManager::Secret", "AWS::SQS::Queue"):
        assert prod.retention(kind) == {"RetainExceptOnCreate"}


def test_a_stage_that_does_not_keep_its_data_deletes_it(dev: Templates) -> None:
    for kind in ("AWS::DynamoDB::Table", "AWS::SecretsManager::Secret", "AWS::SQS::Queue", "AWS::Logs::LogGroup"):
        assert dev.retention(kind) == {"Delete"}


@pytest.mark.parametrize("stage", ["dev", "prod"])
def test_no_secret_is_in_a_template(synthesized: dict[str, Templates], stage: str) -> None:
    secrets = synthesized[stage].all("AWS::SecretsManager::Secret")

    assert all("GenerateSecretString" in secret for secret in secrets.values())
    assert not any("SecretString" in secret for secret in secrets.values())
    for file in synthesized[stage].files():
        assert not re.search(r"whsec_\w", file.read_text())


DERIVES_KEYS = {
    *("process_event", "deliver_message", "serve_preferences", "serve_tasks", "manage_api", "import_rows"),
    "serve_console",
    "erase_customer",
    *("receive_webhook", "record_feedback", "check_identity_key"),
}
"""The first make ids and keys of addresses, then two that make message groups, and the check of deployments."""


def test_only_functions_that_hash_addresses_read_the_identity_key(prod: Templates) -> None:
    functions = {service_of(one): one for one in prod.all("AWS::Lambda::Function").values()}

    given = {name for name, one in functions.items() if "CAIRN_IDENTITY_SECRET_ID" in one["Environment"]["Variables"]}
    may_read = {name for name in functions if "IdentitySecret" in json.dumps(prod.statements(name))}
    assert given == may_read == DERIVES_KEYS


def test_the_identity_key_is_drawn_once_and_by_secrets_manager(prod: Templates) -> None:
    """CloudFormation draws another one when any of these properties changes: every customer would be a new one."""
    secrets = prod.all("AWS::SecretsManager::Secret")

    (drawn,) = [one["GenerateSecretString"] for name, one in secrets.items() if name.startswith("IdentitySecret")]
    assert drawn == {
        "ExcludePunctuation": True,
        "GenerateStringKey": "key",
        "PasswordLength": 64,
        "SecretStringTemplate": "{}",
    }


def test_resources_have_no_physical_names(prod: Templates) -> None:
    for resource in [*prod.data["Resources"].values(), *prod.engine["Resources"].values()]:
        for name in NAMES:
            value = resource.get("Properties", {}).get(name)
            if isinstance(value, str) and not (name == "LogGroupName" and value.startswith(VENDED_LOGS)):
                assert resource["Type"] in NAMED_BY_US.get(name, set()), (resource["Type"], name, value)
