"""A broadcast keeps to the provider's rate and sends each message once; no receipt waits behind it."""

from collections import Counter
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from cairn.domain.shared.instants import instant_from_wire

POLICY = Path(__file__).parents[2] / "policy.toml"
RATE = """
[[rates]]
channel = "email"
per_second = 1
reserved = "50%"
"""
CUSTOMERS = 20
SECOND = timedelta(seconds=1)

JOURNEY = """
journey: {name}
description: Tells somebody something by e-mail.
time_zone: America/New_York
entry: {{event: {name}.wanted}}
steps:
  - id: tell
    send: {{channel: email, template: tell, purpose: {purpose}}}
"""


@pytest.fixture
def journeys(tmp_path: Path) -> Path:
    for name, purpose in (("news", "marketing"), ("receipt", "transactional")):
        templates = tmp_path / "journeys" / name / "templates"
        templates.mkdir(parents=True)
        (templates.parent / "journey.yaml").write_text(JOURNEY.format(name=name, purpose=purpose), encoding="utf-8")
        (templates / "tell.email.html").write_text(f"---\nsubject: Your {name}\n---\nHere it is.\n", encoding="utf-8")
    return tmp_path / "journeys"


def with_rate(a_story: Any, journeys: Path, rate: str) -> Any:
    policy = journeys.with_name("policy.toml")
    policy.write_text(POLICY.read_text(encoding="utf-8") + rate, encoding="utf-8")
    return a_story(journeys, policy=policy)


@pytest.fixture
def story(a_story: Any, journeys: Path) -> Any:
    """A deployment whose provider accepts one mail a second; half of that is reserved for receipts."""
    return with_rate(a_story, journeys, RATE)


def broadcasts(story: Any, member: Any) -> None:
    for number in range(1, CUSTOMERS + 1):
        story.happens("news.wanted", f"news-{number}", **member(number))


def sent(story: Any, journey: str) -> list[datetime]:
    lines = [line for line in story.timeline("message") if line["journey"] == journey and line["status"] == "sent"]
    return sorted(instant_from_wire(line["at"]) for line in lines)


def test_a_receipt_is_sent_at_once_during_a_broadcast(story: Any, member: Any) -> None:
    start = story.deployment.now()
    broadcasts(story, member)
    story.happens("receipt.wanted", **member(99))

    assert sent(story, "receipt") == [start]
    assert len(sent(story, "news")) == 1, "the others wait for their reservations"


def test_a_broadcast_keeps_to_the_rate_and_sends_each_message_once(story: Any, member: Any) -> None:
    start = story.deployment.now()
    broadcasts(story, member)
    story.passes("5m")

    instants = sent(story, "news")
    mails = Counter(mail.address for mail in story.sent())
    assert mails == {f"mia.{number}@example.com": 1 for number in range(1, CUSTOMERS + 1)}
    assert len(instants) == CUSTOMERS
    assert instants[-1] - start == pytest.approx(2 * CUSTOMERS * SECOND, abs=5 * SECOND), "half of one a second"
    assert max(Counter(instants).values()) == 1, "never two at the same instant"

    (waited,) = story.timeline("deferred", of=f"member-{CUSTOMERS}")
    assert (waited["reason"], waited["why"]) == ("rate", {"channel": "email", "place": "email"})
    (message,) = story.timeline("message", of=f"member-{CUSTOMERS}")
    assert message["at"] == waited["until"]


def test_after_an_outage_messages_with_missed_reservations_are_not_sent_all_at_once(story: Any, member: Any) -> None:
    story.deployment.stop("deliver_message")
    broadcasts(story, member)
    story.passes("1h")
    story.deployment.stopped.clear()
    story.passes("5m")
    assert max(Counter(sent(story, "news")).values()) == 1
    assert len(story.sent()) == CUSTOMERS


def test_a_reservation_far_ahead_is_used_to_the_second(a_story: Any, journeys: Path, member: Any) -> None:
    story = with_rate(a_story, journeys, RATE.replace("per_second = 1", "per_second = 0.001"))
    start = story.deployment.now()
    for number in range(1, 4):
        story.happens("news.wanted", f"news-{number}", **member(number))
    story.passes("3h")

    assert sent(story, "news") == [start, start + 1_999 * SECOND, start + 3_999 * SECOND]
