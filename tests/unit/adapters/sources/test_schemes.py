"""The laws of all signature schemes, and the vectors that vendors publish."""

import base64
import hmac
import json
import tomllib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from io import BytesIO
from pathlib import Path
from typing import Any

import pytest
from botocore.awsrequest import AWSResponse, HTTPHeaders
from botocore.httpsession import URLLib3Session
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.x509.oid import NameOID
from hypothesis import given, settings
from hypothesis import strategies as st

from cairn.adapters.sources import Sources, sources
from cairn.adapters.sources.fetching import MAX_BYTES
from cairn.adapters.sources.key_pairs import private_key, public_key, signature_of, stored_secrets
from cairn.adapters.sources.mapped import SCHEMES
from cairn.adapters.sources.public_keys import CertificateUrl, KeySet, PublicKeyScheme, StoredKey
from cairn.adapters.sources.signatures import BodyHmac, Scheme, TimestampedHmac
from cairn.adapters.sources.signed_text import MAX_TOLERANCE, InvalidSourceError
from cairn.adapters.sources.tokens import BasicAuth, QueryToken, StaticToken
from cairn.adapters.sources.url_signatures import UrlBodyHmac
from cairn.adapters.sources.vendor_keys import FetchedKeys, fetch, key_in, keys_in_set
from cairn.application.events.accept_webhook import Request
from cairn.domain.customer.state import DEDUPE_WINDOW
from cairn.domain.shared.errors import (
    ServiceBusyError,
    SignatureInvalidError,
    SignatureMissingError,
    UnsignableError,
)
from cairn.domain.shared.secrets import problem_of_secret
from tests.unit.adapters.sources.test_docs import DOCS, blocks

NOW = datetime(2026, 12, 1, 12, tzinfo=UTC)
SECRET = "whsec_Y2Fpcm4tdmVuZG9yLXRlc3Rz"
OTHER_SECRET = "whsec_YW5vdGhlci1zZWNyZXQtb2YtdGVzdHM="
URL = "https://hooks.example.com/webhooks/acme"
BODY = b'{"id": "evt_1", "type": "order.paid"}'
KEYS = "https://api.example.com/keys/"

OF_VENDORS: Mapping[str, Mapping[str, Any]] = tomllib.loads(
    dict(blocks(DOCS / "sources.md", "toml"))["signatures.toml"]
)
"""The vendors' signatures as the page writes them."""

MORE = {
    "hubspot-v3": {"scheme": "hubspot-v3"},
    "twilio": {"scheme": "twilio"},
    "standard-webhooks": {"scheme": "standard-webhooks"},
    "body first": {"scheme": "url-body-hmac", "header": "X-Sig", "algorithm": "sha1", "signed": "{body}{url}"},
    "milliseconds": {
        "scheme": "body-hmac", "header": "X-Sig", "timestamp_header": "X-At", "timestamp_format": "milliseconds"
    },
    "iso in one header": {
        "scheme": "timestamped-hmac", "header": "X-Sig", "separator": ";", "timestamp_format": "iso8601"
    },
    "sha512 key": {"scheme": "pem", "header": "X-Sig", "algorithm": "rsa-sha512", "prefix": "sig="},
}  # fmt: skip


def made(settings_: Mapping[str, Any]) -> Scheme:
    parameters = dict(settings_)
    return SCHEMES[parameters.pop("scheme")](**parameters)


SHAPES = {**OF_VENDORS, **MORE}


def signed(scheme: Scheme, body: bytes = BODY, secret: str = SECRET, at: datetime = NOW) -> Request:
    url = scheme.url_with(URL, secret) if isinstance(scheme, QueryToken) else URL
    request = Request(url, {}, body)
    return replace(request, headers={k.lower(): v for k, v in scheme.sign(request, secret, at, "msg_1").items()})


def test_the_page_shows_every_scheme_that_has_parameters() -> None:
    shown = {one["scheme"] for one in SHAPES.values()}

    assert shown == set(SCHEMES)


