"""A customer texts SLIDES to our number and gets a link; the customer's reply answers the journey's question."""

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from authoring.sources.samples import posting, sample_named
from infra.local.deployment import LocalDeployment, local_deployment
from infra.local.signing import local_secrets

MONDAY = datetime(2026, 3, 2, 14, tzinfo=UTC)
NUMBER = "+12015550147"

JOURNEY = """\
journey: slides
entry: {event: message.replied, where: "event.properties.keyword == 'SLIDES'", again: when-ended}
steps:
  - {id: link, send: {channel: sms, template: link, purpose: transactional}}
  - id: rating
    wait_for:
      event: message.replied
      where: "event.properties.text == '5'"
      timeout: 1d
      then: [{id: thanks, send: {channel: sms, template: thanks, purpose: transactional}}]
"""


def journeys(folder: Path) -> Path:
    templates = folder / "slides" / "templates"
    templates.mkdir(parents=True)
    (folder / "slides" / "journey.yaml").write_text(JOURNEY, encoding="utf-8")
    (templates / "link.sms.txt").write_text(
        "Here they are: https://example.com/s How were they, 1 to 5?", encoding="utf-8"
    )
    (templates / "thanks.sms.txt").write_text("Thank you!", encoding="utf-8")
    return folder


def texts(made: LocalDeployment, words: str, number: int) -> None:
    form: dict[str, Any] = json.loads(sample_named("twilio/message_received").read_bytes()) | {
        "From": NUMBER,
        "Body": words,
    }
    form |= {"MessageSid": f"SMexample{number}", "SmsSid": f"SMexample{number}"}
    post = posting("twilio", form, local_secrets({})["twilio"], made.now())
    assert made.request("POST", post.url, post.headers, post.body, "twilio")["statusCode"] == 200
    made.settle()


def test_a_keyword_starts_a_journey_and_its_question_is_answered(tmp_path: Path) -> None:
    with local_deployment(journeys(tmp_path), start=MONDAY, secrets=local_secrets({})) as made:
        texts(made, "slides please!", 1)
        made.advance_to(MONDAY + timedelta(hours=1))
        texts(made, "5", 2)
        steps = [line["step"] for line in made.timeline(NUMBER) if line["kind"] == "message"]

    assert steps == ["link", "thanks"]


def test_a_stop_does_not_count_as_an_answer(tmp_path: Path) -> None:
    with local_deployment(journeys(tmp_path), start=MONDAY, secrets=local_secrets({})) as made:
        texts(made, "SLIDES", 1)
        made.advance_to(MONDAY + timedelta(hours=1))
        texts(made, "Stop texting me", 2)
        made.advance_to(MONDAY + timedelta(days=2))
        texts(made, "slides", 3)
        lines = made.timeline(NUMBER)

    assert [line["step"] for line in lines if line["kind"] == "message"] == ["link"]
    assert [line["type"] for line in lines if line["kind"] == "event"][1] == "message.stopped"
    assert [line["reason"] for line in lines if line["kind"] == "suppressed"] == ["opted_out"]
