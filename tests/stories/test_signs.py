"""What the log of facts counts of the last half hour, through the real handlers; and what `sweep` says of it."""

import json

from infra.local.shapes import rule_event
from tests.conftest import Begins, Story
from tests.printed import Printed


def flow(story: Story) -> dict[str, int]:
    client = story.deployment.cloud.client("dynamodb")
    found = client.query(
        TableName=story.deployment.cloud.table,
        KeyConditionExpression="pk = :pk",
        ExpressionAttributeValues={":pk": {"S": "health#flow"}},
    )["Items"]
    names = {name for item in found for name in item} - {"pk", "sk", "expires_at"}
    return {name: sum(int(item.get(name, {"N": "0"})["N"]) for item in found) for name in names}


def signs_said(story: Story, printed: Printed) -> list[tuple[str, str]]:
    """The lines of one run about signs: which one, and whether it is new."""
    before = len(printed.logs())
    story.deployment.handlers["sweep"](rule_event("sweep", story.deployment.now()), None)
    lines = [line for line in printed.logs()[before:] if "why" in line]
    return [(line.get("person_needed") or line["sign"], line["level"]) for line in lines]


def test_a_source_whose_events_reach_nobody_calls_a_person_once(a_story: Begins, printed: Printed) -> None:
    story = a_story()
    for number in range(16):
        story.happens("page.seen", f"known-{number}", customer={"user_id": f"ada-{number}"})
    story.deployment.facts()
    assert flow(story) == {"events": 16}
    assert signs_said(story, printed) == []

    for number in range(4):
        review = {
            "id": f"evt_{number}",
            "type": "review.opened",
            "created": 1772460000,
            "data": {"object": {"id": "prv_1"}},
        }
        assert story.posts(json.dumps(review).encode(), "stripe")["statusCode"] == 202
    story.deployment.settle()
    story.deployment.facts()
    assert flow(story) == {"events": 16, "unmatched": 4}
    assert signs_said(story, printed) == [("MatchRateLow", "ERROR")]

    story.passes("5m")
    assert signs_said(story, printed)[0] == ("MatchRateLow", "WARNING"), "it stays, and nobody is called again"
    story.passes("30m")
    assert signs_said(story, printed) == [], "it is over"


def test_timers_that_fire_late_are_facts_and_a_sign(a_story: Begins, printed: Printed) -> None:
    story = a_story()
    for number in range(3):
        story.signs_up(number)
    made = story.deployment
    made.stop("process_event")
    story.passes("12d")
    made.start("process_event")
    story.passes("1m")

    late = [one for one in made.facts() if one["kind"] == "misfired"]
    assert late
    assert all(one["lag_ms"] > 300_000 for one in late)
    assert signs_said(story, printed)[-1] == ("Misfires", "ERROR")
