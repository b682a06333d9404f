"""What other systems are told: what the documentation shows, the same for all, and never back to who said it."""

import json
import re
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
import yaml
from jsonschema import Draft202012Validator, FormatChecker

from cairn.application.webhooks.deliver_webhook import WAITS
from cairn.domain.consent.changes import ConsentChange, Method
from cairn.domain.consent.record import ConsentRecord
from cairn.domain.consent.suppression import Cause, Mark, SuppressionChange
from cairn.domain.identity.identifiers import EMAIL, PHONE
from cairn.domain.shared.channels import Channel, Purpose
from cairn.domain.shared.instants import duration
from cairn.domain.webhook_delivery import WebhookType, deliveries_for, payload, type_of
from tests.unit.makers import MONDAY, denied, name, profile

DOCS = (Path(__file__).parents[3] / "docs" / "webhooks-out.md").read_text(encoding="utf-8")

ADA = profile(
    who=name(user_id="ada", email="ada@example.com", phone="+12015550123", external={"hubspot": "501"}),
    email="ada@example.com",
    phone="+12015550123",
)
UNSUBSCRIBED = replace(
    denied(Channel.EMAIL, Purpose.MARKETING), source="preferences", evidence={"method": "one_click", "ip": "192.0.2.7"}
)


def told(cause: Cause, purpose: Purpose | None = None, *, lifted: bool = False, address: str = "") -> ConsentRecord:
    return ConsentRecord("feedback", SuppressionChange(Channel.EMAIL, Mark(cause, MONDAY, purpose, lifted), address))


def test_the_documentation_shows_what_is_posted() -> None:
    (shown,) = re.findall(r"```json\n(.*?)```", DOCS, re.DOTALL)

    assert json.loads(shown) == payload(ConsentRecord("preferences", UNSUBSCRIBED), ADA)


SCHEMA = yaml.safe_load((Path(__file__).parents[3] / "docs" / "openapi.yaml").read_text(encoding="utf-8"))


def is_as_published(body: Any) -> bool:
    schema = SCHEMA["components"]["schemas"]["Notice"]
    return Draft202012Validator(schema, format_checker=FormatChecker()).is_valid(body)


def test_the_published_schema_refuses_what_is_not_posted() -> None:
    body = payload(ConsentRecord("preferences", UNSUBSCRIBED), ADA)

    assert is_as_published(body)
    assert not is_as_published(body | {"type": "consent.lost"})
    assert not is_as_published(body | {"data": body["data"] | {"ip": "192.0.2.7"}})


def test_the_documentation_names_every_wait_every_type_every_cause_and_every_method() -> None:
    (waits,) = re.findall(r"After (.*?) \(and up to a tenth more\)", DOCS, re.DOTALL)

    assert [duration(one) for one in re.findall(r"\d+\w", waits)] == list(WAITS)
    assert {f"`{one}`" for one in WebhookType} <= set(re.findall(r"`[\w.]+`", DOCS))
    assert all(one in DOCS for one in (*Cause, *Method))


@pytest.mark.parametrize("cause", Cause)
def test_an_address_that_must_be_left_alone_is_named_with_the_cause(cause: Cause) -> None:
    body = payload(told(cause, address="old@example.com"), ADA)

    assert body["type"] == "address.suppressed"
    data = body["data"]
    assert (data["channel"], data["purpose"], data["cause"]) == ("email", "all", cause.value)
    assert (data["address"], data["source"]) == ("old@example.com", "feedback")
    assert data["status"] is data["method"] is None


def test_an_address_that_is_known_by_its_hash_alone_has_no_name() -> None:
    body = payload(told(Cause.UNSUBSCRIBE, Purpose.MARKETING), ADA)

    assert body["data"]["address"] is None
    assert body["data"]["purpose"] == "marketing"


def test_a_released_address_is_told_as_such() -> None:
    assert type_of(told(Cause.STOP, lifted=True)) is WebhookType.ADDRESS_RELEASED


@pytest.mark.parametrize(
    "record", [ConsentRecord("track", UNSUBSCRIBED), told(Cause.STOP), told(Cause.STOP, lifted=True)]
)
def test_every_type_has_the_same_fields(record: ConsentRecord) -> None:
    example = payload(ConsentRecord("preferences", UNSUBSCRIBED), ADA)

    body = payload(record, ADA)

    assert body.keys() == example.keys()
    assert body["data"].keys() == example["data"].keys()
    assert body["data"]["customer"].keys() == example["data"]["customer"].keys()
    assert body["timestamp"] == body["data"]["at"]
    assert is_as_published(body)


def test_no_proof_leaves_the_house_with_it() -> None:
    assert "192.0.2.7" not in json.dumps(payload(ConsentRecord("preferences", UNSUBSCRIBED), ADA))


def test_a_customer_of_whom_little_is_known_is_still_one() -> None:
    nobody = replace(profile(who=()), attributes={})

    assert payload(ConsentRecord("track", UNSUBSCRIBED), nobody)["data"]["customer"] == {
        "cairn_id": "c_ada",
        "user_id": None,
        EMAIL: None,
        PHONE: None,
        "external_ids": {},
    }


@pytest.mark.parametrize("junk", [7, ["a@example.com"], {"a": 1}, True])
def test_what_is_no_address_is_not_told_as_one(junk: Any) -> None:
    assert payload(ConsentRecord("track", UNSUBSCRIBED), profile(email=junk))["data"]["customer"]["email"] is None


def test_everybody_is_told_but_who_said_it() -> None:
    made = deliveries_for("c_ada", "r1", "hubspot", ("erp", "hubspot", "desk"))

    assert [one.endpoint for one in made] == ["erp", "desk"]
    assert {(one.customer, one.record, one.attempt) for one in made} == {("c_ada", "r1", 0)}


def test_the_same_record_has_the_same_id_and_another_one_another() -> None:
    (first,), (again,), (other,) = (deliveries_for("c_ada", record, "track", ("crm",)) for record in ("r1", "r1", "r2"))

    assert first == again
    assert first.id != other.id
    assert "." not in first.id, "Standard Webhooks parts what it signs by dots"


def test_a_notice_carries_nothing_of_a_person() -> None:
    (notice,) = deliveries_for("c_ada", "2026-03-02T10:00:00Z#abc", "track", ("crm",))

    assert "example.com" not in repr(notice)
    assert notice.failed().failed().restarted() == notice


def test_the_instant_is_that_of_the_word_and_not_of_its_arrival() -> None:
    late = replace(UNSUBSCRIBED, at=MONDAY - timedelta(days=3))

    assert isinstance(late, ConsentChange)
    assert payload(ConsentRecord("track", late), ADA)["timestamp"] == "2026-02-27T10:00:00Z"
