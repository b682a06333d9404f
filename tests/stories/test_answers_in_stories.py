"""A story says what the endpoints of its webhooks answer: the example of docs/scenarios.md, and what it says of it."""

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from authoring.stories import Answer, InvalidScenarioError, load
from infra.local.answers import NOBODY_ANSWERS, Endpoints
from infra.local.deployment import POLICY
from infra.local.scenario import deployed, run_scenario
from infra.local.signing import local_secrets
from tests.stories.test_webhooks_of_journeys import JOURNEY

DOCS = (Path(__file__).parents[2] / "docs" / "scenarios.md").read_text(encoding="utf-8")
SHOP = '[[subscribers]]\nname = "shop"\nurl = "https://shop.example.com"\nsecret = "shop"\nconsent = false\n'

Run = Callable[[str], str]
"""Runs a story beside the journey `cart`, and gives what differs from its expectations."""


@pytest.fixture
def run(tmp_path: Path) -> Run:
    (tmp_path / "journeys" / "cart").mkdir(parents=True)
    (tmp_path / "journeys" / "cart" / "journey.yaml").write_text(JOURNEY, encoding="utf-8")
    (tmp_path / "policy.toml").write_text(POLICY.read_text(encoding="utf-8") + SHOP, encoding="utf-8")

    def run(text: str) -> str:
        path = tmp_path / "one.story.yaml"
        path.write_text(text, encoding="utf-8")
        scenario, secrets = load(path), local_secrets({})
        with deployed(path, scenario, secrets) as made:
            return run_scenario(path, scenario, made, secrets).difference

    return run


def test_the_example_of_the_docs_runs(run: Run) -> None:
    (example,) = re.findall(r"^```yaml story\n(.*?)^```$", DOCS, re.DOTALL | re.MULTILINE)

    assert run(example) == ""
    assert "queue=sales" in run(example.replace("status: 410", "body: {code: FREE}"))


@pytest.mark.parametrize(
    ("answers", "expected"),
    [
        ("[]", "{at: 0s, kind: task, queue: shop}"),
        ("[{endpoint: shop, where: type == 'other'}]", "{at: 0s, kind: task, queue: shop}"),
        ("[{endpoint: shop, status: 503}]", "{at: 37m, kind: task, queue: shop}"),
        (
            "[{endpoint: shop, fails: true, times: 2}, {endpoint: shop, body: {code: LATE}}]",
            """{at: 37m, kind: task, queue: sales, context: "{'coupon': 'LATE'}"}""",
        ),
    ],
)
def test_a_post_is_answered_refused_or_tried_in_vain(run: Run, answers: str, expected: str) -> None:
    event = "{id: cart-1, type: cart.abandoned, customer: {user_id: mia}, properties: {total: 120}}"
    story = "scenario: A cart\nstarts: 2026-03-02T14:00:00Z\nfor: 1d\njourneys: journeys\npolicy: policy.toml\n"

    assert run(f"{story}posts: [{{at: 0s, event: {event}}}]\nanswers: {answers}\nexpect: [{expected}]\n") == ""


def test_an_endpoint_that_the_policy_does_not_have_is_named_with_its_line(run: Run) -> None:
    story = "scenario: A typo\nstarts: 2026-03-02T14:00:00Z\nfor: 1d\npolicy: policy.toml\nposts: []\nanswers:\n"

    with pytest.raises(InvalidScenarioError) as refused:
        run(f"{story}  - {{endpoint: shop}}\n  - {{endpoint: shopp}}\n")

    (problem,) = refused.value.problems
    assert (problem.line, problem.field, problem.fix) == (8, "answers[1].endpoint", "Did you mean shop?")


def answered(endpoints: Endpoints, *posts: str, document: Any = None) -> list[int]:
    return [endpoints.answer("shop", post, document).status for post in posts]


def test_each_post_begins_at_the_first_answer_and_stays_at_the_last() -> None:
    endpoints = Endpoints([Answer(endpoint="shop", status=503, times=2), Answer(endpoint="shop", status=500)])

    assert answered(endpoints, "a", "a", "b", "a", "b", "a") == [503, 503, 503, 500, 503, 500]


def test_a_post_that_was_taken_and_comes_again_has_the_same_answer() -> None:
    endpoints = Endpoints([Answer(endpoint="shop", status=201), Answer(endpoint="shop", status=410)])

    assert answered(endpoints, "a", "a", "b") == [201, 201, 201]


def test_only_what_fits_the_post_and_its_endpoint_counts() -> None:
    endpoints = Endpoints([Answer(endpoint="crm"), Answer(endpoint="shop", where="data.customer == 'mia'", status=202)])

    assert answered(endpoints, "a", document={"data": {"customer": "mia"}}) == [202]
    assert answered(endpoints, "b", document={"data": {"customer": "noor"}}) == [NOBODY_ANSWERS.status]
