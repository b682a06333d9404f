"""The promises of every signature scheme, for every source."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cairn.adapters.sources import sources
from cairn.adapters.sources.signatures import BodyHmac
from cairn.adapters.sources.signed_text import InvalidSourceError
from cairn.adapters.sources.tokens import BasicAuth, QueryToken, StaticToken
from cairn.application.events.accept_webhook import Request
from cairn.domain.shared.errors import SignatureInvalidError, SignatureMissingError

NOW = datetime(2026, 12, 1, 12, tzinfo=UTC)
OTHER_SECRET = "whsec_YW5vdGhlci1zZWNyZXQtb2YtdGVzdHM="
FIVE_MINUTES = timedelta(minutes=5)
TIMED = dict.fromkeys(("stripe", "calendly", "hubspot", "paddle", "standard-webhooks", "zendesk"), FIVE_MINUTES)
TIMED |= {"paypal": timedelta(days=3)}
"""The sources whose scheme signs an instant, and how far off it may be."""


def test_a_vendors_signature_is_accepted(sample: Any, take: Any) -> None:
    take(f"{sample.parents[1].name}/{sample.stem}").verify()


def test_one_changed_byte_is_refused(first: Any) -> None:
    """But with a token alone, which says nothing about a body: test_schemes.py says so of each such scheme."""
    body = first.request.body
    if not first.source.scheme.signs_body:
        assert isinstance(first.source.scheme, StaticToken | BasicAuth | QueryToken)
        return

    for position in (0, len(body) // 2, len(body) - 1):
        forged = body[:position] + bytes([body[position] ^ 1]) + body[position + 1 :]
        with pytest.raises(SignatureInvalidError):
            first.changed(body=forged).verify()
    with pytest.raises(SignatureInvalidError):
        first.changed(body=body + b"x").verify()


def test_another_secret_is_refused(first: Any) -> None:
    with pytest.raises(SignatureInvalidError):
        first.verify(OTHER_SECRET)


def test_any_of_several_secrets_may_have_signed(first: Any) -> None:
    first.verify(OTHER_SECRET, "whsec_Y2Fpcm4tdmVuZG9yLXRlc3Rz")


def test_without_a_secret_no_signature_is_accepted(first: Any) -> None:
    with pytest.raises(SignatureInvalidError):
        first.source.verify(first.request, (), NOW)
    with pytest.raises(SignatureInvalidError):
        first.verify("")


def test_a_missing_signature_differs_from_a_wrong_one(first: Any) -> None:
    header = first.source.scheme.header.lower()
    if isinstance(first.source.scheme, QueryToken):
        for query in ("", f"?{first.source.scheme.parameter}="):
            with pytest.raises(SignatureMissingError):
                first.changed(url=f"https://hooks.example.com/webhooks/acme{query}").verify()
        return

    with pytest.raises(SignatureMissingError):
        first.without(header).verify()
    with pytest.raises(SignatureMissingError):
        first.changed(headers={**first.request.headers, header: ""}).verify()


@pytest.mark.parametrize("minutes", [-4, 4])
def test_a_small_clock_difference_is_accepted(first: Any, minutes: int) -> None:
    first.verify(at=NOW + timedelta(minutes=minutes))


@pytest.mark.parametrize("off", [timedelta(minutes=-6), timedelta(minutes=6), timedelta(days=-4), timedelta(days=365)])
def test_an_old_or_future_signed_timestamp_is_refused(vendor: str, first: Any, off: timedelta) -> None:
    tolerance = TIMED.get(vendor)
    if tolerance and abs(off) > tolerance:
        with pytest.raises(
            SignatureInvalidError, match="five minutes" if tolerance == FIVE_MINUTES else str(tolerance)
        ):
            first.verify(at=NOW + off)
    else:
        first.verify(at=NOW + off)


@pytest.mark.parametrize("odd", ["inf", "nan", "-1", "1e9", "٣", "0x10", " 1796126400", "9" * 40])
def test_a_malformed_timestamp_is_refused(odd: str, take: Any) -> None:
    shapes = {
        "stripe/invoice_paid": {"stripe-signature": f"t={odd},v1=00"},
        "hubspot/contact_batch": {"x-hubspot-request-timestamp": odd},
        "standard-webhooks/user_created": {"webhook-timestamp": odd},
    }
    for name, headers in shapes.items():
        genuine = take(name)
        with pytest.raises(SignatureInvalidError):
            genuine.changed(headers={**genuine.request.headers, **headers}).verify()


def test_a_refusal_does_not_contain_the_secret(first: Any) -> None:
    with pytest.raises(SignatureInvalidError) as refusal:
        first.verify(OTHER_SECRET)

    assert "YW5vdGhlci" not in str(refusal.value)


HEADERS = st.dictionaries(
    st.sampled_from(
        [
            *("stripe-signature", "calendly-webhook-signature", "x-shopify-hmac-sha256", "x-hub-signature-256"),
            *("x-twilio-signature", "x-twilio-webhooks-signature-settings", "typeform-signature", "content-type"),
            *("x-hubspot-signature-v3", "x-hubspot-request-timestamp", "x-signature", "x-razorpay-signature"),
            *("paddle-signature", "x-wc-webhook-signature", "x-square-hmacsha256-signature", "paypal-cert-url"),
            *("paypal-transmission-sig", "paypal-transmission-id", "paypal-transmission-time"),
            *("x-cal-signature-256", "x-hub-signature", "x-zendesk-webhook-signature"),
            "x-zendesk-webhook-signature-timestamp",
            *(f"{prefix}-{name}" for prefix in ("webhook", "svix") for name in ("id", "timestamp", "signature")),
        ]
    ),
    st.one_of(
        st.text(),
        st.sampled_from(
            [
                "t=1796126400,v1=00",
                "ts=1796126400;h1=00",
                "v1,AA== v1,",
                "1796126400",
                "1796126400000",
                "sha256=",
                "algorithm=x",
            ]
        ),
        st.just("application/x-www-form-urlencoded"),
    ),
)


@given(headers=HEADERS, body=st.binary(max_size=200), path=st.text(max_size=30), secret=st.text(max_size=20))
def test_any_request_is_refused_with_one_of_two_errors(
    vendor: str, headers: dict[str, str], body: bytes, path: str, secret: str
) -> None:
    request = Request(f"https://hooks.example.com/{path}", headers, body)

    with pytest.raises((SignatureMissingError, SignatureInvalidError)):
        sources()[vendor].verify(request, (secret, "whsec_Y2Fpcm4tdmVuZG9yLXRlc3Rz"), NOW)


SHAPES = [
    {"header": "X-Sig"},
    {"header": "X-Sig", "algorithm": "sha512", "encoding": "base64"},
    {"header": "X-Sig", "algorithm": "sha1", "prefix": "sha1="},
    {"header": "X-Sig", "timestamp_header": "X-At"},
    {"header": "X-Sig", "timestamp_header": "X-At", "signed": "v0:{timestamp}:{body}", "prefix": "v0="},
]


@pytest.mark.parametrize("shape", SHAPES, ids=str)
def test_every_form_of_hmac_can_be_configured(shape: dict[str, str]) -> None:
    scheme = BodyHmac(**shape)
    request = Request("https://hooks.example.com/", {}, b'{"a": 1}')
    signed = Request(request.url, {k.lower(): v for k, v in scheme.sign(request, "s", NOW, "").items()}, request.body)

    scheme.verify(signed, ("s",), NOW)

    with pytest.raises(SignatureInvalidError):
        scheme.verify(Request(request.url, signed.headers, b'{"a": 2}'), ("s",), NOW)
    with pytest.raises(SignatureMissingError):
        scheme.verify(request, ("s",), NOW)
    if "timestamp_header" in shape:
        with pytest.raises(SignatureInvalidError):
            scheme.verify(signed, ("s",), NOW + timedelta(minutes=6))
        with pytest.raises(SignatureMissingError):
            scheme.verify(Request(request.url, {"x-sig": signed.headers["x-sig"]}, request.body), ("s",), NOW)


@pytest.mark.parametrize(
    "mistaken",
    [
        {"algorithm": "md5"},
        {"encoding": "base58"},
        {"timestamp_header": "X-At", "signed": "{body}"},
        {"signed": "{timestamp}.{body}"},
        {"signed": "body"},
    ],
    ids=str,
)
def test_a_scheme_that_would_not_sign_body_and_timestamp_is_refused(mistaken: dict[str, str]) -> None:
    with pytest.raises(InvalidSourceError, match="X-Sig"):
        BodyHmac(header="X-Sig", **mistaken)
