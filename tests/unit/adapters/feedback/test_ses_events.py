"""What Amazon SES tells of an e-mail, in our words."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cairn.adapters import feedback
from cairn.domain.event import Event
from cairn.domain.identity.trust import FEEDBACK_SOURCE
from cairn.domain.message.message import MessageStatus
from cairn.domain.shared.errors import InvalidEventError
from tests.unit.makers import MONDAY, at, name
from tests.unit.strategies import json_values

TAGS = {"message": ["enr-hello-1"], "customer": ["c_ada"], "ses:configuration-set": ["cairn"]}


def notification(kind: str, named: str = "eventType", tags: Any = None, **detail: Any) -> dict[str, Any]:
    """What arrives from SNS, wrapped around what SES tells."""
    mail = {"messageId": "ses-1", "destination": ["ada@example.com"], "tags": TAGS if tags is None else tags}
    told = {named: kind, "mail": mail, {"Rendering Failure": "failure"}.get(kind, kind.lower()): detail}
    return {"Type": "Notification", "MessageId": "sns-1", "Message": json.dumps(told)}


def heard(envelope: Any) -> list[Event]:
    return feedback.read(json.dumps(envelope), MONDAY)


def only(envelope: dict[str, Any]) -> Event:
    (event,) = heard(envelope)
    return event


@pytest.mark.parametrize("named", ["eventType", "notificationType"])
def test_a_hard_bounce_names_the_address_that_is_dead(named: str) -> None:
    told = notification(
        "Bounce",
        named,
        bounceType="Permanent",
        bounceSubType="General",
        bouncedRecipients=[{"emailAddress": "Ada@Example.com", "status": "5.1.1"}],
        timestamp="2026-03-02T09:59:58.123Z",
    )

    bounced = only(told)

    assert (bounced.source, bounced.type) == (FEEDBACK_SOURCE, "message.bounced")
    assert (bounced.customer_id, bounced.identifiers) == ("c_ada", ())
    assert bounced.occurred_at == at("2026-03-02 09:59:58.123")
    assert bounced.properties["message_id"] == "enr-hello-1"
    assert bounced.properties["address"] == "ada@example.com"
    assert bounced.properties["bounce_type"] == "Permanent"
    assert bounced.properties["channel"] == "email"


def test_a_complaint_names_who_complained() -> None:
    complained = only(notification("Complaint", complainedRecipients=[{"emailAddress": "ada@example.com"}]))

    assert (complained.type, complained.properties["address"]) == ("message.complained", "ada@example.com")


def test_of_several_recipients_each_is_told_of_once_and_on_its_own() -> None:
    several = [{"emailAddress": one} for one in ("ada@example.com", "Bob <bob@example.com>", "ADA@example.com")]

    both = heard(notification("Bounce", bounceType="Permanent", bouncedRecipients=several))

    assert [event.properties["address"] for event in both] == ["ada@example.com", "bob@example.com"]
    assert len({event.key for event in both}) == 2


@pytest.mark.parametrize(
    ("kind", "type_"),
    [
        ("Delivery", "message.delivered"),
        ("Open", "message.opened"),
        ("Click", "message.clicked"),
        ("Reject", "message.failed"),
        ("Rendering Failure", "message.failed"),
    ],
)
def test_what_became_of_a_message(kind: str, type_: str) -> None:
    told = only(notification(kind, timestamp="2026-03-02T09:00:00Z", link="https://example.com"))

    assert (told.type, told.occurred_at) == (type_, at("2026-03-02 09:00"))
    assert type_.removeprefix("message.") in set(MessageStatus)
    assert told.properties["message_id"] == "enr-hello-1"


def test_what_is_told_twice_is_the_same_event() -> None:
    bounced = notification("Bounce", bounceType="Permanent", bouncedRecipients=[{"emailAddress": "ada@example.com"}])

    assert only(bounced).key == only(bounced | {"MessageId": "sns-2"}).key


@pytest.mark.parametrize("kind", ["Send", "DeliveryDelay", "Subscription"])
def test_what_no_status_should_show_is_no_event(kind: str) -> None:
    assert heard(notification(kind)) == []


def test_a_mail_that_is_not_from_a_journey_is_about_whoever_has_the_address() -> None:
    complained = only(notification("Complaint", tags={}, complainedRecipients=[{"emailAddress": "ada@example.com"}]))

    assert (complained.customer_id, complained.identifiers) == (None, name(email="ada@example.com"))
    assert "message_id" not in complained.properties


def test_without_a_time_or_with_one_to_come_it_happened_now() -> None:
    assert only(notification("Delivery")).occurred_at == MONDAY
    assert only(notification("Delivery", timestamp="2030-01-01T00:00:00Z")).occurred_at == MONDAY


def test_the_greeting_of_a_topic_is_no_event() -> None:
    greeting = "Successfully validated SNS topic for Amazon SES event publishing."

    assert heard({"Type": "Notification", "MessageId": "sns-1", "Message": greeting}) == []


@pytest.mark.parametrize(
    "message",
    ["not JSON", "", None, "[]", "{}", '{"eventType": "Bounce"}', '{"eventType": "Bounce", "mail": []}'],
)
def test_what_ses_did_not_tell_is_refused(message: Any) -> None:
    with pytest.raises(InvalidEventError):
        heard({"Type": "Notification", "MessageId": "sns-1", "Message": message})


@given(
    st.fixed_dictionaries(
        {"mail": json_values | st.fixed_dictionaries({"tags": json_values | st.just(TAGS), "messageId": json_values})},
        optional={
            "eventType": st.sampled_from(["Bounce", "Complaint", "Delivery"]) | json_values,
            "notificationType": json_values,
            "bounce": json_values
            | st.fixed_dictionaries(
                {},
                optional={"bouncedRecipients": json_values, "timestamp": json_values, "bounceType": json_values},
            ),
        },
    )
)
def test_no_notification_fails_in_another_way(told: dict[str, Any]) -> None:
    envelope = {"Type": "Notification", "MessageId": "sns-1", "Message": json.dumps(told)}

    try:
        events = heard(envelope)
    except InvalidEventError:
        events = []

    assert all(event.key for event in events)