@pytest.mark.parametrize("name", SHAPES)
class TestEveryScheme:
    def test_accepts_what_it_signs_and_nothing_of_another_secret(self, name: str) -> None:
        scheme = made(SHAPES[name])
        request = signed(scheme)

        scheme.verify(request, stored_secrets(scheme, SECRET), NOW)
        scheme.verify(request, [*stored_secrets(scheme, OTHER_SECRET), *stored_secrets(scheme, SECRET)], NOW)
        for others in ((), ("",), stored_secrets(scheme, OTHER_SECRET)):
            with pytest.raises(SignatureInvalidError):
                scheme.verify(request, others, NOW)

    @settings(max_examples=20)
    @given(body=st.binary(min_size=1, max_size=60), data=st.data())
    def test_refuses_each_changed_byte_of_the_body(self, name: str, body: bytes, data: st.DataObject) -> None:
        scheme = made(SHAPES[name])
        body = json.dumps(body.hex()).encode() if name != "twilio" else b"Body=" + body.hex().encode()
        request = signed(scheme, body)
        at, bit = data.draw(st.integers(0, len(body) - 1)), data.draw(st.integers(0, 7))
        forged = body[:at] + bytes([body[at] ^ (1 << bit)]) + body[at + 1 :]
        secrets = stored_secrets(scheme, SECRET)

        scheme.verify(request, secrets, NOW)
        if scheme.signs_body:
            with pytest.raises(SignatureInvalidError):
                scheme.verify(replace(request, body=forged), secrets, NOW)
        else:
            scheme.verify(replace(request, body=forged), secrets, NOW)
            assert isinstance(scheme, StaticToken | BasicAuth | QueryToken)

    @settings(max_examples=30)
    @given(data=st.data())
    def test_refuses_each_changed_character_of_its_headers(self, name: str, data: st.DataObject) -> None:
        scheme = made(SHAPES[name])
        request = signed(scheme)
        watched = {scheme.header.lower(), *scheme.signed_headers} & request.headers.keys()
        if not watched:
            assert isinstance(scheme, QueryToken)
            return
        header = data.draw(st.sampled_from(sorted(watched)))
        value = request.headers[header]
        at = data.draw(st.integers(0, len(value) - 1))
        character = data.draw(
            st.sampled_from("0123456789abcdefXYZ=:;.-").filter(lambda one: one.lower() != value[at].lower())
        )
        forged = {**request.headers, header: value[:at] + character + value[at + 1 :]}

        with pytest.raises((SignatureInvalidError, SignatureMissingError)):
            scheme.verify(replace(request, headers=forged), stored_secrets(scheme, SECRET), NOW)

    def test_a_missing_header_differs_from_a_wrong_one(self, name: str) -> None:
        scheme = made(SHAPES[name])
        request = signed(scheme)
        for header in {scheme.header.lower(), *scheme.signed_headers} & request.headers.keys():
            for headers in ({**request.headers, header: ""}, {k: v for k, v in request.headers.items() if k != header}):
                with pytest.raises(SignatureMissingError):
                    scheme.verify(replace(request, headers=headers), stored_secrets(scheme, SECRET), NOW)
        with pytest.raises(SignatureMissingError):
            scheme.verify(Request(URL, {}, BODY), stored_secrets(scheme, SECRET), NOW)

    def test_takes_a_signed_instant_for_its_tolerance_both_ways(self, name: str) -> None:
        scheme = made(SHAPES[name])
        request, secrets = signed(scheme), stored_secrets(scheme, SECRET)
        timed = SHAPES[name]["scheme"] in {"timestamped-hmac", "standard-webhooks", "hubspot-v3"} or bool(
            SHAPES[name].get("timestamp_header")
        )
        tolerance = timedelta(seconds=SHAPES[name].get("tolerance", 300))
        for ahead in (tolerance, -tolerance):
            scheme.verify(request, secrets, NOW + ahead)
        for off in (tolerance + timedelta(seconds=2), -tolerance - timedelta(seconds=2)):
            if timed:
                with pytest.raises(SignatureInvalidError, match="off; sign again"):
                    scheme.verify(request, secrets, NOW + off)
            else:
                scheme.verify(request, secrets, NOW + off)

    def test_a_refusal_shows_neither_the_secret_nor_a_signature(self, name: str) -> None:
        scheme = made(SHAPES[name])
        with pytest.raises(SignatureInvalidError) as refusal:
            scheme.verify(signed(scheme), stored_secrets(scheme, OTHER_SECRET), NOW)

        assert "Y2Fpcm4" not in str(refusal.value)
        assert "YW5vdGhlci" not in str(refusal.value)

    def test_every_secret_is_compared_in_constant_time(self, name: str, monkeypatch: pytest.MonkeyPatch) -> None:
        scheme, compared, compare = made(SHAPES[name]), list[bytes](), hmac.compare_digest

        def recorded(one: bytes, other: bytes) -> bool:
            compared.append(other)
            return compare(one, other)

        monkeypatch.setattr(hmac, "compare_digest", recorded)
        request = signed(scheme)
        scheme.verify(request, [*stored_secrets(scheme, SECRET), *stored_secrets(scheme, OTHER_SECRET)], NOW)

        if isinstance(scheme, PublicKeyScheme):
            assert compared == [], "a public key is no secret"
        else:
            assert len(set(compared)) >= 2, "a match ends no comparison early"

    def test_what_a_laptop_stores_is_a_secret_that_a_receiver_takes(self, name: str, tmp_path: Path) -> None:
        scheme, known = made(SHAPES[name]), vendor(SHAPES[name], tmp_path)

        for one in stored_secrets(scheme, SECRET):
            assert problem_of_secret(one) == ""
            assert known.problem_of_secret("acme", one) == ""


def vendor(signature: Mapping[str, Any], folder: Path) -> Sources:
    """A source `acme` that is signed so."""
    lines = "\n".join(f"{key} = {json.dumps(value)}" for key, value in signature.items())
    text = f'id = "body.id"\noccurred_at = "body.at"\n[signature]\n{lines}\n'
    (folder / "acme").mkdir()
    (folder / "acme" / "mapping.toml").write_text(text, encoding="utf-8")
    return sources(folder=folder)


