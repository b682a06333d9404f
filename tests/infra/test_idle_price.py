"""What a stage costs while nothing happens, counted from its template at list price."""

import re
from pathlib import Path

import pytest

from authoring import prices
from bench.bill import POLLS, SECONDS
from bench.template import counted
from cairn.settings import RESUME_EVERY
from tests.infra.conftest import Templates

PAGE = (Path(__file__).parents[2] / "docs" / "operations.md").read_text(encoding="utf-8")

SWEEP = (
    prices.INVOCATION.of(1)
    + prices.READ_UNIT.of(17 * 0.5)
    + prices.SQS_REQUEST.of(14)
    + prices.FIFO_REQUEST.of(2)
    + prices.GB_SECOND.of(0.4 * 0.5)
)
"""One run: a call, 17 queries of half a read unit, 16 queues, 0.4 s at 512 MB (docs/operations.md, Who is stuck)."""

LOOKING = "looking for who is stuck, and at the queues"

LOWEST = 5.00


def idle(templates: Templates) -> dict[str, float]:
    stack = counted([templates.data, templates.engine])
    polling = prices.SQS_REQUEST.of(POLLS * stack.polled_standard) + prices.FIFO_REQUEST.of(POLLS * stack.polled_fifo)
    return {
        "alarms": prices.ALARM.of(stack.alarms),
        "keys": prices.KEY.of(stack.keys),
        "secrets": prices.SECRET.of(stack.secrets),
        "polling of queues": polling,
        LOOKING: SWEEP * SECONDS / RESUME_EVERY.total_seconds(),
    }


def stated(kind: str) -> list[float]:
    """The row of docs/operations.md: dev, prod."""
    found = re.search(rf"^\| {kind} \|.*?\| ([\d.]+) \| ([\d.]+) \|$", PAGE, re.MULTILINE)
    assert found, kind
    return [float(found[1]), float(found[2])]


def test_an_idle_stage_without_alarms_costs_less_than_five_dollars_a_month(dev: Templates) -> None:
    assert sum(idle(dev).values()) <= LOWEST


@pytest.mark.parametrize("kind", ["alarms", "keys", "secrets", "polling of queues", LOOKING, "sum"])
def test_the_docs_name_what_an_idle_stage_costs(dev: Templates, prod: Templates, kind: str) -> None:
    counted = [{**one, "sum": sum(one.values())}[kind] for one in (idle(dev), idle(prod))]

    assert stated(kind) == [round(one, 2) for one in counted]


def test_only_a_stage_that_reaches_people_pays_for_alarms(dev: Templates, prod: Templates) -> None:
    assert not dev.stage.alarm_email
    assert dev.all("AWS::CloudWatch::Alarm") == {}
    assert prod.stage.alarm_email
    assert prod.all("AWS::CloudWatch::Alarm")
