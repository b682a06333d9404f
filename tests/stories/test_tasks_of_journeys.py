"""A journey asks people for something and goes on by what comes of it."""

import json
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from infra.local.deployment import POLICY, local_deployment
from infra.local.signing import local_secrets
from tests.conftest import Story

FRIDAY_NIGHT = datetime(2026, 5, 23, 3, tzinfo=UTC)
"""23:00 on Friday 22 May in New York, before a weekend and Memorial Day."""
TUESDAY = datetime(2026, 5, 26, 14, tzinfo=UTC)
"""10:00 in New York."""

ADA = {"user_id": "ada", "email": "ada@example.com"}

PEOPLE = """
[calendars.office]
hours = {mon-fri = "09:00-17:00"}
time_zone = "America/New_York"
holidays = {country = "US", years = [2026, 2026]}

[queues.sales]
title = "Sales"
calendar = "office"
due = "4h"
remind = "1h"
reassign = 2
escalate_to = "managers"

[queues.sales.outcomes.booked]
title = "Booked"
event = "visit.booked"
[queues.sales.outcomes.lost]
title = "Lost"
[queues.sales.outcomes.no_answer]
title = "No answer"
again = "3h"
[queues.sales.outcomes.callback]
title = "Call back"
at_hour_of_choice = true

[queues.managers]
title = "Managers"
calendar = "office"
due = "8h"

[members.ana]
name = "Ana"
queues = ["sales"]
[members.ben]
name = "Ben"
queues = ["sales"]
[members.cleo]
name = "Cleo"
queues = ["sales"]
[members.maria]
name = "Maria"
queues = ["managers"]
"""

JOURNEY = """
journey: lead
entry: {event: lead.captured}
exit_on:
  - event: invoice.paid
steps:
  - id: call
    task:
      queue: sales
      title: Call the lead
      kind: call
      reason: first-call
      context: {page: data.page}
      at_most: 20d
      then:
        booked:
          - id: welcome
            update: {set_from: {seller: event.properties.owner, said: event.properties.answers.need}}
        lost:
          - id: gone
            exit: lost
      else:
        - id: nobody
          exit: nobody-called
  - id: end
    update: {set: {stage: visiting}}
"""


@pytest.fixture
def start() -> datetime:
    return TUESDAY


@pytest.fixture
def story(tmp_path: Path, start: datetime) -> Iterator[Story]:
    (tmp_path / "lead").mkdir()
    (tmp_path / "lead" / "journey.yaml").write_text(JOURNEY, encoding="utf-8")

    policy = tmp_path / "policy.toml"
    policy.write_text(POLICY.read_text(encoding="utf-8"), encoding="utf-8")
    (tmp_path / "people.toml").write_text(PEOPLE, encoding="utf-8")
    with local_deployment(
        tmp_path, start=start, secrets=local_secrets({}), policy=tmp_path / "policy.toml"
    ) as deployment:
        yield Story(deployment)


def asks(story: Story, do: str, task: str, **fields: Any) -> tuple[int, Any]:
    """What an operator asks, and the answer."""
    body = json.dumps({"do": do, "task": task, **fields}).encode()
    headers = {"content-type": "application/json"}
    answer = story.deployment.manage("POST", "https://localhost/manage/tasks", headers, body, actor="mia")
    story.deployment.settle()
    return answer["statusCode"], json.loads(answer["body"])


def listed(story: Story, query: str = "") -> Any:
    answer = story.deployment.manage("GET", f"https://localhost/manage/tasks?{query}", {}, actor="mia")
    return json.loads(answer["body"])["tasks"]


def captured(story: Story, **more: Any) -> str:
    """The id of the task that a lead's arrival opens."""
    story.happens("lead.captured", customer=ADA, properties={"page": "/prices"}, **more)
    (task,) = listed(story)
    return str(task["task"])


def history(story: Story) -> list[tuple[str, str, str]]:
    (task,) = story.timeline("task")
    return [(one["at"], one["what"], one.get("owner", "")) for one in task["history"]]


def profile(story: Story) -> Any:
    return story.deployment.profile("ada") if hasattr(story.deployment, "profile") else None


def moves(story: Story) -> list[tuple[str, str]]:
    kinds = ("done", "withdrawn", "timed_out", "ended", "updated")
    return [(line["kind"], line.get("outcome") or line.get("because") or "") for line in story.timeline(*kinds)]


def test_a_journey_goes_on_by_the_outcome_and_sees_who_did_it(story: Story) -> None:
    task = captured(story)
    (one,) = listed(story, "queue=sales")
    owner = one["owner"]

    assert asks(story, "claim", task, **{"as": owner})[0] == 200
    status, done = asks(story, "done", task, outcome="booked", answers={"need": "a boat"}, **{"as": owner})

    assert (status, done["status"], done["outcome"]) == (200, "done", "booked")
    assert moves(story) == [("done", "booked"), ("updated", ""), ("updated", ""), ("ended", "completed")]
    types = {line["type"]: line for line in story.timeline("event")}
    assert types["task.done"]["properties"]["owner"] == owner
    assert types["visit.booked"]["source"] == "people"
    assert listed(story) == []


def test_three_owners_say_nothing_then_it_goes_up(story: Story) -> None:
    captured(story)

    story.passes("6d")

    assert history(story) == []
