"""The page in CloudWatch, and the alarms that a stage may have for the signs of trouble."""

import json
import re
from pathlib import Path
from typing import Any

import pytest

from cairn.domain.operations.signs import Sign
from infra.cloud.dashboard import MOST_METRICS
from infra.cloud.stage import Stage
from infra.cloud.synth import cdk_json
from tests.infra.conftest import Templates, synthesize

RUNBOOK = (Path(__file__).parents[2] / "docs" / "runbook.md").read_text(encoding="utf-8")


@pytest.fixture(scope="module")
def other(tmp_path_factory: pytest.TempPathFactory) -> Templates:
    """A stage with alarms of its own for each sign, and without the page."""
    settings = {"health_alarms": True, "dashboard": False, "alarm_email": "ops@example.com"}
    stage = Stage.from_context("dev", cdk_json(), settings)
    return synthesize(tmp_path_factory.mktemp("synthesized"), stage)["dev"]


def widgets(templates: Templates) -> list[dict[str, Any]]:
    (page,) = templates.all("AWS::CloudWatch::Dashboard").values()
    body = page["DashboardBody"]
    text = "".join(one if isinstance(one, str) else "x" for one in body["Fn::Join"][1])
    return list(json.loads(text)["widgets"])


@pytest.mark.parametrize("name", ["dev", "prod"])
def test_the_page_is_free_and_shows_every_function_queue_and_sign(synthesized: dict[str, Templates], name: str) -> None:
    templates = synthesized[name]
    metrics = [one for widget in widgets(templates) for one in widget["properties"].get("metrics", ())]

    assert len(metrics) <= MOST_METRICS
    named = {text for one in metrics for text in one if isinstance(text, str)}
    assert {sign.value for sign in Sign} | {"PersonNeeded", "DeadLetters", "Waiting", "WebhookRefused"} <= named
    services = {one[-1]["label"] for one in metrics if "Errors" in one}
    assert services == _services(templates)


def _services(templates: Templates) -> set[str]:
    found = (
        one["Environment"]["Variables"]
        for one in templates.all("AWS::Lambda::Function").values()
        if "Environment" in one
    )
    return {one["POWERTOOLS_SERVICE_NAME"] for one in found if "POWERTOOLS_SERVICE_NAME" in one}


def test_the_page_shows_the_alarms_of_a_stage_that_has_any(dev: Templates, prod: Templates) -> None:
    kinds = [[one["type"] for one in widgets(templates)] for templates in (dev, prod)]

    assert "alarm" not in kinds[0]
    assert kinds[1][0] == "alarm"


def test_a_stage_may_have_no_page_and_an_alarm_for_each_sign(other: Templates, prod: Templates) -> None:
    assert other.all("AWS::CloudWatch::Dashboard") == {}
    alarms = {one["MetricName"]: one for one in other.all("AWS::CloudWatch::Alarm").values()}
    assert {sign.value for sign in Sign} <= alarms.keys()
    assert not {sign.value for sign in Sign} & {
        one["MetricName"] for one in prod.all("AWS::CloudWatch::Alarm").values()
    }
    for sign in Sign:
        assert alarms[sign]["Namespace"] == other.stage.metrics_namespace
        assert (alarms[sign]["Threshold"], alarms[sign]["Statistic"]) == (0, "Maximum")
        assert re.search(rf"^### {sign}$", RUNBOOK, re.MULTILINE), "its page"