SLACK_BODY = (
    "token=xyzz0WbapA4vBCDEFasx0q6G&team_id=T1DC2JH3J&team_domain=testteamnow&channel_id=G8PSS9T3V&channel_name=foobar"
    "&user_id=U2CERLKJA&user_name=roadrunner&command=%2Fwebhook-collect&text=&response_url=https%3A%2F%2Fhooks.slack.com"
    "%2Fcommands%2FT1DC2JH3J%2F397700885554%2F96rGlfmibIGlgcZRskXaIFfN&trigger_id=398738663015.47445629121."
    "803a0bc887a14d10d2c447fce8b6703c"
)
SQUARE_BODY = (
    '{"merchant_id":"MLEFBHHSJGVHD","type":"webhooks.test_notification","event_id":"ac3ac95b-f97d-458c-a6e6-18981597e05f"'
    ',"created_at":"2022-07-13T20:30:59.037339943Z","data":{"type":"webhooks","id":"bc368e64-01aa-407e-b46e-3231809b1129"}}'
)
SENDGRID_BODY = (
    '[{"email":"hello@world.com","event":"dropped","reason":"Bounced Address",'
    '"sg_event_id":"ZHJvcC0xMDk5NDkxOS1MUnpYbF9OSFN0T0doUTRrb2ZTbV9BLTA",'
    '"sg_message_id":"LRzXl_NHStOGhQ4kofSm_A.filterdrecv-p3mdw1-756b745b58-kmzbl-18-5F5FC76C-9.0",'
    '"smtp-id":"<LRzXl_NHStOGhQ4kofSm_A@ismtpd0039p1iad1.sendgrid.net>","timestamp":1600112492}]\r\n'
)
SENDGRID_KEY = (
    "MFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAE83T4O/n84iotIvIW4mdBgQ/7dAfSmpqIM8kF9mN1flpVKS3GRqe62gw+2fNNRaINXvVpiglSI8eN"
    "Ec6wEA3F+g=="
)
WISE_KEY = """-----BEGIN PUBLIC KEY-----
MIIBIjANBgkqhkiG9w0BAQEFAAOCAQ8AMIIBCgKCAQEAwpb91cEYuyJNQepZAVfP
ZIlPZfNUefH+n6w9SW3fykqKu938cR7WadQv87oF2VuT+fDt7kqeRziTmPSUhqPU
ys/V2Q1rlfJuXbE+Gga37t7zwd0egQ+KyOEHQOpcTwKmtZ81ieGHynAQzsn1We3j
wt760MsCPJ7GMT141ByQM+yW1Bx+4SG3IGjXWyqOWrcXsxAvIXkpUD/jK/L958Cg
nZEgz0BSEh0QxYLITnW1lLokSx/dTianWPFEhMC9BgijempgNXHNfcVirg1lPSyg
z7KqoKUN0oHqWLr2U1A+7kqrl6O2nx3CKs1bj1hToT1+p4kcMoHXA7kA+VBLUpEs
VwIDAQAB
-----END PUBLIC KEY-----
"""
WISE_BODY = (
    '{"data":{"resource":{"id":49983981,"profile_id":16055450,"account_id":14124090,"type":"transfer"},'
    '"current_state":"incoming_payment_waiting","previous_state":null,"occurred_at":"2021-08-23T10:12:50Z"},'
    '"subscription_id":"90aa8e14-4ef1-4a56-861c-f3c9cde097ea","event_type":"transfers#state-change",'
    '"schema_version":"2.0.0","sent_at":"2021-08-23T10:12:50Z"}'
)
WISE_SIGNATURE = (
    "wKcKCYXAzxNgiu7xmoDm943NUni7Rz33QN8JkEA9dWSGebgndonabgSj18Y4C08OrwVmueGsED2s00M7DtJVcYKOS1i3G4TMVx+mgM3aL9djMBkQ"
    "tiYNBFUd6wrPI7ZUNHv/TrlKSjTMc+6JFvUvJ7owY3z85e3I4jLRLJowMFvO8kvCJ60+1pY9wDwZvtZ//WS93LrwGjk9Dvwzpmu0w+P4J75tETT5"
    "qC3Uv0y5G2yO8SEoO3yNP/tg/BOli02niHb53vEOUWUb9bly6thnfMoXoiV/osoGxgF20R58RlvkAmezyyl1Sv542TfS2DpiwVnmjjjkCyXeSUcK"
    "ookYLQ=="
)

