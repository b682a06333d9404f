"""Reports on in-app messages, from our own functions to events."""

import json
from datetime import UTC, datetime

import pytest

from cairn.adapters.feedback.in_app import FORM, STATUSES, FeedbackQueue
from cairn.adapters.feedback.reports import read
from cairn.application.values.messages import InAppReport
from cairn.domain.shared.errors import InvalidEventError

NOW = datetime(2026, 3, 2, 15, tzinfo=UTC)


class Sqs:
    def __init__(self) -> None:
        self.bodies: list[str] = []

    def send_message(self, *, QueueUrl: str, MessageBody: str) -> None:  # noqa: N803, ARG002  SQS's own names
        self.bodies.append(MessageBody)


@pytest.mark.parametrize("status", sorted(STATUSES))
def test_a_report_becomes_the_event_of_any_channel_and_the_same_one_each_time(status: str) -> None:
    sqs = Sqs()
    for _ in range(2):
        FeedbackQueue(sqs, "q").put(InAppReport("c_" + "a" * 26, "m-1", status, NOW, link="/a"))

    (first,), (second,) = (read(body, NOW) for body in sqs.bodies)

    assert first.id == second.id
    assert (first.type, first.source, first.occurred_at) == (f"message.{status}", "feedback", NOW)
    assert first.customer_id == "c_" + "a" * 26
    assert first.properties == {"message_id": "m-1", "channel": "in_app"} | (
        {"link": "/a"} if status == "clicked" else {}
    )


@pytest.mark.parametrize("said", [{"status": "bounced"}, {}, None, {"status": "opened"}])
def test_what_is_no_such_report_is_refused(said: object) -> None:
    with pytest.raises(InvalidEventError):
        read(json.dumps({FORM: said}), NOW)
