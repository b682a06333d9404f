"""A flood of one source is answered 429 and leaves the others alone; a limiter that fails lets through."""

import json
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from bench.calls import watched
from infra.cloud.stage import Stage
from infra.local.throttle import CDK_JSON, Limiter, stage_limiter

DEV = Stage.from_context("dev", json.loads(CDK_JSON.read_text())["context"])
KNOWN = ("track", "stripe", "shopify")


class Clock:
    """Seconds that pass when the test says so."""

    now = 0.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def limiter(clock: Clock) -> Limiter:
    stage = replace(DEV, requests_per_second=10, requests_burst=20, throttles={"stripe": [1, 3]})
    return Limiter(stage, KNOWN, clock)


def test_a_genuine_request_above_the_limit_is_refused_with_the_time_to_retry(
    story: Any, door_to: Callable[..., Any], limiter: Limiter, clock: Clock
) -> None:
    door = door_to(story.deployment, limiter)

    taken = [door.tracks(f"e{number}") for number in range(21)]
    clock.now += 0.1
    again = door.tracks("e20")

    assert [one.status_code for one in taken] == [202] * 20 + [429]
    assert taken[-1].headers["Retry-After"] == "1"
    assert taken[-1].get_json() == {"message": "Too Many Requests"}
    assert again.status_code == 202


def test_a_refused_event_left_nothing_behind_and_runs_once_after_a_redrive(
    story: Any, door_to: Callable[..., Any], limiter: Limiter, clock: Clock
) -> None:
    door = door_to(story.deployment, limiter)
    for number in range(20):
        door.tracks(f"e{number}")

    with watched(story.deployment) as calls:
        refused = door.tracks("late")
    clock.now += 1
    door.tracks("late")
    story.deployment.settle()

    assert refused.status_code == 429
    assert calls == []
    assert len(story.timeline("event")) == 21


def test_a_flood_of_one_source_leaves_the_others_alone(
    story: Any, door_to: Callable[..., Any], limiter: Limiter
) -> None:
    door = door_to(story.deployment, limiter)
    invoice = {"id": "evt_1", "object": "event", "type": "charge.updated", "created": 1, "data": {"object": {}}}

    stripe = [door.posts(invoice, "stripe").status_code for _ in range(5)]

    assert stripe[:3] == [202] * 3, "its own throttle is [1, 3]"
    assert stripe[3:] == [429] * 2
    assert door.tracks("other").status_code == 202


def test_unknown_sources_share_one_throttle(limiter: Limiter) -> None:
    waits = [limiter(f"guess-{number}") for number in range(21)]

    assert waits[:20] == [0] * 20
    assert waits[20] > 0


def test_a_limiter_that_fails_lets_through(story: Any, door_to: Callable[..., Any]) -> None:
    def broken(_: str) -> float:
        raise ConnectionError("the counter cannot be reached")

    door = door_to(story.deployment, broken)

    assert door.tracks("let through").status_code == 202


def test_a_laptop_throttles_by_the_numbers_of_the_deployment() -> None:
    limiter = stage_limiter(KNOWN)

    limiter("stripe")

    assert (
        limiter.buckets["stripe"].throttle == DEV.throttle_of("stripe") == (DEV.requests_per_second, DEV.requests_burst)
    )


def test_a_rest_fills_the_bucket_and_no_more(limiter: Limiter, clock: Clock) -> None:
    for _ in range(25):
        limiter("track")

    clock.now += 3600

    assert [limiter("track") for _ in range(21)].count(0) == 20
