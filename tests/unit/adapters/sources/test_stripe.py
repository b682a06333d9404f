"""What Stripe sends, old and current, in our words."""

import json
import re
import tomllib
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import stripe

from cairn.adapters.sources import VENDORS, sources
from cairn.adapters.templates.language import environment
from cairn.adapters.templates.values import MARK
from cairn.application.events.accept_webhook import Reading, Request
from cairn.domain.event import Event
from cairn.domain.identity.identifiers import USER_ID, Identifier
from tests.unit.adapters.sources.test_docs import blocks
from tests.unit.makers import MONDAY, at, name

SAMPLES = VENDORS / "stripe" / "samples"


def stripe_event(type_: str, **about: Any) -> dict[str, Any]:
    return {"id": "evt_1", "object": "event", "type": type_, "created": 1772445000, "data": {"object": about}}


def read(document: Any) -> Reading:
    body = document if isinstance(document, bytes) else json.dumps(document).encode()
    return sources()["stripe"].read(Request("https://cairn.example", {}, body), MONDAY)


def only(document: Any) -> Event:
    (event,) = read(document).events
    return event


INVOICE: dict[str, Any] = {
    "id": "in_1",
    "customer": "cus_1",
    "customer_email": "Ada@Example.com",
    "customer_name": "Ada Sample",
    "customer_phone": "+14155550123",
    "amount_due": 4900,
    "currency": "usd",
    "attempt_count": 2,
    "next_payment_attempt": 1772700000,
    "hosted_invoice_url": "https://invoice.example/1",
    "billing_reason": "subscription_cycle",
    "metadata": {"order": "77"},
}
LINE = {"description": "Team, a month", "quantity": 1}
DETAILS = {"metadata": {"workspace": "north"}}
NEW_SHAPE = {
    "parent": {"type": "subscription_details", "subscription_details": {"subscription": "sub_1", **DETAILS}},
    "lines": {"data": [{**LINE, "pricing": {"price_details": {"price": "price_1", "product": "prod_1"}}}]},
}
OLD_SHAPE = {
    "subscription": "sub_1",
    "subscription_details": DETAILS,
    "parent": None,
    "lines": {"data": [{**LINE, "price": {"id": "price_1", "product": "prod_1"}}]},
}


@pytest.mark.parametrize("shape", [NEW_SHAPE, OLD_SHAPE], ids=["current", "old"])
@pytest.mark.parametrize("customer", ["cus_1", {"id": "cus_1", "object": "customer"}], ids=["id", "expanded"])
def test_a_failed_payment(shape: dict[str, Any], customer: Any) -> None:
    failed = only(stripe_event("invoice.payment_failed", **(INVOICE | shape | {"customer": customer})))

    assert (failed.id, failed.source, failed.type) == ("evt_1", "stripe", "payment.failed")
    assert failed.occurred_at == at("2026-03-02 09:50")
    assert failed.identifiers == name(email="ada@example.com", phone="+14155550123", external={"stripe": "cus_1"})
    assert failed.properties == {
        "invoice_id": "in_1",
        "subscription_id": "sub_1",
        "billing_reason": "subscription_cycle",
        "amount_due": 4900,
        "currency": "usd",
        "attempt_count": 2,
        "next_attempt_at": "2026-03-05T08:40:00Z",
        "description": "Team, a month",
        "items": [{"title": "Team, a month", "quantity": 1, "price_id": "price_1", "product_id": "prod_1"}],
        "hosted_invoice_url": "https://invoice.example/1",
        "metadata": {"order": "77"},
        "subscription_metadata": {"workspace": "north"},
    }
    assert failed.attributes == {"name": "Ada Sample", "first_name": "Ada", "last_name": "Sample"}


def test_a_last_attempt_says_that_there_is_no_next_one() -> None:
    failed = only(stripe_event("invoice.payment_failed", **(INVOICE | {"next_payment_attempt": None})))

    assert failed.properties["next_attempt_at"] is None


@pytest.mark.parametrize("type_", ["invoice.payment_succeeded", "invoice.paid"])
def test_a_paid_invoice_under_both_names(type_: str) -> None:
    paid = only(stripe_event(type_, **(INVOICE | NEW_SHAPE | {"amount_paid": 4900})))

    assert paid.type == "payment.succeeded"
    assert paid.properties["amount_paid"] == 4900


