"""Every law is explored by `make prove-laws`, and has the same examples in every `make test`."""

import ast
import os
import re
import shlex
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import settings
from hypothesis.internal.conjecture import providers

from tests import laws

REPOSITORY = Path(__file__).parents[1]
TESTS = sorted((REPOSITORY / "tests").rglob("*.py"))

BROKEN = """
from hypothesis import given, strategies as st

@given(st.integers(0, 10**6))
def test_a_number_is_small(number):
    assert number < 1000

@given(st.integers())
def test_a_number_is_itself(number):
    assert number == number

def test_no_law():
    raise AssertionError("not explored")
"""


def laws_inside_tests(tree: ast.Module) -> Iterator[ast.FunctionDef]:
    for test in ast.walk(tree):
        if isinstance(test, ast.FunctionDef) and test.name.startswith("test_"):
            inner = (one for one in ast.walk(test) if isinstance(one, ast.FunctionDef) and one is not test)
            if any("given(" in ast.unparse(decorator) for one in inner for decorator in one.decorator_list):
                yield test


def test_a_law_inside_a_test_is_marked_so_that_exploring_finds_it() -> None:
    unmarked = [
        f"{path.name}::{test.name}"
        for path in TESTS
        for test in laws_inside_tests(ast.parse(path.read_text(encoding="utf-8")))
        if not {"A_LAW", "pytest.mark.hypothesis"} & set(map(ast.unparse, test.decorator_list))
    ]

    assert unmarked == []


def test_no_law_chooses_by_itself_how_its_examples_are_found() -> None:
    own = re.compile(r"\b(derandomize|database|deadline|phases)=|@seed\b")
    chosen = [
        path.name
        for path in TESTS
        if path.name not in {"laws.py", "test_laws.py"} and own.search(path.read_text(encoding="utf-8"))
    ]

    assert chosen == []


def test_the_fixed_examples_do_not_depend_on_what_else_is_imported() -> None:
    from cairn.domain.journey import engine  # noqa: F401  it has constants

    assert settings.get_current_profile_name() == laws.FIXED
    assert len(providers.HypothesisProvider(None)._local_constants) == 0  # noqa: SLF001


def run(words: list[str], folder: Path) -> subprocess.CompletedProcess[str]:
    path = os.pathsep.join([str(REPOSITORY), str(REPOSITORY / "layers" / "core" / "python")])
    return subprocess.run(  # noqa: S603  our own command
        [sys.executable, "-m", *words],
        cwd=folder,
        env=os.environ | {"PYTHONPATH": path},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )


@pytest.fixture
def suite(tmp_path: Path) -> Path:
    (tmp_path / "test_numbers.py").write_text(BROKEN)
    (tmp_path / "conftest.py").write_text("from tests.conftest import pytest_configure")
    return tmp_path


def test_exploring_names_the_law_that_is_broken_with_the_line_that_shows_it(suite: Path) -> None:
    explored = run(["tests.prove_laws", "--seed", "7", "--minutes", "1", "."], suite)

    assert explored.returncode == 1, explored.stdout + explored.stderr
    *_, summary, line = explored.stdout.strip().splitlines()
    assert re.fullmatch(r"2 of 2 laws, \d+ examples in .* an hour\), rounds: 1, broken: 1", summary)
    _, _, *command = shlex.split(line)
    assert command[-1] == "test_numbers.py::test_a_number_is_small"
    again = run(command, suite)
    assert again.returncode == 1
    assert "number = 1000" in again.stdout
