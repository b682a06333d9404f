"""The vendors' own libraries sign what we verify, and verify what we sign. Their Node twins are in tests/vendors."""

import hashlib
import json
import warnings
from datetime import UTC, datetime
from typing import Any
from urllib.parse import parse_qsl, urlencode

import pytest
import stripe
from standardwebhooks import Webhook, WebhookVerificationError
from twilio.request_validator import RequestValidator

from cairn.adapters.sources import sources
from cairn.application.events.accept_webhook import Request
from cairn.domain.shared.errors import SignatureInvalidError, SignatureMissingError
from infra.local.signing import LOCAL_SECRET

with warnings.catch_warnings():
    warnings.simplefilter("ignore")
    from hubspot.utils.signature import Signature

SECRET = "whsec_Y2Fpcm4tdmVuZG9yLXRlc3Rz"
URL = "https://hooks.example.com/webhooks/twilio?tenant=a%20b"
FORM = {"content-type": "application/x-www-form-urlencoded"}


def now() -> datetime:
    """The libraries read the machine's own clock."""
    return datetime.now(UTC)


def test_stripes_library_accepts_our_signature(take: Any) -> None:
    request = take("stripe/invoice_paid", at=now()).request

    event = stripe.Webhook.construct_event(request.body, request.headers["stripe-signature"], SECRET)

    assert event.id == "evt_1ExamplePaid0001"


def test_we_accept_the_signature_of_stripes_library() -> None:
    body, at = '{"id": "evt_1"}', int(now().timestamp())
    mac = stripe.WebhookSignature._compute_signature(f"{at}.{body}", SECRET)  # noqa: SLF001  it has no public signer
    rotating = f"t={at},v1={'0' * 64},v1={mac},v0={'1' * 64}"
    stripes = sources()["stripe"]

    stripes.verify(Request("", {"stripe-signature": rotating}, body.encode()), [SECRET], now())

    with pytest.raises(SignatureMissingError):  # nobody talks us down to an older scheme
        stripes.verify(Request("", {"stripe-signature": f"t={at},v0={mac}"}, body.encode()), [SECRET], now())


def test_the_standard_webhooks_library_accepts_our_signature(take: Any) -> None:
    request = take("standard-webhooks/user_created", at=now()).request

    assert Webhook(SECRET).verify(request.body, dict(request.headers))["type"] == "user.created"
    with pytest.raises(WebhookVerificationError):
        Webhook(LOCAL_SECRET).verify(request.body, dict(request.headers))


@pytest.mark.parametrize("prefix", ["webhook-", "svix-"])
def test_we_accept_the_signature_of_the_standard_webhooks_library(prefix: str) -> None:
    body, at = '{"type": "user.created"}', now()
    signature = Webhook(SECRET).sign("msg_1", at, body)
    headers = {"id": "msg_1", "timestamp": str(int(at.timestamp())), "signature": f"v1a,AAAA v1,AAAA {signature}"}
    request = Request("", {prefix + name: value for name, value in headers.items()}, body.encode())
    source = sources()["standard-webhooks"]

    source.verify(request, [SECRET], at)

    with pytest.raises(SignatureInvalidError):
        source.verify(Request("", {**request.headers, f"{prefix}id": "msg_2"}, request.body), [SECRET], at)


def test_twilios_library_accepts_our_signature(take: Any) -> None:
    request = take("twilio/message_received").request
    fields = dict(parse_qsl(request.body.decode(), keep_blank_values=True))

    assert RequestValidator(SECRET).validate(request.url, fields, request.headers["x-twilio-signature"])
    assert not RequestValidator(LOCAL_SECRET).validate(request.url, fields, request.headers["x-twilio-signature"])


class Several(dict[str, list[str]]):
    """Fields that come more than once, as Django and Flask hand them to Twilio's validator."""

    def getlist(self, name: str) -> list[str]:
        return self[name]


