"""What names an order, a payment or a contract alone finds the customer with whom it was seen."""

from typing import Any

import pytest

from cairn.adapters.dynamodb.items import STATE, CustomerItem
from cairn.domain.identity.references import MAX_REFERENCES, Reference, reference_id
from infra.local.cloud import IDENTITY_KEYS
from tests.conftest import Story

ADA = {"customer": {"user_id": "ada"}}


def refunded(story: Story, number: int, order: str = "1001") -> None:
    story.happens("order.refunded", f"refund-{number}", references={"order": order}, properties={"total": "9.00"})


def refunds(story: Story, of: str = "ada") -> list[Any]:
    return [one for one in story.timeline("event", of=of) if one["type"] == "order.refunded"]


def pointer(order: str, source: str = "track") -> str:
    return reference_id(source, Reference("order", order), IDENTITY_KEYS.customer_ids)


def leads_to(order: str) -> str | None:
    found = list(CustomerItem.query(pointer(order), CustomerItem.sk == STATE, consistent_read=True))
    return found[0].alias_of if found else None


def test_a_refund_finds_who_ordered(story: Story) -> None:
    story.happens("order.paid", references={"order": "1001"}, **ADA)

    refunded(story, 1)

    assert len(refunds(story)) == 1
    assert len({one["customer"] for one in story.timeline("event")}) == 1


def test_a_refund_that_comes_before_its_order_waits_for_it(story: Story) -> None:
    refunded(story, 1)
    story.passes("20m")
    story.happens("order.paid", references={"order": "1001"}, **ADA)

    story.passes("40m")

    assert len(refunds(story)) == 1
    assert story.dead_letters("events") == []


def test_a_refund_of_nobody_is_dropped_after_an_hour_and_begins_no_customer(story: Story) -> None:
    refunded(story, 1)

    story.passes("2h")

    assert story.timeline("event") == []
    assert story.dead_letters("events") == []


def test_a_customer_who_was_merged_is_found_by_what_each_ordered(story: Story) -> None:
    story.happens("order.paid", "first", references={"order": "1001"}, customer={"user_id": "ada"})
    story.happens("order.paid", "second", references={"order": "1002"}, customer={"email": "ada@example.com"})
    story.happens("customer.created", customer={"user_id": "ada", "email": "ada@example.com"})

    refunded(story, 1, "1001")
    refunded(story, 2, "1002")

    assert len(refunds(story)) == 2


def test_an_erasure_takes_the_references_along_and_a_late_refund_begins_nobody(story: Story) -> None:
    story.happens("order.paid", references={"order": "1001"}, **ADA)
    assert leads_to("1001")
    story.erases("ada")
    story.passes("1h")

    refunded(story, 1)
    story.passes("2h")

    assert leads_to("1001") is None
    assert story.timeline("event") == []
    assert story.dead_letters("events") == []


def test_another_source_cannot_use_a_reference(story: Story) -> None:
    story.happens("order.paid", references={"order": "1001"}, **ADA)

    assert leads_to("1001")
    assert pointer("1001", "shopify") != pointer("1001")
    assert list(CustomerItem.query(pointer("1001", "shopify"), CustomerItem.sk == STATE)) == []


def test_a_customer_has_the_newest_references_alone(story: Story) -> None:
    for number in range(MAX_REFERENCES + 1):
        story.happens("order.paid", f"paid-{number}", references={"order": str(number)}, **ADA)
        story.passes("1s")

    assert leads_to("0") is None
    assert leads_to("1") == leads_to(str(MAX_REFERENCES)) is not None


@pytest.mark.parametrize(
    ("references", "status"),
    [({"order": "1001"}, 202), ({"order": ["1001", "1002"]}, 202), ({"order": 1001}, 422), ({}, 422)],
)
def test_references_are_texts(references: Any, status: int, story: Story) -> None:
    assert story.happens("order.refunded", references=references)["statusCode"] == status
