"""What became of a text, and what customers write back."""

import base64
import gzip
import json
from typing import Any

import pytest
from botocore.session import get_session

from cairn.adapters.feedback.reports import read
from cairn.domain.event import Event
from cairn.domain.identity.identifiers import PHONE, Identifier
from cairn.domain.shared.errors import InvalidEventError
from infra.local.reports import log_event, queue_body
from tests.unit.makers import MONDAY, at

ADA = Identifier(PHONE, "+12015550123")


def status(kind: str, *, final: bool | None = True, **more: Any) -> dict[str, Any]:
    report = {
        "eventType": f"TEXT_{kind}",
        "eventTimestamp": 1772445540000,
        "destinationPhoneNumber": "+12015550123",
        "messageId": "eum-1",
        "context": {"message": "enr-hello-1", "customer": "c_ada"},
    }
    return report | ({} if final is None else {"isFinal": final}) | more


def events(document: Any) -> list[Event]:
    return read(queue_body(document, MONDAY), MONDAY)


def only(document: Any) -> Event:
    (event,) = events(document)
    return event


def test_a_delivery_report_names_the_message_and_its_customer() -> None:
    event = only(status("DELIVERED"))

    assert (event.type, event.customer_id, event.identifiers) == ("message.delivered", "c_ada", ())
    assert event.occurred_at == at("2026-03-02 09:59")
    assert event.properties == {
        "message_id": "enr-hello-1",
        "provider_message_id": "eum-1",
        "channel": "sms",
        "address": "+12015550123",
    }


@pytest.mark.parametrize(
    "kind",
    [
        *("BLOCKED", "CARRIER_BLOCKED", "CARRIER_UNREACHABLE", "INVALID", "INVALID_MESSAGE"),
        *("PROTECT_BLOCKED", "SPAM", "TTL_EXPIRED", "UNREACHABLE"),
    ],
)
def test_a_failure_report_has_the_reason(kind: str) -> None:
    event = only(status(kind))

    assert (event.type, event.properties["reason"]) == ("message.failed", kind)


@pytest.mark.parametrize("kind", ["BLOCKED", "CARRIER_UNREACHABLE", "INVALID_MESSAGE", "SPAM", "UNREACHABLE"])
def test_only_the_kind_invalid_marks_the_number_as_invalid(kind: str) -> None:
    assert only(status("INVALID")).properties["invalid_number"] is True
    assert "invalid_number" not in only(status(kind)).properties
    assert "invalid_number" not in only(status("DELIVERED")).properties


def test_an_opt_out_at_end_user_messaging_is_an_opt_out_here() -> None:
    event = only(status("BLOCKED", messageStatusDescription="Phone number is opted out"))

    assert event.properties["opted_out"] is True
    assert "opted_out" not in only(status("BLOCKED", messageStatusDescription="Phone has blocked SMS")).properties


def test_a_failure_that_is_retried_is_no_event() -> None:
    assert events(status("INVALID", final=False)) == []
    assert events(status("CARRIER_UNREACHABLE", final=False)) == []


def test_a_final_report_of_the_carrier_means_delivered() -> None:
    assert only(status("SUCCESSFUL", final=False)).type == "message.sent"
    assert only(status("SUCCESSFUL")).type == "message.delivered"
    assert only(status("SUCCESSFUL", final=None)).type == "message.delivered"
    assert only(status("SUCCESSFUL", final=False)).key != only(status("SUCCESSFUL")).key


@pytest.mark.parametrize("kind", ["QUEUED", "PENDING", "UNKNOWN"])
def test_an_unknown_outcome_is_no_event(kind: str) -> None:
    assert events(status(kind)) == []


@pytest.mark.parametrize("type_", ["TEXT_TELEPORTED", "TEXT_", "VOICE_TELEPORTED", "FAX_SENT", "DELIVERED", 7, None])
def test_an_unknown_kind_of_report_is_refused(type_: Any) -> None:
    with pytest.raises(InvalidEventError):
        events(status("") | {"eventType": type_})


def kinds_of(form: str) -> list[str]:
    """The kinds of events that the service's own model has."""
    all_ = get_session().get_service_model("pinpoint-sms-voice-v2").shape_for("EventType").enum
    return [one.removeprefix(form) for one in all_ if one.startswith(form) and not one.endswith("_ALL")]


ARRIVES = {"DELIVERED": "message.delivered", "SUCCESSFUL": "message.delivered", "READ": "message.opened"}
SAYS_NOTHING = {"FALLEN_BACK_TO_SMS", "PENDING", "QUEUED", "UNKNOWN"}


