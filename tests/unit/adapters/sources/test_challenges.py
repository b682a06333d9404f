"""Challenges by POST, as docs/sources.md writes them."""

import hashlib
import hmac
import json
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from authoring.sources.mapping import problems
from cairn.adapters.sources import Sources, sources
from cairn.adapters.sources.signed_text import InvalidSourceError
from cairn.application.events.accept_webhook import AcceptWebhook, Answer, Request
from cairn.domain.shared.errors import SignatureInvalidError, SignatureMissingError
from tests.unit.adapters.sources.conftest import NOW, OTHER_SECRET, SECRET
from tests.unit.adapters.sources.test_docs import DOCS, blocks
from tests.unit.fakes import Inbox, Secrets

SHOWN = dict(blocks(DOCS / "sources.md", "toml"))
SIGNATURES: Mapping[str, Any] = tomllib.loads(SHOWN["signatures.toml"])
MAPPING = """id = "body.id"
occurred_at = "body.at"
other = "body.type"
[customer]
user_id = "body.user"
[signature]
{}
{}"""
TOKEN = 'scheme = "static-token"\nheader = "Authorization"\n'


def made(folder: Path) -> Sources:
    """Slack, Zoom, Monday and WooCommerce with the handshakes and signatures of the page."""
    for name, handshake in tomllib.loads(SHOWN["handshakes.toml"]).items():
        own = SHOWN["handshakes.toml"].partition(f"[{name}.handshake]\n")[2].partition("\n\n")[0]
        assert handshake["handshake"]
        signature = (
            "".join(f"{key} = {json.dumps(value)}\n" for key, value in SIGNATURES.get(name, {}).items()) or TOKEN
        )
        (folder / name).mkdir()
        (folder / name / "mapping.toml").write_text(
            MAPPING.format(signature, f"[handshake]\n{own}\n"), encoding="utf-8"
        )
    return sources(folder=folder)


@pytest.fixture
def known(tmp_path: Path) -> Sources:
    return made(tmp_path)


@pytest.fixture
def inbox() -> Inbox:
    return Inbox()


@pytest.fixture
def accept(known: Sources, inbox: Inbox) -> AcceptWebhook:
    return AcceptWebhook(
        known,
        Secrets(slack=(OTHER_SECRET, SECRET), zoom=(OTHER_SECRET, SECRET), monday=(SECRET,), woocommerce=(SECRET,)),
        inbox,
    )


def posted(known: Sources, name: str, document: Any, secret: str = SECRET) -> Request:
    source: Any = known[name]
    request = Request(f"https://hooks.example.com/webhooks/{name}", {}, json.dumps(document).encode())
    headers = source.scheme.sign(request, secret, NOW, "msg_1")
    return Request(request.url, {key.lower(): one for key, one in headers.items()}, request.body)


def answered(answer: Answer | None) -> Any:
    assert answer is not None
    assert (answer.status, answer.content_type) == (200, "application/json")
    return json.loads(answer.body or "")


SLACK = {"token": "Jhj5dZrVaK7ZwHHjRyZWjbDl", "challenge": "3eZbrw1aBm2rZgRNFdxV2595E9CY3gmdALWMmHkvFXO7tYXAYM8P"}
SLACK |= {"type": "url_verification"}
ZOOM = {
    "event": "endpoint.url_validation",
    "payload": {"plainToken": "qgg8vlvZRS6UYooatFL8Aw"},
    "event_ts": 1654503849680,
}


def test_slack_gets_its_challenge_and_no_event_follows(known: Sources, accept: AcceptWebhook, inbox: Inbox) -> None:
    reading = accept("slack", posted(known, "slack", SLACK), NOW)

    assert answered(reading.answer) == {"challenge": SLACK["challenge"]}
    assert not reading.events
    assert not inbox


def test_zoom_gets_its_token_with_its_hmac_by_the_secret_that_signed(known: Sources, accept: AcceptWebhook) -> None:
    for secret in (SECRET, OTHER_SECRET):
        reading = accept("zoom", posted(known, "zoom", ZOOM, secret), NOW)

        mac = hmac.new(secret.encode(), b"qgg8vlvZRS6UYooatFL8Aw", hashlib.sha256).hexdigest()
        assert answered(reading.answer) == {"plainToken": "qgg8vlvZRS6UYooatFL8Aw", "encryptedToken": mac}


