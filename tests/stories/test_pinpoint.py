"""A journey of Pinpoint with all ten activities is imported by the command, and its stories come out."""

import json
import os
import re
from pathlib import Path

import pytest
from typer.testing import CliRunner

from authoring.journeys import check
from authoring.pinpoint.activities import KINDS
from authoring.pinpoint.model import Activity
from cli.main import app

ROOT = Path(__file__).parents[2]
EXAMPLE = ROOT / "tests" / "pinpoint"
STORIES = sorted(EXAMPLE.glob("*.yaml"))
PAGE = ROOT / "docs" / "from-pinpoint.md"
SHOWN = re.compile(r"(<!-- imported: (?P<file>\S+) -->\n```(?:yaml)?\n)(?P<text>.*?)(```\n)", re.DOTALL)


@pytest.fixture(scope="module")
def journeys(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("imported")
    done = CliRunner().invoke(
        app,
        [
            "import",
            "pinpoint",
            f"{EXAMPLE}/spring-trial.json",
            "--templates",
            f"{EXAMPLE}/templates",
            "-o",
            str(folder),
        ],
    )
    assert done.exit_code == 0, done.output
    (folder / "notes").write_text(done.stdout, encoding="utf-8")
    return folder


def test_the_example_has_every_kind_of_activity() -> None:
    written = json.loads((EXAMPLE / "spring-trial.json").read_text(encoding="utf-8"))["JourneyResponse"]

    each = [Activity.model_validate(one) for one in written["Activities"].values()]

    assert {kind for kind in KINDS for one in each if getattr(one, kind)} == set(KINDS)
    assert set(KINDS) == Activity.model_fields.keys() - {"description"}


def test_the_imported_journey_passes_the_check_and_preflight(journeys: Path) -> None:
    assert check(journeys) == []

    done = CliRunner().invoke(app, ["preflight", "--journeys", str(journeys)])

    assert done.exit_code == 0, done.output


@pytest.mark.parametrize("story", STORIES, ids=lambda path: path.stem)
def test_a_story_of_the_imported_journey_comes_out(
    story: Path, journeys: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("POWERTOOLS_LOG_LEVEL", "CRITICAL")  # the command sets it for the whole process

    done = CliRunner().invoke(app, ["replay", str(story), "--journeys", str(journeys)])

    assert done.exit_code == 0, done.output


def test_the_page_shows_what_the_command_writes(journeys: Path) -> None:
    """`UPDATE_DOCS=1 make test` writes it anew."""
    text = PAGE.read_text(encoding="utf-8")

    def fresh(shown: re.Match[str]) -> str:
        return shown[1] + (journeys / shown["file"]).read_text(encoding="utf-8") + shown[4]

    updated = SHOWN.sub(fresh, text)
    if os.environ.get("UPDATE_DOCS"):
        PAGE.write_text(updated, encoding="utf-8")
    assert SHOWN.search(text)
    assert text == updated or os.environ.get("UPDATE_DOCS")
