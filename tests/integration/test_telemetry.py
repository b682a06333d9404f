"""Metrics and logs: every refusal is counted, every decision has a log line, and no line has personal data."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from authoring.sources.samples import sample_named
from cairn.settings import MAX_BODY_BYTES
from tests.printed import Printed

ROOT = Path(__file__).parents[2]
SCENARIOS = ROOT / "events" / "scenarios"

PERSONAL = ("customer", "email", "phone", "first_name", "name", "body", "subject", "goal", "text")
"""Fields of timelines, events and attributes whose values must not appear in a log."""

MISHAPS = """
scenario: What goes wrong
starts: 2026-03-02T14:00:00Z
for: 1d
posts:
  - at: 0s
    event: {id: a, type: trial.signup, customer: {phone: call Mia Sample at home}}
  - at: 1m
    status: 422
    event: {id: b, type: Mia Sample, customer: {email: mia.sample at example.com}}
  - at: 2m
    event: {id: c, type: trial.signup, customer: {phone: "+12015550123"}, attributes: {first_name: Mia}}
expect: []
"""


@pytest.mark.parametrize(
    ("source", "body", "headers", "status", "reason"),
    [
        ("track", b"{}", {}, 401, "signature-missing"),
        ("stripe", b"{}", {"stripe-signature": "t=1,v1=abc"}, 401, "signature-invalid"),
        ("nobody", b"{}", {}, 404, "unknown-source"),
        ("track", b"a" * (MAX_BODY_BYTES + 1), {}, 413, "body-too-large"),
        ("track", b"[]", None, 422, "invalid-event"),
    ],
)
def test_a_refused_webhook_is_counted_and_logged_with_its_reason(  # noqa: PLR0913, PLR0917  the parts of a request
    story: Any, printed: Printed, source: str, body: bytes, headers: Any, status: int, reason: str
) -> None:
    answer = story.posts(body, source, headers)

    assert answer["statusCode"] == status
    assert [(one.name, one.dimensions) for one in printed.metrics()] == [("WebhookRefused", [])]
    (line,) = [one for one in printed.logs() if one["message"] == "webhook refused"]
    assert line["reason"] == reason
    assert line["source"] == ("unknown" if source == "nobody" else source)


def test_every_outcome_of_a_story_is_counted_or_logged(story: Any, printed: Printed) -> None:
    story.signs_up()
    story.passes("6m")  # longer than SQS itself remembers an event
    story.signs_up()
    story.happens("trial.signup", "nobody", customer={"phone": "call me"})
    story.passes("1d")

    metrics, lines = printed.metrics(), printed.logs()
    names = [one.name for one in metrics]
    outcomes = [one["outcome"] for one in lines if "outcome" in one]
    assert sorted(names) == ["DeadLettered", "EventDuplicate"]
    assert [outcomes.count(one) for one in ("EventProcessed", "EventDuplicate", "WakeProcessed")] == [2, 1, 2]
    assert [one["status"] for one in lines if one["message"] == "message handled"] == ["sent", "sent"]
    assert [one["outcome"] for one in lines if one["message"] == "task woken"] == ["reminded", "passed_on"]
    notified = [one for one in lines if one["message"] == "notification of a member handled"]
    assert [one["kind"] for one in notified] == ["assigned", "reminder", "reassigned"]
    assert {one["outcome"] for one in notified} == {"sent"}
    assert {(one.namespace, one.value) for one in metrics} == {("Cairn", 1)}
    assert sum(len(one["effects"]) for one in lines if one["message"] == "commit relayed") == 12
    assert [one["source"] for one in lines if one["message"] == "event processed"] == ["track", "track", "people"]
    assert {(one["level"], "location" in one) for one in lines} >= {("INFO", False), ("ERROR", True)}
    assert not [one for one in lines if ("location" in one) == (one["level"] == "INFO")]


def test_the_ordinary_course_writes_no_metric(story: Any, printed: Printed) -> None:
    """CloudWatch takes 0.30 USD a month for each series, and AWS's own metrics of queues and providers cost nothing."""
    story.signs_up()
    story.passes("1d")

    assert len(story.sent()) == 2
    assert printed.metrics() == []


def test_no_log_line_has_personal_data(tmp_path: Path) -> None:
    mishaps = tmp_path / "mishaps.yaml"
    mishaps.write_text(MISHAPS)
    stories = [mishaps, *(SCENARIOS / f"{name}.yaml" for name in STORIES)]
    command = [sys.executable, "-c", "from cli.main import app; app()", "replay", *map(str, stories), "--json"]
    environment = {**os.environ, "CAIRN_LOG_LEVEL": "DEBUG", "POWERTOOLS_DEV": "false"}

    done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, timeout=120, check=False)  # noqa: S603

    documents = [json.loads(line) for line in done.stdout.splitlines()]
    logs = [json.dumps(one, ensure_ascii=False) for one in documents if "level" in one]
    lines = [one for one in documents if "level" not in one]
    personal = {value for line in lines for value in _personal(line)} | _personal_of_samples() | {"Mia Sample"}
    assert len(logs) > 25
    assert len(lines) > 20
    assert {"member-4711", "mia.sample@example.com", "+12015550123", "Mia"} <= personal
    assert [(value, log) for value in personal for log in logs if value in log] == []


STORIES = ("fitness-trial-to-paid", "payment-failure-rescue")


def _personal(document: Any) -> set[str]:
    """The values of personal fields, at any depth."""
    if isinstance(document, list):
        return {value for one in document for value in _personal(one)}
    if not isinstance(document, dict):
        return set()
    own = {value for name, value in document.items() if name in PERSONAL and isinstance(value, str) and len(value) > 2}
    return own.union(*(_personal(value) for value in document.values()))


def _personal_of_samples() -> set[str]:
    samples = [*(ROOT / "events" / "track").glob("*.json"), sample_named("stripe/invoice_payment_failed")]
    names = {"customer_email", "customer_phone", "customer_name", "user_id", *PERSONAL}
    found: set[str] = set()
    for sample in samples:
        document = json.loads(sample.read_text())
        text = json.dumps(document.get("data", document))
        flat = json.loads(
            text,
            object_pairs_hook=lambda pairs: found.update(
                value for name, value in pairs if name in names and isinstance(value, str) and len(value) > 2
            ),
        )
        assert flat is None
    return found
