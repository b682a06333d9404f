"""The command says what is missing before it serves anything."""

import socket

import pytest
from typer.testing import CliRunner

import cli.mcp
from cli.main import app
from tests.unit.test_package import PROJECT

(MCP,) = PROJECT["project"]["optional-dependencies"]["mcp"]


def cairn(*arguments: str, **environment: str) -> str:
    done = CliRunner().invoke(app, ["mcp", *arguments], env=environment, catch_exceptions=False)
    assert done.exit_code != 0
    return " ".join(done.stderr.replace("│", " ").split())


def test_without_the_sdk_it_says_how_to_get_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cli.mcp, "find_spec", lambda _: None)

    assert f"pip install '{MCP}'" in cairn()


def test_a_token_that_can_be_guessed_is_refused() -> None:
    assert "CAIRN_MCP_TOKEN is too short" in cairn("--http", "0", CAIRN_MCP_TOKEN="secret")


@pytest.mark.usefixtures("socket_enabled")
def test_a_port_that_is_taken_is_reported() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])

        said = cairn("--http", port)

    assert f"port {port}: Address already in use" in said
    assert "name another with --http" in said
