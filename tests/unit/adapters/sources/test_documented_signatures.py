"""Vendors without a library of their own for it: their documentation's algorithm, computed by OpenSSL.

`printf %s "$BODY" | openssl dgst -sha256 -hmac "$SECRET"` gives the hex signatures, with `-binary | base64` the others.
"""

from datetime import UTC, datetime

import pytest

from cairn.adapters.sources import sources
from cairn.application.events.accept_webhook import Request
from cairn.domain.shared.errors import SignatureInvalidError

SECRET = "a-secret-of-16-bytes-or-more"
BODY = '{"id": "1", "name": "grüße"}'.encode()
NOW = datetime(2026, 3, 9, 14, 2, tzinfo=UTC)

SIGNED = {
    # https://cal.com/docs/developing/guides/automation/webhooks, "Verifying the authenticity of the received payload"
    "calcom": {"x-cal-signature-256": "4f86057cb37b23a320fb2966fe0503a07ce643e2c81e060944a9dd462411135e"},
    # https://developers.intercom.com/docs/webhooks/webhook-notifications, "Signed notifications"
    "intercom": {"x-hub-signature": "sha1=72ba27f8b34e7f8121fdabdb8e37c089d74eab9c"},
    # https://www.twilio.com/docs/segment/connections/destinations/catalog/actions-webhook, step 5
    "segment": {"x-signature": "72ba27f8b34e7f8121fdabdb8e37c089d74eab9c"},
    # https://developer.zendesk.com/documentation/webhooks/verifying/, "Verifying the signature"
    "zendesk": {
        "x-zendesk-webhook-signature-timestamp": "2026-03-09T14:00:00Z",
        "x-zendesk-webhook-signature": "JY1L9+mpaeqvF1xtbxVAYBdUJYqKxzByQ8OXPZDwmsA=",
    },
}


@pytest.mark.parametrize("name", SIGNED)
def test_we_accept_what_the_documentation_of_the_vendor_has_signed(name: str) -> None:
    source, headers = sources()[name], SIGNED[name]

    source.verify(Request("https://hooks.example.com/", headers, BODY), ["another-secret-of-16-bytes", SECRET], NOW)

    with pytest.raises(SignatureInvalidError):
        source.verify(Request("https://hooks.example.com/", headers, BODY + b" "), [SECRET], NOW)


@pytest.mark.parametrize("name", SIGNED)
def test_we_sign_as_the_documentation_of_the_vendor_says(name: str) -> None:
    at = datetime(2026, 3, 9, 14, tzinfo=UTC)
    signed = sources()[name].scheme.sign(Request("https://hooks.example.com/", {}, BODY), SECRET, at, "")

    assert {header.lower(): value for header, value in signed.items()} == SIGNED[name]
