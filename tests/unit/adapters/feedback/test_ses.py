"""Reports of Amazon SES become canonical events."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cairn.adapters.feedback.reports import read
from cairn.domain.event import Event, event_from_queue, event_to_wire
from cairn.domain.identity.identifiers import EMAIL, identifier
from cairn.domain.identity.trust import FEEDBACK_SOURCE
from cairn.domain.message.message import MessageStatus
from cairn.domain.shared.errors import InvalidEventError
from tests.unit.makers import MONDAY, at
from tests.unit.strategies import json_values

TAGS = {"message": ["enr-hello-1"], "customer": ["c_ada"], "ses:configuration-set": ["cairn"]}


def notification(kind: str, named: str = "eventType", mail: Any = None, sns_id: str = "sns-1", **detail: Any) -> str:
    """A report of SES in the envelope of SNS."""
    whole: dict[str, Any] = {"messageId": "ses-1", "tags": TAGS, "destination": ["ada@example.com"]}
    report: dict[str, Any] = {named: kind, "mail": whole | (mail or {})}
    field = "failure" if kind == "Rendering Failure" else kind[0].lower() + kind[1:]
    report |= {field: detail} if detail else {}
    return envelope(json.dumps(report), sns_id)


def envelope(message: Any, sns_id: str = "sns-1") -> str:
    return json.dumps({"Type": "Notification", "MessageId": sns_id, "Message": message})


def only(body: str) -> Event:
    (event,) = read(body, MONDAY)
    return event


@pytest.mark.parametrize("address", ["Ada <Ada@Example.com>", "Ada@Example.com"])
@pytest.mark.parametrize("named", ["eventType", "notificationType"])
def test_a_hard_bounce_names_the_address_that_is_dead(named: str, address: str) -> None:
    report = notification(
        "Bounce",
        named,
        bounceType="Permanent",
        bounceSubType="General",
        bouncedRecipients=[{"emailAddress": address, "status": "5.1.1"}],
        timestamp="2026-03-02T09:59:58.123Z",
    )

    bounced = only(report)

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


def test_a_complaint_names_the_address_and_the_kind() -> None:
    report = notification(
        "Complaint", complainedRecipients=[{"emailAddress": "ada@example.com"}], complaintFeedbackType="abuse"
    )

    complained = only(report)

    assert (complained.type, complained.properties["address"]) == ("message.complained", "ada@example.com")
    assert complained.properties["reason"] == "abuse"


def test_each_of_several_recipients_has_one_event_of_its_own() -> None:
    several = [{"emailAddress": one} for one in ("ada@example.com", "Bob <bob@example.com>", "ADA@example.com")]

    events = read(notification("Bounce", bounceType="Permanent", bouncedRecipients=several), MONDAY)

    assert [event.properties["address"] for event in events] == ["ada@example.com", "bob@example.com"]
    assert len({event.id for event in events}) == len({event.key for event in events}) == 2
    assert {event.customer_id for event in events} == {"c_ada"}


@pytest.mark.parametrize(
    ("kind", "type_", "detail"),
    [
        ("Delivery", "message.delivered", {"recipients": ["ada@example.com"]}),
        ("Delivery", "message.delivered", {}),
        ("Open", "message.opened", {"userAgent": "Mail"}),
        ("Click", "message.clicked", {"link": "https://example.com"}),
        ("Reject", "message.failed", {"reason": "Bad content"}),
        ("Rendering Failure", "message.failed", {"errorMessage": "Attribute is missing"}),
    ],
)
def test_each_kind_of_report_has_its_event(kind: str, type_: str, detail: dict[str, Any]) -> None:
    event = only(notification(kind, timestamp="2026-03-02T09:00:00Z", **detail))

    assert (event.type, event.occurred_at) == (type_, at("2026-03-02 09:00"))
    assert type_.removeprefix("message.") in set(MessageStatus)
    assert event.properties["message_id"] == "enr-hello-1"
    assert event.properties["address"] == "ada@example.com"
    assert event.properties.get("link") == detail.get("link")
    assert event.properties.get("reason") == (detail.get("reason") or detail.get("errorMessage"))


def bounce(type_: str | None, subtype: str | None, **recipient: Any) -> Event:
    recipients = [{"emailAddress": "ada@example.com", **recipient}]
    return only(
        notification("Bounce", bounceType=type_, bounceSubType=subtype, bouncedRecipients=recipients, feedbackId="f-1")
    )


@pytest.mark.parametrize("subtype", ["General", "NoEmail", "Suppressed", "OnAccountSuppressionList"])
def test_a_permanent_bounce_is_one_and_only_the_list_of_the_account_is_not_counted(subtype: str) -> None:
    bounced = bounce("Permanent", subtype)

    assert (bounced.type, bounced.properties["bounce_type"]) == ("message.bounced", "Permanent")
    assert bounced.properties.get("not_tried", False) is (subtype == "OnAccountSuppressionList")
    assert "perhaps_auto_reply" not in bounced.properties


@pytest.mark.parametrize(
    "subtype",
    ["MailboxFull", "MessageTooLarge", "ContentRejected", "AttachmentRejected", "CustomTimeoutExceeded", "A new one"],
)
def test_a_transient_bounce_that_says_why_is_certain(subtype: str) -> None:
    bounced = bounce("Transient", subtype)

    assert (bounced.type, bounced.properties["reason"]) == ("message.bounced", subtype)
    assert "perhaps_auto_reply" not in bounced.properties


@pytest.mark.parametrize(
    ("type_", "subtype"),
    [("Transient", "General"), ("Undetermined", "Undetermined"), ("Transient", None), (None, None)],
)
@pytest.mark.parametrize(
    ("recipient", "is_certain"),
    [
        ({}, False),
        ({"action": "failed", "status": "4.4.7", "diagnosticCode": "smtp; 554 4.4.7 Message expired"}, True),
        ({"action": "Failed"}, True),
        ({"status": "5.0.0"}, True),
        ({"action": "delivered", "status": "2.0.0"}, False),
        ({"action": "delayed", "status": "4.0.0"}, False),
        ({"status": None, "action": None}, False),
    ],
)
def test_a_bounce_that_does_not_say_why_may_be_an_automatic_answer_without_a_mail_server_s_report(
    type_: str | None, subtype: str | None, recipient: dict[str, Any], *, is_certain: bool
) -> None:
    bounced = bounce(type_, subtype, **recipient)

    assert bounced.type == "message.bounced"
    assert bounced.properties.get("perhaps_auto_reply", False) is not is_certain


def test_an_automatic_answer_does_not_hide_a_bounce_after_it() -> None:
    assert bounce("Transient", "General").key != bounce("Transient", "MailboxFull").key


def test_a_recipient_who_unsubscribed_at_ses_wants_no_marketing_and_the_address_is_good() -> None:
    bounced = bounce("Permanent", "UnsubscribedRecipient")

    assert [(one.channel, one.purpose, one.status) for one in bounced.consent] == [("email", "marketing", "denied")]
    assert "bounce_type" not in bounced.properties
    assert bounced.properties["not_tried"] is True


def test_a_bounce_of_several_that_names_nobody_is_nobody_s() -> None:
    mail = {"destination": ["ada@example.com", "bob@example.com"]}

    bounced = only(notification("Bounce", mail=mail, bounceType="Permanent", bounceSubType="NoEmail"))

    assert "address" not in bounced.properties


def complaint(feedback_type: str | None, subtype: str | None = None) -> Event:
    recipients = [{"emailAddress": "ada@example.com"}]
    said = {"complaintFeedbackType": feedback_type, "complaintSubType": subtype}
    return only(notification("Complaint", complainedRecipients=recipients, **said))


@pytest.mark.parametrize("feedback_type", ["abuse", "fraud", "other", None, "opt-out", "a new one"])
def test_a_person_s_report_is_a_complaint(feedback_type: str | None) -> None:
    assert complaint(feedback_type).type == "message.complained"


@pytest.mark.parametrize("feedback_type", ["not-spam", "auth-failure", "virus", "Not-Spam"])
def test_a_report_that_no_person_makes_against_us_is_no_complaint(feedback_type: str) -> None:
    reported = complaint(feedback_type)

    assert (reported.type, reported.properties["reason"]) == ("message.reported", feedback_type.lower())
    assert reported.key != complaint("abuse").key


def test_a_message_that_ses_did_not_try_after_an_earlier_complaint_has_failed() -> None:
    failed = complaint(None, "OnAccountSuppressionList")

    assert (failed.type, failed.properties["reason"]) == ("message.failed", "OnAccountSuppressionList")
    assert failed.properties["not_tried"] is failed.properties["complained_before"] is True
    assert failed.key != complaint(None).key


@pytest.mark.parametrize("kind", ["Send", "DeliveryDelay", "Subscription"])
def test_a_report_that_changes_no_status_is_no_event(kind: str) -> None:
    assert read(notification(kind), MONDAY) == []


def test_an_unknown_kind_of_report_is_refused() -> None:
    with pytest.raises(InvalidEventError, match="not known"):
        read(notification("Something New"), MONDAY)


@pytest.mark.parametrize("tags", [None, {}, {"message": ["enr-hello-1"]}, {"message": [], "customer": []}])
def test_without_a_tag_the_address_names_the_customer(tags: Any) -> None:
    bounced = only(notification("Bounce", mail={"tags": tags}, bouncedRecipients=[{"emailAddress": "Ada@example.com"}]))

    assert bounced.customer_id is None
    assert bounced.identifiers == (identifier(EMAIL, "ada@example.com"),)


def test_an_email_outside_journeys_has_no_message_id() -> None:
    complained = only(
        notification("Complaint", mail={"tags": {}}, complainedRecipients=[{"emailAddress": "ada@example.com"}])
    )

    assert (complained.customer_id, complained.identifiers) == (None, (identifier(EMAIL, "ada@example.com"),))
    assert "message_id" not in complained.properties


def test_an_opening_by_one_of_several_recipients_names_nobody() -> None:
    mail = {"tags": {}, "destination": ["ada@example.com", "bob@example.com"]}

    assert read(notification("Open", mail=mail), MONDAY) == []


def test_without_a_time_or_with_a_future_one_the_event_happened_now() -> None:
    assert only(notification("Delivery")).occurred_at == MONDAY
    assert only(notification("Delivery", timestamp="2030-01-01T00:00:00Z")).occurred_at == MONDAY


def test_a_second_delivery_of_a_report_is_the_same_event() -> None:
    bounce = {"bounceType": "Permanent", "bouncedRecipients": [{"emailAddress": "ada@example.com"}]}

    assert only(notification("Bounce", **bounce)).key == only(notification("Bounce", sns_id="sns-2", **bounce)).key


def test_two_topics_and_eventbridge_report_one_event() -> None:
    bounce = {"bounceType": "Permanent", "bouncedRecipients": [{"emailAddress": "ada@example.com"}]}
    published = notification("Bounce", **bounce)
    detail = json.loads(json.loads(published)["Message"])
    emitted = {"id": "eb-1", "detail-type": "Email Bounced", "source": "aws.ses", "detail": detail}

    of_the_identity = only(notification("Bounce", "notificationType", sns_id="sns-2", **bounce))
    keys = {only(published).key, of_the_identity.key, only(json.dumps(emitted)).key}

    assert len(keys) == 1


def test_a_soft_bounce_does_not_hide_the_hard_one_after_it() -> None:
    recipients = {"bouncedRecipients": [{"emailAddress": "ada@example.com"}]}

    soft, hard = (only(notification("Bounce", bounceType=kind, **recipients)) for kind in ("Transient", "Permanent"))

    assert soft.key != hard.key


def test_a_second_click_is_another_event_and_a_second_delivery_of_it_is_not() -> None:
    first, again = (only(notification("Click", timestamp="2026-03-02T09:00:00Z", link="https://a")) for _ in range(2))
    second = only(notification("Click", timestamp="2026-03-02T09:05:00Z", link="https://a"))

    assert first.key == again.key != second.key


def test_an_id_is_never_too_long() -> None:
    address = "a" * 64 + "@" + "b" * 180 + ".example"

    event = only(notification("Delivery", recipients=[address]))

    assert event_from_queue(event_to_wire(event), received_at=MONDAY) == event


@pytest.mark.parametrize(
    "message",
    ["not JSON", "", None, "[]", "{}", '{"eventType": "Bounce"}', '{"eventType": "Bounce", "mail": []}'],
)
def test_a_message_that_is_no_report_is_refused(message: Any) -> None:
    with pytest.raises(InvalidEventError):
        read(envelope(message), MONDAY)


@given(
    st.fixed_dictionaries(
        {
            "mail": json_values
            | st.fixed_dictionaries(
                {"tags": json_values | st.just(TAGS)}, optional={"destination": json_values, "messageId": json_values}
            )
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
def test_every_notification_is_read_or_refused(report: dict[str, Any]) -> None:
    try:
        events = read(envelope(json.dumps(report)), MONDAY)
    except InvalidEventError:
        return
    assert all(event.key for event in events)
