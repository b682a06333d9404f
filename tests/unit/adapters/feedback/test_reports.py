"""The samples are what providers send; and nothing else makes the reader stumble."""

import json
from copy import deepcopy
from pathlib import Path
from typing import Any

import pytest
from aws_lambda_powertools.utilities.parser.envelopes import SnsSqsEnvelope
from aws_lambda_powertools.utilities.parser.models import (
    CloudWatchLogsModel,
    EventBridgeModel,
    SnsNotificationModel,
    SqsModel,
)
from hypothesis import given
from hypothesis import strategies as st
from pydantic import BaseModel

from cairn.adapters.documents.json_text import to_json
from cairn.adapters.feedback.reports import read
from cairn.domain.event import event_from_queue, event_to_wire
from cairn.domain.identity.trust import FEEDBACK_SOURCE
from cairn.domain.shared.errors import InvalidEventError
from infra.local.reports import is_logged, log_event, queue_body
from infra.local.shapes import sqs_event
from tests.unit.makers import MONDAY, at
from tests.unit.strategies import json_values

SAMPLES = sorted((Path(__file__).parents[4] / "events" / "aws").glob("*.json"))
LATER = at("2026-03-03 10:00")

EXPECTED = {
    "ses_bounce": "message.bounced",
    "ses_bounce_eventbridge": "message.bounced",
    "ses_click": "message.clicked",
    "ses_complaint": "message.complained",
    "ses_delivery": "message.delivered",
    "ses_open": "message.opened",
    "sms_delivered": "message.delivered",
    "sms_reply": "message.replied",
    "sms_unreachable": "message.failed",
    "sns_sms_failed": "message.failed",
    "whatsapp_failed": "message.failed",
    "whatsapp_read": "message.opened",
    "whatsapp_reply": "message.replied",
    "whatsapp_stop_marketing": "consent.changed",
}


class Anything(BaseModel):
    """What a topic carries, whatever it is."""


def document(path: Path) -> Any:
    return json.loads(path.read_text(encoding="utf-8"))


def body(path: Path) -> str:
    sample = document(path)
    return json.dumps(log_event(sample, LATER)) if is_logged(sample) else queue_body(sample, LATER)


def test_every_sample_has_an_expected_event() -> None:
    assert {path.stem for path in SAMPLES} == EXPECTED.keys()


@pytest.mark.parametrize("path", SAMPLES, ids=lambda path: path.stem)
def test_every_sample_becomes_one_event_that_can_be_queued_and_read(path: Path) -> None:
    (event,) = read(body(path), LATER)

    assert (event.type, event.source) == (EXPECTED[path.stem], FEEDBACK_SOURCE)
    assert event.occurred_at <= LATER
    assert event.customer_id or event.identifiers
    assert "message_id" not in event.properties or event.customer_id
    wire = json.loads(to_json(event_to_wire(event)))
    assert event_from_queue(wire, received_at=LATER) == event


@pytest.mark.parametrize("path", SAMPLES, ids=lambda path: path.stem)
def test_powertools_reads_our_lambda_events(path: Path) -> None:
    sample = document(path)
    if is_logged(sample):
        batch = CloudWatchLogsModel.model_validate(log_event(sample, LATER)).awslogs.decoded_data
        assert json.loads(str(batch.logEvents[0].message)) == sample
        return
    message = {
        "MessageId": "1",
        "ReceiptHandle": "1",
        "Body": body(path),
        "MD5OfBody": "0",
        "Attributes": {
            "ApproximateReceiveCount": "1",
            "ApproximateFirstReceiveTimestamp": "1772532000000",
            "SenderId": "AIDAEXAMPLE",
            "SentTimestamp": "1772532000000",
        },
    }
    shape = sqs_event("arn:aws:sqs:us-east-1:123456789012:feedback", [message])
    (record,) = SqsModel.model_validate(shape).Records
    if "detail-type" in sample:
        assert EventBridgeModel.model_validate_json(str(record.body)).source == sample["source"]
        return
    envelope = SnsNotificationModel.model_validate_json(str(record.body))
    assert json.loads(str(envelope.Message)).keys() == sample.keys()
    assert SnsSqsEnvelope().parse(shape, Anything)


