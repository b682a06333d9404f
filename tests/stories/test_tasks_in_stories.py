"""In a story members work on tasks, and what follows from an outcome is expected like all else."""

from collections.abc import Callable
from pathlib import Path

import pytest

from authoring.stories import load, problems_of
from infra.local.deployment import POLICY
from infra.local.scenario import RefusedError, deployed, run_scenario
from infra.local.signing import local_secrets
from tests.stories.test_tasks_of_journeys import JOURNEY, PEOPLE

STORY = """\
scenario: A lead is called
starts: 2026-03-03T15:00:00Z
for: 1h
journeys: journeys
policy: policy.toml
posts:
  - {at: 0s, event: {id: lead-1, type: lead.captured, customer: {user_id: mia, phone: "+12015550199"}}}
"""
ANOTHER = """\
  - {at: 0s, event: {id: lead-2, type: lead.captured, customer: {user_id: noor, phone: "+12015550198"}}}
"""

Run = Callable[[str], str]
"""Runs a story, and gives what differs from its expectations."""


@pytest.fixture
def story(tmp_path: Path) -> Path:
    (tmp_path / "journeys" / "lead").mkdir(parents=True)
    (tmp_path / "journeys" / "lead" / "journey.yaml").write_text(JOURNEY, encoding="utf-8")
    (tmp_path / "policy.toml").write_text(POLICY.read_text(encoding="utf-8"), encoding="utf-8")
    (tmp_path / "people.toml").write_text(PEOPLE, encoding="utf-8")
    return tmp_path / "one.story.yaml"


@pytest.fixture
def run(story: Path) -> Run:
    def run(text: str) -> str:
        story.write_text(STORY + text, encoding="utf-8")
        scenario, secrets = load(story), local_secrets({})
        with deployed(story, scenario, secrets) as made:
            return run_scenario(story, scenario, made, secrets).difference

    return run


def test_the_journey_goes_on_by_the_outcome(run: Run) -> None:
    booked = """\
orders:
  - {at: 10m, do: claim, step: call}
  - {at: 20m, do: done, step: call, outcome: booked, answers: {need: swimming}}
expect:
  - {at: 0s, kind: task, step: call, status: done, outcome: booked}
  - {at: 20m, kind: updated, step: welcome}
  - {at: 20m, kind: updated, step: end}
"""

    assert run(booked) == ""

    lost = run(booked.replace("booked, answers: {need: swimming}", "lost"))
    assert "step=call reason=first-call outcome=lost queue=sales status=done" in lost
    assert "-2026-03-03T15:20:00Z updated step=welcome  (line 13)" in lost


def test_a_task_is_handed_over_and_its_owner_is_expected(run: Run) -> None:
    handed = """\
orders:
  - {at: 10m, do: assign, step: call, to: cleo, why: she knows them}
  - {at: 20m, do: note, step: call, note: asked for the brochure}
expect:
  - {at: 0s, kind: task, step: call, owner: cleo}
"""

    assert run(handed) == ""
    assert "step=call reason=first-call queue=sales status=open owner=cleo" in run(
        handed.replace("owner: cleo}", "owner: ana}")
    )


def test_the_difference_names_what_an_expectation_asks_for(run: Run) -> None:
    difference = run("expect:\n  - {at: 0s, kind: task, step: call, tries: 1, escalated: 2}\n")

    assert "-2026-03-03T15:00:00Z task step=call tries=1 escalated=2  (line 9)" in difference
    assert difference.rstrip().endswith("tries=None escalated=None")


def test_the_customer_is_called_at_the_hour_that_they_chose(run: Run) -> None:
    callback = """\
orders:
  - {at: 10m, do: done, step: call, outcome: callback, call_at: "2026-03-03T20:00"}
  - {at: 50m, do: withdraw, step: call, why: the customer has moved away}
expect:
  - {at: 0s, kind: task, step: call, status: withdrawn, tries: 1}
"""

    assert run(callback) == ""


def test_of_several_customers_one_is_named(run: Run) -> None:
    posts = ANOTHER + "orders:\n  - {at: 10m, do: done, step: call, outcome: lost%s}\n"
    expected = """\
expect:
  - {at: 0s, kind: task, customer: mia, status: open}
  - {at: 0s, kind: task, customer: noor, outcome: lost}
"""

    assert run(posts % ", customer: noor" + expected) == ""
    with pytest.raises(RefusedError, match=r":10: several customers have a task of call: name one with `customer:`"):
        run(posts % "")


def test_a_task_that_is_not_there_is_an_error_with_its_line(run: Run) -> None:
    with pytest.raises(RefusedError, match=r"one.story.yaml:9: no task of visit is open"):
        run("orders:\n  - {at: 10m, do: claim, step: visit}\n")


def test_an_order_without_what_it_needs_is_a_problem_of_the_file(story: Path) -> None:
    orders = """\
orders:
  - {at: 1m, do: claim}
  - {at: 2m, do: done, step: call, outcom: booked}
  - {at: 3m, do: assign, step: call, to: ben}
  - {at: 4m, do: claim, step: call, call_at: "2026-03-03T20:00"}
  - {at: 5m, do: claim, step: call, customer: mai}
"""
    story.write_text(STORY + orders, encoding="utf-8")

    assert [(one.line, one.message, one.fix) for one in problems_of(story)] == [
        (
            9,
            "`do: claim` names no task",
            "Write `step:` with the step that asked for it, or `reason:` with the task's reason.",
        ),
        (10, "`do: done` has no `outcome`", "Add `outcome:`, as `cairn task done` takes it."),
        (11, "`do: assign` has no `why`", "Add `why:`, as `cairn task assign` takes it."),
        (12, "only an outcome says when the customer is called", "Write `do: done`."),
        (13, 'no post names a customer "mai"', "Did you mean mia?"),
    ]