VECTORS: Mapping[str, tuple[str, Mapping[str, str], str, str, str, int]] = {
    # name in the page: URL, headers, body, secret, source of the vector, its instant
    "slack": (
        URL,
        {
            "x-slack-request-timestamp": "1531420618",
            "x-slack-signature": "v0=a2114d57b48eac39b9ad189dd8316235a7b4a8d21a10bd27519666489c69b503",
        },
        SLACK_BODY,
        "8f742231b10e8888abcd99yyyzzz85a5",
        "https://docs.slack.dev/authentication/verifying-requests-from-slack/",
        1531420618,
    ),
    "github": (
        URL,
        {"x-hub-signature-256": "sha256=757107ea0eb2509fc211221cce984b8a37570b6d7586c22c46f4379c8b043e17"},
        "Hello, World!",
        "It's a Secret to Everybody",
        "https://docs.github.com/en/webhooks/using-webhooks/validating-webhook-deliveries",
        0,
    ),
    "square": (
        "https://webhook.site/679a4f3a-dcfa-49ee-bac5-9d0edad886b9",
        {"x-square-hmacsha256-signature": "GF4YkrJgGBDZ9NIYbNXBnMzqb2HoL4RW/S6vkZ9/2N4="},
        SQUARE_BODY,
        "Ibxx_5AKakO-3qeNVR61Dw",
        "the tests of Square's SDKs",
        0,
    ),
    "sendgrid": (
        URL,
        {
            "x-twilio-email-event-webhook-timestamp": "1600112502",
            "x-twilio-email-event-webhook-signature": (
                "MEUCIGHQVtGj+Y3LkG9fLcxf3qfI10QysgDWmMOVmxG0u6ZUAiEAyBiXDWzM+uOe5W0JuG+luQAbPIqHh89M15TluLtEZtM="
            ),
        },
        SENDGRID_BODY,
        SENDGRID_KEY,
        "the tests of sendgrid-python",
        1600112502,
    ),
    "wise": (
        URL,
        {"x-signature-sha256": WISE_SIGNATURE},
        WISE_BODY,
        WISE_KEY,
        "https://github.com/transferwise/digital-signatures-examples",
        0,
    ),
}


@pytest.mark.parametrize("name", VECTORS)
def test_what_a_vendor_publishes_as_signed_is_accepted_as_it_is_and_in_no_other_way(name: str) -> None:
    url, headers, body, secret, _, at = VECTORS[name]
    scheme, now = made(OF_VENDORS[name]), datetime.fromtimestamp(at, UTC)
    request = Request(url, headers, body.encode())

    scheme.verify(request, [secret], now)

    with pytest.raises(SignatureInvalidError):
        scheme.verify(replace(request, body=request.body + b" "), [secret], now)


def test_ed25519_is_the_one_of_rfc_8032() -> None:
    scheme = StoredKey(header="X-Sig", algorithm="ed25519", encoding="hex")
    key = "3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c"
    signature = (
        "92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da085ac1e43e15996e458f3613d0f11d8c387b2eaeb4302aee"
        "b00d291612bb0c00"
    )

    scheme.verify(Request(URL, {"x-sig": signature}, b"\x72"), [key], NOW)

    with pytest.raises(SignatureInvalidError):
        scheme.verify(Request(URL, {"x-sig": signature}, b"\x73"), [key], NOW)


def test_several_signatures_of_a_rotation_may_stand_in_one_header() -> None:
    paddle = made(OF_VENDORS["paddle"])
    value = signed(paddle).headers["paddle-signature"]
    at, _, mac = value.partition(";h1=")
    request = Request(URL, {"paddle-signature": f"{at};h1={'0' * 64};h1={mac};h2=ffff"}, BODY)

    paddle.verify(request, [SECRET], NOW)


def test_hex_may_be_in_capitals() -> None:
    scheme = made(OF_VENDORS["razorpay"])
    request = signed(scheme)

    scheme.verify(replace(request, headers={k: v.upper() for k, v in request.headers.items()}), [SECRET], NOW)


def test_the_longest_tolerance_is_the_window_in_which_an_event_counts_once() -> None:
    assert timedelta(seconds=MAX_TOLERANCE) == DEDUPE_WINDOW


