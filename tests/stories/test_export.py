"""An export contains all stored data about a customer, whichever identifier the request uses."""

import json
from typing import Any

import pytest

from bench.aws_calls import noted
from cairn.adapters.dynamodb.codec import ABSENT
from cairn.adapters.dynamodb.customers import DynamoCustomers
from cairn.adapters.dynamodb.entries import IN_USE
from cairn.adapters.dynamodb.export import DynamoCustomerExport
from cairn.application.privacy.export_customer import ExportCustomer
from cairn.domain.consent.suppression import suppression_key
from cairn.domain.privacy.encodings import texts
from cairn.domain.shared.channels import Channel
from cairn.domain.shared.errors import UnknownCustomerError
from infra.local.cloud import IDENTITY_KEYS

TECHNICAL = {"pk", "sk", "gsi1pk", "gsi1sk", "gsi2pk", "gsi2sk", "rank", "rev", "turn", "outbox", "expires_at"}
TECHNICAL |= {"by", "about", "enrolled"}
"""Keys, versions, and effects: an export shows each effect by its result."""


@pytest.fixture
def export(story: Any) -> Any:
    """Mia's export as it is now."""
    document = ExportCustomer(DynamoCustomerExport(IDENTITY_KEYS).about)

    def ask(customer: str = "member-1") -> dict[str, Any]:
        found = story.deployment.customer_ids(customer)
        exported = document(found[0] if found else customer, story.deployment.now())
        return dict(json.loads(json.dumps(exported)))

    return ask


@pytest.fixture
def a_full_life(story: Any) -> None:
    """Mia was a lead, is a member, got a text and a mail, has a task waiting, and has unsubscribed."""
    story.happens("lead.captured", customer={"email": "mia.lead@example.com"}, attributes={"note": "sore knee"})
    story.signs_up()
    story.happens("profile.completed", customer={"user_id": "member-1", "email": "mia.lead@example.com"})
    story.happens("customer.data_requested", customer={"user_id": "member-1"})
    story.passes("3h")
    bounced = {"bounceType": "Permanent", "bouncedRecipients": [{"emailAddress": "mia.1@example.com"}]}
    customer = story.timeline("entered")[0]["customer_id"]
    story.ses_reports("Bounce", of=("an-earlier-one", customer), address="mia.1@example.com", **bounced)


def test_an_export_has_all_data_of_the_customers_partition(story: Any, export: Any, a_full_life: None) -> None:
    assert a_full_life is None
    document = export()
    cloud = story.deployment.cloud
    condition = {
        "KeyConditionExpression": "pk = :id",
        "ExpressionAttributeValues": {":id": {"S": document["customer"]["id"]}},
    }
    items = cloud.client("dynamodb").query(TableName=cloud.table, **condition)["Items"]

    stored = {
        text
        for item in items
        for name, value in item.items()
        if name not in TECHNICAL
        for text in texts(list(value.values()))
        if not (name == "enrollment" and text == str(ABSENT))
    }
    stored = {text[2:] if text[1:2] == "." else text for text in stored if not text.startswith(IN_USE)}
    exported = set(texts(document))
    lines = {part for text in exported for part in text.split(" ")}
    assert len(items) > 8
    assert stored - exported - lines - {"S"} == set(), "S is DynamoDB's type of a text"


def test_an_export_has_a_readable_structure(export: Any, a_full_life: None) -> None:
    document = export()

    assert a_full_life is None
    person = document["customer"]
    assert {one["value"] for one in person["identifiers"]} >= {"member-1", "mia.1@example.com", "mia.lead@example.com"}
    assert person["attributes"]["note"] == {"value": "sore knee", "told_at": "2026-03-02T14:00:00Z"}
    assert len(person["merged"]) == 1
    assert {one["body"]["type"] for one in document["events"]} >= {"lead.captured", "trial.signup", "message.bounced"}
    assert {one["status"] for one in document["messages"]} >= {"sent"}
    assert {one["body"]["queue"] for one in document["tasks"]} == {"privacy", "coaches"}
    assert {one["channel"] for one in document["consent"]} == {"sms", "email"}
    assert len(document["consent_history"]) >= 2
    assert document["journeys"]["enrollments"][0]["journey"] == "welcome"
    [dead] = document["suppressed"]
    assert (dead["channel"], dead["address"]) == ("email", "mia.1@example.com")
    assert dead["holds"][0]["cause"] == "hard_bounce"
    assert document["other"] == []


def test_an_export_shows_a_suppression_that_is_stored_by_its_hash(story: Any, export: Any, a_full_life: None) -> None:
    assert a_full_life is None
    table = story.deployment.cloud.client("dynamodb").scan(TableName=story.deployment.cloud.table)["Items"]
    [entry] = [
        one
        for one in table
        if suppression_key(Channel.EMAIL, "mia.1@example.com", IDENTITY_KEYS.suppressions) in one["pk"]["S"]
    ]

    assert "mia" not in json.dumps(entry, default=str)
    assert export()["suppressed"]


def test_a_merged_customer_is_found_by_its_old_id(export: Any, a_full_life: None) -> None:
    assert a_full_life is None
    whole = export()
    [old] = whole["customer"]["merged"]

    assert export(old) == whole


def test_an_export_takes_a_read_for_each_id_and_one_for_the_addresses(story: Any, a_full_life: None) -> None:
    assert a_full_life is None
    [customer] = story.deployment.customer_ids("member-1")

    with noted() as calls:
        ExportCustomer(DynamoCustomerExport(IDENTITY_KEYS).about)(customer, story.deployment.now())

    merged = DynamoCustomers(IDENTITY_KEYS).load(customer).profile.merged
    assert [call.operation for call in calls] == ["Query", *("Query" for _ in merged), "BatchGetItem"]


def test_an_unknown_customer_has_no_export(export: Any) -> None:
    with pytest.raises(UnknownCustomerError):
        export("c_nobody")
