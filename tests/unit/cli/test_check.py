"""`cairn check`: problems end it, warnings do not, and --report says what is proven."""

import json
import re
from pathlib import Path
from typing import Any

import pytest
from click.testing import Result
from typer.testing import CliRunner

from cli.main import app

CALM = """\
journey: calm
entry: {event: visit.booked}
steps:
  - id: hello
    send: {channel: email, template: hello, purpose: marketing}
  - id: next-day
    wait: 1d
"""

REPEATS = """\
journey: calm
entry: {event: visit.booked}
steps:
  - id: every-hour
    repeat:
      times: 3
      every: 1h
      steps: [{id: again, send: {channel: email, template: hello, purpose: marketing}}]
"""

EAGER = """\
journey: eager
entry: {event: visit.booked, key: event.properties.id}
steps:
  - id: first
    send: {channel: sms, template: hello, purpose: marketing}
  - id: asked
    wait_for:
      event: visit.cancelled
      timeout: 2d
      then:
        - id: second
          send: {channel: sms, template: hello, purpose: marketing}
  - id: third
    send: {channel: sms, template: hello, purpose: marketing}
  - id: on-the-day
    wait: {until: data.visit_at}
"""


@pytest.fixture(autouse=True)
def vendors_without_problems(monkeypatch: pytest.MonkeyPatch) -> None:
    """Their samples take seconds, and have tests of their own."""
    monkeypatch.setattr("authoring.project.all_problems", lambda _: [])


@pytest.fixture
def root(tmp_path: Path) -> Path:
    for name, text, file, template in (
        ("calm", CALM, "hello.email.html", "---\nsubject: Hello\n---\nHello"),
        ("eager", EAGER, "hello.sms.txt", "Hello"),
    ):
        (tmp_path / name / "templates").mkdir(parents=True)
        (tmp_path / name / "journey.yaml").write_text(text, encoding="utf-8")
        (tmp_path / name / "templates" / file).write_text(template, encoding="utf-8")
    return tmp_path


def checked(root: Path, *options: str) -> Result:
    return CliRunner().invoke(app, ["check", str(root), *options], catch_exceptions=False)


def said(result: Result, root: Path) -> list[str]:
    return [line.replace(f"{root}/", "") for line in result.stdout.splitlines()]


CLASH = (
    "warning: calm/journey.yaml:4: step hello: eager answers visit.booked too: its step first and this one may come at "
    "once; the policy has a cooldown of 1h, so one of them has to wait. Let one of them wait longer, or give their "
    "entries a `where` that only one of them meets."
)
MANY = (
    "warning: eager/journey.yaml:13: step third: more marketing messages a day than the policy's 2: first, second and "
    "third may come at once, so the gate will hold this one back. Let 1d pass from first to this step, send less, or "
    "change the cap in policy.toml."
)


WRONG = '"a day" is not a duration. Write a number and a unit (s, m, h, d, w), such as 30m, 2d or 1h30m.'


def test_warnings_name_their_step_and_how_to_mend_it_and_do_not_fail(root: Path) -> None:
    result = checked(root)

    assert said(result, root) == [CLASH, MANY, "2 journeys and the policy, no problems, 2 warnings"]
    assert result.exit_code == 0


def test_a_message_of_a_later_pass_is_warned_about_where_it_is_written(root: Path) -> None:
    (root / "calm/journey.yaml").write_text(REPEATS, encoding="utf-8")

    _, warning, *_ = said(checked(root), root)

    assert warning.startswith("warning: calm/journey.yaml:8: step again: more marketing messages a day than the ")
    assert "again, again-2 and again-3 may come within 2h" in warning


def test_with_strict_a_warning_fails(root: Path) -> None:
    assert checked(root, "--strict").exit_code == 1
    (root / "eager/journey.yaml").write_text(CALM.replace("calm", "eager").replace("visit", "trip"), encoding="utf-8")
    (root / "eager/templates/hello.sms.txt").unlink()
    (root / "eager/templates/hello.email.html").write_text("---\nsubject: Hello\n---\nHello", encoding="utf-8")
    assert checked(root, "--strict").exit_code == 0
    assert json.loads(checked(root, "--report", "--json").stdout)["shared_events"] == []


