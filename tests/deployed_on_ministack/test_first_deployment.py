"""A stage that is deployed for the first time works: from a signed webhook to texts and timers."""

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from tests.deployed_on_ministack.conftest import ROOT, Cloud, Deployment

SIGNUP = ROOT / "events" / "track" / "trial_signup.json"
WAIT = timedelta(minutes=20)
"""Of the journey's step after the confirmation."""


def signup(number: int) -> dict[str, Any]:
    event: dict[str, Any] = json.loads(SIGNUP.read_text(encoding="utf-8"))
    names = {"user_id": f"member-{number}", "email": f"m{number}@example.com", "phone": f"+1201555{number:04d}"}
    return event | {"id": f"signup-{number}", "customer": names}


def test_a_webhook_becomes_a_text_and_a_timer(prod: Deployment) -> None:
    before = datetime.now(UTC)

    assert prod.posts(signup(1)) == 202

    (text,) = prod.eventually("the confirmation is sent", lambda: prod.texts("+12015550001"))
    assert "welcome, Mia!" in text
    (timer,) = prod.eventually("the next step has its timer", prod.timers)
    due = datetime.fromisoformat(timer["ScheduleExpression"][3:-1]).replace(tzinfo=UTC)
    assert before + WAIT <= due <= datetime.now(UTC) + WAIT + timedelta(minutes=1)
    assert timer["Target"]["Arn"] == prod.arn_of_queue("Wakes")
    assert prod.dead_letters() == {}


def test_a_webhook_that_is_signed_with_another_secret_is_refused(prod: Deployment) -> None:
    assert prod.posts(signup(2), secret="whsec_" + "QUJD" * 8) == 401


def test_a_second_deployment_changes_nothing(cloud: Cloud, prod: Deployment, assembly: Path) -> None:
    """Nor does another synthesis: tests/infra/test_identity_check.py."""
    before = prod.outputs("-Data") | prod.outputs()

    said = cloud.deploys(assembly)

    assert "Cairn-prod-Data (no changes)" in said
    assert "Cairn-prod (no changes)" in said
    assert prod.outputs("-Data") | prod.outputs() == before
