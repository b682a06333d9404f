"""The function: from the queue or from a log, onto the events queue or among the dead letters."""

import json
from typing import Any

import pytest

from cairn.domain.shared.errors import InvalidEventError, ServiceBusyError
from functions.record_feedback import handler as function
from infra.local.reports import log_event, queue_body
from infra.local.shapes import sqs_event
from tests.unit.fakes import Inbox
from tests.unit.makers import MONDAY

DELIVERED = {"eventType": "TEXT_DELIVERED", "messageId": "eum-1", "context": {"message": "m", "customer": "c_ada"}}
LOGGED = {
    "notification": {"messageId": "sns-1", "timestamp": "2026-03-02 09:58:00.120"},
    "delivery": {"destination": "+12015550123", "providerResponse": "Message has been accepted by phone"},
    "status": "SUCCESS",
}


class DeadLetters(list[tuple[str, str]]):
    def add(self, body: str, reason: str, group: str = "", delivery: str = "") -> None:  # noqa: ARG002
        self.append((body, reason))


@pytest.fixture
def ports(monkeypatch: pytest.MonkeyPatch) -> tuple[Inbox, DeadLetters]:
    made = (Inbox(), DeadLetters())
    monkeypatch.setattr(function, "ports", lambda: made)
    monkeypatch.setenv("POWERTOOLS_METRICS_DISABLED", "true")
    return made


def queued(*bodies: str) -> dict[str, Any]:
    messages = [
        {
            "MessageId": str(number),
            "ReceiptHandle": "1",
            "Body": body,
            "MD5OfBody": "0",
            "Attributes": {"ApproximateReceiveCount": "1"},
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
    assert reason.startswith("InvalidEventError: not in a shape")


def test_a_report_that_cannot_be_stored_is_delivered_again(ports: tuple[Inbox, DeadLetters]) -> None:
    inbox, _ = ports
    inbox.is_down = ServiceBusyError("sqs is busy")

    answer = function.handler(queued(queue_body(DELIVERED, MONDAY)), None)

    assert answer == {"batchItemFailures": [{"itemIdentifier": "0"}]}


def test_a_log_event_invokes_the_function_too(ports: tuple[Inbox, DeadLetters]) -> None:
    assert function.handler(log_event(LOGGED, MONDAY), None) is None

    inbox, _ = ports
    assert [event.type for event in inbox] == ["message.delivered"]


def test_a_failed_log_event_is_retried_and_dead_lettered_by_lambda(ports: tuple[Inbox, DeadLetters]) -> None:
    inbox, _ = ports
    inbox.is_down = ServiceBusyError("sqs is busy")

    with pytest.raises(ServiceBusyError):
        function.handler(log_event(LOGGED, MONDAY), None)
    with pytest.raises(InvalidEventError):
        function.handler(log_event({"status": "?"}, MONDAY), None)


def test_a_log_event_that_lambda_dead_lettered_goes_through_the_queue(ports: tuple[Inbox, DeadLetters]) -> None:
    function.handler(queued(json.dumps(log_event(LOGGED, MONDAY))), None)

    inbox, _ = ports
    assert [event.type for event in inbox] == ["message.delivered"]