class TestTokens:
    def test_the_word_before_a_token_may_be_in_any_case(self) -> None:
        scheme = StaticToken(header="Authorization", prefix="Bearer ")

        scheme.verify(Request(URL, {"authorization": f"bearer  {SECRET}"}, BODY), [SECRET], NOW)
        for other in (SECRET, f"Basic {SECRET}"):
            with pytest.raises(SignatureMissingError):
                scheme.verify(Request(URL, {"authorization": other}, BODY), [SECRET], NOW)

    @pytest.mark.parametrize("secret", ["a-user:a-pass:word of ours", "ein-längeres:passwört", "a-password-of-ours"])
    def test_user_and_password_are_compared_as_one(self, secret: str) -> None:
        scheme = BasicAuth()
        text = secret if ":" in secret else f"cairn:{secret}"
        shown = base64.b64encode(text.encode()).decode()

        scheme.verify(Request(URL, {"authorization": f"Basic {shown}"}, BODY), [secret], NOW)
        for wrong in (text + "x", text[1:], "cairn:", ":"):
            given_ = base64.b64encode(wrong.encode()).decode()
            with pytest.raises(SignatureInvalidError):
                scheme.verify(Request(URL, {"authorization": f"Basic {given_}"}, BODY), [secret], NOW)

    def test_a_token_in_the_url_keeps_the_other_parameters_and_any_sign(self) -> None:
        scheme, secret = QueryToken(parameter="token"), "a&b=c d/ü+%"
        url = scheme.url_with(f"{URL}?shop=1&token=old", secret)

        scheme.verify(Request(url, {}, BODY), [secret], NOW)
        assert url.startswith(f"{URL}?shop=1&token=")
        for wrong in (f"{URL}?token=x", f"{URL}?token={secret[:-1]}", f"{url}&token=x"):
            with pytest.raises(SignatureInvalidError):
                scheme.verify(Request(wrong, {}, BODY), [secret], NOW)
        with pytest.raises(SignatureMissingError):
            scheme.verify(Request(f"{URL}?Token=x", {}, BODY), [secret], NOW)

    def test_no_expression_sees_a_token(self, tmp_path: Path) -> None:
        known = vendor({"scheme": "query-token", "parameter": "token"}, tmp_path)
        source: Any = known["acme"]

        assert not source.scheme.signs_url
        assert source.scheme.covered(signed(source.scheme)).headers == {}


class TestUrlAndBody:
    def test_the_origin_is_the_one_that_the_vendor_called(self) -> None:
        inside = UrlBodyHmac(header="X-Sig", origin="https://hooks.example.com")
        request = signed(UrlBodyHmac(header="X-Sig"))

        inside.verify(replace(request, url="https://abc.execute-api.example/webhooks/acme"), [SECRET], NOW)
        with pytest.raises(SignatureInvalidError):
            inside.verify(replace(request, url="https://abc.execute-api.example/webhooks/other"), [SECRET], NOW)

    def test_a_form_has_no_border_to_the_url_and_is_not_read(self, tmp_path: Path) -> None:
        known = vendor({"scheme": "url-body-hmac", "header": "X-Sig"}, tmp_path)
        path = tmp_path / "acme" / "mapping.toml"
        path.write_text(f'body = "form"\n{path.read_text()}', encoding="utf-8")
        source: Any = sources(folder=tmp_path)["acme"]

        reading = source.read(signed(known["acme"].scheme, b"a=1&b=2"), NOW)

        assert reading.problems == ("the vendor has not signed the body as a form",)


MISTAKEN: list[tuple[str, dict[str, Any]]] = [
    ("body-hmac", {"timestamp_header": "X-At", "timestamp_format": "days"}),
    ("body-hmac", {"timestamp_header": "X-At", "tolerance": 0}),
    ("body-hmac", {"timestamp_header": "X-At", "tolerance": MAX_TOLERANCE + 1}),
    ("body-hmac", {"timestamp_header": "X-At", "tolerance": True}),
    ("body-hmac", {"signed": "{body}{secret}"}),
    ("body-hmac", {"signed": "{body}{header.x-shop}"}),
    ("timestamped-hmac", {"signed": "{body}"}),
    ("timestamped-hmac", {"timestamp": "v1"}),
    ("timestamped-hmac", {"separator": ""}),
    ("timestamped-hmac", {"algorithm": "md5"}),
    ("url-body-hmac", {"signed": "{body}"}),
    ("url-body-hmac", {"signed": "{url}"}),
    ("pem", {"algorithm": "none"}),
    ("pem", {"algorithm": "ed25519", "encoding": "base32"}),
    ("pem", {"algorithm": "ed25519", "signed": "{timestamp}"}),
    ("jwks", {"algorithm": "ed25519"}),
    ("jwks", {"algorithm": "ed25519", "urls": ["http://api.example.com/"]}),
    ("jwks", {"algorithm": "ed25519", "urls": ["https://api.example.com"]}),
    ("jwks", {"algorithm": "ed25519", "urls": "https://api.example.com/"}),
    ("certificate-url", {"algorithm": "ed25519", "urls": [KEYS]}),
    ("certificate-url", {"algorithm": "ed25519", "urls": ["https://*.example.com/"], "url_header": "X-Cert"}),
]


@pytest.mark.parametrize(("scheme", "mistaken"), MISTAKEN, ids=str)
def test_a_scheme_that_would_sign_too_little_is_refused(scheme: str, mistaken: dict[str, Any]) -> None:
    with pytest.raises(InvalidSourceError, match="X-Sig"):
        SCHEMES[scheme](header="X-Sig", **mistaken)


