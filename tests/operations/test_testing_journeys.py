"""docs/testing-journeys.md: its repository is built, and tested with the package that a wheel brings."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from tests.skips import UNREACHABLE

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "testing-journeys.md").read_text(encoding="utf-8")
FILES = dict(re.findall(r"^```\w+ (\S+\.\w+)\n(.*?)^```$", PAGE, re.DOTALL | re.MULTILINE))
FAILURE = re.search(r"^```text failure\n(.*?)^```$", PAGE, re.DOTALL | re.MULTILINE)


@pytest.fixture(scope="module")
def bin_(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The programs of an environment with Cairn's wheel; all else is that of this environment."""
    folder = tmp_path_factory.mktemp("installed")
    uv = [sys.executable, "-m", "uv", "--quiet"]
    built = run(ROOT, *uv, "build", "--wheel", "--out-dir", folder, ROOT)
    if built.returncode and any(reason in built.stderr for reason in UNREACHABLE):
        pytest.skip("the wheel could not be built: the package registry cannot be reached")
    assert built.returncode == 0, built.stderr
    (wheel,) = folder.glob("*.whl")
    python = folder / "venv" / "bin" / "python"
    made = run(folder, sys.executable, "-m", "venv", "--without-pip", folder / "venv")
    installed = run(folder, *uv, "pip", "install", "--no-deps", "--python", python, wheel)
    assert (made.returncode, installed.returncode) == (0, 0), made.stderr + installed.stderr
    (site,) = (folder / "venv").glob("lib/python*/site-packages")
    (site / "rest.pth").write_text(str(Path(pytest.__file__).parents[1]), encoding="utf-8")
    return python.parent


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    """The repository of the page."""
    for name, text in FILES.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(text, encoding="utf-8")
    return tmp_path


def run(repository: Path, *command: str | Path) -> subprocess.CompletedProcess[str]:
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    environment |= {"COLUMNS": "200", "PYTEST_ADDOPTS": "-p no:cacheprovider"}
    return subprocess.run(  # noqa: S603  our own commands
        command, cwd=repository, env=environment, capture_output=True, text=True, check=False
    )


def pytest_run(repository: Path, bin_: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    return run(repository, bin_ / "python", "-m", "pytest", *arguments)


def test_the_repository_of_the_page_passes_its_tests(repository: Path, bin_: Path) -> None:
    (repository / "infra").mkdir()
    (repository / "infra" / "__init__.py").touch()

    checked = run(repository, bin_ / "cairn", "check", "journeys")
    recorded = run(
        repository, bin_ / "cairn", "replay", "stories/offer.story.yaml", "--record", "stories/offer.history.json"
    )
    tested = run(repository, bin_ / "python", "-c", "import sys, pytest; sys.path.remove(''); sys.exit(pytest.main())")

    assert checked.stdout == "1 journey and the policy, no problems\n", checked.stderr
    assert recorded.returncode == 0, recorded.stderr
    assert "2 passed" in tested.stdout, tested.stdout


def test_a_failure_is_shown_as_the_page_shows_it(repository: Path, bin_: Path) -> None:
    journey = repository / "journeys" / "welcome" / "journey.yaml"
    journey.write_text(journey.read_text(encoding="utf-8").replace("wait: 2d", "wait: 3d"), encoding="utf-8")

    tested = pytest_run(repository, bin_)
    updated = run(repository, bin_ / "cairn", "replay", "stories/offer.story.yaml", "--update")
    again = pytest_run(repository, bin_)

    assert FAILURE is not None
    assert FAILURE[1] in tested.stdout
    assert "Traceback" not in tested.stdout
    assert updated.returncode == 0, updated.stderr
    assert "1 passed" in again.stdout, again.stdout


def test_the_workflow_runs_what_the_page_says() -> None:
    workflow = yaml.safe_load(FILES[".github/workflows/test.yml"])
    commands = [step["run"] for step in workflow["jobs"]["test"]["steps"] if "run" in step]

    assert commands[1:] == ["cairn check journeys", "pytest"]
    assert f"```\n{commands[0]}\n{commands[2]}\n```" in PAGE
