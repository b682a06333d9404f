"""The flow along each arrow of a journey, as operators see it, adds up with who stands where."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from cli.main import app
from tests.conftest import Begins, Story
from tests.stories.shop import POLICY, served

JOURNEY = """
journey: visits
entry: {event: trial.signup, key: event.properties.trial, again: when-ended}
exit_on:
  - event: trial.cancelled
steps:
  - id: size
    branch:
      - if: data.seats > `9`
        then:
          - {id: large, wait: 1d}
      - else:
          - {id: small, set: {kind: "'small'"}}
  - id: answer
    wait_for:
      any:
        - event: visit.booked
          then:
            - {id: booked, exit: booked}
        - event: visit.declined
      timeout: 2d
      else:
        - {id: again, wait: 5d}
  - {id: the-end, wait: 30d}
"""

Json = dict[str, Any]


class Visits:
    """A local deployment with one journey; each trial is a customer of its own."""

    def __init__(self, story: Story, url: str, journeys: Path) -> None:
        self.story, self.url, self._journeys = story, url, journeys

    def happens(self, type_: str, trial: str, **properties: Any) -> None:
        of: Json = {"customer": {"user_id": trial}, "properties": {"trial": trial, **properties}}
        assert self.story.happens(type_, f"{type_}-{trial}", **of)["statusCode"] == 202

    def shown(self, query: str = "") -> Json:
        self.story.deployment.facts()  # without the minutes in which changes are gathered
        address = f"https://localhost/manage/journeys?journey=visits{query}"
        document: Json = json.loads(self.story.deployment.manage("GET", address, {}, b"", actor="ada")["body"])
        return document

    def graph(self, *words: str) -> str:
        arguments = ["graph", "visits", "--journeys", str(self._journeys), "--format", "text", "--to", self.url, *words]
        done = CliRunner().invoke(app, arguments, env={"LOGNAME": "ada"})
        assert done.exit_code == 0, done.output
        return done.stdout


@pytest.fixture
def visits(a_story: Begins, tmp_path: Path) -> Iterator[Visits]:
    (tmp_path / "policy.toml").write_text(POLICY % "", encoding="utf-8")
    folder = tmp_path / "journeys" / "visits"
    folder.mkdir(parents=True)
    (folder / "journey.yaml").write_text(JOURNEY, encoding="utf-8")
    story = a_story(tmp_path / "journeys", policy=tmp_path / "policy.toml")
    with served(story.deployment) as url:
        yield Visits(story, url, tmp_path / "journeys")


def a_week(visits: Visits) -> None:
    """Six trials: one waits as a large one, one has booked, one has declined, one is cancelled, two hear nothing."""
    for trial in ("booked", "declined", "cancelled", "silent", "silent-too"):
        visits.happens("trial.signup", trial, seats=2)
    visits.story.passes("1h")
    visits.happens("visit.booked", "booked")
    visits.happens("visit.declined", "declined")
    visits.happens("trial.cancelled", "cancelled")
    visits.story.passes("3d")
    visits.happens("trial.signup", "large", seats=20)
    visits.story.passes("1h")


def test_all_that_goes_into_a_step_goes_out_of_it_ends_there_or_stands_there(visits: Visits) -> None:
    a_week(visits)

    shown = visits.shown("&days=30")

    went = {(one["step"], way["when"]): way["went"] for one in shown["steps"] for way in one["leads_to"]}
    assert shown["flow"]["entered"] == 6
    assert went["size", "data.seats > `9`"] == 1
    assert went["size", "else"] == 5
    assert went["answer", "visit.booked"] == 1
    assert went["answer", "visit.declined"] == 1
    assert went["answer", "nothing for 2d"] == 2
    into = {shown["flow"]["first"]: shown["flow"]["entered"]}
    for one in shown["steps"]:
        for way in one["leads_to"]:
            into[way["step"]] = into.get(way["step"], 0) + way["went"]
    for one in shown["steps"]:
        out = sum(way["went"] for way in one["leads_to"])
        assert into.get(one["step"], 0) == out + one["ended"] + one["standing"], one["step"]
    assert {one["step"]: one["ended"] for one in shown["steps"] if one["ended"]} == {"answer": 1, "booked": 1}
    assert {one["step"] for one in shown["steps"] if one["standing"]} == {"large", "again", "the-end"}


def test_only_moves_of_the_days_that_are_asked_for_count(visits: Visits) -> None:
    a_week(visits)

    assert visits.shown("&days=1")["flow"]["entered"] == 1
    assert visits.shown()["flow"] is None
    assert all(way["went"] is None for one in visits.shown()["steps"] for way in one["leads_to"])


def test_another_version_has_a_flow_of_its_own(visits: Visits, tmp_path: Path) -> None:
    a_week(visits)
    before = visits.shown()["version"]
    file = tmp_path / "journeys" / "visits" / "journey.yaml"
    file.write_text(JOURNEY.replace("wait: 30d", "wait: 40d"), encoding="utf-8")

    visits.story.deployment.deploy(tmp_path / "journeys")

    assert visits.shown("&days=30")["flow"]["entered"] == 0
    assert visits.shown(f"&days=30&version={before}")["flow"]["entered"] == 6


def test_the_command_draws_the_flow_of_a_deployment(visits: Visits) -> None:
    a_week(visits)

    drawn = visits.graph()

    assert "└─ (6)" in drawn
    assert "├─ data.seats > `9` (1 · 17%)" in drawn
    assert "└─ nothing for 2d (2 · 50%)" in drawn
    assert "└─ (1)" in visits.graph("--days", "1")
