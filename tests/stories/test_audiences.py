"""Audiences through the real handlers: commits keep the members up to date, and operators ask for them."""

import csv
import json
from collections.abc import Iterator
from pathlib import Path
from random import Random
from typing import Any

import pytest
from typer.testing import CliRunner

from bench.calls import Call, watched
from bench.meter import reader
from bench.units import WriteUnits
from cli.main import app
from infra.local.faults import FaultPlan
from tests.conftest import Begins, Story
from tests.stories.shop import POLICY, served

AUDIENCES = """\
[[audiences]]
audience = "investors"
when = "profile.kind == 'investor' && profile.budget_from"
partition = "profile.district"
sort = "profile.budget_from"
until = "profile.budget_to"
shards = 2

[[audiences]]
audience = "owners"
when = "contains(profile.tags, 'owner')"
"""

MATCH = """
journey: welcome-investors
entry:
  event: audience.joined
  where: event.properties.audience == 'investors'
  again: when-ended
steps:
  - {id: look, wait: 1d}
exit_on:
  - event: audience.left
    where: event.properties.audience == 'investors'
"""

ACCEPTED = 202

Json = dict[str, Any]


class Market:
    """A local deployment, its investors, and what operators ask."""

    def __init__(self, story: Story, url: str) -> None:
        self.story, self._url, self._number = story, url, 0

    def says(self, user: str, **attributes: Any) -> None:
        """A system says something about a customer."""
        self._number += 1
        self.story.passes("1m")  # of two values at one instant, any may count
        of: Json = {"customer": {"user_id": user}, "attributes": attributes}
        while self.story.happens("profile.stated", f"said-{self._number}", **of)["statusCode"] != ACCEPTED:
            self.story.passes("1m")  # as every sender does that gets no 2xx

    def invests(self, user: str, low: int, high: int | None = None, district: str = "75011") -> None:
        self.says(user, kind="investor", budget_from=low, budget_to=high, district=district)

    def asks(self, **question: Any) -> Json:
        body = json.dumps({key: value for key, value in question.items() if value is not None}).encode()
        answer = self.story.deployment.manage("POST", "https://localhost/manage/audiences", {}, body, actor="ada")
        return {"status": answer["statusCode"], **json.loads(answer["body"])}

    def members(self, audience: str = "investors", **asked: Any) -> set[str]:
        found = self.asks(do="members", audience=audience, **asked)
        return {self.name_of(one["customer"]) for one in found["members"]}

    def name_of(self, customer: str) -> str:
        names = (name for name in ("ada", "ben", "cem", "dan") if customer in self.story.deployment.customer_ids(name))
        return next(names, customer)

    def cairn(self, *words: str) -> str:
        done = CliRunner().invoke(app, ["audience", *words, "--to", self._url], env={"LOGNAME": "ada"})
        assert done.exit_code == 0, done.output
        return done.stdout


@pytest.fixture
def market(a_story: Begins, tmp_path: Path) -> Iterator[Market]:
    (tmp_path / "audiences.toml").write_text(AUDIENCES, encoding="utf-8")
    (tmp_path / "policy.toml").write_text(POLICY % "", encoding="utf-8")
    folder = tmp_path / "journeys" / "welcome-investors"
    folder.mkdir(parents=True)
    (folder / "journey.yaml").write_text(MATCH, encoding="utf-8")
    story = a_story(tmp_path / "journeys", policy=tmp_path / "policy.toml")
    with served(story.deployment) as url:
        yield Market(story, url)


def test_members_are_those_who_meet_the_condition_now(market: Market) -> None:
    market.invests("ada", 1_000_000, 1_500_000)
    market.invests("ben", 200_000, 300_000)
    market.says("cem", kind="owner", budget_from=5)
    assert market.members() == {"ada", "ben"}

    market.says("ben", kind="owner")
    market.invests("cem", 1_100_000, district="75012")

    assert market.members() == {"ada", "cem"}
    assert market.members(partition="75011") == {"ada"}
    assert market.members(partition="75011", value=1_200_000) == {"ada"}
    assert market.members(partition="75011", value=1_600_000) == set()
    assert market.members(partition="75012", value=9_000_000) == {"cem"}
    assert market.asks(do="count", audience="investors")["count"] == 2


