"""Signatures with a timestamp (Stripe, Standard Webhooks), checked with the vendors' own libraries."""

from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
import standardwebhooks
import stripe
from hypothesis import given
from hypothesis import strategies as st

from cairn.adapters.sources import SNS, sources
from cairn.adapters.sources.key_pairs import stored_secrets
from cairn.adapters.sources.signed_text import TOLERANCE
from cairn.application.events.accept_webhook import Request
from cairn.domain.shared.errors import SignatureInvalidError, SignatureMissingError
from tests.unit.makers import MONDAY

SECRET = "whsec_Y2Fpcm4tdW5pdC10ZXN0cy1zZWNyZXQtMDAwMQ=="
OTHER = "whsec_Y2Fpcm4tdW5pdC10ZXN0cy1zZWNyZXQtMDAwMg=="
BODY = '{"type": "trial.signup", "name": "Zoë"}'

SECOND = timedelta(seconds=1)

Headers = dict[str, str]
Signer = Callable[[str, str, datetime], Headers]


def stripe_signs(body: str, secret: str, when: datetime) -> Headers:
    header = stripe.WebhookSignature.generate_signature_header(body, secret, int(when.timestamp()))
    return {"stripe-signature": header}


def standard_webhooks_sign(body: str, secret: str, when: datetime) -> Headers:
    signature = standardwebhooks.Webhook(secret).sign("msg_1", when, body)
    return {"webhook-id": "msg_1", "webhook-timestamp": str(int(when.timestamp())), "webhook-signature": signature}


LIBRARIES: dict[str, Signer] = {
    "stripe": stripe_signs,
    "track": standard_webhooks_sign,
    "standard-webhooks": standard_webhooks_sign,
}
SIGNATURE = {
    "stripe": "stripe-signature",
    "track": "webhook-signature",
    "standard-webhooks": "webhook-signature",
}
BY_LIBRARY = pytest.mark.parametrize("name", LIBRARIES)


def signed(name: str, body: str = BODY, secret: str = SECRET, when: datetime = MONDAY, **changed: str) -> Request:
    """A request as the vendor's library signs it."""
    headers = LIBRARIES[name](body, secret, when) | changed
    return Request("https://cairn.example/hook", {"content-type": "application/json", **headers}, body.encode())


def verify(name: str, request: Request, *secrets: str, now: datetime = MONDAY) -> None:
    sources()[name].verify(request, secrets or (SECRET,), now)


@BY_LIBRARY
@given(body=st.text(st.characters(codec="utf-8"), max_size=40), seconds=st.integers(0, 2**31))
def test_a_signature_of_the_vendors_library_is_accepted(name: str, body: str, seconds: int) -> None:
    when = datetime.fromtimestamp(seconds, UTC)

    verify(name, signed(name, body, when=when), now=when)


@given(body=st.text(st.characters(codec="utf-8"), max_size=40))
def test_stripes_library_accepts_our_signature(body: str) -> None:
    request = Request("https://cairn.example", {}, body.encode())

    headers = sources()["stripe"].scheme.sign(request, SECRET, MONDAY, "evt_1")

    assert stripe.WebhookSignature.verify_header(body, headers["Stripe-Signature"], SECRET)


def test_stripes_library_finds_our_signature_fresh() -> None:
    now = datetime.now(UTC)

    headers = sources()["stripe"].scheme.sign(Request("", {}, b'{"object": "event"}'), SECRET, now, "evt_1")

    stripe.WebhookSignature.verify_header('{"object": "event"}', headers["Stripe-Signature"], SECRET, tolerance=300)


@pytest.mark.parametrize("name", ["track", "standard-webhooks"])
def test_the_standard_webhooks_library_accepts_our_signature(name: str) -> None:
    headers = sources()[name].scheme.sign(Request("", {}, BODY.encode()), SECRET, datetime.now(UTC), "msg_1")

    assert standardwebhooks.Webhook(SECRET).verify(BODY, headers) == {"type": "trial.signup", "name": "Zoë"}


@BY_LIBRARY
@given(position=st.integers(0, len(BODY.encode()) - 1), flipped=st.integers(1, 255))
def test_one_changed_byte_of_the_body_is_refused(name: str, position: int, flipped: int) -> None:
    body = bytearray(BODY.encode())
    body[position] ^= flipped

    with pytest.raises(SignatureInvalidError):
        verify(name, replace(signed(name), body=bytes(body)))


@BY_LIBRARY
@given(position=st.integers(0, 39), bit=st.integers(0, 6))
def test_one_changed_bit_of_the_signature_is_refused(name: str, position: int, bit: int) -> None:
    genuine = signed(name)
    signature = genuine.headers[SIGNATURE[name]]
    head, mark, mac = signature.rpartition("v1")
    changed = mac[: 1 + position] + chr(ord(mac[1 + position]) ^ (1 << bit)) + mac[2 + position :]

    with pytest.raises((SignatureInvalidError, SignatureMissingError)):
        verify(name, replace(genuine, headers={**genuine.headers, SIGNATURE[name]: head + mark + changed}))


@BY_LIBRARY
def test_another_secret_is_refused(name: str) -> None:
    with pytest.raises(SignatureInvalidError):
        verify(name, signed(name, secret=OTHER))


@BY_LIBRARY
def test_any_of_the_secrets_may_have_signed_during_rotation(name: str) -> None:
    verify(name, signed(name, secret=OTHER), SECRET, OTHER)
    verify(name, signed(name, secret=SECRET), SECRET, OTHER)


