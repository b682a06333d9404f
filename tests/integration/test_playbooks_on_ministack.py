"""The main stories of three playbooks with their table in MiniStack: a store and a stream that others wrote."""

from collections.abc import Iterator

import pytest

from authoring.stories import load
from bench.dynamodb_local import table_at
from infra.local.scenario import deployed, run_scenario
from infra.local.signing import local_secrets
from prove.stories import business_of, story_named
from tests.ministack import ministack

THREE = ["fitness-trial-to-paid", "retail-cart-to-loyalty", "payment-failure-rescue"]


@pytest.fixture
def endpoint() -> Iterator[str]:
    with ministack({}) as found:
        yield found


@pytest.mark.parametrize("playbook", THREE)
def test_a_playbook_comes_out_the_same(endpoint: str, playbook: str) -> None:
    path = story_named(playbook)
    scenario, secrets = load(path), local_secrets({})

    with table_at(endpoint), deployed(path, scenario, secrets, same_ids=True, **business_of(path)) as made:
        came_out = run_scenario(path, scenario, made, secrets)

    assert came_out.difference == ""
