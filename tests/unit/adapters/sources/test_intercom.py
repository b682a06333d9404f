"""Intercom: who of a conversation is the customer, and what Intercom cannot know of a visitor."""

import json
from typing import Any

from cairn.adapters.sources import sources
from cairn.domain.identity.identifiers import EMAIL, USER_ID, Identifier
from tests.unit.adapters.sources.conftest import NOW

OURS = "[intercom]\nonly = \"body.app_id == 'abc12example'\"\n"


def changed(take: Any, post: Any, name: str, **item: Any) -> Any:
    document = json.loads(take(f"intercom/{name}").request.body)
    document["data"]["item"] |= item
    return post("intercom", document).read().events


def test_a_retry_is_the_same_event(take: Any, post: Any) -> None:
    document = json.loads(take("intercom/conversation_user_replied").request.body)

    first, again = (post("intercom", document | {"delivery_attempts": n}).read().events[0].key for n in (1, 2))

    assert first == again


def test_of_several_customers_the_one_who_wrote_is_the_customer(take: Any) -> None:
    [event] = take("intercom/conversation_user_replied").read().events

    assert Identifier(EMAIL, "sam.sample@example.com") in event.identifiers
    assert Identifier(USER_ID, "user-77") in event.identifiers


def test_an_agent_is_never_the_customer(take: Any, post: Any) -> None:
    agent = {"type": "admin", "id": "901", "name": "Noor Sample", "email": "noor@pinetrail.example.com"}

    [event] = changed(take, post, "conversation_admin_replied", source={"type": "email", "author": agent})

    assert [one.key for one in event.identifiers] == ["external:intercom:abc12example:6510000000000000000000c3"]


def test_a_lead_has_no_user_id_of_ours(take: Any) -> None:
    [lead] = take("intercom/contact_lead_created").read().events
    [user] = take("intercom/contact_lead_signed_up").read().events

    assert [one.kind for one in (*lead.identifiers, *user.identifiers)].count(USER_ID) == 1


def test_a_visitor_may_say_to_be_anybody_until_the_deployment_knows_better(take: Any, tmp_path: Any) -> None:
    configuration = tmp_path / "sources.toml"
    configuration.write_text(f"{OURS}[intercom.vouched]\nuser_id = true\n", encoding="utf-8")
    signed = take("intercom/contact_user_created")

    [by_default] = signed.read().events
    [verified] = sources(configuration)["intercom"].read(signed.request, NOW).events

    assert not by_default.vouches("user_id")
    assert verified.vouches("user_id")
    assert not verified.vouches("email")


def test_another_workspace_of_the_app_is_refused(take: Any, post: Any, tmp_path: Any) -> None:
    configuration = tmp_path / "sources.toml"
    configuration.write_text(OURS, encoding="utf-8")
    document = json.loads(take("intercom/contact_user_created").request.body)
    foreign = post("intercom", document | {"app_id": "zz99example"}).request

    assert sources(configuration)["intercom"].read(foreign, NOW).refused == 1


def test_a_contact_that_is_deleted_does_not_begin_anew(take: Any) -> None:
    assert take("intercom/contact_deleted").read().ignored
