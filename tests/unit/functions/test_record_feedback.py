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


class Parked(list[tuple[str, str]]):
    def add(self, body: str, reason: str, group: str = "", delivery: str = "") -> None:  # noqa: ARG002
        self.append((body, reason))


@pytest.fixture
def ports(monkeypatch: pytest.MonkeyPatch) -> tuple[Inbox, Parked]:
    made = (Inbox(), Parked())
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


def test_what_a_topic_brought_is_put_onto_the_events_queue(ports: tuple[Inbox, Parked]) -> None:
    answer = function.handler(queued(queue_body(DELIVERED, MONDAY)), None)

    inbox, parked = ports
    assert answer == {"batchItemFailures": []}
    assert [event.type for event in inbox] == ["message.delivered"]
    assert parked == []


def test_what_cannot_be_read_is_parked_with_its_reason_and_stops_nothing(ports: tuple[Inbox, Parked]) -> None:
    answer = function.handler(queued("gibberish", queue_body(DELIVERED, MONDAY)), None)

    inbox, parked = ports
    ((body, reason),) = parked
    assert answer == {"batchItemFailures": []}
    assert len(inbox) == 1
    assert body == "gibberish"
    assert reason.startswith("InvalidEventError: not in a shape")


def test_what_cannot_be_stored_is_delivered_again(ports: tuple[Inbox, Parked]) -> None:
    inbox, _ = ports
    inbox.is_down = ServiceBusyError("sqs is busy")

    answer = function.handler(queued(queue_body(DELIVERED, MONDAY)), None)

    assert answer == {"batchItemFailures": [{"itemIdentifier": "0"}]}


def test_a_log_starts_it_too(ports: tuple[Inbox, Parked]) -> None:
    assert function.handler(log_event(LOGGED, MONDAY), None) is None

    inbox, _ = ports
    assert [event.type for event in inbox] == ["message.delivered"]


def test_a_log_that_cannot_be_read_or_stored_is_lambdas_to_try_again_and_to_park(ports: tuple[Inbox, Parked]) -> None:
    inbox, _ = ports
    inbox.is_down = ServiceBusyError("sqs is busy")

    with pytest.raises(ServiceBusyError):
        function.handler(log_event(LOGGED, MONDAY), None)
    with pytest.raises(InvalidEventError):
        function.handler(log_event({"status": "?"}, MONDAY), None)


def test_a_log_that_lambda_parked_goes_through_the_queue(ports: tuple[Inbox, Parked]) -> None:
    function.handler(queued(json.dumps(log_event(LOGGED, MONDAY))), None)

    inbox, _ = ports
    assert [event.type for event in inbox] == ["message.delivered"]