@pytest.mark.parametrize(
    "ends", [{"items": {"data": [{"current_period_end": 1772700000}]}}, {"current_period_end": 1772700000}]
)
def test_a_cancelled_subscription(ends: dict[str, Any]) -> None:
    ended = only(stripe_event("customer.subscription.deleted", id="sub_1", customer="cus_1", **ends))

    assert (ended.type, ended.properties["ends_at"]) == ("subscription.cancelled", "2026-03-05T08:40:00Z")


def test_a_guest_checkout_is_identified_by_the_typed_email() -> None:
    expired = only(
        stripe_event(
            "checkout.session.expired",
            id="cs_1",
            customer=None,
            customer_email=None,
            customer_details={"email": "noa@example.com", "phone": None, "name": "Noa"},
            after_expiration={"recovery": {"url": "https://buy.example/r"}},
        )
    )

    assert expired.identifiers == name(email="noa@example.com")
    assert expired.properties["recovery_url"] == "https://buy.example/r"


def test_a_checkout_without_a_customer_is_ignored() -> None:
    nobody = read(stripe_event("checkout.session.expired", id="cs_1", customer=None, customer_email=None))

    assert nobody == Reading(ignored=True)


@pytest.mark.parametrize("document", [{}, [], "x", 1, None, {"type": "invoice.paid"}, {"data": {"object": []}}])
def test_a_body_that_is_no_stripe_event_is_ignored(document: Any) -> None:
    assert read(document).events == ()


def test_a_type_without_a_rule_is_none_of_our_types() -> None:
    known = {"payment.failed", "payment.succeeded", "subscription.cancelled", "checkout.completed", "checkout.expired"}

    reading = read(stripe_event("customer.tax_id.created", id="txi_1", customer="cus_1"))

    assert not known & {event.type for event in reading.events}


@pytest.mark.parametrize("customer", [{}, {"object": "customer"}, True, 1.5, [{}], [1.5]])
def test_a_customer_field_that_is_no_id_identifies_no_customer(customer: Any) -> None:
    nameless = {"customer": customer, "customer_email": None, "customer_phone": None}

    assert read(stripe_event("invoice.paid", **(INVOICE | nameless))).events == ()


def test_an_instant_beyond_the_calendar_is_a_problem_and_no_crash() -> None:
    strange = stripe_event("invoice.paid", **INVOICE) | {"created": 10**30}

    assert read(strange).problems


def test_a_body_that_is_not_json_is_a_problem() -> None:
    assert read(b"{").problems
    assert read(b"\xff\xfe").problems
    assert read(b"[" * 100_000).problems


@pytest.mark.parametrize("path", sorted(SAMPLES.glob("invoice_*.json")), ids=lambda path: path.stem)
def test_every_invoice_sample_is_an_event_of_a_customer(path: Path) -> None:
    event = only(path.read_bytes())

    assert event.identifiers
    assert replace(event, properties={}).key == event.key


def a_checkout(type_: str = "checkout.session.completed", **about: Any) -> Event:
    session = {"id": "cs_1", "customer_details": {"email": "noa@example.com"}, "mode": "payment", **about}
    return only(stripe_event(type_, **session))


@pytest.mark.parametrize(
    ("about", "becomes"),
    [
        ({"payment_status": "paid"}, "checkout.completed"),
        ({"payment_status": "no_payment_required", "mode": "subscription"}, "checkout.completed"),
        ({"payment_status": "unpaid"}, "checkout.pending"),
        ({"payment_status": "no_payment_required", "mode": "setup"}, "checkout.setup_completed"),
        ({}, "checkout.completed"),  # API versions that do not know payment_status
    ],
)
def test_an_unpaid_checkout_is_not_bought(about: dict[str, Any], becomes: str) -> None:
    assert a_checkout(**about).type == becomes


def test_a_bank_debit_is_bought_once_the_money_has_come() -> None:
    later = "checkout.session.async_payment"

    assert a_checkout(f"{later}_succeeded", payment_status="paid").type == "checkout.completed"
    assert a_checkout(f"{later}_failed", payment_status="unpaid").type == "checkout.payment_failed"


