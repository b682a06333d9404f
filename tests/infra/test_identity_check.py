"""The check of the identity key runs when a deployment changes what it depends on, and `cdk diff` shows no other."""

from datetime import timedelta
from pathlib import Path
from typing import Any

import time_machine

from cairn.domain.shared.instants import instant_from_wire
from tests.infra.conftest import Json, Templates, synthesize

NOON = instant_from_wire("2026-11-28T12:00:00Z")


def properties(templates: Templates) -> Json:
    (check,) = templates.all("Custom::IdentityKey").values()
    return check


def imported(templates: Templates, value: Json) -> Any:
    """The resource of the data stack whose value the engine imports."""
    exports = {one["Export"]["Name"]: one["Value"] for one in templates.data["Outputs"].values() if "Export" in one}
    return exports[value["Fn::ImportValue"]]


def test_a_synthesis_of_another_day_is_the_same(dev: Templates, tmp_path: Path) -> None:
    with time_machine.travel(NOON + timedelta(days=40), tick=True):
        again = synthesize(tmp_path, dev.stage)["dev"]

    assert again.engine == dev.engine
    assert again.data == dev.data


def test_the_check_runs_when_the_table_is_made_anew(prod: Templates) -> None:
    (table,) = prod.all("AWS::DynamoDB::Table")

    assert imported(prod, properties(prod)["TableStream"]) == {"Fn::GetAtt": [table, "StreamArn"]}


def test_the_check_runs_when_a_secret_is_made_anew(prod: Templates) -> None:
    secrets = prod.all("AWS::SecretsManager::Secret")

    depends_on = {imported(prod, properties(prod)[one])["Ref"] for one in ("IdentitySecret", "StageSecret")}

    assert depends_on == secrets.keys()


def test_the_check_runs_when_code_packages_or_journeys_change(prod: Templates) -> None:
    """A layer with other content is another one, and so is what refers to it."""
    function = prod.function("check_identity_key")
    layers = prod.all("AWS::Lambda::LayerVersion")

    assert {one["Ref"] for one in properties(prod)["Layers"]} == layers.keys()
    assert properties(prod)["Handler"] == function["Code"]["S3Key"]
