"""What Amazon SES tells of an e-mail, in our words."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cairn.adapters.feedback import read
from cairn.domain.event import Event, event_from_wire, event_to_wire
from cairn.domain.identity.identifiers import EMAIL, identifier
from cairn.domain.identity.trust import FEEDBACK_SOURCE
from cairn.domain.message.message import MessageStatus
from cairn.domain.shared.errors import InvalidEventError
from tests.unit.makers import MONDAY, at
from tests.unit.strategies import json_values

TAGS = {"message": ["enr-hello-1"], "customer": ["c_ada"], "ses:configuration-set": ["cairn"]}


def notification(kind: str, named: str = "eventType", mail: Any = None, sns_id: str = "sns-1", **detail: Any) -> str:
    """What arrives from SNS, wrapped around what SES tells."""
    whole: dict[str, Any] = {"messageId": "ses-1", "tags": TAGS, "destination": ["ada@example.com"]}
    told: dict[str, Any] = {named: kind, "mail": whole | (mail or {})}
    name = "failure" if kind == "Rendering Failure" else kind[0].lower() + kind[1:]
    told |= {name: detail} if detail else {}
    return json.dumps({"Type": "Notification", "MessageId": sns_id, "Message": json.dumps(told)})


def only(body: str) -> Event:
    (event,) = read(body, MONDAY)
    return event


@pytest.mark.parametrize("named", ["eventType", "notificationType"])
def test_a_hard_bounce_names_the_address_that_is_dead(named: str) -> None:
    told = notification(
        "Bounce",
        named,
        bounceType="Permanent",
        bounceSubType="General",
        bouncedRecipients=[{"emailAddress": "Ada <Ada@Example.com>", "status": "5.1.1"}],
        timestamp="2026-03-02T09:59:58.123Z",
    )

    bounced = only(told)

    assert (bounced.source, bounced.type) == (FEEDBACK_SOURCE, "message.bounced")
    assert (bounced.customer_id, bounced.identifiers) == ("c_ada", ())
    assert bounced.occurred_at == at("2026-03-02 09:59:58.123")
    assert bounced.properties == {
        "message_id": "enr-hello-1",
        "provider_message_id": "ses-1",
        "channel": "email",
        "address": "ada@example.com",
        "reason": "General",
        "bounce_type": "Permanent",
    }


def test_a_complaint_names_who_complained_and_how() -> None:
    told = notification(
        "Complaint", complainedRecipients=[{"emailAddress": "ada@example.com"}], complaintFeedbackType="abuse"
    )

    complained = only(told)

    assert (complained.type, complained.properties["address"]) == ("message.complained", "ada@example.com")
    assert complained.properties["reason"] == "abuse"


def test_each_of_several_recipients_is_told_of() -> None:
    several = [{"emailAddress": "ada@example.com"}, {"emailAddress": "alias@example.com"}]

    events = read(notification("Bounce", bounceType="Permanent", bouncedRecipients=several), MONDAY)

    assert [event.properties["address"] for event in events] == ["ada@example.com", "alias@example.com"]
    assert len({event.id for event in events}) == 2
    assert {event.customer_id for event in events} == {"c_ada"}


@pytest.mark.parametrize(
    ("kind", "type_", "detail"),
    [
        ("Delivery", "message.delivered", {"recipients": ["ada@example.com"]}),
        ("Open", "message.opened", {"userAgent": "Mail"}),
        ("Click", "message.clicked", {"link": "https://example.com"}),
        ("Reject", "message.failed", {"reason": "Bad content"}),
        ("Rendering Failure", "message.failed", {"errorMessage": "Attribute is missing"}),
    ],
)
def test_what_became_of_a_message(kind: str, type_: str, detail: dict[str, Any]) -> None:
    told = only(notification(kind, timestamp="2026-03-02T09:00:00Z", **detail))

    assert told.type == type_
    assert type_.removeprefix("message.") in set(MessageStatus)
    assert told.properties["address"] == "ada@example.com"
    assert told.properties.get("link") == detail.get("link")
    assert told.properties.get("reason") == (detail.get("reason") or detail.get("errorMessage"))


@pytest.mark.parametrize("kind", ["Send", "DeliveryDelay", "Subscription"])
def test_what_no_status_should_show_is_no_event(kind: str) -> None:
    assert read(notification(kind), MONDAY) == []


def test_something_new_is_looked_at_by_somebody() -> None:
    with pytest.raises(InvalidEventError, match="not known"):
        read(notification("Something New"), MONDAY)


@pytest.mark.parametrize("tags", [None, {}, {"message": ["enr-hello-1"]}, {"message": [], "customer": []}])
def test_without_a_tag_the_address_says_who_it_was(tags: Any) -> None:
    bounced = only(notification("Bounce", mail={"tags": tags}, bouncedRecipients=[{"emailAddress": "Ada@example.com"}]))

    assert bounced.customer_id is None
    assert bounced.identifiers == (identifier(EMAIL, "ada@example.com"),)


def test_who_of_several_opened_a_mail_nobody_knows() -> None:
    mail = {"tags": {}, "destination": ["ada@example.com", "bob@example.com"]}

    assert read(notification("Open", mail=mail), MONDAY) == []


def test_without_a_time_or_with_one_to_come_it_happened_now() -> None:
    assert only(notification("Delivery")).occurred_at == MONDAY
    assert only(notification("Delivery", timestamp="2030-01-01T00:00:00Z")).occurred_at == MONDAY


def test_two_topics_and_eventbridge_tell_of_one_event() -> None:
    told = {"bounceType": "Permanent", "bouncedRecipients": [{"emailAddress": "ada@example.com"}]}
    published = notification("Bounce", **told)
    detail = json.loads(json.loads(published)["Message"])
    emitted = {"id": "eb-1", "detail-type": "Email Bounced", "source": "aws.ses", "detail": detail}

    of_the_identity = only(notification("Bounce", "notificationType", sns_id="sns-2", **told))
    keys = {only(published).key, of_the_identity.key, only(json.dumps(emitted)).key}

    assert len(keys) == 1


def test_a_soft_bounce_does_not_hide_the_hard_one_after_it() -> None:
    who = {"bouncedRecipients": [{"emailAddress": "ada@example.com"}]}

    soft, hard = (only(notification("Bounce", bounceType=kind, **who)) for kind in ("Transient", "Permanent"))

    assert soft.key != hard.key


def test_a_second_click_is_another_event_and_a_second_delivery_of_it_is_not() -> None:
    first, again = (only(notification("Click", timestamp="2026-03-02T09:00:00Z", link="https://a")) for _ in range(2))
    second = only(notification("Click", timestamp="2026-03-02T09:05:00Z", link="https://a"))

    assert first.key == again.key != second.key


def test_an_id_is_never_longer_than_an_id_may_be() -> None:
    address = "a" * 64 + "@" + "b" * 180 + ".example"

    told = only(notification("Delivery", recipients=[address]))

    assert event_from_wire(event_to_wire(told), source=told.source, received_at=MONDAY) == told


@given(
    st.fixed_dictionaries(
        {
            "mail": json_values
            | st.fixed_dictionaries({"tags": json_values | st.just(TAGS), "destination": json_values})
        },
        optional={
            "eventType": st.sampled_from(["Bounce", "Complaint", "Delivery", "Click"]) | json_values,
            "notificationType": json_values,
            "bounce": json_values
            | st.fixed_dictionaries(
                {},
                optional={"bouncedRecipients": json_values, "timestamp": json_values, "bounceType": json_values},
            ),
            "click": st.fixed_dictionaries({}, optional={"link": json_values, "timestamp": json_values}),
        },
    )
)
def test_no_notification_fails_in_another_way(told: dict[str, Any]) -> None:
    try:
        events = read(json.dumps({"Type": "Notification", "MessageId": "sns-1", "Message": json.dumps(told)}), MONDAY)
    except InvalidEventError:
        return
    assert all(event.key for event in events)
