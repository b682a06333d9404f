"""The function: one delivery from the queue; dead-lettered with its reason where a retry cannot help."""

import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from cairn.adapters.sqs.webhook_queue import delivery_to_wire
from cairn.application.webhooks.deliver_webhook import GivenUpError, Outcome
from cairn.domain.shared.errors import ServiceBusyError
from cairn.domain.webhook_delivery import WebhookDelivery
from cairn.settings import PATIENCE
from cairn.sqs_records import Consumer
from functions.notify_subscriber import handler as function
from infra.local.shapes import sqs_event
from tests.unit.fakes import ConsumedQueues, DeadLetters

DELIVERY = WebhookDelivery("ntc_1", "crm", "c_ada", "r1", attempt=7)


@pytest.fixture
def dead_letters(monkeypatch: pytest.MonkeyPatch) -> DeadLetters:
    made = DeadLetters()
    put_off = ConsumedQueues().put_off
    consumer = Consumer(function="notify_subscriber", queue="notices", dead_letters=made, put_off=put_off)
    monkeypatch.setattr(function, "consumer", lambda: consumer)
    monkeypatch.setenv("POWERTOOLS_METRICS_DISABLED", "true")
    return made


@pytest.fixture
def answering(monkeypatch: pytest.MonkeyPatch) -> Callable[[Outcome | Exception], None]:
    def answer(what: Outcome | Exception) -> None:
        def notify(delivery: WebhookDelivery, now: datetime) -> Outcome:  # noqa: ARG001
            if isinstance(what, Exception):
                raise what
            return what

        monkeypatch.setattr(function, "deliver", lambda: notify)

    return answer


def brought(body: str, age: timedelta = timedelta()) -> dict[str, Any]:
    sent = int((datetime.now(UTC) - age).timestamp() * 1000)
    attributes = {"ApproximateReceiveCount": "1", "SentTimestamp": str(sent), "MessageGroupId": "crm"}
    message = {"MessageId": "m-1", "ReceiptHandle": "1", "Body": body, "MD5OfBody": "0", "Attributes": attributes}
    return sqs_event("arn:aws:sqs:us-east-1:123456789012:notices", [message])


BODY = json.dumps(delivery_to_wire(DELIVERY))


@pytest.mark.parametrize("outcome", Outcome)
def test_a_handled_delivery_is_done(dead_letters: DeadLetters, answering: Any, outcome: Outcome) -> None:
    answering(outcome)

    assert function.handler(brought(BODY), None) == {"batchItemFailures": []}
    assert dead_letters == []


def test_a_delivery_that_is_given_up_is_dead_lettered_with_its_reason(
    dead_letters: DeadLetters, answering: Any
) -> None:
    answering(GivenUpError("crm answered 500, at the last of 10 attempts"))

    assert function.handler(brought(BODY), None) == {"batchItemFailures": []}
    ((body, reason),) = dead_letters
    assert json.loads(body) == delivery_to_wire(DELIVERY.restarted())
    assert reason.text == "GivenUpError: crm answered 500, at the last of 10 attempts"


def test_a_failure_of_aws_is_retried_by_the_queue(dead_letters: DeadLetters, answering: Any) -> None:
    answering(ServiceBusyError("secretsmanager is busy"))

    assert function.handler(brought(BODY), None) == {"batchItemFailures": [{"itemIdentifier": "m-1"}]}
    assert dead_letters == []


@pytest.mark.parametrize(("body", "age"), [("gibberish", timedelta()), (BODY, PATIENCE)])
def test_what_no_time_mends_or_has_mended_is_dead_lettered(
    dead_letters: DeadLetters, answering: Any, body: str, age: timedelta
) -> None:
    answering(ServiceBusyError("secretsmanager is busy"))

    assert function.handler(brought(body, age), None) == {"batchItemFailures": []}
    assert len(dead_letters) == 1
