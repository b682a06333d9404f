"""A date that nobody can read is neither past nor absent: nobody gets a message at a wrong time because of it."""

import json
from pathlib import Path
from typing import Any

import pytest

from cairn.domain.shared.instants import duration
from infra.local import cloud
from infra.local.deployment import local_deployment
from infra.local.signing import local_secrets
from tests.printed import Printed
from tests.stories.test_addresses import CONSENT, MONDAY, Shop

JOURNEY = {
    "journey": "shop",
    "entry": {"event": "visit.booked"},
    "steps": [
        {"id": "before", "wait": {"until": "data.visit_at", "offset": "-2h"}},
        {"id": "reminder", "send": {"channel": "sms", "template": "note", "purpose": "transactional"}},
        {"id": "after", "wait": {"until": "data.ends_at", "if_unreadable": "continue"}},
        {"id": "thanks", "send": {"channel": "sms", "template": "note", "purpose": "transactional"}},
    ],
}


@pytest.fixture(autouse=True)
def metrics(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(cloud.SANDBOX, "POWERTOOLS_METRICS_DISABLED", "false")


@pytest.mark.parametrize(
    ("visit", "steps", "unreadable"),
    [
        ({"visit_at": "next Friday", "ends_at": "2026-03-04"}, [], 1),
        ({"visit_at": "03/06/2026 18:30"}, [], 1),
        ({"visit_at": "2026-03-03t18:00:00z", "ends_at": "at nine"}, ["reminder", "thanks"], 1),
        ({"visit_at": "2026-03-03T18:00[Europe/Madrid]", "ends_at": "2026-03-03T24:00"}, ["reminder", "thanks"], 0),
        ({"visit_at": "", "ends_at": None}, ["reminder", "thanks"], 0),
    ],
)
def test_a_message_follows_a_date_only_where_it_can_be_read(
    tmp_path: Path, printed: Printed, visit: dict[str, Any], steps: list[str], unreadable: int
) -> None:
    (tmp_path / "shop" / "templates").mkdir(parents=True)
    (tmp_path / "shop" / "journey.yaml").write_text(json.dumps(JOURNEY), encoding="utf-8")
    (tmp_path / "shop" / "templates" / "note.sms.txt").write_text("Northside: hello", encoding="utf-8")
    with local_deployment(tmp_path, start=MONDAY, secrets=local_secrets({})) as made:
        shop = Shop(made)

        customer = {"user_id": "a", "phone": "+12125550001"}
        shop.happens(customer, "visit.booked", properties=visit, consent=CONSENT)
        made.advance_to(made.now() + duration("5d"))

        lines = made.timeline()
        assert [line["step"] for line in lines if line["kind"] == "message"] == steps
        assert len([line for line in lines if line["kind"] == "moment_unreadable"]) == unreadable
    counted = [metric.value for metric in printed.metrics() if metric.name == "MomentUnreadable"]
    assert sum(counted) == unreadable
    assert "next Friday" not in printed.logged.getvalue()
