"""The commands of docs/go-live.md, Restore from a backup, make a table that the functions can use."""

import re
import shlex
from pathlib import Path
from typing import Any

import pytest
from botocore import xform_name
from botocore.session import get_session
from moto import mock_aws

from cli.doctor_account import AwsAccount
from cli.doctor_checks import Plan, State, table
from infra.cloud.stage import TABLE_STREAM, Stage
from infra.cloud.synth import cdk_json

PAGE = (Path(__file__).parents[2] / "docs" / "go-live.md").read_text(encoding="utf-8")
SECTION = PAGE.partition("### Restore from a backup")[2].partition("\n### ")[0]
COMMANDS = re.findall(r"^ +aws dynamodb (.+)$", SECTION.replace("\\\n", " "), re.MULTILINE)

OF_THE_CLI = {"--query", "--output"}
"""Options that choose what the AWS CLI prints."""


@pytest.fixture
def _credentials(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "testing")


@pytest.mark.usefixtures("_credentials")
def test_the_restored_table_has_the_customers_and_all_that_the_functions_need() -> None:
    with mock_aws():
        client = get_session().create_client("dynamodb", region_name="us-east-1")
        _make_table(client, "cairn")
        client.put_item(TableName="cairn", Item={"pk": {"S": "c_1"}, "sk": {"S": "profile"}})

        answers = [_run(client, command.replace("<TableName>", "cairn")) for command in COMMANDS]

        found = table(_plan(), _account(client).table())
        restored = client.scan(TableName="cairn-restored")["Items"]
    assert [one.state for one in found] == [State.OK]
    assert restored == [{"pk": {"S": "c_1"}, "sk": {"S": "profile"}}]
    assert TABLE_STREAM.fullmatch(answers[-1]["Table"]["LatestStreamArn"])


@pytest.mark.usefixtures("_credentials")
def test_without_the_commands_it_lacks_them() -> None:
    with mock_aws():
        client = get_session().create_client("dynamodb", region_name="us-east-1")
        _make_table(client, "cairn")
        for command in COMMANDS[:2]:
            _run(client, command.replace("<TableName>", "cairn"))

        (found,) = table(_plan(), _account(client).table())
    assert found.state is State.TO_DO


def _make_table(client: Any, name: str) -> None:
    client.create_table(
        TableName=name,
        KeySchema=[{"AttributeName": "pk", "KeyType": "HASH"}, {"AttributeName": "sk", "KeyType": "RANGE"}],
        AttributeDefinitions=[{"AttributeName": one, "AttributeType": "S"} for one in ("pk", "sk")],
        BillingMode="PAY_PER_REQUEST",
    )
    client.update_continuous_backups(
        TableName=name, PointInTimeRecoverySpecification={"PointInTimeRecoveryEnabled": True}
    )


def _run(client: Any, command: str) -> Any:
    """What the AWS CLI makes of a command; an option that the API does not know is refused."""
    operation, *words = shlex.split(command)
    if operation == "wait":
        waiter, *words = words
        return client.get_waiter(xform_name(waiter.title().replace("-", ""))).wait(**_parameters(words))
    return getattr(client, operation.replace("-", "_"))(**_parameters(words))


def _parameters(words: list[str]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for option, value in zip(words, [*words[1:], "--"], strict=True):
        if option.startswith("--") and option not in OF_THE_CLI:
            name = option.removeprefix("--").title().replace("-", "")
            found[name] = _value(value)
    return found


def _value(text: str) -> Any:
    """The CLI's shorthand: `Enabled=true,AttributeName=expires_at`; an option alone is true."""
    if text.startswith("--"):
        return True
    if "=" not in text:
        return text
    return {name: value == "true" if value in {"true", "false"} else value for name, value in _pairs(text)}


def _pairs(text: str) -> list[list[str]]:
    return [pair.split("=") for pair in text.split(",")]


def _plan() -> Plan:
    stage = Stage.from_context("dev", cdk_json())
    return Plan(stage=stage, rates=(), channels=frozenset(), sources=(), endpoints=())


def _account(client: Any) -> AwsAccount:
    cloudformation = get_session().create_client("cloudformation", region_name="us-east-1")
    template = """{"Resources": {"Queue": {"Type": "AWS::SQS::Queue"}},
                   "Outputs": {"TableName": {"Value": "cairn-restored"}}}"""
    for name in ("Cairn-dev", "Cairn-dev-Data"):
        cloudformation.create_stack(StackName=name, TemplateBody=template)
    return AwsAccount(_plan(), {"dynamodb": client, "cloudformation": cloudformation}.__getitem__)
