"""A playbook becomes a project's own under another name, and what the project has stays as it is."""

from pathlib import Path

import pytest
import yaml
from typer.testing import CliRunner

from authoring.defaults import default_file
from authoring.journeys.new import NewJourneyError
from authoring.playbooks import Playbook, playbook_named, playbooks
from authoring.playbooks.taking import Taken, take_playbook
from cli.main import app

SCHEMA = default_file("journey.schema.json")
BOOKING = "family-entertainment-booking"


def take(name: str, project: Path, playbook: Playbook | None = None) -> Taken:
    chosen = playbook or playbook_named(BOOKING)
    assert chosen is not None
    return take_playbook(chosen, name, project / "journeys", project, schema=SCHEMA)


def test_all_its_journeys_come_under_the_new_name_and_without_a_stamp(tmp_path: Path) -> None:
    taken = take("visit", tmp_path)

    journeys = {path.parent.name: path for path in tmp_path.glob("journeys/*/journey.yaml")}
    assert set(journeys) == {"visit", "visit-moved", "visit-offers"}
    assert all(yaml.safe_load(path.read_text("utf-8"))["journey"] == name for name, path in journeys.items())
    assert not list(tmp_path.rglob("preflight.json"))
    assert set(taken.written) == {path for path in tmp_path.rglob("*") if path.is_file()}
    assert not [path for path in taken.written if BOOKING in path.read_text("utf-8")]


def test_a_file_of_the_project_stays_and_only_missing_events_are_added(tmp_path: Path) -> None:
    (tmp_path / "journeys").mkdir()
    (tmp_path / "policy.toml").write_text('brand = "Ours"\n', encoding="utf-8")
    ours = "booking.cancelled:\n  about: Ours.\n"
    (tmp_path / "journeys/events.yaml").write_text(ours, encoding="utf-8")

    taken = take("visit", tmp_path)

    assert taken.left == [tmp_path / "policy.toml"]
    assert (tmp_path / "policy.toml").read_text("utf-8") == 'brand = "Ours"\n'
    declared = (tmp_path / "journeys/events.yaml").read_text("utf-8")
    assert declared.startswith(ours)
    assert list(yaml.safe_load(declared)) == ["booking.cancelled", "booking.confirmed", "booking.rescheduled"]
    again = take("second", tmp_path)
    assert (tmp_path / "journeys/events.yaml").read_text("utf-8") == declared
    assert tmp_path / "people.toml" in again.left


@pytest.mark.parametrize("there", ["journeys/visit", "journeys/visit-moved", "stories/visit"])
def test_nothing_is_written_where_a_part_of_it_exists(tmp_path: Path, there: str) -> None:
    (tmp_path / there).mkdir(parents=True)

    with pytest.raises(NewJourneyError, match="exists: choose another name"):
        take("visit", tmp_path)

    assert [path for path in tmp_path.rglob("*") if path.is_file()] == []


def test_a_name_of_one_word_is_changed_only_where_it_names_the_journey(tmp_path: Path) -> None:
    folder = tmp_path / "shop" / "survey"
    journey = folder / "journeys" / "survey"
    journey.mkdir(parents=True)
    text = (
        "# A survey; `cairn check survey` checks it.\n"
        "journey: survey\nentry: {event: survey.answered, unless_in: [other, survey]}\n"
        "steps: [{id: survey, wait: 1h}]\n"
    )
    (journey / "journey.yaml").write_text(text.replace("other, ", ""), encoding="utf-8")
    (folder / "journeys/samples.yaml").write_text("- profile: {first_name: Mia}\n", encoding="utf-8")
    (folder / "stories").mkdir()
    (folder / "stories/good-way.story.yaml").write_text("expect: [{journey: survey, step: survey}]\n", encoding="utf-8")
    (folder / "README.md").write_text("# A survey\n\nAsks.\n", encoding="utf-8")
    (playbook,) = playbooks(tmp_path / "shop")

    take("mine", tmp_path, playbook)

    copied = (tmp_path / "journeys/mine/journey.yaml").read_text("utf-8").splitlines()
    assert copied[1:] == [
        "# A survey; `cairn check mine` checks it.",
        "journey: mine",
        "entry: {event: survey.answered, unless_in: [mine]}",
        "steps: [{id: survey, wait: 1h}]",
    ]
    story = (tmp_path / "stories/mine/good-way.story.yaml").read_text("utf-8")
    assert story == "expect: [{journey: mine, step: survey}]\n"


def test_the_command_names_what_it_wrote_and_what_it_left(tmp_path: Path) -> None:
    (tmp_path / "policy.toml").write_text("", encoding="utf-8")

    shown = CliRunner().invoke(
        app, ["new", "visit", "--from", BOOKING, "--journeys", str(tmp_path / "journeys")], catch_exceptions=False
    )

    assert shown.exit_code == 0
    assert f"wrote {tmp_path}/journeys/visit-offers/journey.yaml" in shown.output
    assert f"left {tmp_path}/policy.toml as it is; compare it with" in shown.output


def test_every_playbook_is_listed_with_its_title() -> None:
    shown = CliRunner().invoke(app, ["playbooks"], catch_exceptions=False)
    as_json = CliRunner().invoke(app, ["playbooks", "--json"], catch_exceptions=False)

    lines = shown.output.splitlines()
    assert [line.split()[0] for line in lines] == [one.name for one in playbooks()]
    assert all(one.title in line for one, line in zip(playbooks(), lines, strict=True))
    assert [one["playbook"] for one in yaml.safe_load(as_json.output)] == [one.name for one in playbooks()]
