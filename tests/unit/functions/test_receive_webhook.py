"""The function: what a request that names another account of the vendor is answered."""

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from authoring.sources.samples import posting, sample_named
from cairn.adapters.sources import sources
from cairn.application.events.accept_webhook import AcceptWebhook
from cairn.domain.shared.errors import ServiceRefusedError
from cairn.telemetry import WEBHOOK_REFUSED
from functions.receive_webhook import handler as function
from infra.local.shapes import webhook_event
from tests.printed import Printed
from tests.unit.fakes import Inbox, Secrets
from tests.unit.makers import MONDAY

SECRET = "whsec_Y2Fpcm4tdmVuZG9yLXRlc3Rz"
CONTACT = {"eventId": 1, "subscriptionId": 2, "objectId": 501, "subscriptionType": "contact.creation", "occurredAt": 1}


@pytest.fixture
def inbox() -> Inbox:
    return Inbox()


@pytest.fixture
def counted(monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, dict[str, str]]]:
    found: list[tuple[str, dict[str, str]]] = []
    monkeypatch.setattr(function, "count", lambda name, **dimensions: found.append((name, dimensions)))
    return found


@pytest.fixture
def portal_of_ours(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, inbox: Inbox) -> Any:
    """A deployment that takes portal 990001 alone."""
    path = tmp_path / "sources.toml"
    path.write_text('[hubspot]\nonly = "item.portalId == `990001`"', encoding="utf-8")
    known = sources(path)
    monkeypatch.setattr(function, "accept", lambda: AcceptWebhook(known, Secrets(hubspot=(SECRET,)), inbox))
    monkeypatch.setattr(function, "datetime", type("Clock", (), {"now": staticmethod(lambda _: MONDAY)}))

    def post(*portals: int) -> Any:
        made = posting("hubspot", [CONTACT | {"portalId": one} for one in portals], SECRET, MONDAY)
        return function.handler(
            webhook_event("POST", made.url, made.headers, made.body, "hubspot", known, MONDAY), None
        )

    return post


def test_another_account_is_acknowledged_counted_and_named_in_the_answer(
    portal_of_ours: Any, inbox: Inbox, counted: list[Any]
) -> None:
    answer = portal_of_ours(990001, 666, 667)

    assert answer["statusCode"] == 202, "a vendor would disable a webhook that is refused for long"
    body = json.loads(answer["body"])
    assert (body["accepted"], body["refused"]) == (1, {"another-account": 2})
    assert [one.identifiers[0].value for one in inbox] == ["990001:501"]
    assert inbox.unreadable == []
    assert counted == [("WebhookOfAnotherAccount", {})]


def test_a_request_of_another_account_alone_is_not_taken_for_one_that_names_no_customer(
    portal_of_ours: Any, inbox: Inbox, counted: list[Any]
) -> None:
    answer = portal_of_ours(666)

    assert (answer["statusCode"], json.loads(answer["body"])["accepted"], list(inbox)) == (202, 0, [])
    assert [name for name, _ in counted] == ["WebhookOfAnotherAccount"]


def test_what_is_all_ours_is_answered_as_before(portal_of_ours: Any, counted: list[Any]) -> None:
    assert set(json.loads(portal_of_ours(990001)["body"])) == {"accepted", "ids"}
    assert counted == []


def test_what_a_provider_says_about_our_account_needs_a_person(
    monkeypatch: pytest.MonkeyPatch, inbox: Inbox, printed: Printed
) -> None:
    known = sources()
    monkeypatch.setattr(function, "accept", lambda: AcceptWebhook(known, Secrets(whatsapp=(SECRET,)), inbox))

    for sample in ("template_paused", "status_failed_for_the_account", "status_failed"):
        document = json.loads(sample_named(f"whatsapp/{sample}").read_text(encoding="utf-8"))
        made = posting("whatsapp", document, SECRET, MONDAY)
        request = webhook_event("POST", made.url, made.headers, made.body, "whatsapp", known, MONDAY)
        assert function.handler(request, None)["statusCode"] == 200

    paused, failed = [one for one in printed.logs() if "person_needed" in one]
    assert (paused["person_needed"], paused["template"], paused["status"]) == (
        "AccountAlarm",
        "visit_reminder",
        "PAUSED",
    )
    assert (failed["person_needed"], failed["reason"]) == ("AccountFailure", "131042")
    assert [event.type for event in inbox] == ["message.failed", "message.failed"]


def test_a_lead_whose_answers_are_not_to_be_had_now_is_posted_again_and_the_token_is_in_no_line(
    monkeypatch: pytest.MonkeyPatch, inbox: Inbox, counted: list[Any], printed: Printed
) -> None:
    token = "EAAG-a-token-of-the-page"
    given: list[Any] = [ServiceRefusedError("the vendor", "HTTP 400"), {"field_data": []}]

    def document_at(url: str, used: str) -> Any:
        assert (url.partition("?")[0], used) == ("https://graph.facebook.com/v25.0/1234567890123456789", token)
        found = given.pop(0)
        if isinstance(found, Exception):
            raise found
        return found

    known = sources()
    secrets = Secrets(**{"facebook-leads": (SECRET,), "facebook-leads-token": (token,)})
    accept = AcceptWebhook(known, secrets, inbox, document_at)
    monkeypatch.setattr(function, "accept", lambda: accept)
    sample = json.loads(sample_named("facebook-leads/leadgen").read_bytes())
    at = datetime(2026, 3, 9, 14, 1, tzinfo=UTC)
    monkeypatch.setattr(function, "datetime", type("Clock", (), {"now": staticmethod(lambda _: at)}))
    made = posting("facebook-leads", sample, SECRET, at)
    posted = webhook_event("POST", made.url, made.headers, made.body, "facebook-leads", known, at)

    refused = function.handler(posted, None)
    assert (refused["statusCode"], list(inbox)) == (503, [])
    assert function.handler(posted, None)["statusCode"] == 200

    assert [one.type for one in inbox] == ["lead.created"]
    assert (WEBHOOK_REFUSED, {}) in counted
    assert "HTTP 400" in printed.logged.getvalue()
    assert token not in printed.logged.getvalue()
