"""The vectors that vendors publish for their signatures, against the mappings that ship."""

import json
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

import pytest

from cairn.adapters.sources import sources
from cairn.application.events.accept_webhook import Request
from cairn.domain.shared.errors import SignatureInvalidError
from tests.unit.adapters.sources.test_schemes import SQUARE_BODY

URL = "https://hooks.example.com/webhooks/acme"
NO_INSTANT = datetime(2026, 12, 1, 12, tzinfo=UTC)

RAZORPAY_PAYMENT = {
    "id": "pay_6koWN7bvxujzxM",
    "entity": "payment",
    "amount": 1000000,
    "currency": "INR",
    "status": "captured",
    "order_id": "order_100000000order",
    "international": False,
    "method": "card",
    "amount_refunded": 0,
    "refund_status": None,
    "captured": True,
    "description": "random description",
    "card_id": "card_6koWNAT6LASUqy",
    "bank": None,
    "wallet": None,
    "vpa": None,
    "email": "a@b.com",
    "contact": "+919999999999",
    "notes": {"merchant_order_id": "random order id"},
    "fee": 23000,
    "service_tax": 3000,
    "error_code": None,
    "error_description": None,
    "created_at": 1479978483,
}
RAZORPAY_BODY = json.dumps(
    {
        "event": "payment.authorized",
        "entity": "event",
        "contains": ["payment"],
        "payload": {"payment": {"entity": RAZORPAY_PAYMENT}},
        "created_at": 1400826760,
    },
    indent=2,
)

VECTORS: Mapping[str, tuple[str, Mapping[str, str], str, str, datetime]] = {
    # source: URL, headers, body, secret, its instant
    "paddle": (  # tests/Unit/Notification of paddle-python-sdk: one of two signatures is right
        URL,
        {
            "paddle-signature": (
                "ts=1696195954;h1=dummy;h1=d96299976a6eb066f484d7fde011ac56fc32b38fc9940bc419d6e537fdc6ef02"
            )
        },
        "hello-world",
        "pdl_ntf_01hbpjmytsa32fhr36nqgc3kgb_WvRO0eL4Bj9rgYYIBZY6wZhG4EHy9jzh",
        datetime.fromtimestamp(1696195954, UTC),
    ),
    "square": (  # the tests of Square's SDKs
        "https://webhook.site/679a4f3a-dcfa-49ee-bac5-9d0edad886b9",
        {"x-square-hmacsha256-signature": "GF4YkrJgGBDZ9NIYbNXBnMzqb2HoL4RW/S6vkZ9/2N4="},
        SQUARE_BODY,
        "Ibxx_5AKakO-3qeNVR61Dw",
        NO_INSTANT,
    ),
    "razorpay": (  # tests/test_client_utility.py of razorpay-python
        URL,
        {"x-razorpay-signature": "d60e67fd884556c045e9be7dad57903e33efc7172c17c6e3ef77db42d2b366e9"},
        f"{RAZORPAY_BODY}\n",
        "key_secret",
        NO_INSTANT,
    ),
}


@pytest.mark.parametrize("name", VECTORS)
def test_the_mapping_accepts_what_the_vendor_publishes_and_no_other_body(name: str) -> None:
    url, headers, body, secret, at = VECTORS[name]
    source = sources()[name]

    source.verify(Request(url, headers, body.encode()), [secret], at)

    with pytest.raises(SignatureInvalidError):
        source.verify(Request(url, headers, body.encode() + b" "), [secret], at)
    with pytest.raises(SignatureInvalidError):
        source.verify(Request(url, headers, body.encode()), [f"{secret}x"], at)


PAYPAL_BODY = (
    '{"id":"WH-0G2756385H040842W-5Y612302CV158622M","create_time":"2015-05-18T15:45:13Z","resource_type":"sale"'
    ',"event_type":"PAYMENT.SALE.COMPLETED","summary":"Payment completed for $ 20.0 USD","resource":{"id":'
    '"4EU7004268015634R","create_time":"2015-05-18T15:44:02Z","update_time":"2015-05-18T15:44:21Z","amount":{"total":'
    '"20.00","currency":"USD"},"payment_mode":"INSTANT_TRANSFER","state":"completed","protection_eligibility":'
    '"ELIGIBLE","protection_eligibility_type":"ITEM_NOT_RECEIVED_ELIGIBLE,UNAUTHORIZED_PAYMENT_ELIGIBLE",'
    '"parent_payment":"PAY-86C81811X5228590KKVNARQQ","transaction_fee":{"value":"0.88","currency":"USD"},"links":[{'
    '"href":"https://api.sandbox.paypal.com/v1/payments/sale/4EU7004268015634R","rel":"self","method":"GET"},{"href":'
    '"https://api.sandbox.paypal.com/v1/payments/sale/4EU7004268015634R/refund","rel":"refund","method":"POST"},{'
    '"href":"https://api.sandbox.paypal.com/v1/payments/payment/PAY-86C81811X5228590KKVNARQQ","rel":"parent_payment",'
    '"method":"GET"}]},"links":[{"href":"https://api.sandbox.paypal.com/v1/notifications/webhooks-events/'
    'WH-0G2756385H040842W-5Y612302CV158622M","rel":"self","method":"GET"},{"href":"https://api.sandbox.paypal.com/v1/'
    'notifications/webhooks-events/WH-0G2756385H040842W-5Y612302CV158622M/resend","rel":"resend","method":"POST"}]}'
)


def test_the_text_that_paypal_signs_is_the_one_of_its_sdk() -> None:
    """spec/webhooks_examples_spec.rb of PayPal-Ruby-SDK; the certificate of its signature is fetched, so not here."""
    scheme: Any = sources()["paypal"].scheme
    headers = {"paypal-transmission-id": "dfb3be50-fd74-11e4-8bf3-77339302725b"}

    [text] = scheme._texts(  # noqa: SLF001  what is signed is seen nowhere else
        Request(URL, headers, PAYPAL_BODY.encode()), ["4JH86294D6297924G"], "2015-05-18T15:45:13Z"
    )

    assert text == b"dfb3be50-fd74-11e4-8bf3-77339302725b|2015-05-18T15:45:13Z|4JH86294D6297924G|2771810304"


def test_the_signature_of_woocommerce_is_the_one_of_its_own_tests() -> None:
    """plugins/woocommerce/tests/legacy/unit-tests/webhooks/crud.php: of a webhook without a secret, which we refuse."""
    scheme: Any = sources()["woocommerce"].scheme
    request = Request(URL, {}, b"secret")

    signed = scheme.sign(request, "", NO_INSTANT, "msg_1")

    assert signed == {"X-WC-Webhook-Signature": "GBDo00G55h6IiV+6CxqivQPLbI//KzaOZm747971tPs="}
    with pytest.raises(SignatureInvalidError):
        scheme.verify(Request(URL, {name.lower(): one for name, one in signed.items()}, b"secret"), [""], NO_INSTANT)
