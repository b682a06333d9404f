"""A deployment of before the identity key is moved: every customer, suppression and link stays what it was."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from cairn.adapters.dynamodb.identity_record import DynamoIdentityRecord
from cairn.adapters.dynamodb.suppressions import DynamoSuppressions
from cairn.domain.shared.channels import Channel
from cli.main import app
from infra.local.cloud import IDENTITY_SECRET
from infra.local.deployment import LocalDeployment, local_deployment
from infra.local.signing import local_secrets
from tests.cloudformation import deploys
from tests.conftest import MONDAY, SHORT_JOURNEY, Story

SALT = "chosen-once-and-kept-in-cdk-json"
STACK = "Cairn-dev"
MAIL = "mia@example.com"

MOVE = ["identity-key", "move", "--stack", STACK, "--yes"]


@pytest.fixture
def before() -> Iterator[LocalDeployment]:
    """A deployment whose ids were made with the salt alone, after the new data stack has drawn a key."""
    with local_deployment(
        SHORT_JOURNEY, start=MONDAY, secrets=local_secrets({}), identity={**IDENTITY_SECRET, "salt": SALT}
    ) as made:
        Story(made).happens("trial.signup", customer={"email": MAIL})
        stores(made, dict(IDENTITY_SECRET))
        yield made


def stores(made: LocalDeployment, content: dict[str, str]) -> None:
    secrets = made.cloud.client("secretsmanager")
    secrets.put_secret_value(SecretId=made.cloud.identity_secret_id, SecretString=json.dumps(content))


def stored(made: LocalDeployment) -> Any:
    secrets = made.cloud.client("secretsmanager")
    return json.loads(secrets.get_secret_value(SecretId=made.cloud.identity_secret_id)["SecretString"])


def stacks(made: LocalDeployment, *salts: str, secret: bool = True) -> None:
    """The two stacks, and a function of before for each salt."""
    functions = {
        f"Function{number}": {
            "Type": "AWS::Lambda::Function",
            "Properties": {
                "Code": {"ZipFile": "def handle(event, context): pass"},
                "Handler": "index.handle",
                "Role": {"Fn::GetAtt": ["Role", "Arn"]},
                "Runtime": "python3.13",
                "Environment": {"Variables": {"CAIRN_IDENTITY_SALT": salt} if salt else {"CAIRN_STAGE": "dev"}},
            },
        }
        for number, salt in enumerate([*salts, ""])
    }
    role = {
        "Type": "AWS::IAM::Role",
        "Properties": {"AssumeRolePolicyDocument": {"Version": "2012-10-17", "Statement": []}},
    }
    outputs = {"TableName": made.cloud.table} | ({"IdentitySecretArn": made.cloud.identity_secret_id} if secret else {})
    for name, resources, puts_out in (
        (f"{STACK}-Data", {"Topic": {"Type": "AWS::SNS::Topic"}}, outputs),
        (STACK, {"Role": role, **functions}, {}),
    ):
        template = {"Resources": resources, "Outputs": {one: {"Value": value} for one, value in puts_out.items()}}
        made.cloud.client("cloudformation").create_stack(StackName=name, TemplateBody=json.dumps(template))


def cairn(*arguments: str) -> tuple[int, str]:
    done = CliRunner().invoke(app, list(arguments))
    return done.exit_code, done.output


def test_a_deployment_is_refused_until_it_is_moved_and_then_knows_its_customers(before: LocalDeployment) -> None:
    story = Story(before)
    (mia,) = before.customer_ids(MAIL)
    stacks(before, SALT, SALT)

    refused = deploys(before)
    code, said = cairn(*MOVE)
    moved = deploys(before)

    assert refused["Status"] == "FAILED"
    assert "cairn identity-key move" in refused["Reason"]
    assert code == 0, said
    assert SALT not in said
    assert stored(before) == {**IDENTITY_SECRET, "salt": SALT}
    assert moved["Status"] == "SUCCESS"
    assert moved["Data"] == {"Fingerprint": before.cloud.identity_keys.fingerprint}
    before.deploy(SHORT_JOURNEY)
    story.happens("page.viewed", customer={"email": MAIL})
    assert before.customer_ids(MAIL) == [mia]
    assert {one["type"] for one in story.timeline("event", of=MAIL)} == {"trial.signup", "page.viewed"}


def test_the_runbook_names_the_command_and_the_files_of_the_way_back() -> None:
    runbook = (Path(__file__).parents[2] / "docs" / "operations.md").read_text(encoding="utf-8")

    assert f"cairn identity-key move --stack {STACK}" in runbook
    for command in ("get-secret-value", "put-secret-value", "restore-secret"):
        assert f"aws secretsmanager {command} --secret-id <IdentitySecretArn>" in runbook


def test_moving_twice_is_moving_once(before: LocalDeployment) -> None:
    stacks(before, SALT)

    assert cairn(*MOVE)[0] == 0
    code, said = cairn(*MOVE)

    assert code == 0
    assert "stood there already" in said
    assert stored(before) == {**IDENTITY_SECRET, "salt": SALT}


@pytest.mark.parametrize("text", [SALT, SALT + "\n", SALT + "\r\n"])
def test_the_salt_may_come_from_a_file(before: LocalDeployment, tmp_path: Path, text: str) -> None:
    stacks(before)
    (tmp_path / "salt").write_bytes(text.encode())

    assert cairn(*MOVE)[0] == 1
    assert cairn(*MOVE, "--salt-file", str(tmp_path / "salt"))[0] == 0
    assert stored(before)["salt"] == SALT


def test_a_short_salt_is_taken_with_a_warning(before: LocalDeployment) -> None:
    stacks(before, "dev")

    code, said = cairn(*MOVE)

    assert code == 0
    assert "The salt has 3 bytes" in said


def test_functions_with_different_salts_are_no_source(before: LocalDeployment) -> None:
    stacks(before, SALT, "another")

    code, said = cairn(*MOVE)

    assert code == 1
    assert "several salts" in said
    assert stored(before) == IDENTITY_SECRET


def test_a_deployment_that_has_recorded_its_key_takes_no_salt(before: LocalDeployment) -> None:
    stacks(before, SALT)
    DynamoIdentityRecord().write("of the key alone", before.now())

    code, said = cairn(*MOVE)

    assert code == 1
    assert "customers have ids made with it" in said
    assert stored(before) == IDENTITY_SECRET


def test_a_moved_deployment_takes_no_other_salt(before: LocalDeployment) -> None:
    stores(before, {**IDENTITY_SECRET, "salt": "another"})
    stacks(before, SALT)

    code, said = cairn(*MOVE)

    assert code == 1
    assert "has another salt" in said


def test_the_data_stack_is_deployed_first(before: LocalDeployment) -> None:
    stacks(before, SALT, secret=False)

    code, said = cairn(*MOVE)

    assert code == 1
    assert "deploy Cairn-dev-Data first" in said


def test_without_a_stack_the_command_says_so(before: LocalDeployment) -> None:
    code, said = cairn(*MOVE)

    assert code == 1
    assert "does not exist" in said
    assert stored(before) == IDENTITY_SECRET


def test_a_suppression_of_before_is_found_after_the_move(before: LocalDeployment) -> None:
    stacks(before, SALT)
    manage = json.dumps({"do": "suppress", "channel": "email", "address": MAIL, "why": "asked by phone"}).encode()
    before.manage("POST", "https://localhost/manage/suppressions", {}, manage, actor="arn:aws:iam::1:user/op")
    before.settle()

    assert cairn(*MOVE)[0] == 0
    before.deploy(SHORT_JOURNEY)

    keys = before.cloud.identity_keys
    assert DynamoSuppressions(keys.suppressions).current({Channel.EMAIL: MAIL})
