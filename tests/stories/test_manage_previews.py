"""Every template of the shipped journeys can be previewed as each of its samples would get it."""

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from infra.local.deployment import LocalDeployment, local_deployment
from infra.local.signing import local_secrets

JOURNEYS = Path(__file__).parents[2] / "layers" / "journeys"


def templates_of(journey: str) -> list[str]:
    files = (JOURNEYS / journey / "templates").iterdir()
    return sorted({one.name.split(".")[0] for one in files if one.suffix in {".html", ".txt"}})


def preview(made: LocalDeployment, **fields: Any) -> Any:
    body = json.dumps({"do": "preview", **fields}).encode()
    headers = {"X-Cairn-Roles": "viewer"}
    answer = made.manage("POST", "https://localhost/manage/messages", headers, body, actor="ada")
    assert answer["statusCode"] == 200, answer["body"]
    return json.loads(answer["body"])


@pytest.mark.parametrize("journey", sorted(one.parent.name for one in JOURNEYS.glob("*/samples.yaml")))
def test_every_template_is_rendered_for_every_sample_in_every_language(journey: str) -> None:
    with local_deployment(JOURNEYS, start=datetime(2026, 3, 2, 15, tzinfo=UTC), secrets=local_secrets({})) as made:
        shown = {template: preview(made, journey=journey, template=template) for template in templates_of(journey)}

    for template, found in shown.items():
        assert found["steps"], template
        assert {one["channel"] for one in found["messages"]}, template
        rendered = [one for one in found["messages"] if "not_sent" not in one]
        assert rendered, template
        assert all(one["text"] for one in rendered), template
        assert all(one["subject"] for one in rendered if one["channel"] == "email"), template
        assert len({one["reader"] for one in found["messages"]}) > 1, template
