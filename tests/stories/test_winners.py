"""Arms are counted, a winner is chosen by a person or by the rule, and caps refuse, through the whole deployment."""

import json
from collections import Counter
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest

from authoring.drawing.counts import counts_of
from cairn.adapters.dynamodb.arm_counts import DynamoArmCounts
from cairn.domain.journey.arms import ArmOutcome
from tests.conftest import Begins, Story

MONDAY = datetime(2026, 3, 2, 14, tzinfo=UTC)
CUSTOMERS = 24

OFFER = """
journey: offer
entry: {event: visit.booked, again: when-ended}
goal: {event: order.placed, within: 30d}
steps:
  - id: a-day
    wait: 1d
  - id: which
    split:
      winner: WINNER
      arms:
        - {arm: gift, weight: 1}
        - {arm: discount, weight: 1}
"""

CALLS = """
journey: calls
entry: {event: call.wanted, again: when-ended, key: event.properties.id, at_most: 3 per day, per_customer: 2 in 7d}
steps:
  - id: call
    task: {queue: sales, title: Call them back}
"""


def deployed(a_story: Begins, folder: Path, winner: str) -> Story:
    for name, written in (("offer", OFFER.replace("WINNER", winner)), ("calls", CALLS)):
        (folder / name).mkdir()
        (folder / name / "journey.yaml").write_text(written, encoding="utf-8")
    return a_story(folder, at=MONDAY)


@pytest.fixture
def story(a_story: Begins, tmp_path: Path) -> Story:
    return deployed(a_story, tmp_path, "person")


def books(story: Story, *numbers: int, visit: int = 1) -> None:
    """Each visit is reported twice."""
    for number in numbers:
        for _ in range(2):
            story.happens("visit.booked", f"visit-{visit}-{number}", customer={"user_id": f"u-{number}"})


def orders(story: Story, *numbers: int) -> None:
    for number in numbers:
        for _ in range(2):
            story.happens("order.placed", f"order-{number}", customer={"user_id": f"u-{number}"})


def asks(story: Story, method: str, **fields: Any) -> tuple[int, Any]:
    query = "?journey=offer" if method == "GET" else ""
    url, body = f"https://localhost/manage/splits{query}", json.dumps(fields).encode() if fields else b""
    answer = story.deployment.manage(method, url, {}, body, actor="mia")
    return answer["statusCode"], json.loads(answer["body"])


def counts(story: Story) -> dict[str, tuple[int, int]]:
    (split,) = asks(story, "GET")[1]["splits"]
    return {one["arm"]: (one["entered"], one["reached"]) for one in split["arms"]}


def standing(story: Story) -> Counter[str]:
    """How many stand where, from all pages."""
    found, after = Counter[str](), ""
    while after is not None:
        url = f"https://localhost/manage/standing?journey=offer&after={quote(after)}"
        page = json.loads(story.deployment.manage("GET", url, {}, b"", actor="mia")["body"])
        found.update({one["step"]: one["count"] for one in page["counts"]})
        after = page["after"]
    return found


def arms(story: Story) -> dict[str, list[str]]:
    """The arms of each customer, one after the other."""
    found: dict[str, list[str]] = {}
    for number in range(3 * CUSTOMERS):
        lines = story.timeline("split", of=f"u-{number}") if story.deployment.customer_ids(f"u-{number}") else []
        found |= {f"u-{number}": [line["arm"] for line in lines]} if lines else {}
    return found


def test_the_counts_are_those_of_the_timeline_each_customer_once(story: Story) -> None:
    books(story, *range(CUSTOMERS))
    story.passes("2d")
    books(story, *range(0, CUSTOMERS, 2), visit=2)
    story.passes("2d")
    orders(story, *range(0, CUSTOMERS, 3))

    first = {customer: had[0] for customer, had in arms(story).items()}
    entered, reached = Counter(first.values()), Counter(first[f"u-{number}"] for number in range(0, CUSTOMERS, 3))
    assert counts(story) == {arm: (entered[arm], reached[arm]) for arm in ("gift", "discount")}
    assert all(len(set(had)) == 1 for had in arms(story).values())