class TestStoredKeys:
    @pytest.mark.parametrize(
        ("secret", "problem"),
        [
            ("a text that is no key at all", "is no public key"),
            ("-----BEGIN PUBLIC KEY-----\nabc\n-----END PUBLIC KEY-----", "is no public key"),
            ("-----BEGIN CERTIFICATE-----\nabc\n-----END CERTIFICATE-----", "is no public key"),
            ("ünd" * 8, "is no public key"),
            (public_key(SECRET, "ecdsa-sha256"), "is no key for ed25519"),
        ],
    )
    def test_what_is_no_key_is_refused_with_its_reason(self, secret: str, problem: str) -> None:
        assert StoredKey(header="X-Sig", algorithm="ed25519").problem_of_secret(secret).startswith(problem)

    def test_a_private_key_is_not_stored(self) -> None:
        text = pem_of(private_key(SECRET, "ed25519"))

        assert "private key" in StoredKey(header="X-Sig", algorithm="ed25519").problem_of_secret(text)

    def test_a_short_rsa_key_is_refused(self) -> None:
        short = rsa.generate_private_key(65537, 1024).public_key()  # noqa: S505  the test is about it
        text = short.public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo).decode()

        assert "1024 bits" in StoredKey(header="X-Sig", algorithm="rsa-sha256").problem_of_secret(text)

    def test_a_laptop_may_sign_with_a_private_key_of_its_own_and_not_with_a_public_one(self) -> None:
        scheme, own = StoredKey(header="X-Sig", algorithm="ed25519"), pem_of(private_key("mine", "ed25519"))

        scheme.verify(signed(scheme, secret=own), stored_secrets(scheme, own), NOW)
        assert stored_secrets(scheme, own) == [public_key("mine", "ed25519")]
        with pytest.raises(UnsignableError):
            scheme.sign(Request(URL, {}, BODY), public_key("mine", "ed25519"), NOW, "msg_1")

    def test_a_signature_in_another_writing_is_refused(self) -> None:
        scheme = StoredKey(header="X-Sig", algorithm="ed25519")

        with pytest.raises(SignatureInvalidError, match="base64"):
            scheme.verify(Request(URL, {"x-sig": "§"}, BODY), stored_secrets(scheme, SECRET), NOW)


def pem_of(key: Any) -> str:
    text: bytes = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    return text.decode()


def certificate(*, days: int = 30, key: Any = None, at: datetime = NOW) -> bytes:
    key = key or private_key(SECRET, "rsa-sha256")
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "messages.example.com")])
    from_, to = at - timedelta(days=30), at + timedelta(days=days)
    made_ = x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number(), from_, to)
    return made_.sign(private_key(SECRET, "rsa-sha256"), hashes.SHA256()).public_bytes(serialization.Encoding.PEM)


class Vendor:
    """Serves keys at their addresses, and counts."""

    def __init__(self, **files: bytes) -> None:
        self.files, self.asked = files, list[str]()

    def __call__(self, url: str) -> bytes:
        self.asked.append(url)
        name = url.removeprefix(KEYS)
        if name not in self.files:
            raise ServiceBusyError("the vendor answered 404 instead of giving its key")
        return self.files[name]


def with_keys(scheme: Any, serve: Callable[[str], bytes]) -> Any:
    scheme.keys.fetch = serve
    return scheme


WEBHOOK_ID = "1JE4291016473214C-of-tests"


