"""The examples of docs/audiences.md: the file and its journey pass the check, and the commands run in order."""

import re
import shlex
from collections.abc import Iterator
from pathlib import Path

import pytest
from typer.testing import CliRunner

from authoring.audiences import FILE, check_audiences
from cli.main import app
from tests.conftest import Begins, Story
from tests.stories.shop import POLICY, served

PAGE = (Path(__file__).parents[2] / "docs" / "audiences.md").read_text(encoding="utf-8")
(AUDIENCES,) = re.findall(r"^```toml audiences\n(.*?)^```$", PAGE, re.DOTALL | re.MULTILINE)
(JOURNEY,) = re.findall(r"^```yaml\n(.*?)^```$", PAGE, re.DOTALL | re.MULTILINE)
COMMANDS = "".join(re.findall(r"^```sh audiences\n(.*?)^```$", PAGE, re.DOTALL | re.MULTILINE)).splitlines()
LOOK = "steps:\n  - {id: look, wait: 1d}\n"


@pytest.fixture
def served_story(a_story: Begins, tmp_path: Path) -> Iterator[tuple[Story, str]]:
    (tmp_path / FILE).write_text(AUDIENCES, encoding="utf-8")
    (tmp_path / "policy.toml").write_text(POLICY % "", encoding="utf-8")
    folder = tmp_path / "journeys" / "welcome-investors"
    folder.mkdir(parents=True)
    (folder / "journey.yaml").write_text(JOURNEY + LOOK, encoding="utf-8")
    story = a_story(tmp_path / "journeys", policy=tmp_path / "policy.toml")
    with served(story.deployment) as url:
        yield story, url


def test_the_file_passes_the_check(tmp_path: Path) -> None:
    (tmp_path / FILE).write_text(AUDIENCES, encoding="utf-8")

    assert check_audiences(tmp_path / FILE) == []


def test_the_commands_run_and_the_journey_starts(
    served_story: tuple[Story, str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    story, url = served_story
    monkeypatch.chdir(tmp_path)
    about = {"tags": ["investor"], "district": "75011", "budget_from": 1_000_000, "budget_to": 1_500_000}
    story.happens("profile.stated", customer={"user_id": "ada"}, attributes=about)

    assert [line["journey"] for line in story.timeline("entered")] == ["welcome-investors"]
    outputs = {}
    for line in COMMANDS:
        _, *words = shlex.split(line)
        done = CliRunner().invoke(app, [*words, "--to", url], env={"LOGNAME": "ada"})
        assert done.exit_code == 0, (line, done.output)
        outputs[line] = done.stdout
    assert outputs["cairn audience count investors --partition 75011 --value 1200000"] == "1\n"
    assert (tmp_path / "investors.csv").is_file()
