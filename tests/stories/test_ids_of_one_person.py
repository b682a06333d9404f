"""A vendor may say that several of its own ids are one person: a contact was merged, a number has changed."""

import json
from pathlib import Path
from typing import Any

import pytest

from authoring.sources.samples import posting, sample_named
from infra.local.signing import LOCAL_SECRET
from tests.conftest import Begins, Json, Story

PORTAL = 990001
CHANGED = "number_changed"


@pytest.fixture
def story(a_story: Begins, tmp_path: Path) -> Story:
    configuration = tmp_path / "sources.toml"
    configuration.write_text(f'[hubspot]\nonly = "portal == `{PORTAL}`"', encoding="utf-8")
    return a_story(configuration=configuration)


def posts(story: Story, source: str, document: Any) -> None:
    sent = posting(source, document, LOCAL_SECRET, story.deployment.now())
    headers = {name.lower(): value for name, value in sent.headers.items()}
    assert story.posts(sent.body, source, headers)["statusCode"] < 300
    story.deployment.settle()


def contact(story: Story, id_: int, **changed: str) -> None:
    """Staff edits a contact."""
    now = int(story.deployment.now().timestamp() * 1000)
    base = {"portalId": PORTAL, "subscriptionId": 1, "objectId": id_, "occurredAt": now, "changeSource": "CRM_UI"}
    base |= {"subscriptionType": "contact.propertyChange"}
    pairs = enumerate(changed.items())
    items = [base | {"eventId": id_ * 10 + n, "propertyName": name, "propertyValue": one} for n, (name, one) in pairs]
    posts(story, "hubspot", items)


def merged(story: Story, change_source: str) -> None:
    """501 and 502 are one contact from now on: 503."""
    now = int(story.deployment.now().timestamp() * 1000)
    merge = {"portalId": PORTAL, "subscriptionId": 2, "eventId": 9, "occurredAt": now, "changeSource": change_source}
    merge |= {"subscriptionType": "contact.merge", "objectId": 501, "primaryObjectId": 501, "mergedObjectIds": [502]}
    posts(story, "hubspot", [merge | {"newObjectId": 503}])


def customers(story: Story) -> set[str]:
    return {line["customer"] for line in story.timeline("event")}


def sample(name: str, **changed: Any) -> Json:
    document: Json = json.loads(sample_named(f"whatsapp/{name}").read_text(encoding="utf-8"))
    (message,) = document["entry"][0]["changes"][0]["value"]["messages"]
    message |= changed
    return document


def from_the_new_number() -> Json:
    document = sample("message_text", id="wamid.NEW", **{"from": "12015550149"})
    value = document["entry"][0]["changes"][0]["value"]
    value["contacts"] = [{"wa_id": "12015550149", "user_id": "US.1000000000000009"}]
    return document


def test_a_merge_by_staff_makes_two_contacts_one_customer(story: Story) -> None:
    contact(story, 501, email="kai@example.com", firstname="Kai")
    contact(story, 502, phone="+12015550141")

    merged(story, "CRM_UI")
    contact(story, 503, lifecyclestage="customer")

    (line,) = story.timeline("merged")
    last = [one for one in story.timeline("event") if one["type"] == "customer.updated"][-1]
    assert {one["customer"] for one in story.timeline("event") if one["type"] == "customer.merged"} == {
        line["customer"]
    }
    assert last["customer"] == line["customer"], "the id that the merge has made leads there as well"


def test_a_merge_that_nobody_of_the_staff_has_made_merges_nobody(story: Story) -> None:
    contact(story, 501, email="kai@example.com")
    contact(story, 502, phone="+12015550141")

    merged(story, "FORM")

    assert story.timeline("merged") == []


def test_an_answer_from_the_new_number_is_of_the_customer_with_the_old_one(story: Story) -> None:
    posts(story, "whatsapp", sample("message_text"))

    posts(story, "whatsapp", sample(CHANGED))
    posts(story, "whatsapp", from_the_new_number())

    assert len(customers(story)) == 1
    assert [line["type"] for line in story.timeline("event")] == [
        "message.replied",
        "customer.number_changed",
        "message.replied",
    ]


def test_without_the_id_before_a_new_number_is_a_new_customer(story: Story) -> None:
    posts(story, "whatsapp", sample("message_text"))
    document = sample(CHANGED)
    (message,) = document["entry"][0]["changes"][0]["value"]["messages"]
    del message["system"]["previous_user_id"], message["system"]["user_id"]

    posts(story, "whatsapp", document)
    assert len(customers(story)) == 1

    posts(story, "whatsapp", from_the_new_number())
    assert len(customers(story)) == 2


def test_ids_in_two_events_stay_two_people(story: Story) -> None:
    contact(story, 501, email="kai@example.com")
    contact(story, 502, email="kai@example.com")

    assert story.timeline("merged") == []


def test_our_own_api_names_one_id_of_a_system(story: Story) -> None:
    answer = story.happens("visit.done", customer={"external_ids": {"hubspot": ["990001:501", "990001:502"]}})

    assert answer["statusCode"] == 422
    assert "customer.external_ids.hubspot" in answer["body"]
