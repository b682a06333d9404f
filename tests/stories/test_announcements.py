"""Tasks, trips of the breaker and chosen arms are announced to the webhook endpoints that ask for them, each once."""

import re
from collections.abc import Iterator
from contextlib import ExitStack
from datetime import timedelta
from pathlib import Path

import pytest

from cairn.adapters.dynamodb.switches import DynamoSwitches
from cairn.application.operations.switch import Switch
from cairn.domain.operations.breaker import BREAKER
from infra.local.deployment import POLICY, local_deployment
from infra.local.faults import FaultPlan
from infra.local.faults.weather import Weather
from infra.local.signing import local_secrets
from tests.conftest import Story
from tests.stories.test_webhooks_out import Crm, Integrations, crm_server
from tests.stories.test_winners import CALLS, MONDAY, OFFER, asks

FIVE_MINUTES = timedelta(minutes=5)
DOCS = Path(__file__).parents[2] / "docs" / "webhooks-out.md"
ALL = "task.opened", "breaker.tripped", "experiment.decided"
ENDPOINTS = f"""
[[subscribers]]
name = "crm"
url = "https://crm.example.com/hooks"
secret = "crm"
events = {list(ALL)}

[[subscribers]]
name = "helpdesk"
url = "https://helpdesk.example.com/hooks"
secret = "helpdesk"
consent = false
events = ["task.opened"]
"""


@pytest.fixture
def integrations(tmp_path: Path) -> Iterator[Integrations]:
    journeys, policy = tmp_path / "journeys", tmp_path / "policy.toml"
    for name, written in (("offer", OFFER.replace("WINNER", "person")), ("calls", CALLS)):
        (journeys / name).mkdir(parents=True)
        (journeys / name / "journey.yaml").write_text(written, encoding="utf-8")
    policy.write_text(POLICY.read_text(encoding="utf-8") + ENDPOINTS, encoding="utf-8")
    with ExitStack() as stack:
        crms = {name: stack.enter_context(crm_server(Crm(name))) for name in ("crm", "helpdesk", "erp")}
        urls = {name: one.url for name, one in crms.items()}
        made = local_deployment(
            journeys, start=MONDAY, secrets=local_secrets({}), policy=policy, webhook_endpoints=urls
        )
        yield Integrations(Story(stack.enter_context(made)), crms)


def wants_a_call(integrations: Integrations) -> None:
    event = {"customer": {"user_id": "mia", "email": "mia@example.com"}, "properties": {"id": "7"}}
    integrations.story.happens("call.wanted", "call-7", **event)


def types_at(crm: Crm) -> list[str]:
    return [one["type"] for one in crm.accepted]


def test_a_task_is_announced_without_a_name_or_a_text(integrations: Integrations) -> None:
    wants_a_call(integrations)

    (announced,) = integrations.helpdesk.accepted
    data = announced["data"]
    assert announced["type"] == "task.opened"
    assert announced["timestamp"] == data["at"] == "2026-03-02T14:00:00Z"
    assert data["queue"] == "sales"
    assert data["journey"] == "calls"
    assert data["step"] == "call"
    assert data["customer"].startswith("c_")
    assert data["task"]
    assert not {"mia", "mia@example.com", "Call them back"} & set(map(str, data.values()))


def test_the_docs_name_each_type_and_what_it_has(integrations: Integrations) -> None:
    wants_a_call(integrations)
    Switch(DynamoSwitches()).pause("journey:offer", by=BREAKER, why="4 of 5 complained", now=MONDAY)
    order = {"do": "choose", "journey": "offer", "step": "which", "arm": "gift", "why": "Ana liked it"}
    asks(integrations.story, "POST", **order)
    integrations.story.deployment.settle()

    rows = [
        line
        for line in DOCS.read_text(encoding="utf-8").splitlines()
        if line.startswith(tuple(f"| `{one}`" for one in ALL))
    ]
    documented = {row.split("`")[1]: set(re.findall(r"`(\w+)`", row.split("|")[3])) for row in rows}
    fields = {one["type"]: set(one["data"]) for one in integrations.crm.accepted}
    assert fields.keys() == documented.keys() == set(ALL)
    for type_, named in fields.items():
        assert named <= documented[type_] <= named | {"cairn_id", "rule", "person"}


def test_each_endpoint_hears_what_it_asks_for(integrations: Integrations) -> None:
    wants_a_call(integrations)
    Switch(DynamoSwitches()).pause("journey:offer", by=BREAKER, why="4 of 5 complained", now=MONDAY)
    integrations.story.deployment.settle()

    assert types_at(integrations.crm) == ["task.opened", "breaker.tripped"]
    assert types_at(integrations.helpdesk) == ["task.opened"]
    assert types_at(integrations.erp) == []
    assert integrations.crm.accepted[1]["data"] == {
        "target": "journey:offer",
        "why": "4 of 5 complained",
        "at": "2026-03-02T14:00:00Z",
    }


def test_a_pause_by_a_person_is_none_of_the_breakers(integrations: Integrations) -> None:
    Switch(DynamoSwitches()).pause("journey:offer", by="ana", why="a wrong price", now=MONDAY)
    integrations.story.deployment.settle()

    assert types_at(integrations.crm) == []


def test_a_chosen_arm_is_announced_without_the_person(integrations: Integrations) -> None:
    order = {"do": "choose", "journey": "offer", "step": "which", "arm": "gift", "why": "Ana liked it"}
    assert asks(integrations.story, "POST", **order)[0] == 200
    integrations.story.deployment.settle()

    (announced,) = integrations.crm.accepted
    assert announced["type"] == "experiment.decided"
    assert announced["data"] == {
        "journey": "offer",
        "step": "which",
        "arm": "gift",
        "by": "person",
        "why": None,
        "at": announced["timestamp"],
    }


def test_the_same_records_again_announce_the_same(integrations: Integrations) -> None:
    integrations.story.deployment.faults = FaultPlan.under(Weather(redelivered=1.0, redelivered_within=FIVE_MINUTES))
    wants_a_call(integrations)
    integrations.story.passes("1h")

    assert len(integrations.crm.ids) > 1
    assert len(set(integrations.crm.ids)) == 1


def test_an_endpoint_that_fails_gets_it_later(integrations: Integrations) -> None:
    integrations.helpdesk.answers = [503, 500]
    wants_a_call(integrations)
    assert types_at(integrations.helpdesk) == []

    integrations.story.passes("1h")

    assert types_at(integrations.helpdesk) == ["task.opened"]
