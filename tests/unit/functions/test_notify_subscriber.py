"""The function: one notice from the queue; parked with its reason where no attempt will help, else given back."""

import json
from collections.abc import Callable
from datetime import datetime
from typing import Any

import pytest

from cairn.adapters.sqs.webhook_queue import notice_to_wire
from cairn.application.webhooks.deliver_webhook import GivenUpError, Outcome
from cairn.domain.shared.errors import ServiceBusyError
from cairn.domain.webhook_delivery import WebhookDelivery
from cairn.settings import MAX_RECEIVES
from functions.notify_subscriber import handler as function
from infra.local.shapes import sqs_event

NOTICE = WebhookDelivery("ntc_1", "crm", "c_ada", "r1", attempt=7)


class Parked(list[tuple[dict[str, Any], str]]):
    def add(self, body: str, reason: str, group: str = "", delivery: str = "") -> None:  # noqa: ARG002
        self.append((json.loads(body) if body.startswith("{") else {"body": body}, reason))


@pytest.fixture
def parked(monkeypatch: pytest.MonkeyPatch) -> Parked:
    made = Parked()
    monkeypatch.setattr(function, "dead_letters", lambda: made)
    monkeypatch.setenv("POWERTOOLS_METRICS_DISABLED", "true")
    return made


@pytest.fixture
def answering(monkeypatch: pytest.MonkeyPatch) -> Callable[[Outcome | Exception], None]:
    def answer(what: Outcome | Exception) -> None:
        def notify(notice: WebhookDelivery, now: datetime) -> Outcome:  # noqa: ARG001
            if isinstance(what, Exception):
                raise what
            return what

        monkeypatch.setattr(function, "deliver", lambda: notify)

    return answer


def brought(body: str, receives: int = 1) -> dict[str, Any]:
    attributes = {"ApproximateReceiveCount": str(receives), "MessageGroupId": "crm"}
    message = {"MessageId": "m-1", "ReceiptHandle": "1", "Body": body, "MD5OfBody": "0", "Attributes": attributes}
    return sqs_event("arn:aws:sqs:us-east-1:123456789012:notices", [message])


BODY = json.dumps(notice_to_wire(NOTICE))


@pytest.mark.parametrize("outcome", Outcome)
def test_what_was_dealt_with_is_done(parked: Parked, answering: Any, outcome: Outcome) -> None:
    answering(outcome)

    assert function.handler(brought(BODY), None) == {"batchItemFailures": []}
    assert parked == []


def test_what_is_given_up_on_is_parked_with_its_reason_and_all_its_attempts(parked: Parked, answering: Any) -> None:
    answering(GivenUpError("crm answered 500, at the last of 10 attempts"))

    assert function.handler(brought(BODY), None) == {"batchItemFailures": []}
    assert parked == [
        (notice_to_wire(NOTICE.restarted()), "GivenUpError: crm answered 500, at the last of 10 attempts")
    ]


def test_where_aws_is_out_of_order_the_queue_brings_it_again(parked: Parked, answering: Any) -> None:
    answering(ServiceBusyError("secretsmanager is busy"))

    assert function.handler(brought(BODY), None) == {"batchItemFailures": [{"itemIdentifier": "m-1"}]}
    assert parked == []


@pytest.mark.parametrize(("body", "receives"), [("gibberish", MAX_RECEIVES), (BODY, MAX_RECEIVES)])
def test_what_fails_for_the_last_time_is_parked(parked: Parked, answering: Any, body: str, receives: int) -> None:
    answering(ServiceBusyError("secretsmanager is busy"))

    assert function.handler(brought(body, receives), None) == {"batchItemFailures": []}
    assert len(parked) == 1