def test_a_company_has_no_first_name() -> None:
    company = {"email": "office@example.com", "name": "Ledgerly Example Ltd", "business_name": "Ledgerly Example Ltd"}

    assert a_checkout(customer_details=company).attributes == {"name": "Ledgerly Example Ltd"}
    person = company | {"individual_name": "Mia Sample"}
    assert a_checkout(customer_details=person).attributes["first_name"] == "Mia"


def test_the_reference_of_a_checkout_names_the_customer_only_where_the_deployment_says_so(tmp_path: Path) -> None:
    [(file, text)] = blocks(SAMPLES.parent / "README.md", "toml")
    (tmp_path / file).write_text(text, encoding="utf-8")

    def identified(**about: Any) -> tuple[tuple[Identifier, ...], bool]:
        session = {"id": "cs_1", "client_reference_id": "77", "customer_details": {"email": "noa@example.com"}, **about}
        body = json.dumps(stripe_event("checkout.session.completed", **session)).encode()
        source = sources(tmp_path / file)["stripe"]
        (event,) = source.read(Request("https://cairn.example", {}, body), MONDAY).events
        return event.identifiers, event.vouches("user_id")

    assert a_checkout(client_reference_id="77").identifiers == name(email="noa@example.com")
    assert a_checkout(client_reference_id="77").properties["client_reference_id"] == "77"
    by_the_server, vouched = identified(payment_link=None)
    assert (Identifier(USER_ID, "77") in by_the_server, vouched) == (True, True)
    by_a_link, vouched = identified(payment_link="plink_1")
    assert (Identifier(USER_ID, "77") in by_a_link, vouched) == (False, False)


@pytest.mark.parametrize(
    "about",
    [
        {"object": "payment_intent", "receipt_email": "gina@example.com"},
        {"object": "charge", "billing_details": {"email": "gina@example.com", "name": "Gina Sample"}},
        {"object": "charge", "billing_details": {"email": None}, "receipt_email": "gina@example.com"},
    ],
)
def test_a_guest_is_known_by_the_address_of_the_receipt(about: dict[str, Any]) -> None:
    paid = only(stripe_event(f"{about['object']}.succeeded", id="x_1", customer=None, **about))

    assert paid.identifiers == name(email="gina@example.com")


def test_all_that_is_said_of_a_payment_has_one_reference() -> None:
    payment, debit = "pi_3ExampleGuest0001", "pi_3ExampleDebit0001"
    seen = {
        path.stem: only(path.read_bytes()).references for path in SAMPLES.glob("*.json") if path.stem != "thin_event"
    }

    of_payment = {
        name for name, found in seen.items() if [(one.kind, one.value) for one in found] == [("payment", payment)]
    }
    assert of_payment >= {
        *("checkout_session_completed_guest", "payment_intent_succeeded", "charge_succeeded", "charge_refunded"),
        *("refund_created", "refund_failed", "charge_dispute_created", "charge_dispute_closed"),
    }
    assert {one.value for found in seen.values() for one in found} <= {payment, debit, "pi_3ExampleDecline0001"}


def test_a_charge_without_a_payment_intent_has_its_own_reference() -> None:
    charged = only(stripe_event("charge.succeeded", id="ch_1", object="charge", customer="cus_1", payment_intent=None))
    refunded = only(stripe_event("refund.created", id="re_1", object="refund", charge="ch_1", payment_intent=None))

    assert charged.references == refunded.references != ()


def test_both_names_of_a_changed_refund_are_one_event() -> None:
    refund = {"id": "re_1", "object": "refund", "charge": "ch_1", "status": "succeeded"}
    both = [
        only(stripe_event(type_, **refund) | {"id": type_}) for type_ in ("refund.updated", "charge.refund.updated")
    ]

    assert [one.type for one in both] == ["refund.updated"] * 2
    assert both[0].key == both[1].key


def a_subscription(**about: Any) -> dict[str, Any]:
    return {
        "id": "sub_1",
        "customer": "cus_1",
        "currency": "usd",
        "status": "active",
        "items": items((4900, 1)),
    } | about


