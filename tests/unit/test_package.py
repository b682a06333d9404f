"""What `pip install cairn[local]` brings."""

import tomllib
from importlib import import_module
from pathlib import Path

PROJECT = tomllib.loads((Path(__file__).parents[2] / "pyproject.toml").read_text(encoding="utf-8"))


def test_the_extra_brings_what_the_group_of_that_name_has() -> None:
    assert PROJECT["project"]["optional-dependencies"]["local"] == PROJECT["dependency-groups"]["local"]


def test_the_plugin_that_pytest_loads_exists() -> None:
    (module,) = PROJECT["project"]["entry-points"]["pytest11"].values()

    assert hasattr(import_module(module), "pytest_collect_file")
