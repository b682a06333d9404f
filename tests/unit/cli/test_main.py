"""The command itself: its version, its help, its examples and its completion."""

import os
import shlex
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import typer
from typer.testing import CliRunner

from cli.main import app

ROOT = Path(__file__).parents[3]


def commands(command: Any, *names: str) -> Iterator[tuple[tuple[str, ...], Any]]:
    """Every command and group of commands, with the words that call it."""
    yield names, command
    for name, one in getattr(command, "commands", {}).items():
        yield from commands(one, *names, name)


CAIRN = typer.main.get_command(app)
COMMANDS = list(commands(CAIRN))


def test_the_version_is_that_of_the_package() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]

    result = CliRunner().invoke(app, ["--version"])

    assert (result.exit_code, result.stdout) == (0, f"cairn {project['version']}\n")


@pytest.mark.parametrize("names", [names for names, _ in COMMANDS], ids=" ".join)
def test_every_command_has_a_short_help_with_an_example(names: tuple[str, ...]) -> None:
    result = CliRunner().invoke(app, [*names, "-h"])

    assert result.exit_code == 0
    assert result.stdout == CliRunner().invoke(app, [*names, "--help"]).stdout
    assert "Example" in result.stdout


@pytest.mark.parametrize(
    ("names", "example"),
    [(names, line) for names, command in COMMANDS for line in (command.epilog or "").splitlines()[1:]],
    ids=lambda value: value if isinstance(value, str) else None,
)
def test_every_example_is_a_command_that_can_be_typed(names: tuple[str, ...], example: str) -> None:
    name, *words = shlex.split(example.rpartition(" | ")[2])

    assert [name, *words[: len(names)]] == ["cairn", *names]
    assert all((ROOT / word).exists() for word in words if word.startswith(("events/", "layers/")))
    if "-h" in words or "--install-completion" in words:
        return
    command, context = CAIRN, None
    while command is not None:
        context = command.make_context(command.name, words, parent=context)
        words = context._protected_args + context.args  # noqa: SLF001
        command = command.commands[words.pop(0)] if words else None


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_a_shell_completes_the_names_of_commands(shell: str) -> None:
    asked = {"_CAIRN_COMPLETE": f"complete_{shell}", "COMP_WORDS": "cairn sw", "COMP_CWORD": "1"}
    asked |= {"_TYPER_COMPLETE_ARGS": "cairn sw", "_TYPER_COMPLETE_FISH_ACTION": "get-args"}

    completed = cairn(environment=asked)

    assert "switch" in completed
    assert "replay" not in completed


def test_completion_is_installed_for_a_shell(tmp_path: Path) -> None:
    own = {"HOME": str(tmp_path), "_TYPER_COMPLETE_TEST_DISABLE_SHELL_DETECTION": "1"}

    cairn("--install-completion", "bash", environment=own)

    (script,) = (tmp_path / ".bash_completions").iterdir()
    assert "_CAIRN_COMPLETE=complete_bash" in script.read_text(encoding="utf-8")
    assert str(script) in (tmp_path / ".bashrc").read_text(encoding="utf-8")


def test_help_imports_nothing_that_is_slow() -> None:
    slow = "{'aws_lambda_powertools', 'botocore', 'jinja2', 'moto', 'pydantic', 'pynamodb', 'yaml'}"

    loaded = subprocess.run(  # noqa: S603
        [sys.executable, "-c", f"import sys, cli.main; print(sorted({slow} & sys.modules.keys()))"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    )

    assert loaded.stdout == "[]\n"


def cairn(*arguments: str, environment: dict[str, str]) -> str:
    """What the installed command prints."""
    command = Path(sys.executable).with_name("cairn")
    done = subprocess.run(  # noqa: S603
        [command, *arguments], env=os.environ | environment, capture_output=True, text=True, check=True
    )
    return done.stdout
