"""Reports of WhatsApp through End User Messaging Social become canonical events."""

import json
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from authoring.sources.samples import samples
from cairn.adapters.feedback.reports import account_alarms, read
from cairn.domain.consent.changes import ConsentStatus
from cairn.domain.event import Event, event_to_wire
from cairn.domain.identity.identifiers import EXTERNAL, PHONE, Identifier
from cairn.domain.shared.channels import Channel, Purpose
from cairn.domain.shared.errors import InvalidEventError
from infra.local.reports import queue_body
from tests.unit.adapters.sources.conftest import posted
from tests.unit.makers import MONDAY, at

LATER = MONDAY + timedelta(days=30)
"""After every sample."""

ADA = Identifier(PHONE, "+12015550123")
ADA_AT_META = Identifier(EXTERNAL + "whatsapp", "US.1")
METADATA = {"display_phone_number": "12015550100", "phone_number_id": "1"}


def events(**value: Any) -> list[Event]:
    entry = {"id": "1", "changes": [{"value": {"metadata": METADATA} | value, "field": "messages"}]}
    report = {
        "whatsAppWebhookEntry": entry,
        "message_timestamp": "2026-03-02T09:00:00.123456789Z",
        "messageId": "aws-1",
    }
    return read(queue_body(report, MONDAY), MONDAY)


def only(**value: Any) -> Event:
    (event,) = events(**value)
    return event


def status(kind: str, **more: Any) -> dict[str, Any]:
    report = {"id": "wamid.1", "status": kind, "timestamp": "1772445540", "recipient_id": "12015550123"}
    return report | {"biz_opaque_callback_data": "c_ada/enr-hello-1"} | more


@pytest.mark.parametrize(
    ("kind", "type_"),
    [
        ("sent", "message.sent"),
        ("delivered", "message.delivered"),
        ("read", "message.opened"),
        ("played", "message.opened"),
        ("failed", "message.failed"),
    ],
)
def test_a_status_names_the_message_and_its_customer(kind: str, type_: str) -> None:
    event = only(statuses=[status(kind)])

    assert (event.id, event.type) == (f"wamid.1/{kind}", type_)
    assert (event.customer_id, event.identifiers) == ("c_ada", ())
    assert event.occurred_at == at("2026-03-02 09:59")
    assert event.properties == {
        "message_id": "enr-hello-1",
        "provider_message_id": "wamid.1",
        "channel": "whatsapp",
        "address": "+12015550123",
    }


@pytest.mark.parametrize("kind", ["deleted", "warning", "accepted"])
def test_a_report_that_changes_no_status_is_no_event(kind: str) -> None:
    assert events(statuses=[status(kind)]) == []


def test_a_failure_has_a_reason() -> None:
    failed = only(statuses=[status("failed", errors=[{"code": 131047, "title": "Re-engagement message"}])])

    assert failed.properties["reason"] == "131047"
    assert failed.consent == ()


@pytest.mark.parametrize("code", [368, 80007, 130429, 131031, 131037, 131042, 131048, 131057, 133010])
def test_a_failure_of_the_account_says_nothing_about_the_customer(code: int) -> None:
    failed = only(statuses=[status("failed", errors=[{"code": code}])])

    assert failed.type == "message.failed"
    assert (failed.properties["reason"], failed.properties["account_failure"]) == (str(code), True)
    assert failed.consent == ()


@pytest.mark.parametrize("code", [130472, 131026, 131047, 131049, 131050, 131053, 131056, 132001])
def test_a_failure_of_one_message_or_one_customer_is_not_the_accounts(code: int) -> None:
    """131056 limits how often one customer is written to."""
    failed = only(statuses=[status("failed", errors=[{"code": code}])])

    assert failed.properties["reason"] == str(code)
    assert "account_failure" not in failed.properties


def test_a_message_that_was_sent_has_no_failure_of_the_account() -> None:
    assert "account_failure" not in only(statuses=[status("sent", errors=[{"code": 131042}])]).properties


def test_a_customer_who_stopped_marketing_in_whatsapp_is_opted_out() -> None:
    failed = only(statuses=[status("failed", errors=[{"code": 131050}])])

    (change,) = failed.consent
    assert (change.channel, change.purpose, change.status) == (
        Channel.WHATSAPP,
        Purpose.MARKETING,
        ConsentStatus.DENIED,
    )


