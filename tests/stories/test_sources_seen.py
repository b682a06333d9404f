"""Nothing that a vendor sends is lost unseen: what reaches nobody or has no rule is listed, with what would help."""

import json
import tomllib
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from authoring.sources.mapping import problems
from authoring.sources.samples import posting
from cairn.adapters.dynamodb.seen import DynamoSeenTypes
from cairn.adapters.dynamodb.table import read_partition
from cairn.adapters.sources import sources
from cairn.application.events.accept_webhook import Request
from infra.local.signing import LOCAL_SECRET
from tests.stories.shop import MAIL, Json, Opens, Shop

REVIEWER = {"email": "ada@example.com", "name": "Ada Lovelace"}
OF_NOBODY = {"id": "prv_1", "reason": "manual", "booking_id": "bk_1001", "reviewer": REVIEWER}
WITHOUT_RULE = {"id": "prv_1", "reason": "approved", "customer": "cus_Ada"}


@pytest.fixture
def shop(opens: Opens) -> Shop:
    return opens(MAIL)


def stripe_sends(shop: Shop, type_: str, about: Json, number: int = 1) -> int:
    made = stripe_request(shop, type_, about, number)
    answer = shop.deployment.request("POST", made.url, made.headers, made.body, "stripe")
    shop.deployment.settle()
    return int(answer["statusCode"])


def stripe_request(shop: Shop, type_: str, about: Json, number: int = 1) -> Any:
    now = shop.deployment.now()
    body = {"id": f"evt_{number}", "type": type_, "created": int(now.timestamp()), "data": {"object": about}}
    return posting("stripe", body, LOCAL_SECRET, now)


def listed(shop: Shop, **query: str) -> list[Json]:
    path = "seen" + "".join(f"?{name}={value}" for name, value in query.items())
    found: list[Json] = shop.asks("GET", path)["types"]
    return found


def test_what_names_nobody_is_counted_with_its_fields_and_without_its_values(shop: Shop) -> None:
    for number in range(3):
        assert stripe_sends(shop, "review.opened", OF_NOBODY, number) == 202
        shop.passes("1s")

    (one,) = listed(shop)
    assert (one["source"], one["type"], one["counts"]) == ("stripe", "stripe.review.opened", {"no_customer": 3})
    assert one["first_at"] < one["last_at"]
    assert one["shape"]["data"]["object"] == {
        "id": "string",
        "reason": "string",
        "booking_id": "string",
        "reviewer": {"email": "string", "name": "string"},
    }
    stored = str({name: vars(item) for name, item in read_partition("seen").items()})
    assert not [value for value in ("ada@", "Lovelace", "prv_1", "bk_1001", "evt_") if value in stored]


def test_the_suggested_rule_makes_an_event_of_it(shop: Shop, tmp_path: Path) -> None:
    stripe_sends(shop, "review.opened", OF_NOBODY)

    (one,) = json.loads(shop.cairn("sources", "seen", "--json"))["types"]
    path = tmp_path / "sources.toml"
    path.write_text(one["suggestion"], encoding="utf-8")

    source: Any = sources(path)["stripe"]
    assert list(problems("stripe", source.mapping)) == []
    made = stripe_request(shop, "review.opened", OF_NOBODY)
    reading = source.read(Request(made.url, made.headers, made.body), shop.deployment.now())
    (event,) = reading.events
    assert (event.type, reading.seen) == ("review.opened", ())
    assert [(name.kind, name.value) for name in event.identifiers] == [("email", "ada@example.com")]
    assert tomllib.loads(one["suggestion"])["stripe"]["events"][0]["references"] == {
        "booking": "part.data.object.booking_id"
    }


def test_what_has_no_rule_is_an_event_and_is_listed_too(shop: Shop) -> None:
    for number in range(3):
        stripe_sends(shop, "review.closed", WITHOUT_RULE, number)
    shop.passes("1m")
    stripe_sends(shop, "review.closed", WITHOUT_RULE, 4)

    assert [line["type"] for line in shop.timeline("event")] == ["stripe.review.closed"] * 4
    (one,) = listed(shop)
    assert (one["type"], one["vendors_type"]) == ("stripe.review.closed", "review.closed")
    assert one["counts"] == {"no_rule": 4}


def test_what_has_a_rule_and_a_customer_is_not_listed(shop: Shop) -> None:
    shop.happens("shop.visited")
    paid = {"id": "in_1", "customer": "cus_Ada", "amount_paid": 100, "currency": "usd", "status": "paid"}
    stripe_sends(shop, "invoice.paid", paid)

    assert listed(shop) == []
    assert "nothing: all that was sent has a rule" in shop.cairn("sources", "seen")


def test_an_order_that_nobody_was_seen_with_is_listed_when_it_is_dropped(shop: Shop) -> None:
    body = {"id": "refund-1", "type": "order.refunded", "references": {"order": "1001"}}
    sent = posting("track", body, LOCAL_SECRET, shop.deployment.now())
    shop.deployment.request("POST", sent.url, sent.headers, sent.body)
    shop.deployment.settle()
    assert listed(shop) == []

    shop.passes("2h")

    (one,) = listed(shop)
    assert (one["source"], one["type"], one["counts"]) == ("track", "order.refunded", {"unknown_reference": 1})
    said = shop.cairn("sources", "seen", "track")
    assert "1 unknown reference" in said
    assert "no event that names a customer came with the same id within an hour" in said


def test_an_event_of_a_sender_that_is_no_customer_is_listed(shop: Shop) -> None:
    reply = {"originationNumber": "72345", "destinationNumber": "+12125550199", "messageKeyword": "K"}
    shop.deployment.feedback(json.dumps(reply | {"messageBody": "hello", "inboundMessageId": "m-1"}))
    shop.deployment.settle()

    (one,) = listed(shop)
    assert one["counts"] == {"no_customer": 1}


def test_the_list_can_be_read_by_source_and_in_pages(shop: Shop) -> None:
    for number in range(3):
        stripe_sends(shop, f"review.kind_{number}", OF_NOBODY, number)

    first = shop.asks("GET", "seen?limit=2")
    second = shop.asks("GET", f"seen?limit=2&after={first['after'].replace('#', '%23')}")

    assert [one["type"] for one in (*first["types"], *second["types"])] == [
        f"stripe.review.kind_{number}" for number in range(3)
    ]
    assert listed(shop, source="shopify") == []
    assert shop.asks("GET", "seen?limit=0")["status_code"] == 400
    said = shop.cairn("sources", "seen")
    assert all(f"stripe.review.kind_{number} 1 no customer" in said for number in range(3))


@pytest.mark.parametrize(("type_", "about"), [("review.opened", OF_NOBODY), ("review.closed", WITHOUT_RULE)])
def test_a_failure_to_count_refuses_no_webhook(
    shop: Shop, monkeypatch: pytest.MonkeyPatch, type_: str, about: Json
) -> None:
    def fails(*_: Any) -> None:
        raise RuntimeError("the table is gone")

    monkeypatch.setattr(DynamoSeenTypes, "add", fails)

    assert stripe_sends(shop, type_, about) == 202
    assert len(shop.timeline("event")) == (type_ == "review.closed")
    monkeypatch.undo()
    shop.deployment.advance_to(shop.deployment.now() + timedelta(minutes=1))
    assert listed(shop) == []