def test_messages_that_are_a_day_apart_are_not_two_in_a_day(root: Path) -> None:
    again = "  - id: again\n    send: {channel: email, template: hello, purpose: marketing}\n"
    (root / "calm/journey.yaml").write_text(CALM + again, encoding="utf-8")

    assert re.search(r"^calm +1  1 / 2 / 2  1 / 2 / 2 ", checked(root, "--report").stdout, re.MULTILINE)


def test_a_problem_leaves_no_room_for_warnings(root: Path) -> None:
    (root / "calm/journey.yaml").write_text(CALM.replace("1d", "a day"), encoding="utf-8")

    result = checked(root, "--report")

    assert result.exit_code == 1
    assert [line.split(": ") for line in said(result, root)] == [["calm/journey.yaml:7", "step next-day, wait", WRONG]]


def test_the_report_has_a_line_for_each_journey_and_what_its_figures_do_not_say(root: Path) -> None:
    lines = said(checked(root, "--report"), root)

    heads, calm, eager = (re.split(r" {2,}", line.strip()) for line in lines[:3])
    assert heads == ["journey", "paths", "messages", "marketing", "longest", "enters again", "USD"]
    assert calm[:6] == ["calm", "1", "1 / 1 / 1", "1 / 1 / 1", "1d", "never"]
    assert eager[:6] == [
        "eager",
        "2",
        "3 / 3 / 3",
        "3 / 3 / 3",
        "by its dates",
        "each key",
    ]
    text = " ".join(lines)
    assert "eager: how long it takes depends on on-the-day: data.visit_at" in text
    assert "visit.booked: calm and eager answer it, with at most 4 messages within 24 hours" in text
    assert lines[-3:] == [CLASH, MANY, "2 journeys and the policy, no problems, 2 warnings"]


def test_the_report_is_json_too(root: Path) -> None:
    document: dict[str, Any] = json.loads(checked(root, "--report", "--json").stdout)

    calm, eager = document["journeys"]
    assert calm["usd"]["least"] == calm["usd"]["most"] > 0
    assert (calm["longest_seconds"], eager["longest_seconds"]) == (86_400, None)
    assert eager["waits_for_dates"] == ["on-the-day: data.visit_at"]
    assert eager["by_channel"] == [{"purpose": "marketing", "channel": "sms", "day": 3, "week": 3, "enrollment": 3}]
    assert eager["hints"][-1] == "marketing messages by sms need a recorded consent, and no message here asks for one"
    assert document["shared_events"] == [
        {"event": "visit.booked", "journeys": ["calm", "eager"], "messages_in_a_day": 4}
    ]
    assert [(one["line"], one["step"]) for one in document["warnings"]] == [(4, "hello"), (13, "third")]


def test_json_needs_a_report(root: Path) -> None:
    result = checked(root, "--json")

    assert result.exit_code == 2
    assert "--report" in result.output


def test_a_mistyped_endpoint_is_a_problem_of_a_journey_that_is_checked_alone_too(tmp_path: Path) -> None:
    policy = tmp_path / "policy.toml"
    own = (Path(__file__).parents[3] / "policy.toml").read_text(encoding="utf-8")
    policy.write_text(f'{own}\n[[subscribers]]\nname = "till"\nurl = "https://till.example.com"\nsecret = "till"\n')
    journey = tmp_path / "asks" / "journey.yaml"
    journey.parent.mkdir()
    asks = "journey: asks\nentry: {event: visit.booked}\nsteps:\n  - {id: ask, webhook: {endpoint: %s}}\n"

    def checked(endpoint: str) -> Result:
        journey.write_text(asks % endpoint)
        return CliRunner().invoke(app, ["check", str(journey.parent), "--policy", str(policy)])

    assert checked("till").exit_code == 0
    mistyped = checked("tll")
    assert mistyped.exit_code == 1
    line = "journey.yaml:4: step ask, webhook.endpoint: "
    assert f'{line}policy.toml has no subscriber "tll". Did you mean till?' in mistyped.output


