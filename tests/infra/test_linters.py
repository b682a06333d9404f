"""Independent linters: cdk-nag while synthesizing, cfn-lint afterwards."""

import json
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import pytest

from tests.infra.conftest import Templates

WRITTEN_BY_THE_CDK = "W3005"
"""A DependsOn that a GetAtt already implies."""


def check_with_cfn_lint(*templates: Path, ignored: Sequence[str] = ()) -> None:
    """Raises AssertionError with what cfn-lint finds, beside checks that are ignored."""
    checked = subprocess.run(  # noqa: S603 - the linter of our lock, on our templates
        [
            str(Path(sys.executable).with_name("cfn-lint")),
            *("--ignore-checks", WRITTEN_BY_THE_CDK, *ignored, "--"),
            *map(str, templates),
        ],
        capture_output=True,
        text=True,
        check=False,
    )
    assert checked.returncode == 0, checked.stdout + checked.stderr


def test_cfn_lint_finds_nothing(dev: Templates, prod: Templates) -> None:
    check_with_cfn_lint(*dev.files(), *prod.files())


def test_an_open_finding_fails_synthesis(tmp_path: Path) -> None:
    from aws_cdk import App, Stack
    from aws_cdk.aws_sqs import Queue

    from infra.cloud.app import add_nag_checks

    app = App(outdir=str(tmp_path), analytics_reporting=False)
    Queue(Stack(app, "Bad"), "Plain")
    add_nag_checks(app)

    with pytest.raises(RuntimeError, match="AwsSolutions-SQS4"):
        app.synth()


@pytest.mark.parametrize("stage", ["dev", "prod"])
def test_a_finding_is_acknowledged_on_its_one_resource(synthesized: dict[str, Templates], stage: str) -> None:
    folder = synthesized[stage].folder
    metadata = json.loads((folder / f"Cairn-{stage}.metadata.json").read_text())

    acknowledged = [
        path for path, entries in metadata.items() if any("acknowledged-rules" in entry["type"] for entry in entries)
    ]
    assert len(acknowledged) > 1
    assert f"/Cairn-{stage}" not in acknowledged, "a waiver for a whole stack"
