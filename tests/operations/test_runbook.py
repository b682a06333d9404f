"""Every command in docs/operations.md and docs/runbook.md works."""

import re
import shlex
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import ClientError
from typer.testing import CliRunner

from bench.calls import Call, watched
from cli.main import app

RUNBOOK = (Path(__file__).parents[2] / "docs" / "operations.md").read_text(encoding="utf-8")
COMMANDS = [
    line.removeprefix("cairn ")
    for block in re.findall(r"^```sh\n(.*?)^```$", RUNBOOK, re.DOTALL | re.MULTILINE)
    for line in block.splitlines()
]

REFUSED = ClientError({"Error": {"Code": "ValidationException"}}, "Query")


def refused(call: Call) -> None:
    if call.service == "dynamodb":
        raise REFUSED


@pytest.mark.usefixtures("stack")
@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_of_the_runbook_works(story: Any, command: str) -> None:
    with watched(story.deployment, before=refused):
        story.signs_up()
        story.passes("15m")

    done = CliRunner().invoke(app, shlex.split(command))

    assert done.exit_code == 0, done.stderr
    assert re.search(r"ValidationException|1 redriven, 0 refused, 0 left|customers rewritten", done.stdout)


def test_the_runbook_has_commands() -> None:
    assert len(COMMANDS) >= 5