@BY_LIBRARY
def test_without_a_secret_every_signature_is_refused(name: str) -> None:
    empty = signed(name)

    with pytest.raises(SignatureInvalidError):
        sources()[name].verify(empty, (), MONDAY)
    with pytest.raises(SignatureInvalidError):
        sources()[name].verify(empty, ("",), MONDAY)


@BY_LIBRARY
def test_a_sender_signs_with_both_secrets_during_rotation(name: str) -> None:
    old, new = signed(name, secret=OTHER).headers[SIGNATURE[name]], signed(name).headers[SIGNATURE[name]]
    both = f"{old},{new.partition(',')[2]}" if name == "stripe" else f"{old} {new}"

    verify(name, signed(name, **{SIGNATURE[name]: both}), SECRET)
    verify(name, signed(name, **{SIGNATURE[name]: both}), OTHER)


@BY_LIBRARY
def test_a_signature_of_an_unknown_version_is_refused(name: str) -> None:
    signature = signed(name).headers[SIGNATURE[name]]

    with pytest.raises((SignatureInvalidError, SignatureMissingError)):
        verify(name, signed(name, **{SIGNATURE[name]: signature.replace("v1", "v0")}))
    unknown_first = "v0=ab," + signature if name == "stripe" else "v0,ab v1a,cd " + signature
    verify(name, signed(name, **{SIGNATURE[name]: unknown_first}))


@BY_LIBRARY
@pytest.mark.parametrize("off", [TOLERANCE + SECOND, -TOLERANCE - SECOND, timedelta(days=400)])
def test_an_old_or_future_signature_is_refused(name: str, off: timedelta) -> None:
    with pytest.raises(SignatureInvalidError, match="five minutes"):
        verify(name, signed(name, when=MONDAY - off))


@BY_LIBRARY
@pytest.mark.parametrize("off", [TOLERANCE, -TOLERANCE, timedelta()])
def test_clocks_may_differ_by_five_minutes(name: str, off: timedelta) -> None:
    verify(name, signed(name, when=MONDAY - off))


ODD = [
    "inf",
    "nan",
    "-1772445600",
    "+1772445600",
    "1772445600.0",
    " ",
    "1_772_445_600",
    "١٧٧٢٤٤٥٦٠٠",
    "1e9",
    "x",
    "9" * 400,
]


@BY_LIBRARY
@pytest.mark.parametrize("odd", ODD)
def test_a_malformed_timestamp_is_refused(name: str, odd: str) -> None:
    genuine = signed(name)
    if name == "stripe":
        mac = genuine.headers["stripe-signature"].partition(",")[2]
        request = signed(name, **{"stripe-signature": f"t={odd},{mac}"})
    else:
        request = signed(name, **{"webhook-timestamp": odd})

    with pytest.raises((SignatureInvalidError, SignatureMissingError) if odd == " " else SignatureInvalidError):
        verify(name, request)


MISSING: list[tuple[str, Mapping[str, str]]] = [
    ("stripe", {}),
    ("stripe", {"stripe-signature": ""}),
    ("stripe", {"stripe-signature": "t=1772445600"}),
    ("stripe", {"stripe-signature": "v1=abc"}),
    ("stripe", {"stripe-signature": "t=,v1=abc"}),
    ("stripe", {"stripe-signature": "nonsense"}),
    ("track", {}),
    ("track", {"webhook-id": "1", "webhook-timestamp": "1772445600"}),
    ("track", {"webhook-id": "1", "webhook-signature": "v1,abc"}),
    ("track", {"webhook-timestamp": "1772445600", "webhook-signature": "v1,abc"}),
]


@pytest.mark.parametrize(("name", "headers"), MISSING)
def test_a_missing_signature_differs_from_an_invalid_one(name: str, headers: Mapping[str, str]) -> None:
    with pytest.raises(SignatureMissingError):
        verify(name, Request("", headers, BODY.encode()))


@BY_LIBRARY
@given(header=st.text(max_size=60))
def test_every_header_is_accepted_or_refused_without_a_crash(name: str, header: str) -> None:
    for odd in (header, f"t=1772445600,v1={header}", f"v1,{header}"):
        with pytest.raises((SignatureInvalidError, SignatureMissingError)):
            verify(name, signed(name, **{SIGNATURE[name]: odd}))


SHOW_A_TOKEN = {"mailchimp"}
"""The vendors that sign nothing; test_mailchimp.py has what their scheme refuses."""


def test_no_other_vendor_is_taken_at_its_token() -> None:
    assert {name for name in set(sources()) - {SNS} if not sources()[name].scheme.signs_body} == SHOW_A_TOKEN


@pytest.mark.parametrize("name", sorted(set(sources()) - {SNS} - SHOW_A_TOKEN))
def test_every_source_accepts_its_own_signature_only(name: str) -> None:
    source = sources()[name]
    form = {"content-type": "application/x-www-form-urlencoded"}
    request = Request(f"https://cairn.example/webhooks/{name}", form, b"From=%2B14155550123&Body=stop")
    added = source.scheme.sign(request, SECRET, MONDAY, "msg_1")
    genuine = replace(request, headers=form | {key.lower(): value for key, value in added.items()})
    ours, others = stored_secrets(source.scheme, SECRET), stored_secrets(source.scheme, OTHER)

    source.verify(genuine, (*others, *ours), MONDAY)

    with pytest.raises(SignatureInvalidError):
        source.verify(genuine, others, MONDAY)
    with pytest.raises(SignatureInvalidError):
        source.verify(replace(genuine, body=genuine.body + b"&From=%2B1"), ours, MONDAY)
    with pytest.raises(SignatureMissingError):
        source.verify(request, ours, MONDAY)