@pytest.mark.parametrize("given", [None, "", "another application's", "c_ada", '{"message": 1}', "c_ada/../x", 7])
def test_a_message_of_another_system_is_identified_by_its_number(given: Any) -> None:
    event = only(statuses=[status("delivered", biz_opaque_callback_data=given)])

    assert (event.customer_id, event.identifiers) == (None, (ADA,))
    assert "message_id" not in event.properties


def message(type_: str = "text", **more: Any) -> dict[str, Any]:
    received: dict[str, Any] = {"from": "12015550123", "id": "wamid.2", "timestamp": "1772445540", "type": type_}
    return received | (more or {"text": {"body": "Stop, please"}})


def test_a_reply_has_sender_text_recipient_and_original_message() -> None:
    contact = {"profile": {"name": "Ada"}, "wa_id": "12015550123", "user_id": "US.1"}
    answer = message() | {"context": {"from": "12015550100", "id": "wamid.1"}}

    event = only(messages=[answer], contacts=[contact])

    assert (event.id, event.type) == ("wamid.2", "message.replied")
    assert event.identifiers == (ADA_AT_META, ADA)
    assert event.properties == {
        "provider_message_id": "wamid.2",
        "channel": "whatsapp",
        "address": "+12015550123",
        "kind": "text",
        "text": "Stop, please",
        "keyword": "STOP",
        "reply_to": "wamid.1",
        "to": "+12015550100",
        "profile_name": "Ada",
    }


def test_a_customer_without_a_number_is_identified_by_metas_id() -> None:
    hidden = message() | {"from": None}

    event = only(messages=[hidden], contacts=[{"profile": {"name": "Ada"}, "user_id": "US.1"}])

    assert event.identifiers == (ADA_AT_META,)


def test_an_ambiguous_id_identifies_no_customer() -> None:
    contacts = [{"wa_id": "12015550999", "user_id": "US.9"}, {"wa_id": "12015550888", "user_id": "US.8"}]

    assert only(messages=[message()], contacts=contacts).identifiers == (ADA,)
    assert events(messages=[message() | {"from": None}], contacts=contacts) == []


@pytest.mark.parametrize(
    ("answer", "text"),
    [
        (message("button", button={"text": "Yes", "payload": "y"}), "Yes"),
        (message("interactive", interactive={"type": "button_reply", "button_reply": {"title": "10:00"}}), "10:00"),
        (message("interactive", interactive={"type": "list_reply", "list_reply": {"title": "Sunday"}}), "Sunday"),
        (message("image", image={"caption": "My ticket", "id": "1"}), "My ticket"),
        (message("image", image={"id": "1"}), None),
        (message("sticker", sticker={"id": "1"}), None),
        (message("location", location={"latitude": 52.5, "longitude": 13.4}), None),
        (message("contacts", contacts=[{"name": {"formatted_name": "Bob"}}]), None),
        (message("order", order={"product_items": []}), None),
        (message("interactive", interactive={"type": "nfm_reply", "nfm_reply": {"body": "Sent"}}), "Sent"),
    ],
)
def test_every_kind_of_answer_is_a_reply(answer: dict[str, Any], text: str | None) -> None:
    reply = only(messages=[answer])

    assert reply.type == "message.replied"
    assert reply.properties["kind"] == answer["type"]
    assert reply.properties.get("text") == text


@pytest.mark.parametrize("emoji", ["👍", "", None])
def test_a_reaction_and_its_removal_are_no_reply(emoji: str | None) -> None:
    reacted = only(messages=[message("reaction", reaction={"message_id": "wamid.1", "emoji": emoji})])

    assert reacted.type == "message.reacted"
    assert reacted.properties["reply_to"] == "wamid.1"
    assert reacted.properties.get("text") == (emoji or None)
    assert "keyword" not in reacted.properties


@pytest.mark.parametrize(
    ("change", "type_"),
    [
        (message("system", system={"body": "changed the number"}), "whatsapp.system"),
        (message("system", system={"type": "user_changed_number", "wa_id": "12015550124"}), "customer.number_changed"),
        (message("unsupported", errors=[{"code": 131051}]), "whatsapp.unsupported"),
        (message("unknown", errors=[]), "whatsapp.unknown"),
        (message("edit", edit={"message": {"type": "text", "text": {"body": "STOP"}}}), "reply.edited"),
        (message("revoke", revoke={"original_message_id": "wamid.1"}), "reply.revoked"),
        (message("request_welcome", errors=[]), "whatsapp.request_welcome"),
        (message("image", image={"caption": "Without an id there is no picture"}), "whatsapp.image"),
        (message("interactive", interactive={"type": "call_permission_reply"}), "whatsapp.interactive"),
        (message("text", text={"body": "STOP"}, group_id="Z3JvdXA6MQ=="), "group.message_received"),
        (message("a new kind", text={"body": "STOP"}), "whatsapp.a_new_kind"),
    ],
)
def test_what_answers_nothing_is_no_reply(change: dict[str, Any], type_: str) -> None:
    event = only(messages=[change])

    assert event.type == type_
    assert event.consent == ()


