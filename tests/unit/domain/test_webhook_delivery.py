"""Webhooks to other systems: the documented payload, the same for all, and none to the source of the change."""

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
    who=name(user_id="ada", email="ada@example.com", phone="+12015550123", external={"hubspot": "990001:501"}),
    email="ada@example.com",
    phone="+12015550123",
)
UNSUBSCRIBED = replace(
    denied(Channel.EMAIL, Purpose.MARKETING), source="preferences", evidence={"method": "one_click", "ip": "192.0.2.7"}
)


def suppression(
    cause: Cause, purpose: Purpose | None = None, *, lifted: bool = False, address: str = ""
) -> ConsentRecord:
    return ConsentRecord("feedback", SuppressionChange(Channel.EMAIL, Mark(cause, MONDAY, purpose, lifted), address))


def test_the_documentation_shows_the_payload() -> None:
    shown = re.findall(r"```json\n(.*?)```", DOCS, re.DOTALL)[0]

    assert json.loads(shown) == payload(ConsentRecord("preferences", UNSUBSCRIBED), ADA)


SCHEMA = yaml.safe_load((Path(__file__).parents[3] / "docs" / "openapi.yaml").read_text(encoding="utf-8"))


def is_as_published(body: Any) -> bool:
    schema = SCHEMA["components"]["schemas"]["Notice"]
    return Draft202012Validator(schema, format_checker=FormatChecker()).is_valid(body)


def test_the_published_schema_refuses_other_payloads() -> None:
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
def test_a_suppressed_address_is_sent_with_its_cause(cause: Cause) -> None:
    body = payload(suppression(cause, address="old@example.com"), ADA)

    assert body["type"] == "address.suppressed"
    data = body["data"]
    assert (data["channel"], data["purpose"], data["cause"]) == ("email", "all", cause.value)
    assert (data["address"], data["source"]) == ("old@example.com", "feedback")
    assert data["status"] is data["method"] is None


def test_an_address_that_is_known_by_its_hash_alone_is_null() -> None:
    body = payload(suppression(Cause.UNSUBSCRIBE, Purpose.MARKETING), ADA)

    assert body["data"]["address"] is None
    assert body["data"]["purpose"] == "marketing"


def test_a_released_address_has_its_own_type() -> None:
    assert type_of(suppression(Cause.STOP, lifted=True)) is WebhookType.ADDRESS_RELEASED


@pytest.mark.parametrize(
    "record",
    [ConsentRecord("track", UNSUBSCRIBED), suppression(Cause.STOP), suppression(Cause.STOP, lifted=True)],
)
def test_every_type_has_the_same_fields(record: ConsentRecord) -> None:
    example = payload(ConsentRecord("preferences", UNSUBSCRIBED), ADA)

    body = payload(record, ADA)

    assert body.keys() == example.keys()
    assert body["data"].keys() == example["data"].keys()
    assert body["data"]["customer"].keys() == example["data"]["customer"].keys()
    assert body["timestamp"] == body["data"]["at"]
    assert is_as_published(body)


def test_the_evidence_is_not_in_the_payload() -> None:
    assert "192.0.2.7" not in json.dumps(payload(ConsentRecord("preferences", UNSUBSCRIBED), ADA))


def test_a_customer_with_few_identifiers_has_null_for_the_others() -> None:
    nobody = replace(profile(who=()), attributes={})

    assert payload(ConsentRecord("track", UNSUBSCRIBED), nobody)["data"]["customer"] == {
        "cairn_id": "c_ada",
        "user_id": None,
        EMAIL: None,
        PHONE: None,
        "external_ids": {},
    }


@pytest.mark.parametrize("junk", [7, ["a@example.com"], {"a": 1}, True])
def test_a_value_that_is_no_address_is_null(junk: Any) -> None:
    assert payload(ConsentRecord("track", UNSUBSCRIBED), profile(email=junk))["data"]["customer"]["email"] is None


def test_every_endpoint_but_the_source_gets_a_delivery() -> None:
    made = deliveries_for("c_ada", "r1", "hubspot", ("erp", "hubspot", "desk"))

    assert [one.endpoint for one in made] == ["erp", "desk"]
    assert {(one.customer, one.record, one.attempt) for one in made} == {("c_ada", "r1", 0)}


def test_each_record_has_its_own_delivery_id() -> None:
    (first,), (again,), (other,) = (deliveries_for("c_ada", record, "track", ("crm",)) for record in ("r1", "r1", "r2"))

    assert first == again
    assert first.id != other.id
    assert "." not in first.id, "Standard Webhooks parts what it signs by dots"


def test_a_delivery_contains_no_personal_data() -> None:
    (delivery,) = deliveries_for("c_ada", "2026-03-02T10:00:00Z#abc", "track", ("crm",))

    assert "example.com" not in repr(delivery)
    assert delivery.failed().failed().restarted() == delivery


def test_the_timestamp_is_that_of_the_change() -> None:
    late = replace(UNSUBSCRIBED, at=MONDAY - timedelta(days=3))

    assert isinstance(late, ConsentChange)
    assert payload(ConsentRecord("track", late), ADA)["timestamp"] == "2026-02-27T10:00:00Z"