@pytest.mark.parametrize(("name", "document"), [("slack", SLACK), ("zoom", ZOOM)])
def test_a_challenge_of_a_stranger_is_not_answered(
    known: Sources, accept: AcceptWebhook, name: str, document: Any
) -> None:
    with pytest.raises(SignatureInvalidError):
        accept(name, posted(known, name, document, "a secret of somebody else"), NOW)
    with pytest.raises(SignatureMissingError):
        accept(name, Request("https://hooks.example.com/", {}, json.dumps(document).encode()), NOW)


def test_one_that_the_vendor_does_not_sign_is_answered_and_its_events_are_not_taken_unsigned(
    accept: AcceptWebhook,
) -> None:
    reading = accept("monday", Request("https://hooks.example.com/", {}, b'{"challenge": "3eZbrw1a"}'), NOW)

    assert answered(reading.answer) == {"challenge": "3eZbrw1a"}
    with pytest.raises(SignatureMissingError):
        accept("monday", Request("https://hooks.example.com/", {}, b'{"type": "a.b", "user": "u"}'), NOW)


def test_a_challenge_may_be_a_form_where_the_events_are_json(accept: AcceptWebhook) -> None:
    reading = accept("woocommerce", Request("https://hooks.example.com/", {}, b"webhook_id=7"), NOW)

    assert answered(reading.answer) == {"webhook_id": "7"}
    for event in (
        b'{"note": "&webhook_id=7"}',
        b"webhook_id=7&id=1",
        b'{"webhook_id": 7}',
        b"webhook_id=" + b"7" * 16_384,
    ):
        with pytest.raises(SignatureMissingError):
            accept("woocommerce", Request("https://hooks.example.com/", {}, event), NOW)


@pytest.mark.parametrize("challenge", [None, 1, ["x"], {"x": "y"}, "x" * 1025])
def test_what_is_no_text_is_not_answered(known: Sources, accept: AcceptWebhook, challenge: Any) -> None:
    reading = accept("slack", posted(known, "slack", {**SLACK, "challenge": challenge}), NOW)

    assert reading.answer is None


def test_an_event_stays_an_event(known: Sources, accept: AcceptWebhook, inbox: Inbox) -> None:
    reading = accept(
        "slack", posted(known, "slack", {"id": "1", "type": "message.sent", "user": "u", "at": 1796126400}), NOW
    )

    assert reading.answer is None
    assert [one.type for one in inbox] == ["slack.message.sent"]


@pytest.mark.parametrize(
    ("table", "problem"),
    [
        ({"when": "body.x ==", "answer": {"a": "body.a"}}, "handshake.when: not a JMESPath expression"),
        ({"when": "body.x", "answer": {"a": "headers.a"}}, "handshake.answer: headers is unknown"),
        ({"when": "body.x", "answer": {"a": "body.a"}, "colour": "red"}, "handshake.colour: unknown"),
        ({"when": "body.x"}, "signature: source acme: handshake.answer: the fields to answer with"),
        (
            {"when": "body.x", "hmac": {"a": "body.a"}, "signed": False},
            "signature: source acme: handshake.hmac: only for",
        ),
        ({"token": "t"}, "signature: source acme: 'challenge'"),
        (
            {"when": "body.x", "answer": {"a": "body.a"}, "body": "xml"},
            "signature: source acme: handshake.body: one of json, form",
        ),
    ],
)
def test_a_mistaken_handshake_is_named(table: dict[str, Any], problem: str) -> None:
    mapping = {"id": "body.id", "occurred_at": "body.at", "signature": {"scheme": "body-hmac", "header": "X"}}

    assert any(one.startswith(problem) for one in problems("acme", {**mapping, "handshake": table}))


def test_a_source_takes_no_challenge_that_it_does_not_describe(known: Sources) -> None:
    plain: Any = sources()["stripe"]

    assert plain.post_handshake is None
    with pytest.raises(InvalidSourceError):
        type(plain).made_from("acme", {"signature": {"scheme": "none"}, "handshake": {"when": "body.x"}})
    assert {name for name, one in known.items() if getattr(one, "post_handshake", None)} == {
        *("slack", "zoom", "monday", "woocommerce")
    }
