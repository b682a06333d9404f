"""What a stage costs while nothing happens, counted from its template at list price."""

import re
from pathlib import Path

import pytest

from cairn.settings import RESUME_EVERY
from tests.infra.conftest import Templates

PAGE = (Path(__file__).parents[2] / "docs" / "operations.md").read_text(encoding="utf-8")

# USD, us-east-1, November 2026, free tiers ignored: the price pages of CloudWatch, KMS, Secrets Manager, SQS, Lambda.
ALARMED_METRIC, KEY, SECRET = 0.10, 1.00, 0.40
STANDARD, FIFO = 0.40e-6, 0.50e-6
SWEEP = 0.2e-6 + 16 * 0.5 * 0.125e-6 + 0.3 * 0.5 * 0.0000133334
"""One run: a call, 16 queries of half a read unit, 0.3 s at 512 MB (docs/operations.md, Who is stuck)."""

MONTH = 30 * 24 * 60 * 60
POLLS = 5 * MONTH / 20
"""Lambda asks an empty queue by five long polls of 20 seconds at a time.
https://aws.amazon.com/blogs/compute/understanding-how-aws-lambda-scales-when-subscribed-to-amazon-sqs-queues/
"""

LOWEST = 5.00


def idle(templates: Templates) -> dict[str, float]:
    alarms = templates.all("AWS::CloudWatch::Alarm").values()
    queues = templates.all("AWS::SQS::Queue")
    sources = templates.all("AWS::Lambda::EventSourceMapping").values()
    polled = [queues[name] for one in sources if (name := one["EventSourceArn"].get("Fn::GetAtt", [""])[0]) in queues]
    return {
        "alarms": ALARMED_METRIC * sum(len(alarm.get("Metrics", [alarm])) for alarm in alarms),
        "keys": KEY * len(templates.all("AWS::KMS::Key")),
        "secrets": SECRET * len(templates.all("AWS::SecretsManager::Secret")),
        "polling of queues": sum(POLLS * (FIFO if one.get("FifoQueue") else STANDARD) for one in polled),
        "looking for who is stuck": SWEEP * MONTH / RESUME_EVERY.total_seconds(),
    }


def stated(kind: str) -> list[float]:
    """The row of docs/operations.md: dev, prod."""
    found = re.search(rf"^\| {kind} \|.*?\| ([\d.]+) \| ([\d.]+) \|$", PAGE, re.MULTILINE)
    assert found, kind
    return [float(found[1]), float(found[2])]


def test_an_idle_stage_without_alarms_costs_less_than_five_dollars_a_month(dev: Templates) -> None:
    assert sum(idle(dev).values()) <= LOWEST


@pytest.mark.parametrize("kind", ["alarms", "keys", "secrets", "polling of queues", "looking for who is stuck", "sum"])
def test_the_docs_name_what_an_idle_stage_costs(dev: Templates, prod: Templates, kind: str) -> None:
    counted = [{**one, "sum": sum(one.values())}[kind] for one in (idle(dev), idle(prod))]

    assert stated(kind) == [round(one, 2) for one in counted]


def test_only_a_stage_that_reaches_people_pays_for_alarms(dev: Templates, prod: Templates) -> None:
    assert not dev.stage.alarm_email
    assert dev.all("AWS::CloudWatch::Alarm") == {}
    assert prod.stage.alarm_email
    assert prod.all("AWS::CloudWatch::Alarm")