class TestCertificateUrl:
    def paypal(self, serve: Callable[[str], bytes]) -> CertificateUrl:
        paypal: CertificateUrl = with_keys(made({**OF_VENDORS["paypal"], "urls": [KEYS]}), serve)
        return paypal

    def request(self, url: str = f"{KEYS}CERT-1", body: bytes = BODY) -> Request:
        scheme = self.paypal(Vendor())
        text = scheme._texts(  # noqa: SLF001  as PayPal would make it
            Request(URL, {"paypal-transmission-id": "t-1"}, body), [WEBHOOK_ID], "2026-12-01T12:00:00Z"
        )[0]
        assert text.startswith(b"t-1|2026-12-01T12:00:00Z|" + WEBHOOK_ID.encode() + b"|")
        signature = signature_of(private_key(SECRET, "rsa-sha256"), "rsa-sha256", text)
        return Request(
            URL,
            {
                "paypal-transmission-id": "t-1",
                "paypal-transmission-time": "2026-12-01T12:00:00Z",
                "paypal-transmission-sig": base64.b64encode(signature).decode(),
                "paypal-cert-url": url,
                "paypal-auth-algo": "SHA256withRSA",
            },
            body,
        )

    def test_the_certificate_is_fetched_once_in_an_hour(self) -> None:
        serve = Vendor(**{"CERT-1": certificate()})
        scheme = self.paypal(serve)

        for minutes in (0, 1, 59):
            scheme.verify(self.request(), [WEBHOOK_ID], NOW + timedelta(minutes=minutes))
        assert serve.asked == [f"{KEYS}CERT-1"]
        scheme.verify(self.request(), [WEBHOOK_ID], NOW + timedelta(minutes=61))
        assert len(serve.asked) == 2

    def test_another_webhook_id_is_refused(self) -> None:
        with pytest.raises(SignatureInvalidError):
            self.paypal(Vendor(**{"CERT-1": certificate()})).verify(self.request(), ["another-webhook-of-ours"], NOW)

    @pytest.mark.parametrize(
        "url",
        [
            "https://evil.example.net/keys/CERT-1",
            "http://api.example.com/keys/CERT-1",
            "https://api.example.com.evil.example.net/keys/CERT-1",
            "https://api.example.com@evil.example.net/keys/CERT-1",
            f"{KEYS}../CERT-1",
            f"{KEYS}sub/CERT-1",
            f"{KEYS}CERT-1?x=1",
            f"{KEYS}CERT-1#x",
            f"{KEYS}CERT-1\n",
            KEYS,
            "CERT-1",
        ],
    )
    def test_a_certificate_elsewhere_is_not_fetched(self, url: str) -> None:
        serve = Vendor(**{"CERT-1": certificate()})

        with pytest.raises(SignatureInvalidError, match="does not lie with the vendor"):
            self.paypal(serve).verify(self.request(url), [WEBHOOK_ID], NOW)
        assert serve.asked == []

    def test_an_old_instant_is_refused_before_anything_is_fetched(self) -> None:
        serve = Vendor(**{"CERT-1": certificate()})

        with pytest.raises(SignatureInvalidError):
            self.paypal(serve).verify(self.request(), [WEBHOOK_ID], NOW + timedelta(days=36))
        assert serve.asked == []

    @pytest.mark.parametrize(
        "content", [b"", b"nonsense", certificate(days=-1), certificate(at=NOW + timedelta(days=99))]
    )
    def test_what_is_no_valid_certificate_proves_nothing(self, content: bytes) -> None:
        with pytest.raises(SignatureInvalidError, match="is none"):
            self.paypal(Vendor(**{"CERT-1": content})).verify(self.request(), [WEBHOOK_ID], NOW)

    def test_a_certificate_that_cannot_be_had_lets_the_vendor_try_again(self) -> None:
        with pytest.raises(ServiceBusyError):
            self.paypal(Vendor()).verify(self.request(), [WEBHOOK_ID], NOW)

    def test_without_its_address_a_signature_is_missing(self) -> None:
        request = self.request()
        headers = {name: one for name, one in request.headers.items() if name != "paypal-cert-url"}

        with pytest.raises(SignatureMissingError, match="PAYPAL-CERT-URL"):
            self.paypal(Vendor()).verify(replace(request, headers=headers), [WEBHOOK_ID], NOW)

    def test_a_stored_key_counts_instead_of_every_other(self) -> None:
        serve = Vendor(**{"CERT-1": certificate()})
        scheme = self.paypal(serve)

        scheme.verify(self.request(), [WEBHOOK_ID, public_key(SECRET, "rsa-sha256")], NOW)
        with pytest.raises(SignatureInvalidError):
            scheme.verify(self.request(), [WEBHOOK_ID, public_key(OTHER_SECRET, "rsa-sha256")], NOW)
        assert serve.asked == []


def key_set(*pairs: tuple[str, str]) -> bytes:
    """Of Ed25519 keys, by id and secret."""
    keys = []
    for key_id, secret in pairs:
        raw = private_key(secret, "ed25519").public_key().public_bytes_raw()
        text = base64.urlsafe_b64encode(raw).decode().rstrip("=")
        keys.append({"kty": "OKP", "crv": "Ed25519", "kid": key_id, "x": text, "use": "sig"})
    return json.dumps({"keys": keys}).encode()