@pytest.mark.parametrize("sample", samples("whatsapp"), ids=lambda sample: str(sample.stem))
def test_a_report_through_aws_means_what_metas_own_webhook_means(sample: Path) -> None:
    """Both ways: the same events, and the same alarms."""
    document = json.loads(sample.read_text(encoding="utf-8"))
    straight = posted("whatsapp", document).read()

    (entry,) = document["entry"]
    body = queue_body({"whatsAppWebhookEntry": entry, "messageId": "aws-1"}, MONDAY)

    assert [meaning(event) for event in read(body, LATER)] == [meaning(event) for event in straight.events]
    assert account_alarms(body) == list(straight.alarms)
    assert straight.events or straight.alarms or sample.stem == "status_in_a_group"


def meaning(event: Event) -> dict[str, Any]:
    """Without what the two ways name in their own words: the source, its id, and a keyword that both get later."""
    wire = event_to_wire(event)
    said = {name: value for name, value in wire["properties"].items() if value not in (None, "") and name != "keyword"}
    consent = [{**one, "source": ""} for one in wire["consent"]]
    return {name: wire[name] for name in ("type", "occurred_at", "customer")} | {"said": said, "consent": consent}


def test_what_meta_says_about_a_template_is_an_alarm_and_no_event() -> None:
    value = {"event": "PAUSED", "message_template_name": "visit", "reason": "NONE"}
    change = {"field": "message_template_status_update", "value": value}
    body = queue_body({"whatsAppWebhookEntry": {"id": "1", "changes": [change]}}, MONDAY)

    assert read(body, MONDAY) == []
    assert account_alarms(body) == [{"source": "whatsapp", "template": "visit", "status": "PAUSED", "reason": "NONE"}]

    value["event"] = "APPROVED"
    assert account_alarms(queue_body({"whatsAppWebhookEntry": {"changes": [change]}}, MONDAY)) == []


def preference(value: str, **more: Any) -> dict[str, Any]:
    report = {"wa_id": "12015550123", "category": "marketing_messages", "value": value, "timestamp": "1772445540"}
    return report | {"detail": "User requested to stop marketing messages"} | more


@pytest.mark.parametrize(("value", "status_"), [("stop", ConsentStatus.DENIED), ("resume", ConsentStatus.GRANTED)])
def test_a_preference_set_in_whatsapp_changes_consent(value: str, status_: ConsentStatus) -> None:
    event = only(user_preferences=[preference(value)])

    (change,) = event.consent
    assert (event.type, event.identifiers) == ("consent.changed", (ADA,))
    assert (change.channel, change.purpose, change.status) == (Channel.WHATSAPP, Purpose.MARKETING, status_)
    assert change.at == at("2026-03-02 09:59")
    assert change.evidence["wording"] == "User requested to stop marketing messages"


@pytest.mark.parametrize("unknown", [preference("maybe"), preference("stop", category="calls")])
def test_an_unknown_preference_changes_no_consent(unknown: dict[str, Any]) -> None:
    assert events(user_preferences=[unknown]) == []


def test_several_reports_keep_their_order() -> None:
    several = events(statuses=[status("sent"), status("delivered")], messages=[message()])

    assert [event.type for event in several] == ["message.sent", "message.delivered", "message.replied"]


def test_without_a_time_of_its_own_the_time_of_aws_counts() -> None:
    assert only(messages=[message() | {"timestamp": None}]).occurred_at == at("2026-03-02 09:00:00.123456")


def test_a_change_of_another_kind_is_no_event() -> None:
    assert events(event="PARTNER_ADDED") == []


@pytest.mark.parametrize("entry", ["", "[]", "{", "null", json.dumps({"changes": [{"value": {"statuses": [{}]}}]}), 7])
def test_a_malformed_entry_is_refused(entry: Any) -> None:
    with pytest.raises(InvalidEventError):
        read(json.dumps({"whatsAppWebhookEntry": entry}), MONDAY)