PEOPLE = """
[queues.sales]
title = "Sales"
[queues.sales.outcomes.booked]
title = "Booked"
event = "visit.booked"
[members.ana]
name = "Ana"
queues = ["sales"]
"""
LEADS = """
[[pipelines]]
pipeline = "kitchens"
[[pipelines.stages]]
stage = "new"
event = "form.sent"
queue = "sales"
goal = "visit.booked"
[score]
hot = 10
cool = 5
[[groups]]
group = "fit"
[[points]]
rule = "came"
group = "fit"
when = "seen('visit.booked')"
points = 5
"""
CALLS = """\
journey: calls
entry: {event: form.sent}
steps:
  - id: call
    task:
      queue: sales
      title: Call
      script: first
      then:
        booked: []
"""
SCRIPT = """\
script: first
title: First
kind: interactive
lines:
  - {id: hello, say: Hello., end: booked}
"""
DECLARED = """\
form.sent: {about: A form.}
visit.booked: {about: A visit.}
"""
MISTYPED = [
    ("leads.toml", "form.sent", "frm.sent", "leads.toml:6: pipelines[0].stages[0].event: no event frm.sent"),
    (
        "leads.toml",
        'goal = "visit.booked"',
        'goal = "visit.boked"',
        "leads.toml:8: pipelines[0].stages[0].goal: no event",
    ),
    (
        "leads.toml",
        'queue = "sales"',
        'queue = "slaes"',
        "leads.toml:7: pipelines[0].stages[0].queue: people.toml has no",
    ),
    (
        "leads.toml",
        "seen('visit.booked')",
        "seen('visit.boked')",
        "leads.toml:17: points[0].when: no event visit.boked",
    ),
    ("people.toml", "visit.booked", "visit.boked", "people.toml:6: queues.sales.outcomes.booked.event: no event"),
    (
        "calls/journey.yaml",
        "queue: sales",
        "queue: slaes",
        "journey.yaml:6: step call, task.queue: people.toml has no queue",
    ),
    (
        "calls/journey.yaml",
        "booked: []",
        "boked: []",
        'journey.yaml:10: step call, task.then.boked: the outcome "boked" can',
    ),
    (
        "_scripts/first.yaml",
        "end: booked",
        "end: boked",
        "first.yaml:5: lines[0].end: calls/call reads this script in the",
    ),
]


@pytest.mark.parametrize(("file", "right", "wrong", "said"), MISTYPED, ids=[one[3] for one in MISTYPED])
def test_a_mistyped_name_is_a_problem_of_the_line_where_it_stands(
    tmp_path: Path, file: str, right: str, wrong: str, said: str
) -> None:
    policy, journeys = tmp_path / "policy.toml", tmp_path / "journeys"
    texts = {
        policy: (Path(__file__).parents[3] / "policy.toml").read_text(encoding="utf-8"),
        tmp_path / "people.toml": PEOPLE,
        tmp_path / "leads.toml": LEADS,
        journeys / "calls" / "journey.yaml": CALLS,
        journeys / "_scripts" / "first.yaml": SCRIPT,
        journeys / "events.yaml": DECLARED,
    }
    for path, text in texts.items():
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")

    def checked(what: Path) -> Result:
        return CliRunner().invoke(app, ["check", str(what), "--policy", str(policy)])

    assert checked(journeys).exit_code == 0, checked(journeys).output
    path = next(one for one in texts if str(one).endswith(file))
    path.write_text(texts[path].replace(right, wrong, 1), encoding="utf-8")

    found = checked(journeys)

    assert found.exit_code == 1
    assert said in found.output.replace(f"{tmp_path}/", "")


def test_without_people_only_done_may_come_of_a_task(tmp_path: Path) -> None:
    policy, journey = tmp_path / "policy.toml", tmp_path / "journeys" / "calls" / "journey.yaml"
    policy.write_text((Path(__file__).parents[3] / "policy.toml").read_text(encoding="utf-8"), encoding="utf-8")
    journey.parent.mkdir(parents=True)

    def checked(text: str) -> Result:
        journey.write_text(text.replace("      script: first\n", ""), encoding="utf-8")
        return CliRunner().invoke(app, ["check", str(tmp_path / "journeys"), "--policy", str(policy)])

    assert 'the outcome "booked" can never come: without people.toml' in checked(CALLS).output
    assert checked(CALLS.replace("booked: []", "done: []")).exit_code == 0