def items(*priced: tuple[int | None, int], interval: str = "month", end: int = 1) -> dict[str, Any]:
    return {
        "data": [
            {
                "price": {
                    "id": f"price_{amount}_{interval}",
                    "unit_amount": amount,
                    "recurring": {"interval": interval},
                },
                "quantity": quantity,
                "current_period_end": end,
            }
            for amount, quantity in priced
        ]
    }


def changed(before: dict[str, Any], **now: Any) -> Event:
    document = stripe_event("customer.subscription.updated", **a_subscription(**now))
    document["data"]["previous_attributes"] = before
    return only(document)


@pytest.mark.parametrize(
    ("before", "now", "becomes"),
    [
        ({"items": items((900, 1))}, {}, "subscription.upgraded"),
        ({"items": items((9900, 1))}, {}, "subscription.downgraded"),
        ({"items": items((4900, 3))}, {}, "subscription.downgraded"),
        ({"items": items((4900, 1))}, {"items": items((4900, 1), (900, 2))}, "subscription.upgraded"),
        ({"items": items((4900, 1))}, {"items": items((49000, 1), interval="year")}, "subscription.plan_changed"),
        ({"items": items((None, 1))}, {"items": items((None, 2))}, "subscription.plan_changed"),
        ({"items": items((4900, 1), end=7)}, {"items": items((4900, 1), end=8)}, "subscription.updated"),
        ({"metadata": {"seats": "1"}}, {}, "subscription.updated"),
        ({"cancel_at_period_end": False}, {"cancel_at_period_end": True}, "subscription.cancellation_scheduled"),
        ({"cancel_at": None}, {"cancel_at": 1772700000}, "subscription.cancellation_scheduled"),
        ({"cancel_at_period_end": True}, {"cancel_at_period_end": False}, "subscription.cancellation_withdrawn"),
        ({"cancel_at": 1772700000}, {"cancel_at": None}, "subscription.cancellation_withdrawn"),
        ({"pause_collection": None}, {"pause_collection": {"behavior": "void"}}, "subscription.paused"),
        ({"pause_collection": {"behavior": "void"}}, {"pause_collection": None}, "subscription.resumed"),
        ({"status": "active"}, {"status": "past_due"}, "subscription.past_due"),
        ({"status": "past_due"}, {"status": "unpaid"}, "subscription.unpaid"),
        ({"status": "past_due"}, {"status": "active"}, "subscription.recovered"),
        ({"status": "trialing"}, {"status": "active"}, "trial.ended"),
        ({"status": "trialing"}, {"status": "past_due"}, "subscription.past_due"),
        ({"status": "incomplete"}, {"status": "active"}, "subscription.activated"),
        ({"status": "incomplete"}, {"status": "incomplete_expired"}, "subscription.expired"),
        ({"status": "active", "cancel_at": 1}, {"status": "canceled"}, "subscription.updated"),
        ({}, {}, "subscription.updated"),
    ],
)
def test_a_changed_subscription_says_what_changed(before: dict[str, Any], now: dict[str, Any], becomes: str) -> None:
    event = changed(before, **now)

    assert event.type == becomes
    assert event.properties["changed"] == list(before)


# From here: https://docs.stripe.com/currencies, read in November 2026. First all that customers can be charged in.
PRESENTMENT = """
AED AFN ALL AMD ANG AOA ARS AUD AWG AZN BAM BBD BDT BGN BHD BIF BMD BND BOB BRL BSD BWP BYN BZD CAD CDF CHF CLP CNY COP
CRC CVE CZK DJF DKK DOP DZD EGP ETB EUR FJD FKP GBP GEL GIP GMD GNF GTQ GYD HKD HNL HTG HUF IDR ILS INR ISK JMD JOD JPY
KES KGS KHR KMF KRW KWD KYD KZT LAK LBP LKR LRD LSL MAD MDL MGA MKD MMK MNT MOP MUR MVR MWK MXN MYR MZN NAD NGN NIO NOK
NPR NZD OMR PAB PEN PGK PHP PKR PLN PYG QAR RON RSD RUB RWF SAR SBD SCR SEK SGD SHP SLE SOS SRD STD SZL THB TJS TND TOP
TRY TTD TWD TZS UAH UGX USD UYU UZS VND VUV WST XAF XCD XCG XOF XPF YER ZAR ZMW
"""
ZERO_DECIMAL = "BIF CLP DJF GNF JPY KMF KRW MGA PYG RWF VND VUV XAF XOF XPF"
THREE_DECIMAL = "BHD JOD KWD OMR TND"
"""The last digit is always 0."""
WHOLE_BUT_IN_HUNDREDTHS = "ISK UGX"
"""Special cases: nobody pays a fraction, and yet 5 is sent as 500. HUF and TWD differ in payouts alone."""


