"""What `pip install cairn[local]` brings."""

import tomllib
from importlib import import_module
from pathlib import Path

import pytest

from cli.mcp.guide import PAGES

ROOT = Path(__file__).parents[2]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))


@pytest.mark.parametrize("extra", ["local", "mcp"])
def test_the_extra_brings_what_the_group_of_that_name_has(extra: str) -> None:
    assert PROJECT["project"]["optional-dependencies"][extra] == PROJECT["dependency-groups"][extra]


def test_the_wheel_brings_the_pages_that_an_assistant_reads() -> None:
    shipped = PROJECT["tool"]["hatch"]["build"]["targets"]["wheel"]["force-include"]

    assert {f"docs/{name}.md" for name in PAGES} == {name for name in shipped if name.startswith("docs/")}
    assert all((ROOT / name).exists() for name in shipped)


def test_the_plugin_that_pytest_loads_exists() -> None:
    (module,) = PROJECT["project"]["entry-points"]["pytest11"].values()

    assert hasattr(import_module(module), "pytest_collect_file")
