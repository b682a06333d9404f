"""What became of a text, and what customers write back."""

import base64
import gzip
import json
from typing import Any

import pytest

from cairn.adapters.feedback.reports import read
from cairn.domain.event import Event
from cairn.domain.identity.identifiers import PHONE, Identifier
from cairn.domain.shared.errors import InvalidEventError
from infra.local.reports import log_event, queue_body
from tests.unit.makers import MONDAY, at

ADA = Identifier(PHONE, "+12015550123")


def status(kind: str, *, final: bool | None = True, **more: Any) -> dict[str, Any]:
    told = {
        "eventType": f"TEXT_{kind}",
        "eventTimestamp": 1772445540000,
        "destinationPhoneNumber": "+12015550123",
        "messageId": "eum-1",
        "context": {"message": "enr-hello-1", "customer": "c_ada"},
    }
    return told | ({} if final is None else {"isFinal": final}) | more


def events(document: Any) -> list[Event]:
    return read(queue_body(document, MONDAY), MONDAY)


def only(document: Any) -> Event:
    (event,) = events(document)
    return event


def test_a_delivered_text_gives_back_the_message_and_its_customer() -> None:
    told = only(status("DELIVERED"))

    assert (told.type, told.customer_id, told.identifiers) == ("message.delivered", "c_ada", ())
    assert told.occurred_at == at("2026-03-02 09:59")
    assert told.properties == {
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
def test_a_text_that_did_not_arrive_says_why(kind: str) -> None:
    told = only(status(kind))

    assert (told.type, told.properties["reason"]) == ("message.failed", kind)


@pytest.mark.parametrize("kind", ["BLOCKED", "CARRIER_UNREACHABLE", "INVALID_MESSAGE", "SPAM", "UNREACHABLE"])
def test_only_an_invalid_number_is_one(kind: str) -> None:
    assert only(status("INVALID")).properties["invalid_number"] is True
    assert "invalid_number" not in only(status(kind)).properties
    assert "invalid_number" not in only(status("DELIVERED")).properties


def test_who_has_opted_out_with_end_user_messaging_has_told_us() -> None:
    told = only(status("BLOCKED", messageStatusDescription="Phone number is opted out"))

    assert told.properties["opted_out"] is True
    assert "opted_out" not in only(status("BLOCKED", messageStatusDescription="Phone has blocked SMS")).properties


def test_what_is_tried_again_has_not_failed_yet() -> None:
    assert events(status("INVALID", final=False)) == []
    assert events(status("CARRIER_UNREACHABLE", final=False)) == []


def test_taken_by_the_carrier_is_the_last_word_where_it_says_so() -> None:
    assert only(status("SUCCESSFUL", final=False)).type == "message.sent"
    assert only(status("SUCCESSFUL")).type == "message.delivered"
    assert only(status("SUCCESSFUL", final=None)).type == "message.delivered"
    assert only(status("SUCCESSFUL", final=False)).key != only(status("SUCCESSFUL")).key


@pytest.mark.parametrize("kind", ["QUEUED", "PENDING", "UNKNOWN"])
def test_what_nobody_knows_is_no_event(kind: str) -> None:
    assert events(status(kind)) == []


@pytest.mark.parametrize("type_", ["TEXT_TELEPORTED", "VOICE_ANSWERED", 7, None])
def test_something_new_is_looked_at_by_somebody(type_: Any) -> None:
    with pytest.raises(InvalidEventError):
        events(status("") | {"eventType": type_})


def test_without_a_context_the_number_says_who_it_was() -> None:
    told = only(status("DELIVERED", context=None))

    assert (told.customer_id, told.identifiers) == (None, (ADA,))


def test_eventbridge_brings_the_same_event_and_at_times_names_nobody() -> None:
    emitted = {"id": "eb-1", "detail-type": "Text Message Delivery Status Updated", "source": "aws.sms-voice"}

    assert only(emitted | {"detail": status("DELIVERED")}).key == only(status("DELIVERED")).key
    assert events(emitted | {"detail": status("DELIVERED", context=None, destinationPhoneNumber=None)}) == []


@pytest.mark.parametrize("instant", [1e300, -1e300, "soon", float("inf"), [1], {"a": 1}])
def test_an_instant_that_is_none_is_refused(instant: Any) -> None:
    with pytest.raises(InvalidEventError):
        events(status("DELIVERED", eventTimestamp=instant))


def test_a_status_told_twice_is_one_event_and_another_status_is_another() -> None:
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


def test_a_reply_says_who_wrote_what_to_whom_about_which() -> None:
    told = only(REPLY)

    assert (told.id, told.type, told.identifiers) == ("in-1", "message.replied", (ADA,))
    assert told.occurred_at == MONDAY
    assert told.properties == {
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
def test_the_first_word_is_the_keyword(text: Any, keyword: str | None) -> None:
    assert only(REPLY | {"messageBody": text}).properties.get("keyword") == keyword


def test_what_answers_nothing_of_ours_is_a_reply_all_the_same() -> None:
    first = only({name: value for name, value in REPLY.items() if name != "previousPublishedMessageId"})

    assert "reply_to" not in first.properties


@pytest.mark.parametrize("number", ["22000", "AMAZON", "", None])
def test_a_short_code_is_no_customer(number: Any) -> None:
    assert events(REPLY | {"originationNumber": number}) == []


def test_half_a_character_does_not_get_stuck() -> None:
    assert only(REPLY | {"messageBody": "ok \ud83d"}).properties["text"] == "ok \ufffd"


def log(status_: str = "SUCCESS", **delivery: Any) -> dict[str, Any]:
    sent = {"messageId": "sns-1", "timestamp": "2026-03-02 09:58:00.120"}
    told = {"destination": "+12015550123", "providerResponse": "Message has been accepted by phone"}
    return {"notification": sent, "delivery": told | delivery, "status": status_}


def logged(*lines: dict[str, Any], kind: str = "DATA_MESSAGE") -> str:
    told = [{"id": "1", "timestamp": 1772445570000, "message": json.dumps(line)} for line in lines]
    batch = json.dumps({"messageType": kind, "logEvents": told}).encode()
    return json.dumps({"awslogs": {"data": base64.b64encode(gzip.compress(batch)).decode()}})


def test_snss_log_tells_of_each_text() -> None:
    arrived, failed = read(logged(log(), log("FAILURE", providerResponse="Unknown error")), MONDAY)

    assert (arrived.type, arrived.identifiers) == ("message.delivered", (ADA,))
    assert arrived.occurred_at == at("2026-03-02 09:59:30")
    assert arrived.properties == {"provider_message_id": "sns-1", "channel": "sms", "address": "+12015550123"}
    assert (failed.type, failed.properties["reason"]) == ("message.failed", "Unknown error")


def test_a_log_that_was_parked_is_read_from_the_queue_too() -> None:
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
def test_of_all_reasons_two_are_about_the_number_and_not_about_this_text(reason: str) -> None:
    (failed,) = read(logged(log("FAILURE", providerResponse=reason)), MONDAY)

    assert failed.properties["reason"] == reason
    assert failed.properties.get("opted_out", False) is (reason == "Phone number is opted out")
    assert failed.properties.get("invalid_number", False) is (reason == "Invalid phone number")
    assert failed.consent == ()


def test_what_arrived_says_nothing_against_its_number() -> None:
    (arrived,) = read(logged(log("SUCCESS", providerResponse="Invalid phone number")), MONDAY)

    assert not {"opted_out", "invalid_number"} & arrived.properties.keys()


def test_cloudwatch_asks_whether_we_are_there() -> None:
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
def test_a_log_that_is_none_is_refused(data: Any) -> None:
    with pytest.raises(InvalidEventError):
        read(json.dumps({"awslogs": {"data": data}}), MONDAY)


def test_a_log_of_another_status_is_looked_at_by_somebody() -> None:
    with pytest.raises(InvalidEventError):
        read(logged(log("MAYBE")), MONDAY)
