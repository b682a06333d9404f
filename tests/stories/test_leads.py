"""Leads through the real handlers: what operators see and set, what journeys and messages read, what is exported."""

import json
from pathlib import Path

import pytest

from tests.stories.shop import RECEIPT, Opens, Shop

LEADS = """\
[[capture]]
event = "note.wanted"
source = "event.properties.from"

[score]
hot = 30

[[groups]]
group = "interest"
half_life = "7d"

[[points]]
rule = "asked"
group = "interest"
event = "note.wanted"
points = 20

[[value]]
event = "order.paid"
amount = "event.properties.amount"
currency = "'USD'"

[[pipelines]]
pipeline = "sales"
[[pipelines.stages]]
stage = "new"
event = "note.wanted"
queue = "desk"
goal = "order.paid"
[[pipelines.stages]]
stage = "shown"
event = "shop.visited"
[[pipelines.stages]]
stage = "won"
event = "order.paid"
"""


@pytest.fixture
def shop(opens: Opens, tmp_path: Path) -> Shop:
    (tmp_path / "leads.toml").write_text(LEADS, encoding="utf-8")
    return opens(RECEIPT)


def test_operators_see_a_lead_with_the_reasons_and_may_move_it(shop: Shop) -> None:
    shop.happens("note.wanted", properties={"from": "a friend"})
    shop.passes("7d")
    shop.happens("order.paid", properties={"amount": 1250})

    shown = shop.asks("POST", "leads", customer="mia")

    (sales,) = shown["pipelines"]
    assert [(one["stage"], one["seconds"] // 86_400, one["by"]) for one in sales["history"]] == [
        ("new", 7, "note.wanted"),
        ("won", 0, "order.paid"),
    ]
    assert shown["score"]["total"] == 10  # a half-life later
    assert shown["score"]["rules"] == [{"rule": "asked", "group": "interest", "points": 10.0, "events": 1}]
    assert shown["fields"]["lifetime_value"] == {"USD": 1250}
    assert shown["fields"]["first_touch"]["source"] == "a friend"
    assert "sales: in stage won" in shop.cairn("explain", "mia@example.com")
    printed = shop.cairn("lead", "show", "mia@example.com")
    assert "7d 0h note.wanted" in printed
    assert "asked interest 10 1 events" in printed


def test_a_stage_is_set_by_operators_and_audited_and_refused_with_the_reason(shop: Shop) -> None:
    shop.happens("note.wanted")

    assert "is in stage shown" in shop.cairn("stage", "set", "mia@example.com", "shown", "--why", "ticket 7")
    assert "shown" in shop.cairn("stage", "show", "mia@example.com")
    shop.passes("1m")

    refused = shop.asks("POST", "stages", customer="mia", stage="new", why="ticket 8")
    assert (refused["status_code"], refused["title"]) == (409, "stage-refused")
    assert "from shown to new is no allowed move" in refused["detail"]
    unknown = shop.asks("POST", "stages", customer="mia", stage="shwon", why="ticket 9")
    assert unknown["problems"] == ["stage: there is no shwon; did you mean shown?"]
    entries = shop.asks("GET", "audit")["entries"]
    assert [one["what"] for one in entries if one["what"] == "set_stage"] == ["set_stage"]
    (moved,) = [line for line in shop.timeline("staged") if line["stage"] == "shown"]
    assert moved["because"]


def test_messages_and_exports_have_what_the_rules_give(shop: Shop, tmp_path: Path) -> None:
    template = tmp_path / "journeys" / "shop" / "templates" / "note.sms.txt"
    template.write_text("Stage {{ profile.stage }}, score {{ profile.score }}, {{ profile.orders }} orders.")
    shop.deployment.deploy(tmp_path / "journeys")

    shop.happens("note.wanted")

    assert shop.sent() == ["Stage new, score 20, 0 orders."]
    exported = shop.asks("POST", "export", customer="mia")
    assert exported["customer"]["lead"]["moves"]["sales"]["moves"][0][1:] == ["new", "note.wanted"]


def test_a_lead_becomes_hot_and_cools_at_the_hour_that_was_computed(shop: Shop) -> None:
    shop.happens("note.wanted")
    shop.passes("1h")
    shop.happens("note.wanted")
    hot = [line for line in shop.timeline("event") if line["source"] == "leads"]
    assert [line["type"] for line in hot] == ["lead.became_hot"]

    shop.passes("10d")

    cooled = [line for line in shop.timeline("event") if line["type"] == "lead.cooled"]
    assert [line["properties"]["score"] for line in cooled] == [29]


def test_without_leads_toml_nothing_of_it_is_there(opens: Opens) -> None:
    shop = opens(RECEIPT)
    shop.happens("note.wanted")

    shown = shop.asks("POST", "leads", customer="mia")

    assert (shown["status_code"], shown["title"]) == (409, "no-leads")
    assert "lead" not in shop.asks("POST", "export", customer="mia")["customer"]


def test_two_profiles_become_one_lead(shop: Shop) -> None:
    ada = {"customer": {"email": "ada@example.com"}}
    shop.happens("order.paid", properties={"amount": 500}, id="1", **ada)
    shop.happens("order.paid", properties={"amount": 700}, id="2", customer={"user_id": "ada"})

    shop.happens("shop.visited", id="3", customer={"user_id": "ada", "email": "ada@example.com"})

    shown = shop.asks("POST", "leads", customer="ada")
    assert shown["fields"]["lifetime_value"] == {"USD": 1200}
    assert shown["fields"]["orders"] == 2


def test_a_forged_event_moves_and_heats_nobody(shop: Shop) -> None:
    shop.happens("note.wanted")
    forged = {"pipeline": "sales", "stage": "won", "actor": "ada"}

    shop.happens("stage.set", properties=forged)

    assert shop.asks("POST", "leads", customer="mia")["pipelines"][0]["stage"] == "new"
    assert json.dumps(shop.timeline("staged")).count('"won"') == 0