class TestKeySet:
    ADDRESS = f"{KEYS}jwks.json"

    def scheme(self, serve: Callable[[str], bytes], **more: Any) -> KeySet:
        scheme: KeySet = with_keys(KeySet(header="X-Sig", algorithm="ed25519", urls=[KEYS], **more), serve)
        return scheme

    def request(self, secret: str = SECRET, key_id: str = "") -> Request:
        plain = StoredKey(header="X-Sig", algorithm="ed25519")
        request = signed(plain, secret=secret)
        return replace(request, headers={**request.headers, "x-kid": key_id} if key_id else request.headers)

    def test_any_key_of_the_set_may_have_signed(self) -> None:
        scheme = self.scheme(Vendor(**{"jwks.json": key_set(("a", OTHER_SECRET), ("b", SECRET))}))

        scheme.verify(self.request(), [self.ADDRESS], NOW)
        with pytest.raises(SignatureInvalidError):
            scheme.verify(self.request("a third secret"), [self.ADDRESS], NOW)

    def test_a_header_may_name_the_key(self) -> None:
        serve = Vendor(**{"jwks.json": key_set(("a", OTHER_SECRET), ("b", SECRET))})
        scheme = self.scheme(serve, key_id_header="X-Kid")

        scheme.verify(self.request(key_id="b"), [self.ADDRESS], NOW)
        with pytest.raises(SignatureInvalidError):
            scheme.verify(self.request(key_id="a"), [self.ADDRESS], NOW)
        with pytest.raises(SignatureMissingError, match="X-Kid"):
            scheme.verify(self.request(), [self.ADDRESS], NOW)

    def test_a_new_key_is_found_five_minutes_after_the_last_look(self) -> None:
        serve = Vendor(**{"jwks.json": key_set(("a", OTHER_SECRET))})
        scheme = self.scheme(serve)
        with pytest.raises(SignatureInvalidError):
            scheme.verify(self.request(), [self.ADDRESS], NOW)
        serve.files["jwks.json"] = key_set(("a", OTHER_SECRET), ("b", SECRET))

        with pytest.raises(SignatureInvalidError):
            scheme.verify(self.request(), [self.ADDRESS], NOW + timedelta(minutes=4))
        assert len(serve.asked) == 1, "a stranger cannot make us ask again and again"
        scheme.verify(self.request(), [self.ADDRESS], NOW + timedelta(minutes=5))
        assert len(serve.asked) == 2

    def test_only_addresses_of_the_vendor_are_secrets(self) -> None:
        scheme = self.scheme(Vendor())

        assert scheme.problem_of_secret(self.ADDRESS) == ""
        assert scheme.problem_of_secret(public_key(SECRET, "ed25519")) == ""
        assert "no address below" in scheme.problem_of_secret("https://evil.example.net/keys/jwks.json")
        with pytest.raises(SignatureInvalidError):
            scheme.verify(self.request(), ["https://evil.example.net/keys/jwks.json"], NOW)

    @pytest.mark.parametrize("content", [b"", b"[]", b"{}", b"null", b'{"keys": 1}', b"[" * 100_000, b"\xff"])
    def test_what_is_no_key_set_proves_nothing(self, content: bytes) -> None:
        with pytest.raises(SignatureInvalidError):
            self.scheme(Vendor(**{"jwks.json": content})).verify(self.request(), [self.ADDRESS], NOW)

    def test_keys_that_no_scheme_uses_are_left_out(self) -> None:
        numbers = rsa.generate_private_key(65537, 2048).public_key().public_numbers()
        good = {"kty": "RSA", "n": number(numbers.n), "e": number(numbers.e), "kid": "rsa"}
        p256 = private_key(SECRET, "ecdsa-sha256").public_key().public_numbers()
        curve = {"kty": "EC", "crv": "P-256", "x": number(p256.x), "y": number(p256.y), "kid": "ec"}
        odd: Sequence[Any] = [
            1,
            {},
            {"kty": "oct"},
            {"kty": "EC", "crv": "P-256", "x": "AQ", "y": "AQ"},
            {**good, "use": "enc"},
        ]

        assert [name for name, _ in keys_in_set(json.dumps({"keys": [*odd, good, curve]}).encode())] == ["rsa", "ec"]


def number(value: int) -> str:
    return base64.urlsafe_b64encode(value.to_bytes((value.bit_length() + 7) // 8, "big")).decode().rstrip("=")


class TestFetching:
    @staticmethod
    def answers(monkeypatch: pytest.MonkeyPatch, status: int, content: bytes) -> None:
        given_ = AWSResponse(KEYS, status, HTTPHeaders(), BytesIO(content))
        monkeypatch.setattr(URLLib3Session, "send", lambda *_: given_)

    @pytest.mark.parametrize("status", [301, 302, 403, 404, 500, 503])
    def test_anything_but_a_key_lets_the_vendor_try_again(self, monkeypatch: pytest.MonkeyPatch, status: int) -> None:
        self.answers(monkeypatch, status, b"")

        with pytest.raises(ServiceBusyError, match=str(status)):
            fetch(KEYS)

    def test_a_key_is_read_up_to_its_limit(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.answers(monkeypatch, 200, b"x" * MAX_BYTES)
        assert len(fetch(KEYS)) == MAX_BYTES
        self.answers(monkeypatch, 200, b"x" * (MAX_BYTES + 1))
        with pytest.raises(ServiceBusyError, match="bytes"):
            fetch(KEYS)

    def test_no_connection_lets_the_vendor_try_again(self, monkeypatch: pytest.MonkeyPatch) -> None:
        def send(*_: Any) -> Any:
            raise OSError("reset")

        monkeypatch.setattr(URLLib3Session, "send", send)
        with pytest.raises(ServiceBusyError, match="OSError"):
            fetch(KEYS)

    def test_the_cache_is_bounded(self) -> None:
        keys = FetchedKeys(lambda _url: key_set(("a", SECRET)))
        for count in range(40):
            list(keys.of_set(f"{KEYS}{count}", "", NOW))

        assert len(keys._found) <= 16  # noqa: SLF001


@pytest.mark.parametrize("text", [WISE_KEY, certificate().decode()])
def test_a_key_may_be_in_pem_or_in_a_certificate(text: str) -> None:
    assert key_in(text).key_size == 2048


def test_a_body_whose_signature_was_made_for_another_scheme_is_refused() -> None:
    body_only, timed = BodyHmac(header="X-Sig"), TimestampedHmac(header="X-Sig")

    with pytest.raises(SignatureMissingError):
        timed.verify(signed(body_only), [SECRET], NOW)
    with pytest.raises(SignatureInvalidError):
        body_only.verify(signed(timed), [SECRET], NOW)