def test_a_member_who_moves_stands_where_it_says_now(market: Market) -> None:
    market.invests("ada", 1_000_000, 1_500_000)
    market.says("ada", district="75012")

    assert market.members(partition="75011") == set()
    assert market.members(partition="75012") == {"ada"}


def test_journeys_start_when_a_customer_joins_and_end_when_it_leaves(market: Market) -> None:
    market.invests("ada", 1_000_000)
    (entered,) = market.story.timeline("entered")
    assert entered["journey"] == "welcome-investors"

    market.says("ada", budget_from=2_000_000)
    assert len(market.story.timeline("entered")) == 1
    market.says("ada", kind="owner")

    (ended,) = market.story.timeline("ended")
    assert ended["outcome"] == "exit_on"


def test_customers_who_are_found_to_be_one_are_one_member(market: Market) -> None:
    market.invests("ada", 1_000_000)
    in_crm: Json = {"external_ids": {"crm": "9"}}
    about = {"kind": "investor", "budget_from": 500_000, "district": "75012"}
    market.story.passes("1m")
    market.story.happens("profile.stated", "in-crm", customer=in_crm, attributes=about)
    assert market.asks(do="count", audience="investors")["count"] == 2

    market.story.happens("account.linked", "linked", customer={"user_id": "ada", **in_crm})

    assert market.asks(do="count", audience="investors")["count"] == 1
    assert market.members(partition="75012") == {"ada"}


def test_nothing_is_left_of_a_member_who_is_erased(market: Market) -> None:
    market.invests("ada", 1_000_000)

    market.story.erases("ada")
    market.story.passes("1h")

    assert market.asks(do="members", audience="investors")["members"] == []


def test_a_condition_is_tried_before_it_is_an_audience(market: Market) -> None:
    market.invests("ada", 1_000_000, 1_500_000)
    market.invests("ben", 200_000, 300_000)
    market.says("ben", tags=["owner"])
    market.says("cem", kind="owner", budget_from=5)
    market.story.erases("cem")
    market.story.passes("1h")
    calls: list[Call] = []

    with watched(market.story.deployment, before=calls.append):
        tried = market.asks(do="try", when="profile.budget_from > `250000` || contains(profile.tags, 'owner')")

    assert len([one for one in calls if one.service == "dynamodb"]) <= 20
    assert tried["status"] == 200
    assert (tried["share"], tried["looked_at"]) == (1, 2), "one is erased"
    assert tried["matched"] == {"count": 2, "low": 2, "high": 2}
    assert {one["audience"]: (one["both"]["count"], one["members"]["count"]) for one in tried["overlaps"]} == {
        "investors": (2, 2),
        "owners": (1, 1),
    }
    assert tried["sample"] == []


def test_a_sample_of_a_condition_is_masked_and_in_the_audit_without_the_condition(market: Market) -> None:
    market.invests("ada", 1_000_000)

    tried = market.asks(do="try", when="profile.kind == 'investor'", sample=True)

    assert tried["sample"] == [{"names": ["user_id a…"]}]
    audited = market.story.deployment.manage("GET", "https://localhost/manage/audit", {}, b"", actor="ada")
    (entry,) = (one for one in json.loads(audited["body"])["entries"] if one["what"] == "sample_members")
    assert "audience:condition " in json.dumps(entry)
    assert "investor" not in json.dumps(entry)


def test_a_condition_that_cannot_be_an_audience_is_refused_as_the_check_words_it(market: Market) -> None:
    wrong = {
        "profile.plan = 'yearly'": "Equal is written ==.",
        "data.plan == 'yearly'": "data",
        "days_since('order.paid') > `3`": "days_since() changes while nothing happens",
        "profile": "it reads the whole profile",
    }

    for when, word in wrong.items():
        refused = market.asks(do="try", when=when)
        assert refused["status"] == 400
        assert word in refused["detail"], when


def test_an_export_of_a_customer_says_the_audiences(market: Market) -> None:
    market.invests("ada", 1_000_000)
    body = json.dumps({"customer": "ada"}).encode()

    answer = market.story.deployment.manage("POST", "https://localhost/manage/export", {}, body, actor="ada")

    (one,) = json.loads(answer["body"])["audiences"]
    assert one["audience"] == "investors"


