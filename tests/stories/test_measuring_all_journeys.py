"""All journeys together against the customers who enter none, and the stages of a business, by the real handlers."""

import json
from pathlib import Path
from typing import Any

from typer.testing import CliRunner

from cairn.adapters.documents.policy import policy_at
from cairn.domain.customer import overall
from cairn.domain.policy import EVERY_JOURNEY
from cli.main import app
from tests.conftest import Begins
from tests.stories.shop import CONSENTED, POLICY, served

MORE = """
[holdout]
share = "30%"
goal = {event = "order.paid", within = "7d", value = {amount = "event.properties.total", currency = "'USD'"}}

[[kpis]]
stage = "awareness"
events = ["visit.missed"]

[[kpis]]
stage = "purchase"
events = ["order.paid"]
"""
NEWS = """\
journey: come-back
description: A text.
entry: {event: visit.missed, again: when-ended}
steps:
- id: note
  send: {channel: sms, template: note, purpose: marketing}
"""
PEOPLE = 60


def test_all_journeys_are_measured_against_who_enters_none(a_story: Begins, tmp_path: Path) -> None:
    folder, policy = tmp_path / "journeys" / "come-back", tmp_path / "policy.toml"
    (folder / "templates").mkdir(parents=True)
    (folder / "journey.yaml").write_text(NEWS)
    (folder / "templates" / "note.sms.txt").write_text("Northside: come and see us. Reply STOP to stop.")
    policy.write_text(POLICY % "" + MORE)
    story = a_story(tmp_path / "journeys", policy=policy)
    made = story.deployment

    def happens(type_: str, person: int, number: int = 0, **event: Any) -> None:
        who = {"user_id": f"person-{person}", "phone": f"+1212555{person:04}"}
        about = {"attributes": {"time_zone": "America/New_York", "region": "NY"}, "consent": CONSENTED}
        story.happens(type_, f"{type_}-{person}-{number}", customer=who, **about, **event)

    for person in range(PEOPLE):
        happens("visit.missed", person)
    holdout = policy_at(made.catalogue.with_name("policy.json")).holdout
    assert holdout is not None
    ids = {person: made.customer_ids(f"person-{person}")[0] for person in range(PEOPLE)}
    left_out = {person for person, id_ in ids.items() if overall.is_left_out(holdout, id_)}
    assert 0 < len(left_out) < PEOPLE
    assert len(story.sent()) == PEOPLE - len(left_out)
    assert {line["journey"] for line in made.timeline(ids[min(left_out)]) if line["kind"] == "held_out"} == {
        EVERY_JOURNEY
    }
    story.passes("1d")
    for person in range(PEOPLE):
        happens("visit.missed", person, 1)
    entered = [one["journey"] for one in made.facts() if one["kind"] in {"entered", "held_out"}]
    assert entered.count(EVERY_JOURNEY) == PEOPLE, "each customer is drawn once"
    for person in range(0, PEOPLE, 3):
        for number in range(2):
            happens("order.paid", person, number, properties={"total": 500})
    story.passes("9d")
    made.facts()

    found = json.loads(made.manage("GET", "/manage/measures", {}, actor="arn:aws:iam::123456789012:user/ada")["body"])

    bought = set(range(0, PEOPLE, 3))
    assert found["journey"] == EVERY_JOURNEY
    for arm, people in (("holdout", left_out), ("treated", set(range(PEOPLE)) - left_out)):
        assert found[arm]["entered"] == found[arm]["customers"] == len(people)
        assert found[arm]["converted"] == len(people & bought)
        assert found[arm]["value"] == 1000 * len(people & bought), "all that was bought within the window"
    assert found["cost"] is None or found["cost"]["messages"] >= 0
    with served(made) as url:
        shown = CliRunner().invoke(app, ["measure", "--to", url]).stdout
        stages = CliRunner().invoke(app, ["report", "kpis", "--to", url]).stdout
    assert "all journeys" in shown
    assert [line.split()[:4] for line in stages.splitlines()[2:4]] == [
        ["awareness", "60", "120", "20"],
        ["purchase", "20", "40", "0"],
    ]


def test_without_a_name_the_reports_are_listed_and_without_a_holdout_nothing_is_measured(a_story: Begins) -> None:
    listed = CliRunner().invoke(app, ["report"], env={"COLUMNS": "200"}).stdout
    assert [line.split()[0] for line in listed.splitlines()][:3] == ["kpis", "funnel", "deliveries"]

    story = a_story()
    with served(story.deployment) as url:
        asked = CliRunner().invoke(app, ["measure", "--to", url])
    assert asked.exit_code != 0
    assert "[holdout]" in asked.output
