"""Journeys start and end one another by the events that they emit, through the whole deployment."""

from datetime import UTC, datetime
from pathlib import Path

import pytest

from tests.conftest import Begins, Story

MONDAY = datetime(2026, 3, 2, 14, tzinfo=UTC)

TRIAL = """
journey: trial
entry: {event: trial.signup}
exit_on:
  - event: plan.chosen
steps:
  - id: bought
    wait_for: {event: invoice.paid, timeout: 30d}
  - id: choose
    emit: {event: plan.chosen, properties: {plan: data.plan}}
  - id: thank
    emit: {event: referral.rewarded, properties: {by: profile.first_name}, customer: {email: data.friend}}
  - id: never
    wait: 1d
  - id: too-late
    emit: {event: trial.ended}
"""

WELCOME = """
journey: welcome
entry: {event: plan.chosen}
steps:
  - id: hello
    task: {queue: sales, title: Call them, context: {plan: data.plan}}
"""

REWARD = """
journey: reward
entry: {event: referral.rewarded, key: event.id, again: when-ended}
steps:
  - id: gift
    task: {queue: gifts, title: Send a gift, context: {from: data.by}}
"""


@pytest.fixture
def story(a_story: Begins, tmp_path: Path) -> Story:
    for written in (TRIAL, WELCOME, REWARD):
        name = written.split()[1]
        (tmp_path / name).mkdir()
        (tmp_path / name / "journey.yaml").write_text(written, encoding="utf-8")
    return a_story(tmp_path, at=MONDAY)


def test_what_one_journey_emits_starts_one_and_ends_another(story: Story) -> None:
    ada = {"user_id": "ada", "email": "ada@example.com"}
    properties = {"plan": "gold", "friend": "bo@example.com"}
    story.happens("trial.signup", customer=ada, properties=properties, attributes={"first_name": "Ada"})
    story.passes("2d")

    story.happens("invoice.paid", customer=ada)
    story.passes("3d")

    tasks = {(line["journey"], line["customer"]): line["context"] for line in story.timeline("task")}
    assert tasks == {("welcome", "ada"): {"plan": "gold"}, ("reward", "bo@example.com"): {"from": "Ada"}}
    ended = {line["journey"]: line["outcome"] for line in story.timeline("ended")}
    assert ended == {"trial": "exit_on", "welcome": "completed", "reward": "completed"}
    assert [line["event"] for line in story.timeline("emitted")] == ["plan.chosen", "referral.rewarded"]


def test_an_event_that_is_relayed_twice_happens_once(story: Story) -> None:
    ada = {"user_id": "ada", "email": "ada@example.com"}
    story.happens("trial.signup", customer=ada, properties={"plan": "gold", "friend": "bo@example.com"})
    story.happens("invoice.paid", customer=ada)

    story.deployment._stream_position = None  # noqa: SLF001  the stream begins anew
    story.deployment.settle()

    assert len(story.timeline("task")) == 2
    assert len(story.timeline("event")) == 4
