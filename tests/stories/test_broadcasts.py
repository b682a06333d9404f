"""Events about things, and broadcasts: each member once, while members join and leave, and operators stop it."""

import json
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from cairn.domain.shared.instants import instant_to_wire
from cli.main import app
from infra.local.faults import FaultPlan
from infra.local.faults.fault import Fault
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
"""

MATCH = """
journey: match
entry:
  event: listing.created
  key: event.properties.listing
steps:
  - {id: look, wait: 1d}
"""

OFFER = """
journey: offer
entry:
  event: broadcast.started
  where: event.properties.journey == 'offer'
  key: event.properties.broadcast
  again: when-ended
steps:
  - {id: in-time, wait: {until: data.at}}
  - {id: look, wait: 1d}
"""

Json = dict[str, Any]


class Market:
    def __init__(self, story: Story, url: str, folder: Path) -> None:
        self.story, self.url, self.folder = story, url, folder
        self._number = 0

    def invests(self, *users: str, low: int = 1, high: int | None = None, **more: Any) -> None:
        for user in users:
            self._number += 1
            about = {"kind": "investor", "budget_from": low, "budget_to": high, "district": "75011", **more}
            body = {"id": f"said-{self._number}", "type": "profile.stated", "customer": {"user_id": user}}
            self.story.posts(json.dumps(body | {"attributes": about}).encode())
        self.story.deployment.settle()

    def leaves(self, user: str) -> None:
        self.story.deployment.advance_to(self.story.deployment.now() + timedelta(milliseconds=10))
        self.invests(user, kind="owner")

    def lists(self, listing: str, **about: Any) -> Json:
        body = {
            "id": listing,
            "type": "listing.created",
            "about": {"audience": "investors", **about},
            "properties": {"listing": listing},
        }
        return self.story.posts(json.dumps(body).encode())

    def entered(self, journey: str = "match") -> list[str]:
        """The customers that have entered, each as often as it has."""
        found = []
        for user in sorted({f"u-{number}" for number in range(60)} | {"ada", "ben", "cem", "dan"}):
            if self.story.deployment.customer_ids(user):
                lines = self.story.timeline("entered", of=user)
                found += [user for line in lines if line["journey"] == journey]
        return found

    def asks(self, **question: Any) -> Json:
        body = json.dumps(question).encode()
        answer = self.story.deployment.manage("POST", "https://localhost/manage/broadcasts", {}, body, actor="ada")
        return {"status": answer["statusCode"], **json.loads(answer["body"])}

    def listed(self) -> list[Json]:
        answer = self.story.deployment.manage("GET", "https://localhost/manage/broadcasts", {}, b"", actor="ada")
        found: list[Json] = json.loads(answer["body"])["broadcasts"]
        return found

    def passes(self, length: str) -> None:
        self.story.passes(length)

    def cairn(self, *words: str) -> Result:
        return CliRunner().invoke(app, ["broadcast", *words, "--to", self.url], env={"LOGNAME": "ada"})

    def plans(self, at: str = "", **more: Any) -> Json:
        at = at or instant_to_wire(self.story.deployment.now())
        return self.asks(do="plan", journey="offer", audience="investors", at=at, why="ticket 7", **more)


@pytest.fixture
def market(a_story: Begins, tmp_path: Path) -> Iterator[Market]:
    (tmp_path / "audiences.toml").write_text(AUDIENCES, encoding="utf-8")
    (tmp_path / "policy.toml").write_text(POLICY % "", encoding="utf-8")
    for name, journey in (("match", MATCH), ("offer", OFFER)):
        (tmp_path / "journeys" / name).mkdir(parents=True)
        (tmp_path / "journeys" / name / "journey.yaml").write_text(journey, encoding="utf-8")
    story = a_story(tmp_path / "journeys", policy=tmp_path / "policy.toml")
    with served(story.deployment) as url:
        yield Market(story, url, tmp_path)


def test_a_listing_finds_exactly_its_investors_each_once(market: Market) -> None:
    market.invests("ada", low=1_000_000, high=1_500_000)
    market.invests("ben", low=200_000, high=300_000)
    market.invests("cem", low=1_100_000, district="75012")
    market.invests("dan", low=1_200_000)

    assert market.lists("l-1", partition="75011", value=1_200_000)["statusCode"] == 202
    market.passes("1m")

    assert market.entered() == ["ada", "dan"]
    (listed,) = market.listed()
    assert (listed["state"], listed["put"], listed["event"]) == ("done", 2, "listing.created")

    market.lists("l-1", partition="75011", value=1_200_000)  # the sender repeats it
    market.lists("l-2", partition="75012")
    market.passes("1m")

    assert market.entered() == ["ada", "cem", "dan"]
    assert len(market.listed()) == 2


def test_members_who_join_and_leave_meanwhile_get_it_once_at_most(market: Market) -> None:
    """Two members a second, in the order of their budgets."""
    users = [f"u-{number}" for number in range(20)]
    for number, user in enumerate(users):
        market.invests(user, low=100 + number)
    market.lists("l-1", per_second=2)
    market.passes("3s")
    reached = set(market.entered())
    assert 2 <= len(reached) < 15

    market.leaves("u-19")  # before its page
    market.leaves("u-0")  # behind it
    market.invests("ada", low=1_000)  # ahead of the page
    market.invests("ben", low=1)  # behind it
    market.story.passes("1s")
    market.invests("u-1", low=5_000)  # moves from behind to ahead: it has it already
    market.passes("1m")

    assert market.entered() == sorted([*(user for user in users if user != "u-19"), "ada"])


def test_what_is_wrong_in_an_event_about_a_thing_is_refused_with_every_reason(market: Market) -> None:
    body = {
        "id": "l-1",
        "type": "listing.created",
        "about": {"audience": "", "value": True, "per_second": 0, "partitions": 1},
        "customer": {"user_id": "ada"},
        "attributes": {"a": 1},
    }

    refused = market.story.posts(json.dumps(body).encode())

    assert refused["statusCode"] == 422
    assert json.loads(refused["body"])["problems"] == [
        "about.partitions: unknown field; known are audience, from, partition, per_second, to, value",
        "about.audience: a text that is not empty",
        "about.value: a text or a number",
        "about.per_second: a whole number from 1 to 1000",
        "customer: of an event of one customer, not beside about",
        "attributes: of an event of one customer, not beside about",
    ]


def test_an_audience_that_there_is_not_becomes_a_dead_letter_that_says_so(market: Market) -> None:
    market.lists("l-1", audience="investor")
    market.lists("l-2", value=3)
    market.story.deployment.settle()

    reasons = sorted(reason for _, reason in market.story.dead_letters("events"))

    assert "there is no audience investor; did you mean investors?" in reasons[0]
    assert "about.partition: name one, since investors is sorted in each partition" in reasons[1]


def test_a_broadcast_waits_for_its_approval_and_its_instant(market: Market) -> None:
    market.invests("ada", "ben")
    planned = market.plans(at=instant_to_wire(market.story.deployment.now() + timedelta(hours=2)))
    assert (planned["status"], planned["state"], planned["members"]) == (202, "planned", 2)
    market.passes("3h")
    assert market.entered("offer") == []

    again = market.plans(at=instant_to_wire(market.story.deployment.now() + timedelta(hours=2)))
    approved = market.asks(do="approve", broadcast=again["broadcast"], why="the texts are right")
    assert approved["state"] == "running"
    market.passes("119m")
    assert market.entered("offer") == []
    market.passes("2m")

    assert market.entered("offer") == ["ada", "ben"]
    assert market.asks(do="show", broadcast=again["broadcast"])["state"] == "done"


def test_a_broadcast_that_is_stopped_in_the_middle_and_resumed_is_exact(market: Market) -> None:
    users = [f"u-{number}" for number in range(20)]
    market.invests(*users)
    this = market.plans(per_second=2)["broadcast"]
    market.asks(do="approve", broadcast=this, why="go")
    market.passes("3s")
    before = market.entered("offer")
    assert 0 < len(before) < 20

    assert market.asks(do="stop", broadcast=this, why="a wrong price")["state"] == "stopped"
    market.passes("1m")
    after = market.entered("offer")
    assert len(after) <= len(before) + 2
    market.passes("1h")
    assert market.entered("offer") == after
    board = market.story.deployment.manage("GET", "https://localhost/manage/switches", {}, b"", actor="ada")
    assert [one["target"] for one in json.loads(board["body"])["stopped"]] == ["journey:offer"]

    assert market.asks(do="resume", broadcast=this, why="mended")["state"] == "running"
    market.passes("1m")

    assert market.entered("offer") == sorted(users)
    assert market.asks(do="show", broadcast=this)["state"] == "done"


def test_a_pause_stops_the_pages_and_pauses_the_journey(market: Market) -> None:
    users = [f"u-{number}" for number in range(10)]
    market.invests(*users)
    this = market.plans(per_second=2)["broadcast"]
    market.asks(do="approve", broadcast=this, why="go")
    market.passes("2s")

    assert market.asks(do="pause", broadcast=this, why="a moment")["state"] == "paused"
    assert market.asks(do="pause", broadcast=this, why="a moment")["state"] == "paused"
    market.passes("5m")
    assert len(market.entered("offer")) < 10

    market.asks(do="resume", broadcast=this, why="on")
    market.passes("10m")
    assert market.entered("offer") == sorted(users)


def test_an_audience_that_has_grown_tenfold_waits_for_a_person(market: Market) -> None:
    market.invests("ada")
    refused = market.plans()
    at_once = market.plans(per_second=500)
    market.asks(do="approve", broadcast=at_once["broadcast"], why="go")
    market.passes("10s")
    market.invests(*(f"u-{number}" for number in range(101)))

    answer = market.asks(do="approve", broadcast=refused["broadcast"], why="go")
    assert answer["status"] == 409
    assert "the preflight counted 1 members, and there are 102: more than 10 times as many" in answer["detail"]

    approved = market.asks(do="approve", broadcast=refused["broadcast"], why="looked at them", members=102)
    assert (approved["state"], approved["members"]) == ("running", 102)


def test_a_broadcast_whose_audience_grows_while_it_runs_is_halted(market: Market) -> None:
    market.invests(*(f"u-{number}" for number in range(3)))
    this = market.plans(per_second=50)["broadcast"]
    market.asks(do="approve", broadcast=this, why="go")
    market.asks(do="pause", broadcast=this, why="a moment")
    market.invests(*(f"v-{number}" for number in range(130)), low=5)
    market.asks(do="resume", broadcast=this, why="on")
    market.passes("1m")

    shown = market.asks(do="show", broadcast=this)
    assert shown["state"] == "grown"
    assert shown["put"] <= 100
    market.asks(do="approve", broadcast=this, why="looked at them", members=133)
    market.passes("1m")
    assert market.asks(do="show", broadcast=this)["state"] == "done"


def test_each_member_gets_it_at_the_local_time(market: Market) -> None:
    market.invests("ada", time_zone="America/New_York")
    market.invests("ben", time_zone="Asia/Tokyo")
    this = market.plans(at="2026-06-01T10:00", local_time=True)
    assert this["at"] == "2026-05-31T20:00:00Z"
    market.asks(do="approve", broadcast=this["broadcast"], why="go")

    market.story.deployment.advance_to(market.story.deployment.now().replace(month=6, day=3))

    waits = {user: market.story.timeline("waiting", of=user)[0]["until"] for user in ("ada", "ben")}
    assert waits == {"ada": "2026-06-01T14:00:00Z", "ben": "2026-06-01T01:00:00Z"}


def test_what_cannot_be_broadcast_is_refused_with_the_way_on(market: Market) -> None:
    market.invests("ada")
    at = instant_to_wire(market.story.deployment.now())
    plan: Json = {"do": "plan", "audience": "investors", "why": "x"}

    unlistening = market.asks(**plan, journey="match", at=at, local_time=True)
    assert unlistening["status"] == 400
    assert "match is entered by no broadcast; write entry: {event: broadcast.started" in unlistening["problems"][0]
    assert "the first step of match waits for it: write wait: {until: data.at}" in unlistening["problems"][1]
    past = market.asks(**plan, journey="offer", at="2020-01-01T00:00:00Z")
    assert past["problems"] == ["at: it lies ahead"]
    assert market.asks(**plan, journey="ofer", at=at)["detail"] == "journey ofer is not deployed; did you mean offer?"
    assert market.asks(do="show", broadcast="nothing")["status"] == 404
    this = market.plans()["broadcast"]
    assert market.asks(do="pause", broadcast=this, why="x")["status"] == 409
    market.asks(do="stop", broadcast=this, why="x")
    assert "plan it anew" in market.asks(do="resume", broadcast=this, why="x")["detail"]


def test_a_changed_audience_ends_what_goes_through_its_positions(market: Market) -> None:
    market.invests(*(f"u-{number}" for number in range(6)))
    this = market.plans(per_second=2)["broadcast"]
    market.asks(do="approve", broadcast=this, why="go")
    (market.folder / "audiences.toml").write_text(AUDIENCES.replace("shards = 2", "shards = 3"), encoding="utf-8")
    market.story.deployment.deploy(market.folder / "journeys")
    market.passes("1m")

    assert market.asks(do="show", broadcast=this)["state"] == "outdated"


def test_operators_work_by_command(market: Market) -> None:
    market.invests("ada", "ben")
    at = instant_to_wire(market.story.deployment.now() + timedelta(minutes=5))
    planned = market.cairn("plan", "offer", "--audience", "investors", "--at", at, "--why", "ticket 7")
    assert planned.exit_code == 0, planned.output
    assert "2 members enter within 0:00:00" in planned.output
    this = planned.output.split()[0]

    for command in ("approve", "pause", "resume"):
        done = market.cairn(command, this, "--why", "ticket 7")
        assert done.exit_code == 0, done.output
    market.passes("10m")

    assert "done: journey offer to investors" in market.cairn("show", this).output
    assert this in market.cairn("list").output


def test_a_crash_at_any_call_of_a_broadcast_loses_nobody_and_repeats_nothing(market: Market) -> None:
    """Each run is another listing, to the same members."""
    users = [f"u-{number}" for number in range(4)]
    market.invests(*users)
    plan = market.story.deployment.faults = FaultPlan.none()
    market.lists("l-0", per_second=2)
    market.passes("1m")
    numbers = [one.number for one in plan.calls if one.function == "relay_effects"]
    assert len(numbers) > 10

    struck = 0
    for run, number in enumerate(numbers, 1):
        for fault in (Fault.DIES_BEFORE, Fault.DIES_AFTER):
            listing = f"l-{run}-{fault.value}"
            plan = market.story.deployment.faults = FaultPlan.at({number: fault})
            market.lists(listing, per_second=2)
            market.passes("2h")
            struck += len(plan.struck)
    market.story.deployment.faults = None
    market.passes("2h")

    runs = 2 * len(numbers) + 1
    assert struck > len(numbers)
    assert market.entered() == sorted(users * runs)


@pytest.mark.parametrize("seed", range(3))
def test_under_faults_each_member_enters_once(market: Market, seed: int) -> None:
    users = [f"u-{number}" for number in range(12)]
    market.invests(*users)
    market.story.deployment.faults = FaultPlan.random(seed)
    market.lists("l-1", per_second=4)
    market.passes("2h")
    market.story.deployment.faults = None
    market.passes("2h")

    assert market.entered() == sorted(users)