@pytest.mark.parametrize(
    ("form", "kind"), [(form, kind) for form in ("TEXT_", "MEDIA_", "RCS_") for kind in kinds_of(form)]
)
def test_each_kind_of_event_says_sent_delivered_opened_failed_or_nothing(form: str, kind: str) -> None:
    found = events(status("") | {"eventType": form + kind})

    failed = kind not in SAYS_NOTHING | ARRIVES.keys() | {"SENT"}
    type_ = "message.failed" if failed else ARRIVES.get(kind, "message.sent")
    assert [event.type for event in found] == ([] if kind in SAYS_NOTHING else [type_])
    assert [event.properties.get("invalid_number") for event in found if failed] == (
        [kind == "INVALID" or None] if failed else []
    )
    assert [event.customer_id for event in found] == ["c_ada"] * len(found)


@pytest.mark.parametrize("kind", kinds_of("VOICE_"))
def test_a_call_is_no_message_of_ours(kind: str) -> None:
    assert events(status("") | {"eventType": "VOICE_" + kind}) == []


def test_what_rcs_has_only_accepted_is_not_delivered() -> None:
    assert events(status("") | {"eventType": "RCS_DELIVERED", "messageStatus": "PENDING"}) == []


@pytest.mark.parametrize("said", ["No quota left for account", "The account is in the SMS sandbox"])
@pytest.mark.parametrize("context", [{"message": "enr-hello-1", "customer": "c_ada"}, None])
@pytest.mark.parametrize("by_eventbridge", [True, False])
def test_what_the_account_may_not_send_says_nothing_about_the_number(
    said: str, context: dict[str, str] | None, *, by_eventbridge: bool
) -> None:
    report = status("INVALID_MESSAGE", messageStatusDescription=said, context=context)
    emitted = {"id": "eb-1", "detail-type": "Text Message Delivery Status Updated", "source": "aws.sms-voice"}

    failed = only(emitted | {"detail": report} if by_eventbridge else report)

    assert (failed.type, failed.properties["reason"]) == ("message.failed", said)
    assert failed.properties["account_failure"] is True
    assert not {"opted_out", "invalid_number"} & failed.properties.keys()
    assert (failed.customer_id, failed.identifiers) == (("c_ada", ()) if context else (None, (ADA,)))


def test_a_registration_of_the_account_is_no_message() -> None:
    emitted = {"id": "eb-1", "detail-type": "Registration Status Change", "source": "aws.sms-voice"}

    assert events(emitted | {"detail": {"registrationId": "registration-1", "registrationStatus": "COMPLETE"}}) == []


def test_without_a_context_the_number_names_the_customer() -> None:
    event = only(status("DELIVERED", context=None))

    assert (event.customer_id, event.identifiers) == (None, (ADA,))


def test_eventbridge_makes_the_same_event_or_names_no_customer() -> None:
    emitted = {"id": "eb-1", "detail-type": "Text Message Delivery Status Updated", "source": "aws.sms-voice"}

    assert only(emitted | {"detail": status("DELIVERED")}).key == only(status("DELIVERED")).key
    assert events(emitted | {"detail": status("DELIVERED", context=None, destinationPhoneNumber=None)}) == []


@pytest.mark.parametrize("instant", [1e300, -1e300, "soon", float("inf"), [1], {"a": 1}])
def test_a_malformed_instant_is_refused(instant: Any) -> None:
    with pytest.raises(InvalidEventError):
        events(status("DELIVERED", eventTimestamp=instant))


def test_a_repeated_status_is_one_event_and_another_status_is_another() -> None:
    keys = [only(status(kind)).key for kind in ("DELIVERED", "DELIVERED", "SPAM")]

    assert keys[0] == keys[1] != keys[2]


REPLY = {
    "originationNumber": "+12015550123",
    "destinationNumber": "+12015550100",
    "messageKeyword": "KEYWORD_1",
    "messageBody": "  slides, please!",
    "inboundMessageId": "in-1",
    "previousPublishedMessageId": "eum-1",
}


def test_a_reply_has_sender_text_recipient_and_original_message() -> None:
    event = only(REPLY)

    assert (event.id, event.type, event.identifiers) == ("in-1", "message.replied", (ADA,))
    assert event.occurred_at == MONDAY
    assert event.properties == {
        "provider_message_id": "in-1",
        "channel": "sms",
        "address": "+12015550123",
        "text": "  slides, please!",
        "keyword": "SLIDES",
        "reply_to": "eum-1",
        "to": "+12015550100",
    }


@pytest.mark.parametrize(
    ("text", "keyword"),
    [
        ("STOP", "STOP"),
        ("stop.", "STOP"),
        ("“Opt-out” now", "OPT"),
        ("¿Ayuda?", "AYUDA"),
        ("arrêt", "ARRET"),
        ("👍", None),
        ("", None),
        ("  \n", None),
        (None, None),
    ],
)
def test_a_keyword_is_the_first_word_of_a_reply(text: Any, keyword: str | None) -> None:
    assert only(REPLY | {"messageBody": text}).properties.get("keyword") == keyword


def test_a_reply_to_no_message_of_ours_is_a_reply_too() -> None:
    first = only({name: value for name, value in REPLY.items() if name != "previousPublishedMessageId"})

    assert "reply_to" not in first.properties


@pytest.mark.parametrize("number", ["", None])
def test_a_text_from_nobody_is_no_event(number: Any) -> None:
    assert events(REPLY | {"originationNumber": number}) == []


