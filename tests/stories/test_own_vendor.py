"""A vendor of a deployment's own: a folder beside its sources.toml, whose first event starts a journey."""

import json
from datetime import UTC, datetime
from pathlib import Path

from typer.testing import CliRunner

from authoring.sources.samples import posting
from cairn.adapters.sources import OWN, sources
from cli.main import app
from infra.local.deployment import local_deployment
from infra.local.signing import LOCAL_SECRET, local_secrets

START = datetime(2026, 3, 9, 15, tzinfo=UTC)
JOURNEY = """
journey: thank-you
time_zone: America/New_York
sender: {brand: Field Guides, postal_address: "400 Example Road, Pinegrove, NJ 07000"}
entry: {event: order.paid, key: event.properties.order_id}
steps:
  - {id: thanks, send: {channel: email, template: thanks, purpose: transactional}}
"""
TEMPLATE = """---
subject: "Thank you, {{ profile.first_name }}"
---
<p>Order {{ data.order_id }} is on its way.</p>
"""


def test_the_first_event_of_a_vendor_from_another_folder_starts_a_journey(tmp_path: Path) -> None:
    configuration, journey = tmp_path / "sources.toml", tmp_path / "journeys" / "thank-you"
    configuration.write_text("", encoding="utf-8")
    (journey / "templates").mkdir(parents=True)
    (journey / "journey.yaml").write_text(JOURNEY, encoding="utf-8")
    (journey / "templates" / "thanks.email.html").write_text(TEMPLATE, encoding="utf-8")
    made = CliRunner().invoke(app, ["sources", "new", "parkside", "--configuration", str(configuration)])
    assert made.exit_code == 0
    known = sources(configuration)
    sample = json.loads((tmp_path / OWN / "parkside" / "samples" / "order_paid.json").read_text(encoding="utf-8"))
    post = posting("parkside", sample, LOCAL_SECRET, START, known=known)

    with local_deployment(
        journey.parent, start=START, secrets=local_secrets({}, known), configuration=configuration
    ) as deployment:
        answer = deployment.request("POST", post.url, post.headers, post.body, "parkside")
        deployment.settle()
        lines = deployment.timeline("sam.sample@example.com")

    assert answer["statusCode"] == 202
    assert {line["kind"] for line in lines} == {"event", "entered", "ended", "message"}
    assert [line["subject"] for line in lines if line["kind"] == "message"] == ["Thank you, Sam"]
