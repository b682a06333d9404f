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
(ABOUT,) = re.findall(r"^```json about\n(.*?)^```$", PAGE, re.DOTALL | re.MULTILINE)
(BROADCAST,) = re.findall(r"^```yaml broadcast\n(.*?)^```$", PAGE, re.DOTALL | re.MULTILINE)
ORDERS = "".join(re.findall(r"^```sh broadcast\n(.*?)^```$", PAGE, re.DOTALL | re.MULTILINE)).splitlines()
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
    offer = tmp_path / "journeys" / "spring-offer"
    offer.mkdir()
    (offer / "journey.yaml").write_text(BROADCAST, encoding="utf-8")
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


def test_the_event_about_a_thing_reaches_the_member(served_story: tuple[Story, str]) -> None:
    story, _ = served_story
    about = {"tags": ["investor"], "district": "75011", "budget_from": 1_000_000, "budget_to": 1_500_000}
    story.happens("profile.stated", customer={"user_id": "ada"}, attributes=about)

    assert story.posts(ABOUT.encode())["statusCode"] == 202
    story.passes("1m")

    events = [line for line in story.timeline("event", of="ada") if line["type"] == "listing.created"]
    assert [line["properties"] for line in events] == [{"listing": "4711", "price": 1_200_000}]


def test_the_orders_of_a_broadcast_run_one_after_the_other(served_story: tuple[Story, str]) -> None:
    story, url = served_story
    story.happens("profile.stated", customer={"user_id": "ada"}, attributes={"tags": ["investor"], "budget_from": 5})
    this = ""
    for line in ORDERS:
        _, *words = shlex.split(line.replace('"$BROADCAST"', this))
        done = CliRunner().invoke(app, [*words, "--to", url], env={"LOGNAME": "ada"})
        assert done.exit_code == 0, (line, done.output)
        this = this or done.output.split()[0]
        story.passes("1m")
    assert "stopped: journey spring-offer to investors" in done.output
