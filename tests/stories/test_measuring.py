"""A season of customers through the real handlers: what the log has counted says what the journey is worth."""

import json
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from typer.testing import CliRunner

from authoring.sources.samples import posting
from cairn.domain.journey.enrollment import held_out
from cli.main import app
from infra.local.deployment import LocalDeployment, local_deployment
from infra.local.signing import LOCAL_SECRET, local_secrets
from tests.stories.shop import CONSENTED, served

MONDAY = datetime(2026, 3, 2, 15, tzinfo=UTC)
TEMPLATE = "Northside: come and see us, {{ profile.first_name }}. Reply STOP to stop."

JOURNEY = """\
journey: come-back
description: A text, and who came back.
entry: {event: visit.missed}
goal:
  event: order.paid
  within: 7d
  value: {amount: event.properties.total, currency: event.properties.currency}
holdout: 0.3
%s
steps:
- id: note
  send: {channel: sms, template: note, purpose: transactional}
"""

PEOPLE = 240


@contextmanager
def season(tmp_path: Path, more: str = "") -> Iterator[LocalDeployment]:
    folder = tmp_path / "journeys" / "come-back"
    (folder / "templates").mkdir(parents=True)
    (folder / "journey.yaml").write_text(JOURNEY % more)
    (folder / "templates" / "note.sms.txt").write_text(TEMPLATE)
    with local_deployment(tmp_path / "journeys", start=MONDAY, secrets=local_secrets({})) as made:
        yield made


def happens(made: LocalDeployment, type_: str, person: int, **event: Any) -> None:
    body = {
        "id": f"{type_}-{person}",
        "type": type_,
        "customer": {"user_id": f"person-{person}", "phone": f"+1212555{person:04}"},
        "attributes": {"first_name": "Mia", "time_zone": "America/New_York"},
        "consent": CONSENTED,
        **event,
    }
    sent = posting("track", body, LOCAL_SECRET, made.now())
    assert made.request("POST", sent.url, sent.headers, sent.body)["statusCode"] == 202
    made.settle()


def is_held_out(made: LocalDeployment, person: int) -> bool:
    (customer,) = made.customer_ids(f"person-{person}")
    return held_out("come-back", customer, 0.3)


def plays(made: LocalDeployment) -> dict[str, int]:
    """Of the customers who get the text, four of five come back; of the others one of five. Each pays 12.50."""
    came = Counter[str]()
    for person in range(PEOPLE):
        happens(made, "visit.missed", person)
    made.advance_to(MONDAY + timedelta(days=2))
    for person in range(PEOPLE):
        untreated = is_held_out(made, person)
        if person % 5 < (1 if untreated else 4):
            happens(made, "order.paid", person, properties={"total": 1250, "currency": "usd"})
            came["holdout" if untreated else "treated"] += 1
    made.advance_to(MONDAY + timedelta(days=9))
    return came


def measured(made: LocalDeployment) -> dict[str, Any]:
    answer = made.manage("GET", "/manage/measures?journey=come-back", {}, actor="arn:aws:iam::123456789012:user/ada")
    assert answer["statusCode"] == 200, answer["body"]
    found: dict[str, Any] = json.loads(answer["body"])
    return found


def test_the_report_finds_what_the_text_is_worth(tmp_path: Path) -> None:
    with season(tmp_path) as made:
        came = plays(made)
        made.facts()
        found = measured(made)

        assert found["verdict"]["outcome"] == "works", found["verdict"]
        assert {arm: found[arm]["converted"] for arm in ("treated", "holdout")} == came
        assert sum(found[arm]["entered"] for arm in ("treated", "holdout")) == PEOPLE
        assert found["treated"]["value"] == 1250 * came["treated"]
        low, high = found["rate"]["at_each_look"]
        assert low < found["rate"]["estimate"] < high
        assert found["days_to_goal"] == {"treated": 1.0, "holdout": 1.0} or found["days_to_goal"]["treated"] == 2.0
        with served(made) as url:
            shown = CliRunner().invoke(app, ["measure", "come-back", "--to", url]).stdout
        assert "✓ come-back  works: +" in shown
        assert "customers needed" not in shown, "it is decided"
        with served(made) as url:
            funnel = CliRunner().invoke(app, ["report", "funnel", "--journey", "come-back", "--to", url]).stdout
        assert [row.split()[0] for row in funnel.splitlines()[2:5]] == ["note", "goal_reached", "ended"]
        assert funnel.splitlines()[3].split()[2:] == ["2d", "2d", "2d"]
