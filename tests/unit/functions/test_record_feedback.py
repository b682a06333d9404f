"""The function: from the queue or from a log, onto the events queue or among the dead letters."""

import json
from pathlib import Path
from time import time
from typing import Any

import pytest

from cairn.application.message.record_reports import RecordReports
from cairn.domain.shared.errors import ServiceBusyError
from cairn.sqs_records import Consumer
from functions.record_feedback import handler as function
from infra.local.reports import log_event, queue_body
from infra.local.shapes import sqs_event
from tests.printed import Printed
from tests.unit.fakes import ConsumedQueues, DeadLetters, DeliveryCounters, Inbox, ReportedMessages, StatusReports
from tests.unit.makers import MONDAY

ROOT = Path(__file__).parents[3]
DELIVERED = {"eventType": "TEXT_DELIVERED", "messageId": "eum-1", "context": {"message": "m", "customer": "c_ada"}}
LOGGED = {
    "notification": {"messageId": "sns-1", "timestamp": "2026-03-02 09:58:00.120"},
    "delivery": {"destination": "+12015550123", "providerResponse": "Message has been accepted by phone"},
    "status": "SUCCESS",
}


@pytest.fixture
def ports(monkeypatch: pytest.MonkeyPatch, queues: ConsumedQueues) -> tuple[Inbox, DeadLetters]:
    inbox, dead_letters = Inbox(), DeadLetters()
    consumer = Consumer(function="record_feedback", queue="feedback", dead_letters=dead_letters, put_off=queues.put_off)
    recorder = RecordReports(inbox, ReportedMessages(), DeliveryCounters(), StatusReports(), frozenset())
    monkeypatch.setattr(function, "recorder", lambda: recorder)
    monkeypatch.setattr(function, "consumer", lambda: consumer)
    monkeypatch.setattr(function, "queue_again", lambda: queues.queued.append)
    monkeypatch.setenv("POWERTOOLS_METRICS_DISABLED", "true")
    return inbox, dead_letters


@pytest.fixture
def queues() -> ConsumedQueues:
    return ConsumedQueues()


def queued(*bodies: str) -> dict[str, Any]:
    messages = [
        {
            "MessageId": str(number),
            "ReceiptHandle": "1",
            "Body": body,
            "MD5OfBody": "0",
            "Attributes": {"ApproximateReceiveCount": "1", "SentTimestamp": str(int(time() * 1000))},
        }
        for number, body in enumerate(bodies)
    ]
    return sqs_event("arn:aws:sqs:us-east-1:123456789012:feedback", messages)


def test_reports_from_a_topic_go_to_the_events_queue(ports: tuple[Inbox, DeadLetters]) -> None:
    answer = function.handler(queued(queue_body(DELIVERED, MONDAY)), None)

    inbox, dead_letters = ports
    assert answer == {"batchItemFailures": []}
    assert [event.type for event in inbox] == ["message.delivered"]
    assert dead_letters == []


def test_an_unreadable_report_is_dead_lettered_and_stops_no_other(ports: tuple[Inbox, DeadLetters]) -> None:
    answer = function.handler(queued("gibberish", queue_body(DELIVERED, MONDAY)), None)

    inbox, dead_letters = ports
    ((body, reason),) = dead_letters
    assert answer == {"batchItemFailures": []}
    assert len(inbox) == 1
    assert body == "gibberish"
    assert reason.text.startswith("InvalidEventError: not in a shape")
    assert reason.stage == "record_feedback of feedback"
    assert reason.command == "cairn dlq redrive feedback"


def test_a_report_that_cannot_be_stored_is_delivered_again(ports: tuple[Inbox, DeadLetters]) -> None:
    inbox, _ = ports
    inbox.is_down = ServiceBusyError("sqs is busy")

    answer = function.handler(queued(queue_body(DELIVERED, MONDAY)), None)

    assert answer == {"batchItemFailures": [{"itemIdentifier": "0"}]}


def test_a_log_event_invokes_the_function_too(ports: tuple[Inbox, DeadLetters]) -> None:
    assert function.handler(log_event(LOGGED, MONDAY), None) is None

    inbox, _ = ports
    assert [event.type for event in inbox] == ["message.delivered"]


def test_a_log_event_that_cannot_be_stored_now_waits_in_the_queue(
    ports: tuple[Inbox, DeadLetters], queues: ConsumedQueues
) -> None:
    """Lambda itself would give up after two more tries, within three minutes."""
    inbox, dead_letters = ports
    inbox.is_down = ServiceBusyError("sqs is busy")

    function.handler(log_event(LOGGED, MONDAY), None)
    inbox.is_down = None
    function.handler(queued(*queues.queued), None)

    assert [event.type for event in inbox] == ["message.delivered"]
    assert dead_letters == []


def test_a_log_event_that_cannot_be_read_is_a_dead_letter_at_once(
    ports: tuple[Inbox, DeadLetters], queues: ConsumedQueues
) -> None:
    function.handler(log_event({"status": "?"}, MONDAY), None)

    ((_, reason),) = ports[1]
    assert reason.text.startswith("InvalidEventError")
    assert queues.queued == []


def test_a_log_event_that_lambda_dead_lettered_goes_through_the_queue(ports: tuple[Inbox, DeadLetters]) -> None:
    function.handler(queued(json.dumps(log_event(LOGGED, MONDAY))), None)

    inbox, _ = ports
    assert [event.type for event in inbox] == ["message.delivered"]


@pytest.mark.usefixtures("ports")
def test_a_whatsapp_message_that_the_account_may_not_send_needs_a_person(printed: Printed) -> None:
    report = json.loads((ROOT / "events" / "aws" / "whatsapp_failed.json").read_text(encoding="utf-8"))
    (failed,) = report["whatsAppWebhookEntry"]["changes"][0]["value"]["statuses"]

    for code in (131026, 131031):
        failed["errors"] = [{"code": code}]
        function.handler(queued(queue_body(report, MONDAY)), None)

    (line,) = [one for one in printed.logs() if "person_needed" in one]
    assert (line["person_needed"], line["channel"], line["reason"]) == ("AccountFailure", "whatsapp", "131031")
    assert [one.value for one in printed.metrics() if one.name == "PersonNeeded"] == [1]


def test_texts_that_the_account_cannot_pay_for_are_counted(
    ports: tuple[Inbox, DeadLetters], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.delenv("POWERTOOLS_METRICS_DISABLED")
    spent = LOGGED | {
        "delivery": {"destination": "+12015550123", "providerResponse": "No quota left for account"},
        "status": "FAILURE",
    }

    function.handler(log_event(spent, MONDAY), None)
    function.handler(log_event(LOGGED | {"status": "FAILURE"}, MONDAY), None)

    inbox, _ = ports
    counted = [json.loads(line) for line in capsys.readouterr().out.splitlines() if '"PersonNeeded":' in line]
    assert [event.type for event in inbox] == ["message.failed", "message.failed"]
    assert [one["PersonNeeded"] for one in counted] == [[1.0]]
