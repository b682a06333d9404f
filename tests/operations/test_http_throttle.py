"""A flood from one source is answered 429 and leaves other sources alone; a broken limiter lets requests pass."""

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
    story: Any, api_of: Callable[..., Any], limiter: Limiter, clock: Clock
) -> None:
    api = api_of(story.deployment, limiter)

    answers = [api.tracks(f"e{number}") for number in range(21)]
    clock.now += 0.1
    again = api.tracks("e20")

    assert [one.status_code for one in answers] == [202] * 20 + [429]
    assert answers[-1].headers["Retry-After"] == "1"
    assert answers[-1].get_json() == {"message": "Too Many Requests"}
    assert again.status_code == 202


def test_a_refused_event_makes_no_call_and_its_retry_is_processed_once(
    story: Any, api_of: Callable[..., Any], limiter: Limiter, clock: Clock
) -> None:
    api = api_of(story.deployment, limiter)
    for number in range(20):
        api.tracks(f"e{number}")

    with watched(story.deployment) as calls:
        refused = api.tracks("late")
    clock.now += 1
    api.tracks("late")
    story.deployment.settle()

    assert refused.status_code == 429
    assert calls == []
    assert len(story.timeline("event")) == 21


def test_a_flood_of_one_source_leaves_the_others_alone(
    story: Any, api_of: Callable[..., Any], limiter: Limiter
) -> None:
    api = api_of(story.deployment, limiter)
    invoice = {"id": "evt_1", "object": "event", "type": "charge.updated", "created": 1, "data": {"object": {}}}

    stripe = [api.posts(invoice, "stripe").status_code for _ in range(5)]

    assert stripe[:3] == [202] * 3, "its own throttle is [1, 3]"
    assert stripe[3:] == [429] * 2
    assert api.tracks("other").status_code == 202


def test_unknown_sources_share_one_throttle(limiter: Limiter) -> None:
    waits = [limiter(f"guess-{number}") for number in range(21)]

    assert waits[:20] == [0] * 20
    assert waits[20] > 0


def test_a_broken_limiter_lets_requests_pass(story: Any, api_of: Callable[..., Any]) -> None:
    def broken(_: str) -> float:
        raise ConnectionError("the counter cannot be reached")

    api = api_of(story.deployment, broken)

    assert api.tracks("let through").status_code == 202


def test_the_local_deployment_throttles_by_the_numbers_of_its_stage() -> None:
    limiter = stage_limiter(KNOWN)

    limiter("stripe")

    assert (
        limiter.buckets["stripe"].throttle == DEV.throttle_of("stripe") == (DEV.requests_per_second, DEV.requests_burst)
    )


def test_idle_time_fills_the_bucket_up_to_its_burst(limiter: Limiter, clock: Clock) -> None:
    for _ in range(25):
        limiter("track")

    clock.now += 3600

    assert [limiter("track") for _ in range(21)].count(0) == 20
