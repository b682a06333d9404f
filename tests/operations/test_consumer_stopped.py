"""The receiver does not depend on later functions: it answers while they are stopped, and no event is lost."""

import time
from typing import Any

import pytest

BOUND = 1.0
"""Seconds in which a webhook is answered; the tightest vendor in use (Shopify) waits five."""


def test_the_receiver_answers_while_process_event_is_stopped_and_events_are_processed_once_after_it_starts(
    story: Any, api: Any, member: Any
) -> None:
    api.deployment.stop("process_event")
    durations = []
    for number in range(24):
        began = time.perf_counter()
        for _ in range(1 + number % 3):  # vendors deliver some of them again
            answer = api.posts({"id": f"signup-{number}", "type": "trial.signup", **member(number)})
            assert answer.status_code == 202
        durations.append((time.perf_counter() - began) / (1 + number % 3))
    story.passes("1h")
    assert story.timeline() == []
    assert story.sent() == []

    api.deployment.start("process_event")
    story.deployment.settle()

    assert len(story.timeline("event")) == 24
    assert len(story.timeline("entered")) == 24
    assert len(story.sent()) == 24
    assert sorted(durations)[int(len(durations) * 0.99)] < BOUND
    assert [api.dead_letters(queue) for queue in ("events", "wakes", "messages")] == [[], [], []]


@pytest.mark.parametrize("function", ["relay_effects", "deliver_message", "record_feedback"])
def test_the_work_of_a_stopped_function_waits_for_it(story: Any, api: Any, function: str) -> None:
    api.deployment.stop(function)
    story.signs_up()
    story.passes("1h")

    api.deployment.start(function)
    story.passes("1d")

    assert [one.channel for one in story.sent()] == ["sms", "email"]
