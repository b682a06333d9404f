"""Zendesk: who is a customer, what stays among agents, and what a trigger writes."""

import json
import re
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from cairn.adapters.sources import VENDORS
from cairn.domain.shared.errors import SignatureInvalidError

PAGE = VENDORS / "zendesk" / "README.md"


def changed(take: Any, name: str, **parts: Any) -> Any:
    document = json.loads(take(f"zendesk/{name}").request.body)
    return {**document, **{part: {**document[part], **fields} for part, fields in parts.items()}}


def test_the_signed_instant_may_be_five_minutes_off(take: Any) -> None:
    at = datetime(2026, 12, 1, 12, tzinfo=UTC)
    genuine = take("zendesk/user_created", at=at)

    genuine.verify(at=at + timedelta(minutes=5))

    with pytest.raises(SignatureInvalidError, match="five minutes"):
        genuine.verify(at=at + timedelta(minutes=6))


@pytest.mark.parametrize("name", ["user_created_agent", "user_deleted", "ticket_comment_added_private"])
def test_agents_and_their_notes_are_nobodys(name: str, take: Any) -> None:
    assert take(f"zendesk/{name}").read().ignored


def test_a_customer_who_is_copied_in_speaks_for_herself(take: Any, post: Any) -> None:
    comment = {"body": "Me too", "is_public": True, "author": {"id": "42", "is_staff": False, "name": "Mia"}}

    [event] = post("zendesk", changed(take, "ticket_comment_added", event={"comment": comment})).read().events

    assert [one.key for one in event.identifiers] == ["external:zendesk:42"]
    assert event.properties["by"] == "customer"


def test_the_external_id_of_a_ticket_is_no_user_id(take: Any, post: Any) -> None:
    [event] = post("zendesk", changed(take, "ticket_created", detail={"external_id": "order-9"})).read().events

    assert [one.key for one in event.identifiers] == ["external:zendesk:6596848310001"]


def test_a_chat_message_has_the_reference_of_its_ticket(take: Any) -> None:
    [ticket] = take("zendesk/ticket_created").read().events
    [message] = take("zendesk/messaging_message_added").read().events

    assert message.identifiers == ()
    assert message.references == ticket.references


def test_a_type_is_read_with_a_colon_and_with_a_slash(take: Any, post: Any) -> None:
    """Zendesk's documentation has zen:event-type/user.identity_created beside zen:event-type:user.created."""
    document = changed(take, "user_identity_created")
    colon = document | {"type": "zen:event-type:user.identity_created"}

    assert document["type"] == "zen:event-type/user.identity_created"
    assert post("zendesk", document).read().events == post("zendesk", colon).read().events


def test_a_type_without_a_rule_has_a_short_name(take: Any, post: Any) -> None:
    document = changed(take, "ticket_created") | {"type": "zen:event-type:ticket.tags_changed"}

    [event] = post("zendesk", document).read().events

    assert event.type == "zendesk.ticket.tags_changed"


def test_the_json_of_the_page_is_what_a_trigger_may_send(post: Any) -> None:
    """Placeholders are filled in by Zendesk; those that have no value are empty."""
    [written] = re.findall(r"```json trigger\n(.*?)\n *```", PAGE.read_text(encoding="utf-8"), re.DOTALL)
    values = {"ticket.id": "5158", "ticket.updated_at_with_timestamp": "2026-03-10T12:00Z", "ticket.requester.id": "42"}
    values |= {"ticket.requester.email": "mia@example.com", "ticket.requester.name": "Mia Sample"}
    filled = re.sub(r"{{(.+?)}}", lambda found: values.get(found[1], ""), written)

    [event] = post("zendesk", json.loads(filled)).read().events

    assert (event.type, event.properties["ticket_id"]) == ("ticket.solved", "5158")
    assert [one.key for one in event.identifiers] == ["external:zendesk:42", "email:mia@example.com"]


def test_a_trigger_that_says_the_same_twice_is_one_event(take: Any, post: Any) -> None:
    document = changed(take, "trigger")

    first, again, later = (
        post("zendesk", one).read().events[0].key
        for one in (document, document, document | {"time": "2026-03-10T12:01Z"})
    )

    assert first == again != later


def test_a_trigger_reports_no_message(take: Any, post: Any) -> None:
    assert post("zendesk", changed(take, "trigger") | {"type": "message.bounced"}).read().events[0].type == (
        "zendesk.message.bounced"
    )
