"""An appointment of Calendly that is moved again and again is one appointment, by the journey on Calendly's page."""

import json
import re
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from authoring.playbooks import playbook_named
from authoring.sources.samples import posting, sample_named
from cairn.adapters.sources import VENDORS
from infra.local.signing import LOCAL_SECRET
from tests.conftest import Begins, Story
from tests.stories.test_invites import invited

BEFORE = datetime(2026, 3, 9, 13, tzinfo=UTC)
MOVED_TWICE = ("invitee_created", "invitee_created_rescheduled", "invitee_created_rescheduled_again")
OLD = "invitee_canceled_rescheduled"
"""Calendly cancels the old appointment as well."""


@pytest.fixture
def story(a_story: Begins, tmp_path: Path) -> Story:
    page = (VENDORS / "calendly" / "README.md").read_text(encoding="utf-8")
    (journey,) = re.findall(r"```yaml\n(.*?)```", page, re.DOTALL)
    (tmp_path / "appointment-reminder").mkdir()
    (tmp_path / "appointment-reminder" / "journey.yaml").write_text(journey, encoding="utf-8")
    return a_story(tmp_path, at=BEFORE)


def posts(story: Story, sample: str, at: str = "", **changed: Any) -> None:
    document = json.loads(sample_named(f"calendly/{sample}").read_text(encoding="utf-8"))
    document["created_at"] = at or document["created_at"]
    document["payload"] |= changed
    sent = posting("calendly", document, LOCAL_SECRET, story.deployment.now())
    headers = {name.lower(): value for name, value in sent.headers.items()}
    assert story.posts(sent.body, "calendly", headers)["statusCode"] == 202
    story.deployment.settle()


def tasks(story: Story) -> list[str]:
    return [line["at"] for line in story.timeline("task")]


def test_the_reminder_follows_an_appointment_that_is_moved_twice(story: Story) -> None:
    for sample in MOVED_TWICE:
        story.passes("20h")
        posts(story, sample)
        posts(story, OLD)

    story.passes("30d")

    assert len(story.timeline("entered")) == 1
    assert [at[:16] for at in tasks(story)] == ["2026-03-25T15:00"], "a day before the last instant, and only then"


def test_a_cancellation_ends_the_journey_of_an_appointment_that_was_moved(story: Story) -> None:
    for sample in MOVED_TWICE:
        story.passes("20h")
        posts(story, sample)
    last = json.loads(sample_named(f"calendly/{MOVED_TWICE[-1]}").read_text(encoding="utf-8"))["payload"]["uri"]

    posts(story, "invitee_canceled", uri=last)
    story.passes("30d")

    assert tasks(story) == []


def test_a_move_that_arrives_before_the_booking_is_not_lost(story: Story) -> None:
    story.passes("1d")
    posts(story, MOVED_TWICE[1])
    posts(story, OLD)
    posts(story, MOVED_TWICE[0])
    story.passes("12h")
    posts(story, MOVED_TWICE[2])

    story.passes("30d")

    assert len(story.timeline("entered")) == 1
    assert [at[:16] for at in tasks(story)] == ["2026-03-25T15:00"]


def test_the_entry_in_the_calendar_is_one_through_two_moves_and_a_cancellation(a_story: Begins) -> None:
    playbook = playbook_named("appointment")
    assert playbook is not None
    story = a_story(playbook.journeys, at=BEFORE, policy=playbook.policy)
    for sample in MOVED_TWICE:
        story.passes("20h")
        posts(story, sample)
    last = json.loads(sample_named(f"calendly/{MOVED_TWICE[-1]}").read_text(encoding="utf-8"))["payload"]["uri"]
    story.passes("1h")
    posts(story, "invitee_canceled", at="2026-03-12T02:00:00Z", uri=last)

    entries = [one.event for one in invited(story)]

    assert len({str(one["UID"]) for one in entries}) == 1
    assert [str(one["STATUS"]) for one in entries] == ["CONFIRMED", "CONFIRMED", "CONFIRMED", "CANCELLED"]
    assert [int(one["SEQUENCE"]) for one in entries] == sorted({int(one["SEQUENCE"]) for one in entries})
    assert story.timeline("ended")