@pytest.mark.parametrize("signed", [URL, URL.replace(".com", ".com:443"), f"{URL}#rc=5&rp=all"])
@pytest.mark.parametrize("called", [URL, URL.replace(".com", ".com:443")])
@pytest.mark.parametrize("algorithm", ["HMAC_SHA1", "HMAC_SHA256"])
def test_we_accept_the_signature_of_twilios_library(signed: str, called: str, algorithm: str) -> None:
    """With and without the port, with the connection overrides that never reach us, and fields that repeat."""
    fields = Several({"Body": ["grüße & 100%"], "MediaUrl": ["b", "a", "b"], "Empty": [""]})
    signature = RequestValidator(SECRET).compute_signature(signed, fields, algorithm)
    settings = {"x-twilio-webhooks-signature-settings": f"key=sharedkey_1,algorithm={algorithm}"}
    headers = {**FORM, "x-twilio-signature": signature, **(settings if algorithm == "HMAC_SHA256" else {})}
    request = Request(called, headers, urlencode(fields, doseq=True).encode())

    sources()["twilio"].verify(request, [LOCAL_SECRET, SECRET], now())

    with pytest.raises(SignatureInvalidError):
        sources()["twilio"].verify(Request(f"{called}&x=1", headers, request.body), [SECRET], now())


def test_we_accept_twilios_signature_of_json() -> None:
    body = json.dumps({"MessageSid": "SM1"})
    url = f"{URL}&bodySHA256={hashlib.sha256(body.encode()).hexdigest()}"
    library = RequestValidator(SECRET)
    signature = library.compute_signature(url, {})
    headers = {"content-type": "application/json", "x-twilio-signature": signature}

    assert library.validate(url, body, signature)
    sources()["twilio"].verify(Request(url, headers, body.encode()), [SECRET], now())

    with pytest.raises(SignatureInvalidError):
        sources()["twilio"].verify(Request(url, headers, body.encode() + b" "), [SECRET], now())
    plain = {**headers, "x-twilio-signature": library.compute_signature(URL, {})}
    with pytest.raises(SignatureInvalidError):  # a body that nothing in the URL vouches for
        sources()["twilio"].verify(Request(URL, plain, body.encode()), [SECRET], now())


def test_hubspots_library_accepts_our_signature(take: Any) -> None:
    request = take("hubspot/contact_batch", at=now()).request

    assert Signature.is_valid(
        signature=request.headers["x-hubspot-signature-v3"],
        client_secret=SECRET,
        request_body=request.body.decode(),
        http_uri=request.url,
        signature_version="v3",
        timestamp=request.headers["x-hubspot-request-timestamp"],
    )


@pytest.mark.parametrize(
    "called", ["https://h.example.com/w?a=b%20c&d=%40x", "https://h.example.com/w?u=https%3A%2F%2Fx"]
)
@pytest.mark.parametrize("decoded", [True, False])
def test_we_accept_the_signature_of_hubspots_library(called: str, decoded: bool) -> None:  # noqa: FBT001
    """Its documentation has receivers decode some escapes; its own library leaves that to them."""
    signed = called.replace("%40", "@").replace("%3A", ":").replace("%2F", "/") if decoded else called
    at = str(int(now().timestamp() * 1000))
    body = json.dumps([{"eventId": 1, "note": "grüße"}], ensure_ascii=False)
    signature = Signature.get_signature(SECRET, body, "v3", signed, "POST", at)
    headers = {"x-hubspot-signature-v3": signature, "x-hubspot-request-timestamp": at}
    hubspot = sources()["hubspot"]

    hubspot.verify(Request(called, headers, body.encode()), [SECRET], now())

    with pytest.raises(SignatureInvalidError):
        hubspot.verify(Request(called, headers, body.encode(), "PUT"), [SECRET], now())
    with pytest.raises(SignatureInvalidError):
        hubspot.verify(Request(f"{called}&more", headers, body.encode()), [SECRET], now())