def test_who_stands_where_is_what_the_timeline_says(story: Story) -> None:
    books(story, *range(6))
    story.passes("1d12h")
    books(story, *range(4, 12), visit=2)
    story.happens("call.wanted", "call-1", customer={"user_id": "u-1"}, properties={"id": "1"})

    assert standing(story) == counts_of(story.timeline(), "offer") == {"a-day": 8}
    story.passes("1d12h")
    assert standing(story) == counts_of(story.timeline(), "offer") == {}


def test_a_goal_before_the_split_counts_for_no_arm(story: Story) -> None:
    books(story, 1)
    orders(story, 1)
    story.passes("2d")

    assert set(counts(story).values()) == {(0, 0)}


def test_after_the_choice_new_customers_get_the_arm_and_the_others_stay(story: Story) -> None:
    books(story, *range(CUSTOMERS))
    story.passes("2d")
    before, counted = arms(story), counts(story)
    assert asks(story, "POST", do="choose", journey="offer", step="which", arm="gift", why="sells more")[0] == 200
    story.passes("1m")

    books(story, *range(2 * CUSTOMERS), visit=2)
    story.passes("2d")

    after = arms(story)
    assert all(after[customer] == had * 2 for customer, had in before.items())
    assert {arm for customer, had in after.items() if customer not in before for arm in had} == {"gift"}
    assert counts(story) == counted
    assert [line["because"] for line in story.timeline("split", of=f"u-{CUSTOMERS}")] == ["chosen"]

    assert asks(story, "POST", do="reopen", journey="offer", step="which", why="sells less")[0] == 200
    story.passes("1m")
    books(story, *range(3 * CUSTOMERS), visit=3)
    story.passes("2d")

    newest = [had for customer, had in arms(story).items() if customer not in after]
    assert {arm for had in newest for arm in had} == {"gift", "discount"}
    assert all(had == [had[0]] * len(had) for had in arms(story).values())
    audited = story.deployment.manage("GET", "https://localhost/manage/audit", {}, b"", actor="mia")
    assert [one["what"] for one in json.loads(audited["body"])["entries"]][:2] == ["reopen", "choose"]


def test_what_there_is_not_is_refused_with_what_was_meant(story: Story) -> None:
    status, problem = asks(story, "POST", do="choose", journey="offer", step="which", arm="gfit", why="x")

    assert (status, problem["detail"]) == (404, "which has no arm gfit that customers get; did you mean gift?")
    assert asks(story, "POST", do="reopen", journey="offer", step="which", why="x")[0] in {400, 409}
    assert asks(story, "POST", do="reopen", journey="offer", step="which", arm="gift", why="x")[0] == 400


def test_the_rule_chooses_once_its_counts_are_clear(a_story: Begins, tmp_path: Path) -> None:
    story = deployed(a_story, tmp_path, "{by: rule, after: 60}")
    books(story, 1)
    story.passes("2d")
    (version,) = {line["version"] for line in story.timeline("split")}
    for arm, reached in (("gift", 55), ("discount", 5)):
        for number in range(60):
            for what in ("entered", "reached") if number < reached else ("entered",):
                outcome = ArmOutcome("offer", version, "which", arm, what, f"{arm}-{number}")  # type: ignore[arg-type]
                DynamoArmCounts().add(outcome, MONDAY)

    story.passes("6m")

    (split,) = asks(story, "GET")[1]["splits"]
    assert (split["in_force"], split["chosen"]["by"]) == ("gift", "rule")
    books(story, *range(2, 12))
    story.passes("2d")
    assert {arm for customer, had in arms(story).items() if customer != "u-1" for arm in had} == {"gift"}


def test_caps_count_all_customers_and_each_of_them(story: Story) -> None:
    def wants(who: int, call: int) -> None:
        for _ in range(2):
            story.happens("call.wanted", f"call-{call}", customer={"user_id": f"u-{who}"}, properties={"id": str(call)})

    for call, who in enumerate((1, 1, 1, 2, 3)):
        wants(who, call)
    refused = [line["reason"] for line in story.timeline("not_entered")]
    assert refused == ["at most 2 in 7d", "at most 3 per day"]
    story.passes("1d")
    wants(3, 5)
    wants(1, 6)
    story.passes("7d")
    wants(1, 7)

    assert len(story.timeline("task")) == 5
    assert [line["reason"] for line in story.timeline("not_entered")][2:] == ["at most 2 in 7d"]