def test_operators_ask_by_command(market: Market, tmp_path: Path) -> None:
    market.invests("ada", 1_000_000, 1_500_000)
    market.invests("ben", -5, 0, district="-1+1")
    market.says("ben", tags=["owner"])

    assert "investors: profile.kind == 'investor' && profile.budget_from" in market.cairn("list")
    assert market.cairn("count", "investors") == "2\n"
    assert market.cairn("count", "investors", "--partition", "75011", "--value", "1200000") == "1\n"
    assert market.cairn("count", "investors", "--partition", "75011", "--from", "1000001") == "0\n"
    assert "75011  1000000  1500000" in market.cairn("members", "investors")
    assert len(json.loads(market.cairn("sample", "investors", "--limit", "1", "--json"))["members"]) == 1
    assert "1 of 2 members of investors are in owners (50.0%)" in market.cairn("overlap", "investors", "owners")
    file = tmp_path / "investors.csv"
    market.cairn("export", "investors", "--out", str(file), "--why", "ticket 7")
    rows = list(csv.DictReader(file.read_text(encoding="utf-8").splitlines()))
    assert {(row["partition"], row["sort"], row["until"]) for row in rows} == {
        ("75011", "1000000", "1500000"),
        ("'-1+1", "-5", "0"),  # a spreadsheet would compute it
    }
    lines = market.cairn("export", "owners", "--format", "jsonl").splitlines()
    assert [set(json.loads(line)) for line in lines] == [{"customer"}]
    audited = market.story.deployment.manage("GET", "https://localhost/manage/audit", {}, b"", actor="ada")
    assert {one["what"] for one in json.loads(audited["body"])["entries"]} >= {"list_members", "sample_members"}


def test_what_cannot_be_asked_is_refused_with_every_reason(market: Market) -> None:
    unknown = market.asks(do="count", audience="investor")
    assert (unknown["status"], unknown["detail"]) == (404, "there is no audience investor; did you mean investors?")

    wrong = market.asks(do="count", audience="owners", partition="x", value=3)
    assert wrong["status"] == 400
    assert wrong["problems"] == [
        "partition: owners has no partition in audiences.toml",
        "from, to, value: owners has no sort in audiences.toml",
    ]


def test_joining_and_leaving_cost_two_units_and_nothing_else_any(market: Market) -> None:
    units = WriteUnits(reader(market.story.deployment))
    with watched(market.story.deployment, before=units.before, after=units.after) as calls:

        def spent() -> int:
            members = [one for one in calls if _is_of_audiences(one)]
            calls.clear()
            return units.of(members)

        market.says("ben", tags=["owner"])  # no journey listens to this one
        assert spent() == 2
        market.says("ben", first_name="Ben")
        market.says("ben", tags=["owner", "kind"])
        assert spent() == 0
        market.says("ben", tags={"owner": False})
        assert spent() == 2


@pytest.mark.parametrize("seed", range(4))
def test_under_faults_the_members_are_those_who_meet_the_condition_in_the_end(market: Market, seed: int) -> None:
    """Calls fail, workers die and deliveries come late and twice, while customers join, move and leave."""
    change = Random(seed)  # noqa: S311  a story, and no secret
    last: dict[str, tuple[str, int]] = {}
    market.story.deployment.faults = FaultPlan.random(seed)
    for _ in range(30):
        user, kind, low = (
            change.choice(["ada", "ben", "cem", "dan"]),
            change.choice(["investor", "owner"]),
            change.randrange(9),
        )
        last[user] = (kind, low)
        market.says(user, kind=kind, budget_from=low or None, district=change.choice(["75011", "75012"]))
    market.story.deployment.faults = None
    market.story.passes("3h")

    assert market.members() == {user for user, (kind, low) in last.items() if kind == "investor" and low}
    assert market.asks(do="count", audience="investors")["count"] == len(market.members())


def _is_of_audiences(call: Call) -> bool:
    item = call.arguments.get("Item") or call.arguments.get("Key") or {}
    return call.service == "dynamodb" and item.get("sk", {}).get("S", "").startswith("audience#")
