"""A signed request that is sent again under other headers, and an account of the vendor that is not ours."""

import json
from typing import Any

from authoring.sources.samples import posting, sample_named
from infra.local.signing import LOCAL_SECRET

LENA = "lena.sample@example.com"
REDACT = {"x-shopify-topic": "customers/redact", "x-shopify-event-id": "2"}


def an_order(**changed: Any) -> dict[str, Any]:
    order: dict[str, Any] = json.loads(sample_named("shopify/orders_create").read_text(encoding="utf-8"))
    return order | changed


class Interceptor:
    """Has seen one signed request, and sends it again with other headers."""

    def __init__(self, story: Any, source: str, document: Any, **headers: str) -> None:
        made = posting(source, document, LOCAL_SECRET, story.deployment.now(), headers=headers)
        self.story, self.source, self.body = story, source, made.body
        self.headers = {name.lower(): value for name, value in made.headers.items()}

    def sends(self, **headers: str) -> None:
        others = {name.replace("_", "-"): value for name, value in headers.items()}
        answer = self.story.posts(self.body, self.source, self.headers | others)
        assert answer["statusCode"] == 202
        self.story.deployment.settle()


def test_an_order_sent_again_as_a_redaction_erases_nobody_and_becomes_a_dead_letter(story: Any) -> None:
    order = Interceptor(story, "shopify", an_order(), **{"x-shopify-topic": "orders/create"})
    order.sends()
    (lena,) = story.deployment.customer_ids(LENA)
    story.passes("1d")

    order.sends(**REDACT)
    story.passes("2h")

    assert story.deployment.customer_ids(LENA) == [lena]
    assert [line["type"] for line in story.timeline("event")] == ["order.created"]
    [(_, reason)] = story.dead_letters("events")
    assert "topic == 'customers/redact'" in reason


def test_one_order_sent_again_for_twenty_days_is_one_order(story: Any) -> None:
    order = Interceptor(story, "shopify", an_order(), **{"x-shopify-topic": "orders/create"})
    order.sends()
    story.passes("20d")

    for number in range(5):
        now = story.deployment.now().isoformat()
        order.sends(**{"x-shopify-event-id": str(number), "x-shopify-webhook-id": "x", "x-shopify-triggered-at": now})

    [line] = story.timeline("event")
    assert (line["type"], line["at"]) == ("order.created", "2026-03-02T14:00:00Z")


def test_a_note_in_an_order_names_nobody_whatever_the_content_type(story: Any) -> None:
    story.happens("account.opened", customer={"user_id": "mia", "email": "mia@example.com"})
    note = "x&email=mia@example.com&id=7&line_items=1&financial_status=paid&"
    order = Interceptor(story, "shopify", an_order(note=note), **{"x-shopify-topic": "orders/create"})

    order.sends(**{"content-type": "application/x-www-form-urlencoded"})
    order.sends(**REDACT, **{"content-type": "application/x-www-form-urlencoded"})
    story.passes("2h")

    assert [line["type"] for line in story.timeline("event", of="mia")] == ["account.opened"]


def test_a_contact_of_another_portal_is_not_ours_of_the_same_number(story: Any) -> None:
    def contact(portal: int, kind: str, number: int, **what: str) -> None:
        at = int(story.deployment.now().timestamp() * 1000)
        about = {"portalId": portal, "objectId": 501, "subscriptionId": 1, "eventId": number, "occurredAt": at}
        Interceptor(story, "hubspot", [about | {"subscriptionType": f"contact.{kind}", **what}]).sends()

    contact(990001, "propertyChange", 1, propertyName="email", propertyValue="mia@example.com")
    (mia,) = story.deployment.customer_ids("mia@example.com")

    contact(666, "propertyChange", 2, propertyName="firstname", propertyValue="Evil")
    contact(666, "privacyDeletion", 3)
    story.passes("2h")

    assert story.deployment.customer_ids("mia@example.com") == [mia]
    assert [line["type"] for line in story.timeline("event", of="mia@example.com")] == ["customer.updated"]