@pytest.mark.parametrize("path", SAMPLES, ids=lambda path: path.stem)
def test_raw_delivery_makes_the_same_events(path: Path) -> None:
    sample = document(path)

    raw, enveloped = read(json.dumps(sample), LATER), read(queue_body(sample, LATER), LATER)

    assert [event.key for event in raw] == [event.key for event in enveloped]


@pytest.mark.parametrize(
    "message",
    [
        "Successfully validated SNS topic for Amazon SES event publishing.",
        json.dumps({"notificationType": "AmazonSnsSubscriptionSucceeded", "message": "You have subscribed"}),
    ],
)
def test_the_greetings_of_ses_are_no_events(message: str) -> None:
    assert read(json.dumps({"Type": "Notification", "MessageId": "1", "Message": message}), MONDAY) == []


@pytest.mark.parametrize(
    "text",
    [
        *("", "null", "[]", "7", '"text"', "{", "{}", "not JSON", "[" * 100_000, '{"a":' * 100_000),
        '{"Message": "Hello"}',
        '{"Type": "Notification", "Message": "Hello"}',
        '{"Type": "Notification", "Message": null}',
        '{"Type": "SubscriptionConfirmation", "Message": "You have chosen"}',
        '{"detail-type": "Object Created", "source": "aws.s3", "detail": {}}',
        '{"detail-type": "WhatsApp Message Delivered", "source": "aws.social-messaging", "detail": {"messageId": "1"}}',
        '{"detail-type": "Email Bounced", "source": "aws.ses"}',
        '{"eventType": "Bounce"}',
        '{"eventType": "Bounce", "mail": []}',
        '{"eventType": "Delivery", "mail": {"destination": ["ada@example.com"]}}',
        '{"eventType": "TEXT_DELIVERED"}',
        '{"inboundMessageId": "", "originationNumber": "+12015550123"}',
        '{"notification": {}, "delivery": {}}',
    ],
    ids=lambda text: text[:40],
)
def test_an_unknown_report_is_refused_with_a_reason_and_without_its_content(text: str) -> None:
    with pytest.raises(InvalidEventError) as error:
        read(text, MONDAY)

    assert str(error.value)
    assert "ada" not in str(error.value)


FIELDS = (
    *("Type", "Message", "MessageId", "Timestamp", "TopicArn", "awslogs", "detail-type", "source", "detail"),
    *("eventType", "notificationType", "mail", "bounce", "whatsAppWebhookEntry", "message_timestamp"),
    *("inboundMessageId", "originationNumber", "messageBody", "notification", "delivery", "status"),
    *("messageId", "context", "isFinal", "eventTimestamp", "destinationPhoneNumber"),
)
SHAPED = st.fixed_dictionaries({}, optional=dict.fromkeys(FIELDS, json_values))


@given(json_values | SHAPED | SHAPED.map(lambda document: {"Type": "Notification", "Message": json.dumps(document)}))
def test_every_document_is_read_or_refused(document: Any) -> None:
    assert_read_or_refused(json.dumps(document))


@given(st.text() | st.binary().map(lambda raw: raw.decode("latin-1")))
def test_every_text_is_read_or_refused(text: str) -> None:
    assert_read_or_refused(text)


@given(st.data())
def test_every_changed_sample_is_read_or_refused(data: st.DataObject) -> None:
    sample = document(data.draw(st.sampled_from(SAMPLES)))
    for _ in range(data.draw(st.integers(1, 3))):
        path, name = data.draw(st.sampled_from(_paths(sample)))
        path[name] = deepcopy(data.draw(json_values))
    assert_read_or_refused(queue_body(sample, LATER))


def _paths(node: Any) -> list[tuple[Any, Any]]:
    """Every value of a document, as what holds it and under which name."""
    names: Any = node if isinstance(node, dict) else range(len(node)) if isinstance(node, list) else ()
    return [path for name in list(names) for path in ((node, name), *_paths(node[name]))]


def assert_read_or_refused(text: str) -> None:
    """And what is read, process_event can read as well."""
    try:
        events = read(text, LATER)
    except InvalidEventError:
        return
    for event in events:
        wire = json.loads(to_json(event_to_wire(event)))
        assert event_from_queue(wire, received_at=LATER).key == event.key