@pytest.mark.parametrize("sender", ["22000", "AMAZON", "7234567"])
def test_a_short_code_goes_on_as_it_is_written(sender: str) -> None:
    """process_event says that it is no customer. With a plus it would be a person's number."""
    assert only(REPLY | {"originationNumber": sender}).identifiers == (Identifier(PHONE, sender),)


def test_a_lone_surrogate_is_replaced() -> None:
    assert only(REPLY | {"messageBody": "ok \ud83d"}).properties["text"] == "ok \ufffd"


def log(status_: str = "SUCCESS", **delivery: Any) -> dict[str, Any]:
    sent = {"messageId": "sns-1", "timestamp": "2026-03-02 09:58:00.120"}
    report = {"destination": "+12015550123", "providerResponse": "Message has been accepted by phone"}
    return {"notification": sent, "delivery": report | delivery, "status": status_}


def logged(*lines: dict[str, Any], kind: str = "DATA_MESSAGE") -> str:
    logged_lines = [{"id": "1", "timestamp": 1772445570000, "message": json.dumps(line)} for line in lines]
    batch = json.dumps({"messageType": kind, "logEvents": logged_lines}).encode()
    return json.dumps({"awslogs": {"data": base64.b64encode(gzip.compress(batch)).decode()}})


def test_each_line_of_snss_log_is_an_event() -> None:
    arrived, failed = read(logged(log(), log("FAILURE", providerResponse="Unknown error")), MONDAY)

    assert (arrived.type, arrived.identifiers) == ("message.delivered", (ADA,))
    assert arrived.occurred_at == at("2026-03-02 09:59:30")
    assert arrived.properties == {"provider_message_id": "sns-1", "channel": "sms", "address": "+12015550123"}
    assert (failed.type, failed.properties["reason"]) == ("message.failed", "Unknown error")


def test_a_dead_lettered_log_is_read_from_the_queue_too() -> None:
    (event,) = read(json.dumps(log_event(log(), MONDAY)), MONDAY)

    assert event.key == read(logged(log()), MONDAY)[0].key


SNS_REASONS = (
    "Blocked as spam by phone carrier",
    "Destination is on a blocked list",
    "Invalid phone number",
    "Message body is invalid",
    "Phone carrier has blocked this message",
    "Phone carrier is currently unreachable/unavailable",
    "Phone has blocked SMS",
    "Phone is on a blocked list",
    "Phone is currently unreachable/unavailable",
    "Phone number is opted out",
    "This delivery would exceed max price",
    "Unknown error attempting to reach phone",
)
"""https://docs.aws.amazon.com/sns/latest/dg/sms_stats_cloudwatch.html, "SMS delivery failure reasons"."""


@pytest.mark.parametrize("reason", SNS_REASONS)
def test_two_reasons_are_about_the_number_itself(reason: str) -> None:
    (failed,) = read(logged(log("FAILURE", providerResponse=reason)), MONDAY)

    assert failed.properties["reason"] == reason
    assert failed.properties.get("opted_out", False) is (reason == "Phone number is opted out")
    assert failed.properties.get("invalid_number", False) is (reason == "Invalid phone number")
    assert failed.consent == ()


def test_a_text_for_which_the_account_has_no_money_left_says_nothing_about_its_number() -> None:
    (failed,) = read(logged(log("FAILURE", providerResponse="No quota left for account")), MONDAY)

    assert failed.type == "message.failed"
    assert failed.properties["account_failure"] is True
    assert failed.properties["reason"] == "No quota left for account"
    assert not {"opted_out", "invalid_number"} & failed.properties.keys()


@pytest.mark.parametrize("reason", SNS_REASONS)
def test_every_listed_reason_is_about_the_text_or_its_number(reason: str) -> None:
    (failed,) = read(logged(log("FAILURE", providerResponse=reason)), MONDAY)

    assert "account_failure" not in failed.properties


def test_a_delivered_text_does_not_mark_its_number() -> None:
    (arrived,) = read(logged(log("SUCCESS", providerResponse="Invalid phone number")), MONDAY)

    assert not {"opted_out", "invalid_number"} & arrived.properties.keys()


def test_a_control_message_of_cloudwatch_is_ignored() -> None:
    assert read(logged(kind="CONTROL_MESSAGE"), MONDAY) == []


@pytest.mark.parametrize(
    "data",
    [
        "",
        "not base64!",
        base64.b64encode(b"not gzip").decode(),
        base64.b64encode(gzip.compress(b"{}", mtime=0)).decode(),
        None,
        7,
    ],
)
def test_a_malformed_log_is_refused(data: Any) -> None:
    with pytest.raises(InvalidEventError):
        read(json.dumps({"awslogs": {"data": data}}), MONDAY)


def test_a_log_with_an_unknown_status_is_refused() -> None:
    with pytest.raises(InvalidEventError):
        read(logged(log("MAYBE")), MONDAY)