OWED = environment(escape=False).from_string("{{ data.amount_due | money(data.currency) }}")


@pytest.mark.parametrize("currency", PRESENTMENT.split())
def test_every_currency_of_stripe_s_list_is_written_as_the_amount_that_is_owed(currency: str) -> None:
    amount = 5000 if currency in ZERO_DECIMAL else 5000_000 if currency in THREE_DECIMAL else 5000_00
    fraction = ".000" if currency in THREE_DECIMAL else ".00"
    whole = currency in WHOLE_BUT_IN_HUNDREDTHS or (currency in ZERO_DECIMAL and currency != "MGA")

    for code in (currency, currency.lower()):
        failed = only(stripe_event("invoice.payment_failed", **(INVOICE | {"currency": code, "amount_due": amount})))

        owed = OWED.render(data=failed.properties)
        assert MARK.sub("", owed) == f"5,000{'' if whole else fraction} {currency}"


AMOUNTS = (
    "amount",
    "amount_due",
    "amount_paid",
    "amount_received",
    "amount_refunded",
    "amount_remaining",
    "amount_total",
)


@pytest.mark.parametrize("path", sorted(SAMPLES.glob("*.json")), ids=lambda path: path.stem)
def test_every_amount_of_every_event_is_of_its_currency(path: Path) -> None:
    """Shillings come in hundredths, and none is charged."""
    document = json.loads(path.read_text(encoding="utf-8"))

    def amounts(currency: str) -> dict[str, int]:
        document.get("data", {}).get("object", {})["currency"] = currency
        (event,) = read(document).events or [None]
        return {one: event.properties[one] for one in AMOUNTS if event and event.properties.get(one) is not None}

    in_dollars = amounts("usd")
    assert amounts("ugx") == {one: amount // 100 for one, amount in in_dollars.items()}
    assert amounts("jpy") == in_dollars
    assert amounts("mga") == {one: amount * 100 for one, amount in in_dollars.items()}


LIBRARY = (Path(stripe.__file__).parent / "_event.py").read_text(encoding="utf-8")
OF_THE_LIBRARY = {one for one in re.findall(r'"([a-z0-9_]+(?:\.[a-z0-9_]+)+)"', LIBRARY) if not one.startswith("v1.")}


def test_every_type_of_the_mapping_is_one_of_stripe_s() -> None:
    """By the list in Stripe's own library."""
    mapping = tomllib.loads((SAMPLES.parent / "mapping.toml").read_text(encoding="utf-8"))
    named = {
        one
        for rule in mapping["events"]
        for one in (
            rule["of"] if isinstance(rule.get("of"), list) else re.findall(r"'([a-z_]+(?:\.[a-z_]+)+)'", rule["when"])
        )
        if not one.endswith("*") and one != "v2.core.event"
    }

    assert len(named) > 40
    assert named <= OF_THE_LIBRARY


@pytest.mark.parametrize("type_", sorted(OF_THE_LIBRARY))
def test_no_secret_that_confirms_a_payment_is_stored(type_: str) -> None:
    """By whatever type it comes: with it, a stranger could go on with the payment."""
    about = {"id": "x_1", "customer": "cus_1", "currency": "usd"}
    if type_.startswith(("payment_intent.", "setup_intent.", "checkout.session.")):
        about |= {"client_secret": "x_1_secret_abc"}
    if type_.startswith("invoice."):
        about |= {"confirmation_secret": {"client_secret": "x_1_secret_abc"}}

    for event in read(stripe_event(type_, **about)).events:
        assert "secret" not in json.dumps(event.properties)
