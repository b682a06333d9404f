"""A table that was restored from a backup takes the place of the stack's own, by a setting."""

import json
from typing import Any

import pytest

from infra.cloud.stage import Stage
from infra.cloud.synth import cdk_json
from tests.infra.conftest import PROD, Templates, synthesize

TABLE = "arn:aws:dynamodb:us-east-1:123456789012:table/cairn-restored"
STREAM = f"{TABLE}/stream/2026-11-28T03:00:00.000"


@pytest.fixture(scope="module")
def restored(tmp_path_factory: pytest.TempPathFactory) -> Templates:
    stage = Stage.from_context("prod", cdk_json(), {**PROD, "table_stream_arn": STREAM})
    return synthesize(tmp_path_factory.mktemp("restored"), stage)["prod"]


def test_every_function_uses_the_restored_table(restored: Templates) -> None:
    functions = restored.all("AWS::Lambda::Function").values()
    tables = [one["Environment"]["Variables"].get("CAIRN_TABLE_NAME") for one in functions]
    sources = [one["EventSourceArn"] for one in restored.all("AWS::Lambda::EventSourceMapping").values()]

    assert {table for table in tables if table} == {"cairn-restored"}
    assert STREAM in sources
    assert TABLE in json.dumps(restored.statements("process_event"))
    assert "ImportValue" not in json.dumps(restored.statements("sweep"))


def test_the_identity_key_is_checked_against_the_restored_table(restored: Templates) -> None:
    """CloudFormation starts the check when one of its properties changes."""
    (check,) = restored.all("Custom::IdentityKey").values()

    assert check["TableStream"] == STREAM


def test_the_commands_of_operators_find_the_restored_table(restored: Templates) -> None:
    assert restored.data["Outputs"]["TableName"]["Value"] == "cairn-restored"


def test_the_stacks_own_table_stays_and_exports_what_the_deployed_engine_imports(
    restored: Templates, prod: Templates
) -> None:
    (before,) = prod.all("AWS::DynamoDB::Table").values()
    (own,) = restored.all("AWS::DynamoDB::Table").values()
    imported = {name for name in _imports(prod.engine) if "Table" in name}

    assert own == before
    assert imported
    assert imported <= {one["Export"]["Name"] for one in restored.data["Outputs"].values() if "Export" in one}


def _imports(node: Any) -> set[str]:
    if isinstance(node, dict):
        found = {node["Fn::ImportValue"]} if isinstance(node.get("Fn::ImportValue"), str) else set()
        return found.union(*map(_imports, node.values()))
    return set().union(*map(_imports, node)) if isinstance(node, list) else set()
