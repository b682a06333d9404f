"""The function: what the account may not send waits, and a person is called once an invocation."""

import json
from time import time
from typing import Any

import pytest

from cairn.adapters.dynamodb.codec import message_to_wire
from cairn.domain.message.message import MessageStatus
from cairn.domain.shared.errors import AccountRefusedError, ProviderBusyError
from cairn.sqs_records import Consumer
from functions.deliver_message import handler as function
from infra.local.shapes import sqs_event
from tests.unit.fakes import ConsumedQueues, DeadLetters
from tests.unit.makers import message


class Delivers:
    """Delivers each message, or meets the error that stands for its id."""

    def __init__(self, **errors: Exception) -> None:
        self.errors = errors

    def contexts(self, requests: list[Any]) -> list[None]:
        return [None for _ in requests]

    def __call__(self, request: Any, *_: Any) -> MessageStatus:
        if request.id in self.errors:
            raise self.errors[request.id]
        return MessageStatus.SENT


def handle(monkeypatch: pytest.MonkeyPatch, delivers: Delivers, *ids: str) -> list[str]:
    """The numbers of the records that are to be delivered again."""
    queues, dead_letters = ConsumedQueues(), DeadLetters()
    consumer = Consumer(function="deliver_message", queue="messages", dead_letters=dead_letters, put_off=queues.put_off)
    monkeypatch.setattr(function, "deliver", lambda: delivers)
    monkeypatch.setattr(function, "consumer", lambda: consumer)
    records = [
        {
            "MessageId": str(number),
            "ReceiptHandle": str(number),
            "Body": json.dumps(message_to_wire(message(id=id_))),
            "MD5OfBody": "0",
            "Attributes": {"ApproximateReceiveCount": "1", "SentTimestamp": str(int(time() * 1000))},
        }
        for number, id_ in enumerate(ids)
    ]
    answer = function.handler(sqs_event("arn:aws:sqs:us-east-1:123456789012:messages", records), None)
    return [one["itemIdentifier"] for one in answer["batchItemFailures"]]


@pytest.fixture
def called(monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, list[dict[str, str]]]]:
    """The calls for a person: the outcome, and what is said of each."""
    calls: list[tuple[str, list[dict[str, str]]]] = []
    monkeypatch.setattr(function, "need_person", lambda outcome, _, *, do, each: calls.append((outcome, each)) or do)
    return calls


def test_where_the_account_may_not_send_a_person_is_called_once_and_the_messages_wait(
    monkeypatch: pytest.MonkeyPatch, called: list[Any]
) -> None:
    limit = AccountRefusedError("MONTHLY_SPEND_LIMIT_REACHED_FOR_TEXT")

    waiting = handle(monkeypatch, Delivers(a=limit, b=limit), "a", "b", "c")

    assert sorted(waiting) == ["0", "1"]
    assert called == [("AccountRefused", [{"reason": "MONTHLY_SPEND_LIMIT_REACHED_FOR_TEXT"}])]


def test_a_provider_that_is_only_busy_calls_nobody(monkeypatch: pytest.MonkeyPatch, called: list[Any]) -> None:
    assert handle(monkeypatch, Delivers(a=ProviderBusyError("called too often")), "a") == ["0"]
    assert called == []
