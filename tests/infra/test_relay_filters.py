"""The relay is started by what webhook endpoints ask to hear, in a deployment and on a laptop alike."""

import json
from itertools import product
from pathlib import Path
from typing import Any

import pytest
from moto.events.models import EventPattern

from cairn.domain.shared.announced import AnnouncedType
from infra.cloud.bundle import POLICY, announced_by, stub_bundle
from infra.cloud.functions.relay_effects import OPEN_TASKS, ORDERS, WITH_OUTBOX, filters_for
from infra.local.stream import has_outbox, is_announced

KEYS = [("c_ada", "task#t1"), ("audit", "2026-03-02T14:00:00Z#1"), ("c_ada", "open#state"), ("settings", "chosen")]
IMAGES: list[dict[str, Any]] = [{}, {"status": {"S": "open"}}, {"status": {"S": "done"}}, {"outbox": {"S": "{}"}}]


@pytest.mark.parametrize("what", ["INSERT", "MODIFY", "REMOVE"])
def test_the_same_changes_start_it_here_and_there(what: str) -> None:
    for (pk, sk), image in product(KEYS, IMAGES):
        change = {"Keys": {"pk": {"S": pk}, "sk": {"S": sk}}, **({} if what == "REMOVE" else {"NewImage": image})}
        record = {"eventName": what, "dynamodb": change}
        patterns = [EventPattern.load(json.dumps(one)) for one in filters_for(AnnouncedType)]

        starts = any(one.matches_event(record) for one in patterns)

        assert starts == (has_outbox(record) or is_announced(record)), record


def test_only_what_is_asked_for_costs_an_invocation() -> None:
    assert filters_for([]) == [WITH_OUTBOX]
    assert filters_for([AnnouncedType.TASK_OPENED]) == [WITH_OUTBOX, OPEN_TASKS]
    assert filters_for([AnnouncedType.BREAKER_TRIPPED, AnnouncedType.EXPERIMENT_DECIDED]) == [WITH_OUTBOX, ORDERS]


def test_the_policy_says_what_is_asked_for(tmp_path: Path) -> None:
    journeys = stub_bundle(tmp_path).journeys
    assert announced_by(journeys) == frozenset()

    endpoints = [{"name": "crm"}, {"name": "helpdesk", "events": ["task.opened", "breaker.tripped"]}]
    (journeys / POLICY).write_text(json.dumps({"subscribers": endpoints}))

    assert announced_by(journeys) == {"task.opened", "breaker.tripped"}
