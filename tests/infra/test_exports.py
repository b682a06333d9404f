"""The last release's engine imports values of the data stack, and CloudFormation refuses to take one away from it."""

import json
from pathlib import Path
from typing import Any

from infra.cloud.stage import Stage
from infra.cloud.synth import cdk_json
from tests.infra.conftest import synthesize

VERSION_0_2 = Path(__file__).parents[1] / "deployed_on_ministack" / "version_0_2"


def imported(node: Any) -> set[str]:
    """The exports that a template imports."""
    if isinstance(node, list):
        return {name for one in node for name in imported(one)}
    if not isinstance(node, dict):
        return set()
    return {name for key, one in node.items() for name in ([one] if key == "Fn::ImportValue" else imported(one))}


def test_the_data_stack_exports_what_the_deployed_engine_of_0_2_imports(tmp_path: Path) -> None:
    """It is deployed first, while the engine is still that of 0.2."""
    engine = json.loads((VERSION_0_2 / "Cairn-dev.template.json").read_text(encoding="utf-8"))
    made = synthesize(tmp_path, Stage.from_context("dev", cdk_json()), upgrade_from="0.2")["dev"]

    exported = {one["Export"]["Name"] for one in made.data["Outputs"].values() if "Export" in one}

    assert imported(engine)
    assert imported(engine) <= exported
